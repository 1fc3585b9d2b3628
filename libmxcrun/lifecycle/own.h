/* own.h - restrictions that no document names. */
#ifndef MXCRUN_LIFECYCLE_OWN_H
#define MXCRUN_LIFECYCLE_OWN_H

#include "base/err.h"
#include "config/admin.h"
#include "config/mxc.h"
#include "host/objects.h"

/* A copy of the configuration with these paths behind its denied ones. 0 or -ENOMEM. */
int own_deny(struct arena *arena, const struct mxc_config *config, const char *const *paths, size_t count,
	     const struct mxc_config **ret, struct err **err);

/* Where the runtime's own things are. */
struct own_places {
	const char *state;	   /* of the records of all sandboxes and containers; NULL: there is none */
	bool state_exists;	   /* the path is canonical */
	bool is_text;		   /* for another runtime, which makes no records and no folders */
	bool makes_folders;	   /* a sandbox will run: what is absent is made where that could make it */
	const char *policy;	   /* the file that the policy came from; NULL: from none */
	const char *log_file;	   /* diagnostics are appended to; it is there. NULL: none */
	const char *report;	   /* is written anew while the sandbox runs and at its end. NULL: none */
	const char *admin_config;  /* as on the command line; NULL: the host's own */
	const struct admin_config *owners;
};

/* Invariant 50. Who writes a record has the runtime kill, unmount and delete what he likes: no sandbox sees them. Who writes the
 * policy, the owner's, an image or the program decides about the next sandbox: those are read-only, and so is the log. Only what a grant may hold is
 * looked for; policy/ decides where it has to be restricted. requests are those of the objects; fills own of these. E_POLICY:
 * it is where it is by a link that the sandbox could replace. 0 or -errno. */
int own_look_up(struct arena *arena, const struct mxc_config *config, const struct host_facts *facts,
		const struct own_places *places, const struct object_request *requests, struct host_objects *objects, struct err **err);

/* Then what else leads there, for what own_look_up() has found: mounts and hard links that are other names of it, as they are of what a
 * policy denies; and held_folders. E_POLICY: there could be a name that can't be found. 0 or -errno. */
int own_find_names(struct arena *arena, const struct object_request *requests, const struct host_facts *facts,
		   struct host_objects *objects, struct err **err);

#endif

/* admin.h - the files of the host's owner: his configuration and his policies.
 *
 * Nobody else may have been able to write them: a file and the folder that it is in belong to root (or, for a
 * configuration that the command line names, to the caller) and are writable by no other. */
#ifndef MXCRUN_LIFECYCLE_ADMIN_H
#define MXCRUN_LIFECYCLE_ADMIN_H

#include "config/admin.h"
#include "host/facts.h"

struct admin {
	const struct admin_config *config;
	int folder_fd;	    /* where relative folders start; -1: there is no such folder */
	const char *folder; /* its path */
	bool is_named;	    /* the command line names the file */
};
#define ADMIN_INIT           \
	{                    \
		.folder_fd = -1 \
	}
void admin_close(struct admin *admin);
#define cleanup_admin __attribute__((cleanup(admin_close)))

/* path NULL: the host's own; that it is absent is no error. Strings lie in the arena. */
int admin_read(struct arena *arena, const char *path, const struct host_facts *facts, const struct log *log,
	       struct admin *ret, struct err **err);

/* One policy of his. */
struct admin_policy {
	const char *path; /* for people */
	const struct json *document;
};

/* The files of the folder whose names end in .json, sorted by name. */
int admin_policies(struct arena *arena, const struct admin *admin, const struct host_facts *facts,
		   struct admin_policy **ret, size_t *ret_count, struct err **err);

/* The one that an annotation names. */
int admin_named_policy(struct arena *arena, const struct admin *admin, const char *name,
		       const struct host_facts *facts, struct admin_policy *ret, struct err **err);

/* The seccomp profile that a policy of his names, an absolute path: as trusted as the policy. */
int admin_profile(struct arena *arena, const struct admin *admin, const char *path, const struct host_facts *facts,
		  const struct json **ret, struct err **err);

#endif

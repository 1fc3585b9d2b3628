/* objects.h - the files behind the paths that a policy names, looked up once each, and the system's
 * own folders.
 *
 * Reads only. What is found here is the input of policy/, which decides; an engine later opens the
 * paths again and refuses an object that is another one by then (plan_mount.source_dev,
 * source_ino).
 */
#ifndef MXCRUN_HOST_OBJECTS_H
#define MXCRUN_HOST_OBJECTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "host/facts.h"
#include "host/images.h"

/* What a path is looked up for. */
enum object_role {
	OBJECT_LISTED, /* by a policy: what is not granted, or read-only, is so by every other name as well */
	OBJECT_BOUND,  /* granted at another place: that restricts nothing */
	OBJECT_PLACE,  /* something is put there: neither granted nor denied */
};

/* One path to look up. access is what a grant of it would allow, as in access(2): R_OK, R_OK |
 * W_OK, or F_OK for nothing. */
struct object_request {
	const char *path;
	int access;
	enum object_role role;
	bool is_unseen; /* the sandbox doesn't show it at that place: it only ends what is restricted around it */
	bool has_no_links; /* hard links of its files are not looked for */
};

struct host_object {
	const char *path;     /* as written */
	const char *absolute; /* the same behind the caller's directory, when that was relative */
	int error; /* 0: it exists; else the errno of its lookup: ENOENT and ENOTDIR mean absent */
	int read_error, write_error; /* 0, or why the real user may not; of what was requested */
	uint64_t dev, ino;
	mode_t mode; /* with the type */
	/* Every symlink of every component followed. When the object is absent: as far as it
	 * exists, the rest behind it with "." and ".." folded. NULL when an error other than
	 * absence came in between. */
	const char *canonical;
};

/* A folder of the system that every sandbox sees (MXC.md 6.2). Absent ones are not in the list. */
struct host_folder {
	const char *path;
	const char *canonical; /* where it leads when it is a symlink; else the same as path */
	const char *link;      /* text of the symlink; NULL when it is none */
	bool is_directory;
};

/* Another name of a restricted object, or of a part of it. */
struct host_alias {
	size_t object;	  /* which of the items */
	const char *path; /* canonical */
	bool is_directory;
};

/* Something of the runtime's own, which holds in every sandbox that a grant would show it to. */
struct host_own {
	struct host_object object; /* canonical is set */
	const char *words;	   /* what it is of: "the runtime's own records" */
	bool is_denied;		   /* else it is read-only */
	bool has_no_links;	   /* as in struct object_request */
};

/* A file of what is granted that may be one of what is denied, and the search can't tell. */
struct host_unsearched {
	size_t object;	     /* the denied one that was not searched */
	const char *place;   /* in it; NULL: no such file */
	const char *suspect; /* NULL: what is granted was not searched to its end */
};

struct host_objects {
	struct host_object *items; /* in the order of the requests */
	size_t count;
	struct host_alias *aliases;
	size_t alias_count;
	struct host_unsearched unsearched;
	const struct host_own *own;
	size_t own_count;
	/* above these, and above what the policy restricts, in what is granted for writing; sorted by path */
	const struct host_object *held_folders;
	size_t held_folder_count;
	const struct host_image *image; /* the root comes from there, and there are no folders; NULL: it doesn't */
	struct host_folder *folders;
	size_t folder_count;
	bool has_sysfs;	      /* /sys exists */
	bool has_terminal;    /* the caller's standard input is a terminal... */
	const char *terminal; /* ...and its path, when it can be named here; else NULL */
};

/* Everything lies in the arena; the requests' strings are used on. Objects that are absent or out
 * of reach are no error here. image: NULL when the sandbox shows the system's folders. 0 or -errno. */
int objects_look_up(struct arena *arena, const struct object_request *requests, size_t count,
		    const struct host_facts *facts, const struct host_image *image, struct host_objects **ret,
		    struct err **err);

/* One that no policy lists: absent, or out of reach, is no error here either. 0 or -errno. */
int object_look_up(struct arena *arena, const char *path, const struct host_facts *facts, struct host_object *ret,
		   struct err **err);

/* Does the sandbox show it? */
static inline bool object_is_granted(const struct object_request *request, const struct host_object *object)
{
	return !object->error && request->access != F_OK && request->role != OBJECT_PLACE;
}

/* The one of the held folders that is there. NULL: none. */
const struct host_object *objects_held_folder(const struct host_objects *objects, const char *path);

/* Then the other names of what is restricted among these: whole trees may have to be searched, so whatever can be refused
 * without is refused first. 0 or -errno. */
int objects_find_aliases(struct arena *arena, const struct object_request *requests, struct host_objects *objects,
			 struct err **err);

#endif

/* listing.h - what a policy lists, by canonical path; for the two searches for other names. */
#ifndef MXCRUN_HOST_LISTING_H
#define MXCRUN_HOST_LISTING_H

#include "host/objects.h"

/* One path that is listed, or a folder that every sandbox sees. */
struct listed {
	const char *path;
	size_t object; /* of host_objects; SIZE_MAX for a folder */
	bool is_denied, is_readonly; /* neither: read-write */
	bool is_directory;
	bool is_unseen, has_no_links; /* as in struct object_request */
};

struct listing {
	struct listed *items; /* by path, each once: the strictest */
	size_t count;
};

/* Paths that exist. 0 or -ENOMEM. */
int listing_make(struct arena *arena, const struct object_request *requests,
		 const struct host_objects *objects, struct listing *ret);

/* The entry at path itself. NULL: none. */
const struct listed *listing_at(const struct listing *listing, const char *path);

/* The entry at path or at the deepest folder above it. NULL: none. */
const struct listed *listing_above(const struct listing *listing, const char *path);

/* path below folder, malloc'd; folder may be "/". NULL when out of memory. */
char *listing_join(const char *folder, const char *name);

#endif

/* hardlinks.h - names of denied files that lie in what is granted. */
#ifndef MXCRUN_HOST_HARDLINKS_H
#define MXCRUN_HOST_HARDLINKS_H

#include "host/listing.h"

/* Something denied: a listed path, or a mount below one. */
struct denied_place {
	const char *path;
	size_t object;
	bool is_directory;
};

/* What the search goes by. */
struct link_search {
	struct arena *arena;
	const struct listing *listing;
	const char *const *mountpoints; /* sorted by strcmp() */
	size_t mountpoint_count;
	const struct denied_place *places;
	size_t place_count;
	size_t entries_max; /* for each of the two walks */
};

/* Calls found() for each name; fills ret_unsearched. 0 or -errno of found() or -ENOMEM. */
int hardlinks_find(const struct link_search *search,
		   int (*found)(void *data, size_t object, const char *path), void *data,
		   struct host_unsearched *ret_unsearched);

#endif

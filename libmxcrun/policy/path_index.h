/* path_index.h - many paths, sorted so that everything below a path stands right behind it.
 *
 * For questions about a tree of paths whose number is the config's author's choice: each answer
 * costs a binary search. */
#ifndef MXCRUN_POLICY_PATH_INDEX_H
#define MXCRUN_POLICY_PATH_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"

/* A clean absolute path and whatever it stands for. */
struct place {
	const char *path;
	size_t item;
	size_t above; /* of the index, when it is sorted: the last place that is strictly above; SIZE_MAX: none */
};

struct path_index {
	struct place *places;
	size_t count, capacity;
};

/* Room for capacity places; false when out of memory. */
bool path_index_init(struct path_index *index, struct arena *arena, size_t capacity);
void path_index_add(struct path_index *index, const char *path, size_t item);

/* To be called after the last addition. Equal paths are sorted by item. */
void path_index_sort(struct path_index *index);

/* The places of exactly this path (its first len bytes): their number, the first in *ret. */
size_t path_index_find(const struct path_index *index, const char *path, size_t len,
		       const struct place **ret);

/* The length of the longest of the places' paths that are strictly above path; 0: there is none. As much work as one search,
 * however deep the path is. */
size_t path_index_above(const struct path_index *index, const char *path);

/* Is there a place strictly below path? */
bool path_index_has_below(const struct path_index *index, const char *path);

/* The length of the next shorter ancestor of the first len bytes of path: 1 for "/", 0 above it. */
size_t path_parent_len(const char *path, size_t len);

/* What is behind the first len bytes of path when they are one of its ancestors, or itself: "" or
 * "/rest". */
const char *path_below(const char *path, size_t len);

#endif

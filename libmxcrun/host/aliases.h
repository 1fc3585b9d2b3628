/* aliases.h - other names of what a policy restricts: mounts that show it again, and hard links of
 * denied files.
 *
 * Called by objects_find_aliases(). Reads only. A symlink is no such name: it leads to a path, and that
 * is where the policy's entry is.
 */
#ifndef MXCRUN_HOST_ALIASES_H
#define MXCRUN_HOST_ALIASES_H

#include "host/objects.h"

/* Directory entries that are looked at, once among what is denied and once among what is granted,
 * before the search for hard links is given up: about a second. */
#define LINK_SEARCH_MAX (1u << 20)

/* Fills aliases and unsearched of objects, whose items and folders are known. requests are those of
 * the items; mountinfo is cut up. 0 or -errno. */
int aliases_find(struct arena *arena, const struct object_request *requests, char *mountinfo,
		 size_t search_max, struct host_objects *objects, struct err **err);

#endif

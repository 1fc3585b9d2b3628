/* host_paths.h - policies whose paths are the host's: every link followed, the objects behind them, and the other names that
 * these have in what a sandbox or a container shows of the host. */
#ifndef MXCRUN_LIFECYCLE_HOST_PATHS_H
#define MXCRUN_LIFECYCLE_HOST_PATHS_H

#include "plan/from_policy.h"

/* Puts a copy of the carrier's configuration in its place, with each path as the host has it. 0 or -errno. */
int host_paths_follow(struct arena *arena, const struct host_facts *facts, struct policy_carrier *carrier, struct err **err);

/* Fills objects; the paths are followed already, and combined. 0 or -errno. */
int host_paths_look_up(struct arena *arena, const struct host_facts *facts, struct plan_owner *owner, struct err **err);

/* Fills aliases. shown: what is granted, as requests, and the system's folders. E_POLICY when what is shown can't be searched.
 * 0 or -errno. */
int host_paths_find_names(struct arena *arena, const struct object_request *requests, const struct host_objects *shown,
			  struct plan_owner *owner, struct err **err);

#endif

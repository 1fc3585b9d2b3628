/* place.h - what lxc-start finds when it runs for us: a mount namespace of its own, with the container's root and all that
 * it is to bind ready in one folder, and no cgroups to make others in. It ends with the process. */
#ifndef MXCRUN_ENGINE_LXC_PLACE_H
#define MXCRUN_ENGINE_LXC_PLACE_H

#include "engine/calls.h"
#include "plan/plan.h"

#define LXC_PLACE_ABOVE "/run"
#define LXC_PLACE LXC_PLACE_ABOVE "/lxc"	/* where LXC has its locks, too */
#define LXC_PLACE_TREE LXC_PLACE "/tree"	/* with the number of the mount step: what it binds */
#define LXC_PLACE_ROOT LXC_PLACE "/root"	/* of an image CALLS_ROOT below it */
#define LXC_PLACE_STATE LXC_PLACE "/state"

/* LXC opens what it mounts upon, and a socket can't be opened, a FIFO makes it wait. For each step of the plan that comes upon such a thing:
 * where that is, so that the place has it done; NULL for all others. NULL: no memory. */
const char *const *lxc_place_ready(struct arena *arena, const struct plan *plan);

/* All that makes it; userns_is_ours: the process is in the container's user namespace already. NULL: no memory. */
struct calls *lxc_place_prepare(struct arena *arena, const struct plan *plan, const char *const *ready, bool userns_is_ours);

#endif

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

/* All that makes it; userns_is_ours: the process is in the container's user namespace already. NULL: no memory. */
struct calls *lxc_place_prepare(struct arena *arena, const struct plan *plan, bool userns_is_ours);

#endif

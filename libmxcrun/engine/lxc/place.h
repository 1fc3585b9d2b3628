/* place.h - what lxc-start finds when it runs for us: a mount namespace of its own, with the container's root and all that
 * it is to bind ready in one folder, and no cgroups to make others in. It ends with the process. */
#ifndef MXCRUN_ENGINE_LXC_PLACE_H
#define MXCRUN_ENGINE_LXC_PLACE_H

#include "base/err.h"
#include "base/mem.h"
#include "plan/plan.h"

#define LXC_PLACE "/run/lxc"	/* where LXC has its locks, too */
#define LXC_PLACE_TREE LXC_PLACE "/tree"	/* with the number of the mount step: what it binds */
#define LXC_PLACE_STATE LXC_PLACE "/state"

struct lxc_place;

/* All that place_make() does, as data. */
int lxc_place_prepare(struct arena *arena, const struct plan *plan, struct lxc_place **ret, struct err **err);

/* In the child, in its parent's memory: raw calls only. 0, or the errno of what lxc_place_explain() tells afterwards. */
int lxc_place_make(void *place);

/* The failed call as an error; 0 where none has failed. */
int lxc_place_explain(const struct lxc_place *place, struct err **err);

#endif

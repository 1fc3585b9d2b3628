/* joined.h - namespace files that a plan joins; see joined.c. Used by init, and by the parent of a carrier. */
#ifndef MXCRUN_ENGINE_NATIVE_JOINED_H
#define MXCRUN_ENGINE_NATIVE_JOINED_H

#include "base/err.h"
#include "engine/native/launch.h"
#include "plan/plan.h"

/* Open and type-check (NS_GET_NSTYPE) one namespace file: a descriptor; every one of the plan: into fds->ns.
 * What would be set in one that is the host's own is refused, and so is a root in the host's mount namespace. */
int joined_open_one(const struct plan_ns *ns, enum plan_ns_kind kind, struct err **err);
int joined_open(const struct plan *plan, struct launch_fds *fds, struct err **err);
void joined_close(struct launch_fds *fds);
/* Before the child of a new user namespace is made: be in those that it can't enter by itself, whose descriptors are closed then.
 * joined_return() leads back to our own, those in own; nothing was entered: it does nothing. own is NULL: there is no way back. */
#define JOINED_BORN_IN 3u
struct joined_own {
	int fds[JOINED_BORN_IN];
};
#define JOINED_OWN_NONE { .fds = { -1, -1, -1 } }
int joined_enter(const struct plan *plan, struct launch_fds *fds, struct joined_own *own, struct err **err);
int joined_return(struct joined_own *own, struct err **err);

/* clone3 flag of a kind, e.g. CLONE_NEWNS. */
int joined_flag(enum plan_ns_kind kind);

#endif

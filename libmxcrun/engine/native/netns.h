/* netns.h - the container's network namespace, made while init starts.
 *
 * The kernel takes longer for a network namespace than for everything else that clone3 makes, and init longer to start than
 * we have to do meanwhile. So where nothing needs the namespace before the mounts do, init is born in ours, we make the new
 * one beside its start, and it enters that at the gate (launch.h).
 */
#ifndef MXCRUN_ENGINE_NATIVE_NETNS_H
#define MXCRUN_ENGINE_NATIVE_NETNS_H

#include <stdbool.h>

#include "base/err.h"
#include "host/facts.h"
#include "plan/plan.h"

/* Can the plan's namespace come that late? Hooks of the runtime namespace and moved interfaces look for it at init, before
 * the gate; a user namespace must own it, and only who is privileged can make it outside of one. */
bool netns_can_be_late(const struct plan *plan, const struct host_facts *facts);

/* A new one with its loopback up: the descriptor in *ret_fd, or -1 where that failed, for init to try for itself and to report.
 * We are in it meanwhile; not to come back is the one failure here. */
int netns_make(int *ret_fd, struct err **err);

#endif

/* netns.h - the container's network namespace, made beside the parent's other work.
 *
 * The kernel takes longer for a network namespace than for everything else that clone3 makes. Where nothing needs it
 * before the mounts do, a helper in our own memory makes it, from the moment the plan is known, while we write the
 * record, make the cgroup and start init; init enters it at the gate (launch.h).
 */
#ifndef MXCRUN_ENGINE_NATIVE_NETNS_H
#define MXCRUN_ENGINE_NATIVE_NETNS_H

#include <stdbool.h>
#include <sys/types.h>

#include "host/facts.h"
#include "plan/plan.h"

struct netns {
	pid_t helper;		/* not reaped yet; -1: none */
	int fd;			/* the namespace, its loopback up; or a negative errno. Valid once the helper is reaped */
	_Alignas(16) char stack[2048];	/* the helper's */
};
#define NETNS_INIT { .helper = -1, .fd = -1 }

/* Begin, if the plan's namespace can come that late. No error: what this leaves undone init does itself. The object may not move
 * until netns_done(). */
void netns_begin(struct netns *netns, const struct plan *plan, const struct host_facts *facts);

/* Was it begun? Then the child is born without a network namespace of its own. */
bool netns_is_begun(const struct netns *netns);

/* Wait for the helper: the descriptor, which stays the object's, or a negative errno. */
int netns_wait(struct netns *netns);

/* The helper is gone and the descriptor closed; so is the namespace, if nobody entered it. */
void netns_done(struct netns *netns);

#endif

/* limit.h - the end in time of a container whose policy says how long it may run, whoever supervises it.
 *
 * A small process, the watcher, is left beside the container: outside of its pid namespace and its cgroup, in a session of
 * its own, deaf to every signal but SIGKILL, holding the pidfd of init and nothing else. `delete` and `gc` find it in the
 * journal; it goes by itself when the container does. If it is killed the limit can't be kept any more: then
 * whichever command looks at the container next ends it.
 */
#ifndef MXCRUN_LIFECYCLE_LIMIT_H
#define MXCRUN_LIFECYCLE_LIMIT_H

#include "lifecycle/lifecycle.h"

/* Leave a watcher, whose time counts from now; slack_ms more than the policy says, for who has a supervisor that will be
 * faster. Nothing, at no cost, for a container without a limit. 0 or -errno. */
int limit_watch(struct entry *entry, const struct record *record, unsigned int slack_ms, struct err **err);

/* End a container that has run without its watcher. 1: that was so, 0: all is well, -errno: it could not be ended.
 * is_locked: by the caller; else a holder of the lock counts as one who watches. status: what container_status() said. */
int limit_enforce(const struct lifecycle *lc, const struct entry *entry, const struct record *record, bool is_locked,
		  enum container_status status, struct err **err);

#endif

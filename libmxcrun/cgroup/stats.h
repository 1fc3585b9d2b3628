/* stats.h - what a container's groups have used: the "data" object of runc's events, and notice of out-of-memory kills. */
#ifndef MXCRUN_CGROUP_STATS_H
#define MXCRUN_CGROUP_STATS_H

#include "base/err.h"
#include "base/json.h"
#include "cgroup/cgroup.h"

/* Put the members cpu, cpuset, memory, pids, blkio, hugetlb, intel_rdt (filled with a class of resctrl) and network_interfaces (null:
 * neither runc nor we make any) into the object that is open in w; what the host does not count reads 0. A limit that is none is
 * 2^64-1 for memory and 0 for pids, as runc has it. */
void cgroup_put_stats(const struct cgroup *cgroup, struct json_writer *w);

/* A descriptor that becomes readable when the kernel may have killed for want of memory: an eventfd (v1) or an inotify
 * instance (v2); -1 when the container has no memory group that tells. Drained by cgroup_oom_drain(). */
int cgroup_oom_watch(const struct cgroup *cgroup);
void cgroup_oom_drain(int fd);

/* How many processes were killed so far for want of memory. */
uint64_t cgroup_oom_kills(const struct cgroup *cgroup);

#endif

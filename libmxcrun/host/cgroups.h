/* cgroups.h - detection of the cgroup layout as a function of two texts, for facts_read_cgroups()
 * and its test. */
#ifndef MXCRUN_HOST_CGROUPS_H
#define MXCRUN_HOST_CGROUPS_H

#include "host/facts.h"

/* Fill layout, cgroups and cgroup_count from the text of /proc/self/mountinfo, which is cut up, and
 * of /proc/self/cgroup. Only hierarchies that are mounted count. The order is that of
 * /proc/self/cgroup. 0, -EBADMSG, -ENOMEM. */
int cgroups_detect(struct host_facts *facts, char *mountinfo, const char *self_cgroup);

/* The group that the text of a /proc/PID/cgroup names for the hierarchy of the mount, as a path
 * below its mountpoint; NULL when it isn't there or not visible. In the arena. */
const char *cgroups_find_path(struct arena *arena, const char *proc_cgroup,
			      const struct cgroup_mount *mount);

#endif

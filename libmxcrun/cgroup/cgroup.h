/* cgroup.h - one small interface over v1, hybrid and v2 hierarchies, and over the cgroupfs and systemd
 * managers. The values to write come lowered from the plan; this floor only does it.
 *
 * Order of a start: cgroup_resolve() -> journal; cgroup_create() makes the groups and writes the limits; the
 * child is born inside (v2: cgroup_clone_fd() with CLONE_INTO_CGROUP) and moves itself into the v1 groups
 * (cgroup_open_tasks()); cgroup_destroy() kills what is left and removes. All paths are opened beneath a verified cgroup file
 * system (invariant 31), never followed through symlinks.
 */
#ifndef MXCRUN_CGROUP_CGROUP_H
#define MXCRUN_CGROUP_CGROUP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/log.h"
#include "host/facts.h"
#include "plan/plan.h"

/* A container's groups on this host: one directory per hierarchy in use. */
struct cgroup_dir {
	char *controllers;		/* as struct cgroup_mount */
	char *path;			/* absolute host path of the directory */
	bool is_v2;
	bool is_ours;			/* made by us: to be removed */
};
/* A container's groups in the resctrl file system; all NULL when it has none. Absolute host paths. */
struct resctrl_groups {
	char *class_path;
	bool class_is_ours;		/* made by us: to be removed, once nobody is in it */
	char *monitor_path;		/* below the class; always ours */
};
struct cgroup {
	struct cgroup_dir *dirs;
	size_t count;
	struct resctrl_groups resctrl;
	char *unit;			/* systemd manager: the scope to stop; NULL otherwise */
	struct cgroup_holder *holder;	/* systemd manager, while the scope waits for its first process; else NULL */
	struct arena *arena;		/* of all that is above; NULL in a view of somebody else's memory */
};
void cgroup_done(struct cgroup *cgroup);
#define cleanup_cgroup __attribute__((cleanup(cgroup_done)))

/* Work out the directories that the plan's group will have, without touching the host: for the journal. */
int cgroup_resolve(const struct plan *plan, const struct host_facts *facts, struct cgroup *ret, struct err **err);

/* Make them, enable controllers on the way down (v2), write every limit of the plan. A limit that can't be set is fatal and named (pointer). On failure what was made is removed. */
int cgroup_create(struct cgroup *cgroup, const struct plan *plan, const struct host_facts *facts,
		  const struct log *log, struct err **err);

/* The device filter of the plan, which cgroup_create() has left out: loading it takes half a millisecond, in which the child can
 * already work. Before any program of the container runs. v2_fd: what cgroup_clone_fd() gave, or -1. */
int cgroup_guard_devices(const struct cgroup *cgroup, const struct plan *plan, int v2_fd, struct err **err);

/* Is it there in one step (v2)? While a list of v1 is written, nothing is allowed. */
bool cgroup_guards_at_once(const struct cgroup *cgroup, const struct plan *plan);

/* A descriptor of the v2 group for CLONE_INTO_CGROUP; *ret is -1 when the container has none (v1 only, or disabled). A group that
 * can't be opened is an error: nothing may be born outside of it. */
int cgroup_clone_fd(const struct cgroup *cgroup, int *ret, struct err **err);

/* Descriptors of the "tasks" files of the v1 groups and of resctrl's, close-on-exec, malloc'd. The child that writes "0" to each, while it
 * has one thread, is in all of them. Ten hierarchies take 0.12 ms so and 0.6 ms when its parent writes cgroup.procs, which
 * makes the kernel wait for all CPUs. */
struct cgroup_tasks {
	int *fds;
	size_t count;
};
int cgroup_open_tasks(const struct cgroup *cgroup, struct cgroup_tasks *ret, struct err **err);
void cgroup_tasks_done(struct cgroup_tasks *tasks);
#define cleanup_cgroup_tasks __attribute__((cleanup(cgroup_tasks_done)))

/* To be called once the container's process is in all groups, in whatever way: ends what kept a systemd
 * scope alive until then. */
void cgroup_joined(const struct cgroup *cgroup);

/* Write the limits of the plan into groups that exist. Stops at the first that the kernel refuses, and puts those before it back (but
 * for limits of single devices), systemd's scope included. A view will do. */
int cgroup_update(struct cgroup *cgroup, const struct plan *plan, const struct host_facts *facts, struct err **err);

/* The quota (-1: none) and the period that a v2 group has, in microseconds. 0 or -errno, where it has none. */
int cgroup_cpu_max(const struct cgroup *cgroup, int64_t *ret_quota, uint64_t *ret_period);

/* The memory limit that it has, in bytes; -1: none. 0 or -errno. */
int cgroup_memory_limit(const struct cgroup *cgroup, int64_t *ret);

/* All processes of the tree, as our pid namespace numbers them; malloc'd. */
int cgroup_pids(const struct cgroup *cgroup, pid_t **ret, size_t *ret_count, struct err **err);

/* Freeze or thaw, and wait (bounded) until it is so. -EOPNOTSUPP with words when the host has no freezer. */
int cgroup_freeze(const struct cgroup *cgroup, bool freeze, struct err **err);
bool cgroup_is_frozen(const struct cgroup *cgroup);

/* The directory of the group by which cgroup_freeze does that; NULL: the container has none. */
const char *cgroup_freezer_path(const struct cgroup *cgroup);

/* Send a signal to every process of the tree. SIGKILL works on frozen, forking and ignoring trees
 * (cgroup.kill; else freeze, kill, thaw) and waits, bounded, until the tree is empty. */
int cgroup_kill(const struct cgroup *cgroup, int signal, struct err **err);

/* Kill what is left, remove sub-groups made by the workload and then our own directories; EBUSY is
 * waited out (bounded). Absent directories are fine: idempotent. */
int cgroup_destroy(const struct cgroup *cgroup, struct err **err);

#endif

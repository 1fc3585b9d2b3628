/* backend.h - what cgroup.c asks of the two kinds of hierarchy, and of systemd. Inside this floor
 * only. */
#ifndef MXCRUN_CGROUP_BACKEND_H
#define MXCRUN_CGROUP_BACKEND_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/json.h"
#include "cgroup/cgroup.h"
#include "host/facts.h"
#include "plan/plan.h"

#define CGROUP_PATH_POINTER "/linux/cgroupsPath"

/* The container's group in one hierarchy while it is being made. */
struct group {
	const struct cgroup *cgroup;
	const struct cgroup_mount *mount;
	const char *path; /* below mount->mountpoint */
	struct cgroup_dir *dir;
	bool may_exist; /* systemd made it, and its holder is in it */
	bool wants_fd;	/* something is to be done in it besides making it */
	int fd;		/* of the directory, -1 unless wanted; owned by whoever has the struct */
};

/* Make the directory, unless systemd did, and whatever its hierarchy demands before a process can
 * join. The descriptor is in group->fd. v2: every controller that a write of the plan asks for is
 * enabled. */
int v1_make_group(struct group *group, struct err **err);
int v2_make_group(struct group *group, const struct plan_cgroup *plan,
		  const struct host_facts *facts, struct err **err);

/* E_CGROUP when the directory exists and holds processes. Asked before anything is written down as
 * ours: what is cleaned up later is killed, too. */
int cgroup_check_unused(const struct cgroup_dir *dir, struct err **err);

/* Make the directory and those above it, or take over an empty one. */
int group_make_directory(struct group *group, struct err **err);

/* The directory that a write of the plan belongs to: in v1's hierarchy of its controller, else in
 * v2; NULL. */
const struct cgroup_dir *cgroup_find_for(const struct cgroup *cgroup,
					 const struct plan_cgroup_write *write);

/* ---- killing ---- */

/* SIGKILL for every process of one group of a container and below, without cgroup.kill, until it is empty
 * (bounded). */
int kill_until_empty(const struct cgroup *cgroup, int dir_fd, bool is_v2, const char *path, struct err **err);

/* stuck.c: move what is left in a group to the container's own group of v1's freezer, if it has one, which has to be thawed. And the error
 * when that didn't help. */
void stuck_bring_back(const struct cgroup *cgroup, int dir_fd);
int stuck_fail(int dir_fd, const char *path, int waited_ms, struct err **err);

/* Wait until the key of cgroup.events has the value. 0, -ETIMEDOUT, -errno. */
int v2_wait_event(int dir_fd, const char *key, int value, int timeout_ms);

/* Freeze or thaw one group of v1's freezer, and wait. 0, -ETIMEDOUT, -errno. */
int v1_freeze(int dir_fd, bool freeze, int timeout_ms);

/* The container's directory in v2, or of the named controller in v1; NULL. */
const struct cgroup_dir *cgroup_find_v2(const struct cgroup *cgroup);
const struct cgroup_dir *cgroup_find_v1(const struct cgroup *cgroup, const char *controller);

/* The directory that stands for all, because each of them holds the whole tree; NULL: there is none. */
const struct cgroup_dir *cgroup_find_any(const struct cgroup *cgroup);

/* ---- new limits ---- */

/* Enable what the writes of the plan need, in groups that exist. */
int cgroup_prepare_update(struct cgroup *cgroup, const struct plan *plan,
			  const struct host_facts *facts, struct err **err);
int cgroup_write(const struct cgroup *cgroup, const struct plan_cgroup_write *write,
		 struct err **err);

/* ---- systemd ---- */

/* A process that does nothing but keep a new scope from being empty, until the container is in it.
 */
struct cgroup_holder {
	pid_t pid;
};
/* End it. NULL and a holder that has ended already are fine. */
void holder_release(struct cgroup_holder *holder);

/* Start the transient scope of the plan with a holder in it; cgroup->dirs get the paths that
 * systemd chose. */
int systemd_start_scope(struct cgroup *cgroup, const struct plan *plan,
			const struct host_facts *facts, struct err **err);
/* Tell systemd other limits, or it would set its old ones again. */
int systemd_update_scope(const struct cgroup *cgroup, const struct plan_cgroup *limits, struct err **err);
/* Stop the container's scope and wait until that is done. Absent is fine; a unit of the same name
 * whose groups aren't the container's is left alone. */
int systemd_stop_scope(const struct cgroup *cgroup, struct err **err);

/* ---- resctrl ---- */

#define RESCTRL_TASKS_MAX 2u /* class and monitoring group */

/* Where the plan's class and monitoring group will be. Reads only: a class that exists is somebody else's, and must have the schemata
 * that the plan asks for. */
int resctrl_resolve(struct cgroup *cgroup, const struct plan *plan, const struct host_facts *facts, struct err **err);
int resctrl_create(struct resctrl_groups *groups, const struct plan_rdt *plan, struct err **err);
/* Adds to what is there; tasks->fds has the room. */
int resctrl_open_tasks(const struct resctrl_groups *groups, struct cgroup_tasks *tasks, struct err **err);
int resctrl_update(const struct resctrl_groups *groups, const struct plan_rdt *plan, struct err **err);
/* Absent groups are fine. A class that has other processes stays. */
int resctrl_destroy(const struct resctrl_groups *groups, struct err **err);
/* The member intel_rdt, as runc's events have it; empty without a class. */
void resctrl_put_stats(const struct resctrl_groups *groups, struct json_writer *w);
/* Does the text of a schemata file say what each line of wanted does? Else *ret is the first line that differs. Values are
 * compared as hexadecimal numbers: masks have leading zeros in the file. */
bool schemata_match(const char *text, const char *wanted, const char **ret);

#endif

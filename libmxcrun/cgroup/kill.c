/* kill.c - signals to all processes of a container, and the certain end of all of them.
 *
 * Where the kernel has cgroup.kill (Linux 5.14) it ends a tree in one step, whatever the tree does.
 * Else the group is frozen so that nothing forks, every process is killed, the group thawed, until
 * none is left.
 *
 * A pid read from cgroup.procs may be somebody else's by the time of the signal. So pidfds are
 * opened for all, the list is read a second time, and only who is still on it gets the signal: a
 * pidfd opened too late names a process that isn't on the second list (invariant 41).
 */
#include "cgroup/backend.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/sys.h"
#include "cgroup/directory.h"

#define KILL_WAIT_MS 10000
#define KILL_SOON_MS 500
#define STUCK_ROUNDS 12 /* a quarter of a second of backoff */
#define KILL_FREEZE_MS 500
#define KILL_FILE "cgroup.kill"

const struct cgroup_dir *cgroup_find_v2(const struct cgroup *cgroup)
{
	size_t i;

	for (i = 0; i < cgroup->count; i++)
		if (cgroup->dirs[i].is_v2)
			return &cgroup->dirs[i];
	return NULL;
}

const struct cgroup_dir *cgroup_find_v1(const struct cgroup *cgroup, const char *controller)
{
	size_t i;

	for (i = 0; i < cgroup->count; i++)
		if (!cgroup->dirs[i].is_v2 &&
		    directory_has_word(cgroup->dirs[i].controllers, controller))
			return &cgroup->dirs[i];
	return NULL;
}

const struct cgroup_dir *cgroup_find_any(const struct cgroup *cgroup)
{
	const struct cgroup_dir *dir = cgroup_find_v2(cgroup);

	if (!dir)
		dir = cgroup_find_v1(cgroup, "freezer");
	return dir || cgroup->count == 0 ? dir : &cgroup->dirs[0];
}

/* ---- signals by pidfd ---- */

struct targets {
	int *pidfds; /* -1: gone */
	size_t count;
};

static void targets_done(struct targets *targets)
{
	while (targets->count > 0)
		fd_close_ptr(&targets->pidfds[--targets->count]);
	free(targets->pidfds);
}

static int open_targets(struct targets *targets, const pid_t *pids, size_t count)
{
	targets->pidfds = reallocarray(NULL, count, sizeof(*targets->pidfds));
	if (!targets->pidfds)
		return -ENOMEM;
	for (; targets->count < count; targets->count++) {
		int fd = sys_pidfd_open(pids[targets->count], 0);

		if (fd < 0 && errno != ESRCH && errno != EINVAL)
			return -errno;
		targets->pidfds[targets->count] = fd;
	}
	return 0;
}

/* Few enough at a time not to run out of descriptors. */
#define TARGETS_AT_ONCE 256u

static int signal_some(int dir_fd, const pid_t *pids, size_t count, int signal)
{
	__attribute__((cleanup(targets_done))) struct targets targets = { 0 };
	cleanup_pid_list struct pid_list present = { 0 };
	size_t i;
	int r = open_targets(&targets, pids, count);

	if (r == 0)
		r = directory_pids(dir_fd, &present);
	for (i = 0; r == 0 && i < count; i++) {
		if (targets.pidfds[i] < 0 || pids[i] == getpid() ||
		    !pid_list_has(&present, pids[i]))
			continue;
		if (sys_pidfd_send_signal(targets.pidfds[i], signal) < 0 && errno != ESRCH)
			r = -errno;
	}
	return r;
}

static int signal_all(int dir_fd, const struct pid_list *pids, int signal)
{
	size_t at, count;
	int r = 0;

	for (at = 0; r == 0 && at < pids->count; at += count) {
		count = pids->count - at < TARGETS_AT_ONCE ? pids->count - at : TARGETS_AT_ONCE;
		r = signal_some(dir_fd, pids->items + at, count, signal);
	}
	return r;
}

/* ---- killing without cgroup.kill ---- */

/* Best effort: without a freezer the loop below still wins against all but a fork bomb. */
static void hold(int dir_fd, bool is_v2, bool freeze)
{
	if (is_v2)
		fd_write_file(dir_fd, "cgroup.freeze", freeze ? "1" : "0");
	else
		v1_freeze(dir_fd, freeze, KILL_FREEZE_MS);
	if (is_v2 && freeze)
		v2_wait_event(dir_fd, "frozen", 1, KILL_FREEZE_MS);
}

int kill_until_empty(const struct cgroup *cgroup, int dir_fd, bool is_v2, const char *path, struct err **err)
{
	struct backoff backoff = backoff_start(KILL_WAIT_MS);
	unsigned int rounds = 0;
	int r;

	do {
		cleanup_pid_list struct pid_list pids = { 0 };

		r = directory_pids(dir_fd, &pids);
		if (r < 0)
			return err_sys(err, E_CGROUP, -r, "read cgroup.procs", path, NULL);
		if (pids.count == 0)
			return 0;
		if (pid_list_has(&pids, getpid()))
			return err_set(err, E_CGROUP, EBUSY, NULL,
				       "not killing the cgroup %s, which holds this process itself",
				       path);
		hold(dir_fd, is_v2, true);
		r = signal_all(dir_fd, &pids, SIGKILL);
		hold(dir_fd, is_v2, false);
		if (r < 0)
			return err_sys(err, E_CGROUP, -r, "kill the processes", path, NULL);
		if (++rounds == STUCK_ROUNDS)
			stuck_bring_back(cgroup, dir_fd);
	} while (backoff_sleep(&backoff));
	return stuck_fail(dir_fd, path, KILL_WAIT_MS, err);
}

/* ---- the container ---- */

/* v1's freezer holds a process even against SIGKILL. */
static void thaw_v1(const struct cgroup *cgroup)
{
	const struct cgroup_dir *dir = cgroup_find_v1(cgroup, "freezer");
	cleanup_close int fd = dir ? directory_open_group(dir->path, false, NULL) : -1;

	if (fd >= 0)
		v1_freeze(fd, false, 0);
}

/* 1: there is no cgroup.kill here, or no group any more. */
static int kill_at_once(const struct cgroup *cgroup, int dir_fd, const char *path, struct err **err)
{
	cleanup_pid_list struct pid_list pids = { 0 };
	int r = directory_pids(dir_fd, &pids);

	if (r < 0)
		return err_sys(err, E_CGROUP, -r, "read cgroup.procs", path, NULL);
	if (pid_list_has(&pids, getpid()))
		return err_set(err, E_CGROUP, EBUSY, NULL,
			       "not killing the cgroup %s, which holds this process itself", path);
	r = fd_write_file(dir_fd, KILL_FILE, "1");
	/* ENODEV: the group is gone, since the file was opened; systemd removes a scope's once it is empty. */
	if (r == -ENOENT || r == -ENODEV || r == -EOPNOTSUPP)
		return 1;
	if (r < 0)
		return err_sys(err, E_CGROUP, -r, "write " KILL_FILE, path, NULL);
	thaw_v1(cgroup);
	r = v2_wait_event(dir_fd, "populated", 0, KILL_SOON_MS);
	if (r == -ETIMEDOUT) {
		stuck_bring_back(cgroup, dir_fd);
		r = v2_wait_event(dir_fd, "populated", 0, KILL_WAIT_MS);
	}
	return r == -ETIMEDOUT ? stuck_fail(dir_fd, path, KILL_WAIT_MS, err) : 0;
}

static int send_to_all(int dir_fd, int signal, const char *path, struct err **err)
{
	cleanup_pid_list struct pid_list pids = { 0 };
	int r = directory_pids(dir_fd, &pids);

	if (r == 0)
		r = signal_all(dir_fd, &pids, signal);
	return r < 0 ? err_sys(err, E_CGROUP, -r, "send a signal to the processes", path, NULL) : 0;
}

int cgroup_kill(const struct cgroup *cgroup, int signal, struct err **err)
{
	const struct cgroup_dir *dir = cgroup_find_any(cgroup);
	cleanup_close int fd = -1;
	int r;

	if (!dir || !dir->is_ours)
		return 0;
	fd = directory_open_group(dir->path, dir->is_v2, NULL);
	if (fd == -ENOENT)
		return 0;
	if (fd < 0)
		return err_sys(err, E_CGROUP, -fd, "open", dir->path, NULL);
	if (signal != SIGKILL)
		return send_to_all(fd, signal, dir->path, err);
	r = dir->is_v2 ? kill_at_once(cgroup, fd, dir->path, err) : 1;
	return r > 0 ? kill_until_empty(cgroup, fd, dir->is_v2, dir->path, err) : r;
}

/* limit.c - see limit.h. */
#include "lifecycle/limit.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/pid.h"
#include "base/sys.h"
#include "lifecycle/process.h"
#include "lifecycle/reclaim.h"
#include "net/helper.h"

#define END_WAIT_MS 10000

/* ---- the watcher ---- */

struct watch {
	const struct record *record;
	int pidfd;
	int64_t deadline_ms;
};

/* What the starter has open would keep its lock, and its caller's pipes, for as long as the container runs. */
static int keep_only(int *pidfd)
{
	sigset_t all;

	sigfillset(&all);
	if (dup3(*pidfd, 3, O_CLOEXEC) < 0 && *pidfd != 3)
		return -errno;
	*pidfd = 3;
	if (sys_close_range(4, ~0u, 0) < 0 || chdir("/") < 0 || sigprocmask(SIG_SETMASK, &all, NULL) < 0)
		return -errno;
	(void)prctl(PR_SET_NAME, "mxcrun-limit");
	return 0;
}

static int remaining_ms(const struct watch *watch)
{
	int64_t left = watch->deadline_ms - sys_monotonic_ms();

	return left <= 0 ? 0 : left > INT_MAX ? INT_MAX : (int)left;
}

/* Without a pid namespace of its own a container is more than its init. */
static bool is_over(const struct watch *watch)
{
	int left;

	while ((left = remaining_ms(watch)) > 0) {
		if (pid_wait_end(watch->pidfd, left) == 0) {
			if (watch->record->has_pid_namespace)
				return true;
			(void)poll(NULL, 0, left);
		}
	}
	return false;
}

static int be_watcher(void *data, int life_fd)
{
	struct watch *watch = data;
	int r;

	(void)life_fd; /* it outlives its starter */
	if (keep_only(&watch->pidfd) < 0)
		return 1;
	if (is_over(watch))
		return 0;
	r = sys_pidfd_send_signal(watch->pidfd, SIGKILL) < 0 && errno != ESRCH ? -errno : 0;
	if (cgroup_kill(&watch->record->cgroup, SIGKILL, NULL) < 0 || r < 0)
		return 1;
	return pid_wait_end(watch->pidfd, END_WAIT_MS) < 0; /* until then it is seen to be watched */
}

static int on_watcher(void *data, pid_t pid, uint64_t start_ticks, struct err **err)
{
	return journal_add_watcher(data, pid, start_ticks, err);
}

static bool has_own_group(const struct cgroup *cgroup)
{
	for (size_t i = 0; i < cgroup->count; i++)
		if (cgroup->dirs[i].is_ours)
			return true;
	return false;
}

int limit_watch(struct entry *entry, const struct record *record, unsigned int slack_ms, struct err **err)
{
	const struct net_journal journal = { .add = on_watcher, .data = entry };
	struct net_helper helper = NET_HELPER_INIT;
	cleanup_close int pidfd = -1;
	struct watch watch = { .record = record };
	int r;

	if (!record->timeout_ms)
		return 0;
	if (!record->has_pid_namespace && !has_own_group(&record->cgroup))
		return err_set(err, E_UNSUPPORTED, 0, NULL,
			       "a time limit needs a pid namespace or a cgroup of the container's own, by which all of it can be ended");
	pidfd = pid_open_verified(record->pid, record->start_ticks);
	if (pidfd < 0)
		return err_sys(err, E_PROCESS, -pidfd, "pidfd_open", "the container's init", NULL);
	watch.pidfd = pidfd;
	watch.deadline_ms = sys_monotonic_ms() + record->timeout_ms + slack_ms;
	r = helper_start(&journal, HELPER_OUTLIVES_STARTER, be_watcher, &watch, &helper, err);
	fd_close_ptr(&helper.life_fd);
	return r;
}

/* ---- without it ---- */

static bool has_watcher(const struct entry *entry)
{
	cleanup_remains struct remains remains = { 0 };

	if (journal_read(entry, &remains) < 0)
		return false;
	for (size_t i = 0; i < remains.process_count; i++)
		if (remains.processes[i].is_watcher && process_lives(remains.processes[i].pid, remains.processes[i].start_ticks))
			return true;
	return false;
}

static int end_all(const struct lifecycle *lc, const struct entry *entry, const struct record *record, struct err **err)
{
	cleanup_remains struct remains remains = { 0 };
	int r = remains_find(entry, record, lc->log, &remains, err);

	if (r == 0)
		r = remains_kill(&remains, err);
	for (size_t i = 0; r == 0 && i < remains.process_count; i++)
		if (remains.processes[i].pidfd >= 0)
			(void)pid_wait_end(remains.processes[i].pidfd, END_WAIT_MS);
	return r;
}

int limit_enforce(const struct lifecycle *lc, const struct entry *entry, const struct record *record, bool is_locked,
		  enum container_status status, struct err **err)
{
	int r;

	if (!record->timeout_ms || record->is_sandbox || (status != CONTAINER_RUNNING && status != CONTAINER_PAUSED) ||
	    (!is_locked && entry_is_locked(entry)) || has_watcher(entry))
		return 0;
	r = end_all(lc, entry, record, err);
	if (r < 0)
		return err_wrap(err, "container %s has a time limit that nobody keeps any more", record->id);
	log_warning(lc->log, "container %s has been ended: its time limit was not kept any more, because its watcher is gone",
		    record->id);
	return 1;
}

/* start.c - let a created container go, and learn whether its program was executed.
 *
 * init waits on the FIFO in the entry; the conversation is described in engine/native/launch.h.
 * What comes back is init's own error record, so that a program that can't be executed reads the
 * same here as in `run`.
 */

#include "lifecycle/lifecycle.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/pid.h"
#include "engine/engine.h"
#include "engine/native/launch.h"
#include "lifecycle/destroy.h"
#include "lifecycle/limit.h"

#define NAME_ROUNDS 500
#define NAME_ROUND_MS 1

static int refuse_status(enum container_status status, struct err **err)
{
	switch (status) {
	case CONTAINER_STOPPED:
		return err_set(err, E_STATE, 0, NULL, "cannot start a container that has stopped");
	case CONTAINER_PAUSED:
		return err_set(err, E_STATE, 0, NULL, "cannot start a container that is paused");
	case CONTAINER_CREATING:
		return err_set(err, E_STATE, 0, NULL,
			       "cannot start a container that is still being created");
	default:
		return err_set(err, E_STATE, 0, NULL, "cannot start an already running container");
	}
}

/* The last writer's descriptor reports an error once nobody reads any more. */
static int wait_for_exec(int fifo_fd, int timeout_ms, struct err **err)
{
	struct pollfd pfd = { .fd = fifo_fd };
	int r;

	do
		r = poll(&pfd, 1, timeout_ms);
	while (r < 0 && errno == EINTR);
	if (r < 0)
		return err_sys(err, E_PROCESS, errno, "poll", "start FIFO", NULL);
	if (r == 0)
		return err_set(err, E_TIMEOUT, 0, NULL,
			       "the container did not execute its program within %d s",
			       timeout_ms / 1000);
	return 0;
}

/* What init left in the FIFO. Opened before the writing end is closed, which would empty it. */
static int read_outcome(const struct entry *entry, struct err **err)
{
	cleanup_close int fd = openat(entry->dir_fd, STORE_START_FIFO,
				      O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
	char outcome[ERR_PACK_MAX];
	cleanup_err struct err *failure = NULL;
	ssize_t len;
	int r;

	len = fd < 0 ? -1 : read(fd, outcome, sizeof(outcome));
	if (len < 0 && errno != EAGAIN)
		return err_sys(err, E_PROCESS, errno, "read", "start FIFO", NULL);
	if (len <= 0)
		return 0;
	if (len == 1 && outcome[0] == LAUNCH_START_BYTE)
		return err_set(err, E_STATE, 0, NULL,
			       "container not running: its init process ended before the start");
	failure = err_unpack(outcome, (size_t)len);
	if (!failure)
		return err_nomem(err);
	r = failure->errnum > 0 ? -failure->errnum : -EINVAL;
	if (err)
		*err = take_ptr(failure);
	return r;
}

/* The FIFO is closed by who executes the program, and by who is killed before. The first has the program's name an instant later. */
static int check_executed(const struct record *record, struct err **err)
{
	cleanup_close int pidfd = -1;

	if (!pid_has_name(record->pid, ENGINE_SETUP_NAME))
		return 0;
	pidfd = pid_open_verified(record->pid, record->start_ticks);
	for (int round = 0; pidfd >= 0 && round < NAME_ROUNDS && pid_has_name(record->pid, ENGINE_SETUP_NAME); round++)
		if (pid_wait_end(pidfd, NAME_ROUND_MS) == 0)
			return engine_check_memory(&record->cgroup, NULL, ENGINE_BEFORE_PROGRAM, err);
	return 0;
}

static int let_go(const struct container *container, struct err **err)
{
	static const char start_byte = LAUNCH_START_BYTE;
	cleanup_close int fifo_fd = openat(container->entry.dir_fd, STORE_START_FIFO,
					   O_WRONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
	int r;

	/* Between our look at the status and the lock another `start` may have been faster. */
	if (fifo_fd < 0 && (errno == ENXIO || errno == ENOENT))
		return refuse_status(CONTAINER_RUNNING, err);
	if (fifo_fd < 0)
		return err_sys(err, E_PROCESS, errno, "open", "start FIFO", NULL);
	r = fd_write_all(fifo_fd, &start_byte, 1);
	if (r < 0 && r != -EPIPE)
		return err_sys(err, E_PROCESS, -r, "write", "start FIFO", NULL);
	r = wait_for_exec(fifo_fd, container->record.start_timeout_ms, err);
	if (r < 0)
		return r;
	r = read_outcome(&container->entry, err);
	return r < 0 ? r : check_executed(&container->record, err);
}

int lifecycle_start(const struct lifecycle *lc, const char *id, struct err **err)
{
	cleanup_container struct container container = CONTAINER_INIT;
	int r = container_open(lc, id, STORE_UNLOCKED, &container, err);

	if (r < 0)
		return r;
	if (container.status != CONTAINER_CREATED)
		return refuse_status(container.status, err);
	r = entry_lock(lc->store, &container.entry, STORE_LOCK_WAIT, err);
	if (r < 0)
		return r;
	r = limit_watch(&container.entry, &container.record, 0, err);
	if (r == 0)
		r = let_go(&container, err);
	if (r < 0)
		return r;
	if (unlinkat(container.entry.dir_fd, STORE_START_FIFO, 0) < 0 && errno != ENOENT)
		return store_fail(err, errno, "unlink", container.entry.dir_fd, STORE_START_FIFO);
	return poststart(lc, &container.entry, &container.record, err);
}

/* converse.c - the parent's talk with init, from its birth to the workload's start; launch.h names the messages.
 */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "base/fd.h"
#include "base/pid.h"
#include "base/sys.h"
#include "cgroup/stats.h"
#include "engine/native/launching.h"
#include "engine/native/netns.h"

/* The field that the memory limit comes from; NULL: none of this plan. */
static const char *find_limit_pointer(const struct plan *plan)
{
	for (size_t i = 0; i < plan->cgroup.write_count; i++) {
		const struct plan_cgroup_write *write = &plan->cgroup.writes[i];

		if (!strcmp(write->file, "memory.max") || !strcmp(write->file, "memory.limit_in_bytes"))
			return write->pointer;
	}
	return NULL;
}

/* -1: none. systemd may remove the group of a scope as soon as it is empty: then what was asked for has to do. */
static int64_t memory_limit(const struct cgroup *cgroup, const struct plan *plan)
{
	int64_t limit;

	if (cgroup_memory_limit(cgroup, &limit) == 0)
		return limit;
	return plan && plan->cgroup.memory_bytes ? plan->cgroup.memory_bytes : -1;
}

int engine_check_memory(const struct cgroup *cgroup, const struct plan *plan, const char *when, struct err **err)
{
	int64_t limit;

	if (!cgroup_oom_kills(cgroup))
		return 0;
	limit = memory_limit(cgroup, plan);
	if (limit < 0)
		return err_set(err, E_CGROUP, 0, NULL,
			       "init was killed %s: out of memory, by a limit above the container's group or the host's memory", when);
	return err_set(err, E_CGROUP, 0, plan ? find_limit_pointer(plan) : NULL,
		       "init was killed %s: out of memory, the container's limit of %" PRId64 " bytes is too low", when, limit);
}

static int check_end(const struct engine_child *child, const siginfo_t *end, const char *when, struct err **err)
{
	if (end->si_code != CLD_KILLED || end->si_status != SIGKILL || !child->cgroup)
		return 0;
	return engine_check_memory(child->cgroup, child->plan, when, err);
}

/* EOF without an error record: the child ended before init could speak, or was killed. */
int converse_vanished(const struct engine_child *child, struct err **err)
{
	siginfo_t info = { 0 };
	int r;

	r = pid_see_end(child->pidfd, &info);
	if (r < 0)
		return err_sys(err, E_PROCESS, -r, "waitid", "init", NULL);
	if (info.si_code == CLD_EXITED && info.si_status > 0 && info.si_status < 125)
		return err_sys(err, E_PROCESS, info.si_status, "execveat", "init program", NULL);
	r = check_end(child, &info, "before it was ready", err);
	if (r < 0)
		return r;
	r = err_set(err, E_PROCESS, 0, NULL, "init ended by %s %d before it was ready",
		    info.si_code == CLD_EXITED ? "exit code" : "signal", info.si_status);
	if (info.si_code != CLD_EXITED)
		err_hint(err, "a memory limit below what set-up needs kills it: raise linux.resources.memory.limit");
	return r;
}

/* What the caller would say later, said before init asks. */
static int send_all(struct engine_child *child)
{
	int r = sync_send(child->sync_fd, SYNC_RECORDED, NULL, 0);

	if (r == 0)
		r = sync_send(child->sync_fd, SYNC_START, NULL, 0);
	child->is_released = r == 0;
	return r;
}

int converse_go(struct launch *l, struct engine_child *child, struct err **err)
{
	const struct plan_hooks *hooks = l->request->plan->hooks;
	cleanup_free char *state = NULL;
	cleanup_close int net = -1;
	int r = l->fds.net_is_late ? netns_make(&net, err) : 0;

	if (r < 0)
		return r;
	if (hooks[HOOK_CREATE_CONTAINER].count) {
		state = l->request->state_json(l->request->data, "creating", child->pid);
		if (!state)
			return err_nomem(err);
	}
	l->has_gone = true;
	r = sync_send_text_fd(child->sync_fd, SYNC_GO, state, net);
	return r < 0 ? err_sys(err, E_PROCESS, -r, "sendmsg", "sync socket", NULL) : 0;
}

/* The last word, where init needn't wait for it. */
int converse_go_at_once(struct launch *l, struct engine_child *child, struct err **err)
{
	int r;

	if (!l->request->goes_at_once || child->is_released)
		return 0;
	r = l->request->on_made ? l->request->on_made(l->request->data, err) : 0;
	if (r < 0)
		return r;
	r = send_all(child);
	return r < 0 ? err_sys(err, E_PROCESS, -r, "sendmsg", "sync socket", NULL) : 0;
}

static int run_runtime_hooks(struct launch *l, struct engine_child *child, struct err **err)
{
	cleanup_free char *state = l->request->state_json(l->request->data, "creating", child->pid);
	int r;

	if (!state)
		return err_nomem(err);
	r = hooks_run_runtime(l->request->plan, state, err);
	return r < 0 ? r : converse_go(l, child, err);
}

/* A second process took over (launch.h, SYNC_PID). */
static int change_child(struct launch *l, struct engine_child *child, uint32_t number, struct err **err)
{
	int pidfd = sys_pidfd_open((pid_t)number, 0);

	if (pidfd < 0)
		return err_sys(err, E_PROCESS, errno, "pidfd_open", "init", NULL);
	pid_reap(child->pidfd);
	fd_close_ptr(&child->pidfd);
	child->pidfd = pidfd;
	child->pid = (pid_t)number;
	return launch_register(l, child, err);
}

int converse_take_error(const char *buf, uint32_t len, struct err **err)
{
	struct err *theirs = err_unpack(buf, len);
	int errnum = theirs && theirs->errnum ? theirs->errnum : EINVAL;

	if (!theirs)
		return err_nomem(err);
	if (err)
		*err = theirs;
	else
		err_free(theirs);
	return -errnum;
}

/* 0: go on; or the failure. */
int converse_handle(struct launch *l, struct engine_child *child, int kind, const char *buf, uint32_t len,
		  struct err **err)
{
	uint32_t number;

	switch (kind) {
	case 0:
		return l->carrier ? carrier_failed(l->carrier, l->carrier_pidfd, err) : converse_vanished(child, err);
	case SYNC_READY:
		child->is_ready = true;
		return 0;
	case SYNC_ERROR:
		return converse_take_error(buf, len, err);
	case SYNC_HOOKS:
		return run_runtime_hooks(l, child, err);
	case SYNC_PID:
		if (len != sizeof(number))
			break;
		memcpy(&number, buf, sizeof(number));
		return change_child(l, child, number, err);
	default:
		break;
	}
	if (kind < 0)
		return err_set(err, kind == -ETIMEDOUT ? E_TIMEOUT : E_PROCESS, -kind, NULL,
			       "waiting for the container's set-up");
	return err_set(err, E_INTERNAL, EPROTO, NULL, "unexpected sync message %d", kind);
}

/* One that has all it needs is not listened to: that would wake us twice. Whoever looks for the start hears what it has said. */
static bool needs_no_answer(const struct launch *l, const struct engine_child *child)
{
	return child->is_released && !launch_changes_process(l->request->plan, l->request->facts->is_privileged) &&
	       !l->request->cgroup->holder;
}

int converse(struct launch *l, struct engine_child *child, struct err **err)
{
	const struct plan_hooks *hooks = l->request->plan->hooks;
	char buf[ERR_PACK_MAX];	/* init sends nothing longer */
	int r = 0;

	if (!l->has_gone && !hooks[HOOK_PRESTART].count && !hooks[HOOK_CREATE_RUNTIME].count)
		r = converse_go(l, child, err);
	if (r == 0 && l->has_gone)
		r = converse_go_at_once(l, child, err);
	if (r == 0 && needs_no_answer(l, child))
		return 0;
	/* a child that already ended answers for itself: its error, not our broken pipe */
	if (r == -EPIPE && err)
		err_free_ptr(err);
	while (!child->is_ready && (r == 0 || r == -EPIPE)) {
		uint32_t len = 0;
		int timeout = hooks[HOOK_CREATE_CONTAINER].count ? -1 : SETUP_TIMEOUT_MS;
		int kind = sync_receive(child->sync_fd, buf, sizeof(buf), &len, timeout);

		r = converse_handle(l, child, kind, buf, len, err);
	}
	return r < 0 ? r : 0;
}

/* ---- the interface of an engine ---- */

int engine_recorded(struct engine_child *child, const char *state, struct err **err)
{
	int r = child->is_released ? 0 : sync_send_text(child->sync_fd, SYNC_RECORDED, state);

	return r < 0 ? err_sys(err, E_PROCESS, -r, "sendmsg", "sync socket", NULL) : 0;
}

int engine_release(struct engine_child *child, struct err **err)
{
	char buf[ERR_PACK_MAX];
	uint32_t len = 0;
	int r;

	if (child->has_started)
		return 0;
	r = child->is_released ? 0 : sync_send(child->sync_fd, SYNC_START, NULL, 0);
	if (r < 0)
		return err_sys(err, E_PROCESS, -r, "sendmsg", "sync socket", NULL);
	/* no limit once it is set up: startContainer hooks run now, each with its own */
	while ((r = sync_receive(child->sync_fd, buf, sizeof(buf), &len, child->is_ready ? -1 : SETUP_TIMEOUT_MS)) == SYNC_READY)
		child->is_ready = true;
	if (r == 0 && !child->is_ready)
		return converse_vanished(child, err);
	child->has_started = r == 0;
	if (r == 0)
		return 0;
	if (r == SYNC_ERROR)
		return converse_take_error(buf, len, err);
	return err_set(err, E_PROCESS, r < 0 ? -r : EPROTO, NULL, "waiting for the workload's start");
}

int engine_check_executed(const struct engine_child *child, struct err **err)
{
	siginfo_t info = { 0 };

	/* whoever was killed while the kernel executed the program bears the program's name */
	if (pid_see_end(child->pidfd, &info) < 0 || info.si_status != SIGKILL || !pid_has_name(child->pid, ENGINE_SETUP_NAME))
		return 0;
	return check_end(child, &info, ENGINE_BEFORE_PROGRAM, err);
}

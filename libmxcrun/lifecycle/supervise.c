/* supervise.c - one poll loop over the child's pidfd, our signals, the clock and the terminal. */

#include "lifecycle/supervise.h"

#include <errno.h>
#include <poll.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/sys.h"

#define KILL_WAIT_MS 10000
#define START_LOOK_MS 60000	/* after that it should have started */

/* ---- signals ---- */

/* Not ours to hold back: what the kernel raises for a fault of this process, job control of our own
 * shell, and what can't be blocked at all. */
static const int left_alone[] = {
	SIGSEGV, SIGBUS,  SIGFPE,  SIGILL,  SIGTRAP, SIGABRT,
	SIGSYS,	 SIGCHLD, SIGPIPE, SIGTSTP, SIGTTIN, SIGTTOU,
};
static const int fatal[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };

static void fill_mask(enum signal_policy policy, sigset_t *mask)
{
	if (policy == SIGNALS_END) {
		sigemptyset(mask);
		for (size_t i = 0; i < array_size(fatal); i++)
			sigaddset(mask, fatal[i]);
		return;
	}
	sigfillset(mask);
	for (size_t i = 0; i < array_size(left_alone); i++)
		sigdelset(mask, left_alone[i]);
}

int supervisor_prepare(struct supervisor *supervisor, enum signal_policy policy, struct err **err)
{
	sigset_t mask;

	fill_mask(policy, &mask);
	if (sigprocmask(SIG_BLOCK, &mask, &supervisor->saved_mask) < 0)
		return err_sys(err, E_PROCESS, errno, "sigprocmask", "the supervisor", NULL);
	supervisor->is_blocking = true;
	supervisor->policy = policy;
	supervisor->signal_fd = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
	if (supervisor->signal_fd < 0)
		return err_sys(err, E_PROCESS, errno, "signalfd", "the supervisor", NULL);
	return 0;
}

void supervisor_done(struct supervisor *supervisor)
{
	fd_close_ptr(&supervisor->signal_fd);
	if (supervisor->is_blocking)
		sigprocmask(SIG_SETMASK, &supervisor->saved_mask, NULL);
	supervisor->is_blocking = false;
}

/* ---- the loop ---- */

struct watch {
	const struct supervisor *supervisor;
	const struct supervise_request *request;
	struct supervised *result;
	int64_t deadline_ms; /* -1: none */
	int caller_pidfd;    /* -1: none, or ended */
};

/* The child and its pid namespace; from here on it has KILL_WAIT_MS to be gone. */
static int end_child(struct watch *watch, enum end_cause cause, int signal, struct err **err)
{
	if (watch->result->cause != ENDED_BY_ITSELF)
		return 0;
	watch->result->cause = cause;
	watch->result->signal = signal;
	watch->deadline_ms = sys_monotonic_ms() + KILL_WAIT_MS;
	if (sys_pidfd_send_signal(watch->request->child->pidfd, SIGKILL) < 0 && errno != ESRCH)
		return err_sys(err, E_PROCESS, errno, "pidfd_send_signal", "the container's init", NULL);
	/* not reaped yet, so that the number is still its own */
	if (watch->request->leads_session)
		(void)kill(-watch->request->child->pid, SIGKILL);
	return 0;
}

static int act_on_signal(struct watch *watch, const struct signalfd_siginfo *info, struct err **err)
{
	const struct supervise_request *request = watch->request;
	int signal = (int)info->ssi_signo;

	if (signal == SIGWINCH && request->console) {
		console_resize(request->console);
		return 0;
	}
	if (watch->supervisor->policy == SIGNALS_END) {
		if ((signal == SIGINT || signal == SIGQUIT) && info->ssi_code == SI_KERNEL &&
		    request->shares_terminal)
			return 0;
		return end_child(watch, ENDED_BY_SIGNAL, signal, err);
	}
	/* A container that is about to end may be gone already. */
	if (sys_pidfd_send_signal(request->child->pidfd, signal) < 0 && errno != ESRCH)
		return err_sys(err, E_PROCESS, errno, "pidfd_send_signal", "the container's init", NULL);
	return 0;
}

static int take_signals(struct watch *watch, struct err **err)
{
	struct signalfd_siginfo info;
	int r = 0;

	while (r == 0 &&
	       read(watch->supervisor->signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info))
		r = act_on_signal(watch, &info, err);
	return r;
}

static int remaining_ms(int64_t deadline_ms)
{
	int64_t left = deadline_ms - sys_monotonic_ms();

	if (deadline_ms < 0)
		return -1;
	if (left < 0)
		return 0;
	return left > 60000 ? 60000 : (int)left;
}

static int on_deadline(struct watch *watch, struct err **err)
{
	if (watch->deadline_ms < 0 || sys_monotonic_ms() < watch->deadline_ms)
		return 0;
	if (watch->result->cause == ENDED_BY_ITSELF)
		return end_child(watch, ENDED_BY_TIMEOUT, 0, err);
	return err_set(err, E_PROCESS, 0, NULL,
		       "the container's process did not end within %d s of SIGKILL",
		       KILL_WAIT_MS / 1000);
}

static int reap(const struct engine_child *child, int *ret_status, struct err **err)
{
	pid_t pid;

	do
		pid = waitpid(child->pid, ret_status, __WALL);
	while (pid < 0 && errno == EINTR);
	if (pid < 0)
		return err_sys(err, E_PROCESS, errno, "waitpid", "the container's init", NULL);
	return 0;
}

/* Nothing but its end need wake us while it starts. */
static int time_to_wait(const struct watch *watch)
{
	return engine_start_is_open(watch->request->child) ? START_LOOK_MS : remaining_ms(watch->deadline_ms);
}

/* Whatever happens to it, it is to be the workload that it happens to. */
static int know_start(const struct watch *watch, struct err **err)
{
	return engine_start_is_open(watch->request->child) ? engine_release(watch->request->child, err) : 0;
}

/* One turn. 1: the child has ended, 0: go on, -errno. */
static int turn(struct watch *watch, struct err **err)
{
	struct console *console = watch->request->console;
	struct pollfd fds[3 + CONSOLE_POLL_COUNT] = {
		{ .fd = watch->request->child->pidfd, .events = POLLIN },
		{ .fd = watch->supervisor->signal_fd, .events = POLLIN },
		{ .fd = watch->caller_pidfd, .events = POLLIN },
	};
	nfds_t count = 3;
	int r;

	if (console) {
		console_poll(console, fds + 3);
		count += CONSOLE_POLL_COUNT;
	}
	if (poll(fds, count, time_to_wait(watch)) < 0 && errno != EINTR)
		return err_sys(err, E_PROCESS, errno, "poll", "the container's end", NULL);
	if (console)
		console_relay(console, fds + 3);
	r = know_start(watch, err);
	if (r < 0)
		return r;
	if (fds[0].revents)
		return 1;
	r = fds[1].revents ? take_signals(watch, err) : 0;
	if (r == 0 && fds[2].revents) {
		watch->caller_pidfd = -1;
		r = end_child(watch, ENDED_BY_SIGNAL, SIGTERM, err);
	}
	return r < 0 ? r : on_deadline(watch, err);
}

int supervise(const struct supervisor *supervisor, const struct supervise_request *request,
	      struct supervised *ret, struct err **err)
{
	struct watch watch = {
		.supervisor = supervisor,
		.request = request,
		.result = ret,
		.deadline_ms = request->timeout_ms ? sys_monotonic_ms() + request->timeout_ms : -1,
		.caller_pidfd = request->caller_pidfd,
	};
	int r;

	*ret = (struct supervised){ .cause = ENDED_BY_ITSELF };
	do
		r = turn(&watch, err);
	while (r == 0);
	if (r < 0)
		return r;
	if (request->console)
		console_drain(request->console);
	r = ret->cause == ENDED_BY_ITSELF ? engine_check_executed(request->child, err) : 0;
	return r < 0 ? r : reap(request->child, &ret->status, err);
}

int supervised_exit_code(int status)
{
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

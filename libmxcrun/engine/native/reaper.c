/* reaper.c - pid 1 of a sandbox: start the workload, reap what it leaves, hand signals on, end with it. Where the sandbox stays
 * there is no workload: processes join from outside, and two signals stop the sandbox and let it go on.
 *
 * The workload is born in our memory, and we sleep until it has a memory of its own, or has failed: a copy of ours would be made
 * and written to page by page, and taken down by its execve.
 *
 * Its end is the end of the pid namespace, so there is nothing to clean up. It has two leashes: the
 * parent death signal, and the pipe whose other end only the supervisor has.
 */
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/sys.h"
#include "engine/engine.h"
#include "engine/native/clone.h"
#include "engine/native/init.h"

#define EXIT_KILLED (128 + SIGKILL)

static int block_all(struct err **err)
{
	sigset_t all;

	sigfillset(&all);
	if (sigprocmask(SIG_SETMASK, &all, NULL) < 0)
		return err_sys(err, E_PROCESS, errno, "sigprocmask", "the container's init", NULL);
	return 0;
}

static int open_signals(struct err **err)
{
	static const int wanted[] = {
		SIGCHLD, SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGWINCH, SIGUSR1, SIGUSR2,
	};
	sigset_t set;
	int fd;

	sigemptyset(&set);
	for (size_t i = 0; i < array_size(wanted); i++)
		sigaddset(&set, wanted[i]);
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return fd < 0 ? err_sys(err, E_PROCESS, errno, "signalfd", "the container's init", NULL) : fd;
}

struct birth {
	struct init init;	/* the child's own: it closes descriptors, which are ours as well */
	int (*run)(struct init *init, struct err **err);
};

/* Runs in the child. Actions are set to their defaults by exec_workload. */
static int be_workload(void *data)
{
	struct birth *birth = data;
	struct err *err = NULL;
	sigset_t none;

	fd_close_ptr(&birth->init.fds.life);
	sigemptyset(&none);
	if (sigprocmask(SIG_SETMASK, &none, NULL) < 0)
		err_sys(&err, E_PROCESS, errno, "sigprocmask", "the container's init", NULL);
	else
		birth->run(&birth->init, &err);
	init_fail(&birth->init, err);
}

static pid_t start_workload(struct init *init, int (*run)(struct init *init, struct err **err))
{
	struct sys_clone_args args = { .flags = CLONE_VFORK, .exit_signal = SIGCHLD };
	struct birth birth = { .init = *init, .run = run };

	/* a time namespace is not entered by who shares memory */
	return init->plan->namespaces[NS_TIME].mode == NS_HOST ? clone_below(&args, be_workload, &birth) :
								 clone_copied(&args, be_workload, &birth);
}

/* Whoever waits for an end of one of these, standard output too, waits for the workload and not for us. */
static void close_all_but(struct init *init, int signal_fd)
{
	int low = init->fds.life < signal_fd ? init->fds.life : signal_fd;
	int high = init->fds.life < signal_fd ? signal_fd : init->fds.life;

	fd_close_ptr(&init->fds.sync);
	fd_close_ptr(&init->fds.start);
	fd_close_ptr(&init->fds.console);
	fd_close_ptr(&init->root_fd);
	fd_close_ptr(&init->proc_fd);
	/* before Linux 5.9 the rest stays open until the end, which is only untidy */
	if (low > 0)
		(void)sys_close_range(0, (unsigned int)low - 1, 0);
	if (high > low + 1)
		(void)sys_close_range((unsigned int)low + 1, (unsigned int)high - 1, 0);
	(void)sys_close_range((unsigned int)high + 1, ~0u, 0);
}

#define NO_WORKLOAD ((pid_t)0)
#define END_ROUNDS 5000
#define END_ROUND_MS 1

/* Reap all that has ended; the workload's end is ours. */
static void reap(pid_t workload)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		if (pid == workload)
			_exit(WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status));
	if (pid < 0 && errno == ECHILD && workload != NO_WORKLOAD)
		_exit(EXIT_KILLED);	/* can't be: only we reap it */
}

/* All processes but this one. What somebody outside has to reap counts until he has. */
static void end_joined(void)
{
	for (int round = 0; round < END_ROUNDS && kill(-1, SIGKILL) == 0; round++) {
		reap(NO_WORKLOAD);
		(void)poll(NULL, 0, END_ROUND_MS);
	}
	(void)prctl(PR_SET_NAME, ENGINE_STOPPED_NAME);
}

static void obey(int number)
{
	if (number == ENGINE_STOP_SIGNAL)
		end_joined();
	else if (number == ENGINE_GO_SIGNAL)
		(void)prctl(PR_SET_NAME, ENGINE_HELD_NAME);
}

/* What the terminal sends goes to the whole foreground group already; a hang-up only to its session leader. */
static void hand_on(const struct signalfd_siginfo *info, pid_t workload)
{
	int number = (int)info->ssi_signo;

	/* Senders outside of our pid namespace are 0 in it; from inside, pid 1 has no use for signals. */
	if (info->ssi_pid)
		return;
	if (workload == NO_WORKLOAD)
		obey(number);
	else if (info->ssi_code != SI_KERNEL || number == SIGHUP)
		(void)kill(workload, number);	/* may have ended just now */
}

static void drain_signals(int signal_fd, pid_t workload)
{
	struct signalfd_siginfo info;

	while (read(signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info))
		if (info.ssi_signo != SIGCHLD)
			hand_on(&info, workload);
	reap(workload);
}

static void watch(int signal_fd, int life_fd, pid_t workload) __attribute__((noreturn));
static void watch(int signal_fd, int life_fd, pid_t workload)
{
	for (;;) {
		struct pollfd fds[] = {
			{ .fd = signal_fd, .events = POLLIN },
			{ .fd = life_fd },	/* POLLHUP comes unasked */
		};

		if (poll(fds, array_size(fds), -1) < 0 && errno != EINTR)
			_exit(EXIT_KILLED);
		if (fds[1].revents)
			_exit(EXIT_KILLED);
		drain_signals(signal_fd, workload);
	}
}

/* The descriptor of our signals, or -errno. */
static int become_reaper(struct err **err)
{
	int r;

	/* set up: from here on it may be joined */
	(void)prctl(PR_SET_NAME, ENGINE_HELD_NAME);
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		return err_sys(err, E_PROCESS, errno, "prctl", "PR_SET_PDEATHSIG", NULL);
	r = block_all(err);
	return r < 0 ? r : open_signals(err);
}

int reaper_run(struct init *init, int (*run)(struct init *init, struct err **err), struct err **err)
{
	cleanup_close int signal_fd = become_reaper(err);
	pid_t workload;

	if (signal_fd < 0)
		return signal_fd;
	workload = start_workload(init, run);
	if (workload < 0)
		return err_sys(err, E_PROCESS, -workload, "clone3", "workload", NULL);
	close_all_but(init, signal_fd);
	watch(signal_fd, init->fds.life, workload);
}

/* Who starts a process in it has no rights but an ordinary user's, maybe, and opens our namespaces: that takes a process that may be
 * dumped (ptrace(2)). For those inside nothing changes: their user namespace is below ours, and has no rights over it. */
int reaper_stay(struct init *init, struct err **err)
{
	cleanup_close int signal_fd = become_reaper(err);

	if (signal_fd < 0)
		return signal_fd;
	if (init->plan->process.inner_userns && prctl(PR_SET_DUMPABLE, 1) < 0)
		return err_sys(err, E_PROCESS, errno, "prctl", "PR_SET_DUMPABLE", NULL);
	close_all_but(init, signal_fd);
	watch(signal_fd, init->fds.life, NO_WORKLOAD);
}

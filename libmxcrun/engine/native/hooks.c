/* hooks.c - run the hooks of one kind; used by the runtime in its namespaces and by init in its own.
 *
 * Each hook is a process group with the state on stdin. It can't hold us up (invariant 44): its stdin is
 * written only while there is room, and its end and the time are awaited in the same poll. What it says on stderr goes
 * on to ours, and the end of it into the error of one that fails: an engine shows its user nothing but that.
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/sys.h"
#include "engine/native/init.h"

#define SAID_MAX 240u
#define PIPE_CHUNKS 16	/* of PIPE_BUF: what a pipe holds */

struct running {
	const struct plan_hook *hook;
	const char *kind;
	const char *state;	/* what is still to be written */
	size_t left;
	const char *const *env;	/* for a hook that has none */
	const char *directory;	/* NULL: where we are */
	pid_t pid;
	int pidfd;
	int stdin_fd;		/* write end; -1 once all is written or the hook closed its end */
	int errors_fd;		/* what it says, without blocking; -1: nothing more */
	char said[SAID_MAX + 1];	/* the end of that */
	size_t said_len;
	int failure_fd;		/* the child's errno, when it could not execute the hook */
	int64_t deadline_ms;	/* -1: none */
};

static void fail_child(int failure_fd)
{
	int errnum = errno;

	(void)fd_write_all(failure_fd, &errnum, sizeof(errnum));	/* unread: the status 127 tells */
	_exit(127);
}

/* What the hook gets in place of descriptors 0, 1, 2; -1: the caller's. */
struct hook_io {
	int fds[3];
};
static void hook_io_done(struct hook_io *io)
{
	for (size_t i = 0; i < array_size(io->fds); i++)
		fd_close_ptr(&io->fds[i]);
}
#define cleanup_hook_io __attribute__((cleanup(hook_io_done)))

/* Not blocking, because of a FIFO that nobody reads; the hook's own writes then may. */
static int open_output(const char *path, int *ret, const struct plan_hook *hook, struct err **err)
{
	if (!path)
		return 0;
	*ret = open(path, O_WRONLY | O_CREAT | O_APPEND | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0600);
	if (*ret < 0 || fcntl(*ret, F_SETFL, O_APPEND) < 0)
		return err_sys(err, E_HOOK, errno, "open", path, hook->pointer);
	return 0;
}

static int open_errors(struct running *run, int *ret, struct err **err)
{
	const struct plan_hook *hook = run->hook;
	int ends[2];

	if (hook->errors_path)
		return open_output(hook->errors_path, ret, hook, err);
	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_sys(err, E_HOOK, errno, "pipe2", hook->path, hook->pointer);
	run->errors_fd = ends[0];
	*ret = ends[1];
	if (fcntl(run->errors_fd, F_SETFL, O_NONBLOCK) < 0)
		return err_sys(err, E_HOOK, errno, "fcntl", hook->path, hook->pointer);
	return 0;
}

/* Runs in the child. */
static void execute(const struct running *run, const struct hook_io *io, int failure_fd)
{
	static const char *const none[] = { NULL };
	const struct plan_hook *hook = run->hook;
	const char *const fallback_argv[] = { hook->path, NULL };
	const char *const *argv = hook->argv && hook->argv[0] ? hook->argv : fallback_argv;
	const char *const *env = hook->env ? hook->env : run->env ? run->env : none;
	sigset_t no_signals;

	for (int number = 1; number < NSIG; number++)
		signal(number, SIG_DFL);	/* some can't be changed, those are default already */
	sigemptyset(&no_signals);
	sigprocmask(SIG_SETMASK, &no_signals, NULL);
	if (setpgid(0, 0) < 0)
		fail_child(failure_fd);
	for (int fd = 0; fd < (int)array_size(io->fds); fd++)
		if (io->fds[fd] >= 0 && dup2(io->fds[fd], fd) < 0)
			fail_child(failure_fd);
	/* ours are close-on-exec by birth: this is about what the caller's caller left open */
	if (sys_close_range(3, ~0u, SYS_CLOSE_RANGE_CLOEXEC) < 0 && errno != ENOSYS && errno != EINVAL)
		fail_child(failure_fd);
	/* a bundle that is gone by the time its container is deleted leaves us where we are */
	if (run->directory && chdir(run->directory) < 0 && errno != ENOENT && errno != ENOTDIR)
		fail_child(failure_fd);
	execve(hook->path, (char *const *)(uintptr_t)argv, (char *const *)(uintptr_t)env);
	fail_child(failure_fd);
}

static int start(struct running *run, struct err **err)
{
	const struct plan_hook *hook = run->hook;
	cleanup_hook_io struct hook_io io = { { -1, -1, -1 } };
	cleanup_close int failure_write = -1;
	int ends[2], r;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_sys(err, E_HOOK, errno, "pipe2", hook->path, hook->pointer);
	io.fds[STDIN_FILENO] = ends[0];
	run->stdin_fd = ends[1];
	if (fcntl(run->stdin_fd, F_SETFL, O_NONBLOCK) < 0)
		return err_sys(err, E_HOOK, errno, "fcntl", hook->path, hook->pointer);
	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
		return err_sys(err, E_HOOK, errno, "pipe2", hook->path, hook->pointer);
	run->failure_fd = ends[0];
	failure_write = ends[1];
	r = open_output(hook->output_path, &io.fds[STDOUT_FILENO], hook, err);
	if (r == 0)
		r = open_errors(run, &io.fds[STDERR_FILENO], err);
	if (r < 0)
		return r;
	run->pid = sys_fork(&run->pidfd);
	if (run->pid < 0)
		return err_sys(err, E_HOOK, errno, "clone", hook->path, hook->pointer);
	if (run->pid == 0)
		execute(run, &io, failure_write);
	/* on both sides, so that the group exists whoever comes first; EACCES: the child was first */
	(void)setpgid(run->pid, run->pid);
	return 0;
}

/* A hook that reads nothing, or stops reading, is none of our business. */
static void feed(struct running *run)
{
	ssize_t n = run->left ? write(run->stdin_fd, run->state, run->left) : 0;

	if (n > 0) {
		run->state += n;
		run->left -= (size_t)n;
	}
	if (run->left == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
		fd_close_ptr(&run->stdin_fd);
}

static void remember(struct running *run, const char *text, size_t len)
{
	size_t more = len < SAID_MAX ? len : SAID_MAX;
	size_t kept = run->said_len < SAID_MAX - more ? run->said_len : SAID_MAX - more;

	memmove(run->said, run->said + run->said_len - kept, kept);
	memcpy(run->said + kept, text + len - more, more);
	run->said_len = kept + more;
}

/* Not more than poll promises room for. */
static void pass_on(const char *text, size_t len)
{
	struct pollfd out = { .fd = STDERR_FILENO, .events = POLLOUT };

	if (poll(&out, 1, 0) > 0 && out.revents == POLLOUT)
		(void)!write(STDERR_FILENO, text, len);
}

/* False when there is nothing more for now. */
static bool listen_to(struct running *run)
{
	char text[PIPE_BUF];
	ssize_t n = read(run->errors_fd, text, sizeof(text));

	if (n > 0) {
		remember(run, text, (size_t)n);
		pass_on(text, (size_t)n);
		return true;
	}
	if (n == 0 || (errno != EAGAIN && errno != EINTR))
		fd_close_ptr(&run->errors_fd);
	return false;
}

/* A child that it leaves behind may go on for ever. */
static void listen_to_rest(struct running *run)
{
	for (int i = 0; i < PIPE_CHUNKS && run->errors_fd >= 0 && listen_to(run); i++)
		;
}

/* In one line, without the part of one that it may begin with. */
static void hint_said(struct running *run, struct err **err)
{
	char *text = run->said, *newline;

	while (run->said_len && isspace((unsigned char)text[run->said_len - 1]))
		run->said_len--;
	text[run->said_len] = '\0';
	newline = run->said_len + 1 >= SAID_MAX ? strchr(text, '\n') : NULL;
	if (newline)
		text = newline + 1;
	for (newline = strchr(text, '\n'); newline; newline = strchr(newline, '\n'))
		*newline = ' ';
	if (*text)
		err_hint(err, "it said: %s", text);
}

static int time_left(const struct running *run)
{
	int64_t left = run->deadline_ms - sys_monotonic_ms();

	if (run->deadline_ms < 0)
		return -1;
	return left < 0 ? 0 : left > INT_MAX ? INT_MAX : (int)left;
}

static int wait_end(struct running *run, struct err **err)
{
	const struct plan_hook *hook = run->hook;

	for (;;) {
		struct pollfd fds[] = {
			{ .fd = run->pidfd, .events = POLLIN },
			{ .fd = run->stdin_fd, .events = POLLOUT },
			{ .fd = run->errors_fd, .events = POLLIN },
		};
		int left = time_left(run);
		int n = poll(fds, array_size(fds), left);

		if (n < 0 && errno != EINTR)
			return err_sys(err, E_HOOK, errno, "poll", hook->path, hook->pointer);
		if (n > 0 && fds[0].revents)
			return 0;
		/* left, not n: one that reads a byte at a time keeps poll from timing out */
		if (left == 0)
			return err_set(err, E_TIMEOUT, ETIMEDOUT, hook->pointer,
				       "%s hook \"%s\" did not end within %d ms", run->kind, hook->path,
				       hook->timeout_ms);
		if (n > 0 && fds[1].revents)
			feed(run);
		if (n > 0 && fds[2].revents)
			(void)listen_to(run);
	}
}

static int judge(const struct running *run, int status, struct err **err)
{
	const struct plan_hook *hook = run->hook;
	int errnum;

	if (read(run->failure_fd, &errnum, sizeof(errnum)) == (ssize_t)sizeof(errnum))
		return err_set(err, E_HOOK, errnum, hook->pointer, "executing %s hook \"%s\"", run->kind, hook->path);
	if (WIFSIGNALED(status))
		return err_set(err, E_HOOK, 0, hook->pointer, "%s hook \"%s\" was killed by signal %d", run->kind,
			       hook->path, WTERMSIG(status));
	if (WEXITSTATUS(status) != 0)
		return err_set(err, E_HOOK, 0, hook->pointer, "%s hook \"%s\" failed with exit status %d", run->kind,
			       hook->path, WEXITSTATUS(status));
	return 0;
}

/* The group is killed before the leader is reaped: until then nobody else can have its number. */
static int reap(const struct running *run, bool must_die, int *ret_status)
{
	pid_t r;

	if (must_die) {
		(void)kill(-run->pid, SIGKILL);
		(void)kill(run->pid, SIGKILL);	/* in case it has no group of its own yet */
	}
	do
		r = waitpid(run->pid, ret_status, 0);
	while (r < 0 && errno == EINTR);
	return r < 0 ? -errno : 0;
}

static int run_one(const struct plan_hook *hook, const char *kind, const char *state, const char *const *env, const char *directory,
		   struct err **err)
{
	struct running run = {
		.hook = hook, .kind = kind, .env = env, .directory = directory, .state = state, .left = strlen(state), .pid = -1, .pidfd = -1,
		.stdin_fd = -1, .failure_fd = -1, .errors_fd = -1,
		.deadline_ms = hook->timeout_ms > 0 ? sys_monotonic_ms() + hook->timeout_ms : -1,
	};
	int status = 0;
	int r = start(&run, err);

	if (r == 0)
		r = wait_end(&run, err);
	if (run.pid > 0) {
		int reaped = reap(&run, r < 0, &status);

		if (r == 0 && reaped < 0)
			r = err_sys(err, E_HOOK, -reaped, "waitpid", hook->path, hook->pointer);
	}
	if (r == 0)
		r = judge(&run, status, err);
	listen_to_rest(&run);
	if (r < 0)
		hint_said(&run, err);
	fd_close_ptr(&run.stdin_fd);
	fd_close_ptr(&run.errors_fd);
	fd_close_ptr(&run.failure_fd);
	fd_close_ptr(&run.pidfd);
	return r;
}

static int run_all(const struct plan_hooks *hooks, const char *kind, const char *state_json, const char *const *env,
		   const char *directory, struct err **err)
{
	const struct sigaction ignore = { .sa_handler = SIG_IGN };
	struct sigaction before;
	int r = 0;

	if (hooks->count == 0)
		return 0;
	if (sigaction(SIGPIPE, &ignore, &before) < 0)
		return err_sys(err, E_HOOK, errno, "sigaction", "SIGPIPE", NULL);
	for (size_t i = 0; i < hooks->count && r == 0; i++)
		r = run_one(&hooks->items[i], kind, state_json ? state_json : "", env, directory, err);
	if (sigaction(SIGPIPE, &before, NULL) < 0 && r == 0)
		r = err_sys(err, E_HOOK, errno, "sigaction", "SIGPIPE", NULL);
	return r;
}

int hooks_run(const struct plan_hooks *hooks, const char *kind, const char *state_json, const char *const *env, struct err **err)
{
	return run_all(hooks, kind, state_json, env, NULL, err);
}

int hooks_run_outside(const struct plan_hooks *hooks, const char *kind, const char *state_json, const char *bundle, struct err **err)
{
	return run_all(hooks, kind, state_json, (const char *const *)(uintptr_t)environ, bundle, err);
}

int hooks_run_runtime(const struct plan *plan, const char *state_json, struct err **err)
{
	int r = hooks_run_outside(&plan->hooks[HOOK_PRESTART], "prestart", state_json, plan->bundle, err);

	return r < 0 ? r : hooks_run_outside(&plan->hooks[HOOK_CREATE_RUNTIME], "createRuntime", state_json, plan->bundle, err);
}

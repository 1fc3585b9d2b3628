/* carried.c - another program makes the container: start it where we would execute init, find init, and end the program.
 *
 * It is started by a process that has our memory until then: that may not allocate or format, so all that it needs is made
 * before. It stays init's parent until init is ready. Then it is killed, and init, being orphaned, becomes the child of the nearest
 * subreaper, which we are for that moment: from there on init is our child, as one that we made ourselves.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/pid.h"
#include "base/strbuf.h"
#include "base/sys.h"
#include "engine/calls.h"
#include "engine/native/clone.h"
#include "engine/native/launching.h"

#define END_WAIT_MS 5000
#define WORDS_MAX 1024

/* ---- in the child, in the parent's memory: raw calls only ---- */

static void child_inherit(int fd)
{
	if (fd >= 0)
		(void)raw_call(SYS_fcntl, fd, F_SETFD, 0, 0, 0);
}

static void child_inherit_all(const struct launch *l)
{
	long first = 3 + (long)l->request->plan->process.preserve_fds;

	/* Strangers that an engine leaked end here (CVE-2024-21626); before Linux 5.11 at init's own exec. */
	(void)raw_call(SYS_close_range, first, 0xffffffffl, SYS_CLOSE_RANGE_CLOEXEC, 0, 0);
	child_inherit(l->fds.plan);
	child_inherit(l->fds.sync);
	child_inherit(l->fds.start);
	child_inherit(l->fds.console);
	child_inherit(l->fds.life);
	child_inherit(l->fds.listener);
	child_inherit(l->fds.target);
	child_inherit(l->fds.proc);
	child_inherit(l->fds.input);
	child_inherit(l->fds.output);
	child_inherit(l->fds.errors);
	for (size_t i = 0; i < l->fds.idmapped_count; i++)
		child_inherit(l->fds.idmapped[i]);
	for (int kind = 0; kind < NS_MAX; kind++)
		child_inherit(l->fds.ns[kind]);
}

/* Another program makes the container, and executes init from the image. Its words are kept. */
static int child_execute_carrier(const struct launch *l, char *const *envp)
{
	const struct carrier *carrier = l->carrier;
	long r;

	child_inherit(l->image_fd);
	for (size_t i = 0; i < carrier->fd_count; i++)
		child_inherit(carrier->fds[i]);
	r = carrier->place ? -calls_make(carrier->place) : 0;
	for (int fd = STDIN_FILENO; fd <= STDOUT_FILENO && r >= 0 && carrier->streams_fd >= 0; fd++)
		r = raw_call(SYS_dup3, carrier->streams_fd, fd, 0, 0, 0);
	if (r >= 0)
		r = raw_call(SYS_dup3, carrier->errors_fd, STDERR_FILENO, 0, 0, 0);
	return r < 0 ? (int)-r : (int)-raw_call(SYS_execve, (long)carrier->program, (long)carrier->argv, (long)(carrier->envp ? carrier->envp : envp), 0, 0);
}

/* The parent's word to go on. */
static int child_wait(const struct launch *l)
{
	char byte = 0;

	return raw_call(SYS_read, l->fds.sync, (long)&byte, 1, 0, 0) == 1 && byte == SYNC_WORD ? 0 : ECANCELED;
}

/* Returns only on failure, with the errno as exit code: converse_vanished() tells the user. */
static int launch_carrier(void *data)
{
	const struct launch *l = data;
	char *const envp[] = { NULL };
	long r = 0;

	/* A copy of the parent's end would keep the socket open to ourselves, and we would wait for a dead
	 * parent for ever (invariant 23). */
	(void)raw_call(SYS_close, l->parent_sync, 0, 0, 0, 0);
	if (l->parent_life >= 0)
		(void)raw_call(SYS_close, l->parent_life, 0, 0, 0, 0);
	for (size_t i = 0; i < l->tasks.count && r >= 0; i++)
		r = raw_call(SYS_write, l->tasks.fds[i], (long)"0", 1, 0, 0);
	if (r < 0)
		return (int)-r;
	child_inherit_all(l);
	if (child_wait(l))
		return ECANCELED;
	if (l->is_userns_new && l->carrier->userns == CARRIER_HAS_RIGHTS) {
		r = raw_take_ids(l->own_ids, l->lacks_setgid);
		if (r < 0)
			return (int)-r;
	}
	raw_default_signals(l->request->facts->ignored_signals | IGNORED_BY_US);
	return child_execute_carrier(l, envp);
}

/* ---- its start ---- */

static int format_argument(struct launch *l, struct err **err)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	struct fd_list list = { .text = STRBUF_INIT };

	launch_list_fds(l, &list);
	launch_list_fd(&list, "sync", l->fds.sync);
	launch_list_fd(&list, "image", l->image_fd);
	for (int kind = 0; kind < NS_MAX; kind++)
		if (l->fds.ns[kind] >= 0)
			strbuf_printf(&list.text, ",ns%d=%d", kind, l->fds.ns[kind]);
	if (l->carrier->is_lxc)
		strbuf_puts(&list.text, ",by=lxc");
	text = list.text;
	l->argument = text.failed ? NULL : strdup(strbuf_str(&text));
	return l->argument ? 0 : err_nomem(err);
}

/* No CLONE_VFORK: both go on. */
static int make_carrier(struct launch *l, struct engine_child *child, struct err **err)
{
	struct sys_clone_args args = {
		.flags = CLONE_PIDFD | (l->carrier->userns == CARRIER_MAKES_ITS_OWN ? 0 : CLONE_NEWUSER),
		.pidfd = (uint64_t)(uintptr_t)&child->pidfd,
		.exit_signal = SIGCHLD,
	};
	pid_t pid;

	if (l->cgroup_fd >= 0) {
		args.flags |= SYS_CLONE_INTO_CGROUP;
		args.cgroup = (uint64_t)l->cgroup_fd;
	}
	pid = clone_run(&args, l->stack, CHILD_STACK_SIZE, launch_carrier, l);
	if (pid < 0)
		return launch_clone_failed(l, -pid, err);
	child->pid = pid;
	return joined_return(&l->own_namespaces, err);
}

/* The child is the carrier, which is in the journal now. From here on it is init that counts. */
static int meet_init(struct launch *l, struct engine_child *child, struct err **err)
{
	pid_t init = -1;
	int pidfd, r = 0;

	if (l->carrier->userns != CARRIER_MAKES_ITS_OWN)
		r = idmap_write(l->request->plan, l->request->facts, child->pid, err);
	if (r == 0)
		r = launch_let_go(child, err);
	if (r < 0)
		return r;
	r = l->carrier->find_init(l->carrier, child->sync_fd, &init, err);
	if (r < 0)
		return carrier_failed(l->carrier, child->pidfd, err);
	pidfd = sys_pidfd_open(init, 0);
	if (pidfd < 0 || !carrier_is_child(init, child->pid)) {
		fd_close_ptr(&pidfd);
		return carrier_failed(l->carrier, child->pidfd, err);
	}
	l->carrier_pidfd = child->pidfd;
	child->pidfd = pidfd;
	child->pid = init;
	return launch_register(l, child, err);
}

/* Another program makes the container. */
int carrier_make_container(struct launch *l, struct engine_child *child, struct err **err)
{
	int pair[2], r = joined_open(l->request->plan, &l->fds, err);

	if (r == 0)
		r = joined_enter(l->request->plan, &l->fds, &l->own_namespaces, err);
	if (r == 0)
		r = l->image_fd = image_open(err);
	if (r < 0)
		return r;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return err_sys(err, E_PROCESS, errno, "socketpair", "sync socket", NULL);
	child->sync_fd = l->parent_sync = pair[0];
	l->fds.sync = l->sync_end = pair[1];
	r = format_argument(l, err);
	if (r == 0)
		r = l->carrier->prepare(l->carrier, l->image_fd, l->argument, err);
	if (r == 0)
		r = make_carrier(l, child, err);
	if (r < 0)
		return r;
	fd_close_ptr(&l->sync_end);	/* so that the child's end reads as EOF when it dies */
	fd_close_ptr(&l->life_end);
	r = launch_register(l, child, err);
	if (r == 0)
		r = meet_init(l, child, err);
	if (r == 0)
		r = launch_write_maps(l, child, err);
	return r == 0 ? cgroup_guard_devices(l->request->cgroup, l->request->plan, l->cgroup_fd, err) : r;
}

/* init has no other way to its own files of /proc, which the sandbox may cover. */
int carrier_open_fds(const struct carrier *carrier, struct launch_fds *fds, struct err **err)
{
	struct { int stream, *fd; } rows[] = { { STDIN_FILENO, &fds->input }, { STDOUT_FILENO, &fds->output }, { STDERR_FILENO, &fds->errors } };

	fds->proc = openat(AT_FDCWD, "/proc", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fds->proc < 0)
		return err_sys(err, E_HOST, errno, "open", "/proc", NULL);
	for (size_t i = carrier->is_lxc ? 0 : 2; i < array_size(rows); i++) {
		*rows[i].fd = fcntl(rows[i].stream, F_DUPFD_CLOEXEC, 3);
		if (*rows[i].fd < 0)
			return err_sys(err, E_PROCESS, errno, "fcntl", "standard streams", NULL);
	}
	return 0;
}

/* ---- its end ---- */

/* The last line of what it has written, without its own name in front. */
static const char *last_words(const struct carrier *carrier, char *buf, size_t size)
{
	off_t end = lseek(carrier->errors_fd, 0, SEEK_END);
	off_t start = end > (off_t)size - 1 ? end - (off_t)size + 1 : 0;
	ssize_t n = end > 0 ? pread(carrier->errors_fd, buf, size - 1, start) : 0;
	size_t name_len = strlen(carrier->name);
	char *line;

	while (n > 0 && buf[n - 1] == '\n')
		n--;
	buf[n > 0 ? n : 0] = 0;
	line = strrchr(buf, '\n');
	line = line ? line + 1 : buf;
	return !strncmp(line, carrier->name, name_len) && line[name_len] == ':' ? line + name_len + 1 + (line[name_len + 1] == ' ')
									       : line;
}

/* LXC tells the cause first, behind "lxc-start: NAME: FILE: FUNCTION: LINE ". */
static const char *first_words(const struct carrier *carrier, char *buf, size_t size)
{
	ssize_t n = pread(carrier->errors_fd, buf, size - 1, 0);
	const char *line = buf, *next;

	buf[n > 0 ? n : 0] = 0;
	buf[strcspn(buf, "\n")] = 0;
	for (int i = 0; i < 4 && (next = strstr(line, ": ")); i++)
		line = next + 2;
	return line + strspn(line, "0123456789 ");
}

int carrier_failed(const struct carrier *carrier, int pidfd, struct err **err)
{
	struct pollfd ended = { .fd = pidfd, .events = POLLIN };
	siginfo_t info = { 0 };
	char buf[WORDS_MAX];
	const char *words;
	int r;

	/* its error, not ours about a broken pipe */
	if (err)
		err_free_ptr(err);
	if (poll(&ended, 1, END_WAIT_MS) == 0)
		return err_set(err, E_TIMEOUT, 0, NULL, "%s: its container ended before it was ready, and it did not",
			       carrier->name);
	(void)pid_see_end(pidfd, &info);
	r = carrier->place ? calls_explain(carrier->place, err) : 0;
	if (r < 0)
		return r;
	words = (carrier->is_lxc ? first_words : last_words)(carrier, buf, sizeof(buf));
	if (*words)
		return err_set(err, E_PROCESS, 0, NULL, "%s: %s", carrier->name, words);
	return err_set(err, E_PROCESS, 0, NULL, "%s ended by %s %d before the container was ready", carrier->name,
		       info.si_code == CLD_EXITED ? "exit code" : "signal", info.si_status);
}

void carrier_end(int *pidfd)
{
	int was_subreaper = 0;

	if (*pidfd < 0)
		return;
	(void)prctl(PR_GET_CHILD_SUBREAPER, &was_subreaper);
	(void)prctl(PR_SET_CHILD_SUBREAPER, 1);
	(void)sys_pidfd_send_signal(*pidfd, SIGKILL);
	/* orphans have their new parent before it can be reaped (exit_notify() in the kernel) */
	pid_reap(*pidfd);
	(void)prctl(PR_SET_CHILD_SUBREAPER, was_subreaper);
	fd_close_ptr(pidfd);
}

bool carrier_is_child(pid_t pid, pid_t parent)
{
	char path[64], buf[512];
	const char *end;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	if (fd_read_kernel(-1, path, buf, sizeof(buf)) < 0)
		return false;
	/* the name in brackets may hold anything: "N (name) S PPID" */
	end = strrchr(buf, ')');
	return end && strlen(end) > 4 && strtol(end + 4, NULL, 10) == parent;
}

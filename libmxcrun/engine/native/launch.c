/* launch.c - the parent: make the child, put it where it belongs, talk it through to READY.
 *
 * launch.h is the theory of operation. Parent and child work at the same time: while the child
 * executes init and makes mounts, the parent journals it, and the gate is the only place where one
 * waits for the other. Whatever fails, the child is killed and reaped before the error is returned.
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
#include "engine/engine.h"
#include "engine/native/clone.h"
#include "engine/native/netns.h"
#include "engine/native/parent.h"
#include "host/explain.h"

#define CHILD_STACK_SIZE 4096	/* raw calls from one small frame */
#define SETUP_TIMEOUT_MS 120000		/* mounts may wait for a network file system; hooks have limits of their own */

#ifndef P_PIDFD
#define P_PIDFD 3
#endif

/* Of all that a carrier's child needs nothing is made after it exists: it may not allocate or format. */
struct launch {
	const struct engine_request *request;
	struct carrier *carrier;	/* NULL: we make the container ourselves */
	int carrier_pidfd;		/* its process, from when init is known */
	int first_pidfd;		/* the process that waited for the plan, from when the container's is known */
	struct launch_fds fds;		/* the child's ends; read by the child, so fixed once it exists */
	int sync_end, life_end;		/* our copies of the same, closed while the child may still read the above */
	int parent_sync, parent_life;	/* our own ends, of which the child is born with copies */
	int image_fd;
	int cgroup_fd;	/* of v2, or -1 */
	char *argument;
	struct joined_own own_namespaces;
	struct cgroup_tasks tasks;
	bool lacks_setgid;		/* a carrier there that would call setgroups, which is denied, with the capability for it */
	bool is_userns_new;
	bool is_apart;		/* the process that waited has made the namespaces */
	bool has_gone;		/* SYNC_GO has been sent */
	char *stack;		/* the carrier's until it executes its program, so it lives as long as we talk */
};

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

/* Returns only on failure, with the errno as exit code: child_vanished() tells the user. */
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
		r = raw_take_root(launch_maps_root(l->request->plan), l->lacks_setgid);
		if (r < 0)
			return (int)-r;
	}
	raw_default_signals(l->request->facts->ignored_signals);
	return child_execute_carrier(l, envp);
}

/* ---- in the parent ---- */

/* Descriptors by name, for init: by their numbers, which a carrier's init inherits, or, with an array, by their places in it. */
struct fd_list {
	struct strbuf text;
	int *fds;
	size_t count;
};

static void list_fd(struct fd_list *list, const char *name, int fd)
{
	if (fd < 0)
		return;
	strbuf_printf(&list->text, "%s%s=%d", list->text.len ? "," : "", name, list->fds ? (int)list->count : fd);
	if (list->fds)
		list->fds[list->count++] = fd;
}

static void list_fds(const struct launch *l, struct fd_list *list)
{
	const struct { const char *name; int fd; } rows[] = {
		{ "plan", l->fds.plan }, { "start", l->fds.start }, { "console", l->fds.console }, { "life", l->fds.life },
		{ "listener", l->fds.listener }, { "target", l->fds.target }, { "proc", l->fds.proc }, { "input", l->fds.input },
		{ "output", l->fds.output }, { "errors", l->fds.errors },
	};

	for (size_t i = 0; i < array_size(rows); i++)
		list_fd(list, rows[i].name, rows[i].fd);
	for (size_t i = 0; i < l->fds.idmapped_count; i++)
		list_fd(list, "mount", l->fds.idmapped[i]);
	if (l->fds.net_is_late)
		strbuf_puts(&list->text, ",late=net");
}

static int format_argument(struct launch *l, struct err **err)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	struct fd_list list = { .text = STRBUF_INIT };

	list_fds(l, &list);
	list_fd(&list, "sync", l->fds.sync);
	list_fd(&list, "image", l->image_fd);
	for (int kind = 0; kind < NS_MAX; kind++)
		if (l->fds.ns[kind] >= 0)
			strbuf_printf(&list.text, ",ns%d=%d", kind, l->fds.ns[kind]);
	if (l->carrier->is_lxc)
		strbuf_puts(&list.text, ",by=lxc");
	text = list.text;
	l->argument = text.failed ? NULL : strdup(strbuf_str(&text));
	return l->argument ? 0 : err_nomem(err);
}

/* All of it at once to the process that waits for it. */
static int send_launch(const struct launch *l, const struct engine_child *child, struct err **err)
{
	cleanup_free int *fds = calloc(l->tasks.count + l->fds.idmapped_count + LAUNCH_FDS_NAMED, sizeof(*fds));
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	struct fd_list list = { .text = STRBUF_INIT, .fds = fds };
	size_t sent = 0;
	int r = 0;

	if (!fds)
		return err_nomem(err);
	list_fds(l, &list);
	list_fd(&list, "cgroup", l->cgroup_fd);
	for (size_t i = 0; i < l->tasks.count; i++)
		list_fd(&list, "task", l->tasks.fds[i]);
	if (l->request->facts->is_privileged)
		strbuf_puts(&list.text, ",by=root");
	text = list.text;
	if (text.failed)
		return err_nomem(err);
	for (; list.count - sent > SYNC_FDS_MAX && r == 0; sent += SYNC_FDS_MAX)
		r = sync_send_fds(child->sync_fd, SYNC_MORE, NULL, 0, fds + sent, SYNC_FDS_MAX);
	if (r == 0)
		r = sync_send_fds(child->sync_fd, SYNC_LAUNCH, text.data, (uint32_t)text.len, fds + sent, list.count - sent);
	/* one that has ended already answers for itself */
	return r < 0 && r != -EPIPE ? err_sys(err, E_PROCESS, -r, "sendmsg", "sync socket", NULL) : 0;
}

static int make_life(struct launch *l, struct engine_child *child, struct err **err)
{
	int pair[2];

	if (!l->request->plan->process.keep_init)
		return 0;
	if (pipe2(pair, O_CLOEXEC) < 0)
		return err_sys(err, E_PROCESS, errno, "pipe2", "life pipe", NULL);
	l->fds.life = l->life_end = pair[0];
	child->life_fd = l->parent_life = pair[1];
	return 0;
}

static int clone_failed(const struct launch *l, int errnum, struct err **err)
{
	int r = err_sys(err, E_PROCESS, errnum, "clone3", "a process in new namespaces", "/linux/namespaces");

	/* one that parted has its user namespace: another limit struck */
	if (l->is_userns_new && !l->is_apart)
		explain_userns(l->request->facts, errnum, err);
	return r;
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
		return clone_failed(l, -pid, err);
	child->pid = pid;
	return joined_return(&l->own_namespaces, err);
}

static int register_child(struct launch *l, struct engine_child *child, struct err **err)
{
	int r;

	if (!l->request->on_child)
		return 0;
	r = pid_start_time(child->pid, &child->start_ticks, NULL);
	if (r < 0)
		return err_sys(err, E_PROCESS, -r, "read", "start time of init", NULL);
	return l->request->on_child(l->request->data, child->pid, child->start_ticks, err);
}

static int let_child_go(const struct engine_child *child, struct err **err)
{
	const char byte = SYNC_WORD;

	return send(child->sync_fd, &byte, 1, MSG_NOSIGNAL) == 1 ? 0 : err_sys(err, E_PROCESS, errno, "send", "sync socket", NULL);
}

static int write_maps(struct launch *l, const struct engine_child *child, struct err **err)
{
	int r;

	if (l->carrier && (!l->carrier->go_on || !l->is_userns_new))
		return 0;
	if (l->carrier && l->carrier->userns == CARRIER_HAS_NO_RIGHTS)
		r = idmap_write_below(l->request->plan, child->pid, err);
	else
		r = l->is_userns_new && !l->is_apart ? idmap_write(l->request->plan, l->request->facts, child->pid, err) : 0;
	if (r < 0)
		return r;
	if (l->carrier)
		return l->carrier->go_on(l->carrier, err);
	return launch_needs_word(l->request->plan, l->request->facts->is_privileged, l->is_apart) ? let_child_go(child, err) : 0;
}

/* The child is the carrier, which is in the journal now. From here on it is init that counts. */
static int meet_init(struct launch *l, struct engine_child *child, struct err **err)
{
	pid_t init = -1;
	int pidfd, r = 0;

	if (l->carrier->userns != CARRIER_MAKES_ITS_OWN)
		r = idmap_write(l->request->plan, l->request->facts, child->pid, err);
	if (r == 0)
		r = let_child_go(child, err);
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
	return register_child(l, child, err);
}

/* ---- the conversation ---- */

/* EOF without an error record: the child ended before init could speak, or was killed. */
static int child_vanished(const struct engine_child *child, struct err **err)
{
	siginfo_t info = { 0 };
	int r;

	if (waitid((idtype_t)P_PIDFD, (id_t)child->pidfd, &info, WEXITED | WNOWAIT) < 0)
		return err_sys(err, E_PROCESS, errno, "waitid", "init", NULL);
	if (info.si_code == CLD_EXITED && info.si_status > 0 && info.si_status < 125)
		return err_sys(err, E_PROCESS, info.si_status, "execveat", "init program", NULL);
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

static int send_go(struct launch *l, struct engine_child *child, struct err **err)
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
static int let_go_at_once(struct launch *l, struct engine_child *child, struct err **err)
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
	const struct plan *plan = l->request->plan;
	cleanup_free char *state = l->request->state_json(l->request->data, "creating", child->pid);
	int r;

	if (!state)
		return err_nomem(err);
	r = hooks_run_outside(&plan->hooks[HOOK_PRESTART], "prestart", state, plan->bundle, err);
	if (r == 0)
		r = hooks_run_outside(&plan->hooks[HOOK_CREATE_RUNTIME], "createRuntime", state, plan->bundle, err);
	return r < 0 ? r : send_go(l, child, err);
}

/* A second process took over (launch.h, SYNC_PID). */
static int change_child(struct launch *l, struct engine_child *child, uint32_t number, struct err **err)
{
	int pidfd = sys_pidfd_open((pid_t)number, 0);

	if (pidfd < 0)
		return err_sys(err, E_PROCESS, errno, "pidfd_open", "init", NULL);
	(void)waitid((idtype_t)P_PIDFD, (id_t)child->pidfd, &(siginfo_t){ 0 }, WEXITED);
	fd_close_ptr(&child->pidfd);
	child->pidfd = pidfd;
	child->pid = (pid_t)number;
	return register_child(l, child, err);
}

static int take_error(const char *buf, uint32_t len, struct err **err)
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
static int handle(struct launch *l, struct engine_child *child, int kind, const char *buf, uint32_t len,
		  struct err **err)
{
	uint32_t number;

	switch (kind) {
	case 0:
		return l->carrier ? carrier_failed(l->carrier, l->carrier_pidfd, err) : child_vanished(child, err);
	case SYNC_READY:
		child->is_ready = true;
		return 0;
	case SYNC_ERROR:
		return take_error(buf, len, err);
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

static int converse(struct launch *l, struct engine_child *child, struct err **err)
{
	const struct plan_hooks *hooks = l->request->plan->hooks;
	char buf[ERR_PACK_MAX];	/* init sends nothing longer */
	int r = 0;

	if (!l->has_gone && !hooks[HOOK_PRESTART].count && !hooks[HOOK_CREATE_RUNTIME].count)
		r = send_go(l, child, err);
	if (r == 0 && l->has_gone)
		r = let_go_at_once(l, child, err);
	if (r == 0 && needs_no_answer(l, child))
		return 0;
	/* a child that already ended answers for itself: its error, not our broken pipe */
	if (r == -EPIPE && err)
		err_free_ptr(err);
	while (!child->is_ready && (r == 0 || r == -EPIPE)) {
		uint32_t len = 0;
		int timeout = hooks[HOOK_CREATE_CONTAINER].count ? -1 : SETUP_TIMEOUT_MS;
		int kind = sync_receive(child->sync_fd, buf, sizeof(buf), &len, timeout);

		r = handle(l, child, kind, buf, len, err);
	}
	return r < 0 ? r : 0;
}

static int send_notify_message(const struct launch *l, const struct engine_child *child, struct err **err)
{
	cleanup_free char *state = NULL, *message = NULL;
	int r;

	if (!l->request->plan->process.seccomp.use_notify)
		return 0;
	state = l->request->state_json(l->request->data, "creating", child->pid);
	message = notify_message(l->request->plan, state, child->pid);
	if (!message)
		return err_nomem(err);
	r = sync_send_text(child->sync_fd, SYNC_LISTENER, message);
	return r < 0 ? err_sys(err, E_PROCESS, -r, "sendmsg", "sync socket", NULL) : 0;
}

/* ---- the interface ---- */

void engine_abandon(struct engine_child *child)
{
	if (child->pidfd < 0)
		return;
	(void)sys_pidfd_send_signal(child->pidfd, SIGKILL);
	(void)waitid((idtype_t)P_PIDFD, (id_t)child->pidfd, &(siginfo_t){ 0 }, WEXITED);
	engine_child_done(child);
	child->pid = -1;
}

/* Another program makes the container. */
static int start_carrier(struct launch *l, struct engine_child *child, struct err **err)
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
	r = register_child(l, child, err);
	if (r == 0)
		r = meet_init(l, child, err);
	if (r == 0)
		r = write_maps(l, child, err);
	return r == 0 ? cgroup_guard_devices(l->request->cgroup, l->request->plan, l->cgroup_fd, err) : r;
}

/* Does it make the plan's namespaces, and nothing that the plan has not? */
static bool makes_namespaces(const struct plan *plan)
{
	static const enum plan_ns_kind kinds[] = { NS_USER, NS_MOUNT, NS_IPC, NS_UTS, NS_NET };
	bool has_all = plan->namespaces[NS_TIME].mode == NS_HOST && plan->namespaces[NS_PID].mode == NS_NEW;

	for (size_t i = 0; i < array_size(kinds); i++)
		has_all &= plan->namespaces[kinds[i]].mode == NS_NEW;
	return has_all;
}

/* The word of one that was to make a sandbox's namespaces. What failed there will be tried again with the container's process. */
static int hear_first(struct launch *l, struct engine_child *child, struct err **err)
{
	char buf[ERR_PACK_MAX];
	uint32_t len = 0, number = 0;
	int kind = sync_receive(child->sync_fd, buf, sizeof(buf), &len, SETUP_TIMEOUT_MS);

	if (kind == 0)
		return child_vanished(child, err);
	if (kind == SYNC_ERROR)
		return take_error(buf, len, err);
	if (kind != SYNC_APART || len != sizeof(number))
		return err_set(err, E_INTERNAL, kind < 0 ? -kind : EPROTO, NULL, "waiting for the sandbox's namespaces");
	memcpy(&number, buf, sizeof(number));
	l->is_apart = number == 0;
	return 0;
}

/* The process that waits for the plan: from before there was one, or from now. */
static int find_first(struct launch *l, struct engine_child *child, struct err **err)
{
	struct engine_child *waiting = l->request->waiting;
	int life_fd = child->life_fd, r = 0;

	if (waiting && waiting->is_apart && !makes_namespaces(l->request->plan))
		engine_abandon(waiting);
	if (waiting && waiting->pid > 0) {
		*child = *waiting;
		*waiting = (struct engine_child)ENGINE_CHILD_INIT;
	} else {
		r = engine_wait_for_plan(l->request->facts, l->request->plan->process.preserve_fds, false, child, err);
	}
	child->life_fd = life_fd;
	return r == 0 && child->is_apart ? hear_first(l, child, err) : r;
}

/* Is nothing to be done at the gate that the process must be known for? */
static bool has_open_gate(const struct launch *l)
{
	const struct plan *plan = l->request->plan;

	return !launch_changes_process(plan, l->request->facts->is_privileged) && !plan->net_device_count &&
	       !plan->hooks[HOOK_PRESTART].count && !plan->hooks[HOOK_CREATE_RUNTIME].count && !plan->hooks[HOOK_CREATE_CONTAINER].count;
}

/* What the child needs no answer for is said before it asks. One that ended already answers for itself: its error, not our
 * broken pipe. */
static int go_early(struct launch *l, struct engine_child *child, struct err **err)
{
	int r = has_open_gate(l) && !l->has_gone ? send_go(l, child, err) : 0;

	/* else not before the process is in the journal and the devices are guarded */
	if (r == 0 && l->has_gone && l->request->plan->lifecycle.is_exec && !l->request->on_child)
		r = let_go_at_once(l, child, err);
	if (r == -EPIPE && err)
		err_free_ptr(err);
	return r == -EPIPE ? 0 : r;
}

/* Until the container's process is known, which may have said something before the one that made it did. Where that is its
 * failure we must know it all the same. */
static int meet_container(struct launch *l, struct engine_child *child, struct err **err)
{
	char buf[ERR_PACK_MAX];
	uint32_t len, number;
	int failure = 0;

	for (;;) {
		int kind = sync_receive(child->sync_fd, buf, sizeof(buf), &len, SETUP_TIMEOUT_MS);

		if (kind == SYNC_ERROR && !failure) {
			failure = take_error(buf, len, err);
		} else if (kind == SYNC_READY) {
			child->is_ready = true;
		} else if ((kind == SYNC_BORN || kind == SYNC_UNBORN) && len == sizeof(number)) {
			memcpy(&number, buf, sizeof(number));
			if (kind == SYNC_UNBORN)
				return clone_failed(l, (int)number, err);
			break;
		} else {
			return failure ? failure : handle(l, child, kind, buf, len, err);
		}
	}
	l->first_pidfd = take_fd(child->pidfd);
	child->pid = (pid_t)number;
	child->pidfd = sys_pidfd_open(child->pid, 0);
	if (child->pidfd < 0)
		return failure ? failure : err_sys(err, E_PROCESS, errno, "pidfd_open", "init", NULL);
	return failure;
}

static int guard_devices(const struct launch *l, struct err **err)
{
	return cgroup_guard_devices(l->request->cgroup, l->request->plan, l->cgroup_fd, err);
}

/* An ordinary user may look at init's namespaces only until it has its id there: its memory belongs to the user namespace in which
 * it was executed, and is not dumpable from then on (ptrace(2), "Ptrace access mode checking"). */
static int keep_network(const struct launch *l, struct engine_child *child, struct err **err)
{
	char path[sizeof("/proc/2147483647/ns/net")];

	if (!l->is_userns_new || !plan_carries_network(l->request->plan))
		return 0;
	snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)child->pid);
	child->net_fd = open(path, O_RDONLY | O_CLOEXEC);
	return child->net_fd < 0 ? err_sys(err, E_NETWORK, errno, "open", path, NULL) : 0;
}

/* The filter of devices lets everybody make nodes (plan/from_oci_devices.c), so that init may do so meanwhile; but lists of v1
 * are empty while they are written. */
static int start_native(struct launch *l, struct engine_child *child, struct err **err)
{
	int r = find_first(l, child, err);

	if (r == 0 && l->is_apart)
		r = idmap_write(l->request->plan, l->request->facts, child->pid, err);
	if (r == 0 && !cgroup_guards_at_once(l->request->cgroup, l->request->plan))
		r = guard_devices(l, err);
	if (r == 0)
		r = send_launch(l, child, err);
	fd_close_ptr(&l->life_end);
	if (r == 0 && !launch_needs_word(l->request->plan, l->request->facts->is_privileged, l->is_apart))
		r = go_early(l, child, err);
	if (r == 0)
		r = meet_container(l, child, err);
	if (r == 0)
		r = register_child(l, child, err);
	if (r == 0)
		r = keep_network(l, child, err);
	if (r == 0)
		r = write_maps(l, child, err);
	if (r == 0)
		r = go_early(l, child, err);
	return r == 0 && cgroup_guards_at_once(l->request->cgroup, l->request->plan) ? guard_devices(l, err) : r;
}

static int start(struct launch *l, struct engine_child *child, struct err **err)
{
	cleanup_close int container_net = -1;
	int r = idmapped_open(l->request->plan, l->request->facts, &l->fds, err);

	if (r == 0)
		r = notify_open(l->request->plan, &l->fds, err);
	if (r == 0)
		r = cgroup_open_tasks(l->request->cgroup, &l->tasks, err);
	if (r == 0)
		r = cgroup_clone_fd(l->request->cgroup, &l->cgroup_fd, err);
	if (r == 0)
		r = make_life(l, child, err);
	if (r == 0)
		r = l->carrier ? start_carrier(l, child, err) : start_native(l, child, err);
	if (r == 0)
		r = netdevices_move(l->request->plan, child->pid, &container_net, err);
	if (r < 0)
		return r;
	r = converse(l, child, err);
	if (r == 0)
		r = send_notify_message(l, child, err);
	if (r < 0)
		netdevices_return(l->request->plan, container_net);
	else
		cgroup_joined(l->request->cgroup);
	return r;
}

/* init has no other way to its own files of /proc, which the sandbox may cover. */
static int open_for_carrier(const struct carrier *carrier, struct launch_fds *fds, struct err **err)
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

int launch_start(const struct engine_request *request, struct carrier *carrier, struct engine_child *ret, struct err **err)
{
	struct engine_child child = ENGINE_CHILD_INIT;
	_Alignas(16) char stack[CHILD_STACK_SIZE]; /* not zeroed: only pages that it needs are touched */
	struct launch l = {
		.request = request,
		.carrier = carrier,
		.carrier_pidfd = -1,
		.first_pidfd = -1,
		.stack = stack,
		.fds = LAUNCH_FDS_NONE,
		.own_namespaces = JOINED_OWN_NONE,
		.image_fd = -1,
		.cgroup_fd = -1,
		.sync_end = -1,
		.parent_sync = -1,
		.parent_life = -1,
		.life_end = -1,
		.is_userns_new = request->plan->namespaces[NS_USER].mode == NS_NEW,
		.lacks_setgid = carrier && carrier->userns == CARRIER_HAS_RIGHTS && idmap_denies_setgroups(request->plan, request->facts),
	};
	int r;

	/* others make it themselves */
	l.fds.net_is_late = !carrier && netns_can_be_late(request->plan, request->facts);
	l.fds.plan = arena_fd(request->plan_arena);
	l.fds.start = request->start_fd;
	l.fds.target = request->target_pidfd;
	l.fds.console = request->console_socket_fd;
	r = carrier ? open_for_carrier(carrier, &l.fds, err) : 0;
	if (r == 0)
		r = start(&l, &child, err);
	carrier_end(&l.carrier_pidfd);
	if (r < 0)
		engine_abandon(&child);
	if (l.first_pidfd >= 0)
		(void)waitid((idtype_t)P_PIDFD, (id_t)l.first_pidfd, &(siginfo_t){ 0 }, WEXITED);
	fd_close_ptr(&l.first_pidfd);
	fd_close_ptr(&l.sync_end);
	fd_close_ptr(&l.life_end);
	fd_close_ptr(&l.image_fd);
	fd_close_ptr(&l.cgroup_fd);
	fd_close_ptr(&l.fds.listener);
	fd_close_ptr(&l.fds.proc);
	fd_close_ptr(&l.fds.input);
	fd_close_ptr(&l.fds.output);
	fd_close_ptr(&l.fds.errors);
	free(l.argument);
	(void)joined_return(&l.own_namespaces, NULL);
	idmapped_close(&l.fds);
	joined_close(&l.fds);
	cgroup_tasks_done(&l.tasks);
	if (r < 0) {
		engine_child_done(&child);
		return r;
	}
	*ret = child;
	return 0;
}

static int native_start(const struct engine_request *request, struct engine_child *ret, struct err **err)
{
	return launch_start(request, NULL, ret, err);
}

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
		return child_vanished(child, err);
	child->has_started = r == 0;
	if (r == 0)
		return 0;
	if (r == SYNC_ERROR)
		return take_error(buf, len, err);
	return err_set(err, E_PROCESS, r < 0 ? -r : EPROTO, NULL, "waiting for the workload's start");
}

void engine_child_done(struct engine_child *child)
{
	fd_close_ptr(&child->pidfd);
	fd_close_ptr(&child->sync_fd);
	fd_close_ptr(&child->life_fd);
	fd_close_ptr(&child->net_fd);
}

/* The plan builders refuse what is not lowered; what is left is what this host's user may do. */
static int native_unsupported(const struct plan *plan, const struct host_facts *facts, struct err **err)
{
	if (plan->namespaces[NS_MOUNT].mode == NS_HOST)
		return err_set(err, E_UNSUPPORTED, EOPNOTSUPP, "/linux/namespaces", "a mount namespace is needed");
	if (!facts->is_privileged && plan->namespaces[NS_USER].mode == NS_HOST && facts->euid != 0) {
		int r = err_set(err, E_UNSUPPORTED, EOPNOTSUPP, "/linux/namespaces",
				"an ordinary user needs a user namespace for a container");

		err_hint(err, "add {\"type\": \"user\"} with uidMappings and gidMappings, as `mxcrun spec --rootless` does");
		return r;
	}
	return 0;
}

const struct engine native_engine = { .name = "native", .unsupported = native_unsupported, .start = native_start };

/* init.c - the container's init: the stages in their order, and how a failure gets home.
 *
 * launch.h is the theory of operation. This program is executed from a sealed memfd with one argument,
 * descriptors, and an empty environment. It holds nothing of the host but those, and gives up each one
 * as soon as it is used.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/image.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/sys.h"
#include "engine/engine.h"
#include "engine/native/init.h"

static int exit_code_of(const struct err *err)
{
	switch (err_root_code(err)) {
	case E_EXEC_NOT_FOUND: return LAUNCH_EXIT_NOT_FOUND;
	case E_EXEC: return LAUNCH_EXIT_EXEC;
	default: return LAUNCH_EXIT_SETUP;
	}
}

static void report(const struct init *init, const struct err *err)
{
	size_t len = 0;
	cleanup_free void *packed = err_pack(err, &len);

	if (packed && init->fds.sync >= 0 &&
	    (sync_send(init->fds.sync, SYNC_ERROR, packed, (uint32_t)len) == 0 ||
	     sync_write(init->fds.sync, SYNC_ERROR, packed, (uint32_t)len) == 0))
		return;
	if (packed && init->fds.start >= 0)
		(void)fd_write_all(init->fds.start, packed, len);	/* `start` reads it, see launch.h */
}

/* The bundle's filter, which may be in force, may refuse both calls; the C library would make them for ever. What a process can't be kept
 * from is a fault, which ends even the first one of a pid namespace. */
static void end(int code) __attribute__((noreturn));
static void end(int code)
{
	(void)syscall(SYS_exit_group, code);
	(void)syscall(SYS_exit, code);
	__builtin_trap();
}

int init_fail(const struct init *init, struct err *err)
{
	int code = exit_code_of(err);

	report(init, err);
	end(code);
}

static int add_number(int **list, size_t *count, long number)
{
	int *larger = reallocarray(*list, *count + 1, sizeof(**list));

	if (!larger)
		return -ENOMEM;
	*list = larger;
	larger[(*count)++] = (int)number;
	return 0;
}

static bool take_word(const char **at, const char *word, bool *ret)
{
	size_t len = strlen(word);

	if (strncmp(*at, word, len) != 0)
		return false;
	*ret = true;
	*at += len;
	*at = **at == ',' ? *at + 1 : NULL;
	return true;
}

static bool take_flag(struct launch_fds *fds, const char **at)
{
	return take_word(at, "late=net", &fds->net_is_late) || take_word(at, "by=lxc", &fds->by_lxc) ||
	       take_word(at, "by=root", &fds->by_root) || take_word(at, "for=sandbox", &fds->is_apart);
}

static bool take_signals(struct launch_fds *fds, const char **at)
{
	char *end;

	if (strncmp(*at, "signals=", 8) != 0)
		return false;
	fds->ignored_signals = strtoull(*at + 8, &end, 10);
	*at = *end == ',' ? end + 1 : NULL;
	return true;
}

/* The name is len long. */
static int keep_fd(struct launch_fds *fds, const char *name, size_t len, int fd)
{
	struct { const char *name; int *fd; } rows[] = {
		{ "plan", &fds->plan }, { "sync", &fds->sync }, { "start", &fds->start },
		{ "console", &fds->console }, { "life", &fds->life }, { "listener", &fds->listener },
		{ "target", &fds->target }, { "cgroup", &fds->cgroup },
		{ "proc", &fds->proc }, { "input", &fds->input }, { "output", &fds->output }, { "errors", &fds->errors },
	};

	if (len == 5 && !strncmp(name, "mount", len))
		return add_number(&fds->idmapped, &fds->idmapped_count, fd);
	if (len == 4 && !strncmp(name, "task", len))
		return add_number(&fds->tasks, &fds->task_count, fd);
	if (len == 3 && !strncmp(name, "ns", 2) && name[2] >= '0' && name[2] < '0' + NS_MAX)
		fds->ns[name[2] - '0'] = fd;
	for (size_t i = 0; i < array_size(rows); i++)
		if (!strncmp(name, rows[i].name, len) && !rows[i].name[len])
			*rows[i].fd = fd;
	return 0;
}

int launch_fds_parse(const char *text, const int *received, size_t count, struct launch_fds *fds)
{
	for (const char *at = text; at && *at;) {
		const char *equals = strchr(at, '=');
		char *end;
		long number;
		int r;

		if (take_flag(fds, &at) || take_signals(fds, &at))
			continue;
		number = equals ? strtol(equals + 1, &end, 10) : -1;
		if (number < 0 || number > INT32_MAX || (received && (size_t)number >= count))
			return -EINVAL;
		if (received)
			number = received[number];
		else if (fcntl((int)number, F_SETFD, FD_CLOEXEC) < 0)
			return -errno;
		r = keep_fd(fds, at, (size_t)(equals - at), (int)number);
		if (r < 0)
			return r;
		at = *end == ',' ? end + 1 : NULL;
	}
	return fds->sync >= 0 && (fds->plan >= 0 || !received) ? 0 : -EINVAL;
}

/* The engine that executed us may have kept what is said there. */
static int take_streams_back(struct init *init)
{
	int *const fds[] = { [STDIN_FILENO] = &init->fds.input, [STDOUT_FILENO] = &init->fds.output, [STDERR_FILENO] = &init->fds.errors };

	for (int i = 0; i < (int)array_size(fds); i++) {
		if (*fds[i] >= 0 && dup2(*fds[i], i) < 0)
			return -errno;
		fd_close_ptr(fds[i]);
	}
	return 0;
}

char init_message[SYNC_PAYLOAD_MAX] LARGE_ZEROS;	/* costs only the pages that one fills */

/* Another program executed us: all has been said, and we are the container's process. Else we wait for the plan. */
static bool is_carried(const struct init *init)
{
	return init->fds.proc >= 0;
}

static int start_clean(struct init *init, const char *argument, struct err **err)
{
	int r = argument ? launch_fds_parse(argument, NULL, 0, &init->fds) : -EINVAL;

	if (r == 0)
		r = take_streams_back(init);
	if (r < 0)
		return err_set(err, E_INTERNAL, -r, NULL, "init got bad descriptors");
	/* before anything of the container can look at us (invariant 20) */
	if (prctl(PR_SET_DUMPABLE, 0) < 0)
		return err_sys(err, E_PROCESS, errno, "prctl", "PR_SET_DUMPABLE", NULL);
	if (!is_carried(init) && prctl(PR_SET_NAME, ENGINE_SETUP_NAME) < 0)
		return err_sys(err, E_PROCESS, errno, "prctl", "PR_SET_NAME", NULL);
	if (init->fds.is_apart)
		birth_part(init);
	r = init->fds.plan < 0 ? birth_receive(init, init_message, sizeof(init_message), err) : 0;
	if (r < 0)
		return r;
	r = arena_map_shared(init->fds.plan);
	if (r < 0)
		return err_sys(err, E_INTERNAL, -r, "mmap", "plan", NULL);
	close(init->fds.plan);
	init->fds.plan = -1;
	init->plan = (const struct plan *)ARENA_SHARED_FIRST;
	umask(0);
	path_umask_is_zero(true);
	/* LXC has done so */
	if (is_carried(init) && init->plan->process.new_session && !init->fds.by_lxc && setsid() < 0)
		return err_sys(err, E_PROCESS, errno, "setsid", "of the container", NULL);
	return 0;
}

/* Wait for one message and the parts before it; their payload becomes state_json. EOF means that the parent died: so do
 * we. */
static int wait_for(struct init *init, enum sync_kind kind, struct err **err)
{
	size_t text_len = 0;
	uint32_t len = 0;
	int fd = -1, r;

	do {
		char *text;

		r = sync_receive_fd(init->fds.sync, init_message, SYNC_PAYLOAD_MAX, &len, -1,
				    kind == SYNC_GO && init->fds.net_is_late ? &fd : NULL);
		if (fd >= 0)
			init->fds.ns[NS_NET] = take_fd(fd);
		if (r == 0)
			_exit(LAUNCH_EXIT_SETUP);
		if (r < 0)
			return err_sys(err, E_PROCESS, -r, "recvmsg", "sync socket", NULL);
		if (r != (int)kind && r != SYNC_MORE)
			return err_set(err, E_INTERNAL, EPROTO, NULL, "sync message %d found, %d expected", r, (int)kind);
		if (!len)
			continue;
		text = realloc(text_len ? init->state_json : NULL, text_len + len + 1);
		if (!text)
			return err_nomem(err);
		if (!text_len)
			free(init->state_json);
		memcpy(text + text_len, init_message, len);
		text_len += len;
		text[text_len] = '\0';
		init->state_json = text;
	} while (r == SYNC_MORE);
	return 0;
}

static int send_kind(struct init *init, enum sync_kind kind, struct err **err)
{
	int r = sync_send(init->fds.sync, kind, NULL, 0);

	return r < 0 ? err_sys(err, E_PROCESS, -r, "sendmsg", "sync socket", NULL) : 0;
}

/* The gate: the parent has put us into the cgroups and run the hooks of its own namespace. */
int init_pass_gate(struct init *init, struct err **err)
{
	const struct plan_hooks *hooks = init->plan->hooks;
	int r = 0;

	if (init->has_passed)
		return 0;
	init->has_passed = true;
	if (hooks[HOOK_PRESTART].count || hooks[HOOK_CREATE_RUNTIME].count)
		r = send_kind(init, SYNC_HOOKS, err);
	if (r == 0)
		r = wait_for(init, SYNC_GO, err);
	return r == 0 && init->fds.net_is_late ? namespaces_late_net(init, err) : r;
}

/* What the process keeps over its execve, whether its container is new or not. */
static int set_attributes(struct init *init, struct err **err)
{
	int r = label_apply(init, err);

	if (r == 0)
		r = scheduling_apply(init, err);
	return r < 0 ? r : limits_apply(init, err);
}

/* In the new root, whoever has made it. */
static int settle(struct init *init, struct err **err)
{
	int r = init->plan->process.terminal ? terminal_setup(init, err) : 0;

	if (r == 0)
		r = readonly_apply_dev(init, err);
	if (r == 0)
		r = devices_reopen_null(init, err);
	if (r == 0)
		r = procfs_apply(init, err);
	return r < 0 ? r : set_attributes(init, err);
}

/* Where only the network namespace is waited for, there is work that can be done without it: mounts_apply() passes the gate where
 * it needs one, and at the latest it is passed before anybody else sees what is made. */
static int pass_gate_now(struct init *init, struct err **err)
{
	return init->fds.net_is_late ? 0 : init_pass_gate(init, err);
}

/* Hooks between the mounts and the change of the root name what they work on from there, as under runc. */
static int stand_in_root(struct init *init, struct err **err)
{
	if (!init->plan->hooks[HOOK_CREATE_CONTAINER].count || fchdir(init->root_fd) == 0)
		return 0;
	return err_sys(err, E_ROOTFS, errno, "fchdir", "new root", "/root/path");
}

static int build(struct init *init, struct err **err)
{
	static int (*const stages[])(struct init *, struct err **) = {
		label_open, namespaces_join, namespaces_configure, rootfs_prepare, procfs_open, pass_gate_now,
		namespaces_new_cgroup, mounts_apply, devices_make, masks_apply, readonly_apply, init_pass_gate,
	};
	int r = 0;

	for (size_t i = 0; i < array_size(stages) && r == 0; i++)
		r = stages[i](init, err);
	if (r == 0)
		r = stand_in_root(init, err);
	if (r == 0)
		r = hooks_run(&init->plan->hooks[HOOK_CREATE_CONTAINER], "createContainer", init->state_json,
			      init->plan->process.env, err);
	if (r == 0)
		r = regions_apply(init, err);
	if (r == 0)
		r = rootfs_enter(init, err);
	return r < 0 ? r : settle(init, err);
}

/* The root of a mount namespace that was joined is the container's. */
static int open_container_root(struct init *init, struct err **err)
{
	init->root_fd = openat(AT_FDCWD, "/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	return init->root_fd < 0 ? err_sys(err, E_ROOTFS, errno, "open", "/ of the container", NULL) : 0;
}

/* exec: the container is there, only the process has to become one of it. */
static int join(struct init *init, struct err **err)
{
	static int (*const stages[])(struct init *, struct err **) = {
		label_open, namespaces_join, open_container_root, procfs_open_joined, init_pass_gate, namespaces_new_cgroup,
	};
	int r = 0;

	for (size_t i = 0; i < array_size(stages) && r == 0; i++)
		r = stages[i](init, err);
	if (r == 0 && init->plan->process.terminal)
		r = terminal_setup(init, err);
	return r < 0 ? r : set_attributes(init, err);
}

/* LXC names us by a descriptor, has us killed when it ends itself, makes all mounts shared, and tells nobody our number. */
static int take_over(struct init *init, struct err **err)
{
	(void)prctl(PR_SET_NAME, ENGINE_HELD_NAME);
	if (prctl(PR_SET_PDEATHSIG, 0) < 0)
		return err_sys(err, E_PROCESS, errno, "prctl", "PR_SET_PDEATHSIG", NULL);
	/* of raw_take_ids() in clone.c */
	if (init->plan->namespaces[NS_USER].mode == NS_NEW && prctl(PR_SET_SECUREBITS, 0) < 0)
		return err_sys(err, E_PROCESS, errno, "prctl", "PR_SET_SECUREBITS", NULL);
	if (mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0)
		return err_sys(err, E_ROOTFS, errno, "mount", "propagation of /", NULL);
	return send_kind(init, SYNC_HERE, err);
}

static int new_cgroup_view(struct init *init, struct err **err)
{
	return init->fds.by_lxc ? namespaces_new_cgroup(init, err) : 0;
}

static int nodes_of_dev(struct init *init, struct err **err)
{
	return init->fds.by_lxc ? devices_make(init, err) : 0;
}

/* Another engine has made the namespaces and the mounts, and we stand in the new root with all capabilities: what it can't
 * do is left. */
static int complete(struct init *init, struct err **err)
{
	static int (*const stages[])(struct init *, struct err **) = {
		procfs_take, namespaces_configure, open_container_root, init_pass_gate, new_cgroup_view, adjust_mounts, nodes_of_dev,
		masks_apply, readonly_apply, rootfs_finish,
	};
	int r = 0;

	init->root_is_entered = true;
	if (init->fds.by_lxc)
		r = take_over(init, err);
	for (size_t i = 0; i < array_size(stages) && r == 0; i++)
		r = stages[i](init, err);
	return r < 0 ? r : settle(init, err);
}

static void end_by_signal(int number)
{
	_exit(128 + number);
}

/* Who stops a container that was never started: the first process of a pid namespace gets none but those that it handles
 * (pid_namespaces(7)). execve(2) takes the handlers back; what the caller has ignored stays so. */
static void heed_signals(void)
{
	static const int numbers[] = { SIGHUP, SIGINT, SIGTERM };
	sigset_t heeded;

	sigemptyset(&heeded);
	for (size_t i = 0; i < array_size(numbers); i++) {
		sigaddset(&heeded, numbers[i]);
		if (signal(numbers[i], end_by_signal) == SIG_IGN)
			(void)signal(numbers[i], SIG_IGN);
	}
	/* all have been blocked since init was made */
	(void)sigprocmask(SIG_UNBLOCK, &heeded, NULL);
}

/* One byte from `start` through the FIFO, or the parent's word (run). */
static int wait_for_start(struct init *init, struct err **err)
{
	char byte = 0;
	ssize_t n;

	if (init->fds.start < 0)
		return wait_for(init, SYNC_START, err);
	/* create is over: its end of the socket closes; errors go through the FIFO from here on */
	close(init->fds.sync);
	init->fds.sync = -1;
	heed_signals();
	do
		n = read(init->fds.start, &byte, 1);
	while (n < 0 && errno == EINTR);
	if (n != 1 || byte != LAUNCH_START_BYTE)
		return err_set(err, E_PROCESS, n < 0 ? errno : EPROTO, NULL, "reading the start FIFO");
	return 0;
}

static int run_workload(struct init *init, struct err **err)
{
	return exec_workload(init, init->program, err);
}

static int run(struct init *init, struct err **err)
{
	int r = init->plan->lifecycle.is_exec ? join(init, err) : is_carried(init) ? complete(init, err) : build(init, err);

	if (r == 0)
		r = exec_look_up(init, &init->program, err);
	if (r == 0)
		r = home_add(init, err);
	fd_close_ptr(&init->root_fd);
	fd_close_ptr(&init->covers_fd);
	fd_close_ptr(&init->map_fd);
	free(take_ptr(init->readonly_later.fds));
	fd_close_ptr(&init->legacy.fds_fd);
	fd_close_ptr(&init->legacy.stage_fd);
	if (r == 0)
		r = send_kind(init, SYNC_READY, err);
	if (r == 0 && init->plan->process.seccomp.use_notify) {
		r = wait_for(init, SYNC_LISTENER, err);
		init->listener_message = take_ptr(init->state_json);
	}
	if (r == 0)
		r = wait_for(init, SYNC_RECORDED, err);
	if (r == 0)
		r = wait_for_start(init, err);
	if (r < 0)
		return r;
	if (init->plan->lifecycle.stays)
		return reaper_stay(init, err);
	return init->plan->process.keep_init ? reaper_run(init, run_workload, err) : run_workload(init, err);
}

int main(int argc, char **argv)
{
	struct init init = { .fds = LAUNCH_FDS_NONE, .root_fd = -1, .proc_fd = -1, .covers_fd = -1, .map_fd = -1, .label_proc_fd = -1, .readonly_later.dev_fd = -1,
			     .legacy = { .fds_fd = -1, .stage_fd = -1 }, .place = { .dir_fd = -1 } };
	struct err *err = NULL;
	int r;

	signal(SIGPIPE, SIG_IGN);
	r = start_clean(&init, argc > 1 ? argv[1] : NULL, &err);
	if (r == 0)
		r = is_carried(&init) ? run(&init, &err) : birth_give(&init, run, &err);
	return r < 0 ? init_fail(&init, err) : LAUNCH_EXIT_SETUP;
}

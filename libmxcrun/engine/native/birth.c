/* birth.c - from the process that waited for the plan to the container's own; launch.h tells why there are two.
 *
 * The first receives the plan and the descriptors, enters what a process can only enter for its children, and makes the second,
 * which shares its memory and goes on with the stages. From then on the first touches nothing that both could use: raw calls on
 * a piece of the stack that the second leaves out. The second is a child of the runtime, as the first was.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/cpus.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/sys.h"
#include "base/strbuf.h"
#include "engine/native/clone.h"
#include "engine/native/idmap_text.h"
#include "engine/native/init.h"
#include "engine/native/joined.h"
#include "engine/native/loopback.h"

#define BESIDE_WAIT_S 60

struct birth {
	struct init *init;
	int (*run)(struct init *init, struct err **err);
	struct own_ids own_ids;
	bool changes_id;
	bool ipc_is_late;		/* the second makes it */
	bool writes_maps;		/* the first does, launch_maps_at_once() */
	struct strbuf uid_map, gid_map;
	const char *map_failed;		/* the name of the file */
	int map_word;			/* 0: not yet; 1: in force; else a negative errno */
};

/* ---- what the first does for the second, told by shared memory ---- */

static void say(int *word, int value)
{
	__atomic_store_n(word, value, __ATOMIC_RELEASE);
	(void)raw_call(SYS_futex, (long)word, FUTEX_WAKE_PRIVATE, 1, 0, 0);
}

/* The value, or 0 when none has come in time. */
static int hear(int *word)
{
	const struct timespec limit = { .tv_sec = BESIDE_WAIT_S };
	long r = 0;
	int value;

	while (!(value = __atomic_load_n(word, __ATOMIC_ACQUIRE)) && r != -ETIMEDOUT)
		r = raw_call(SYS_futex, (long)word, FUTEX_WAIT_PRIVATE, 0, (long)&limit, 0);
	return value;
}

/* ---- the second process ---- */

static int join_v1_groups(struct launch_fds *fds, struct err **err)
{
	for (size_t i = 0; i < fds->task_count; i++) {
		if (write(fds->tasks[i], "0", 1) != 1)
			return err_sys(err, E_CGROUP, errno, "write", "tasks of a cgroup", NULL);
		fd_close_ptr(&fds->tasks[i]);
	}
	free(take_ptr(fds->tasks));
	fds->task_count = 0;
	return 0;
}

static int wait_for_word(const struct init *init, struct err **err)
{
	char byte = 0;
	ssize_t n = read(init->fds.sync, &byte, 1);

	if (n == 0)
		_exit(LAUNCH_EXIT_SETUP);	/* the parent died */
	return n == 1 && byte == SYNC_WORD ? 0 : err_sys(err, E_PROCESS, n < 0 ? errno : EPROTO, "read", "sync socket", NULL);
}

static int wait_for_maps(struct birth *birth, struct err **err)
{
	int word = hear(&birth->map_word);

	if (word > 0)
		return 0;
	if (!word)
		return err_sys(err, E_IDMAP, ETIMEDOUT, "futex", "id maps", "/linux/uidMappings");
	return err_sys(err, E_IDMAP, -word, "write", birth->map_failed,
		       birth->map_failed[0] == 'u' ? "/linux/uidMappings" : "/linux/gidMappings");
}

/* The maps are in force. Until then our files of /proc had to be the caller's, who writes them or has newuidmap do so. */
static int take_ids(const struct birth *birth, struct err **err)
{
	int r = birth->changes_id ? sources_open(birth->init, err) : 0;

	if (r < 0)
		return r;
	/* for the programs of hooks */
	r = (int)raw_take_ids(birth->own_ids, false);
	if (r < 0)
		return err_sys(err, E_NAMESPACE, -r, "setresuid", "an id of the new user namespace", "/linux/uidMappings");
	r = birth->ipc_is_late ? namespaces_new_ipc(birth->init, err) : 0;
	if (r < 0)
		return r;
	return prctl(PR_SET_DUMPABLE, 0) < 0 ? err_sys(err, E_PROCESS, errno, "prctl", "PR_SET_DUMPABLE", NULL) : 0;
}

static int settle_in(struct birth *birth, struct err **err)
{
	struct init *init = birth->init;
	const struct plan *plan = init->plan;
	int r;

	fd_close_ptr(&init->fds.cgroup);
	r = join_v1_groups(&init->fds, err);
	if (r == 0)
		r = scheduling_take_all_cpus(init, err);
	if (r == 0 && plan->process.new_session && setsid() < 0)
		r = err_sys(err, E_PROCESS, errno, "setsid", "of the container", NULL);
	if (r == 0 && launch_needs_word(plan, init->fds.by_root, init->fds.is_apart))
		r = wait_for_word(init, err);
	if (r == 0 && birth->writes_maps)
		r = wait_for_maps(birth, err);
	return r == 0 && plan->namespaces[NS_USER].mode == NS_NEW ? take_ids(birth, err) : r;
}

static int be_second(void *data)
{
	struct birth *birth = data;
	struct err *err = NULL;
	int r = settle_in(birth, &err);

	if (r == 0)
		r = birth->run(birth->init, &err);
	if (r < 0)
		init_fail(birth->init, err);
	return LAUNCH_EXIT_SETUP;
}

/* ---- the first ---- */

static bool is_other(const struct plan_idmaps *maps, uint32_t id, uint32_t now)
{
	const struct plan_idmap *map = id == (uint32_t)-1 ? NULL : plan_idmap_inside(maps, id);

	return map && map->outside + (id - map->inside) != now;
}

/* Will init in the new user namespace be another user than the caller? */
static bool changes_id(const struct birth *birth)
{
	const struct plan *plan = birth->init->plan;

	return plan->namespaces[NS_USER].mode == NS_NEW && plan->root.kind == ROOT_BUNDLE &&
	       is_other(&plan->uid_maps, birth->own_ids.uid, geteuid());
}

/* The folder of message queues belongs to who makes the namespace: to init, where that is not who we are. */
static bool ipc_is_late(const struct birth *birth)
{
	const struct plan *plan = birth->init->plan;

	return plan->namespaces[NS_USER].mode == NS_NEW && plan->namespaces[NS_IPC].mode == NS_NEW && !birth->init->fds.is_apart &&
	       (is_other(&plan->uid_maps, birth->own_ids.uid, geteuid()) || is_other(&plan->gid_maps, birth->own_ids.gid, getegid()));
}

static uint64_t new_namespaces(const struct birth *birth)
{
	const struct init *init = birth->init;
	const struct plan *plan = init->plan;
	uint64_t flags = 0;

	/* below a joined user namespace the next process makes them, so that they belong to it */
	if (plan->namespaces[NS_USER].mode == NS_JOIN)
		return 0;
	for (int kind = 0; kind < NS_MAX; kind++)
		if (plan->namespaces[kind].mode == NS_NEW && kind != NS_CGROUP &&
		    !(kind == NS_TIME && plan_has_time_offsets(plan)) && !(kind == NS_NET && init->fds.net_is_late) &&
		    !(kind == NS_IPC && birth->ipc_is_late))
			flags |= (uint64_t)(unsigned int)joined_flag(kind);
	return init->fds.is_apart ? flags & ~(uint64_t)LAUNCH_APART : flags;
}

/* By a process that a descriptor names all its namespaces are entered in one call (Linux 5.8); the pid namespace here already, so
 * that the second is born in it. A joined user namespace takes steps between, and an ordinary user a second process more. */
static bool join_by_process(const struct init *init)
{
	const struct plan *plan = init->plan;

	return init->fds.by_root && plan->namespaces[NS_PID].mode == NS_JOIN && plan->namespaces[NS_USER].mode != NS_JOIN &&
	       sys_setns(init->fds.target, CLONE_NEWPID) == 0;
}

/* The namespace files were opened by the number of the container's process: do they belong to it? */
static int join_for_exec(struct init *init, struct err **err)
{
	cleanup_close int target = -1;
	struct pollfd ended = { .events = POLLIN };
	int r;

	if (join_by_process(init))
		return 0;
	target = take_fd(init->fds.target);
	ended.fd = target;
	r = joined_open(init->plan, &init->fds, err);
	if (r < 0)
		return r;
	if (poll(&ended, 1, 0) != 0)
		return err_set(err, E_STATE, ESRCH, NULL, "the container has stopped");
	if (init->fds.ns[NS_PID] < 0 || !init->fds.by_root)
		return 0;
	if (sys_setns(init->fds.ns[NS_PID], CLONE_NEWPID) < 0)
		return err_sys(err, E_NAMESPACE, errno, "setns", "pid namespace", NULL);
	fd_close_ptr(&init->fds.ns[NS_PID]);
	return 0;
}

/* In the container the process can't open its own files of /proc without being dumpable; neither can an ordinary user's here. */
static int set_oom_score(const struct plan_process *process, struct err **err)
{
	char text[16];
	int r;

	if (!process->has_oom_score_adj)
		return 0;
	snprintf(text, sizeof(text), "%d", process->oom_score_adj);
	(void)prctl(PR_SET_DUMPABLE, 1);
	r = fd_write_file(AT_FDCWD, "/proc/self/oom_score_adj", text);
	if (r < 0)
		return err_sys(err, E_PROCESS, -r, "write", "/proc/self/oom_score_adj", "/process/oomScoreAdj");
	return prctl(PR_SET_DUMPABLE, 0) < 0 ? err_sys(err, E_PROCESS, errno, "prctl", "PR_SET_DUMPABLE", NULL) : 0;
}

/* An idle CPU, where the second would be put, takes 0.1 to 0.2 ms until it runs; ours is free as soon as we have ended. Its first
 * steps let it run anywhere again. Not where we have more to do than to end, nor where the parent is busy on the other CPU and ours is
 * the better place for it next, nor where a plan keeps to the caller's CPUs. */
static void keep_on_this_cpu(const struct birth *birth)
{
	const struct init *init = birth->init;
	cpu_set_t here;

	if (init->plan->process.all_cpus && !init->plan->lifecycle.is_exec && !birth->writes_maps && !init->fds.net_is_late && cpus_own(&here))
		(void)sched_setaffinity(0, sizeof(here), &here);
}

/* What the second inherits. */
static int prepare(struct init *init, struct err **err)
{
	const struct plan *plan = init->plan;
	const struct plan_mask *cpus = &plan->process.initial_cpus;
	int r;

	if (plan->lifecycle.is_exec) {
		r = join_for_exec(init, err);
		if (r == 0)
			r = set_oom_score(&plan->process, err);
	} else {
		r = joined_open(plan, &init->fds, err);
		if (r == 0)
			r = joined_enter(plan, &init->fds, NULL, err);
	}
	if (r == 0 && cpus->count && syscall(SYS_sched_setaffinity, 0, cpus->count * sizeof(*cpus->words), cpus->words) < 0)
		r = err_sys(err, E_PROCESS, errno, "sched_setaffinity", NULL, "/process/execCPUAffinity/initial");
	return r;
}

static bool tell(int sync_fd, enum sync_kind kind, uint32_t number)
{
	struct { struct sync_header header; uint32_t number; } message = { { kind, sizeof(number) }, number };

	return raw_call(SYS_write, sync_fd, (long)&message, sizeof(message), 0, 0) == sizeof(message);
}

/* ---- id maps ---- */

static int format_maps(struct birth *birth, struct err **err)
{
	const struct plan *plan = birth->init->plan;

	if (!birth->writes_maps)
		return 0;
	idmap_format(&plan->uid_maps, &birth->uid_map);
	idmap_format(&plan->gid_maps, &birth->gid_map);
	return birth->uid_map.failed || birth->gid_map.failed ? err_nomem(err) : 0;
}

/* By raw calls. */
static void write_maps(struct birth *birth, pid_t pid)
{
	int r = raw_idmap_write(pid, birth->map_failed = "uid_map", &birth->uid_map);

	if (r == 0)
		r = raw_idmap_write(pid, birth->map_failed = "gid_map", &birth->gid_map);
	say(&birth->map_word, r < 0 ? r : 1);
}

/* ---- the network namespace of a new user namespace ---- */

/* Others need it before their process goes on: where it is looked for from outside, or can't be told by shared memory. */
static bool makes_net(const struct birth *birth)
{
	const struct plan *plan = birth->init->plan;

	if (birth->init->fds.is_apart)
		return CLONE_SHARES_MEMORY && !plan_carries_network(plan);
	return birth->writes_maps && plan->namespaces[NS_NET].mode == NS_NEW && !plan->net_device_count;
}

/* Our own namespaces under /proc, which the second is going to cover. */
static int open_namespaces(void)
{
	return openat(AT_FDCWD, "/proc/thread-self/ns", O_PATH | O_DIRECTORY | O_CLOEXEC);
}

/* By raw calls: while the second mounts. Its descriptors are ours as well. Where we are not in its user namespace it is entered
 * first, by its pidfd (Linux 5.8). */
static void make_net(int *word, int dir_fd, int pidfd)
{
	long fd = dir_fd < 0 ? -EBADF : 0;

	if (fd == 0 && pidfd >= 0)
		fd = raw_call(SYS_setns, pidfd, CLONE_NEWUSER, 0, 0, 0);
	if (fd == 0)
		fd = raw_call(SYS_unshare, CLONE_NEWNET, 0, 0, 0, 0);
	if (fd == 0)
		fd = raw_loopback_up();
	if (fd == 0)
		fd = raw_call(SYS_openat, dir_fd, (long)"net", O_RDONLY | O_CLOEXEC, 0, 0);
	(void)raw_call(SYS_close, dir_fd, 0, 0, 0, 0);
	if (pidfd >= 0)
		(void)raw_call(SYS_close, pidfd, 0, 0, 0, 0);
	say(word, fd < 0 ? -1 : (int)fd + 1);
}

int birth_take_net(struct init *init, struct err **err)
{
	int word = hear(&init->beside_net);

	if (!word)
		return err_sys(err, E_NAMESPACE, ETIMEDOUT, "futex", "network namespace", NULL);
	init->fds.ns[NS_NET] = word < 0 ? -1 : word - 1;
	return 0;
}

int birth_give(struct init *init, int (*run)(struct init *init, struct err **err), struct err **err)
{
	const struct plan *plan = init->plan;
	struct birth birth = { .init = init, .run = run, .own_ids = launch_own_ids(plan),
			       .writes_maps = launch_maps_at_once(plan, init->fds.by_root, init->fds.is_apart) };
	struct sys_clone_args args = { .flags = CLONE_PARENT };
	bool is_exec = plan->lifecycle.is_exec, is_known;
	int sync_fd = init->fds.sync, namespaces_fd = -1, pidfd = -1, r = prepare(init, err);
	pid_t pid;

	birth.changes_id = changes_id(&birth);
	birth.ipc_is_late = ipc_is_late(&birth);
	if (r == 0)
		r = format_maps(&birth, err);
	if (r < 0)
		return r;
	if (init->apart_errno) {
		(void)tell(sync_fd, SYNC_UNBORN, (uint32_t)init->apart_errno);
		_exit(0);
	}
	if (makes_net(&birth)) {
		init->net_is_beside = init->fds.net_is_late = true;
		namespaces_fd = open_namespaces();
		args.flags |= CLONE_FILES | (birth.writes_maps ? CLONE_PIDFD : 0);
		args.pidfd = (uint64_t)(uintptr_t)&pidfd;
	}
	args.flags |= new_namespaces(&birth);
	if (init->fds.cgroup >= 0) {
		args.flags |= SYS_CLONE_INTO_CGROUP;
		args.cgroup = (uint64_t)init->fds.cgroup;
	}
	if (plan->namespaces[NS_USER].mode == NS_NEW && prctl(PR_SET_DUMPABLE, 1) < 0)
		return err_sys(err, E_PROCESS, errno, "prctl", "PR_SET_DUMPABLE", NULL);
	keep_on_this_cpu(&birth);
	/* a time namespace is not entered by who shares memory */
	if (plan->namespaces[NS_TIME].mode == NS_JOIN)
		pid = clone_copied(&args, be_second, &birth);
	else
		pid = clone_below(&args, be_second, &birth);
	/* the second may have been put behind us on this CPU, and that of an exec needs nothing that we bring about */
	if (is_exec && pid > 0)
		(void)raw_call(SYS_sched_yield, 0, 0, 0, 0, 0);
	if (birth.writes_maps && pid > 0)
		write_maps(&birth, pid);
	/* before the parent is woken, which the second needs later than this, and which may be put on our CPU */
	if (init->net_is_beside && pid > 0)
		make_net(&init->beside_net, namespaces_fd, pidfd);
	is_known = tell(sync_fd, pid < 0 ? SYNC_UNBORN : SYNC_BORN, (uint32_t)(pid < 0 ? -pid : pid));
	/* the parent would wait for its number for as long as the second holds the socket */
	if (!is_known && pid > 0)
		(void)raw_call(SYS_kill, pid, SIGKILL, 0, 0, 0);
	/* the kernel would write there, in the second's memory */
	(void)raw_call(SYS_set_tid_address, 0, 0, 0, 0, 0);
	_exit(is_known ? 0 : LAUNCH_EXIT_SETUP);
}

/* ---- before there is a plan ---- */

/* Its files of /proc are to be the caller's, who writes the id maps while the other namespaces are made. Without a user namespace
 * all are made with the container's process. */
void birth_part(struct init *init)
{
	struct { struct sync_header header; uint32_t number; } message = { { SYNC_APART, sizeof(message.number) }, 0 };
	bool is_open = prctl(PR_SET_DUMPABLE, 1) == 0;

	if (!is_open || unshare(CLONE_NEWUSER) < 0)
		message.number = (uint32_t)errno;
	if (message.number && prctl(PR_SET_DUMPABLE, 0) < 0)
		_exit(LAUNCH_EXIT_SETUP);
	init->fds.is_apart = !message.number;
	/* who waits for it would wait for ever */
	if (raw_call(SYS_write, init->fds.sync, (long)&message, sizeof(message), 0, 0) != sizeof(message))
		_exit(LAUNCH_EXIT_SETUP);
	if (init->fds.is_apart && unshare(LAUNCH_APART & ~CLONE_NEWUSER) < 0)
		init->apart_errno = errno;
}

/* ---- the message ---- */

static bool make_room(int **fds, size_t count)
{
	int *larger = reallocarray(*fds, count + SYNC_FDS_MAX, sizeof(**fds));

	if (larger)
		*fds = larger;
	return larger;
}

int birth_receive(struct init *init, char *buf, uint32_t size, struct err **err)
{
	cleanup_free int *fds = NULL;
	size_t count = 0;
	uint32_t len = 0;
	int r;

	do {
		size_t more = 0;

		if (!make_room(&fds, count))
			return err_nomem(err);
		r = sync_receive_fds(init->fds.sync, buf, size - 1, &len, -1, fds + count, &more);
		if (r == 0)
			_exit(LAUNCH_EXIT_SETUP);	/* there is no plan, or no parent any more */
		count += more;
	} while (r == SYNC_MORE);
	if (r != SYNC_LAUNCH)
		return err_set(err, E_INTERNAL, r < 0 ? -r : EPROTO, NULL, "waiting for the plan");
	buf[len] = '\0';
	r = launch_fds_parse(buf, fds, count, &init->fds);
	if (r < 0)
		return err_set(err, E_INTERNAL, -r, NULL, "init got bad descriptors");
	/* SIGPIPE is our own until the workload is executed */
	raw_default_signals((init->fds.ignored_signals | IGNORED_BY_US) & ~((uint64_t)1 << (SIGPIPE - 1)));
	return 0;
}

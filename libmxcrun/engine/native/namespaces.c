/* namespaces.c - enter joined namespaces, and give new ones their first contents.
 *
 * The parent opened and type-checked every namespace file (invariant 21); here they are only entered:
 * the user namespace first, because the rest may belong to it, the pid namespace last, because it takes a
 * fork. Where a pid or user namespace is joined, this process can't be the container's: a second one,
 * made with CLONE_PARENT so that it is the runtime's child, takes over.
 */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/sys.h"
#include "engine/native/init.h"
#include "engine/native/joined.h"
#include "engine/native/loopback.h"

static const struct {
	enum plan_ns_kind kind;
	int flag;
	const char *name;
} join_order[] = {
	{ NS_USER, CLONE_NEWUSER, "user" },
	{ NS_IPC, CLONE_NEWIPC, "ipc" },
	{ NS_UTS, CLONE_NEWUTS, "uts" },
	{ NS_NET, CLONE_NEWNET, "network" },
	{ NS_CGROUP, CLONE_NEWCGROUP, "cgroup" },
	{ NS_TIME, CLONE_NEWTIME, "time" },
	{ NS_MOUNT, CLONE_NEWNS, "mount" },
	{ NS_PID, CLONE_NEWPID, "pid" },
};

/* What the parent left for the second process because it belongs to a joined user namespace. */
static uint64_t remaining_flags(const struct plan *plan)
{
	uint64_t flags = 0;

	for (size_t i = 0; i < array_size(join_order); i++)
		if (plan->namespaces[join_order[i].kind].mode == NS_NEW && join_order[i].kind != NS_CGROUP &&
		    join_order[i].kind != NS_TIME && join_order[i].kind != NS_IPC)
			flags |= (uint64_t)join_order[i].flag;
	return flags;
}

/* The session that the first has begun has a leader who is about to end, and no number in the pid namespace. */
static int begin_as_second(const struct plan *plan, struct err **err)
{
	if (plan->process.new_session && setsid() < 0)
		return err_sys(err, E_PROCESS, errno, "setsid", "of the container", NULL);
	return prctl(PR_SET_DUMPABLE, 0) < 0 ? err_sys(err, E_PROCESS, errno, "prctl", "PR_SET_DUMPABLE", NULL) : 0;
}

static int hand_over(struct init *init, struct err **err)
{
	struct sys_clone_args args = { .flags = CLONE_PARENT };
	uint32_t number;
	pid_t pid;

	if (init->plan->namespaces[NS_USER].mode == NS_JOIN)
		args.flags |= remaining_flags(init->plan);
	pid = sys_clone3(&args);
	if (pid < 0)
		return err_sys(err, E_NAMESPACE, errno, "clone3", "second process", NULL);
	if (pid == 0)
		return begin_as_second(init->plan, err);
	/* setns of a pid namespace moves only children: this process still counts as the parent does */
	number = (uint32_t)pid;
	_exit(sync_send(init->fds.sync, SYNC_PID, &number, sizeof(number)) < 0 ? LAUNCH_EXIT_SETUP : 0);
}

static int set_own_ids(uid_t uid, gid_t gid)
{
	return setresgid(gid, gid, gid) < 0 ? -1 : setresuid(uid, uid, uid);
}

/* As launch_own_ids() in a new one. */
static int take_ids(const struct init *init, struct err **err)
{
	const struct plan_process *process = &init->plan->process;

	if (set_own_ids(0, 0) < 0 && (errno != EINVAL || set_own_ids(process->uid, process->gid) < 0))
		return err_sys(err, E_NAMESPACE, errno, "setresuid", "an id of the joined user namespace",
			       init->plan->namespaces[NS_USER].pointer);
	/* which that resets */
	return prctl(PR_SET_DUMPABLE, 0) < 0 ? err_sys(err, E_PROCESS, errno, "prctl", "PR_SET_DUMPABLE", NULL) : 0;
}

/* What the caller may open is opened before we are somebody else, and in the mount namespace that is ours. */
static int take_over(struct init *init, struct err **err)
{
	int r = hand_over(init, err);

	if (r < 0 || init->plan->lifecycle.is_exec || init->plan->namespaces[NS_USER].mode != NS_JOIN)
		return r;
	r = init->plan->root.kind == ROOT_BUNDLE ? sources_open(init, err) : 0;
	if (r == 0)
		r = take_ids(init, err);
	return r == 0 && init->plan->namespaces[NS_IPC].mode == NS_NEW ? namespaces_new_ipc(init, err) : r;
}

/* The pid namespace is the one that this process was born in. */
static int join_at_once(struct init *init, struct err **err)
{
	int flags = 0;

	for (size_t i = 0; i < array_size(join_order); i++)
		if (init->plan->namespaces[join_order[i].kind].mode == NS_JOIN && join_order[i].kind != NS_PID)
			flags |= join_order[i].flag;
	if (flags && sys_setns(init->fds.target, flags) < 0)
		return err_sys(err, errno == ESRCH ? E_STATE : E_NAMESPACE, errno, "setns", "namespaces of the container", NULL);
	fd_close_ptr(&init->fds.target);
	return 0;
}

/* In a user namespace that is joined there are no rights over what the one above it owns, such as a network that CNI has made: what
 * can be entered from here is. The rest may be owned by the user namespace, and is entered after it. */
static void join_from_outside(struct init *init)
{
	static const enum plan_ns_kind kinds[] = { NS_IPC, NS_UTS, NS_NET, NS_CGROUP };

	for (size_t i = 0; i < array_size(kinds); i++) {
		int *fd = &init->fds.ns[kinds[i]];

		if (*fd >= 0 && sys_setns(*fd, joined_flag(kinds[i])) == 0)
			fd_close_ptr(fd);
	}
}

int namespaces_join(struct init *init, struct err **err)
{
	bool needs_second = false;

	if (init->fds.target >= 0)
		return join_at_once(init, err);
	if (init->fds.ns[NS_USER] >= 0)
		join_from_outside(init);
	for (size_t i = 0; i < array_size(join_order); i++) {
		enum plan_ns_kind kind = join_order[i].kind;

		if (init->fds.ns[kind] < 0)
			continue;
		if (sys_setns(init->fds.ns[kind], join_order[i].flag) < 0)
			return err_sys(err, E_NAMESPACE, errno, "setns", init->plan->namespaces[kind].path,
				       init->plan->namespaces[kind].pointer);
		close(init->fds.ns[kind]);
		init->fds.ns[kind] = -1;
		if (kind == NS_USER && init->plan->lifecycle.is_exec) {
			int r = take_ids(init, err);

			if (r < 0)
				return r;
		}
		needs_second |= kind == NS_PID || (kind == NS_USER && !init->plan->lifecycle.is_exec);
	}
	return needs_second ? take_over(init, err) : 0;
}

int namespaces_configure(struct init *init, struct err **err)
{
	const struct plan *plan = init->plan;

	if (plan->hostname && sethostname(plan->hostname, strlen(plan->hostname)) < 0)
		return err_sys(err, E_NAMESPACE, errno, "sethostname", plan->hostname, "/hostname");
	if (plan->domainname && setdomainname(plan->domainname, strlen(plan->domainname)) < 0)
		return err_sys(err, E_NAMESPACE, errno, "setdomainname", plan->domainname, "/domainname");
	return plan->namespaces[NS_NET].mode == NS_NEW && !init->fds.net_is_late ? loopback_up(err) : 0;
}

/* The one that was made meanwhile, or, where that failed, one of our own. */
int namespaces_late_net(struct init *init, struct err **err)
{
	const struct plan_ns *ns = &init->plan->namespaces[NS_NET];
	int r = init->net_is_beside ? birth_take_net(init, err) : 0;

	if (r < 0)
		return r;
	if (init->fds.ns[NS_NET] < 0)
		return unshare(CLONE_NEWNET) < 0
			? err_sys(err, E_NAMESPACE, errno, "unshare", "network namespace", ns->pointer) : loopback_up(err);
	if (sys_setns(init->fds.ns[NS_NET], CLONE_NEWNET) < 0)
		return err_sys(err, E_NAMESPACE, errno, "setns", "network namespace", ns->pointer);
	fd_close_ptr(&init->fds.ns[NS_NET]);
	return 0;
}

/* Not part of clone3 where root is somebody else until then: its folder of message queues belongs to who makes it. */
int namespaces_new_ipc(const struct init *init, struct err **err)
{
	return unshare(CLONE_NEWIPC) == 0 ? 0 : err_sys(err, E_NAMESPACE, errno, "unshare", "ipc namespace",
							init->plan->namespaces[NS_IPC].pointer);
}

/* Not part of clone3: the namespace's root is the group of whoever makes it, so the process must be in its
 * group first. */
int namespaces_new_cgroup(struct init *init, struct err **err)
{
	const struct plan_ns *ns = &init->plan->namespaces[NS_CGROUP];

	if (ns->mode == NS_NEW && unshare(CLONE_NEWCGROUP) < 0)
		return err_sys(err, E_NAMESPACE, errno, "unshare", "cgroup namespace", ns->pointer);
	return 0;
}

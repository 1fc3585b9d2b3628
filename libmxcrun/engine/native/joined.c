/* joined.c - namespace files that a plan joins: opened once, proven to be of the type that was asked for
 * (invariants 21 and 34).
 *
 * Init enters them. But a new user namespace has no rights in those that the one above it owns, and what CNI makes is owned
 * by that: there the child is born in them, because we are in them while it is born. */
#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/sys.h"
#include "engine/native/joined.h"

static const struct { enum plan_ns_kind kind; const char *own_path; } born_in[JOINED_BORN_IN] = {
	{ NS_NET, "/proc/self/ns/net" }, { NS_IPC, "/proc/self/ns/ipc" }, { NS_UTS, "/proc/self/ns/uts" },
};

int joined_flag(enum plan_ns_kind kind)
{
	static const int flags[NS_MAX] = {
		[NS_USER] = CLONE_NEWUSER, [NS_CGROUP] = CLONE_NEWCGROUP, [NS_IPC] = CLONE_NEWIPC,
		[NS_UTS] = CLONE_NEWUTS, [NS_NET] = CLONE_NEWNET, [NS_PID] = CLONE_NEWPID,
		[NS_MOUNT] = CLONE_NEWNS, [NS_TIME] = CLONE_NEWTIME,
	};

	return flags[kind];
}

int joined_open_one(const struct plan_ns *ns, enum plan_ns_kind kind, struct err **err)
{
	cleanup_close int fd = open(ns->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	int type;

	if (fd < 0)
		return err_sys(err, E_NAMESPACE, errno, "open", ns->path, ns->pointer);
	type = ioctl(fd, NS_GET_NSTYPE);
	if (type < 0)
		return err_set(err, E_NAMESPACE, errno, ns->pointer, "%s is not a namespace", ns->path);
	if (type != joined_flag(kind))
		return err_set(err, E_NAMESPACE, 0, ns->pointer, "%s is a namespace of another type", ns->path);
	return take_fd(fd);
}

static int has_own(const char *path, const struct stat *joined, const struct plan_ns *ns, struct err **err)
{
	struct stat own;

	if (stat(path, &own) < 0)
		return err_sys(err, E_NAMESPACE, errno, "stat", path, ns->pointer);
	return own.st_dev == joined->st_dev && own.st_ino == joined->st_ino;
}

/* The host's own namespace may be joined by a path of it, as Docker does for --network host; what is set in it changes the host. */
static int check_sysctl(const struct plan *plan, const struct plan_sysctl *sysctl, const struct launch_fds *fds, struct err **err)
{
	const struct plan_ns *ns = &plan->namespaces[sysctl->ns];
	struct stat joined;
	int r = 0;

	if (ns->mode != NS_JOIN)
		return 0;
	if (fstat(fds->ns[sysctl->ns], &joined) < 0)
		return err_sys(err, E_NAMESPACE, errno, "fstat", ns->path, ns->pointer);
	for (size_t i = 0; i < JOINED_BORN_IN && r == 0; i++)
		if (born_in[i].kind == sysctl->ns)
			r = has_own(born_in[i].own_path, &joined, ns, err);
	return r <= 0 ? r : err_set(err, E_CONFIG, 0, sysctl->pointer, "%s is the host's: setting it would change the host", ns->path);
}

int joined_open(const struct plan *plan, struct launch_fds *fds, struct err **err)
{
	for (int kind = 0; kind < NS_MAX; kind++) {
		const struct plan_ns *ns = &plan->namespaces[kind];
		int fd = ns->mode == NS_JOIN ? joined_open_one(ns, kind, err) : -1;

		if (ns->mode == NS_JOIN && fd < 0)
			return fd;
		if (fd >= 0)
			fds->ns[kind] = fd;
	}
	for (size_t i = 0; i < plan->sysctl_count; i++) {
		int r = check_sysctl(plan, &plan->sysctls[i], fds, err);

		if (r < 0)
			return r;
	}
	return 0;
}

/* What we may not enter either stays for init, which reports it. */
static int enter_one(const struct plan_ns *ns, enum plan_ns_kind kind, const char *own_path, int *fd, int *ret_own, struct err **err)
{
	cleanup_close int own = ret_own ? open(own_path, O_RDONLY | O_CLOEXEC) : -1;

	if (ret_own && own < 0)
		return err_sys(err, E_NAMESPACE, errno, "open", own_path, ns->pointer);
	if (sys_setns(*fd, joined_flag(kind)) < 0)
		return 0;
	fd_close_ptr(fd);
	if (ret_own)
		*ret_own = take_fd(own);
	return 0;
}

int joined_enter(const struct plan *plan, struct launch_fds *fds, struct joined_own *own, struct err **err)
{
	int r = 0;

	if (plan->namespaces[NS_USER].mode != NS_NEW)
		return 0;
	for (size_t i = 0; i < JOINED_BORN_IN && r == 0; i++)
		if (fds->ns[born_in[i].kind] >= 0)
			r = enter_one(&plan->namespaces[born_in[i].kind], born_in[i].kind, born_in[i].own_path, &fds->ns[born_in[i].kind],
				      own ? &own->fds[i] : NULL, err);
	return r;
}

int joined_return(struct joined_own *own, struct err **err)
{
	int r = 0;

	for (size_t i = 0; i < JOINED_BORN_IN; i++) {
		/* of any type: it is ours */
		if (own->fds[i] >= 0 && sys_setns(own->fds[i], 0) < 0 && r == 0)
			r = err_sys(err, E_NAMESPACE, errno, "setns", "namespace of the runtime itself", NULL);
		fd_close_ptr(&own->fds[i]);
	}
	return r;
}

void joined_close(struct launch_fds *fds)
{
	for (int kind = 0; kind < NS_MAX; kind++)
		fd_close_ptr(&fds->ns[kind]);
}

/* joined.c - namespace files that a plan joins: opened once, proven to be of the type that was asked for
 * (invariants 21 and 34).
 *
 * Init enters them. But a new user namespace has no rights in those that the one above it owns, and what CNI makes is owned
 * by that: there the child is born in them, because we are in them while it is born. */
#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/utsname.h>

#include "base/fd.h"
#include "base/sys.h"
#include "engine/native/joined.h"

static const enum plan_ns_kind born_in[JOINED_BORN_IN] = { NS_NET, NS_IPC, NS_UTS };

/* Of those in which something can be set. */
static const char *own_path(enum plan_ns_kind kind)
{
	switch (kind) {
	case NS_NET: return "/proc/self/ns/net";
	case NS_IPC: return "/proc/self/ns/ipc";
	case NS_UTS: return "/proc/self/ns/uts";
	case NS_MOUNT: return "/proc/self/ns/mnt";
	default: return NULL;
	}
}

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
		return err_set(err, E_NAMESPACE, 0, ns->pointer, "expected the path of a namespace, as /proc/PID/ns/%s, found %s",
			       plan_ns_file(kind), ns->path);
	if (type != joined_flag(kind))
		return err_set(err, E_NAMESPACE, 0, ns->pointer, "%s is a namespace of another type, expected one as /proc/PID/ns/%s",
			       ns->path, plan_ns_file(kind));
	return take_fd(fd);
}

/* The host's own namespace may be joined by a path of it, as Docker does for --network host: where that is so what is asked for at the
 * pointer is refused. */
static int refuse_own(const struct plan *plan, enum plan_ns_kind kind, const struct launch_fds *fds, const char *pointer, const char *what,
		      struct err **err)
{
	const struct plan_ns *ns = &plan->namespaces[kind];
	const char *path = own_path(kind);
	int r = ns->mode == NS_JOIN && path ? fd_is_file(fds->ns[kind], path) : 0;

	if (r < 0)
		return err_sys(err, E_NAMESPACE, -r, "stat", ns->path, ns->pointer);
	return r ? err_set(err, E_CONFIG, 0, pointer, "%s is the host's: %s would change the host", ns->path, what) : 0;
}

/* The name that the host has is no change: some engines give it to containers in the host's namespace. */
static int check_names(const struct plan *plan, const struct launch_fds *fds, struct err **err)
{
	const struct plan_ns *ns = &plan->namespaces[NS_UTS];
	struct utsname now;
	int r = 0;

	if (ns->mode != NS_JOIN)
		return 0;
	if (uname(&now) < 0)
		return err_sys(err, E_NAMESPACE, errno, "uname", ns->path, ns->pointer);
	if (plan->hostname && strcmp(plan->hostname, now.nodename) != 0)
		r = refuse_own(plan, NS_UTS, fds, "/hostname", "setting it", err);
	if (r == 0 && plan->domainname && strcmp(plan->domainname, now.domainname) != 0)
		r = refuse_own(plan, NS_UTS, fds, "/domainname", "setting it", err);
	return r;
}

/* Nothing is set in a namespace of the host's (invariant 12), by whatever name it is joined; least of all a new root. */
static int check_host(const struct plan *plan, const struct launch_fds *fds, struct err **err)
{
	int r = plan->lifecycle.is_exec ? 0 : refuse_own(plan, NS_MOUNT, fds, plan->namespaces[NS_MOUNT].pointer, "the container's root", err);

	if (r == 0)
		r = check_names(plan, fds, err);
	if (r == 0 && plan->net_device_count)
		r = refuse_own(plan, NS_NET, fds, plan->net_devices[0].pointer, "moving an interface there", err);
	for (size_t i = 0; i < plan->sysctl_count && r == 0; i++)
		r = refuse_own(plan, plan->sysctls[i].ns, fds, plan->sysctls[i].pointer, "setting it", err);
	return r;
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
	return check_host(plan, fds, err);
}

/* What we may not enter either stays for init, which reports it. */
static int enter_one(const struct plan_ns *ns, enum plan_ns_kind kind, int *fd, int *ret_own, struct err **err)
{
	cleanup_close int own = ret_own ? open(own_path(kind), O_RDONLY | O_CLOEXEC) : -1;

	if (ret_own && own < 0)
		return err_sys(err, E_NAMESPACE, errno, "open", own_path(kind), ns->pointer);
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
		if (fds->ns[born_in[i]] >= 0)
			r = enter_one(&plan->namespaces[born_in[i]], born_in[i], &fds->ns[born_in[i]], own ? &own->fds[i] : NULL, err);
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

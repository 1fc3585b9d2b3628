/* joined.c - namespace files that a plan joins: opened once, proven to be of the type that was asked for
 * (invariants 21 and 34). */
#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <sys/ioctl.h>

#include "base/fd.h"
#include "base/sys.h"
#include "engine/native/parent.h"

int joined_flag(enum plan_ns_kind kind)
{
	static const int flags[NS_MAX] = {
		[NS_USER] = CLONE_NEWUSER, [NS_CGROUP] = CLONE_NEWCGROUP, [NS_IPC] = CLONE_NEWIPC,
		[NS_UTS] = CLONE_NEWUTS, [NS_NET] = CLONE_NEWNET, [NS_PID] = CLONE_NEWPID,
		[NS_MOUNT] = CLONE_NEWNS, [NS_TIME] = CLONE_NEWTIME,
	};

	return flags[kind];
}

static int open_one(const struct plan_ns *ns, enum plan_ns_kind kind, int *ret, struct err **err)
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
	*ret = take_fd(fd);
	return 0;
}

int joined_open(const struct plan *plan, struct launch_fds *fds, struct err **err)
{
	for (int kind = 0; kind < NS_MAX; kind++) {
		const struct plan_ns *ns = &plan->namespaces[kind];
		int r = ns->mode == NS_JOIN ? open_one(ns, kind, &fds->ns[kind], err) : 0;

		if (r < 0)
			return r;
	}
	return 0;
}

void joined_close(struct launch_fds *fds)
{
	for (int kind = 0; kind < NS_MAX; kind++)
		fd_close_ptr(&fds->ns[kind]);
}

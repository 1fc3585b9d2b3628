/* netns.c - see netns.h.
 *
 * The helper shares our memory and our descriptors, so it makes raw system calls only. It is nothing that needs a place in the
 * journal: it waits for nobody, and the namespace has no name and dies with the last descriptor (invariant 42).
 */
#include "engine/native/netns.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/fd.h"
#include "engine/native/clone.h"

/* ---- in the helper: raw calls only ---- */

static long loopback_up(void)
{
	struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING };
	long fd = raw_call(SYS_socket, AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0, 0, 0), r;

	if (fd < 0)
		return fd;
	r = raw_call(SYS_ioctl, fd, SIOCSIFFLAGS, (long)&request, 0, 0);
	(void)raw_call(SYS_close, fd, 0, 0, 0, 0);
	return r;
}

static int make(void *data)
{
	struct netns *netns = data;
	long r = raw_call(SYS_unshare, CLONE_NEWNET, 0, 0, 0, 0);

	if (r == 0)
		r = loopback_up();
	if (r == 0)
		r = raw_call(SYS_openat, AT_FDCWD, (long)"/proc/self/ns/net", O_RDONLY | O_CLOEXEC, 0, 0);
	netns->fd = (int)r;
	return 0;
}

/* ---- in the parent ---- */

/* Hooks of the runtime namespace and moved interfaces look for it at the child, before the gate; a user namespace must own
 * it, and only who is privileged can make it outside of one. */
static bool can_come_late(const struct plan *plan, const struct host_facts *facts)
{
	return CLONE_SHARES_MEMORY && facts->is_privileged && plan->namespaces[NS_NET].mode == NS_NEW &&
	       plan->namespaces[NS_USER].mode == NS_HOST && !plan->lifecycle.is_exec && !plan->net_device_count &&
	       !plan->hooks[HOOK_PRESTART].count && !plan->hooks[HOOK_CREATE_RUNTIME].count;
}

void netns_begin(struct netns *netns, const struct plan *plan, const struct host_facts *facts)
{
	struct sys_clone_args args = { .flags = CLONE_FILES };

	if (!can_come_late(plan, facts))
		return;
	netns->helper = clone_run(&args, netns->stack, sizeof(netns->stack), make, netns);
}

bool netns_is_begun(const struct netns *netns)
{
	return netns->helper >= 0 || netns->fd >= 0;
}

int netns_wait(struct netns *netns)
{
	/* it has no exit signal, which is what __WALL is about */
	while (netns->helper >= 0 && waitpid(netns->helper, NULL, __WALL) < 0 && errno == EINTR)
		;
	netns->helper = -1;
	return netns->fd;
}

void netns_done(struct netns *netns)
{
	(void)netns_wait(netns);
	fd_close_ptr(&netns->fd);
	netns->fd = -1;
}

/* netns.c - see netns.h.
 *
 * It is nothing that needs a place in the journal: it has no name, and dies with the last descriptor (invariant 42).
 */
#include "engine/native/netns.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>

#include "base/fd.h"
#include "base/sys.h"
#include "engine/native/loopback.h"

static int open_own(void)
{
	return openat(AT_FDCWD, "/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
}

bool netns_can_be_late(const struct plan *plan, const struct host_facts *facts)
{
	return facts->is_privileged && plan->namespaces[NS_NET].mode == NS_NEW && plan->namespaces[NS_USER].mode == NS_HOST &&
	       !plan->lifecycle.is_exec && !plan->net_device_count && !plan->hooks[HOOK_PRESTART].count &&
	       !plan->hooks[HOOK_CREATE_RUNTIME].count;
}

int netns_make(int *ret_fd, struct err **err)
{
	cleanup_close int own = open_own();

	*ret_fd = -1;
	if (own < 0 || unshare(CLONE_NEWNET) < 0)
		return 0;
	if (loopback_up(NULL) == 0)
		*ret_fd = open_own();
	if (sys_setns(own, CLONE_NEWNET) == 0)
		return 0;
	fd_close_ptr(ret_fd);
	return err_sys(err, E_NAMESPACE, errno, "setns", "our own network namespace", NULL);
}

/* slirp.c - see slirp.h. */
#include "net/slirp.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/sys.h"
#include "net/link.h"

#define INTERFACE "tap0"
#define READY_MS 20000 /* MXC.md 7.7 */
#define MEMFD_CLOEXEC 1u /* linux/memfd.h */
#define SAID_MAX 512u

struct slirp {
	const struct plan *plan;
	const struct net_namespace *namespaces;
	int ready_fd, said_fd;
};

/* Every descriptor is close-on-exec; these go on. */
static void hand_down(int fd)
{
	(void)fcntl(fd, F_SETFD, 0);
}

static int run_slirp(void *data, int life_fd)
{
	const struct slirp *slirp = data;
	char user[64], net[64], ready[32], life[32];
	const char *argv[16];
	char *const envp[] = { NULL };
	size_t n = 0;

	hand_down(life_fd);
	hand_down(slirp->ready_fd);
	hand_down(slirp->namespaces->net_fd);
	(void)dup2(slirp->said_fd, STDERR_FILENO);
	snprintf(ready, sizeof(ready), "--ready-fd=%d", slirp->ready_fd);
	snprintf(life, sizeof(life), "--exit-fd=%d", life_fd);
	snprintf(net, sizeof(net), "/proc/self/fd/%d", slirp->namespaces->net_fd);
	argv[n++] = slirp->plan->network_helper;
	argv[n++] = "--configure";
	argv[n++] = "--mtu=65520";
	argv[n++] = "--enable-ipv6";
	if (slirp->plan->network_policy.closes_host_loopback)
		argv[n++] = "--disable-host-loopback";
	argv[n++] = ready;
	argv[n++] = life;
	if (slirp->namespaces->user_fd >= 0) {
		hand_down(slirp->namespaces->user_fd);
		snprintf(user, sizeof(user), "--userns-path=/proc/self/fd/%d", slirp->namespaces->user_fd);
		argv[n++] = user;
	}
	argv[n++] = "--netns-type=path";
	argv[n++] = net;
	argv[n++] = INTERFACE;
	argv[n] = NULL;
	execve(argv[0], (char *const *)(uintptr_t)argv, envp);
	return 127;
}

/* It says that it is ready, ends, or does neither. */
static int wait_until_ready(int fd, int said_fd, const char *program, struct err **err)
{
	struct pollfd ready = { .fd = fd, .events = POLLIN };
	char byte, said[SAID_MAX] = "";
	int r;
	ssize_t n;

	do
		r = poll(&ready, 1, READY_MS);
	while (r < 0 && errno == EINTR);
	if (r == 0)
		return err_set(err, E_TIMEOUT, ETIMEDOUT, NULL, "%s is not ready after %d s", program, READY_MS / 1000);
	if (r > 0 && read(fd, &byte, 1) == 1)
		return 0;
	n = pread(said_fd, said, sizeof(said) - 1, 0);
	said[n > 0 ? (size_t)n : 0] = '\0';
	said[strcspn(said, "\n")] = '\0';
	return err_set(err, E_NETWORK, EIO, NULL, "%s ended before it was ready%s%s", program, *said ? ": " : "", said);
}

int slirp_start(const struct plan *plan, const struct net_namespace *namespaces, const struct net_journal *journal,
		struct net_helper *ret, struct err **err)
{
	struct slirp slirp = { .plan = plan, .namespaces = namespaces };
	cleanup_close int said_fd = sys_memfd_create("slirp", MEMFD_CLOEXEC), ready_read = -1, ready_write = -1;
	int pair[2], r;

	if (said_fd < 0)
		return err_sys(err, E_NETWORK, errno, "memfd_create", NULL, NULL);
	if (pipe2(pair, O_CLOEXEC) < 0)
		return err_sys(err, E_NETWORK, errno, "pipe2", NULL, NULL);
	ready_read = pair[0];
	ready_write = pair[1];
	slirp.ready_fd = ready_write;
	slirp.said_fd = said_fd;
	r = helper_start(journal, run_slirp, &slirp, ret, err);
	fd_close_ptr(&ready_write); /* so that its end reads as end of file */
	return r < 0 ? r : wait_until_ready(ready_read, said_fd, plan->network_helper, err);
}

int slirp_add_ipv6(int route_fd)
{
	static const struct net_address own = { UINT64_C(0xfd00) << 48, 0x100 }, gateway = { UINT64_C(0xfd00) << 48, 2 };
	int interface = link_find(route_fd, INTERFACE);
	int r = interface < 0 ? interface : link_add_address(route_fd, (unsigned int)interface, NET_V6, own, 64);

	return r < 0 ? r : link_add_default_route(route_fd, (unsigned int)interface, NET_V6, gateway);
}

/* slirp.c - slirp4netns as a sandbox's carrier. It ends when the pipe that it watches reads as ended. */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "net/carrier.h"

/* Every descriptor is close-on-exec; these go on. */
static void hand_down(int fd)
{
	(void)fcntl(fd, F_SETFD, 0);
}

int slirp_run(void *data, int life_fd)
{
	const struct carrier *slirp = data;
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
	argv[n++] = "--mtu=" CARRIER_MTU;
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
	argv[n++] = CARRIER_INTERFACE;
	argv[n] = NULL;
	execve(argv[0], (char *const *)(uintptr_t)argv, envp);
	return 127;
}

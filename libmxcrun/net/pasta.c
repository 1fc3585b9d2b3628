/* pasta.c - pasta as a sandbox's carrier.
 *
 * It watches nobody and gives its parent-death signal up with its rights, so it lives in a pid namespace whose first process,
 * the guard, is ours: when the guard ends, for whatever reason, the kernel ends pasta. The guard ends when the pipe of
 * its starter ends or pasta does. A pid namespace needs a right that an ordinary user has in the sandbox's outer user
 * namespace, where pasta belongs anyway.
 *
 * Newer versions close the descriptors that they are born with, all but the standard ones: those are the sandbox's
 * namespace, the pipe to which it writes its number when it is ready, and what it says.
 */
#include <errno.h>
#include <linux/capability.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/sys.h"
#include "net/carrier.h"

/* Who isn't id 0 in there loses by execve(2) what is not ambient. */
static int keep_rights(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	if (sys_capget(&header, data) < 0)
		return -1;
	data[0].inheritable = data[0].permitted;
	data[1].inheritable = data[1].permitted;
	if (sys_capset(&header, data) < 0)
		return -1;
	for (int cap = 0; cap < 64; cap++)
		if ((data[cap / 32].permitted & (1u << (cap % 32))) &&
		    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0) < 0)
			return -1;
	return 0;
}

static int exec_pasta(const struct carrier *pasta)
{
	const char *const argv[] = {
		pasta->plan->network_helper, "--foreground", "--quiet", "--stderr", "--config-net",
		"--ns-ifname", CARRIER_INTERFACE, "--mtu", CARRIER_MTU,
		"--address", "10.0.2.100", "--netmask", "24", "--gateway", "10.0.2.2", "--dns-forward", "10.0.2.3",
		"--address", "fd00::100", "--gateway", "fd00::2", "--dns-forward", "fd00::3",
		"--no-dhcp", "--no-dhcpv6", "--no-ra",
		"--tcp-ports", "none", "--udp-ports", "none", "--tcp-ns", "none", "--udp-ns", "none",
		"--pid", "/proc/self/fd/1", "--no-netns-quit", "--netns-only", "--netns", "/proc/self/fd/0",
		pasta->plan->network_policy.closes_host_loopback ? "--no-map-gw" : NULL, NULL,
	};
	char *const envp[] = { NULL };

	if (keep_rights() < 0 || dup2(pasta->namespaces->net_fd, STDIN_FILENO) < 0 ||
	    dup2(pasta->ready_fd, STDOUT_FILENO) < 0 || dup2(pasta->said_fd, STDERR_FILENO) < 0)
		return 126;
	execve(argv[0], (char *const *)(uintptr_t)argv, envp);
	return 127;
}

/* The first process of its pid namespace, which ends with it. */
static int guard(struct carrier *pasta, int life_fd)
{
	struct pollfd fds[] = { { .fd = life_fd, .events = POLLIN }, { .fd = -1, .events = POLLIN } };
	pid_t pid;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	pid = fork();
	if (pid == 0)
		_exit(exec_pasta(pasta));
	/* only pasta may hold it open */
	(void)close(pasta->ready_fd);
	fds[1].fd = pid < 0 ? -1 : sys_pidfd_open(pid, 0);
	if (fds[1].fd < 0)
		return 1;
	while (poll(fds, 2, -1) < 0 && errno == EINTR)
		;
	return 0;
}

int pasta_run(void *data, int life_fd)
{
	struct carrier *pasta = data;
	pid_t pid;

	if ((pasta->namespaces->user_fd >= 0 && sys_setns(pasta->namespaces->user_fd, CLONE_NEWUSER) < 0) ||
	    unshare(CLONE_NEWPID) < 0)
		return 126;
	/* other rights have cleared it */
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	pid = fork();
	if (pid == 0)
		_exit(guard(pasta, life_fd));
	(void)close(pasta->ready_fd);
	if (pid < 0)
		return 1;
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	return 0;
}

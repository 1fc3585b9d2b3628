/* carrier.c - see carrier.h. */
#include "net/carrier.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/sys.h"
#include "net/link.h"

#define READY_MS 20000 /* MXC.md 7.7 */
#define SAID_MAX 512u

static const struct net_address own6 = { UINT64_C(0xfd00) << 48, 0x100 }, gateway6 = { UINT64_C(0xfd00) << 48, 2 };

/* The last line: what comes before is often about how it goes. */
static const char *last_line(char *said)
{
	size_t len = strlen(said);
	char *line;

	while (len > 0 && said[len - 1] == '\n')
		said[--len] = '\0';
	line = strrchr(said, '\n');
	return line ? line + 1 : said;
}

/* It says that it is ready, ends, or does neither. */
static int wait_until_ready(int fd, int said_fd, const char *program, struct err **err)
{
	struct pollfd ready = { .fd = fd, .events = POLLIN };
	char byte, said[SAID_MAX] = "";
	const char *line;
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
	line = last_line(said);
	return err_set(err, E_NETWORK, EIO, NULL, "%s ended before it was ready%s%s", program, *line ? ": " : "", line);
}

static int start_program(const struct plan *plan, const struct net_namespace *namespaces, const struct net_journal *journal,
			 struct net_helper *ret, struct err **err)
{
	static int (*const run[])(void *, int) = { [HELPER_PASTA] = pasta_run, [HELPER_SLIRP] = slirp_run };
	struct carrier carrier = { .plan = plan, .namespaces = namespaces };
	cleanup_close int said_fd = sys_memfd_create("carrier", SYS_MFD_CLOEXEC), ready_read = -1, ready_write = -1;
	int pair[2], r;

	if (said_fd < 0)
		return err_sys(err, E_NETWORK, errno, "memfd_create", "carrier of the network", NULL);
	if (pipe2(pair, O_CLOEXEC) < 0)
		return err_sys(err, E_NETWORK, errno, "pipe2", "the network's carrier", NULL);
	ready_read = pair[0];
	ready_write = pair[1];
	carrier.ready_fd = ready_write;
	carrier.said_fd = said_fd;
	r = helper_start(journal, HELPER_ENDS_WITH_STARTER, run[plan->network_helper_kind], &carrier, ret, err);
	fd_close_ptr(&ready_write); /* so that its end reads as end of file */
	return r < 0 ? r : wait_until_ready(ready_read, said_fd, plan->network_helper, err);
}

/* slirp4netns leaves IPv6 to router advertisements and their delay. A kernel without IPv6 has no way out by it. */
static int add_ipv6(const struct plan *plan, const struct net_namespace *namespaces, struct err **err)
{
	struct net_socket route = { .domain = AF_NETLINK, .type = SOCK_RAW, .protocol = NETLINK_ROUTE };
	int interface, r = net_sockets_open(namespaces, &route, 1, err);

	if (r < 0)
		return r;
	r = interface = link_find(route.fd, CARRIER_INTERFACE);
	if (r >= 0)
		r = link_add_address(route.fd, (unsigned int)interface, NET_V6, own6, 64);
	if (r == 0)
		r = link_add_default_route(route.fd, (unsigned int)interface, NET_V6, gateway6);
	fd_close_ptr(&route.fd);
	if (r >= 0 || r == -EOPNOTSUPP || r == -EAFNOSUPPORT || r == -EACCES || r == -EPERM)
		return 0;
	return err_sys(err, E_NETWORK, -r, "rtnetlink", "IPv6 addresses of the sandbox", plan->network_policy.pointer);
}

int carrier_start(const struct plan *plan, const struct net_namespace *namespaces, const struct net_journal *journal,
		  struct net_helper *ret, struct err **err)
{
	int r = start_program(plan, namespaces, journal, ret, err);

	return r == 0 && plan->network_helper_kind == HELPER_SLIRP ? add_ipv6(plan, namespaces, err) : r;
}

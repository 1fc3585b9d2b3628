/* relay.c - see relay.h: the sockets inside, and a process without any right outside. */
#include "net/relay.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/netlink.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/sys.h"
#include "net/endpoint.h"
#include "net/link.h"
#include "net/relay_loop.h"

#define BACKLOG 128

struct relay {
	const struct net_proxy *proxy;
	int listeners[NET_PROXY_LISTEN_MAX];
};

/* No right, no way to get one, no file but those it works with: it is fed by what it doesn't trust. */
static void give_up_rights(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[2] = { 0 };
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &files);
	}
	(void)prctl(PR_SET_NAME, "mxcrun-relay");
	(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	(void)sys_capset(&header, none);
	(void)prctl(PR_SET_DUMPABLE, 0);
}

/* The caller's other descriptors must not live on in here: sorted to the front, the rest closed. */
static int keep_only(int *fds, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		int high = fcntl(fds[i], F_DUPFD_CLOEXEC, 3 + (int)count);

		if (high < 0)
			return -errno;
		fds[i] = high;
	}
	for (size_t i = 0; i < count; i++) {
		if (dup3(fds[i], 3 + (int)i, O_CLOEXEC) < 0)
			return -errno;
		fds[i] = 3 + (int)i;
	}
	return sys_close_range(3 + (unsigned int)count, ~0u, 0) < 0 ? -errno : 0;
}

static int run_relay(void *data, int life_fd)
{
	const struct relay *relay = data;
	int fds[NET_PROXY_LISTEN_MAX + 1] = { life_fd };
	size_t count = relay->proxy->listen_count;

	memcpy(fds + 1, relay->listeners, count * sizeof(*fds));
	if (keep_only(fds, count + 1) < 0)
		return 1;
	give_up_rights();
	return relay_loop(relay->proxy, fds + 1, count, fds[0]);
}

/* ---- the sockets ---- */

static bool is_loopback(const struct net_endpoint *endpoint)
{
	return endpoint->family == NET_V4 ? endpoint->address.low >> 24 == 127
					  : endpoint->address.high == 0 && endpoint->address.low == 1;
}

static int listen_at(int fd, int route_fd, const struct net_endpoint *endpoint)
{
	struct sockaddr_storage address;
	socklen_t len = endpoint_address(endpoint, &address);
	unsigned int whole = endpoint->family == NET_V4 ? 32 : 128;
	const int on = 1;
	int r = 0;

	if (!is_loopback(endpoint))
		r = link_add_address(route_fd, LINK_LOOPBACK, endpoint->family, endpoint->address, whole);
	if (r < 0)
		return r;
	if (endpoint->family == NET_V6)
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	if (bind(fd, (const struct sockaddr *)&address, len) < 0 || listen(fd, BACKLOG) < 0)
		return -errno;
	return 0;
}

/* A machine without IPv6 has no ::1 to be reached at. */
static bool is_absent_family(const struct net_endpoint *endpoint, int errnum)
{
	return endpoint->family == NET_V6 && (errnum == EADDRNOTAVAIL || errnum == EAFNOSUPPORT);
}

static int listen_everywhere(const struct net_proxy *proxy, struct net_socket *sockets, int route_fd, struct err **err)
{
	for (size_t i = 0; i < proxy->listen_count; i++) {
		char text[NET_ADDRESS_TEXT];
		int r = listen_at(sockets[i].fd, route_fd, &proxy->listen[i]);

		if (r == 0 || (proxy->listen_count > 1 && is_absent_family(&proxy->listen[i], -r)))
			continue;
		return err_set(err, E_NETWORK, -r, proxy->pointer, "listening at %s port %u in the sandbox",
			       net_address_text(proxy->listen[i].family, proxy->listen[i].address, text),
			       proxy->listen[i].port);
	}
	return 0;
}

int relay_start(const struct net_proxy *proxy, const struct net_namespace *namespaces, const struct net_journal *journal,
		struct net_helper *ret, struct err **err)
{
	struct net_socket sockets[NET_PROXY_LISTEN_MAX + 1];
	struct net_socket *route = &sockets[proxy->listen_count];
	struct relay relay = { .proxy = proxy };
	int r;

	for (size_t i = 0; i < proxy->listen_count; i++)
		sockets[i] = (struct net_socket){
			.domain = proxy->listen[i].family == NET_V4 ? AF_INET : AF_INET6,
			.type = SOCK_STREAM | SOCK_NONBLOCK,
		};
	*route = (struct net_socket){ .domain = AF_NETLINK, .type = SOCK_RAW, .protocol = NETLINK_ROUTE };
	r = net_sockets_open(namespaces, sockets, proxy->listen_count + 1, err);
	if (r < 0)
		return r;
	r = listen_everywhere(proxy, sockets, route->fd, err);
	for (size_t i = 0; i < proxy->listen_count; i++)
		relay.listeners[i] = sockets[i].fd;
	if (r == 0)
		r = helper_start(journal, run_relay, &relay, ret, err);
	for (size_t i = 0; i <= proxy->listen_count; i++)
		fd_close_ptr(&sockets[i].fd);
	return r;
}

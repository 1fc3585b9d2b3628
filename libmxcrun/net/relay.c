/* relay.c - see relay.h: the sockets, and a process without any right: outside for the proxy, inside for mapped ports. */
#include "net/relay.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/netlink.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/sys.h"
#include "net/endpoint.h"
#include "net/link.h"
#include "net/relay_datagrams.h"
#include "net/relay_flow.h"
#include "net/relay_loop.h"
#include "net/test_proxy.h"

#define BACKLOG 128

struct relay {
	const struct net_namespace *namespaces; /* where to connect to; NULL: from where it is */
	struct relay_route *routes;
	size_t count;
	const struct net_test_proxy *test; /* who serves instead of carrying; or NULL */
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

/* The caller's other descriptors must not live on in here: ours sorted to the front, the rest closed. */
static int keep_only(struct relay *relay, int *life_fd)
{
	int above = 3 + (int)relay->count + 1;

	for (size_t i = 0; i <= relay->count; i++) {
		int *fd = i < relay->count ? &relay->routes[i].listener : life_fd, high = fcntl(*fd, F_DUPFD_CLOEXEC, above);

		if (high < 0)
			return -errno;
		*fd = high;
	}
	for (size_t i = 0; i <= relay->count; i++) {
		int *fd = i < relay->count ? &relay->routes[i].listener : life_fd, low = 3 + (int)i;

		if (dup3(*fd, low, O_CLOEXEC) < 0)
			return -errno;
		*fd = low;
	}
	return sys_close_range((unsigned int)above, ~0u, 0) < 0 ? -errno : 0;
}

static int enter(const struct net_namespace *namespaces)
{
	if (namespaces->user_fd >= 0 && sys_setns(namespaces->user_fd, CLONE_NEWUSER) < 0)
		return -errno;
	return sys_setns(namespaces->net_fd, CLONE_NEWNET) < 0 ? -errno : 0;
}

static int serve_tests(const struct relay *relay, int life_fd)
{
	int listeners[NET_PROXY_LISTEN_MAX];

	for (size_t i = 0; i < relay->count; i++)
		listeners[i] = relay->routes[i].listener;
	return test_proxy_serve(listeners, relay->count, relay->test, life_fd);
}

static int run_relay(void *data, int life_fd)
{
	struct relay *relay = data;

	if (relay->namespaces && enter(relay->namespaces) < 0)
		return 1;
	/* other rights have cleared it */
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (keep_only(relay, &life_fd) < 0)
		return 1;
	give_up_rights();
	return relay->test ? serve_tests(relay, life_fd) : relay_loop(relay->routes, relay->count, life_fd);
}

/* ---- the sockets ---- */

static int bind_to(int fd, const struct net_endpoint *endpoint)
{
	struct sockaddr_storage address;
	socklen_t len = endpoint_address(endpoint, &address);
	const int on = 1;

	if (endpoint->family == NET_V6)
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	return bind(fd, (const struct sockaddr *)&address, len) < 0 ? -errno : 0;
}

static int bind_and_listen(int fd, const struct net_endpoint *endpoint, bool is_local)
{
	relay_flow_tune(fd, is_local);
	return bind_to(fd, endpoint) < 0 || listen(fd, BACKLOG) < 0 ? -errno : 0;
}

static int listen_at(int fd, int route_fd, const struct net_endpoint *endpoint)
{
	unsigned int whole = endpoint->family == NET_V4 ? 32 : 128;
	int r = 0;

	if (!endpoint_is_loopback(endpoint))
		r = link_add_address(route_fd, LINK_LOOPBACK, endpoint->family, endpoint->address, whole);
	return r < 0 ? r : bind_and_listen(fd, endpoint, true);
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
	struct relay_route routes[NET_PROXY_LISTEN_MAX];
	struct relay relay = { .routes = routes, .count = proxy->listen_count, .test = proxy->test.is_used ? &proxy->test : NULL };
	/* for the workload's own sockets: nothing but the loopback is in there */
	const struct net_setting congestion = { "/proc/sys/net/ipv4/tcp_congestion_control", LINK_LOCAL_CONGESTION };
	int r;

	for (size_t i = 0; i < proxy->listen_count; i++)
		sockets[i] = (struct net_socket){
			.domain = proxy->listen[i].family == NET_V4 ? AF_INET : AF_INET6,
			.type = SOCK_STREAM | SOCK_NONBLOCK,
		};
	*route = (struct net_socket){ .domain = AF_NETLINK, .type = SOCK_RAW, .protocol = NETLINK_ROUTE };
	r = net_sockets_open_set(namespaces, &congestion, sockets, proxy->listen_count + 1, err);
	if (r < 0)
		return r;
	/* a bulk transfer over the sandbox's loopback costs half with it */
	link_widen(route->fd, LINK_LOOPBACK);
	r = listen_everywhere(proxy, sockets, route->fd, err);
	for (size_t i = 0; i < proxy->listen_count; i++)
		routes[i] = (struct relay_route){ .listener = sockets[i].fd, .targets = proxy->targets,
						  .target_count = proxy->target_count };
	if (r == 0)
		r = helper_start(journal, HELPER_ENDS_WITH_STARTER, run_relay, &relay, ret, err);
	for (size_t i = 0; i <= proxy->listen_count; i++)
		fd_close_ptr(&sockets[i].fd);
	return r;
}

/* ---- ports of the host ---- */

/* Whichever of both the program inside listens at. */
#define LOOPBACKS 2u
struct mapped {
	struct relay_route routes[RELAY_ROUTES_MAX];
	struct net_endpoint targets[RELAY_ROUTES_MAX][LOOPBACKS];
};

static int open_port(const struct net_port_mapping *mapping, struct err **err)
{
	bool is_udp = mapping->protocol == NET_UDP;
	cleanup_close int fd = socket(mapping->host.family == NET_V4 ? AF_INET : AF_INET6,
				      (is_udp ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	char text[NET_ADDRESS_TEXT];
	const int on = 1;

	/* of datagrams it would take the port from whoever has it */
	if (fd >= 0 && !is_udp)
		(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (fd >= 0 && is_udp && relay_datagrams_prepare(fd) == 0 && bind_to(fd, &mapping->host) == 0)
		return take_fd(fd);
	if (fd >= 0 && !is_udp && bind_and_listen(fd, &mapping->host, endpoint_is_loopback(&mapping->host)) == 0)
		return take_fd(fd);
	return err_set(err, E_NETWORK, errno, mapping->pointer, "listening at %s %s port %u of the host",
		       net_address_text(mapping->host.family, mapping->host.address, text), is_udp ? "udp" : "tcp",
		       mapping->host.port);
}

static int open_ports(const struct net_policy *policy, struct mapped *mapped, struct relay *relay, struct err **err)
{
	static const struct net_address loopback4 = { 0, 0x7f000001 }, loopback6 = { 0, 1 };
	int r = 0;

	for (size_t i = 0; i < policy->mapping_count && r >= 0; i++) {
		struct net_endpoint *targets = mapped->targets[i];

		targets[0] = (struct net_endpoint){ NET_V4, loopback4, policy->mappings[i].port };
		targets[1] = (struct net_endpoint){ NET_V6, loopback6, policy->mappings[i].port };
		r = open_port(&policy->mappings[i], err);
		if (r >= 0)
			mapped->routes[relay->count++] = (struct relay_route){
				.listener = r,
				.takes_datagrams = policy->mappings[i].protocol == NET_UDP,
				.targets = targets,
				.target_count = LOOPBACKS,
			};
	}
	return r < 0 ? r : 0;
}

int relay_ports_start(const struct net_policy *policy, const struct net_namespace *namespaces,
		      const struct net_journal *journal, struct net_helper *ret, struct err **err)
{
	cleanup_free struct mapped *mapped = calloc(1, sizeof(*mapped));
	struct relay relay = { .namespaces = namespaces, .routes = mapped ? mapped->routes : NULL };
	int r;

	if (!mapped)
		return err_nomem(err);
	if (policy->mapping_count > RELAY_ROUTES_MAX)
		return err_set(err, E_NETWORK, E2BIG, policy->pointer, "more than %u ports can't be mapped", RELAY_ROUTES_MAX);
	r = open_ports(policy, mapped, &relay, err);
	if (r == 0)
		r = helper_start(journal, HELPER_ENDS_WITH_STARTER, run_relay, &relay, ret, err);
	for (size_t i = 0; i < relay.count; i++)
		fd_close_ptr(&mapped->routes[i].listener);
	return r;
}

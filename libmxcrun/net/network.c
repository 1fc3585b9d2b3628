/* network.c - see network.h. */
#include "net/network.h"

#include <errno.h>
#include <linux/netlink.h>
#include <sys/socket.h>

#include "base/fd.h"
#include "net/enter.h"
#include "net/filter.h"
#include "net/relay.h"
#include "net/slirp.h"

static int start_filtered(const struct plan *plan, const struct net_namespace *namespaces,
			  const struct net_journal *journal, struct network *ret, struct err **err)
{
	struct net_socket sockets[] = {
		{ .domain = AF_NETLINK, .type = SOCK_RAW, .protocol = NETLINK_NETFILTER },
		{ .domain = AF_NETLINK, .type = SOCK_RAW, .protocol = NETLINK_ROUTE },
	};
	int r = net_sockets_open(namespaces, sockets, array_size(sockets), err);

	if (r < 0)
		return r;
	r = filter_load(sockets[0].fd, &plan->network_policy, err);
	if (r == 0)
		r = slirp_start(plan, namespaces, journal, &ret->helper, err);
	/* a kernel without IPv6 has no way out by it */
	if (r == 0) {
		r = slirp_add_ipv6(sockets[1].fd);
		if (r == -EOPNOTSUPP || r == -EAFNOSUPPORT || r == -EACCES || r == -EPERM)
			r = 0;
		if (r < 0)
			err_sys(err, E_NETWORK, -r, "rtnetlink", "IPv6 addresses of the sandbox", plan->network_policy.pointer);
	}
	for (size_t i = 0; i < array_size(sockets); i++)
		fd_close_ptr(&sockets[i].fd);
	return r;
}

int network_start(const struct plan *plan, pid_t init, const struct net_journal *journal, struct network *ret,
		  struct err **err)
{
	cleanup_net_namespace struct net_namespace namespaces = NET_NAMESPACE_INIT;
	int r;

	if (plan->network != NETWORK_FILTERED && plan->network != NETWORK_PROXY)
		return 0;
	r = net_namespace_open(init, &namespaces, err);
	if (r < 0)
		return r;
	if (plan->network == NETWORK_PROXY)
		return relay_start(&plan->network_policy.proxy, &namespaces, journal, &ret->helper, err);
	return start_filtered(plan, &namespaces, journal, ret, err);
}

void network_stop(struct network *network)
{
	helper_stop(&network->helper);
}

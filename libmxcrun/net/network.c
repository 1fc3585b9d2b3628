/* network.c - see network.h. */
#include "net/network.h"

#include <errno.h>
#include <linux/netlink.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "net/carrier.h"
#include "net/conntrack.h"
#include "net/enter.h"
#include "net/filter.h"
#include "net/link.h"
#include "net/relay.h"

static int start_filtered(const struct plan *plan, const struct net_namespace *namespaces,
			  const struct net_journal *journal, struct network *ret, struct err **err)
{
	struct net_socket netfilter = { .domain = AF_NETLINK, .type = SOCK_RAW, .protocol = NETLINK_NETFILTER };
	char table[FILTER_TABLE_SIZE];
	int r = net_sockets_open(namespaces, &netfilter, 1, err);

	if (r < 0)
		return r;
	filter_table_name(table, plan->id);
	r = filter_load(netfilter.fd, table, &plan->network_policy, err);
	fd_close_ptr(&netfilter.fd);
	if (r == 0)
		r = carrier_start(plan, namespaces, journal, &ret->helper, err);
	if (r < 0 || !plan->network_policy.mapping_count)
		return r;
	return relay_ports_start(&plan->network_policy, namespaces, journal, &ret->ports, err);
}

/* ---- a bundle's ---- */

static int note_table(const struct plan *plan, const struct net_namespace *namespaces, const struct net_journal *journal,
		      struct err **err)
{
	const struct plan_ns *net = &plan->namespaces[NS_NET];
	struct stat st;

	/* a new one goes with the container */
	if (net->mode != NS_JOIN)
		return 0;
	if (net_namespace_is_own(namespaces))
		return err_set(err, E_POLICY, 0, net->pointer,
			       "a network policy needs a network namespace of the container's, and %s is the host's", net->path);
	if (fstat(namespaces->net_fd, &st) < 0)
		return err_sys(err, E_NETWORK, errno, "fstat", net->path, net->pointer);
	return journal->add_table(journal->data, net->path, st.st_dev, st.st_ino, err);
}

/* Only behind a user-mode network is there an address that leads to the host's loopback; elsewhere those that are closed
 * for it are ordinary ones. */
static int load_rules(const struct plan *plan, int netfilter_fd, int route_fd, struct err **err)
{
	struct net_policy policy = plan->network_policy;
	char table[FILTER_TABLE_SIZE];
	int has_tap = policy.closes_host_loopback ? link_has_tap(route_fd) : 0, r;

	if (has_tap < 0)
		return err_sys(err, E_NETWORK, -has_tap, "rtnetlink", "interfaces of the container", policy.pointer);
	policy.closes_host_loopback = has_tap;
	filter_table_name(table, plan->id);
	r = filter_load(netfilter_fd, table, &policy, err);
	/* Connections that others had in it, with other rules or none, would count as known ones. */
	if (r == 0 && plan->namespaces[NS_NET].mode == NS_JOIN)
		r = conntrack_flush(netfilter_fd, policy.pointer, err);
	return r;
}

static int start_rules(const struct plan *plan, const struct net_namespace *namespaces, const struct net_journal *journal,
		       struct err **err)
{
	struct net_socket sockets[] = {
		{ .domain = AF_NETLINK, .type = SOCK_RAW, .protocol = NETLINK_NETFILTER },
		{ .domain = AF_NETLINK, .type = SOCK_RAW, .protocol = NETLINK_ROUTE },
	};
	int r = note_table(plan, namespaces, journal, err);

	if (r == 0)
		r = net_sockets_open(namespaces, sockets, array_size(sockets), err);
	if (r < 0)
		return r;
	r = load_rules(plan, sockets[0].fd, sockets[1].fd, err);
	for (size_t i = 0; i < array_size(sockets); i++)
		fd_close_ptr(&sockets[i].fd);
	return r;
}

int network_remove_table(const struct net_namespace *namespaces, const char *id, struct err **err)
{
	struct net_socket netfilter = { .domain = AF_NETLINK, .type = SOCK_RAW, .protocol = NETLINK_NETFILTER };
	char table[FILTER_TABLE_SIZE];
	int r = net_sockets_open(namespaces, &netfilter, 1, err);

	if (r < 0)
		return r;
	filter_table_name(table, id);
	r = filter_unload(netfilter.fd, table);
	fd_close_ptr(&netfilter.fd);
	return r < 0 ? err_sys(err, E_NETWORK, -r, "nf_tables, removing", table, NULL) : 0;
}

/* ---- either ---- */

int network_start(const struct plan *plan, pid_t init, int net_fd, const struct net_journal *journal, struct network *ret,
		  struct err **err)
{
	cleanup_net_namespace struct net_namespace namespaces = NET_NAMESPACE_INIT;
	int r;

	if (!plan_carries_network(plan))
		return 0;
	r = net_namespace_open_child(init, net_fd, &namespaces, err);
	if (r < 0)
		return r;
	if (plan->network == NETWORK_PROXY)
		return relay_start(&plan->network_policy.proxy, &namespaces, journal, &ret->helper, err);
	if (plan->network == NETWORK_FILTERED)
		return start_filtered(plan, &namespaces, journal, ret, err);
	return start_rules(plan, &namespaces, journal, err);
}

void network_stop(struct network *network)
{
	helper_stop(&network->ports);
	helper_stop(&network->helper);
}

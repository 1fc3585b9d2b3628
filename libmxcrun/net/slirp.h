/* slirp.h - slirp4netns carries a sandbox's packets: tap0, 10.0.2.100/24, gateway 10.0.2.2, resolver 10.0.2.3 (MXC.md 7.7),
 * and the same in fd00::/64. */
#ifndef MXCRUN_NET_SLIRP_H
#define MXCRUN_NET_SLIRP_H

#include "net/enter.h"
#include "net/helper.h"
#include "plan/plan.h"

/* Start it and wait until its interface is up. 0, or -errno with E_NETWORK. */
int slirp_start(const struct plan *plan, const struct net_namespace *namespaces, const struct net_journal *journal,
		struct net_helper *ret, struct err **err);

/* The addresses of IPv6, which it leaves to router advertisements and their delay. */
int slirp_add_ipv6(int route_fd);

#endif

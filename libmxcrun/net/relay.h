/* relay.h - carries connections made inside a sandbox to the proxy outside, and such and datagrams to a port of the host to one
 * inside: bytes both ways, nothing understood. */
#ifndef MXCRUN_NET_RELAY_H
#define MXCRUN_NET_RELAY_H

#include "net/enter.h"
#include "net/helper.h"
#include "policy/net_policy.h"

/* Give the sandbox's loopback the proxy's addresses, listen there, and start the relay. 0, or -errno with E_NETWORK. */
int relay_start(const struct net_proxy *proxy, const struct net_namespace *namespaces, const struct net_journal *journal,
		struct net_helper *ret, struct err **err);

/* Listen at the host's ports that are mapped, and carry what comes to them to the sandbox's own loopback. 0, or -errno with
 * E_NETWORK. */
int relay_ports_start(const struct net_policy *policy, const struct net_namespace *namespaces,
		      const struct net_journal *journal, struct net_helper *ret, struct err **err);

#endif

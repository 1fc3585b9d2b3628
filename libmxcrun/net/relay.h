/* relay.h - carries connections made inside a sandbox to the proxy outside: bytes both ways, nothing understood. */
#ifndef MXCRUN_NET_RELAY_H
#define MXCRUN_NET_RELAY_H

#include "net/enter.h"
#include "net/helper.h"
#include "policy/net_policy.h"

/* Give the sandbox's loopback the proxy's addresses, listen there, and start the relay. 0, or -errno with E_NETWORK. */
int relay_start(const struct net_proxy *proxy, const struct net_namespace *namespaces, const struct net_journal *journal,
		struct net_helper *ret, struct err **err);

#endif

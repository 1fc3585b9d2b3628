/* filter.h - the packet filter of a network namespace: its table, loaded and read back. */
#ifndef MXCRUN_NET_FILTER_H
#define MXCRUN_NET_FILTER_H

#include "base/err.h"
#include "policy/net_policy.h"

#define FILTER_TABLE "mxcrun"

/* The sets of refused destinations, one a family and purpose: since when, and how often and until when. */
#define FILTER_SINCE(family) ((family) == NET_V4 ? "since4" : "since6")
#define FILTER_REFUSED(family) ((family) == NET_V4 ? "refused4" : "refused6")
#define FILTER_REFUSED_MAX 1024u
#define FILTER_REFUSED_MS (UINT64_C(24) * 86400 * 1000) /* forgotten when not seen for so long */

#define FILTER_NAME_SIZE 32u

/* The set of a group's addresses; false when it needs none, because it has none of the family or all. */
bool filter_set_name(char name[FILTER_NAME_SIZE], const struct net_policy *network, size_t group,
		     enum net_family family);

/* Load the policy's table through a NETLINK_NETFILTER socket of the namespace, whole or not at all, and read it back.
 * 0, or -errno with E_NETWORK. */
int filter_load(int fd, const struct net_policy *network, struct err **err);

#endif

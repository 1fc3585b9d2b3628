/* filter.h - the packet filter of a network namespace: its table, loaded and read back. */
#ifndef MXCRUN_NET_FILTER_H
#define MXCRUN_NET_FILTER_H

#include "base/err.h"
#include "policy/net_policy.h"

/* The table of that container or sandbox: several containers may be in one namespace. */
#define FILTER_TABLE_SIZE 256u /* NFT_NAME_MAXLEN */
void filter_table_name(char name[FILTER_TABLE_SIZE], const char *id);

/* The sets of refused destinations, one a family and purpose: since when, and how often and until when. */
#define FILTER_SINCE(family) ((family) == NET_V4 ? "since4" : "since6")
#define FILTER_REFUSED(family) ((family) == NET_V4 ? "refused4" : "refused6")
#define FILTER_REFUSED_MAX 1024u
#define FILTER_REFUSED_MS (UINT64_C(24) * 86400 * 1000) /* forgotten when not seen for so long */

#define FILTER_NAME_SIZE 32u

/* Of one family's addresses of a group of a rule set: the name of its set; false when it needs none, because it has none of
 * the family or all. */
struct filter_group {
	size_t set, group;
};
bool filter_set_name(char name[FILTER_NAME_SIZE], const struct net_policy *network, struct filter_group at,
		     enum net_family family);

/* Load the policy as a table of that name through a NETLINK_NETFILTER socket of the namespace, whole or not at all, and
 * read it back. 0, or -errno with E_NETWORK. */
int filter_load(int fd, const char *table, const struct net_policy *network, struct err **err);

/* Take the table away; fine when there is none. 0 or -errno. */
int filter_unload(int fd, const char *table);

#endif

/* network_rules.h - the rules of a document to a rule set (MXC.md 7.6). What is not a block has been refused before. */
#ifndef MXCRUN_POLICY_NETWORK_RULES_H
#define MXCRUN_POLICY_NETWORK_RULES_H

#include "config/mxc.h"
#include "policy/rules.h"

/* All 0 or -ENOMEM. */
/* opens_host_loopback: the addresses that lead there are allowed, unless a rule denies them. */
int network_rules_directional(struct arena *arena, const struct mxc_egress *egress, bool opens_host_loopback,
			      struct net_rules *ret);
int network_rules_legacy(struct arena *arena, const struct mxc_network *network, struct net_rules *ret);

#endif

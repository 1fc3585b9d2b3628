/* network_rules.h - the rules of a document to a rule set (MXC.md 7.6). What is neither a block nor a name with addresses has been refused before. */
#ifndef MXCRUN_POLICY_NETWORK_RULES_H
#define MXCRUN_POLICY_NETWORK_RULES_H

#include "config/mxc.h"
#include "host/names.h"
#include "policy/rules.h"

/* All 0 or -ENOMEM. */
/* opens_host_loopback: the addresses that lead there are allowed, unless a rule denies them. */
int network_rules_directional(struct arena *arena, const struct mxc_egress *egress, bool opens_host_loopback,
			      struct net_rules *ret);
/* A name among the hosts stands for the addresses that names has for it. */
int network_rules_legacy(struct arena *arena, const struct mxc_network *network, const struct host_names *names, struct net_rules *ret);

#endif

/* network.h - what the network section of an MXC policy comes to. */
#ifndef MXCRUN_POLICY_NETWORK_H
#define MXCRUN_POLICY_NETWORK_H

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "config/mxc.h"
#include "host/facts.h"
#include "policy/decisions.h"

/* The mode of MXC.md 7.4 and what it lets through, or why the posture is refused (7.5): E_POLICY for one that contradicts
 * itself, E_UNSUPPORTED for one that a container from a bundle can't have. 0 or -errno. */
int policy_network(struct arena *arena, const struct mxc_config *config, const struct host_facts *facts,
		   const struct log *log, struct policy_network *ret, struct err **err);

/* What names the policy has, to be looked up for facts->names: of a proxy, or, before 0.8, of the hosts in its lists. 0 or -ENOMEM. */
int policy_network_names(struct arena *arena, const struct mxc_config *config, struct string_list *ret);

/* policy_network() for a container from a bundle, whose network is its engine's: always with a rule set. */
int policy_container_network(struct arena *arena, const struct mxc_config *config, const struct log *log,
			     struct policy_network *ret, struct err **err);

#endif

/* carrier.h - the program that carries a sandbox's packets: pasta or slirp4netns. With either the sandbox has tap0,
 * 10.0.2.100/24, gateway 10.0.2.2, resolver 10.0.2.3 (MXC.md 7.7), and the same in fd00::/64. */
#ifndef MXCRUN_NET_CARRIER_H
#define MXCRUN_NET_CARRIER_H

#include "net/enter.h"
#include "net/helper.h"
#include "plan/plan.h"

#define CARRIER_INTERFACE "tap0"
#define CARRIER_MTU "65520"

/* Start it and wait until its interface is up, with IPv6 where the host has it. 0, or -errno with E_NETWORK. */
int carrier_start(const struct plan *plan, const struct net_namespace *namespaces, const struct net_journal *journal,
		  struct net_helper *ret, struct err **err);

/* ---- for the file of each program ---- */

struct carrier {
	const struct plan *plan;
	const struct net_namespace *namespaces;
	int ready_fd; /* written to when the interface is up */
	int said_fd;  /* what it has to say when it isn't */
};

/* Run it, in a process of its own; the result is the exit code. */
int slirp_run(void *carrier, int life_fd);
int pasta_run(void *carrier, int life_fd);

#endif

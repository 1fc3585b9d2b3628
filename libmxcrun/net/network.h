/* network.h - the network of a container, between "its namespace exists" and "its program runs". */
#ifndef MXCRUN_NET_NETWORK_H
#define MXCRUN_NET_NETWORK_H

#include "net/enter.h"
#include "net/helper.h"
#include "plan/plan.h"

struct network {
	struct net_helper helper; /* what carries its packets or its connections */
	struct net_helper ports;  /* what carries connections in */
};
#define NETWORK_INIT { .helper = NET_HELPER_INIT, .ports = NET_HELPER_INIT }

/* Carry out the plan's network policy for the container whose init has that number. The filter is in force before there is
 * a way out that is ours to make. Nothing, at no cost, for a plan without. net_fd: its namespace, -1: that of the number. 0, or
 * -errno with E_NETWORK or E_POLICY. */
int network_start(const struct plan *plan, pid_t init, int net_fd, const struct net_journal *journal, struct network *ret,
		  struct err **err);

void network_stop(struct network *network);

/* Take away the table of a container in a namespace that outlived it. 0, or -errno with E_NETWORK. */
int network_remove_table(const struct net_namespace *namespaces, const char *id, struct err **err);

#endif

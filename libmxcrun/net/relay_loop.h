/* relay_loop.h - the relay's process (relay.h), apart from how it comes into being. */
#ifndef MXCRUN_NET_RELAY_LOOP_H
#define MXCRUN_NET_RELAY_LOOP_H

#include <stdbool.h>
#include <stddef.h>

#include "policy/net_policy.h"

/* What is accepted at a listening socket, or comes to one for datagrams, is carried to the first of these that answers. */
struct relay_route {
	int listener;
	bool takes_datagrams;
	const struct net_endpoint *targets;
	size_t target_count;
};
#define RELAY_ROUTES_MAX 256u

/* Carry connections until life_fd ends; the exit code. */
int relay_loop(const struct relay_route *routes, size_t count, int life_fd);

#endif

/* relay_loop.h - the relay's process (relay.h), apart from how it comes into being. */
#ifndef MXCRUN_NET_RELAY_LOOP_H
#define MXCRUN_NET_RELAY_LOOP_H

#include <stddef.h>

#include "policy/net_policy.h"

/* Carry connections from the listening sockets until life_fd ends; the exit code. */
int relay_loop(const struct net_proxy *proxy, const int *listeners, size_t count, int life_fd);

#endif

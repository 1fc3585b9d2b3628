/* link.h - addresses, routes and interfaces of a namespace, through a NETLINK_ROUTE socket of it. */
#ifndef MXCRUN_NET_LINK_H
#define MXCRUN_NET_LINK_H

#include "policy/net_policy.h"

#define LINK_LOOPBACK 1u /* number of "lo" in every network namespace */

/* What loses nothing needs no pacing: bbr on a loopback carries a third of this, which every kernel has and any user may choose. */
#define LINK_LOCAL_CONGESTION "reno"

/* The interface of that name: its number, or -errno. */
int link_find(int fd, const char *name);

/* 1: there is an interface that a program carries the packets of (tun, tap), 0: none, or -errno. */
int link_has_tap(int fd);

/* Usable at once (no duplicate address detection); fine when it is there already. 0 or -errno. */
int link_add_address(int fd, unsigned int interface, enum net_family family, struct net_address address,
		     unsigned int prefix);

int link_add_default_route(int fd, unsigned int interface, enum net_family family, struct net_address gateway);

/* Let the interface take as much at once as the kernel can (512 KiB since Linux 6.3, for IPv4, too), where it can. */
void link_widen(int fd, unsigned int interface);

#endif

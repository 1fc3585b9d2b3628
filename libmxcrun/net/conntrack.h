/* conntrack.h - what the kernel remembers of a network namespace's connections. */
#ifndef MXCRUN_NET_CONNTRACK_H
#define MXCRUN_NET_CONNTRACK_H

#include "base/err.h"

/* Forget all of them, through a NETLINK_NETFILTER socket of the namespace, so that the next packet of each is judged as the first.
 * pointer: the field that wants it, for an error. 0, or -errno with E_NETWORK. */
int conntrack_flush(int fd, const char *pointer, struct err **err);

#endif

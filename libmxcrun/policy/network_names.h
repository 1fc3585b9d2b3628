/* network_names.h - hosts by name in a policy: their addresses, as rules know them and as the sandbox's /etc/hosts says them. */
#ifndef MXCRUN_POLICY_NETWORK_NAMES_H
#define MXCRUN_POLICY_NETWORK_NAMES_H

#include "base/mem.h"
#include "config/cidr.h"
#include "host/names.h"

struct cidr network_block_of(const struct host_address *address);

/* /etc/hosts with that name for these addresses, and in no other line (MXC.md 7.9.5). NULL: out of memory. */
const char *network_pin_name(struct arena *arena, const char *hosts, const char *name, const struct host_address *addresses,
			     size_t count);

#endif

/* net_policy.h - what may go out of a sandbox's network and come in: decided in policy/, carried in the plan, enforced by
 * net/. Plain data, so that a policy in a bundle and a policy of its own share it. */
#ifndef MXCRUN_POLICY_NET_POLICY_H
#define MXCRUN_POLICY_NET_POLICY_H

#include "policy/rules.h"

struct net_endpoint {
	enum net_family family;
	struct net_address address;
	uint16_t port;
};

static inline bool endpoint_is_loopback(const struct net_endpoint *endpoint)
{
	return endpoint->family == NET_V4 ? endpoint->address.low >> 24 == 127
					  : endpoint->address.high == 0 && endpoint->address.low == 1;
}

/* A proxy of ours, for tests: which hosts it lets through, by name. */
struct net_test_proxy {
	bool is_used, allows_by_default;
	const char *const *allowed, *const *blocked; /* NULL-terminated; or NULL */
};

/* The only way out: connections to one of these addresses inside are carried to the first target outside that answers. */
#define NET_PROXY_LISTEN_MAX 3u
#define NET_PROXY_TARGET_MAX 2u
struct net_proxy {
	const char *url; /* as written; for the workload's variables */
	struct net_endpoint listen[NET_PROXY_LISTEN_MAX], targets[NET_PROXY_TARGET_MAX];
	size_t listen_count, target_count;
	struct net_test_proxy test; /* is_used: there is no target */
	const char *pointer;
};

/* What connects, or is sent, to a port of the host reaches one of the sandbox. */
struct net_port_mapping {
	enum net_protocol protocol; /* NET_TCP or NET_UDP */
	struct net_endpoint host;
	uint16_t port;
	const char *pointer;
};

struct net_policy {
	struct net_rule_sets egress;
	bool closes_host_loopback; /* also against a rule that names its address */
	bool accepts_connections;  /* from outside: ingress.default */
	bool judges_resolver;	   /* of an engine, at a loopback address of the namespace: not as loopback, but by the rules */
	struct net_port_mapping *mappings;
	size_t mapping_count;
	struct net_proxy proxy;
	const char *pointer; /* of what asked for it */
};

/* "10.0.0.1", "fd00::1" and back; text has room for INET6_ADDRSTRLEN. */
#define NET_ADDRESS_TEXT 46u
const char *net_address_text(enum net_family family, struct net_address address, char text[NET_ADDRESS_TEXT]);
#define NET_ADDRESS_LEN(family) ((family) == NET_V4 ? 4u : 16u)
/* In network order; the length. */
size_t net_address_bytes(enum net_family family, struct net_address address, uint8_t bytes[16]);

/* With everything that it points to. 0 or -ENOMEM. */
int net_policy_copy(struct arena *arena, const struct net_policy *policy, struct net_policy *ret);

#endif

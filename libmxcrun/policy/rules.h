/* rules.h - which destinations a sandbox may reach, in the form that is enforced.
 *
 * Whatever was written (directional rules, legacy lists) becomes groups: protocols and ports as disjoint
 * ranges, addresses of each family as disjoint ascending intervals, `except` already taken out. All denials
 * come first, so the first group that matches decides, and a denial wins however specific a permission is.
 * An IPv4-mapped IPv6 address is its IPv4 address everywhere; what is denied in IPv4 is denied too under the
 * well-known NAT64 prefix (RFC 6052), so that no spelling of an address escapes a rule.
 *
 * Pure data and pure functions. Part of the plan, so no pointer leaves the arena.
 */
#ifndef MXCRUN_POLICY_RULES_H
#define MXCRUN_POLICY_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"
#include "config/cidr.h"

enum net_family { NET_V4, NET_V6, NET_FAMILIES };

/* In host order, so that addresses compare as numbers; IPv4 in the low 32 bits. */
struct net_address {
	uint64_t high, low;
};

struct net_interval {
	struct net_address first, last;
};
struct net_intervals {
	struct net_interval *items; /* disjoint, not adjacent, ascending */
	size_t count;
};

struct net_port_range {
	uint16_t first, last;
};
struct net_ports {
	struct net_port_range *items; /* likewise */
	size_t count;
};

enum net_protocol { NET_TCP, NET_UDP, NET_ICMP, NET_OTHER };

struct net_group {
	const char *name; /* of the rule it comes from, e.g. "egress.deny[0]"; of several: and how many more */
	bool allows;
	bool every_protocol; /* then the next three say nothing */
	bool icmp;	     /* in IPv6 ICMPv6 */
	struct net_ports ports[2]; /* NET_TCP, NET_UDP */
	struct net_intervals to[NET_FAMILIES];
};

struct net_rules {
	const char *carrier; /* of several sets: whose this is; NULL: there is no other */
	struct net_group *groups; /* those that deny first */
	size_t count;
	bool allows_by_default;
};

/* Of several policies: a packet passes when each of them lets it pass. */
struct net_rule_sets {
	struct net_rules *items;
	size_t count; /* 0: nothing is asked for */
};

/* ---- building ---- */

struct net_peer {
	struct cidr block;
	const struct cidr *except; /* each inside block */
	size_t except_count;
};

struct net_selector {
	enum { SELECT_ANY, SELECT_TCP, SELECT_UDP, SELECT_ICMP } protocol;
	uint16_t first_port, last_port; /* 0: every port; of SELECT_ANY only tcp and udp have some */
};

/* One rule as written. */
struct net_rule {
	const char *name;
	bool allows;
	const struct net_peer *peers; /* none: every address of both families */
	size_t peer_count;
	const struct net_selector *selectors; /* none: every protocol */
	size_t selector_count;
};

/* Up to so many rules of one verdict stay groups of their own, to be counted one by one; of more, those with the same
 * protocols and ports become one, so that ten thousand rules cost a packet what one does. */
#define NET_RULES_SINGLE_MAX 64u

/* Strings and everything else are copied to the arena. 0 or -ENOMEM. */
int net_rules_build(struct arena *arena, const struct net_rule *rules, size_t count, bool allows_by_default,
		    struct net_rules *ret);

/* ---- asking ---- */

struct net_packet {
	enum net_family family;
	struct net_address to;
	enum net_protocol protocol;
	uint16_t port; /* of tcp and udp */
};

/* The group that decides, or NULL: the default does. */
const struct net_group *net_rules_match(const struct net_rules *rules, const struct net_packet *packet);
bool net_rules_allow(const struct net_rules *rules, const struct net_packet *packet);

/* The first set that refuses, or NULL. */
const struct net_rules *net_rule_sets_refusal(const struct net_rule_sets *sets, const struct net_packet *packet);

/* Is there an echo request that each of them could let pass? Permissions count, whatever is denied of them. */
bool net_rule_sets_may_pass_icmp(const struct net_rule_sets *sets);

/* Append the sets of another policy, marked as its carrier's unless they have one; what they point to is shared. 0 or
 * -ENOMEM. */
int net_rule_sets_add(struct arena *arena, struct net_rule_sets *sets, const struct net_rule_sets *more, const char *carrier);

/* The family is IPv4 for a mapped address. */
enum net_family net_address_of(const struct cidr *cidr, struct net_address *ret);
int net_address_compare(struct net_address a, struct net_address b);
struct net_interval net_interval_of(const struct cidr *cidr, enum net_family *ret_family);

#endif

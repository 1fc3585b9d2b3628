/* filter.c - a policy as a table of nf_tables.
 *
 * One `inet` table. Chain "output" accepts what stays on loopback and what belongs to a connection that was let
 * through, and goes to the chain of the packet's family. That refuses the ways to the host's loopback, asks the chain of
 * each rule set, and accepts what came back from all: there each group of the
 * set is a rule for each of its protocols and port ranges, with its addresses in an interval set, so that ten thousand
 * blocks cost a packet one look-up. Denials go to a chain of their own that records the destination and refuses
 * it. "input" lets in replies, and where the policy says so new connections; "forward" nothing. "resolver" comes before
 * all of them, and before address translation: see there.
 *
 * All hooks drop by policy: a packet that no rule understands does not pass.
 */
#include "net/filter.h"

#include <errno.h>
#include <netinet/in.h> /* musl's comes before the kernel's */
#include <linux/netfilter.h>
#include <linux/netfilter_ipv4.h>
#include <netinet/icmp6.h>
#include <stdio.h>
#include <string.h>

#include "net/rule.h"

#define RESOLVER_CHAIN "resolver"
#define RULES_MAX 8192u
#define ELEMENTS_SIZE 60000u /* an attribute's length has 16 bits */

/* What nft(8) wants to know to print a set. */
#define TYPE_IPV4 7u
#define TYPE_IPV6 8u
#define TYPE_PROTOCOL 12u
#define TYPE_PORT 13u
#define TYPE_NUMBER 19u
#define TYPE_BITS 6u

struct filter {
	struct rule_writer out;
	const struct net_policy *network;
};

static const char *const family_chain[NET_FAMILIES] = { "egress4", "egress6" };

/* ---- sets ---- */

static void put_element(struct filter *f, enum net_family family, struct net_address at, bool is_end)
{
	uint8_t bytes[16];

	(void)net_address_bytes(family, at, bytes);
	filter_sum_element(&f->out.sum, bytes, NET_ADDRESS_LEN(family), is_end);
	nft_open(&f->out.batch, NFTA_LIST_ELEM);
	nft_put_value(&f->out.batch, NFTA_SET_ELEM_KEY, bytes, NET_ADDRESS_LEN(family));
	if (is_end)
		nft_put_u32(&f->out.batch, NFTA_SET_ELEM_FLAGS, NFT_SET_ELEM_INTERVAL_END);
	nft_close(&f->out.batch);
}

static bool is_last_address(enum net_family family, struct net_address a)
{
	return family == NET_V4 ? a.low == UINT32_MAX : a.high == UINT64_MAX && a.low == UINT64_MAX;
}

/* An interval set is a list of the points where membership begins and ends. */
static void put_interval(struct filter *f, enum net_family family, const struct net_interval *interval)
{
	struct net_address end = interval->last;

	put_element(f, family, interval->first, false);
	if (is_last_address(family, end))
		return;
	end.low++;
	end.high += end.low == 0;
	put_element(f, family, end, true);
}

static void open_elements(struct filter *f, const char *set)
{
	nft_allow_cut(&f->out.batch);
	nft_begin(&f->out.batch, NFT_MSG_NEWSETELEM, 0);
	nft_put_text(&f->out.batch, NFTA_SET_ELEM_LIST_TABLE, f->out.batch.table);
	nft_put_text(&f->out.batch, NFTA_SET_ELEM_LIST_SET, set);
	nft_open(&f->out.batch, NFTA_SET_ELEM_LIST_ELEMENTS);
}

static void close_elements(struct filter *f)
{
	nft_close(&f->out.batch);
	nft_end(&f->out.batch);
}

static void add_elements(struct filter *f, const char *set, enum net_family family, const struct net_intervals *list)
{
	open_elements(f, set);
	for (size_t i = 0; i < list->count; i++) {
		if (nft_message_size(&f->out.batch) > ELEMENTS_SIZE) {
			close_elements(f);
			open_elements(f, set);
		}
		put_interval(f, family, &list->items[i]);
	}
	close_elements(f);
}

static void open_set(struct filter *f, const char *name, uint32_t flags, uint32_t type, size_t key_len)
{
	static const uint32_t any_id = 1; /* within a batch; rules name the set instead */

	nft_begin(&f->out.batch, NFT_MSG_NEWSET, 0);
	nft_put_text(&f->out.batch, NFTA_SET_TABLE, f->out.batch.table);
	nft_put_text(&f->out.batch, NFTA_SET_NAME, name);
	nft_put_u32(&f->out.batch, NFTA_SET_FLAGS, flags);
	nft_put_u32(&f->out.batch, NFTA_SET_KEY_TYPE, type);
	nft_put_u32(&f->out.batch, NFTA_SET_KEY_LEN, (uint32_t)key_len);
	nft_put_u32(&f->out.batch, NFTA_SET_ID, any_id);
}

/* All addresses of the family: no set is needed. */
static bool is_everything(enum net_family family, const struct net_intervals *list)
{
	return list->count == 1 && list->items[0].first.high == 0 && list->items[0].first.low == 0 &&
	       is_last_address(family, list->items[0].last);
}

static const struct net_group *group_at(const struct net_policy *network, struct filter_group at)
{
	return &network->egress.items[at.set].groups[at.group];
}

bool filter_set_name(char name[FILTER_NAME_SIZE], const struct net_policy *network, struct filter_group at,
		     enum net_family family)
{
	const struct net_intervals *list = &group_at(network, at)->to[family];

	snprintf(name, FILTER_NAME_SIZE, "group%zu-%zu-%s", at.set, at.group, family == NET_V4 ? "v4" : "v6");
	return list->count > 0 && !is_everything(family, list);
}

static void add_group_sets(struct filter *f, struct filter_group at)
{
	const struct net_group *group = group_at(f->network, at);
	char name[FILTER_NAME_SIZE];

	for (enum net_family family = NET_V4; family < NET_FAMILIES; family++) {
		if (!filter_set_name(name, f->network, at, family))
			continue;
		open_set(f, name, NFT_SET_INTERVAL, family == NET_V4 ? TYPE_IPV4 : TYPE_IPV6, NET_ADDRESS_LEN(family));
		nft_end(&f->out.batch);
		add_elements(f, name, family, &group->to[family]);
	}
}

/* Rule number, address, protocol, port: four bytes each, but for the address of IPv6. Bounded, so that a workload that
 * tries every address fills no memory. */
static void add_refusal_sets(struct filter *f)
{
	for (enum net_family family = NET_V4; family < NET_FAMILIES; family++) {
		const char *const names[] = { FILTER_SINCE(family), FILTER_REFUSED(family) };
		uint32_t type = TYPE_NUMBER;

		type = type << TYPE_BITS | (family == NET_V4 ? TYPE_IPV4 : TYPE_IPV6);
		type = (type << TYPE_BITS | TYPE_PROTOCOL) << TYPE_BITS | TYPE_PORT;
		for (size_t i = 0; i < array_size(names); i++) {
			open_set(f, names[i], NFT_SET_TIMEOUT | NFT_SET_EVAL, type, NET_ADDRESS_LEN(family) + 12);
			nft_put_u64(&f->out.batch, NFTA_SET_TIMEOUT, FILTER_REFUSED_MS);
			nft_open(&f->out.batch, NFTA_SET_DESC);
			nft_put_u32(&f->out.batch, NFTA_SET_DESC_SIZE, FILTER_REFUSED_MAX);
			nft_close(&f->out.batch);
			nft_end(&f->out.batch);
		}
	}
}

/* ---- refusals ---- */

/* Of a group, or behind the last one of a set, of its default; what no set says comes after all of them. */
static size_t refusal_number(const struct filter *f, struct filter_group at)
{
	size_t number = at.group;

	for (size_t i = 0; i < at.set; i++)
		number += f->network->egress.items[i].count + 1;
	return number;
}

enum built_in { REFUSES_HOST_LOOPBACK, REFUSES_MAPPED, REFUSES_SOURCE_ROUTES, BUILT_IN_MAX };
static const char *const built_in_names[BUILT_IN_MAX] = {
	[REFUSES_HOST_LOOPBACK] = FILTER_HOST_LOOPBACK,
	[REFUSES_MAPPED] = "IPv4-mapped",
	[REFUSES_SOURCE_ROUTES] = "source route",
};

static size_t built_in_number(const struct filter *f, enum built_in which)
{
	return refusal_number(f, (struct filter_group){ f->network->egress.count, which });
}

static void refusal_chain(char name[FILTER_NAME_SIZE], size_t number)
{
	snprintf(name, FILTER_NAME_SIZE, "refuse%zu", number);
}

/* A rule's name, behind that of its carrier where there are several. */
static void name_rule(char name[RULE_COMMENT_MAX + 1], const struct net_rules *rules, const char *rule)
{
	size_t len = strlen(rule) + strlen(": "), room = RULE_COMMENT_MAX > len ? RULE_COMMENT_MAX - len : 0;
	const char *carrier = rules->carrier;

	if (carrier && strlen(carrier) > room)
		carrier += strlen(carrier) - room;
	snprintf(name, RULE_COMMENT_MAX + 1, "%s%s%s", carrier ? carrier : "", carrier ? ": " : "", rule);
}

/* protocol 0: whatever it is, without a port. */
static void record(struct filter *f, const char *chain, size_t number, enum net_family family, uint8_t protocol)
{
	uint32_t reg = NFT_REG32_01 + NET_ADDRESS_LEN(family) / 4;

	rule_open(&f->out, chain);
	rule_match_family(&f->out, family);
	if (protocol)
		rule_match_protocol(&f->out, protocol);
	rule_load_number(&f->out, (uint32_t)number, NFT_REG32_00);
	rule_load_destination(&f->out, family, NFT_REG32_01);
	rule_load_meta(&f->out, NFT_META_L4PROTO, reg);
	if (protocol)
		rule_load_payload(&f->out, NFT_PAYLOAD_TRANSPORT_HEADER, 2, 2, reg + 1);
	else
		rule_load_number(&f->out, 0, reg + 1);
	rule_remember(&f->out, FILTER_SINCE(family), NFT_DYNSET_OP_ADD, FILTER_REFUSED_MS);
	rule_remember(&f->out, FILTER_REFUSED(family), NFT_DYNSET_OP_UPDATE, FILTER_REFUSED_MS);
	if (protocol == IPPROTO_TCP)
		rule_reset(&f->out);
	else if (protocol)
		rule_refuse(&f->out);
	rule_close(&f->out, NULL);
}

/* The number of a group stands for its name in the sets, so the name stands once beside it. */
static void add_refusal(struct filter *f, size_t number, const char *name)
{
	char chain[FILTER_NAME_SIZE];

	refusal_chain(chain, number);
	for (enum net_family family = NET_V4; family < NET_FAMILIES; family++) {
		record(f, chain, number, family, IPPROTO_TCP);
		record(f, chain, number, family, IPPROTO_UDP);
		record(f, chain, number, family, 0);
	}
	/* Also what could not be recorded any more. At once, instead of letting the workload wait. */
	rule_open(&f->out, chain);
	rule_match_protocol(&f->out, IPPROTO_TCP);
	rule_reset(&f->out);
	rule_close(&f->out, NULL);
	rule_open(&f->out, chain);
	rule_refuse(&f->out);
	rule_close(&f->out, name);
}

/* ---- egress ---- */

/* What a set lets pass goes back, to be judged by the next one. */
static void decide_group(struct filter *f, struct filter_group at)
{
	const struct net_group *group = group_at(f->network, at);
	char chain[FILTER_NAME_SIZE], name[RULE_COMMENT_MAX + 1];

	refusal_chain(chain, refusal_number(f, at));
	name_rule(name, &f->network->egress.items[at.set], group->name);
	rule_count(&f->out);
	rule_decide(&f->out, group->allows ? NFT_RETURN : NFT_GOTO, group->allows ? NULL : chain);
	rule_close(&f->out, name);
}

static void match_group(struct filter *f, struct filter_group at, enum net_family family)
{
	char name[FILTER_NAME_SIZE];

	if (!filter_set_name(name, f->network, at, family))
		return;
	rule_load_destination(&f->out, family, NFT_REG_1);
	rule_look_up(&f->out, name);
}

static void set_chain(char name[FILTER_NAME_SIZE], size_t set, enum net_family family)
{
	snprintf(name, FILTER_NAME_SIZE, "rules%zu-%s", set, family == NET_V4 ? "v4" : "v6");
}

static void add_group_of_ports(struct filter *f, struct filter_group at, enum net_family family, enum net_protocol protocol)
{
	const struct net_ports *ports = &group_at(f->network, at)->ports[protocol];
	char chain[FILTER_NAME_SIZE];

	set_chain(chain, at.set, family);
	for (size_t i = 0; i < ports->count; i++) {
		rule_open(&f->out, chain);
		rule_match_protocol(&f->out, protocol == NET_TCP ? IPPROTO_TCP : IPPROTO_UDP);
		rule_match_ports(&f->out, ports->items[i]);
		match_group(f, at, family);
		decide_group(f, at);
	}
}

static void add_group(struct filter *f, struct filter_group at, enum net_family family)
{
	const struct net_group *group = group_at(f->network, at);
	char chain[FILTER_NAME_SIZE];

	if (group->to[family].count == 0)
		return;
	if (group->every_protocol || group->icmp) {
		set_chain(chain, at.set, family);
		rule_open(&f->out, chain);
		if (!group->every_protocol)
			rule_match_protocol(&f->out, family == NET_V4 ? IPPROTO_ICMP : IPPROTO_ICMPV6);
		match_group(f, at, family);
		decide_group(f, at);
	}
	add_group_of_ports(f, at, family, NET_TCP);
	add_group_of_ports(f, at, family, NET_UDP);
}

static void add_set_of_rules(struct filter *f, size_t set, enum net_family family)
{
	const struct net_rules *rules = &f->network->egress.items[set];
	struct filter_group at = { .set = set };
	char chain[FILTER_NAME_SIZE], refusal[FILTER_NAME_SIZE], name[RULE_COMMENT_MAX + 1];

	for (; at.group < rules->count; at.group++)
		add_group(f, at, family);
	set_chain(chain, set, family);
	refusal_chain(refusal, refusal_number(f, at));
	name_rule(name, rules, FILTER_DEFAULT);
	rule_decide_all(&f->out, chain, rules->allows_by_default ? NFT_RETURN : NFT_GOTO, rules->allows_by_default ? NULL : refusal, name);
}

/* A mapped address on the wire has no meaning but to get past a rule for its other spelling (RFC 4038, 4.2). */
static void refuse_mapped(struct filter *f)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	char chain[FILTER_NAME_SIZE];

	refusal_chain(chain, built_in_number(f, REFUSES_MAPPED));
	rule_open(&f->out, family_chain[NET_V6]);
	rule_load_destination_part(&f->out, NET_V6, 0, sizeof(mapped), NFT_REG_1);
	rule_compare(&f->out, NFT_CMP_EQ, mapped, sizeof(mapped));
	rule_count(&f->out);
	rule_decide(&f->out, NFT_GOTO, chain);
	rule_close(&f->out, built_in_names[REFUSES_MAPPED]);
}

static void refuse_source_route(struct filter *f)
{
	char chain[FILTER_NAME_SIZE];

	refusal_chain(chain, built_in_number(f, REFUSES_SOURCE_ROUTES));
	rule_count(&f->out);
	rule_decide(&f->out, NFT_GOTO, chain);
	rule_close(&f->out, built_in_names[REFUSES_SOURCE_ROUTES]);
}

/* Anyone may give a socket a source route (IP_OPTIONS, IPV6_RTHDR). Then the packet's address is that of the first hop, and
 * where it ends is in the options. So also of established connections nothing passes that has some: in IPv4 any but those
 * of IGMP, which only the kernel sends; in IPv6 a routing header. */
static void refuse_source_routes(struct filter *f)
{
	const uint8_t plain = 0x45, igmp = IPPROTO_IGMP, absent = 0; /* IP version 4, a header of five words */

	rule_open(&f->out, "output");
	rule_match_family(&f->out, NET_V4);
	rule_load_payload(&f->out, NFT_PAYLOAD_NETWORK_HEADER, 0, sizeof(plain), NFT_REG_1);
	rule_compare(&f->out, NFT_CMP_NEQ, &plain, sizeof(plain));
	rule_load_meta(&f->out, NFT_META_L4PROTO, NFT_REG_1);
	rule_compare(&f->out, NFT_CMP_NEQ, &igmp, sizeof(igmp));
	refuse_source_route(f);
	rule_open(&f->out, "output");
	rule_match_family(&f->out, NET_V6);
	rule_load_presence(&f->out, IPPROTO_ROUTING, NFT_REG_1);
	rule_compare(&f->out, NFT_CMP_NEQ, &absent, sizeof(absent));
	refuse_source_route(f);
}

struct own_network {
	enum net_family family;
	uint8_t network[8], host[8]; /* what an address in it begins with, and how the one that is left open goes on */
	uint32_t network_len, host_len; /* host_len 0: none is */
};

static void refuse_network(struct filter *f, const struct own_network *own)
{
	char chain[FILTER_NAME_SIZE];

	refusal_chain(chain, built_in_number(f, REFUSES_HOST_LOOPBACK));
	rule_open(&f->out, family_chain[own->family]);
	rule_load_destination_part(&f->out, own->family, 0, own->network_len, NFT_REG_1);
	rule_compare(&f->out, NFT_CMP_EQ, own->network, own->network_len);
	if (own->host_len) {
		rule_load_destination_part(&f->out, own->family, own->network_len, own->host_len, NFT_REG_1);
		rule_compare(&f->out, NFT_CMP_NEQ, own->host, own->host_len);
	}
	rule_count(&f->out);
	rule_decide(&f->out, NFT_GOTO, chain);
	rule_close(&f->out, FILTER_HOST_LOOPBACK);
}

/* The ways to the host's own loopback, which no rule opens (MXC.md 7.6). Not only the gateway: libslirp takes every address
 * of its networks for the host, but the resolver's. */
static void close_host_loopback(struct filter *f)
{
	static const struct own_network networks[] = {
		{ NET_V4, { 10, 0, 2 }, { 3 }, 3, 1 },
		{ NET_V6, { 0xfd }, { [7] = 3 }, 8, 8 },
		{ NET_V6, { 0xfe, 0x80 }, { 0 }, 8, 0 },
	};

	for (size_t i = 0; i < array_size(networks) && f->network->closes_host_loopback; i++)
		refuse_network(f, &networks[i]);
}

/* Without neighbour discovery (RFC 4861) and the reports of listeners (RFC 3810) IPv6 has no link. The kernel sends
 * them; a workload can't. */
static void accept_icmpv6(struct filter *f, const char *chain, uint8_t first, uint8_t last)
{
	rule_open(&f->out, chain);
	rule_match_family(&f->out, NET_V6);
	rule_match_protocol(&f->out, IPPROTO_ICMPV6);
	rule_load_payload(&f->out, NFT_PAYLOAD_TRANSPORT_HEADER, 0, 1, NFT_REG_1);
	rule_compare(&f->out, NFT_CMP_GTE, &first, sizeof(first));
	rule_compare(&f->out, NFT_CMP_LTE, &last, sizeof(last));
	rule_decide(&f->out, NF_ACCEPT, NULL);
	rule_close(&f->out, NULL);
}

static void accept_loopback_and_known(struct filter *f, const char *chain, uint32_t interface_key)
{
	rule_open(&f->out, chain);
	rule_match_loopback(&f->out, interface_key);
	rule_decide(&f->out, NF_ACCEPT, NULL);
	rule_close(&f->out, NULL);
	rule_open(&f->out, chain);
	rule_match_known(&f->out);
	rule_decide(&f->out, NF_ACCEPT, NULL);
	rule_close(&f->out, NULL);
}

/* Docker answers for the networks of its users at a loopback address of the container's namespace and asks on from the host's,
 * so that whoever reaches it has a way out. Its ports are translated (NF_IP_PRI_NAT_DST), which is why the rules look at
 * what goes there before. */
static void judge_resolver(struct filter *f)
{
	static const uint8_t resolver[4] = { 127, 0, 0, 11 };

	rule_open(&f->out, RESOLVER_CHAIN);
	rule_match_family(&f->out, NET_V4);
	rule_load_destination(&f->out, NET_V4, NFT_REG_1);
	rule_compare(&f->out, NFT_CMP_EQ, resolver, sizeof(resolver));
	rule_decide(&f->out, NFT_GOTO, family_chain[NET_V4]);
	rule_close(&f->out, NULL);
	rule_open(&f->out, RESOLVER_CHAIN);
	rule_decide(&f->out, NF_ACCEPT, NULL);
	rule_close(&f->out, NULL);
}

/* Of every denial of a set, and of its default. */
static void add_refusals(struct filter *f, size_t set)
{
	const struct net_rules *rules = &f->network->egress.items[set];
	struct filter_group at = { .set = set };
	char name[RULE_COMMENT_MAX + 1];

	for (; at.group <= rules->count; at.group++) {
		bool is_default = at.group == rules->count;

		if (is_default ? rules->allows_by_default : rules->groups[at.group].allows)
			continue;
		name_rule(name, rules, is_default ? FILTER_DEFAULT : rules->groups[at.group].name);
		add_refusal(f, refusal_number(f, at), name);
	}
}

/* What every set has let pass is let out. */
static void add_family(struct filter *f, enum net_family family)
{
	char chain[FILTER_NAME_SIZE];

	for (size_t i = 0; i < f->network->egress.count; i++) {
		set_chain(chain, i, family);
		rule_open(&f->out, family_chain[family]);
		rule_decide(&f->out, NFT_JUMP, chain);
		rule_close(&f->out, NULL);
	}
	rule_open(&f->out, family_chain[family]);
	rule_decide(&f->out, NF_ACCEPT, NULL);
	rule_close(&f->out, NULL);
	for (size_t i = 0; i < f->network->egress.count; i++)
		add_set_of_rules(f, i, family);
}

static void add_output(struct filter *f)
{
	if (f->network->judges_resolver)
		judge_resolver(f);
	refuse_source_routes(f);
	accept_loopback_and_known(f, "output", NFT_META_OIF);
	accept_icmpv6(f, "output", ND_ROUTER_SOLICIT, ND_NEIGHBOR_ADVERT);
	accept_icmpv6(f, "output", 143, 143); /* multicast listener report, version 2 */
	for (enum net_family family = NET_V4; family < NET_FAMILIES; family++) {
		rule_open(&f->out, "output");
		rule_match_family(&f->out, family);
		rule_decide(&f->out, NFT_GOTO, family_chain[family]);
		rule_close(&f->out, NULL);
	}
	refuse_mapped(f);
	close_host_loopback(f);
	for (enum net_family family = NET_V4; family < NET_FAMILIES; family++)
		add_family(f, family);
	for (size_t i = 0; i < f->network->egress.count; i++)
		add_refusals(f, i);
	for (int i = 0; i < BUILT_IN_MAX; i++)
		add_refusal(f, built_in_number(f, i), built_in_names[i]);
}

/* ---- ingress ---- */

static void add_input(struct filter *f)
{
	accept_loopback_and_known(f, "input", NFT_META_IIF);
	accept_icmpv6(f, "input", ND_ROUTER_SOLICIT, ND_NEIGHBOR_ADVERT);
	rule_decide_all(&f->out, "input", f->network->accepts_connections ? NF_ACCEPT : NF_DROP, NULL, "ingress.default");
}

/* ---- the table ---- */

static void add_table(struct filter *f)
{
	nft_begin(&f->out.batch, NFT_MSG_NEWTABLE, NLM_F_EXCL);
	nft_put_text(&f->out.batch, NFTA_TABLE_NAME, f->out.batch.table);
	nft_end(&f->out.batch);
}

static void open_chain(struct filter *f, const char *name)
{
	nft_begin(&f->out.batch, NFT_MSG_NEWCHAIN, 0);
	nft_put_text(&f->out.batch, NFTA_CHAIN_TABLE, f->out.batch.table);
	nft_put_text(&f->out.batch, NFTA_CHAIN_NAME, name);
}

static void add_hook(struct filter *f, const char *name, uint32_t hook, int32_t priority)
{
	open_chain(f, name);
	nft_open(&f->out.batch, NFTA_CHAIN_HOOK);
	nft_put_u32(&f->out.batch, NFTA_HOOK_HOOKNUM, hook);
	nft_put_u32(&f->out.batch, NFTA_HOOK_PRIORITY, (uint32_t)priority);
	nft_close(&f->out.batch);
	nft_put_u32(&f->out.batch, NFTA_CHAIN_POLICY, NF_DROP);
	nft_put_text(&f->out.batch, NFTA_CHAIN_TYPE, "filter");
	nft_end(&f->out.batch);
	f->out.sum.hooks++;
}

static void add_chain(struct filter *f, const char *name)
{
	open_chain(f, name);
	nft_end(&f->out.batch);
}

static void add_chains_of_set(struct filter *f, size_t set)
{
	const struct net_rules *rules = &f->network->egress.items[set];
	struct filter_group at = { .set = set };
	char name[FILTER_NAME_SIZE];

	for (enum net_family family = NET_V4; family < NET_FAMILIES; family++) {
		set_chain(name, set, family);
		add_chain(f, name);
	}
	for (; at.group <= rules->count; at.group++) {
		if (at.group == rules->count ? rules->allows_by_default : rules->groups[at.group].allows)
			continue;
		refusal_chain(name, refusal_number(f, at));
		add_chain(f, name);
	}
}

static void add_chains(struct filter *f)
{
	char name[FILTER_NAME_SIZE];

	if (f->network->judges_resolver)
		add_hook(f, RESOLVER_CHAIN, NF_INET_LOCAL_OUT, NF_IP_PRI_MANGLE);
	add_hook(f, "output", NF_INET_LOCAL_OUT, NF_IP_PRI_FILTER);
	add_hook(f, "input", NF_INET_LOCAL_IN, NF_IP_PRI_FILTER);
	add_hook(f, "forward", NF_INET_FORWARD, NF_IP_PRI_FILTER);
	for (enum net_family family = NET_V4; family < NET_FAMILIES; family++)
		add_chain(f, family_chain[family]);
	for (size_t i = 0; i < f->network->egress.count; i++)
		add_chains_of_set(f, i);
	for (int i = 0; i < BUILT_IN_MAX; i++) {
		refusal_chain(name, built_in_number(f, i));
		add_chain(f, name);
	}
}

/* Sets first: they may take several batches, where the kernel takes no long ones, and have no effect before the last. */
static void build(struct filter *f)
{
	add_table(f);
	add_refusal_sets(f);
	for (size_t i = 0; i < f->network->egress.count; i++)
		for (size_t j = 0; j < f->network->egress.items[i].count; j++)
			add_group_sets(f, (struct filter_group){ i, j });
	nft_allow_cut(&f->out.batch);
	add_chains(f);
	add_output(f);
	add_input(f);
}

static int explain(const struct filter *f, int errnum, struct err **err)
{
	int r = err_sys(err, E_NETWORK, errnum, "nf_tables, table", f->out.batch.table, f->network->pointer);

	if (errnum == EOPNOTSUPP || errnum == EPROTONOSUPPORT || errnum == ENOENT)
		err_hint(err, "the kernel needs CONFIG_NF_TABLES, CONFIG_NF_TABLES_INET, CONFIG_NFT_CT and CONFIG_NFT_REJECT_INET");
	if (errnum == EMSGSIZE)
		err_hint(err, "raise the sysctl net.core.wmem_max, or start as root");
	return r;
}

static int load(int fd, struct filter *f, struct err **err)
{
	int r;

	build(f);
	if (f->out.sum.rule_count > RULES_MAX)
		return err_set(err, E_POLICY, E2BIG, f->network->pointer,
			       "the rules name too many different protocols and ports: %zu filter rules, at most %u", f->out.sum.rule_count,
			       RULES_MAX);
	r = nft_send(fd, &f->out.batch);
	if (r == -ENOMEM && f->out.batch.data.failed)
		return err_nomem(err);
	return r < 0 ? explain(f, -r, err) : filter_check(fd, f->out.batch.table, &f->out.sum, f->network, err);
}

void filter_table_name(char name[FILTER_TABLE_SIZE], const char *id)
{
	/* an id is at most as long as the name of a file, so its end is what tells long ones apart */
	size_t len = strlen(id), room = FILTER_TABLE_SIZE - sizeof("mxcrun-");

	snprintf(name, FILTER_TABLE_SIZE, "mxcrun-%s", len > room ? id + len - room : id);
}

int filter_load(int fd, const char *table, const struct net_policy *network, struct err **err)
{
	struct filter f = { .network = network };
	int r;

	nft_start(&f.out.batch, table, nft_limit(fd));
	r = load(fd, &f, err);
	nft_done(&f.out.batch);
	return r;
}

int filter_unload(int fd, const char *table)
{
	cleanup_nft struct nft_batch batch;
	int r;

	nft_start(&batch, table, nft_limit(fd));
	nft_begin(&batch, NFT_MSG_DELTABLE, 0);
	nft_put_text(&batch, NFTA_TABLE_NAME, table);
	nft_end(&batch);
	r = nft_send(fd, &batch);
	return r == -ENOENT ? 0 : r;
}

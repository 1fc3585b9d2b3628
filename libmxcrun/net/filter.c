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

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter_ipv4.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "net/filter_check.h"
#include "net/nft.h"

#define RESOLVER_CHAIN "resolver"
#define LOOPBACK_INDEX 1u /* of "lo" in every network namespace */
#define RULES_MAX 8192u
#define ELEMENTS_SIZE 60000u /* an attribute's length has 16 bits */

/* What nft(8) wants to know to print a set. */
#define TYPE_IPV4 7u
#define TYPE_IPV6 8u
#define TYPE_PROTOCOL 12u
#define TYPE_PORT 13u
#define TYPE_NUMBER 19u
#define TYPE_BITS 6u
#define USERDATA_COMMENT 0u
#define COMMENT_MAX 120u

struct filter {
	struct nft_batch batch;
	struct filter_sum sum;
	const struct net_policy *network;
	size_t rules;
};

static const size_t address_len[NET_FAMILIES] = { 4, 16 };
static const uint32_t address_offset[NET_FAMILIES] = { 16, 24 };
static const char *const family_chain[NET_FAMILIES] = { "egress4", "egress6" };

/* ---- expressions ---- */

static void open_expression(struct filter *f, const char *name)
{
	filter_sum_text(&f->sum, name);
	nft_open(&f->batch, NFTA_LIST_ELEM);
	nft_put_text(&f->batch, NFTA_EXPR_NAME, name);
	nft_open(&f->batch, NFTA_EXPR_DATA);
}

static void close_expression(struct filter *f)
{
	nft_close(&f->batch);
	nft_close(&f->batch);
}

static void load_meta(struct filter *f, uint32_t key, uint32_t reg)
{
	open_expression(f, "meta");
	nft_put_u32(&f->batch, NFTA_META_KEY, key);
	nft_put_u32(&f->batch, NFTA_META_DREG, reg);
	close_expression(f);
}

static void load_payload(struct filter *f, uint32_t base, uint32_t offset, uint32_t len, uint32_t reg)
{
	open_expression(f, "payload");
	nft_put_u32(&f->batch, NFTA_PAYLOAD_DREG, reg);
	nft_put_u32(&f->batch, NFTA_PAYLOAD_BASE, base);
	nft_put_u32(&f->batch, NFTA_PAYLOAD_OFFSET, offset);
	nft_put_u32(&f->batch, NFTA_PAYLOAD_LEN, len);
	close_expression(f);
}

/* Of an IPv6 extension header: 1 or 0. */
static void load_presence(struct filter *f, uint8_t header, uint32_t reg)
{
	open_expression(f, "exthdr");
	nft_put_u32(&f->batch, NFTA_EXTHDR_DREG, reg);
	nft_put(&f->batch, NFTA_EXTHDR_TYPE, &header, sizeof(header));
	nft_put_u32(&f->batch, NFTA_EXTHDR_OFFSET, 0);
	nft_put_u32(&f->batch, NFTA_EXTHDR_LEN, 1);
	nft_put_u32(&f->batch, NFTA_EXTHDR_FLAGS, NFT_EXTHDR_F_PRESENT);
	close_expression(f);
}

static void load_number(struct filter *f, uint32_t number, uint32_t reg)
{
	open_expression(f, "immediate");
	nft_put_u32(&f->batch, NFTA_IMMEDIATE_DREG, reg);
	nft_put_value(&f->batch, NFTA_IMMEDIATE_DATA, &number, sizeof(number));
	close_expression(f);
}

static void compare(struct filter *f, uint32_t operation, const void *data, size_t len)
{
	open_expression(f, "cmp");
	nft_put_u32(&f->batch, NFTA_CMP_SREG, NFT_REG_1);
	nft_put_u32(&f->batch, NFTA_CMP_OP, operation);
	nft_put_value(&f->batch, NFTA_CMP_DATA, data, len);
	close_expression(f);
}

static void look_up(struct filter *f, const char *set)
{
	open_expression(f, "lookup");
	nft_put_text(&f->batch, NFTA_LOOKUP_SET, set);
	nft_put_u32(&f->batch, NFTA_LOOKUP_SREG, NFT_REG_1);
	close_expression(f);
}

static void count(struct filter *f)
{
	open_expression(f, "counter");
	close_expression(f);
}

/* chain NULL for a verdict that names none. */
static void decide(struct filter *f, int verdict, const char *chain)
{
	open_expression(f, "immediate");
	nft_put_u32(&f->batch, NFTA_IMMEDIATE_DREG, NFT_REG_VERDICT);
	nft_open(&f->batch, NFTA_IMMEDIATE_DATA);
	nft_open(&f->batch, NFTA_DATA_VERDICT);
	nft_put_u32(&f->batch, NFTA_VERDICT_CODE, (uint32_t)verdict);
	if (chain)
		nft_put_text(&f->batch, NFTA_VERDICT_CHAIN, chain);
	nft_close(&f->batch);
	nft_close(&f->batch);
	close_expression(f);
}

static void refuse(struct filter *f)
{
	const uint8_t code = NFT_REJECT_ICMPX_ADMIN_PROHIBITED;

	open_expression(f, "reject");
	nft_put_u32(&f->batch, NFTA_REJECT_TYPE, NFT_REJECT_ICMPX_UNREACH);
	nft_put(&f->batch, NFTA_REJECT_ICMP_CODE, &code, sizeof(code));
	close_expression(f);
}

/* A connection is refused by a reset: an ICMP error meets the socket while connect(2) holds it, counts as a passing one, and the
 * caller waits a second for the next try (tcp_v4_err, tcp_v6_err; a socket that doesn't block notices with IPv4 only). */
static void reset(struct filter *f)
{
	open_expression(f, "reject");
	nft_put_u32(&f->batch, NFTA_REJECT_TYPE, NFT_REJECT_TCP_RST);
	close_expression(f);
}

/* Established and related: bits of the state, linux/netfilter/nf_conntrack_common.h. */
static void match_known(struct filter *f)
{
	const uint32_t known = 1u << 1 | 1u << 2, nothing = 0;

	open_expression(f, "ct");
	nft_put_u32(&f->batch, NFTA_CT_KEY, NFT_CT_STATE);
	nft_put_u32(&f->batch, NFTA_CT_DREG, NFT_REG_1);
	close_expression(f);
	open_expression(f, "bitwise");
	nft_put_u32(&f->batch, NFTA_BITWISE_SREG, NFT_REG_1);
	nft_put_u32(&f->batch, NFTA_BITWISE_DREG, NFT_REG_1);
	nft_put_u32(&f->batch, NFTA_BITWISE_LEN, sizeof(known));
	nft_put_value(&f->batch, NFTA_BITWISE_MASK, &known, sizeof(known));
	nft_put_value(&f->batch, NFTA_BITWISE_XOR, &nothing, sizeof(nothing));
	close_expression(f);
	compare(f, NFT_CMP_NEQ, &nothing, sizeof(nothing));
}

static void match_interface(struct filter *f, uint32_t key)
{
	const uint32_t index = LOOPBACK_INDEX;

	load_meta(f, key, NFT_REG_1);
	compare(f, NFT_CMP_EQ, &index, sizeof(index));
}

static void match_family(struct filter *f, enum net_family family)
{
	const uint8_t number = family == NET_V4 ? NFPROTO_IPV4 : NFPROTO_IPV6;

	load_meta(f, NFT_META_NFPROTO, NFT_REG_1);
	compare(f, NFT_CMP_EQ, &number, sizeof(number));
}

static void match_protocol(struct filter *f, uint8_t number)
{
	load_meta(f, NFT_META_L4PROTO, NFT_REG_1);
	compare(f, NFT_CMP_EQ, &number, sizeof(number));
}

static void match_ports(struct filter *f, struct net_port_range range)
{
	const uint16_t first = htons(range.first), last = htons(range.last);

	if (range.first == 0 && range.last == UINT16_MAX)
		return;
	load_payload(f, NFT_PAYLOAD_TRANSPORT_HEADER, 2, 2, NFT_REG_1);
	compare(f, NFT_CMP_GTE, &first, sizeof(first));
	compare(f, NFT_CMP_LTE, &last, sizeof(last));
}

static void load_destination(struct filter *f, enum net_family family, uint32_t reg)
{
	load_payload(f, NFT_PAYLOAD_NETWORK_HEADER, address_offset[family], (uint32_t)address_len[family], reg);
}

/* ---- rules ---- */

static void open_rule(struct filter *f, const char *chain)
{
	filter_sum_begin(&f->sum);
	filter_sum_text(&f->sum, chain);
	f->rules++;
	nft_begin(&f->batch, NFT_MSG_NEWRULE, NLM_F_APPEND);
	nft_put_text(&f->batch, NFTA_RULE_TABLE, f->batch.table);
	nft_put_text(&f->batch, NFTA_RULE_CHAIN, chain);
	nft_open(&f->batch, NFTA_RULE_EXPRESSIONS);
}

/* comment NULL: none; shown by nft(8), and the name under which a counter is reported. */
static void close_rule(struct filter *f, const char *comment)
{
	char userdata[COMMENT_MAX + 3];
	size_t len;

	nft_close(&f->batch);
	if (comment) {
		len = strnlen(comment, COMMENT_MAX);
		userdata[0] = USERDATA_COMMENT;
		userdata[1] = (char)(len + 1);
		memcpy(userdata + 2, comment, len);
		userdata[2 + len] = '\0';
		nft_put(&f->batch, NFTA_RULE_USERDATA, userdata, len + 3);
	}
	nft_end(&f->batch);
	filter_sum_end(&f->sum);
}

static void decide_all(struct filter *f, const char *chain, int verdict, const char *target, const char *comment)
{
	open_rule(f, chain);
	count(f);
	decide(f, verdict, target);
	close_rule(f, comment);
}

/* ---- sets ---- */

static void put_element(struct filter *f, enum net_family family, struct net_address at, bool is_end)
{
	uint8_t bytes[16];

	(void)net_address_bytes(family, at, bytes);
	filter_sum_element(&f->sum, bytes, address_len[family], is_end);
	nft_open(&f->batch, NFTA_LIST_ELEM);
	nft_put_value(&f->batch, NFTA_SET_ELEM_KEY, bytes, address_len[family]);
	if (is_end)
		nft_put_u32(&f->batch, NFTA_SET_ELEM_FLAGS, NFT_SET_ELEM_INTERVAL_END);
	nft_close(&f->batch);
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
	nft_allow_cut(&f->batch);
	nft_begin(&f->batch, NFT_MSG_NEWSETELEM, 0);
	nft_put_text(&f->batch, NFTA_SET_ELEM_LIST_TABLE, f->batch.table);
	nft_put_text(&f->batch, NFTA_SET_ELEM_LIST_SET, set);
	nft_open(&f->batch, NFTA_SET_ELEM_LIST_ELEMENTS);
}

static void close_elements(struct filter *f)
{
	nft_close(&f->batch);
	nft_end(&f->batch);
}

static void add_elements(struct filter *f, const char *set, enum net_family family, const struct net_intervals *list)
{
	open_elements(f, set);
	for (size_t i = 0; i < list->count; i++) {
		if (nft_message_size(&f->batch) > ELEMENTS_SIZE) {
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

	nft_begin(&f->batch, NFT_MSG_NEWSET, 0);
	nft_put_text(&f->batch, NFTA_SET_TABLE, f->batch.table);
	nft_put_text(&f->batch, NFTA_SET_NAME, name);
	nft_put_u32(&f->batch, NFTA_SET_FLAGS, flags);
	nft_put_u32(&f->batch, NFTA_SET_KEY_TYPE, type);
	nft_put_u32(&f->batch, NFTA_SET_KEY_LEN, (uint32_t)key_len);
	nft_put_u32(&f->batch, NFTA_SET_ID, any_id);
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
		open_set(f, name, NFT_SET_INTERVAL, family == NET_V4 ? TYPE_IPV4 : TYPE_IPV6, address_len[family]);
		nft_end(&f->batch);
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
			open_set(f, names[i], NFT_SET_TIMEOUT | NFT_SET_EVAL, type, address_len[family] + 12);
			nft_put_u64(&f->batch, NFTA_SET_TIMEOUT, FILTER_REFUSED_MS);
			nft_open(&f->batch, NFTA_SET_DESC);
			nft_put_u32(&f->batch, NFTA_SET_DESC_SIZE, FILTER_REFUSED_MAX);
			nft_close(&f->batch);
			nft_end(&f->batch);
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
static void rule_name(char name[COMMENT_MAX + 1], const struct net_rules *rules, const char *rule)
{
	size_t len = strlen(rule) + strlen(": "), room = COMMENT_MAX > len ? COMMENT_MAX - len : 0;
	const char *carrier = rules->carrier;

	if (carrier && strlen(carrier) > room)
		carrier += strlen(carrier) - room;
	snprintf(name, COMMENT_MAX + 1, "%s%s%s", carrier ? carrier : "", carrier ? ": " : "", rule);
}

static void remember(struct filter *f, const char *set, uint32_t operation)
{
	open_expression(f, "dynset");
	nft_put_text(&f->batch, NFTA_DYNSET_SET_NAME, set);
	nft_put_u32(&f->batch, NFTA_DYNSET_OP, operation);
	nft_put_u32(&f->batch, NFTA_DYNSET_SREG_KEY, NFT_REG32_00);
	nft_put_u64(&f->batch, NFTA_DYNSET_TIMEOUT, FILTER_REFUSED_MS);
	if (operation == NFT_DYNSET_OP_UPDATE) {
		nft_open(&f->batch, NFTA_DYNSET_EXPR);
		nft_put_text(&f->batch, NFTA_EXPR_NAME, "counter");
		nft_open(&f->batch, NFTA_EXPR_DATA);
		nft_close(&f->batch);
		nft_close(&f->batch);
	}
	close_expression(f);
}

/* protocol 0: whatever it is, without a port. */
static void record(struct filter *f, const char *chain, size_t number, enum net_family family, uint8_t protocol)
{
	uint32_t reg = NFT_REG32_01 + (uint32_t)(address_len[family] / 4);

	open_rule(f, chain);
	match_family(f, family);
	if (protocol)
		match_protocol(f, protocol);
	load_number(f, (uint32_t)number, NFT_REG32_00);
	load_destination(f, family, NFT_REG32_01);
	load_meta(f, NFT_META_L4PROTO, reg);
	if (protocol)
		load_payload(f, NFT_PAYLOAD_TRANSPORT_HEADER, 2, 2, reg + 1);
	else
		load_number(f, 0, reg + 1);
	remember(f, FILTER_SINCE(family), NFT_DYNSET_OP_ADD);
	remember(f, FILTER_REFUSED(family), NFT_DYNSET_OP_UPDATE);
	if (protocol == IPPROTO_TCP)
		reset(f);
	else if (protocol)
		refuse(f);
	close_rule(f, NULL);
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
	open_rule(f, chain);
	match_protocol(f, IPPROTO_TCP);
	reset(f);
	close_rule(f, NULL);
	open_rule(f, chain);
	refuse(f);
	close_rule(f, name);
}

/* ---- egress ---- */

/* What a set lets pass goes back, to be judged by the next one. */
static void decide_group(struct filter *f, struct filter_group at)
{
	const struct net_group *group = group_at(f->network, at);
	char chain[FILTER_NAME_SIZE], name[COMMENT_MAX + 1];

	refusal_chain(chain, refusal_number(f, at));
	rule_name(name, &f->network->egress.items[at.set], group->name);
	count(f);
	decide(f, group->allows ? NFT_RETURN : NFT_GOTO, group->allows ? NULL : chain);
	close_rule(f, name);
}

static void match_group(struct filter *f, struct filter_group at, enum net_family family)
{
	char name[FILTER_NAME_SIZE];

	if (!filter_set_name(name, f->network, at, family))
		return;
	load_destination(f, family, NFT_REG_1);
	look_up(f, name);
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
		open_rule(f, chain);
		match_protocol(f, protocol == NET_TCP ? IPPROTO_TCP : IPPROTO_UDP);
		match_ports(f, ports->items[i]);
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
		open_rule(f, chain);
		if (!group->every_protocol)
			match_protocol(f, family == NET_V4 ? IPPROTO_ICMP : IPPROTO_ICMPV6);
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
	char chain[FILTER_NAME_SIZE], refusal[FILTER_NAME_SIZE], name[COMMENT_MAX + 1];

	for (; at.group < rules->count; at.group++)
		add_group(f, at, family);
	set_chain(chain, set, family);
	refusal_chain(refusal, refusal_number(f, at));
	rule_name(name, rules, FILTER_DEFAULT);
	decide_all(f, chain, rules->allows_by_default ? NFT_RETURN : NFT_GOTO, rules->allows_by_default ? NULL : refusal, name);
}

/* A mapped address on the wire has no meaning but to get past a rule for its other spelling (RFC 4038, 4.2). */
static void refuse_mapped(struct filter *f)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	char chain[FILTER_NAME_SIZE];

	refusal_chain(chain, built_in_number(f, REFUSES_MAPPED));
	open_rule(f, family_chain[NET_V6]);
	load_payload(f, NFT_PAYLOAD_NETWORK_HEADER, address_offset[NET_V6], sizeof(mapped), NFT_REG_1);
	compare(f, NFT_CMP_EQ, mapped, sizeof(mapped));
	count(f);
	decide(f, NFT_GOTO, chain);
	close_rule(f, built_in_names[REFUSES_MAPPED]);
}

static void refuse_source_route(struct filter *f)
{
	char chain[FILTER_NAME_SIZE];

	refusal_chain(chain, built_in_number(f, REFUSES_SOURCE_ROUTES));
	count(f);
	decide(f, NFT_GOTO, chain);
	close_rule(f, built_in_names[REFUSES_SOURCE_ROUTES]);
}

/* Anyone may give a socket a source route (IP_OPTIONS, IPV6_RTHDR). Then the packet's address is that of the first hop, and
 * where it ends is in the options. So also of established connections nothing passes that has some: in IPv4 any but those
 * of IGMP, which only the kernel sends; in IPv6 a routing header. */
static void refuse_source_routes(struct filter *f)
{
	const uint8_t plain = 0x45, igmp = IPPROTO_IGMP, absent = 0; /* IP version 4, a header of five words */

	open_rule(f, "output");
	match_family(f, NET_V4);
	load_payload(f, NFT_PAYLOAD_NETWORK_HEADER, 0, sizeof(plain), NFT_REG_1);
	compare(f, NFT_CMP_NEQ, &plain, sizeof(plain));
	load_meta(f, NFT_META_L4PROTO, NFT_REG_1);
	compare(f, NFT_CMP_NEQ, &igmp, sizeof(igmp));
	refuse_source_route(f);
	open_rule(f, "output");
	match_family(f, NET_V6);
	load_presence(f, IPPROTO_ROUTING, NFT_REG_1);
	compare(f, NFT_CMP_NEQ, &absent, sizeof(absent));
	refuse_source_route(f);
}

struct own_network {
	enum net_family family;
	uint8_t network[8], host[8]; /* what an address in it begins with, and how the one that is left open goes on */
	uint32_t network_len, host_len; /* host_len 0: none is */
};

static void refuse_network(struct filter *f, const struct own_network *own)
{
	uint32_t offset = address_offset[own->family];
	char chain[FILTER_NAME_SIZE];

	refusal_chain(chain, built_in_number(f, REFUSES_HOST_LOOPBACK));
	open_rule(f, family_chain[own->family]);
	load_payload(f, NFT_PAYLOAD_NETWORK_HEADER, offset, own->network_len, NFT_REG_1);
	compare(f, NFT_CMP_EQ, own->network, own->network_len);
	if (own->host_len) {
		load_payload(f, NFT_PAYLOAD_NETWORK_HEADER, offset + own->network_len, own->host_len, NFT_REG_1);
		compare(f, NFT_CMP_NEQ, own->host, own->host_len);
	}
	count(f);
	decide(f, NFT_GOTO, chain);
	close_rule(f, FILTER_HOST_LOOPBACK);
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
	open_rule(f, chain);
	match_family(f, NET_V6);
	match_protocol(f, IPPROTO_ICMPV6);
	load_payload(f, NFT_PAYLOAD_TRANSPORT_HEADER, 0, 1, NFT_REG_1);
	compare(f, NFT_CMP_GTE, &first, sizeof(first));
	compare(f, NFT_CMP_LTE, &last, sizeof(last));
	decide(f, NF_ACCEPT, NULL);
	close_rule(f, NULL);
}

static void accept_loopback_and_known(struct filter *f, const char *chain, uint32_t interface_key)
{
	open_rule(f, chain);
	match_interface(f, interface_key);
	decide(f, NF_ACCEPT, NULL);
	close_rule(f, NULL);
	open_rule(f, chain);
	match_known(f);
	decide(f, NF_ACCEPT, NULL);
	close_rule(f, NULL);
}

/* Docker answers for the networks of its users at a loopback address of the container's namespace and asks on from the host's,
 * so that whoever reaches it has a way out. Its ports are translated (NF_IP_PRI_NAT_DST), which is why the rules look at
 * what goes there before. */
static void judge_resolver(struct filter *f)
{
	static const uint8_t resolver[4] = { 127, 0, 0, 11 };

	open_rule(f, RESOLVER_CHAIN);
	match_family(f, NET_V4);
	load_destination(f, NET_V4, NFT_REG_1);
	compare(f, NFT_CMP_EQ, resolver, sizeof(resolver));
	decide(f, NFT_GOTO, family_chain[NET_V4]);
	close_rule(f, NULL);
	open_rule(f, RESOLVER_CHAIN);
	decide(f, NF_ACCEPT, NULL);
	close_rule(f, NULL);
}

/* Of every denial of a set, and of its default. */
static void add_refusals(struct filter *f, size_t set)
{
	const struct net_rules *rules = &f->network->egress.items[set];
	struct filter_group at = { .set = set };
	char name[COMMENT_MAX + 1];

	for (; at.group <= rules->count; at.group++) {
		bool is_default = at.group == rules->count;

		if (is_default ? rules->allows_by_default : rules->groups[at.group].allows)
			continue;
		rule_name(name, rules, is_default ? FILTER_DEFAULT : rules->groups[at.group].name);
		add_refusal(f, refusal_number(f, at), name);
	}
}

/* What every set has let pass is let out. */
static void add_family(struct filter *f, enum net_family family)
{
	char chain[FILTER_NAME_SIZE];

	for (size_t i = 0; i < f->network->egress.count; i++) {
		set_chain(chain, i, family);
		open_rule(f, family_chain[family]);
		decide(f, NFT_JUMP, chain);
		close_rule(f, NULL);
	}
	open_rule(f, family_chain[family]);
	decide(f, NF_ACCEPT, NULL);
	close_rule(f, NULL);
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
		open_rule(f, "output");
		match_family(f, family);
		decide(f, NFT_GOTO, family_chain[family]);
		close_rule(f, NULL);
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
	decide_all(f, "input", f->network->accepts_connections ? NF_ACCEPT : NF_DROP, NULL, "ingress.default");
}

/* ---- the table ---- */

static void add_table(struct filter *f)
{
	nft_begin(&f->batch, NFT_MSG_NEWTABLE, NLM_F_EXCL);
	nft_put_text(&f->batch, NFTA_TABLE_NAME, f->batch.table);
	nft_end(&f->batch);
}

static void open_chain(struct filter *f, const char *name)
{
	nft_begin(&f->batch, NFT_MSG_NEWCHAIN, 0);
	nft_put_text(&f->batch, NFTA_CHAIN_TABLE, f->batch.table);
	nft_put_text(&f->batch, NFTA_CHAIN_NAME, name);
}

static void add_hook(struct filter *f, const char *name, uint32_t hook, int32_t priority)
{
	open_chain(f, name);
	nft_open(&f->batch, NFTA_CHAIN_HOOK);
	nft_put_u32(&f->batch, NFTA_HOOK_HOOKNUM, hook);
	nft_put_u32(&f->batch, NFTA_HOOK_PRIORITY, (uint32_t)priority);
	nft_close(&f->batch);
	nft_put_u32(&f->batch, NFTA_CHAIN_POLICY, NF_DROP);
	nft_put_text(&f->batch, NFTA_CHAIN_TYPE, "filter");
	nft_end(&f->batch);
	f->sum.hooks++;
}

static void add_chain(struct filter *f, const char *name)
{
	open_chain(f, name);
	nft_end(&f->batch);
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
	nft_allow_cut(&f->batch);
	add_chains(f);
	add_output(f);
	add_input(f);
}

static int explain(const struct filter *f, int errnum, struct err **err)
{
	int r = err_sys(err, E_NETWORK, errnum, "nf_tables, table", f->batch.table, f->network->pointer);

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
	if (f->rules > RULES_MAX)
		return err_set(err, E_POLICY, E2BIG, f->network->pointer,
			       "the rules name too many different protocols and ports: %zu filter rules, at most %u", f->rules,
			       RULES_MAX);
	r = nft_send(fd, &f->batch);
	if (r == -ENOMEM && f->batch.data.failed)
		return err_nomem(err);
	return r < 0 ? explain(f, -r, err) : filter_check(fd, f->batch.table, &f->sum, f->network, err);
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

	nft_start(&f.batch, table, nft_limit(fd));
	r = load(fd, &f, err);
	nft_done(&f.batch);
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

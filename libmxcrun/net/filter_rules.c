/* filter_rules.c - the rules of a policy in the chains of its table: which packets go where.
 *
 * Each group of a rule set is a rule for each of its protocols and port ranges. Around them is what holds whatever the sets say: ways
 * to the host's loopback, other spellings of an address, and source routes are refused; what IPv6 needs to have a link passes.
 */
#include <netinet/in.h> /* musl's comes before the kernel's */
#include <linux/netfilter.h>
#include <netinet/icmp6.h>

#include "net/filter_parts.h"

/* ---- egress: the sets ---- */

/* The end of a rule. What a set lets pass goes back, to be judged by the next one. */
static void judge(struct filter *f, struct filter_group at)
{
	const struct net_rules *rules = &f->network->egress.items[at.set];
	char chain[FILTER_NAME_SIZE], name[RULE_COMMENT_MAX + 1];
	bool is_denial = filter_is_denial(rules, at.group);

	filter_refusal_chain(chain, filter_refusal_number(f, at));
	filter_name_rule(name, rules, at.group);
	rule_decide_counted(&f->out, is_denial ? NFT_GOTO : NFT_RETURN, is_denial ? chain : NULL, name);
}

static void match_group(struct filter *f, struct filter_group at, enum net_family family)
{
	char name[FILTER_NAME_SIZE];

	if (!filter_set_name(name, f->network, at, family))
		return;
	rule_load_destination(&f->out, family, NFT_REG_1);
	rule_look_up(&f->out, name);
}

static void add_group_of_ports(struct filter *f, struct filter_group at, enum net_family family, enum net_protocol protocol)
{
	const struct net_ports *ports = &filter_group_at(f->network, at)->ports[protocol];
	char chain[FILTER_NAME_SIZE];

	filter_set_chain(chain, at.set, family);
	for (size_t i = 0; i < ports->count; i++) {
		rule_open(&f->out, chain);
		rule_match_protocol(&f->out, protocol == NET_TCP ? IPPROTO_TCP : IPPROTO_UDP);
		rule_match_ports(&f->out, ports->items[i]);
		match_group(f, at, family);
		judge(f, at);
	}
}

static void add_group(struct filter *f, struct filter_group at, enum net_family family)
{
	const struct net_group *group = filter_group_at(f->network, at);
	char chain[FILTER_NAME_SIZE];

	if (group->to[family].count == 0)
		return;
	if (group->every_protocol || group->icmp) {
		filter_set_chain(chain, at.set, family);
		rule_open(&f->out, chain);
		if (!group->every_protocol)
			rule_match_protocol(&f->out, family == NET_V4 ? IPPROTO_ICMP : IPPROTO_ICMPV6);
		match_group(f, at, family);
		judge(f, at);
	}
	add_group_of_ports(f, at, family, NET_TCP);
	add_group_of_ports(f, at, family, NET_UDP);
}

static void add_set_of_rules(struct filter *f, size_t set, enum net_family family)
{
	const struct net_rules *rules = &f->network->egress.items[set];
	struct filter_group at = { .set = set };
	char chain[FILTER_NAME_SIZE];

	for (; at.group < rules->count; at.group++)
		add_group(f, at, family);
	filter_set_chain(chain, set, family);
	rule_open(&f->out, chain);
	judge(f, at);
}

/* ---- egress: whatever the sets say ---- */

/* A mapped address on the wire has no meaning but to get past a rule for its other spelling (RFC 4038, 4.2). */
static void refuse_mapped(struct filter *f)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	rule_open(&f->out, filter_family_chain[NET_V6]);
	rule_load_destination_part(&f->out, NET_V6, 0, sizeof(mapped), NFT_REG_1);
	rule_compare(&f->out, NFT_CMP_EQ, mapped, sizeof(mapped));
	filter_refuse(f, REFUSES_MAPPED);
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
	filter_refuse(f, REFUSES_SOURCE_ROUTES);
	rule_open(&f->out, "output");
	rule_match_family(&f->out, NET_V6);
	rule_load_presence(&f->out, IPPROTO_ROUTING, NFT_REG_1);
	rule_compare(&f->out, NFT_CMP_NEQ, &absent, sizeof(absent));
	filter_refuse(f, REFUSES_SOURCE_ROUTES);
}

struct own_network {
	enum net_family family;
	uint8_t network[8], host[8]; /* what an address in it begins with, and how the one that is left open goes on */
	uint32_t network_len, host_len; /* host_len 0: none is */
};

static void refuse_network(struct filter *f, const struct own_network *own)
{
	rule_open(&f->out, filter_family_chain[own->family]);
	rule_load_destination_part(&f->out, own->family, 0, own->network_len, NFT_REG_1);
	rule_compare(&f->out, NFT_CMP_EQ, own->network, own->network_len);
	if (own->host_len) {
		rule_load_destination_part(&f->out, own->family, own->network_len, own->host_len, NFT_REG_1);
		rule_compare(&f->out, NFT_CMP_NEQ, own->host, own->host_len);
	}
	filter_refuse(f, REFUSES_HOST_LOOPBACK);
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
}

static void accept_loopback_and_known(struct filter *f, const char *chain, uint32_t interface_key)
{
	rule_open(&f->out, chain);
	rule_match_loopback(&f->out, interface_key);
	rule_decide(&f->out, NF_ACCEPT, NULL);
	rule_open(&f->out, chain);
	rule_match_known(&f->out);
	rule_decide(&f->out, NF_ACCEPT, NULL);
}

/* Docker answers for the networks of its users at a loopback address of the container's namespace and asks on from the host's,
 * so that whoever reaches it has a way out. Its ports are translated (NF_IP_PRI_NAT_DST), which is why the rules look at
 * what goes there before. */
static void judge_resolver(struct filter *f)
{
	static const uint8_t resolver[4] = { 127, 0, 0, 11 };

	rule_open(&f->out, FILTER_RESOLVER_CHAIN);
	rule_match_family(&f->out, NET_V4);
	rule_load_destination(&f->out, NET_V4, NFT_REG_1);
	rule_compare(&f->out, NFT_CMP_EQ, resolver, sizeof(resolver));
	rule_decide(&f->out, NFT_GOTO, filter_family_chain[NET_V4]);
	rule_open(&f->out, FILTER_RESOLVER_CHAIN);
	rule_decide(&f->out, NF_ACCEPT, NULL);
}

/* ---- egress: all of it ---- */

/* What every set has let pass is let out. */
static void add_family(struct filter *f, enum net_family family)
{
	char chain[FILTER_NAME_SIZE];

	for (size_t i = 0; i < f->network->egress.count; i++) {
		filter_set_chain(chain, i, family);
		rule_open(&f->out, filter_family_chain[family]);
		rule_decide(&f->out, NFT_JUMP, chain);
	}
	rule_open(&f->out, filter_family_chain[family]);
	rule_decide(&f->out, NF_ACCEPT, NULL);
	for (size_t i = 0; i < f->network->egress.count; i++)
		add_set_of_rules(f, i, family);
}

void filter_add_output(struct filter *f)
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
		rule_decide(&f->out, NFT_GOTO, filter_family_chain[family]);
	}
	refuse_mapped(f);
	close_host_loopback(f);
	for (enum net_family family = NET_V4; family < NET_FAMILIES; family++)
		add_family(f, family);
}

/* ---- ingress ---- */

void filter_add_input(struct filter *f)
{
	accept_loopback_and_known(f, "input", NFT_META_IIF);
	accept_icmpv6(f, "input", ND_ROUTER_SOLICIT, ND_NEIGHBOR_ADVERT);
	rule_open(&f->out, "input");
	rule_decide_counted(&f->out, f->network->accepts_connections ? NF_ACCEPT : NF_DROP, NULL, "ingress.default");
}

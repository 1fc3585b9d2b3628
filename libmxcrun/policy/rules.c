/* rules.c - see rules.h. Everything is sorted and merged, never searched pair by pair: a list may be long and hostile. */
#include "policy/rules.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define V4_MAX UINT64_C(0xffffffff)
#define MAPPED_PREFIX 96u
#define MAPPED_LOW (UINT64_C(0xffff) << 32)	      /* ::ffff:0:0/96 */
#define NAT64_HIGH (UINT64_C(0x0064ff9b) << 32) /* 64:ff9b::/96 */

/* ---- addresses ---- */

int net_address_compare(struct net_address a, struct net_address b)
{
	if (a.high != b.high)
		return a.high < b.high ? -1 : 1;
	return (a.low > b.low) - (a.low < b.low);
}

static struct net_address next_address(struct net_address a)
{
	a.low++;
	a.high += a.low == 0;
	return a;
}

static struct net_address previous_address(struct net_address a)
{
	a.high -= a.low == 0;
	a.low--;
	return a;
}

static uint64_t read_big_endian(const uint8_t *bytes, size_t count)
{
	uint64_t value = 0;

	for (size_t i = 0; i < count; i++)
		value = value << 8 | bytes[i];
	return value;
}

static bool is_mapped(struct net_address a)
{
	return a.high == 0 && a.low >> 32 == MAPPED_LOW >> 32;
}

enum net_family net_address_of(const struct cidr *cidr, struct net_address *ret)
{
	if (!cidr->is_v6) {
		*ret = (struct net_address){ 0, read_big_endian(cidr->address, 4) };
		return NET_V4;
	}
	*ret = (struct net_address){ read_big_endian(cidr->address, 8), read_big_endian(cidr->address + 8, 8) };
	if (!is_mapped(*ret) || cidr->prefix < MAPPED_PREFIX)
		return NET_V6;
	ret->low &= V4_MAX;
	return NET_V4;
}

struct net_interval net_interval_of(const struct cidr *cidr, enum net_family *ret_family)
{
	struct net_interval all = { 0 };
	struct net_address mask;
	unsigned int prefix = cidr->prefix;

	*ret_family = net_address_of(cidr, &all.first);
	if (*ret_family == NET_V4)
		prefix = 96 + (cidr->is_v6 ? prefix - MAPPED_PREFIX : prefix);
	/* a shift by the whole width is undefined */
	mask.high = prefix == 0 ? UINT64_MAX : prefix >= 64 ? 0 : UINT64_MAX >> prefix;
	mask.low = prefix <= 64 ? UINT64_MAX : prefix == 128 ? 0 : UINT64_MAX >> (prefix - 64);
	all.first.high &= ~mask.high;
	all.first.low &= ~mask.low;
	all.last = (struct net_address){ all.first.high | mask.high, all.first.low | mask.low };
	return all;
}

/* ---- intervals ---- */

static int compare_intervals(const void *a, const void *b)
{
	const struct net_interval *x = a, *y = b;
	int order = net_address_compare(x->first, y->first);

	return order ? order : net_address_compare(x->last, y->last);
}

/* Ascending, disjoint, and not even adjacent. */
static void normalise(struct net_intervals *list)
{
	size_t kept = 0;

	if (list->count == 0)
		return;
	qsort(list->items, list->count, sizeof(*list->items), compare_intervals);
	for (size_t i = 1; i < list->count; i++) {
		struct net_interval *last = &list->items[kept], *next = &list->items[i];
		struct net_address after = next_address(last->last);
		bool is_at_end = after.high == 0 && after.low == 0;

		if (is_at_end || net_address_compare(next->first, after) <= 0) {
			if (net_address_compare(next->last, last->last) > 0)
				last->last = next->last;
		} else {
			list->items[++kept] = *next;
		}
	}
	list->count = kept + 1;
}

/* What of the block is in none of the holes, which are inside it and normalised. */
static void subtract(struct net_interval block, const struct net_intervals *holes, struct net_intervals *ret)
{
	struct net_address at = block.first;

	for (size_t i = 0; i < holes->count; i++) {
		const struct net_interval *hole = &holes->items[i];

		if (net_address_compare(hole->first, at) > 0)
			ret->items[ret->count++] = (struct net_interval){ at, previous_address(hole->first) };
		if (net_address_compare(hole->last, block.last) >= 0)
			return;
		at = next_address(hole->last);
	}
	ret->items[ret->count++] = (struct net_interval){ at, block.last };
}

static int add_peer(struct arena *arena, const struct net_peer *peer, struct net_intervals to[NET_FAMILIES])
{
	struct net_intervals holes = { .items = arena_array(arena, peer->except_count + 1, sizeof(*holes.items)) };
	enum net_family family, other;
	struct net_interval block = net_interval_of(&peer->block, &family);

	if (!holes.items)
		return -ENOMEM;
	for (size_t i = 0; i < peer->except_count; i++) {
		struct net_interval hole = net_interval_of(&peer->except[i], &other);

		if (other == family)
			holes.items[holes.count++] = hole;
	}
	normalise(&holes);
	subtract(block, &holes, &to[family]);
	return 0;
}

static void add_everything(struct net_intervals to[NET_FAMILIES])
{
	to[NET_V4].items[to[NET_V4].count++] = (struct net_interval){ { 0, 0 }, { 0, V4_MAX } };
	to[NET_V6].items[to[NET_V6].count++] = (struct net_interval){ { 0, 0 }, { UINT64_MAX, UINT64_MAX } };
}

static void add_nat64(struct net_intervals to[NET_FAMILIES])
{
	for (size_t i = 0; i < to[NET_V4].count; i++) {
		struct net_interval translated = to[NET_V4].items[i];

		translated.first.high = translated.last.high = NAT64_HIGH;
		to[NET_V6].items[to[NET_V6].count++] = translated;
	}
}

static size_t count_blocks(const struct net_rule *rule)
{
	size_t count = 1;

	for (size_t i = 0; i < rule->peer_count; i++)
		count += rule->peers[i].except_count + 1;
	return count;
}

/* The addresses of rules with one verdict. */
static int build_addresses(struct arena *arena, const struct net_rule *const *rules, size_t count, struct net_group *group)
{
	size_t room = 0;
	int r = 0;

	for (size_t i = 0; i < count; i++)
		room += count_blocks(rules[i]);
	group->to[NET_V4].items = arena_array(arena, room, sizeof(struct net_interval));
	group->to[NET_V6].items = arena_array(arena, room * 2, sizeof(struct net_interval));
	if (!group->to[NET_V4].items || !group->to[NET_V6].items)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		if (rules[i]->peer_count == 0)
			add_everything(group->to);
		for (size_t j = 0; j < rules[i]->peer_count && r == 0; j++)
			r = add_peer(arena, &rules[i]->peers[j], group->to);
	}
	normalise(&group->to[NET_V4]);
	if (!group->allows)
		add_nat64(group->to);
	normalise(&group->to[NET_V6]);
	return r;
}

/* ---- protocols and ports ---- */

static int compare_ports(const void *a, const void *b)
{
	const struct net_port_range *x = a, *y = b;

	return (int)x->first - (int)y->first;
}

static void normalise_ports(struct net_ports *list)
{
	size_t kept = 0;

	if (list->count == 0)
		return;
	qsort(list->items, list->count, sizeof(*list->items), compare_ports);
	for (size_t i = 1; i < list->count; i++) {
		struct net_port_range *last = &list->items[kept], *next = &list->items[i];

		if (next->first <= (uint32_t)last->last + 1)
			last->last = next->last > last->last ? next->last : last->last;
		else
			list->items[++kept] = *next;
	}
	list->count = kept + 1;
}

static void add_selector(struct net_group *group, const struct net_selector *selector)
{
	bool has_port = selector->first_port || selector->last_port;
	struct net_port_range range = { has_port ? selector->first_port : 0, has_port ? selector->last_port : UINT16_MAX };

	if (selector->protocol == SELECT_ANY && !has_port)
		group->every_protocol = true;
	else if (selector->protocol == SELECT_ICMP)
		group->icmp = true;
	if (selector->protocol == SELECT_TCP || selector->protocol == SELECT_ANY)
		group->ports[NET_TCP].items[group->ports[NET_TCP].count++] = range;
	if (selector->protocol == SELECT_UDP || selector->protocol == SELECT_ANY)
		group->ports[NET_UDP].items[group->ports[NET_UDP].count++] = range;
}

static int build_protocols(struct arena *arena, const struct net_rule *rule, struct net_group *group)
{
	group->every_protocol = rule->selector_count == 0;
	for (int protocol = NET_TCP; protocol <= NET_UDP; protocol++) {
		group->ports[protocol].items =
			arena_array(arena, rule->selector_count + 1, sizeof(struct net_port_range));
		if (!group->ports[protocol].items)
			return -ENOMEM;
	}
	for (size_t i = 0; i < rule->selector_count; i++)
		add_selector(group, &rule->selectors[i]);
	if (group->every_protocol) {
		group->icmp = false;
		group->ports[NET_TCP].count = group->ports[NET_UDP].count = 0;
	}
	normalise_ports(&group->ports[NET_TCP]);
	normalise_ports(&group->ports[NET_UDP]);
	return 0;
}

/* ---- groups ---- */

/* A rule, and its protocols as a group without addresses. */
struct candidate {
	const struct net_rule *rule;
	struct net_group protocols;
	size_t position;
};

static int compare_port_lists(const struct net_ports *a, const struct net_ports *b)
{
	if (a->count != b->count)
		return a->count < b->count ? -1 : 1;
	return a->count ? memcmp(a->items, b->items, a->count * sizeof(*a->items)) : 0;
}

static int compare_protocols(const struct net_group *a, const struct net_group *b)
{
	int order = (int)a->every_protocol - (int)b->every_protocol;

	if (order == 0)
		order = (int)a->icmp - (int)b->icmp;
	if (order == 0)
		order = compare_port_lists(&a->ports[NET_TCP], &b->ports[NET_TCP]);
	return order ? order : compare_port_lists(&a->ports[NET_UDP], &b->ports[NET_UDP]);
}

static int compare_candidates(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;
	int order = compare_protocols(&x->protocols, &y->protocols);

	return order ? order : (x->position > y->position) - (x->position < y->position);
}

static int make_group(struct arena *arena, const struct candidate *candidates, size_t count, struct net_group *group)
{
	const struct net_rule **rules = arena_array(arena, count, sizeof(const struct net_rule *));

	if (!rules)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++)
		rules[i] = candidates[i].rule;
	*group = candidates[0].protocols;
	group->allows = rules[0]->allows;
	group->name = count == 1 ? arena_strdup(arena, rules[0]->name)
				 : arena_printf(arena, "%s and %zu more", rules[0]->name, count - 1);
	return group->name ? build_addresses(arena, rules, count, group) : -ENOMEM;
}

/* The groups of one verdict, behind those that are there already. */
static int add_groups(struct arena *arena, const struct net_rule *rules, size_t count, bool allows, struct net_rules *ret)
{
	struct candidate *candidates = arena_array(arena, count + 1, sizeof(*candidates));
	size_t found = 0, next;
	int r = candidates ? 0 : -ENOMEM;

	for (size_t i = 0; i < count && r == 0; i++) {
		if (rules[i].allows != allows)
			continue;
		candidates[found] = (struct candidate){ .rule = &rules[i], .position = i };
		r = build_protocols(arena, &rules[i], &candidates[found++].protocols);
	}
	if (r == 0 && found > NET_RULES_SINGLE_MAX)
		qsort(candidates, found, sizeof(*candidates), compare_candidates);
	for (size_t i = 0; i < found && r == 0; i = next) {
		next = i + 1;
		while (found > NET_RULES_SINGLE_MAX && next < found &&
		       compare_protocols(&candidates[i].protocols, &candidates[next].protocols) == 0)
			next++;
		r = make_group(arena, &candidates[i], next - i, &ret->groups[ret->count++]);
	}
	return r;
}

int net_rules_build(struct arena *arena, const struct net_rule *rules, size_t count, bool allows_by_default,
		    struct net_rules *ret)
{
	int r;

	*ret = (struct net_rules){
		.groups = arena_array(arena, count + 1, sizeof(*ret->groups)),
		.allows_by_default = allows_by_default,
	};
	if (!ret->groups)
		return -ENOMEM;
	r = add_groups(arena, rules, count, false, ret);
	return r == 0 ? add_groups(arena, rules, count, true, ret) : r;
}

/* ---- asking ---- */

static bool holds_address(const struct net_intervals *list, struct net_address address)
{
	size_t low = 0, high = list->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (net_address_compare(address, list->items[middle].first) < 0)
			high = middle;
		else if (net_address_compare(address, list->items[middle].last) > 0)
			low = middle + 1;
		else
			return true;
	}
	return false;
}

static bool holds_port(const struct net_ports *list, uint16_t port)
{
	for (size_t i = 0; i < list->count; i++)
		if (port >= list->items[i].first && port <= list->items[i].last)
			return true;
	return false;
}

static bool holds_protocol(const struct net_group *group, const struct net_packet *packet)
{
	if (group->every_protocol)
		return true;
	if (packet->protocol == NET_ICMP)
		return group->icmp;
	return packet->protocol <= NET_UDP && holds_port(&group->ports[packet->protocol], packet->port);
}

const struct net_group *net_rules_match(const struct net_rules *rules, const struct net_packet *packet)
{
	bool was_mapped = packet->family == NET_V6 && is_mapped(packet->to);
	enum net_family family = was_mapped ? NET_V4 : packet->family;
	struct net_address to = packet->to;

	if (was_mapped)
		to.low &= V4_MAX;
	for (size_t i = 0; i < rules->count; i++)
		if (holds_protocol(&rules->groups[i], packet) && holds_address(&rules->groups[i].to[family], to))
			return &rules->groups[i];
	return NULL;
}

bool net_rules_allow(const struct net_rules *rules, const struct net_packet *packet)
{
	const struct net_group *group = net_rules_match(rules, packet);

	return group ? group->allows : rules->allows_by_default;
}

/* ---- several sets ---- */

const struct net_rules *net_rule_sets_refusal(const struct net_rule_sets *sets, const struct net_packet *packet)
{
	for (size_t i = 0; i < sets->count; i++)
		if (!net_rules_allow(&sets->items[i], packet))
			return &sets->items[i];
	return NULL;
}

static bool may_pass_icmp(const struct net_rules *rules)
{
	bool may = rules->allows_by_default;

	for (size_t i = 0; i < rules->count && !may; i++)
		may = rules->groups[i].allows && (rules->groups[i].every_protocol || rules->groups[i].icmp);
	return may;
}

bool net_rule_sets_may_pass_icmp(const struct net_rule_sets *sets)
{
	bool may = sets->count > 0;

	for (size_t i = 0; i < sets->count && may; i++)
		may = may_pass_icmp(&sets->items[i]);
	return may;
}

int net_rule_sets_add(struct arena *arena, struct net_rule_sets *sets, const struct net_rule_sets *more, const char *carrier)
{
	struct net_rules *all = arena_array(arena, sets->count + more->count, sizeof(*all));

	if (!all)
		return -ENOMEM;
	for (size_t i = 0; i < sets->count; i++)
		all[i] = sets->items[i];
	for (size_t i = 0; i < more->count; i++) {
		all[sets->count + i] = more->items[i];
		if (!more->items[i].carrier)
			all[sets->count + i].carrier = carrier;
	}
	sets->items = all;
	sets->count += more->count;
	return 0;
}

/* network_rules.c - see network_rules.h. */
#include "policy/network_rules.h"

#include <errno.h>

#include "policy/network_names.h"

struct lowering {
	struct arena *arena;
	struct net_rule *rules;
	size_t count;
};

static int lower_peer(struct arena *arena, const struct mxc_peer *peer, struct net_peer *ret)
{
	struct cidr *except = arena_array(arena, peer->except.count + 1, sizeof(*except));

	if (!except || !cidr_parse(peer->cidr, &ret->block))
		return -ENOMEM;
	for (size_t i = 0; i < peer->except.count; i++)
		if (cidr_parse(peer->except.items[i], &except[ret->except_count]))
			ret->except_count++;
	ret->except = except;
	return 0;
}

static struct net_selector lower_port(const struct mxc_port *port)
{
	struct net_selector selector = { .protocol = SELECT_ANY };

	if (port->protocol == MXC_TCP)
		selector.protocol = SELECT_TCP;
	else if (port->protocol == MXC_UDP)
		selector.protocol = SELECT_UDP;
	else if (port->protocol == MXC_ICMP)
		selector.protocol = SELECT_ICMP;
	if (port->port.set) {
		selector.first_port = (uint16_t)port->port.value;
		selector.last_port = (uint16_t)(port->end_port.set ? port->end_port.value : port->port.value);
	}
	return selector;
}

static int lower_rule(struct lowering *l, const struct mxc_rule *rule, bool allows, const char *name)
{
	struct net_peer *peers = arena_array(l->arena, rule->to.count + 1, sizeof(*peers));
	struct net_selector *selectors = arena_array(l->arena, rule->ports.count + 1, sizeof(*selectors));
	int r = peers && selectors && name ? 0 : -ENOMEM;

	for (size_t i = 0; i < rule->to.count && r == 0; i++)
		r = lower_peer(l->arena, &rule->to.items[i], &peers[i]);
	for (size_t i = 0; i < rule->ports.count && r == 0; i++)
		selectors[i] = lower_port(&rule->ports.items[i]);
	l->rules[l->count++] = (struct net_rule){ name, allows, peers, rule->to.count, selectors, rule->ports.count };
	return r;
}

static int lower_rules(struct lowering *l, const struct mxc_rules *rules, bool allows)
{
	int r = 0;

	for (size_t i = 0; i < rules->count && r == 0; i++)
		r = lower_rule(l, &rules->items[i], allows,
			       arena_printf(l->arena, "egress.%s[%zu]", allows ? "allow" : "deny", i));
	return r;
}

/* MXC.md 7.7, and its like in IPv6. */
static const struct net_peer host_loopback[] = {
	{ .block = { .address = { 10, 0, 2, 2 }, .prefix = 32 } },
	{ .block = { .is_v6 = true, .address = { 0xfd, [15] = 2 }, .prefix = 128 } },
};

int network_rules_directional(struct arena *arena, const struct mxc_egress *egress, bool opens_host_loopback,
			      struct net_rules *ret)
{
	struct lowering l = { .arena = arena };
	int r;

	l.rules = arena_array(arena, egress->allow.count + egress->deny.count + 1, sizeof(*l.rules));
	if (!l.rules)
		return -ENOMEM;
	r = lower_rules(&l, &egress->deny, false);
	if (r == 0)
		r = lower_rules(&l, &egress->allow, true);
	if (r == 0 && opens_host_loopback)
		l.rules[l.count++] = (struct net_rule){ "ingress.hostLoopback", true, host_loopback, array_size(host_loopback),
							NULL, 0 };
	return r < 0 ? r : net_rules_build(arena, l.rules, l.count, egress->verdict == MXC_ALLOW, ret);
}

static size_t lower_name(const struct host_name *name, struct net_peer *peers)
{
	for (size_t i = 0; i < name->count; i++)
		peers[i].block = network_block_of(&name->addresses[i]);
	return name->count;
}

/* Host bits are allowed here: the block is meant. */
static int lower_list(struct lowering *l, const struct string_list *list, const struct host_names *names, bool allows,
		      const char *name)
{
	struct net_peer *peers = arena_array(l->arena, list->count + names->count * HOST_NAME_ADDRESSES_MAX + 1, sizeof(*peers));
	size_t count = 0;

	if (!peers)
		return -ENOMEM;
	for (size_t i = 0; i < list->count; i++) {
		const struct host_name *host = host_names_find(names, list->items[i]);

		if (host)
			count += lower_name(host, &peers[count]);
		else if (cidr_parse(list->items[i], &peers[count].block))
			count++;
	}
	/* no peer would mean any */
	if (count)
		l->rules[l->count++] = (struct net_rule){ name, allows, peers, count, NULL, 0 };
	return 0;
}

int network_rules_legacy(struct arena *arena, const struct mxc_network *network, const struct host_names *names, struct net_rules *ret)
{
	struct lowering l = { .arena = arena, .rules = arena_array(arena, 2, sizeof(*l.rules)) };
	int r = l.rules ? 0 : -ENOMEM;

	if (r == 0)
		r = lower_list(&l, &network->blocked_hosts, names, false, "blockedHosts");
	if (r == 0)
		r = lower_list(&l, &network->allowed_hosts, names, true, "allowedHosts");
	return r < 0 ? r : net_rules_build(arena, l.rules, l.count, network->default_policy == MXC_ALLOW, ret);
}

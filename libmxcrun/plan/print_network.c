/* print_network.c - plan_print(): what may leave and enter the network. */
#include <stdio.h>

#include "plan/print_parts.h"

static const char *const family_words[] = { [NET_V4] = "ipv4", [NET_V6] = "ipv6" };

static void print_intervals(const struct net_group *group, enum net_family family, struct json_writer *w)
{
	json_open(w, family_words[family], '[');
	for (size_t i = 0; i < group->to[family].count; i++) {
		const struct net_interval *interval = &group->to[family].items[i];
		char first[NET_ADDRESS_TEXT], last[NET_ADDRESS_TEXT], text[2 * NET_ADDRESS_TEXT];

		snprintf(text, sizeof(text), "%s-%s", net_address_text(family, interval->first, first),
			 net_address_text(family, interval->last, last));
		json_put_string(w, NULL, text);
	}
	json_close(w, ']');
}

static void print_ports(const struct net_ports *ports, const char *key, struct json_writer *w)
{
	json_open(w, key, '[');
	for (size_t i = 0; i < ports->count; i++) {
		char text[16];

		snprintf(text, sizeof(text), "%u-%u", ports->items[i].first, ports->items[i].last);
		json_put_string(w, NULL, text);
	}
	json_close(w, ']');
}

static void print_group(const struct net_group *group, struct json_writer *w)
{
	json_open(w, NULL, '{');
	json_put_string(w, "rule", group->name);
	json_put_string(w, "verdict", group->allows ? "allow" : "deny");
	json_put_bool(w, "everyProtocol", group->every_protocol);
	json_put_bool(w, "icmp", group->icmp);
	print_ports(&group->ports[NET_TCP], "tcp", w);
	print_ports(&group->ports[NET_UDP], "udp", w);
	print_intervals(group, NET_V4, w);
	print_intervals(group, NET_V6, w);
	json_close(w, '}');
}

static void print_rules(const struct net_rules *rules, struct json_writer *w)
{
	json_open(w, NULL, '{');
	json_put_string(w, "carrier", rules->carrier);
	json_put_string(w, "default", rules->allows_by_default ? "allow" : "deny");
	json_open(w, "rules", '[');
	for (size_t i = 0; i < rules->count; i++)
		print_group(&rules->groups[i], w);
	json_close(w, ']');
	json_close(w, '}');
}

static void print_endpoints(const struct net_endpoint *items, size_t count, const char *key, struct json_writer *w)
{
	json_open(w, key, '[');
	for (size_t i = 0; i < count; i++) {
		char address[NET_ADDRESS_TEXT], text[NET_ADDRESS_TEXT + 16];
		bool is_v6 = items[i].family == NET_V6;

		snprintf(text, sizeof(text), "%s%s%s:%u", is_v6 ? "[" : "",
			 net_address_text(items[i].family, items[i].address, address), is_v6 ? "]" : "", items[i].port);
		json_put_string(w, NULL, text);
	}
	json_close(w, ']');
}

static void print_mappings(const struct net_policy *policy, struct json_writer *w)
{
	json_open(w, "portMappings", '[');
	for (size_t i = 0; i < policy->mapping_count; i++) {
		const struct net_port_mapping *mapping = &policy->mappings[i];

		json_open(w, NULL, '{');
		json_put_string(w, "protocol", mapping->protocol == NET_UDP ? "udp" : "tcp");
		print_endpoints(&mapping->host, 1, "host", w);
		json_put_u64(w, "port", mapping->port);
		json_put_string(w, "pointer", mapping->pointer);
		json_close(w, '}');
	}
	json_close(w, ']');
}

static void print_words(const char *const *words, const char *key, struct json_writer *w)
{
	json_open(w, key, '[');
	for (; words && *words; words++)
		json_put_string(w, NULL, *words);
	json_close(w, ']');
}

static void print_test_proxy(const struct net_test_proxy *test, struct json_writer *w)
{
	json_put_bool(w, "isBuiltin", test->is_used);
	if (!test->is_used)
		return;
	json_put_string(w, "default", test->allows_by_default ? "allow" : "deny");
	print_words(test->allowed, "allowedHosts", w);
	print_words(test->blocked, "blockedHosts", w);
}

void print_network_policy(const struct net_policy *policy, struct json_writer *w)
{
	json_open(w, "networkPolicy", '{');
	json_put_bool(w, "closesHostLoopback", policy->closes_host_loopback);
	json_put_bool(w, "acceptsConnections", policy->accepts_connections);
	json_put_bool(w, "judgesResolver", policy->judges_resolver);
	json_put_string(w, "pointer", policy->pointer);
	json_open(w, "egress", '[');
	for (size_t i = 0; i < policy->egress.count; i++)
		print_rules(&policy->egress.items[i], w);
	json_close(w, ']');
	print_mappings(policy, w);
	json_open(w, "proxy", '{');
	print_test_proxy(&policy->proxy.test, w);
	json_put_string(w, "url", policy->proxy.url);
	json_put_string(w, "pointer", policy->proxy.pointer);
	print_endpoints(policy->proxy.listen, policy->proxy.listen_count, "listen", w);
	print_endpoints(policy->proxy.targets, policy->proxy.target_count, "targets", w);
	json_close(w, '}');
	json_close(w, '}');
}

/* mxc_network.c - the network section: which of its two shapes it has, and whether its values mean
 * anything.
 *
 * What a posture comes to is decided in policy/; here a document is refused only for being wrong in
 * itself (MXC.md 7.1 to 7.3 and 7.9, MXC-1.0.md 2.5).
 */
#include <string.h>

#include "config/cidr.h"
#include "config/mxc_tables.h"

static const char *const verdict_words[] = { [MXC_ALLOW] = "allow", [MXC_DENY] = "deny", NULL };
static const char *const policy_words[] = { [MXC_ALLOW] = "allow", [MXC_DENY] = "block", NULL };
static const char *const protocol_words[] = {
	[MXC_TCP] = "tcp", [MXC_UDP] = "udp", [MXC_ICMP] = "icmp", [MXC_ANY] = "any", NULL
};
static const char *const enforcement_words[] = {
	[MXC_CAPABILITIES] = "capabilities", [MXC_FIREWALL] = "firewall", [MXC_BOTH] = "both", NULL
};

/* ---- tables ---- */

static int decode_port(struct decode *d, const struct json *value, void *target, struct err **err)
{
	struct opt_u32 *port = target;
	bool is_exact = d->gate != MXC_READER_ROLLING;
	uint64_t number;

	if (json_to_u64(value, &number) < 0 || number > UINT16_MAX || (is_exact && !number))
		return fields_mismatch(d, value, is_exact ? "a nonzero u16" : "u16", err);
	port->value = (uint32_t)number;
	port->set = true;
	return 0;
}

static const struct field IMAGE_ROWS port_fields[] = {
	MXC_ROW("protocol", FIELD_ENUM, struct mxc_port, protocol, .words.raw = protocol_words),
	MXC_ROW("port", FIELD_CUSTOM, struct mxc_port, port, .decode.raw = decode_port),
	MXC_ROW("endPort", FIELD_CUSTOM, struct mxc_port, end_port, .decode.raw = decode_port),
	MXC_ROW("", FIELD_SELF, struct mxc_port, element),
	FIELDS_END,
};

const struct field IMAGE_ROWS mxc_port_mapping_fields[] = {
	MXC_ROW("hostPort", FIELD_CUSTOM, struct mxc_port_mapping, host_port, .decode.raw = decode_port, .required = true),
	MXC_ROW("containerPort", FIELD_CUSTOM, struct mxc_port_mapping, container_port, .decode.raw = decode_port,
		.required = true),
	MXC_ROW("protocol", FIELD_ENUM, struct mxc_port_mapping, protocol, .words.raw = protocol_words),
	MXC_ROW("hostAddress", FIELD_STRING, struct mxc_port_mapping, host_address),
	MXC_ROW("", FIELD_SELF, struct mxc_port_mapping, element),
	FIELDS_END,
};

static const struct field IMAGE_ROWS peer_fields[] = {
	MXC_ROW("cidr", FIELD_STRING, struct mxc_peer, cidr, .required = true),
	MXC_ROW("except", FIELD_STRINGS, struct mxc_peer, except),
	MXC_ROW("", FIELD_SELF, struct mxc_peer, element),
	FIELDS_END,
};

static const struct field IMAGE_ROWS rule_fields[] = {
	MXC_ROW("to", FIELD_OBJECTS, struct mxc_rule, to, .table.raw = peer_fields,
		.size = sizeof(struct mxc_peer)),
	MXC_ROW("ports", FIELD_OBJECTS, struct mxc_rule, ports, .table.raw = port_fields,
		.size = sizeof(struct mxc_port)),
	MXC_ROW("", FIELD_SELF, struct mxc_rule, element),
	FIELDS_END,
};

static const struct field IMAGE_ROWS egress_fields[] = {
	MXC_ROW("default", FIELD_ENUM, struct mxc_egress, verdict, .words.raw = verdict_words),
	MXC_ROW("allow", FIELD_OBJECTS, struct mxc_egress, allow, .table.raw = rule_fields,
		.size = sizeof(struct mxc_rule)),
	MXC_ROW("deny", FIELD_OBJECTS, struct mxc_egress, deny, .table.raw = rule_fields,
		.size = sizeof(struct mxc_rule)),
	MXC_ROW("", FIELD_SELF, struct mxc_egress, element),
	FIELDS_END,
};

static const struct field IMAGE_ROWS ingress_fields[] = {
	MXC_ROW("default", FIELD_ENUM, struct mxc_ingress, verdict, .words.raw = verdict_words),
	MXC_ROW("hostLoopback", FIELD_ENUM, struct mxc_ingress, host_loopback,
		.words.raw = verdict_words),
	MXC_ROW("", FIELD_SELF, struct mxc_ingress, element),
	FIELDS_END,
};

static const struct field IMAGE_ROWS proxy_fields[] = {
	MXC_ROW("localhost", FIELD_CUSTOM, struct mxc_proxy, localhost, .decode.raw = decode_port),
	MXC_ROW("url", FIELD_STRING, struct mxc_proxy, url),
	MXC_ROW("builtinTestServer", FIELD_OPT_BOOL, struct mxc_proxy, builtin_test_server),
	MXC_ROW("", FIELD_SELF, struct mxc_proxy, element),
	FIELDS_END,
};

#define LEGACY .gate = MXC_READER_ROLLING

const struct field IMAGE_ROWS mxc_network_fields[] = {
	MXC_ROW("egress", FIELD_OBJECT, struct mxc_network, egress, .table.raw = egress_fields,
		.size = sizeof(struct mxc_egress)),
	MXC_ROW("ingress", FIELD_OBJECT, struct mxc_network, ingress, .table.raw = ingress_fields,
		.size = sizeof(struct mxc_ingress)),
	MXC_ROW("defaultPolicy", FIELD_ENUM, struct mxc_network, default_policy,
		.words.raw = policy_words, LEGACY),
	MXC_ROW("enforcementMode", FIELD_ENUM, struct mxc_network, enforcement_mode,
		.words.raw = enforcement_words, LEGACY),
	MXC_ROW("allowLocalNetwork", FIELD_OPT_BOOL, struct mxc_network, allow_local_network,
		LEGACY),
	MXC_ROW("allowedHosts", FIELD_STRINGS, struct mxc_network, allowed_hosts, LEGACY),
	MXC_ROW("blockedHosts", FIELD_STRINGS, struct mxc_network, blocked_hosts, LEGACY),
	MXC_ROW("proxy", FIELD_OBJECT, struct mxc_network, proxy, .table.raw = proxy_fields,
		.size = sizeof(struct mxc_proxy), LEGACY),
	MXC_ROW("", FIELD_SELF, struct mxc_network, element),
	FIELDS_END,
};

/* What the legacy keys became; the exact contracts name it to whoever still uses them. */
static const struct {
	const char *key, *replacement;
} migrations[] = {
	{ "defaultPolicy", "network.egress.default" },
	{ "enforcementMode", "network.egress, which is always enforced" },
	{ "allowLocalNetwork", "network.ingress" },
	{ "allowedHosts", "network.egress.allow" },
	{ "blockedHosts", "network.egress.deny" },
	{ "proxy", "runtimeConfig.networkProxy" },
};

int mxc_decode_network(struct decode *d, const struct json *value, void *target, struct err **err)
{
	size_t i;

	for (i = 0; i < array_size(migrations) && d->gate != MXC_READER_ROLLING; i++) {
		const struct json *legacy = json_get(value, migrations[i].key);

		if (legacy)
			return fields_error(d, legacy, err,
					    "unknown field `%s`: schema 1.0 migration: use %s",
					    migrations[i].key, migrations[i].replacement);
	}
	return fields_decode(d, value, mxc_network_fields, target, err);
}

/* ---- rules ---- */

static int check_peer(const struct decode *d, const struct mxc_peer *peer, struct err **err)
{
	const struct json *text = json_get(peer->element, "cidr");
	struct cidr outer, inner;

	if (!cidr_parse(peer->cidr, &outer) || !cidr_is_network(&outer))
		return fields_error(d, text, err, "must be a valid network CIDR");
	if (!peer->except.count)
		return 0;
	for (text = json_get(peer->element, "except")->first; text; text = text->next) {
		if (!cidr_parse(text->text, &inner) || !cidr_is_network(&inner))
			return fields_error(d, text, err, "must be a valid network CIDR");
		if (!cidr_contains(&outer, &inner))
			return fields_error(d, text, err,
					    "must be contained within the peer's cidr");
	}
	return 0;
}

static int check_port(const struct decode *d, const struct mxc_port *port, struct err **err)
{
	const struct json *first = json_get(port->element, "port"),
			  *last = json_get(port->element, "endPort");

	if (port->port.set && !port->port.value)
		return fields_error(d, first, err, "must be between 1 and 65535");
	if (port->end_port.set && !port->end_port.value)
		return fields_error(d, last, err, "must be between 1 and 65535");
	if (port->end_port.set && !port->port.set)
		return fields_error(d, last, err, "endPort requires port");
	if (port->protocol == MXC_ICMP && port->port.set)
		return fields_error(d, port->element, err,
				    "cannot specify port or endPort for protocol='icmp'");
	if (port->end_port.set && port->end_port.value < port->port.value)
		return fields_error(d, last, err, "must be greater than or equal to port");
	return 0;
}

/* An empty list would match nothing while an absent one matches everything: too easily confused. */
static int check_not_empty(const struct decode *d, const struct mxc_rule *rule, const char *key,
			   const char *noun, struct err **err)
{
	const struct json *list = json_get(rule->element, key);

	if (!mxc_is_present(list) || list->len)
		return 0;
	if (d->gate != MXC_READER_ROLLING)
		return fields_error(d, list, err, "invalid value: array must not be empty");
	return fields_error(d, list, err, "must contain at least one %s", noun);
}

static int check_rules(const struct decode *d, const struct mxc_rules *rules, struct err **err)
{
	size_t i, j;
	int r = 0;

	for (i = 0; i < rules->count && r == 0; i++) {
		const struct mxc_rule *rule = &rules->items[i];

		r = check_not_empty(d, rule, "to", "destination", err);
		if (r == 0)
			r = check_not_empty(d, rule, "ports", "selector", err);
		for (j = 0; j < rule->to.count && r == 0; j++)
			r = check_peer(d, &rule->to.items[j], err);
		for (j = 0; j < rule->ports.count && r == 0; j++)
			r = check_port(d, &rule->ports.items[j], err);
	}
	return r;
}

/* A proxy is the only way out; rules beside it would have nothing to govern. */
static int check_egress_with_proxy(const struct decode *d, const struct mxc_config *config,
				   struct err **err)
{
	const struct mxc_egress *egress = config->network.egress;

	if (!egress ||
	    (egress->verdict != MXC_ALLOW && !egress->allow.count && !egress->deny.count))
		return 0;
	return fields_error(
		d, json_get(config->runtime_config->element, "networkProxy"), err,
		"runtimeConfig.networkProxy requires network.egress.default='deny' and no rules");
}

/* ---- port mappings ---- */

static bool is_same_port(const struct mxc_port_mapping *a, const struct mxc_port_mapping *b)
{
	const char *x = a->host_address ? a->host_address : "127.0.0.1", *y = b->host_address ? b->host_address : "127.0.0.1";

	return a->host_port.value == b->host_port.value && (a->protocol == MXC_UDP) == (b->protocol == MXC_UDP) &&
	       strcmp(x, y) == 0;
}

static int check_port_mapping(const struct decode *d, const struct mxc_port_mapping *mapping, struct err **err)
{
	struct cidr address;

	if (!mapping->host_port.value)
		return fields_error(d, json_get(mapping->element, "hostPort"), err, "must be between 1 and 65535");
	if (!mapping->container_port.value)
		return fields_error(d, json_get(mapping->element, "containerPort"), err, "must be between 1 and 65535");
	if (mapping->protocol >= 0 && mapping->protocol != MXC_TCP && mapping->protocol != MXC_UDP)
		return fields_error(d, json_get(mapping->element, "protocol"), err, "must be 'tcp' or 'udp'");
	if (mapping->host_address && (strchr(mapping->host_address, '/') || !cidr_parse(mapping->host_address, &address)))
		return fields_error(d, json_get(mapping->element, "hostAddress"), err, "must be an IP address");
	return 0;
}

static int check_port_mappings(const struct decode *d, const struct mxc_runtime_config *runtime, struct err **err)
{
	int r = 0;

	if (runtime->port_mappings.count > MXC_PORT_MAPPINGS_MAX)
		return fields_error(d, json_get(runtime->element, "portMappings"), err, "must be at most %u",
				    MXC_PORT_MAPPINGS_MAX);
	for (size_t i = 0; i < runtime->port_mappings.count && r == 0; i++) {
		const struct mxc_port_mapping *mapping = &runtime->port_mappings.items[i];

		r = check_port_mapping(d, mapping, err);
		for (size_t j = 0; j < i && r == 0; j++)
			if (is_same_port(mapping, &runtime->port_mappings.items[j]))
				r = fields_error(d, mapping->element, err, "hostPort %u is mapped twice",
						 mapping->host_port.value);
	}
	return r;
}

static int check_directional(const struct decode *d, const struct mxc_config *config,
			     struct err **err)
{
	const struct mxc_egress *egress = config->network.egress;
	const struct mxc_runtime_config *runtime = config->runtime_config;
	int r = 0;

	if (egress)
		r = check_rules(d, &egress->allow, err);
	if (egress && r == 0)
		r = check_rules(d, &egress->deny, err);
	if (r == 0 && runtime)
		r = check_port_mappings(d, runtime, err);
	if (r < 0 || !runtime || !runtime->network_proxy)
		return r;
	r = mxc_check_runtime_proxy(d, json_get(runtime->element, "networkProxy"), err);
	return r == 0 ? check_egress_with_proxy(d, config, err) : r;
}

/* ---- legacy ---- */

static int check_proxy_shape(const struct decode *d, const struct mxc_proxy *proxy,
			     struct err **err)
{
	bool is_external = proxy->localhost.set || proxy->url;

	if (proxy->builtin_test_server.set && !proxy->builtin_test_server.value)
		return fields_error(d, json_get(proxy->element, "builtinTestServer"), err,
				    "must be true when present");
	if (proxy->builtin_test_server.set && is_external)
		return fields_error(d, proxy->element, err,
				    "no other proxy options may be set with builtinTestServer");
	if (!proxy->builtin_test_server.set && !is_external)
		return fields_error(d, proxy->element, err,
				    "must specify builtinTestServer, localhost, or url");
	if (proxy->localhost.set && !proxy->localhost.value)
		return fields_error(d, json_get(proxy->element, "localhost"), err,
				    "must be a port between 1 and 65535");
	if (proxy->url)
		return mxc_check_proxy_url(d, json_get(proxy->element, "url"), err);
	return 0;
}

static bool asks_for_firewall(const struct mxc_network *network)
{
	return network->enforcement_mode == MXC_FIREWALL || network->enforcement_mode == MXC_BOTH;
}

static int check_proxy(const struct decode *d, const struct mxc_network *network, struct err **err)
{
	const struct mxc_proxy *proxy = network->proxy;
	bool is_external = proxy->localhost.set || proxy->url;
	int r = check_proxy_shape(d, proxy, err);

	if (r < 0)
		return r;
	if (is_external && (network->default_policy != MXC_ALLOW || network->allowed_hosts.count ||
			    network->blocked_hosts.count))
		return fields_error(
			d, proxy->element, err,
			"external network.proxy (url/localhost) cannot be combined with "
			"allowedHosts, blockedHosts or defaultPolicy='block'");
	if (asks_for_firewall(network))
		return fields_error(
			d, proxy->element, err,
			"network.proxy cannot be combined with network.enforcementMode='firewall' or 'both'");
	return 0;
}

/* ---- which shape ---- */

static bool has_key(const struct mxc_network *network, const char *key)
{
	return network->element && mxc_is_present(json_get(network->element, key));
}

static bool has_directional_key(const struct mxc_config *config)
{
	const struct json *container = json_get(config->document, "processContainer");

	if (!container)
		container = json_get(config->document, "appContainer");
	return config->network.egress || config->network.ingress || config->runtime_config ||
	       (container && mxc_is_present(json_get(container, "network")));
}

int mxc_check_network(struct decode *d, struct mxc_config *config, struct err **err)
{
	struct mxc_network *network = &config->network;
	bool has_legacy = false, has_directional = has_directional_key(config);
	size_t i;

	for (i = 0; i < array_size(migrations); i++)
		has_legacy |= has_key(network, migrations[i].key);
	if (has_legacy && has_directional)
		return fields_error(
			d, config->document, err,
			"network configuration cannot mix egress, ingress or runtimeConfig with the "
			"older keys (defaultPolicy, enforcementMode, allowLocalNetwork, allowedHosts, "
			"blockedHosts, proxy)");
	network->is_directional = has_directional || (config->strict && !has_legacy);
	if (network->is_directional)
		return check_directional(d, config, err);
	return network->proxy ? check_proxy(d, network, err) : 0;
}

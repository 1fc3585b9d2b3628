/* network.c - the mode of the network: MXC.md 7.4, and the postures that are refused, 7.5.
 *
 * A strict document is refused where it contradicts itself, a lenient one gets a warning, and is held to what it says all the same: its
 * lists are rules, and its proxy is the only way out, where MXC shares the host's network with it. That network is for who
 * lets everything out and in.
 *
 * A container from a bundle has the network that its engine gives it, so there every posture is a rule set, also the one
 * that lets nothing pass, and connections from outside are the policy's to allow.
 */
#include "policy/network.h"

#include <errno.h>

#include "config/cidr.h"
#include "config/proxy_url.h"
#include "policy/network_names.h"
#include "policy/network_proxy.h"
#include "policy/network_rules.h"

struct posture {
	struct arena *arena;
	const struct mxc_config *config;
	const struct mxc_network *network;
	const struct host_facts *facts; /* of sandboxes */
	const struct log *log;
	bool is_container; /* from a bundle */
	struct policy_network *ret;
};

static const char *pointer_of(const struct posture *p, const struct json *element, const char *key)
{
	const struct json *child = element && key ? json_get(element, key) : NULL;

	return element ? json_pointer(p->arena, child ? child : element) : "/network";
}

/* Strict documents are held to what they say; the older ones ran on, warned. */
static int complain(const struct posture *p, const char *key, const char *words, struct err **err)
{
	if (p->config->strict)
		return err_set(err, E_POLICY, 0, pointer_of(p, p->network->element, key), "%s",
			       words);
	log_warning(p->log, "%s", words);
	return 0;
}

/* ---- addresses ---- */

/* An IPv6 block that holds the mapped IPv4 addresses beside others would mean two families at once.
 */
static bool holds_mapped_range(const struct cidr *cidr)
{
	static const struct cidr mapped = { .is_v6 = true,
					    .address = { [10] = 0xff, [11] = 0xff },
					    .prefix = 96 };

	return cidr->is_v6 && cidr->prefix < 96 && cidr_contains(cidr, &mapped);
}

static int refuse_mapped(const struct posture *p, const struct json *element, const char *text,
			 struct err **err)
{
	return err_set(err, E_POLICY, 0, json_pointer(p->arena, element),
		       "'%.64s' contains the IPv4-mapped range ::ffff:0:0/96", text);
}

static int check_rules(const struct posture *p, const struct mxc_rules *rules, struct err **err)
{
	struct cidr cidr;
	size_t i, j;

	for (i = 0; i < rules->count; i++) {
		for (j = 0; j < rules->items[i].to.count; j++) {
			const struct mxc_peer *peer = &rules->items[i].to.items[j];

			if (cidr_parse(peer->cidr, &cidr) && holds_mapped_range(&cidr))
				return refuse_mapped(p, peer->element, peer->cidr, err);
		}
	}
	return 0;
}

/* Before 0.8 an entry may be a name, which stands for the addresses that it has now. What is to be let through and has none is as good
 * as not there; what is to be blocked could get one later. */
static int check_name(const struct posture *p, const char *key, const struct json *element, bool is_allowed, struct err **err)
{
	const struct host_name *name = p->config->strict ? NULL : host_names_find(&p->facts->names, element->text);

	if (!name)
		return err_set(err, E_POLICY, 0, json_pointer(p->arena, element),
			       "network.%s: '%.255s' is not an IP address or CIDR", key, element->text);
	if (name->has_more)
		return err_set(err, E_POLICY, 0, json_pointer(p->arena, element),
			       "network.%s: '%.255s' has more than %u addresses", key, element->text, HOST_NAME_ADDRESSES_MAX);
	if (name->count)
		return 0;
	if (!is_allowed)
		return err_set(err, E_POLICY, 0, json_pointer(p->arena, element),
			       "network.%s: could not resolve host '%.255s', so that it can't be blocked", key, element->text);
	log_warning(p->log, "network.%s: could not resolve host '%.255s': nothing is let through for it", key, element->text);
	return 0;
}

static int check_hosts(const struct posture *p, const char *key, const struct string_list *list, bool is_allowed,
		       struct err **err)
{
	const struct json *element = list->count ? json_get(p->network->element, key)->first : NULL;
	struct cidr cidr;
	int r = 0;

	for (; element && r == 0; element = element->next) {
		if (!cidr_parse(element->text, &cidr))
			r = check_name(p, key, element, is_allowed, err);
		else if (holds_mapped_range(&cidr))
			r = refuse_mapped(p, element, element->text, err);
	}
	return r;
}

/* ---- directional ---- */

static int check_runtime_proxy(const struct posture *p, struct err **err)
{
	const struct mxc_runtime_config *runtime = p->config->runtime_config;
	struct proxy_url url;

	if (proxy_url_split(p->arena, runtime->network_proxy, &url) < 0)
		return err_nomem(err);
	if (url.has_credentials)
		return err_set(err, E_POLICY, 0, pointer_of(p, runtime->element, "networkProxy"),
			       "runtimeConfig.networkProxy must not carry credentials: ***@%.255s%s%.5s",
			       url.host, url.port ? ":" : "", url.port ? url.port : "");
	p->ret->mode = POLICY_NETWORK_PROXY;
	return network_proxy_resolve(p->arena, runtime->network_proxy, NULL, pointer_of(p, runtime->element, "networkProxy"),
				     &p->ret->policy.proxy, err);
}

/* ---- connections from outside ---- */

static bool accepts_connections(const struct posture *p)
{
	return p->network->ingress && p->network->ingress->verdict == MXC_ALLOW;
}

static bool opens_host_loopback(const struct posture *p)
{
	return p->network->ingress && p->network->ingress->host_loopback == MXC_ALLOW;
}

static const struct mxc_runtime_config *runtime_of(const struct posture *p)
{
	static const struct mxc_runtime_config none;

	return p->config->runtime_config ? p->config->runtime_config : &none;
}

/* A sandbox beside the proxy has no interface at which anybody could come in; and in the namespace of a container from a
 * bundle nothing of ours leads to the host's loopback. */
static int check_ingress(const struct posture *p, struct err **err)
{
	const struct mxc_runtime_config *runtime = runtime_of(p);

	p->ret->policy.accepts_connections = accepts_connections(p);
	if (opens_host_loopback(p) && p->is_container)
		return err_set(err, E_UNSUPPORTED, 0, pointer_of(p, p->network->ingress->element, "hostLoopback"),
			       "network.ingress.hostLoopback='allow' is not supported for a container from a bundle");
	if (!runtime->network_proxy)
		return 0;
	if (accepts_connections(p) || opens_host_loopback(p))
		return err_set(err, E_UNSUPPORTED, 0,
			       pointer_of(p, p->network->ingress->element, accepts_connections(p) ? "default" : "hostLoopback"),
			       "network.ingress.%s='allow' is not supported beside a proxy as the only way out",
			       accepts_connections(p) ? "default" : "hostLoopback");
	if (runtime->port_mappings.count)
		return err_set(err, E_UNSUPPORTED, 0, pointer_of(p, runtime->element, "portMappings"),
			       "runtimeConfig.portMappings is not supported beside a proxy as the only way out");
	return 0;
}

static bool is_any(const struct net_endpoint *endpoint)
{
	return endpoint->address.high == 0 && endpoint->address.low == 0;
}

/* Who reaches the port on the host reaches the sandbox, so ingress has to say that he may. */
static int check_mapping(const struct posture *p, const struct net_port_mapping *mapping, struct err **err)
{
	const struct net_endpoint *host = &mapping->host;

	if ((endpoint_is_loopback(host) || is_any(host)) && !opens_host_loopback(p))
		return err_set(err, E_POLICY, 0, mapping->pointer,
			       "a port of the host's loopback needs network.ingress.hostLoopback='allow'");
	if (!endpoint_is_loopback(host) && !accepts_connections(p))
		return err_set(err, E_POLICY, 0, mapping->pointer,
			       "a port that others reach needs network.ingress.default='allow'");
	return 0;
}

static int map_ports(const struct posture *p, struct err **err)
{
	const struct mxc_runtime_config *runtime = runtime_of(p);
	struct net_policy *policy = &p->ret->policy;
	int r = 0;

	policy->mappings = arena_array(p->arena, runtime->port_mappings.count, sizeof(*policy->mappings));
	if (!policy->mappings)
		return err_nomem(err);
	for (size_t i = 0; i < runtime->port_mappings.count && r == 0; i++) {
		const struct mxc_port_mapping *from = &runtime->port_mappings.items[i];
		struct net_port_mapping *mapping = &policy->mappings[policy->mapping_count++];
		struct cidr address;

		(void)cidr_parse(from->host_address ? from->host_address : "127.0.0.1", &address);
		mapping->protocol = from->protocol == MXC_UDP ? NET_UDP : NET_TCP;
		mapping->host.family = net_address_of(&address, &mapping->host.address);
		mapping->host.port = (uint16_t)from->host_port.value;
		mapping->port = (uint16_t)from->container_port.value;
		mapping->pointer = json_pointer(p->arena, from->element);
		r = check_mapping(p, mapping, err);
	}
	return r;
}

/* The policy's one rule set. */
static struct net_rules *start_rules(const struct posture *p)
{
	struct net_rule_sets *sets = &p->ret->policy.egress;

	*sets = (struct net_rule_sets){ .items = arena_array(p->arena, 1, sizeof(*sets->items)), .count = 1 };
	return sets->items;
}

static bool lets_something_pass(const struct mxc_egress *egress)
{
	return egress && (egress->verdict == MXC_ALLOW || egress->allow.count || egress->deny.count);
}

/* Also where nothing may go out. */
static bool wants_interface(const struct posture *p)
{
	return !p->is_container && (accepts_connections(p) || opens_host_loopback(p) || runtime_of(p)->port_mappings.count);
}

static int filter(const struct posture *p, const struct mxc_egress *egress, struct err **err)
{
	static const struct mxc_egress none = { .verdict = MXC_DENY };
	const struct mxc_egress *all = egress ? egress : &none;
	const char *key = all->allow.count ? "allow" : all->deny.count ? "deny" : "default";
	struct net_rules *rules = start_rules(p);
	bool opens = opens_host_loopback(p);

	if (lets_something_pass(egress) || wants_interface(p))
		p->ret->mode = POLICY_NETWORK_FILTERED;
	p->ret->policy.pointer = pointer_of(p, all->element, key);
	p->ret->policy.closes_host_loopback = !opens;
	if (!rules || network_rules_directional(p->arena, all, opens, rules) < 0)
		return err_nomem(err);
	return map_ports(p, err);
}

static int resolve_directional(const struct posture *p, struct err **err)
{
	const struct mxc_egress *egress = p->network->egress;
	int r = check_ingress(p, err);

	if (r == 0 && egress)
		r = check_rules(p, &egress->allow, err);
	if (r == 0 && egress)
		r = check_rules(p, &egress->deny, err);
	if (r < 0)
		return r;
	if (p->config->runtime_config && p->config->runtime_config->network_proxy)
		return check_runtime_proxy(p, err);
	return p->is_container || lets_something_pass(egress) || wants_interface(p) ? filter(p, egress, err) : 0;
}

/* ---- legacy ---- */

/* A name that is let through has inside the addresses that the rules know: nothing there could look it up. */
static int pin_names(const struct posture *p, struct err **err)
{
	const struct host_names *names = &p->facts->names;
	const struct string_list *allowed = &p->network->allowed_hosts;
	const char *text = names->hosts_text;

	for (size_t i = 0; i < allowed->count; i++) {
		const struct host_name *name = host_names_find(names, allowed->items[i]);

		if (!name || !name->count)
			continue;
		if (!text)
			return err_set(err, E_POLICY, ENOENT, pointer_of(p, p->network->element, "allowedHosts"),
				       "a host by name needs /etc/hosts, and this host has none");
		p->ret->hosts = text = network_pin_name(p->arena, text, name->name, name->addresses, name->count);
		if (!text)
			return err_nomem(err);
	}
	return 0;
}

static int resolve_rules(const struct posture *p, struct err **err)
{
	static const struct host_names none;
	struct net_rules *rules = start_rules(p);
	int r = check_hosts(p, "allowedHosts", &p->network->allowed_hosts, true, err);

	if (r == 0)
		r = check_hosts(p, "blockedHosts", &p->network->blocked_hosts, false, err);
	if (r < 0)
		return r;
	p->ret->policy.pointer = pointer_of(p, p->network->element,
					    p->network->allowed_hosts.count ? "allowedHosts"
					    : p->network->blocked_hosts.count ? "blockedHosts"
									      : "defaultPolicy");
	if (!rules || network_rules_legacy(p->arena, p->network, p->facts ? &p->facts->names : &none, rules) < 0)
		return err_nomem(err);
	return p->is_container ? 0 : pin_names(p, err);
}

/* What asks inside for a proxy by name gets the address that was found, from the sandbox's own /etc/hosts. */
static int resolve_proxy_url(const struct posture *p, const char *url, struct err **err)
{
	const struct host_names *names = &p->facts->names;
	struct net_proxy *proxy = &p->ret->policy.proxy;
	const struct host_address *address = NULL;
	const char *name;

	if (network_proxy_name(p->arena, url, &name) < 0)
		return err_nomem(err);
	if (name)
		address = host_name_best(host_names_find(names, name));
	if (network_proxy_resolve(p->arena, url, address, pointer_of(p, p->network->element, "proxy"), proxy, err) < 0)
		return -1;
	if (!name)
		return 0;
	if (!names->hosts_text)
		return err_set(err, E_POLICY, ENOENT, proxy->pointer, "a proxy by name needs /etc/hosts, and the host has none");
	p->ret->hosts = network_pin_name(p->arena, names->hosts_text, name, address, 1);
	return p->ret->hosts ? 0 : err_nomem(err);
}

/* In the sandbox's own namespace each port is free. */
static int resolve_test_proxy(const struct posture *p, struct err **err)
{
	const struct mxc_network *n = p->network;
	struct net_proxy *proxy = &p->ret->policy.proxy;

	*proxy = (struct net_proxy){
		.url = NETWORK_TEST_PROXY_URL,
		.test = { true, n->default_policy == MXC_ALLOW, n->allowed_hosts.items, n->blocked_hosts.items },
		.pointer = pointer_of(p, n->proxy->element, "builtinTestServer"),
	};
	if (!proxy->pointer)
		return err_nomem(err);
	if (!proxy->test.allows_by_default && !n->allowed_hosts.count)
		log_warning(p->log, "network.defaultPolicy='block' without allowedHosts: the built-in test proxy refuses every host");
	network_proxy_listen_inside(proxy);
	return 0;
}

static int resolve_proxy(const struct posture *p, struct err **err)
{
	const struct mxc_proxy *proxy = p->network->proxy;
	const char *url = proxy->url;

	if (p->is_container)
		return err_set(err, E_UNSUPPORTED, 0, pointer_of(p, p->network->element, "proxy"),
			       "a proxy as the only way out is not supported for a container from a bundle");
	p->ret->mode = POLICY_NETWORK_PROXY;
	if (proxy->builtin_test_server.value)
		return resolve_test_proxy(p, err);
	if (proxy->localhost.set)
		url = arena_printf(p->arena, "http://127.0.0.1:%u", proxy->localhost.value);
	if (!url)
		return err_nomem(err);
	return resolve_proxy_url(p, url, err);
}

/* Private: the sandbox has a namespace of its own, where nobody from outside comes in. */
static int check_local_network(const struct posture *p, bool is_private, struct err **err)
{
	bool is_allowed = p->network->allow_local_network.value;

	p->ret->policy.accepts_connections = p->is_container && is_allowed;
	if (p->is_container)
		return 0;
	if (is_private && is_allowed)
		return complain(
			p, "allowLocalNetwork",
			"network.allowLocalNetwork=true has no effect: the workload is confined to the sandbox's own "
			"network namespace",
			err);
	if (!is_private && !is_allowed)
		return complain(
			p, "allowLocalNetwork",
			"network.allowLocalNetwork=false (also by default) is not enforced while the sandbox "
			"shares the host network namespace",
			err);
	return 0;
}

/* Who lets all pass has the host's network, when he also lets others in; before 0.8 he who does not say so has one of his own, where nobody
 * comes in. */
static int resolve_legacy(const struct posture *p, struct err **err)
{
	const struct mxc_network *n = p->network;
	bool has_lists = n->allowed_hosts.count || n->blocked_hosts.count;
	bool asks_firewall = n->enforcement_mode == MXC_FIREWALL || n->enforcement_mode == MXC_BOTH;
	bool is_open = n->default_policy == MXC_ALLOW && !has_lists;
	bool is_shared = is_open && (p->config->strict || n->allow_local_network.value);
	int r = 0;

	if (n->proxy) {
		r = check_local_network(p, true, err);
		return r < 0 ? r : resolve_proxy(p, err);
	}
	if (has_lists && !asks_firewall && p->config->strict)
		r = complain(
			p, n->allowed_hosts.count ? "allowedHosts" : "blockedHosts",
			"network.allowedHosts and network.blockedHosts require an enforcement mechanism "
			"(network.enforcementMode 'firewall' or 'both')",
			err);
	if (r == 0)
		r = check_local_network(p, !is_shared, err);
	if (r < 0)
		return r;
	if (is_shared && !p->is_container)
		p->ret->mode = POLICY_NETWORK_HOST;
	else if (is_open || has_lists)
		p->ret->mode = POLICY_NETWORK_FILTERED;
	return p->is_container || p->ret->mode != POLICY_NETWORK_ISOLATED ? resolve_rules(p, err) : 0;
}

static int resolve(struct posture *p, struct err **err)
{
	*p->ret = (struct policy_network){ .mode = POLICY_NETWORK_ISOLATED };
	return p->network->is_directional ? resolve_directional(p, err) : resolve_legacy(p, err);
}

/* ---- names ---- */

static void add_names(const struct string_list *from, struct string_list *ret)
{
	struct cidr cidr;

	for (size_t i = 0; i < from->count; i++)
		if (!cidr_parse(from->items[i], &cidr))
			ret->items[ret->count++] = from->items[i];
}

int policy_network_names(struct arena *arena, const struct mxc_config *config, struct string_list *ret)
{
	const struct mxc_network *n = &config->network;
	const char *name = NULL;
	int r = 0;

	*ret = (struct string_list){ .items = arena_array(arena, n->allowed_hosts.count + n->blocked_hosts.count + 1, sizeof(*ret->items)) };
	if (!ret->items)
		return -ENOMEM;
	if (n->proxy && n->proxy->url && !n->proxy->localhost.set)
		r = network_proxy_name(arena, n->proxy->url, &name);
	if (name)
		ret->items[ret->count++] = name;
	if (n->proxy || config->strict)
		return r;
	add_names(&n->allowed_hosts, ret);
	add_names(&n->blocked_hosts, ret);
	return 0;
}

int policy_network(struct arena *arena, const struct mxc_config *config, const struct host_facts *facts,
		   const struct log *log, struct policy_network *ret, struct err **err)
{
	struct posture p = { .arena = arena, .config = config, .network = &config->network, .facts = facts, .log = log,
			     .ret = ret };

	return resolve(&p, err);
}

int policy_container_network(struct arena *arena, const struct mxc_config *config, const struct log *log,
			     struct policy_network *ret, struct err **err)
{
	struct posture p = { .arena = arena, .config = config, .network = &config->network, .log = log, .ret = ret,
			     .is_container = true };

	return resolve(&p, err);
}

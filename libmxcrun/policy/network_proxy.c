/* network_proxy.c - see network_proxy.h. */
#include "policy/network_proxy.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "config/proxy_url.h"
#include "policy/network_names.h"

#define OWN_NETWORK UINT64_C(0x0a000200) /* 10.0.2.0/24, MXC.md 7.7 */
#define OWN_GATEWAY UINT64_C(0x0a000202)
#define TEST_PROXY_PORT 3128 /* of NETWORK_TEST_PROXY_URL */

const char *const network_proxy_variables[] = { "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "FTP_PROXY",
						"http_proxy", "https_proxy", "all_proxy", "ftp_proxy", NULL };

bool network_is_proxy_variable(const char *name, size_t len)
{
	static const char *const names[] = { "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "FTP_PROXY", "NO_PROXY" };

	for (size_t i = 0; i < array_size(names); i++)
		if (len == strlen(names[i]) && strncasecmp(name, names[i], len) == 0)
			return true;
	return false;
}

static void listen_at(struct net_proxy *proxy, enum net_family family, struct net_address address, uint16_t port)
{
	proxy->listen[proxy->listen_count++] = (struct net_endpoint){ family, address, port };
}

static void target(struct net_proxy *proxy, enum net_family family, struct net_address address, uint16_t port)
{
	proxy->targets[proxy->target_count++] = (struct net_endpoint){ family, address, port };
}

static const struct net_address loopback4 = { 0, 0x7f000001 }, loopback6 = { 0, 1 };

/* Which of both a name means is for the program that asks, so both answer. */
static void resolve_localhost(struct net_proxy *proxy, uint16_t port)
{
	listen_at(proxy, NET_V4, loopback4, port);
	listen_at(proxy, NET_V6, loopback6, port);
	target(proxy, NET_V4, loopback4, port);
	target(proxy, NET_V6, loopback6, port);
}

static int resolve_address(const struct cidr *cidr, uint16_t port, struct net_proxy *proxy, struct err **err)
{
	struct net_address address;
	enum net_family family = net_address_of(cidr, &address);
	bool is_unspecified = address.high == 0 && address.low == 0;

	if (is_unspecified)
		address = family == NET_V4 ? loopback4 : loopback6;
	if (family == NET_V4 && (address.low & ~UINT64_C(0xff)) == OWN_NETWORK)
		return err_set(err, E_POLICY, 0, proxy->pointer,
			       "the proxy's address is inside the sandbox's own network 10.0.2.0/24");
	listen_at(proxy, family, address, port);
	target(proxy, family, address, port);
	return 0;
}

/* Without the brackets of an IPv6 address. */
static char *bare_host(struct arena *arena, const char *host)
{
	size_t len = strlen(host);

	return host[0] == '[' && len > 2 ? arena_strndup(arena, host + 1, len - 2) : arena_strdup(arena, host);
}

static bool needs_look_up(const char *host)
{
	struct cidr cidr;

	return strcasecmp(host, "localhost") != 0 && (!cidr_parse(host, &cidr) || strchr(host, '/'));
}

int network_proxy_name(struct arena *arena, const char *url, const char **ret)
{
	struct proxy_url parts;
	int r = proxy_url_split(arena, url, &parts);
	char *host;

	*ret = NULL;
	if (r < 0)
		return r == -ENOMEM ? r : 0;
	host = bare_host(arena, parts.host);
	if (!host)
		return -ENOMEM;
	if (needs_look_up(host))
		*ret = host;
	return 0;
}

void network_proxy_listen_inside(struct net_proxy *ret)
{
	listen_at(ret, NET_V4, loopback4, TEST_PROXY_PORT);
	listen_at(ret, NET_V4, (struct net_address){ 0, OWN_GATEWAY }, TEST_PROXY_PORT);
}

int network_proxy_resolve(struct arena *arena, const char *url, const struct host_address *found, const char *pointer,
			  struct net_proxy *ret, struct err **err)
{
	struct proxy_url parts;
	struct cidr cidr;
	unsigned long port;
	char *host;
	int r = proxy_url_split(arena, url, &parts);

	*ret = (struct net_proxy){ .url = parts.trimmed, .pointer = pointer };
	if (r == -ENOMEM)
		return err_nomem(err);
	port = r == 0 && parts.port ? strtoul(parts.port, NULL, 10) : 0;
	if (port == 0 || port > UINT16_MAX)
		return err_set(err, E_POLICY, 0, pointer, "the proxy's URL needs a port from 1 to 65535");
	host = bare_host(arena, parts.host);
	if (!host)
		return err_nomem(err);
	if (strcasecmp(host, "localhost") == 0) {
		resolve_localhost(ret, (uint16_t)port);
	} else {
		if (found)
			cidr = network_block_of(found);
		else if (needs_look_up(host) || !cidr_parse(host, &cidr))
			return err_set(err, E_POLICY, 0, pointer, "could not resolve proxy host '%.255s'", host);
		r = resolve_address(&cidr, (uint16_t)port, ret, err);
		if (r < 0)
			return r;
	}
	/* what was written for a sandbox with a gateway finds the proxy there */
	listen_at(ret, NET_V4, (struct net_address){ 0, OWN_GATEWAY }, (uint16_t)port);
	return 0;
}

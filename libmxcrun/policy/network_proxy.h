/* network_proxy.h - the one way out through a proxy (MXC.md 7.9): where it answers inside, and who answers outside. */
#ifndef MXCRUN_POLICY_NETWORK_PROXY_H
#define MXCRUN_POLICY_NETWORK_PROXY_H

#include "base/err.h"
#include "host/names.h"
#include "policy/net_policy.h"

/* The name in a proxy's URL that has to be looked up; *ret is NULL when it needs none. 0 or -ENOMEM. */
int network_proxy_name(struct arena *arena, const char *url, const char **ret);

/* The endpoints of a URL that config/ has found well-formed; found: the address of the name of network_proxy_name(), or NULL.
 * E_POLICY for a host that can't be carried. 0 or -errno. */
int network_proxy_resolve(struct arena *arena, const char *url, const struct host_address *found, const char *pointer,
			  struct net_proxy *ret, struct err **err);

/* Where the built-in test proxy answers. */
#define NETWORK_TEST_PROXY_URL "http://127.0.0.1:3128"
void network_proxy_listen_inside(struct net_proxy *ret);

/* Is it one of the variables by which programs find a proxy, in any spelling? name may go on behind len. */
bool network_is_proxy_variable(const char *name, size_t len);

/* The names that are set to the proxy's URL; NULL-terminated. */
extern const char *const network_proxy_variables[];

#endif

/* endpoint.h - addresses of a policy as the socket calls take them. */
#ifndef MXCRUN_NET_ENDPOINT_H
#define MXCRUN_NET_ENDPOINT_H

#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>

#include "policy/net_policy.h"

/* Fill in and give the length that bind(2) and connect(2) want. */
static inline socklen_t endpoint_address(const struct net_endpoint *endpoint, struct sockaddr_storage *ret)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = htons(endpoint->port) };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = htons(endpoint->port) };
	uint8_t bytes[16];

	(void)net_address_bytes(endpoint->family, endpoint->address, bytes);
	memset(ret, 0, sizeof(*ret));
	if (endpoint->family == NET_V4) {
		memcpy(&v4.sin_addr, bytes, sizeof(v4.sin_addr));
		memcpy(ret, &v4, sizeof(v4));
		return sizeof(v4);
	}
	memcpy(&v6.sin6_addr, bytes, sizeof(v6.sin6_addr));
	memcpy(ret, &v6, sizeof(v6));
	return sizeof(v6);
}

#endif

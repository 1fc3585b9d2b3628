/* test_proxy.h - the built-in test proxy (MXC.md 7.9.6): HTTP with CONNECT and absolute forms, and lists of hosts by name. */
#ifndef MXCRUN_NET_TEST_PROXY_H
#define MXCRUN_NET_TEST_PROXY_H

#include <stdbool.h>
#include <stddef.h>

#include "policy/net_policy.h"

/* Is what asks for this host let through? The name exactly, in any case; what is blocked wins; a list of allowed ones admits nobody else. */
bool test_proxy_allows(const struct net_test_proxy *rules, const char *host);

struct test_proxy_request {
	char host[256], port[6], method[32];
	const char *target;	/* what the server is asked for, in the head; NULL: it is a tunnel */
	size_t target_len;
	const char *rest;	/* the line's last word and the header fields, in the head */
};

/* The head of a request, terminated by a NUL in place of its empty line. false: it is none that a proxy takes. */
bool test_proxy_parse(const char *head, struct test_proxy_request *ret);

/* Serve what connects to the listeners until life_fd ends; the exit code. */
int test_proxy_serve(const int *listeners, size_t count, const struct net_test_proxy *rules, int life_fd);

#endif

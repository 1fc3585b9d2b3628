/* filter_check.h - is what the kernel has what was sent? Both are added up the same way, in any order. */
#ifndef MXCRUN_NET_FILTER_CHECK_H
#define MXCRUN_NET_FILTER_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "policy/net_policy.h"

/* Names in comments of rules, and of the report. */
#define FILTER_DEFAULT "egress.default"
#define FILTER_HOST_LOOPBACK "ingress.hostLoopback"

struct filter_sum {
	uint64_t rules;	   /* over each rule's chain and the names of its expressions */
	uint64_t elements; /* of the interval sets */
	size_t rule_count, element_count, hooks;
	uint64_t rule;	   /* the one under construction */
};

void filter_sum_begin(struct filter_sum *sum);
void filter_sum_text(struct filter_sum *sum, const char *text);
void filter_sum_end(struct filter_sum *sum);
void filter_sum_element(struct filter_sum *sum, const void *key, size_t len, bool is_end);

/* Read the table back. 0, or -errno with E_NETWORK. */
int filter_check(int fd, const char *table, const struct filter_sum *sent, const struct net_policy *network,
		 struct err **err);

#endif

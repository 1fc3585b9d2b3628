/* filter_check.c - see filter_check.h. */
#include "net/filter_check.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <stdio.h>
#include <string.h>

#include "base/netlink.h"
#include "net/filter.h"
#include "net/nft.h"

#define HASH_START UINT64_C(0xcbf29ce484222325) /* FNV-1a */
#define HASH_PRIME UINT64_C(0x100000001b3)

static uint64_t hash(uint64_t h, const void *data, size_t len)
{
	for (size_t i = 0; i < len; i++)
		h = (h ^ ((const uint8_t *)data)[i]) * HASH_PRIME;
	return h;
}

void filter_sum_begin(struct filter_sum *sum)
{
	sum->rule = HASH_START;
}

void filter_sum_text(struct filter_sum *sum, const char *text)
{
	sum->rule = hash(sum->rule, text, strlen(text) + 1);
}

/* Chains are dumped one after the other, whatever their order was: only within a chain the order is known, so each rule
 * counts for itself. */
void filter_sum_end(struct filter_sum *sum)
{
	sum->rules += sum->rule;
	sum->rule_count++;
}

void filter_sum_element(struct filter_sum *sum, const void *key, size_t len, bool is_end)
{
	uint64_t h = hash(HASH_START, key, len);

	sum->elements += hash(h, &is_end, 1);
	sum->element_count++;
}

/* ---- reading back ---- */

static uint32_t find_u32(const void *at, size_t len, uint16_t type)
{
	size_t value_len = 0;
	const void *value = netlink_find(at, len, type, &value_len);
	uint32_t big = 0;

	if (value && value_len == sizeof(big))
		memcpy(&big, value, sizeof(big));
	return ntohl(big);
}

static int take_expression(void *sum, uint16_t type, const void *at, size_t len)
{
	(void)type;
	filter_sum_text(sum, netlink_find_text(at, len, NFTA_EXPR_NAME));
	return 0;
}

static int take_rule(void *data, const void *at, size_t len)
{
	struct filter_sum *sum = data;
	size_t list_len = 0;
	const void *list = netlink_find(at, len, NFTA_RULE_EXPRESSIONS, &list_len);

	filter_sum_begin(sum);
	filter_sum_text(sum, netlink_find_text(at, len, NFTA_RULE_CHAIN));
	if (list)
		netlink_each(list, list_len, take_expression, sum);
	filter_sum_end(sum);
	return 0;
}

static int take_element(void *sum, uint16_t type, const void *at, size_t len)
{
	size_t key_len = 0, value_len = 0;
	const void *key = netlink_find(at, len, NFTA_SET_ELEM_KEY, &key_len), *value;

	(void)type;
	value = key ? netlink_find(key, key_len, NFTA_DATA_VALUE, &value_len) : NULL;
	if (value)
		filter_sum_element(sum, value, value_len,
				   find_u32(at, len, NFTA_SET_ELEM_FLAGS) & NFT_SET_ELEM_INTERVAL_END);
	return 0;
}

static int take_elements(void *data, const void *at, size_t len)
{
	size_t list_len = 0;
	const void *list = netlink_find(at, len, NFTA_SET_ELEM_LIST_ELEMENTS, &list_len);

	if (list)
		netlink_each(list, list_len, take_element, data);
	return 0;
}

/* Chains are dumped of every table. */
struct chains {
	const char *table;
	struct filter_sum *sum;
};

static int take_chain(void *data, const void *at, size_t len)
{
	const struct chains *chains = data;
	size_t hook_len = 0;

	if (netlink_find(at, len, NFTA_CHAIN_HOOK, &hook_len) &&
	    find_u32(at, len, NFTA_CHAIN_POLICY) == NF_DROP &&
	    !strcmp(netlink_find_text(at, len, NFTA_CHAIN_TABLE), chains->table))
		chains->sum->hooks++;
	return 0;
}

static int read_group(int fd, const char *table, const struct net_policy *network, struct filter_group at,
		      struct filter_sum *sum)
{
	char name[FILTER_NAME_SIZE];
	int r = 0;

	for (enum net_family family = NET_V4; family < NET_FAMILIES && r == 0; family++)
		if (filter_set_name(name, network, at, family))
			r = nft_dump(fd, table, NFT_MSG_GETSETELEM, name, take_elements, sum);
	return r;
}

static int read_sets(int fd, const char *table, const struct net_policy *network, struct filter_sum *sum)
{
	int r = 0;

	for (size_t i = 0; i < network->egress.count; i++)
		for (size_t j = 0; j < network->egress.items[i].count && r == 0; j++)
			r = read_group(fd, table, network, (struct filter_group){ i, j }, sum);
	return r;
}

int filter_check(int fd, const char *table, const struct filter_sum *sent, const struct net_policy *network,
		 struct err **err)
{
	struct filter_sum found = { 0 };
	struct chains chains = { table, &found };
	int r = nft_dump(fd, table, NFT_MSG_GETCHAIN, NULL, take_chain, &chains);

	if (r == 0)
		r = nft_dump(fd, table, NFT_MSG_GETRULE, NULL, take_rule, &found);
	if (r == 0)
		r = read_sets(fd, table, network, &found);
	if (r < 0)
		return err_sys(err, E_NETWORK, -r, "nf_tables, reading back", table, network->pointer);
	if (found.rules == sent->rules && found.rule_count == sent->rule_count && found.elements == sent->elements &&
	    found.element_count == sent->element_count && found.hooks == sent->hooks)
		return 0;
	return err_set(err, E_NETWORK, EBADMSG, network->pointer,
		       "the kernel's filter is not what was loaded: %zu of %zu rules, %zu of %zu addresses, %zu of %zu hooks",
		       found.rule_count, sent->rule_count, found.element_count, sent->element_count, found.hooks, sent->hooks);
}

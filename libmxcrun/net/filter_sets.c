/* filter_sets.c - the sets of a policy's table: the addresses of each group of rules, and the destinations that were refused. */
#include <errno.h>
#include <netinet/in.h> /* musl's comes before the kernel's */
#include <stdio.h>

#include "net/filter_parts.h"

#define ELEMENTS_SIZE 60000u /* an attribute's length has 16 bits */

/* What nft(8) wants to know to print a set. */
#define TYPE_IPV4 7u
#define TYPE_IPV6 8u
#define TYPE_PROTOCOL 12u
#define TYPE_PORT 13u
#define TYPE_NUMBER 19u
#define TYPE_BITS 6u

static void put_element(struct filter *f, enum net_family family, struct net_address at, bool is_end)
{
	uint8_t bytes[16];

	(void)net_address_bytes(family, at, bytes);
	filter_sum_element(&f->out.sum, bytes, NET_ADDRESS_LEN(family), is_end);
	nft_open(&f->out.batch, NFTA_LIST_ELEM);
	nft_put_value(&f->out.batch, NFTA_SET_ELEM_KEY, bytes, NET_ADDRESS_LEN(family));
	if (is_end)
		nft_put_u32(&f->out.batch, NFTA_SET_ELEM_FLAGS, NFT_SET_ELEM_INTERVAL_END);
	nft_close(&f->out.batch);
}

static bool is_last_address(enum net_family family, struct net_address a)
{
	return family == NET_V4 ? a.low == UINT32_MAX : a.high == UINT64_MAX && a.low == UINT64_MAX;
}

/* An interval set is a list of the points where membership begins and ends. */
static void put_interval(struct filter *f, enum net_family family, const struct net_interval *interval)
{
	struct net_address end = interval->last;

	put_element(f, family, interval->first, false);
	if (is_last_address(family, end))
		return;
	end.low++;
	end.high += end.low == 0;
	put_element(f, family, end, true);
}

static void open_elements(struct filter *f, const char *set)
{
	nft_allow_cut(&f->out.batch);
	nft_begin(&f->out.batch, NFT_MSG_NEWSETELEM, 0);
	nft_put_text(&f->out.batch, NFTA_SET_ELEM_LIST_TABLE, f->out.batch.table);
	nft_put_text(&f->out.batch, NFTA_SET_ELEM_LIST_SET, set);
	nft_open(&f->out.batch, NFTA_SET_ELEM_LIST_ELEMENTS);
}

static void close_elements(struct filter *f)
{
	nft_close(&f->out.batch);
	nft_end(&f->out.batch);
}

static void add_elements(struct filter *f, const char *set, enum net_family family, const struct net_intervals *list)
{
	open_elements(f, set);
	for (size_t i = 0; i < list->count; i++) {
		if (nft_message_size(&f->out.batch) > ELEMENTS_SIZE) {
			close_elements(f);
			open_elements(f, set);
		}
		put_interval(f, family, &list->items[i]);
	}
	close_elements(f);
}

static void open_set(struct filter *f, const char *name, uint32_t flags, uint32_t type, size_t key_len)
{
	static const uint32_t any_id = 1; /* within a batch; rules name the set instead */

	nft_begin(&f->out.batch, NFT_MSG_NEWSET, 0);
	nft_put_text(&f->out.batch, NFTA_SET_TABLE, f->out.batch.table);
	nft_put_text(&f->out.batch, NFTA_SET_NAME, name);
	nft_put_u32(&f->out.batch, NFTA_SET_FLAGS, flags);
	nft_put_u32(&f->out.batch, NFTA_SET_KEY_TYPE, type);
	nft_put_u32(&f->out.batch, NFTA_SET_KEY_LEN, (uint32_t)key_len);
	nft_put_u32(&f->out.batch, NFTA_SET_ID, any_id);
}

/* All addresses of the family: no set is needed. */
static bool is_everything(enum net_family family, const struct net_intervals *list)
{
	return list->count == 1 && list->items[0].first.high == 0 && list->items[0].first.low == 0 &&
	       is_last_address(family, list->items[0].last);
}

bool filter_set_name(char name[FILTER_NAME_SIZE], const struct net_policy *network, struct filter_group at,
		     enum net_family family)
{
	const struct net_intervals *list = &filter_group_at(network, at)->to[family];

	snprintf(name, FILTER_NAME_SIZE, "group%zu-%zu-%s", at.set, at.group, family == NET_V4 ? "v4" : "v6");
	return list->count > 0 && !is_everything(family, list);
}

void filter_add_group_sets(struct filter *f, struct filter_group at)
{
	const struct net_group *group = filter_group_at(f->network, at);
	char name[FILTER_NAME_SIZE];

	for (enum net_family family = NET_V4; family < NET_FAMILIES; family++) {
		if (!filter_set_name(name, f->network, at, family))
			continue;
		open_set(f, name, NFT_SET_INTERVAL, family == NET_V4 ? TYPE_IPV4 : TYPE_IPV6, NET_ADDRESS_LEN(family));
		nft_end(&f->out.batch);
		add_elements(f, name, family, &group->to[family]);
	}
}

/* Rule number, address, protocol, port: four bytes each, but for the address of IPv6. Bounded, so that a workload that
 * tries every address fills no memory. */
void filter_add_refusal_sets(struct filter *f)
{
	for (enum net_family family = NET_V4; family < NET_FAMILIES; family++) {
		const char *const names[] = { FILTER_SINCE(family), FILTER_REFUSED(family) };
		uint32_t type = TYPE_NUMBER;

		type = type << TYPE_BITS | (family == NET_V4 ? TYPE_IPV4 : TYPE_IPV6);
		type = (type << TYPE_BITS | TYPE_PROTOCOL) << TYPE_BITS | TYPE_PORT;
		for (size_t i = 0; i < array_size(names); i++) {
			open_set(f, names[i], NFT_SET_TIMEOUT | NFT_SET_EVAL, type, NET_ADDRESS_LEN(family) + 12);
			nft_put_u64(&f->out.batch, NFTA_SET_TIMEOUT, FILTER_REFUSED_MS);
			nft_open(&f->out.batch, NFTA_SET_DESC);
			nft_put_u32(&f->out.batch, NFTA_SET_DESC_SIZE, FILTER_REFUSED_MAX);
			nft_close(&f->out.batch);
			nft_end(&f->out.batch);
		}
	}
}

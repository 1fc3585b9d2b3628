/* trace.c - see trace.h. */
#include "net/trace.h"

#include <endian.h>
#include <errno.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/netlink.h"
#include "net/filter.h"
#include "net/nft.h"

#define NAME_MAX_SIZE 128u
#define REFUSAL_CHAIN "refuse"

/* A name as it stands beside the rules of the table; the same for all rules that a rule of the policy became. */
struct counted {
	char name[NAME_MAX_SIZE];
	uint64_t packets, bytes;
};

/* The number that stands for a name in the sets. */
struct numbered {
	uint32_t number;
	char name[NAME_MAX_SIZE];
};

struct refused {
	uint8_t key[28]; /* number, address, protocol, port */
	uint64_t count;
	uint64_t seen_ms; /* since 1970: last seen, or of "since": first */
};

struct refused_list {
	struct refused items[FILTER_REFUSED_MAX];
	size_t count;
};

struct trace {
	struct counted *counted;
	size_t counted_count;
	struct numbered *numbered;
	size_t numbered_count;
	struct refused_list refused[NET_FAMILIES], since[NET_FAMILIES];
	struct refused_list *list; /* the one being read, from now_ms (since 1970) on */
	uint64_t now_ms;
	size_t key_len;
};

static void trace_free(struct trace **trace)
{
	if (!*trace)
		return;
	free((*trace)->counted);
	free((*trace)->numbered);
	free(*trace);
}

/* ---- attributes ---- */

static uint64_t find_u64(const void *at, size_t len, uint16_t type, uint64_t otherwise)
{
	size_t value_len = 0;
	const void *value = netlink_find(at, len, type, &value_len);
	uint64_t big;

	if (!value || value_len != sizeof(big))
		return otherwise;
	memcpy(&big, value, sizeof(big));
	return be64toh(big);
}

/* The comment of a rule: a type, a length, the text. */
static bool find_comment(const void *at, size_t len, char name[NAME_MAX_SIZE])
{
	size_t data_len = 0;
	const uint8_t *data = netlink_find(at, len, NFTA_RULE_USERDATA, &data_len);

	if (!data || data_len < 3 || data[0] != 0 || data[1] + 2u > data_len || data[1] > NAME_MAX_SIZE)
		return false;
	memcpy(name, data + 2, data[1]);
	name[data[1] - 1] = '\0';
	return true;
}

struct counter {
	const void *at;
	size_t len;
};

static int take_counter(void *data, uint16_t type, const void *at, size_t len)
{
	struct counter *counter = data;

	(void)type;
	if (strcmp(netlink_find_text(at, len, NFTA_EXPR_NAME), "counter") != 0)
		return 0;
	counter->at = netlink_find(at, len, NFTA_EXPR_DATA, &counter->len);
	return 1;
}

/* ---- reading ---- */

static int note_number(struct trace *trace, const char *chain, const char *name)
{
	struct numbered *grown = reallocarray(trace->numbered, trace->numbered_count + 1, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	trace->numbered = grown;
	grown[trace->numbered_count].number = (uint32_t)strtoul(chain + strlen(REFUSAL_CHAIN), NULL, 10);
	snprintf(grown[trace->numbered_count++].name, NAME_MAX_SIZE, "%s", name);
	return 0;
}

/* From the end: what belongs together is mostly side by side. */
static int note_count(struct trace *trace, const char *name, uint64_t packets, uint64_t bytes)
{
	struct counted *grown;
	size_t i = trace->counted_count;

	while (i > 0 && strcmp(trace->counted[i - 1].name, name) != 0)
		i--;
	if (i == 0) {
		grown = reallocarray(trace->counted, trace->counted_count + 1, sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		trace->counted = grown;
		i = ++trace->counted_count;
		grown[i - 1] = (struct counted){ 0 };
		snprintf(grown[i - 1].name, NAME_MAX_SIZE, "%s", name);
	}
	trace->counted[i - 1].packets += packets;
	trace->counted[i - 1].bytes += bytes;
	return 0;
}

static int take_rule(void *data, const void *at, size_t len)
{
	const char *chain = netlink_find_text(at, len, NFTA_RULE_CHAIN);
	size_t list_len = 0;
	const void *list = netlink_find(at, len, NFTA_RULE_EXPRESSIONS, &list_len);
	struct counter counter = { 0 };
	char name[NAME_MAX_SIZE];

	if (!find_comment(at, len, name))
		return 0;
	if (!strncmp(chain, REFUSAL_CHAIN, strlen(REFUSAL_CHAIN)))
		return note_number(data, chain, name);
	if (list)
		netlink_each(list, list_len, take_counter, &counter);
	return !counter.at ? 0
			   : note_count(data, name, find_u64(counter.at, counter.len, NFTA_COUNTER_PACKETS, 0),
					find_u64(counter.at, counter.len, NFTA_COUNTER_BYTES, 0));
}

static int take_element(void *data, uint16_t type, const void *at, size_t len)
{
	const struct trace *trace = data;
	struct refused *item = &trace->list->items[trace->list->count];
	size_t key_len = 0, value_len = 0;
	const void *key = netlink_find(at, len, NFTA_SET_ELEM_KEY, &key_len), *value;
	uint64_t whole = find_u64(at, len, NFTA_SET_ELEM_TIMEOUT, FILTER_REFUSED_MS);
	uint64_t left = find_u64(at, len, NFTA_SET_ELEM_EXPIRATION, whole);
	struct counter counter = { 0 };

	value = key ? netlink_find(key, key_len, NFTA_DATA_VALUE, &value_len) : NULL;
	if (!value || value_len != trace->key_len || trace->list->count == FILTER_REFUSED_MAX)
		return 0;
	*item = (struct refused){ .seen_ms = trace->now_ms - (left < whole ? whole - left : 0) };
	memcpy(item->key, value, value_len);
	value = netlink_find(at, len, NFTA_SET_ELEM_EXPR, &value_len);
	if (value)
		take_counter(&counter, type, value, value_len);
	item->count = counter.at ? find_u64(counter.at, counter.len, NFTA_COUNTER_PACKETS, 0) : 0;
	trace->list->count++;
	return 0;
}

static int take_elements(void *data, const void *at, size_t len)
{
	size_t list_len = 0;
	const void *list = netlink_find(at, len, NFTA_SET_ELEM_LIST_ELEMENTS, &list_len);

	return list ? netlink_each(list, list_len, take_element, data) : 0;
}

static int read_set(int fd, const char *table, struct trace *trace, const char *set, enum net_family family, struct refused_list *list)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	trace->now_ms = (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
	trace->list = list;
	trace->key_len = family == NET_V4 ? 16 : 28;
	return nft_dump(fd, table, NFT_MSG_GETSETELEM, set, take_elements, trace);
}

static int read_trace(int fd, const char *table, struct trace *trace)
{
	int r = nft_dump(fd, table, NFT_MSG_GETRULE, NULL, take_rule, trace);

	for (enum net_family family = NET_V4; family < NET_FAMILIES && r == 0; family++) {
		r = read_set(fd, table, trace, FILTER_SINCE(family), family, &trace->since[family]);
		if (r == 0)
			r = read_set(fd, table, trace, FILTER_REFUSED(family), family, &trace->refused[family]);
	}
	return r == 0 && trace->numbered_count == 0 ? -ENOENT : r;
}

/* ---- telling ---- */

static void put_time(struct json_writer *w, const char *key, uint64_t ms)
{
	struct timespec at = { .tv_sec = (time_t)(ms / 1000), .tv_nsec = (long)(ms % 1000) * 1000000 };
	char text[CLOCK_TEXT_SIZE];

	clock_format_rfc3339(&at, true, text);
	json_put_string(w, key, text);
}

static const char *name_of(const struct trace *trace, const uint8_t *key)
{
	uint32_t number;

	memcpy(&number, key, sizeof(number));
	for (size_t i = 0; i < trace->numbered_count; i++)
		if (trace->numbered[i].number == number)
			return trace->numbered[i].name;
	return "";
}

static void put_protocol(struct json_writer *w, uint8_t protocol)
{
	char text[8];

	snprintf(text, sizeof(text), "%u", protocol);
	json_put_string(w, "protocol",
			protocol == IPPROTO_TCP						  ? "tcp"
			: protocol == IPPROTO_UDP					  ? "udp"
			: protocol == IPPROTO_ICMP || protocol == IPPROTO_ICMPV6 ? "icmp"
										  : text);
}

static uint64_t read_number(const uint8_t *bytes, size_t len)
{
	uint64_t value = 0;

	for (size_t i = 0; i < len; i++)
		value = value << 8 | bytes[i];
	return value;
}

static void put_refused(const struct trace *trace, enum net_family family, const struct refused *item,
			struct json_writer *w)
{
	size_t address_len = NET_ADDRESS_LEN(family), key_len = address_len + 12;
	const uint8_t *address = item->key + 4, *behind = address + address_len;
	struct net_address to = { family == NET_V4 ? 0 : read_number(address, 8),
				  family == NET_V4 ? read_number(address, 4) : read_number(address + 8, 8) };
	char text[NET_ADDRESS_TEXT];
	uint64_t first = item->seen_ms;

	/* Never later than the last, though each set counts in ticks, from when it was read. */
	for (size_t i = 0; i < trace->since[family].count; i++)
		if (!memcmp(trace->since[family].items[i].key, item->key, key_len) &&
		    trace->since[family].items[i].seen_ms < first)
			first = trace->since[family].items[i].seen_ms;
	json_open(w, NULL, '{');
	json_put_string(w, "address", net_address_text(family, to, text));
	json_put_u64(w, "port", read_number(behind + 4, 2));
	put_protocol(w, behind[0]);
	json_put_string(w, "rule", name_of(trace, item->key));
	json_put_u64(w, "count", item->count);
	put_time(w, "first", first);
	put_time(w, "last", item->seen_ms);
	json_close(w, '}');
}

static void put_trace(const struct trace *trace, struct json_writer *w)
{
	json_open(w, "rules", '[');
	for (size_t i = 0; i < trace->counted_count; i++) {
		json_open(w, NULL, '{');
		json_put_string(w, "rule", trace->counted[i].name);
		json_put_u64(w, "packets", trace->counted[i].packets);
		json_put_u64(w, "bytes", trace->counted[i].bytes);
		json_close(w, '}');
	}
	json_close(w, ']');
	json_open(w, "refused", '[');
	for (enum net_family family = NET_V4; family < NET_FAMILIES; family++)
		for (size_t i = 0; i < trace->refused[family].count; i++)
			put_refused(trace, family, &trace->refused[family].items[i], w);
	json_close(w, ']');
}

int network_trace(const struct net_namespace *namespaces, const char *id, struct json_writer *w, struct err **err)
{
	char table[FILTER_TABLE_SIZE];
	struct net_socket netfilter = { .domain = AF_NETLINK, .type = SOCK_RAW, .protocol = NETLINK_NETFILTER };
	__attribute__((cleanup(trace_free))) struct trace *trace = calloc(1, sizeof(*trace));
	int r;

	if (!trace)
		return err_nomem(err);
	r = net_sockets_open(namespaces, &netfilter, 1, err);
	if (r < 0)
		return r;
	filter_table_name(table, id);
	r = read_trace(netfilter.fd, table, trace);
	fd_close_ptr(&netfilter.fd);
	if (r == -ENOENT)
		return err_set(err, E_STATE, ENOENT, NULL, "no network policy is in force there");
	if (r < 0)
		return err_sys(err, E_NETWORK, -r, "nf_tables", table, NULL);
	put_trace(trace, w);
	return 0;
}

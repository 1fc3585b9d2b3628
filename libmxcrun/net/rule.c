/* rule.c - see rule.h. */
#include "net/rule.h"

#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <string.h>

#define LOOPBACK_INDEX 1u   /* of "lo" in every network namespace */
#define USERDATA_COMMENT 0u /* the type of what nft(8) shows behind a rule */

/* ---- expressions ---- */

static void open_expression(struct rule_writer *w, const char *name)
{
	filter_sum_text(&w->sum, name);
	nft_open(&w->batch, NFTA_LIST_ELEM);
	nft_put_text(&w->batch, NFTA_EXPR_NAME, name);
	nft_open(&w->batch, NFTA_EXPR_DATA);
}

static void close_expression(struct rule_writer *w)
{
	nft_close(&w->batch);
	nft_close(&w->batch);
}

void rule_load_meta(struct rule_writer *w, uint32_t key, uint32_t reg)
{
	open_expression(w, "meta");
	nft_put_u32(&w->batch, NFTA_META_KEY, key);
	nft_put_u32(&w->batch, NFTA_META_DREG, reg);
	close_expression(w);
}

void rule_load_payload(struct rule_writer *w, uint32_t base, uint32_t offset, uint32_t len, uint32_t reg)
{
	open_expression(w, "payload");
	nft_put_u32(&w->batch, NFTA_PAYLOAD_DREG, reg);
	nft_put_u32(&w->batch, NFTA_PAYLOAD_BASE, base);
	nft_put_u32(&w->batch, NFTA_PAYLOAD_OFFSET, offset);
	nft_put_u32(&w->batch, NFTA_PAYLOAD_LEN, len);
	close_expression(w);
}

void rule_load_presence(struct rule_writer *w, uint8_t header, uint32_t reg)
{
	open_expression(w, "exthdr");
	nft_put_u32(&w->batch, NFTA_EXTHDR_DREG, reg);
	nft_put(&w->batch, NFTA_EXTHDR_TYPE, &header, sizeof(header));
	nft_put_u32(&w->batch, NFTA_EXTHDR_OFFSET, 0);
	nft_put_u32(&w->batch, NFTA_EXTHDR_LEN, 1);
	nft_put_u32(&w->batch, NFTA_EXTHDR_FLAGS, NFT_EXTHDR_F_PRESENT);
	close_expression(w);
}

void rule_load_number(struct rule_writer *w, uint32_t number, uint32_t reg)
{
	open_expression(w, "immediate");
	nft_put_u32(&w->batch, NFTA_IMMEDIATE_DREG, reg);
	nft_put_value(&w->batch, NFTA_IMMEDIATE_DATA, &number, sizeof(number));
	close_expression(w);
}

void rule_compare(struct rule_writer *w, uint32_t operation, const void *data, size_t len)
{
	open_expression(w, "cmp");
	nft_put_u32(&w->batch, NFTA_CMP_SREG, NFT_REG_1);
	nft_put_u32(&w->batch, NFTA_CMP_OP, operation);
	nft_put_value(&w->batch, NFTA_CMP_DATA, data, len);
	close_expression(w);
}

void rule_look_up(struct rule_writer *w, const char *set)
{
	open_expression(w, "lookup");
	nft_put_text(&w->batch, NFTA_LOOKUP_SET, set);
	nft_put_u32(&w->batch, NFTA_LOOKUP_SREG, NFT_REG_1);
	close_expression(w);
}

static void count(struct rule_writer *w)
{
	open_expression(w, "counter");
	close_expression(w);
}

static void decide(struct rule_writer *w, int verdict, const char *chain)
{
	open_expression(w, "immediate");
	nft_put_u32(&w->batch, NFTA_IMMEDIATE_DREG, NFT_REG_VERDICT);
	nft_open(&w->batch, NFTA_IMMEDIATE_DATA);
	nft_open(&w->batch, NFTA_DATA_VERDICT);
	nft_put_u32(&w->batch, NFTA_VERDICT_CODE, (uint32_t)verdict);
	if (chain)
		nft_put_text(&w->batch, NFTA_VERDICT_CHAIN, chain);
	nft_close(&w->batch);
	nft_close(&w->batch);
	close_expression(w);
}

void rule_refuse(struct rule_writer *w)
{
	const uint8_t code = NFT_REJECT_ICMPX_ADMIN_PROHIBITED;

	open_expression(w, "reject");
	nft_put_u32(&w->batch, NFTA_REJECT_TYPE, NFT_REJECT_ICMPX_UNREACH);
	nft_put(&w->batch, NFTA_REJECT_ICMP_CODE, &code, sizeof(code));
	close_expression(w);
}

/* A connection is refused by a reset: an ICMP error meets the socket while connect(2) holds it, counts as a passing one, and the
 * caller waits a second for the next try (tcp_v4_err, tcp_v6_err; a socket that doesn't block notices with IPv4 only). */
void rule_reset(struct rule_writer *w)
{
	open_expression(w, "reject");
	nft_put_u32(&w->batch, NFTA_REJECT_TYPE, NFT_REJECT_TCP_RST);
	close_expression(w);
}

/* Established and related: bits of the state, linux/netfilter/nf_conntrack_common.h. */
void rule_match_known(struct rule_writer *w)
{
	const uint32_t known = 1u << 1 | 1u << 2, nothing = 0;

	open_expression(w, "ct");
	nft_put_u32(&w->batch, NFTA_CT_KEY, NFT_CT_STATE);
	nft_put_u32(&w->batch, NFTA_CT_DREG, NFT_REG_1);
	close_expression(w);
	open_expression(w, "bitwise");
	nft_put_u32(&w->batch, NFTA_BITWISE_SREG, NFT_REG_1);
	nft_put_u32(&w->batch, NFTA_BITWISE_DREG, NFT_REG_1);
	nft_put_u32(&w->batch, NFTA_BITWISE_LEN, sizeof(known));
	nft_put_value(&w->batch, NFTA_BITWISE_MASK, &known, sizeof(known));
	nft_put_value(&w->batch, NFTA_BITWISE_XOR, &nothing, sizeof(nothing));
	close_expression(w);
	rule_compare(w, NFT_CMP_NEQ, &nothing, sizeof(nothing));
}

void rule_match_loopback(struct rule_writer *w, uint32_t key)
{
	const uint32_t index = LOOPBACK_INDEX;

	rule_load_meta(w, key, NFT_REG_1);
	rule_compare(w, NFT_CMP_EQ, &index, sizeof(index));
}

void rule_match_family(struct rule_writer *w, enum net_family family)
{
	const uint8_t number = family == NET_V4 ? NFPROTO_IPV4 : NFPROTO_IPV6;

	rule_load_meta(w, NFT_META_NFPROTO, NFT_REG_1);
	rule_compare(w, NFT_CMP_EQ, &number, sizeof(number));
}

void rule_match_protocol(struct rule_writer *w, uint8_t number)
{
	rule_load_meta(w, NFT_META_L4PROTO, NFT_REG_1);
	rule_compare(w, NFT_CMP_EQ, &number, sizeof(number));
}

void rule_match_ports(struct rule_writer *w, struct net_port_range range)
{
	const uint16_t first = htons(range.first), last = htons(range.last);

	if (range.first == 0 && range.last == UINT16_MAX)
		return;
	rule_load_payload(w, NFT_PAYLOAD_TRANSPORT_HEADER, 2, 2, NFT_REG_1);
	rule_compare(w, NFT_CMP_GTE, &first, sizeof(first));
	rule_compare(w, NFT_CMP_LTE, &last, sizeof(last));
}

void rule_load_destination_part(struct rule_writer *w, enum net_family family, uint32_t from, uint32_t len, uint32_t reg)
{
	/* where the address stands in the header of IPv4, of IPv6 */
	rule_load_payload(w, NFT_PAYLOAD_NETWORK_HEADER, (family == NET_V4 ? 16 : 24) + from, len, reg);
}

void rule_load_destination(struct rule_writer *w, enum net_family family, uint32_t reg)
{
	rule_load_destination_part(w, family, 0, NET_ADDRESS_LEN(family), reg);
}

void rule_remember(struct rule_writer *w, const char *set, uint32_t operation, uint64_t ms)
{
	open_expression(w, "dynset");
	nft_put_text(&w->batch, NFTA_DYNSET_SET_NAME, set);
	nft_put_u32(&w->batch, NFTA_DYNSET_OP, operation);
	nft_put_u32(&w->batch, NFTA_DYNSET_SREG_KEY, NFT_REG32_00);
	nft_put_u64(&w->batch, NFTA_DYNSET_TIMEOUT, ms);
	if (operation == NFT_DYNSET_OP_UPDATE) {
		nft_open(&w->batch, NFTA_DYNSET_EXPR);
		nft_put_text(&w->batch, NFTA_EXPR_NAME, "counter");
		nft_open(&w->batch, NFTA_EXPR_DATA);
		nft_close(&w->batch);
		nft_close(&w->batch);
	}
	close_expression(w);
}

/* ---- rules ---- */

void rule_open(struct rule_writer *w, const char *chain)
{
	filter_sum_begin(&w->sum);
	filter_sum_text(&w->sum, chain);
	nft_begin(&w->batch, NFT_MSG_NEWRULE, NLM_F_APPEND);
	nft_put_text(&w->batch, NFTA_RULE_TABLE, w->batch.table);
	nft_put_text(&w->batch, NFTA_RULE_CHAIN, chain);
	nft_open(&w->batch, NFTA_RULE_EXPRESSIONS);
}

void rule_close(struct rule_writer *w, const char *comment)
{
	char userdata[RULE_COMMENT_MAX + 3];
	size_t len;

	nft_close(&w->batch);
	if (comment) {
		len = strnlen(comment, RULE_COMMENT_MAX);
		userdata[0] = USERDATA_COMMENT;
		userdata[1] = (char)(len + 1);
		memcpy(userdata + 2, comment, len);
		userdata[2 + len] = '\0';
		nft_put(&w->batch, NFTA_RULE_USERDATA, userdata, len + 3);
	}
	nft_end(&w->batch);
	filter_sum_end(&w->sum);
}

void rule_decide(struct rule_writer *w, int verdict, const char *chain)
{
	decide(w, verdict, chain);
	rule_close(w, NULL);
}

void rule_decide_counted(struct rule_writer *w, int verdict, const char *chain, const char *comment)
{
	count(w);
	decide(w, verdict, chain);
	rule_close(w, comment);
}

/* rule.h - one rule of a packet filter at a time, written expression by expression into a batch.
 *
 * A rule is what stands between rule_open() and rule_close() or a decision. Expressions load into registers of four bytes, and those that compare or look up
 * take the first, NFT_REG_1 (linux/netfilter/nf_tables.h). What is written is added up for filter_check.h.
 */
#ifndef MXCRUN_NET_RULE_H
#define MXCRUN_NET_RULE_H

#include "net/filter_check.h"
#include "net/nft.h"
#include "policy/net_policy.h"

struct rule_writer {
	struct nft_batch batch;
	struct filter_sum sum;
};

/* comment NULL: none; else what nft(8) shows behind the rule, and the name under which its counter is reported. */
#define RULE_COMMENT_MAX 120u
void rule_open(struct rule_writer *w, const char *chain);
void rule_close(struct rule_writer *w, const char *comment);

/* ---- into a register: NFT_META_*, a part of a header (NFT_PAYLOAD_*), whether an IPv6 extension header is there (1 or 0), a number,
 * the destination's address or len bytes of it ---- */

void rule_load_meta(struct rule_writer *w, uint32_t key, uint32_t reg);
void rule_load_payload(struct rule_writer *w, uint32_t base, uint32_t offset, uint32_t len, uint32_t reg);
void rule_load_presence(struct rule_writer *w, uint8_t header, uint32_t reg);
void rule_load_number(struct rule_writer *w, uint32_t number, uint32_t reg);
void rule_load_destination(struct rule_writer *w, enum net_family family, uint32_t reg);
void rule_load_destination_part(struct rule_writer *w, enum net_family family, uint32_t from, uint32_t len, uint32_t reg);

/* ---- the rest of the rule is only for packets of which it holds ---- */

/* The first register, NFT_CMP_*; in that set. */
void rule_compare(struct rule_writer *w, uint32_t operation, const void *data, size_t len);
void rule_look_up(struct rule_writer *w, const char *set);
/* Of a connection that was let through, or an error about one. */
void rule_match_known(struct rule_writer *w);
/* On loopback: key NFT_META_IIF or NFT_META_OIF. */
void rule_match_loopback(struct rule_writer *w, uint32_t key);
void rule_match_family(struct rule_writer *w, enum net_family family);
void rule_match_protocol(struct rule_writer *w, uint8_t number); /* IPPROTO_* */
void rule_match_ports(struct rule_writer *w, struct net_port_range range);

/* ---- what is done with them ---- */

/* What the registers from NFT_REG32_00 on hold becomes an element of that set for so long: NFT_DYNSET_OP_ADD unless it is one, _UPDATE counts it. */
void rule_remember(struct rule_writer *w, const char *set, uint32_t operation, uint64_t ms);
/* Refused with an ICMP error, for good; a tcp connection by a reset. */
void rule_refuse(struct rule_writer *w);
void rule_reset(struct rule_writer *w);
/* NF_ACCEPT, NF_DROP, NFT_RETURN, or NFT_GOTO and NFT_JUMP, which name a chain. The rule is closed by it; _counted: under that comment. */
void rule_decide(struct rule_writer *w, int verdict, const char *chain);
void rule_decide_counted(struct rule_writer *w, int verdict, const char *chain, const char *comment);

#endif

/* filter_refusals.c - what is done with a denied packet: its destination is recorded, under the number of the rule, and it is refused at
 * once, instead of letting the workload wait. A chain for each denial.
 */
#include <netinet/in.h> /* musl's comes before the kernel's */
#include <stdio.h>

#include "net/filter_parts.h"

static const char *const built_in_names[BUILT_IN_MAX] = {
	[REFUSES_HOST_LOOPBACK] = FILTER_HOST_LOOPBACK,
	[REFUSES_MAPPED] = "IPv4-mapped",
	[REFUSES_SOURCE_ROUTES] = "source route",
};

size_t filter_refusal_number(const struct filter *f, struct filter_group at)
{
	size_t number = at.group;

	for (size_t i = 0; i < at.set; i++)
		number += f->network->egress.items[i].count + 1;
	return number;
}

void filter_refusal_chain(char name[FILTER_NAME_SIZE], size_t number)
{
	snprintf(name, FILTER_NAME_SIZE, "refuse%zu", number);
}

void filter_refuse(struct filter *f, enum built_in which)
{
	char chain[FILTER_NAME_SIZE];

	filter_refusal_chain(chain, filter_refusal_number(f, (struct filter_group){ f->network->egress.count, which }));
	rule_decide_counted(&f->out, NFT_GOTO, chain, built_in_names[which]);
}

/* ---- the chains ---- */

/* protocol 0: whatever it is, without a port. */
static void record(struct filter *f, const char *chain, size_t number, enum net_family family, uint8_t protocol)
{
	uint32_t reg = NFT_REG32_01 + NET_ADDRESS_LEN(family) / 4;

	rule_open(&f->out, chain);
	rule_match_family(&f->out, family);
	if (protocol)
		rule_match_protocol(&f->out, protocol);
	rule_load_number(&f->out, (uint32_t)number, NFT_REG32_00);
	rule_load_destination(&f->out, family, NFT_REG32_01);
	rule_load_meta(&f->out, NFT_META_L4PROTO, reg);
	if (protocol)
		rule_load_payload(&f->out, NFT_PAYLOAD_TRANSPORT_HEADER, 2, 2, reg + 1);
	else
		rule_load_number(&f->out, 0, reg + 1);
	rule_remember(&f->out, FILTER_SINCE(family), NFT_DYNSET_OP_ADD, FILTER_REFUSED_MS);
	rule_remember(&f->out, FILTER_REFUSED(family), NFT_DYNSET_OP_UPDATE, FILTER_REFUSED_MS);
	if (protocol == IPPROTO_TCP)
		rule_reset(&f->out);
	else if (protocol)
		rule_refuse(&f->out);
	rule_close(&f->out, NULL);
}

/* The number of a group stands for its name in the sets, so the name stands once beside it. */
static void add_refusal(struct filter *f, size_t number, const char *name)
{
	char chain[FILTER_NAME_SIZE];

	filter_refusal_chain(chain, number);
	for (enum net_family family = NET_V4; family < NET_FAMILIES; family++) {
		record(f, chain, number, family, IPPROTO_TCP);
		record(f, chain, number, family, IPPROTO_UDP);
		record(f, chain, number, family, 0);
	}
	/* Also what could not be recorded any more. At once, instead of letting the workload wait. */
	rule_open(&f->out, chain);
	rule_match_protocol(&f->out, IPPROTO_TCP);
	rule_reset(&f->out);
	rule_close(&f->out, NULL);
	rule_open(&f->out, chain);
	rule_refuse(&f->out);
	rule_close(&f->out, name);
}

void filter_visit_denials(struct filter *f, void (*visit)(struct filter *f, size_t number, const char *name))
{
	char name[RULE_COMMENT_MAX + 1];
	size_t number = 0;

	for (size_t i = 0; i < f->network->egress.count; i++) {
		const struct net_rules *rules = &f->network->egress.items[i];

		for (size_t group = 0; group <= rules->count; group++, number++) {
			if (!filter_is_denial(rules, group))
				continue;
			filter_name_rule(name, rules, group);
			visit(f, number, name);
		}
	}
	for (int i = 0; i < BUILT_IN_MAX; i++)
		visit(f, number++, built_in_names[i]);
}

void filter_add_refusals(struct filter *f)
{
	filter_visit_denials(f, add_refusal);
}

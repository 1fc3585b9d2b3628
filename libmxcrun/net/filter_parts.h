/* filter_parts.h - the parts of a policy's table of nf_tables, for the files that write it (filter.c puts it together).
 *
 * All denials are numbered through: those of the groups of each rule set and of its default, then those that no set says. By its
 * number a refusal is recorded, and the chain that refuses is named.
 */
#ifndef MXCRUN_NET_FILTER_PARTS_H
#define MXCRUN_NET_FILTER_PARTS_H

#include "net/filter.h"
#include "net/rule.h"

struct filter {
	struct rule_writer out;
	const struct net_policy *network;
};

static inline const struct net_group *filter_group_at(const struct net_policy *network, struct filter_group at)
{
	return &network->egress.items[at.set].groups[at.group];
}

/* ---- filter.c: names ---- */

#define FILTER_RESOLVER_CHAIN "resolver"
extern const char *const filter_family_chain[NET_FAMILIES];
void filter_set_chain(char name[FILTER_NAME_SIZE], size_t set, enum net_family family);

/* The name of the set's group, or behind its last one of its default; behind that of the set's carrier where there are several. */
void filter_name_rule(char name[RULE_COMMENT_MAX + 1], const struct net_rules *rules, size_t group);

/* ---- filter_sets.c ---- */

void filter_add_group_sets(struct filter *f, struct filter_group at);
void filter_add_refusal_sets(struct filter *f);

/* ---- filter_rules.c: all that stands in the chains but refusals ---- */

void filter_add_output(struct filter *f);
void filter_add_input(struct filter *f);

/* ---- filter_refusals.c ---- */

/* Of the set's group, or behind its last one of the set's default. */
static inline bool filter_is_denial(const struct net_rules *rules, size_t group)
{
	return group == rules->count ? !rules->allows_by_default : !rules->groups[group].allows;
}
size_t filter_refusal_number(const struct filter *f, struct filter_group at);
void filter_refusal_chain(char name[FILTER_NAME_SIZE], size_t number);

/* What no set says. */
enum built_in { REFUSES_HOST_LOOPBACK, REFUSES_MAPPED, REFUSES_SOURCE_ROUTES, BUILT_IN_MAX };
/* The rest of a rule that is open: what it is about is counted and refused. */
void filter_refuse(struct filter *f, enum built_in which);

/* In the order of their numbers, with what they are called in reports. */
void filter_visit_denials(struct filter *f, void (*visit)(struct filter *f, size_t number, const char *name));

/* What the chains of all of them do. */
void filter_add_refusals(struct filter *f);

#endif

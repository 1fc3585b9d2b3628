/* from_carriers.h - what the files that lower the policies of a bundle share. */
#ifndef MXCRUN_PLAN_FROM_CARRIERS_H
#define MXCRUN_PLAN_FROM_CARRIERS_H

#include "plan/from_oci.h"

/* from_carriers_items.c: what each carrier asked for, what it came to, and by which means. The last step. */
int build_carrier_items(struct builder *b, const struct policy_combined *policy, struct err **err);

/* Append those of several carriers; plan->policy.items has room for them. */
int add_carrier_items(struct builder *b, const struct policy_combined *policy, struct err **err);

/* from_carriers_process.c. What the policies take of capabilities, added to *ret; the name of the first that takes any of
 * these, or NULL. */
int carriers_take_capabilities(struct builder *b, const struct policy_combined *policy, uint64_t *ret, struct err **err);
const char *carriers_who_takes(struct builder *b, const struct policy_combined *policy, uint64_t any_of);
/* Their filters, once the capabilities of the process are known. */
int carriers_add_filters(struct builder *b, const struct policy_combined *policy, struct err **err);
size_t count_process_items(const struct policy_combined *policy);
int add_process_items(struct builder *b, const struct policy_combined *policy, struct err **err);

/* The capabilities of a set by name, separated by blanks; in the builder's arena. */
const char *capability_words(struct builder *b, uint64_t set);
/* Append one; the texts are copied. */
int add_plan_item(struct builder *b, const struct plan_item *item, struct err **err);

#endif

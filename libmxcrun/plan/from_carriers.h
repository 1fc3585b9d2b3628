/* from_carriers.h - what the files that lower the policies of a bundle share. */
#ifndef MXCRUN_PLAN_FROM_CARRIERS_H
#define MXCRUN_PLAN_FROM_CARRIERS_H

#include "plan/from_oci.h"

/* from_carriers_items.c: what each carrier asked for, what it came to, and by which means. The last step. */
int build_carrier_items(struct builder *b, const struct policy_combined *policy, struct err **err);

/* Append those of several carriers; plan->policy.items has room for them. */
int add_carrier_items(struct builder *b, const struct policy_combined *policy, struct err **err);
/* Append one; the texts are copied. */
int add_plan_item(struct builder *b, const struct plan_item *item, struct err **err);

#endif

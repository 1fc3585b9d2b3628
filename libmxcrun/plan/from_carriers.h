/* from_carriers.h - what the files that lower the policies of a bundle share. */
#ifndef MXCRUN_PLAN_FROM_CARRIERS_H
#define MXCRUN_PLAN_FROM_CARRIERS_H

#include "plan/from_oci.h"

/* from_carriers_items.c: what each carrier asked for, what it came to, and by which means. The last step. */
int build_carrier_items(struct builder *b, const struct policy_combined *policy, struct err **err);

#endif

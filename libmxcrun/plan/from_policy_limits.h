/* from_policy_limits.h - the limits of a policy, lowered as a bundle's are; for from_policy.c. */
#ifndef MXCRUN_PLAN_FROM_POLICY_LIMITS_H
#define MXCRUN_PLAN_FROM_POLICY_LIMITS_H

#include "plan/from_oci.h"
#include "policy/decisions.h"

bool has_policy_limits(const struct policy_resources *resources);

/* The group is in the plan. */
int build_policy_limits(struct builder *b, const struct policy_resources *resources, struct err **err);

#endif

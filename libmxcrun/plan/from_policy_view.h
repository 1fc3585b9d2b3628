/* from_policy_view.h - the file system part of plan_from_policy(). */
#ifndef MXCRUN_PLAN_FROM_POLICY_VIEW_H
#define MXCRUN_PLAN_FROM_POLICY_VIEW_H

#include "plan/from_oci.h"
#include "policy/decisions.h"

/* Root, mounts in order, and what is covered in /proc. */
int build_view(struct builder *b, const struct policy_decisions *decisions, struct err **err);

#endif

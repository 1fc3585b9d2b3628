/* from_policy_owner.h - for from_policy.c and from_carriers.c: what is restricted by paths of the host, and the list of who
 * asked for what of a sandbox. */
#ifndef MXCRUN_PLAN_FROM_POLICY_OWNER_H
#define MXCRUN_PLAN_FROM_POLICY_OWNER_H

#include "plan/from_oci.h"
#include "plan/from_policy.h"

/* After the view; owner NULL: nothing. E_POLICY when it can't be held. */
int build_owner_regions(struct builder *b, const struct plan_owner *owner, struct err **err);

/* Of a container's grants; after its own regions, which stay as strict as they are. */
int build_granted_regions(struct builder *b, const struct plan_owner *owner, struct err **err);

/* asked: the policy's own decisions; enforced: together with the owner's. Last of all. */
int build_policy_items(struct builder *b, const struct policy_decisions *asked, const struct policy_decisions *enforced,
		       const struct plan_owner *owner, struct err **err);

#endif

/* from_policy_backend.h - what the section of the back end says of the sandbox itself; for from_policy.c. */
#ifndef MXCRUN_PLAN_FROM_POLICY_BACKEND_H
#define MXCRUN_PLAN_FROM_POLICY_BACKEND_H

#include "plan/from_policy.h"
#include "plan/from_oci.h"

/* Namespaces, capabilities, session, leash and filter. The rest of the plan is there, as it is without the section. */
int build_backend(struct builder *b, const struct policy_decisions *decisions, const struct plan_policy_request *request,
		  struct err **err);

/* The workload's argv[0]; NULL: none was asked for. */
const char *backend_argv0(const struct policy_decisions *decisions);

/* The capabilities that the policy itself keeps, added to *ret. E_POLICY where one would take a wall down. */
int backend_kept_capabilities(struct builder *b, const struct policy_decisions *decisions, uint64_t *ret, struct err **err);

#endif

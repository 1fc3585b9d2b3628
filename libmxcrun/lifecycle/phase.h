/* phase.h - one request to a sandbox that lives across calls (MXC.md 10.3). */
#ifndef MXCRUN_LIFECYCLE_PHASE_H
#define MXCRUN_LIFECYCLE_PHASE_H

#include "config/mxc_phase.h"
#include "lifecycle/lifecycle.h"
#include "lifecycle/provisioned.h"

struct phase_call {
	const struct mxc_phase_request *request;
	const char *text; /* of the request, as read: provision keeps it */
	size_t len;
	struct plan_policy_request plan; /* but for who the sandbox is */
	const char *report;		 /* start: file for the enforcement record; NULL: none */
	bool is_dry_run;		 /* everything is checked, nothing changed */
	/* The answer. */
	const char *code;			   /* MXC's word for the failure; NULL: what the error's own code stands for */
	char sandbox_id[PROVISIONED_ID_SIZE];	   /* provision */
	struct supervised end;			   /* exec: how its process ended */
	bool has_run;				   /* exec: there was one */
};

int lifecycle_phase(const struct lifecycle *lc, struct phase_call *call, struct err **err);

#endif

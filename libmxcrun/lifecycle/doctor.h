/* doctor.h - what this host can enforce for this user, and what stands in the way of the rest. Reads and tries; makes nothing
 * that outlives the call. */
#ifndef MXCRUN_LIFECYCLE_DOCTOR_H
#define MXCRUN_LIFECYCLE_DOCTOR_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/log.h"
#include "host/facts.h"
#include "lifecycle/prepare.h"

struct doctor_finding {
	const char *subject; /* "user namespaces"; of a policy: the pointer of what can't be enforced */
	bool is_available;
	const char *found;  /* what there is, or why it is not available */
	const char *remedy; /* how to allow it; NULL: not known, or not needed */
};

struct doctor_findings {
	struct doctor_finding *items;
	size_t count;
};

/* The host, whatever the policy. The user part of the facts has been read; all lies in the arena. */
int doctor_examine_host(struct arena *arena, struct host_facts *facts, const char *admin_config, const struct log *log,
			struct doctor_findings *ret, struct err **err);

/* Can a process be started in a user namespace of its own, as every sandbox needs? 0, or the errno. */
int doctor_try_user_namespace(void);

/* What of the policy can't be enforced here: nothing when all can. Section by section, so that one obstacle hides no other. An
 * error is one of the document itself. */
int doctor_examine_policy(struct arena *arena, struct host_facts *facts, const struct log *log,
			  const struct policy_document *document, const struct plan_policy_request *request,
			  struct doctor_findings *ret, struct err **err);

#endif

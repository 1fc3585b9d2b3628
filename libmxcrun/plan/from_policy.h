/* from_policy.h - the decisions of an MXC policy to a plan. Pure, as plan_from_oci(). */
#ifndef MXCRUN_PLAN_FROM_POLICY_H
#define MXCRUN_PLAN_FROM_POLICY_H

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "host/facts.h"
#include "plan/plan.h"
#include "host/objects.h"
#include "policy/combine.h"
#include "policy/decisions.h"

/* What the host's owner restricts for every sandbox, by paths of the host with every link followed. */
struct plan_owner {
	const struct policy_combined *combined;
	const struct host_objects *objects; /* of combined->regions, in their order */
	const struct host_alias *aliases;   /* other names of these in what is shown */
	size_t alias_count;
};

struct plan_policy_request {
	const char *id; /* of the sandbox to come; made by the caller */
	enum plan_cgroup_manager manager;
	bool keeps_rules;		/* as in struct plan_request */
	const char *admin_config;	/* for lifecycle/; NULL: the host's own */
	const char *state;		/* likewise: where the records lie, or would */
	bool state_exists;		/* likewise: it has been made, and the path is canonical */
	bool makes_folders;		/* likewise: those of the runtime's own that have to be there */
	const char *policy;		/* likewise: the file that the policy was read from; NULL: none */
	const char *log_file, *report;	/* likewise: what a run writes itself; NULL: nothing */
	const char *engine;		/* as in struct plan_request */
	bool is_text;			/* likewise */
	bool allows_testing;		/* the built-in test proxy */
	bool stays;			/* no workload: the sandbox waits for processes */
	pid_t target;			/* not 0: only a process, for the sandbox whose init has that number */
	const struct plan_owner *owner; /* NULL: nothing */
	const struct oci_seccomp *seccomp_file; /* what the policy's seccompProfile names a file for; NULL: it names none */
};

/* The plan is the first allocation of plan_arena and everything it points to is in plan_arena too.
 * facts needs its user and cgroup parts. 0 or -errno. */
int plan_from_policy(struct arena *plan_arena, const struct policy_decisions *decisions,
		     const struct plan_policy_request *request, const struct host_facts *facts,
		     const struct log *log, const struct plan **ret, struct err **err);

#endif

/* from_carriers_items.c - the list of what each carrier asked for and what it came to, for people. */
#include "plan/from_carriers.h"

#include <inttypes.h>
#include <string.h>

static const struct {
	const char *name, *controller;
} subjects[] = {
	[SUBJECT_PATH] = { "path", NULL },	     [SUBJECT_MEMORY] = { "memoryBytes", "memory" },
	[SUBJECT_CPUS] = { "cpus", "cpu" },	     [SUBJECT_PIDS] = { "pids", "pids" },
	[SUBJECT_TIMEOUT] = { "timeoutMs", NULL }, [SUBJECT_NETWORK] = { "network", NULL },
};

static bool has_region(const struct plan *plan, const char *path)
{
	for (size_t i = 0; i < plan->policy.region_count; i++)
		if (!strcmp(plan->policy.regions[i].path, path))
			return true;
	return false;
}

static const char *path_mechanism(const struct builder *b, const struct combined_item *item)
{
	const struct plan *plan = b->plan;

	if (plan->lifecycle.is_sandbox && !has_region(plan, item->path))
		return "not in the sandbox's view, or as the policy grants it";
	if (item->intent == INTENT_DENIED && plan->lifecycle.is_sandbox)
		return "cover";
	if (item->intent == INTENT_DENIED)
		return plan->policy.covers_are_idmapped ? "cover of an unmapped owner" : "cover, CAP_DAC_OVERRIDE withheld";
	if (item->intent == INTENT_READONLY)
		return "read-only mount";
	for (size_t i = 0; i < plan->mount_count; i++)
		if (plan->mounts[i].pointer && !strcmp(plan->mounts[i].pointer, item->pointer))
			return "bind mount";
	return "left as the container has it";
}

/* The files that are written for the controller. */
static const char *limit_mechanism(const struct builder *b, const char *controller)
{
	const struct plan_cgroup *cgroup = &b->plan->cgroup;
	const char *text = NULL;

	for (size_t i = 0; i < cgroup->write_count; i++)
		if (!strcmp(cgroup->writes[i].controller, controller))
			text = text ? arena_printf(b->arena, "%s, %s", text, cgroup->writes[i].file) :
				      arena_printf(b->arena, "cgroup: %s", cgroup->writes[i].file);
	return text ? text : "cgroup";
}

static const char *mechanism_of(const struct builder *b, const struct combined_item *item)
{
	if (item->subject == SUBJECT_PATH)
		return path_mechanism(b, item);
	if (item->subject == SUBJECT_NETWORK)
		return b->plan->network_policy.egress.count ? "nf_tables" : "empty network namespace";
	if (item->subject == SUBJECT_TIMEOUT)
		return b->plan->lifecycle.is_sandbox ? "supervisor" : "watcher";
	return limit_mechanism(b, subjects[item->subject].controller);
}

static const char *word_of(struct builder *b, const struct combined_item *item, enum policy_intent intent,
			   bool is_isolated, uint64_t value)
{
	if (item->subject == SUBJECT_PATH)
		return policy_intent_words[intent];
	if (item->subject == SUBJECT_NETWORK)
		return is_isolated ? "isolated" : "filtered";
	return arena_printf(b->arena, "%" PRIu64, value);
}

/* What the rest of the configuration asks for itself, when that is less: 0 when it isn't. cpus may be a part of one. */
static double own_limit(const struct plan_cgroup *cgroup, const struct combined_item *item)
{
	double own = item->subject == SUBJECT_MEMORY ? (double)cgroup->memory_bytes
		     : item->subject == SUBJECT_PIDS ? (double)cgroup->pids
		     : item->subject == SUBJECT_CPUS && cgroup->cpu_period_us ?
						       (double)cgroup->cpu_quota_us / (double)cgroup->cpu_period_us : 0;

	return own > 0 && own < (double)item->value ? own : 0;
}

/* The smallest of a limit may be that of who is no carrier. */
static void look_at_own(struct builder *b, const struct combined_item *from, struct plan_item *item)
{
	double own = own_limit(&b->plan->cgroup, from);

	if (own <= 0)
		return;
	item->enforced = arena_printf(b->arena, "%.15g", own);
	item->decided_by = b->plan->lifecycle.is_sandbox ? "configuration" : "config.json";
}

int add_plan_item(struct builder *b, const struct plan_item *from, struct err **err)
{
	struct plan_item *item = &b->plan->policy.items[b->plan->policy.item_count++];
	const struct { const char *from; const char **to; } rows[] = {
		{ from->carrier, &item->carrier },     { from->pointer, &item->pointer },
		{ from->subject, &item->subject },     { from->object, &item->object },
		{ from->requested, &item->requested }, { from->enforced, &item->enforced },
		{ from->decided_by, &item->decided_by }, { from->mechanism, &item->mechanism },
	};
	int r = 0;

	for (size_t i = 0; i < array_size(rows) && r == 0; i++)
		r = copy_string(b, rows[i].from, rows[i].to, err);
	return r;
}

int add_carrier_items(struct builder *b, const struct policy_combined *policy, struct err **err)
{
	int r = 0;

	for (size_t i = 0; i < policy->item_count && r == 0; i++) {
		const struct combined_item *from = &policy->items[i];
		struct plan_item item = {
			.carrier = from->carrier->name,
			.pointer = from->pointer,
			.subject = subjects[from->subject].name,
			.object = from->path,
			.requested = word_of(b, from, from->requested_intent, from->requests_isolation, from->requested),
			.enforced = word_of(b, from, from->intent, policy->is_isolated, from->value),
			.decided_by = from->decided_by->name,
			.mechanism = mechanism_of(b, from),
		};

		look_at_own(b, from, &item);
		r = add_plan_item(b, &item, err);
	}
	return r == 0 ? add_process_items(b, policy, err) : r;
}

int build_carrier_items(struct builder *b, const struct policy_combined *policy, struct err **err)
{
	struct plan_policy *plan = &b->plan->policy;

	plan->items = arena_array(b->arena, policy->item_count + count_process_items(policy), sizeof(*plan->items));
	return plan->items ? add_carrier_items(b, policy, err) : err_nomem(err);
}

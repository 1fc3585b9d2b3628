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

static const char *path_mechanism(const struct builder *b, const struct combined_item *item)
{
	const struct plan *plan = b->plan;

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
		return "empty network namespace";
	if (item->subject == SUBJECT_TIMEOUT)
		return "supervisor";
	return limit_mechanism(b, subjects[item->subject].controller);
}

static const char *word_of(struct builder *b, const struct combined_item *item, enum policy_intent intent,
			   uint64_t value)
{
	if (item->subject == SUBJECT_PATH)
		return policy_intent_words[intent];
	if (item->subject == SUBJECT_NETWORK)
		return "isolated";
	return arena_printf(b->arena, "%" PRIu64, value);
}

static int add_item(struct builder *b, const struct combined_item *from, struct plan_item *item, struct err **err)
{
	const struct { const char *from; const char **to; } rows[] = {
		{ from->carrier->name, &item->carrier },
		{ from->pointer, &item->pointer },
		{ subjects[from->subject].name, &item->subject },
		{ from->path, &item->object },
		{ word_of(b, from, from->requested_intent, from->requested), &item->requested },
		{ word_of(b, from, from->intent, from->value), &item->enforced },
		{ from->decided_by->name, &item->decided_by },
		{ mechanism_of(b, from), &item->mechanism },
	};
	int r = 0;

	for (size_t i = 0; i < array_size(rows) && r == 0; i++)
		r = copy_string(b, rows[i].from, rows[i].to, err);
	return r;
}

int build_carrier_items(struct builder *b, const struct policy_combined *policy, struct err **err)
{
	struct plan_policy *plan = &b->plan->policy;
	int r = 0;

	plan->items = arena_array(b->arena, policy->item_count, sizeof(*plan->items));
	if (!plan->items)
		return err_nomem(err);
	for (size_t i = 0; i < policy->item_count && r == 0; i++)
		r = add_item(b, &policy->items[i], &plan->items[plan->item_count++], err);
	return r;
}

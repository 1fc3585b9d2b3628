/* print_policy.c - the plan's policy as JSON: what is restricted, and who asked for what. */
#include "plan/print.h"
#include "plan/print_parts.h"

static const char *const region_kinds[] = {
	[REGION_OPEN] = "open",
	[REGION_READONLY] = "readonly",
	[REGION_DENIED] = "denied",
};

static void print_region(const struct plan_region *region, struct json_writer *w)
{
	json_open(w, NULL, '{');
	json_put_string(w, "kind", region_kinds[region->kind]);
	json_put_string(w, "path", region->path);
	json_put_bool(w, "reopened", region->is_reopened);
	json_put_string(w, "pointer", region->pointer);
	json_close(w, '}');
}

void plan_print_items(const struct plan *plan, struct json_writer *w)
{
	const struct plan_policy *policy = &plan->policy;

	json_open(w, "items", '[');
	for (size_t i = 0; i < policy->item_count; i++) {
		const struct plan_item *item = &policy->items[i];

		json_open(w, NULL, '{');
		json_put_string(w, "carrier", item->carrier);
		json_put_string(w, "pointer", item->pointer);
		json_put_string(w, "subject", item->subject);
		json_put_string(w, "object", item->object);
		json_put_string(w, "requested", item->requested);
		json_put_string(w, "enforced", item->enforced);
		json_put_string(w, "decidedBy", item->decided_by);
		json_put_string(w, "mechanism", item->mechanism);
		json_close(w, '}');
	}
	json_close(w, ']');
}

void print_policy(const struct plan *plan, struct json_writer *w)
{
	const struct plan_policy *policy = &plan->policy;

	json_open(w, "policy", '{');
	json_open(w, "regions", '[');
	for (size_t i = 0; i < policy->region_count; i++)
		print_region(&policy->regions[i], w);
	json_close(w, ']');
	json_open(w, "regionsByLink", '[');
	for (size_t i = 0; i < policy->by_link_count; i++)
		print_region(&policy->by_link[i], w);
	json_close(w, ']');
	json_put_bool(w, "coversAreIdmapped", policy->covers_are_idmapped);
	print_capability_set(policy->refused_capabilities, "refusedCapabilities", w);
	print_capability_set(policy->withheld_capabilities, "withheldCapabilities", w);
	json_put_i64(w, "memoryBytes", policy->memory_bytes);
	json_put_u64(w, "cpus", policy->cpus);
	json_put_i64(w, "pids", policy->pids);
	json_open(w, "filters", '[');
	for (size_t i = 0; i < policy->filter_count; i++)
		print_seccomp(&policy->filters[i], NULL, w);
	json_close(w, ']');
	json_put_string(w, "processPointer", policy->process_pointer);
	plan_print_items(plan, w);
	json_close(w, '}');
}

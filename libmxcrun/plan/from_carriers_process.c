/* from_carriers_process.c - what the policies of a bundle, and the host owner's for a sandbox, take from the process: system calls
 * and capabilities.
 *
 * Each policy that names a seccomp profile puts a filter of its own beside the container's. The kernel asks all of them, and
 * the strictest answer counts (seccomp(2)), so nothing has to be merged and nobody can loosen. Of capabilities `keepCaps`
 * says which ones the policy leaves, `dropCaps` which ones it takes; neither can give one.
 */
#include <linux/filter.h>
#include <string.h>

#include "plan/caps.h"
#include "plan/from_carriers.h"
#include "plan/seccomp.h"

#define KEEP_KEY "/bubblewrap/keepCaps"
#define DROP_KEY "/bubblewrap/dropCaps"
#define PROFILE_KEY "/bubblewrap/seccompProfile"
#define ALL_CAPABILITIES (caps_bit(CAPS_KNOWN) - 1)

static const struct mxc_bubblewrap *section_of(const struct policy_carrier *carrier)
{
	static const struct mxc_bubblewrap nothing;

	return carrier->config->bubblewrap ? carrier->config->bubblewrap : &nothing;
}

static const char *pointer_to(struct builder *b, const struct policy_carrier *carrier, const char *key)
{
	return arena_printf(b->arena, "%s%s", carrier->prefix, key);
}

/* For messages of steps that know nothing of carriers: the first one counts. */
static int note_pointer(struct builder *b, const char *pointer, struct err **err)
{
	if (!pointer)
		return err_nomem(err);
	if (!b->plan->policy.process_pointer)
		b->plan->policy.process_pointer = pointer;
	return 0;
}

/* ---- capabilities ---- */

enum list_kind { LIST_KEEP, LIST_DROP };

static int capabilities_of(struct builder *b, const struct policy_carrier *carrier, enum list_kind kind, uint64_t *ret, struct err **err)
{
	const struct mxc_bubblewrap *section = section_of(carrier);
	const struct string_list *list = kind == LIST_KEEP ? &section->keep_caps : &section->drop_caps;

	for (size_t i = 0; i < list->count; i++) {
		int capability = caps_from_name(list->items[i]);

		if (capability >= 0)
			*ret |= caps_bit((unsigned int)capability);
		else if (kind == LIST_DROP && !strcmp(list->items[i], "ALL"))
			*ret |= ALL_CAPABILITIES;
		else
			return err_set(err, E_POLICY, 0, arena_printf(b->arena, "%s%s/%zu", carrier->prefix, kind == LIST_KEEP ? KEEP_KEY : DROP_KEY, i),
				       "no capability is named %.64s", list->items[i]);
	}
	return 0;
}

/* What the carrier takes. */
static int taken_by(struct builder *b, const struct policy_carrier *carrier, uint64_t *ret, struct err **err)
{
	const struct mxc_bubblewrap *section = section_of(carrier);
	uint64_t kept = 0;
	int r = capabilities_of(b, carrier, LIST_KEEP, &kept, err);

	if (section->keep_caps.set)
		*ret |= ALL_CAPABILITIES & ~kept;
	return r == 0 ? capabilities_of(b, carrier, LIST_DROP, ret, err) : r;
}

int carriers_take_capabilities(struct builder *b, const struct policy_combined *policy, uint64_t *ret, struct err **err)
{
	int r = 0;

	for (size_t i = 0; i < policy->carrier_count && r == 0; i++) {
		const struct policy_carrier *carrier = &policy->carriers[i];
		uint64_t taken = 0;

		r = taken_by(b, carrier, &taken, err);
		if (r == 0 && taken)
			r = note_pointer(b, pointer_to(b, carrier, section_of(carrier)->keep_caps.set ? KEEP_KEY : DROP_KEY), err);
		*ret |= taken;
	}
	return r;
}

/* ---- filters ---- */

static int add_filter(struct builder *b, const struct policy_carrier *carrier, struct err **err)
{
	struct plan_policy *plan = &b->plan->policy;
	const char *profile = section_of(carrier)->seccomp_profile, *pointer = pointer_to(b, carrier, PROFILE_KEY);
	struct plan_seccomp *filter = &plan->filters[plan->filter_count];
	const struct seccomp_workload workload = { .capabilities = b->plan->process.capabilities.effective,
						   .keeps_rules = b->request->keeps_rules };
	int index = 0, r = note_pointer(b, pointer, err);

	if (r == 0 && !carrier->seccomp_file)
		r = index = seccomp_profile_from_word(profile, pointer, err);
	if (r < 0)
		return r;
	if (carrier->seccomp_file)
		r = seccomp_compile_policy_file(b->arena, carrier->seccomp_file, &workload, filter, b->log, err);
	else
		r = seccomp_compile_policy(b->arena, (enum seccomp_profile)index, &workload, filter, b->log, err);
	if (r < 0)
		return err_wrap(err, "%s: seccomp profile %.512s", carrier->name, profile);
	plan->filter_count++;
	return 0;
}

/* A second filter of the same words would only be asked the same again. */
static bool is_repeated(const struct policy_combined *policy, size_t i)
{
	const char *profile = section_of(&policy->carriers[i])->seccomp_profile, *other;

	for (size_t before = 0; before < i; before++) {
		other = section_of(&policy->carriers[before])->seccomp_profile;
		if (other && !strcmp(other, profile))
			return true;
	}
	return false;
}

int carriers_add_filters(struct builder *b, const struct policy_combined *policy, struct err **err)
{
	int r = 0;

	b->plan->policy.filters = arena_array(b->arena, policy->carrier_count, sizeof(*b->plan->policy.filters));
	if (policy->carrier_count && !b->plan->policy.filters)
		return err_nomem(err);
	for (size_t i = 0; i < policy->carrier_count && r == 0; i++)
		if (section_of(&policy->carriers[i])->seccomp_profile && !is_repeated(policy, i))
			r = add_filter(b, &policy->carriers[i], err);
	return r;
}

int build_exec_filters(struct builder *b, struct err **err)
{
	struct plan_policy *plan = &b->plan->policy;

	plan->filters = arena_array(b->arena, b->request->filter_count, sizeof(*plan->filters));
	if (b->request->filter_count && !plan->filters)
		return err_nomem(err);
	for (size_t i = 0; i < b->request->filter_count; i++) {
		const struct plan_seccomp *from = &b->request->filters[i];
		struct plan_seccomp *filter = &plan->filters[plan->filter_count++];

		*filter = *from;
		filter->program = arena_memdup(b->arena, from->program, from->instruction_count * sizeof(struct sock_filter));
		if (!filter->program)
			return err_nomem(err);
	}
	return 0;
}

/* ---- who asked for what ---- */

const char *carriers_who_takes(struct builder *b, const struct policy_combined *policy, uint64_t any_of)
{
	for (size_t i = 0; i < policy->carrier_count; i++) {
		uint64_t taken = 0;

		(void)taken_by(b, &policy->carriers[i], &taken, NULL); /* its words have been looked at */
		if (taken & any_of)
			return policy->carriers[i].name;
	}
	return NULL;
}

static int add_kept(struct builder *b, const struct policy_combined *policy, const struct policy_carrier *carrier, uint64_t left,
		    struct err **err)
{
	uint64_t kept = 0, taken = 0;
	struct plan_item item = {
		.carrier = carrier->name, .pointer = pointer_to(b, carrier, KEEP_KEY), .subject = "capabilities",
		.enforced = capability_words(b, left), .decided_by = carrier->name,
		.mechanism = "taken from every set",
	};
	int r = capabilities_of(b, carrier, LIST_KEEP, &kept, err);

	item.requested = capability_words(b, kept);
	if (r == 0)
		r = taken_by(b, carrier, &taken, err);
	if (kept & ~taken & ~left)
		item.decided_by = carriers_who_takes(b, policy, kept & ~taken);
	return r == 0 ? add_plan_item(b, &item, err) : r;
}

static int add_dropped(struct builder *b, const struct policy_carrier *carrier, struct err **err)
{
	const struct string_list *list = &section_of(carrier)->drop_caps;
	int r = 0;

	for (size_t i = 0; i < list->count && r == 0; i++) {
		const struct plan_item item = {
			.carrier = carrier->name, .subject = "capabilities", .object = list->items[i],
			.pointer = arena_printf(b->arena, "%s%s/%zu", carrier->prefix, DROP_KEY, i),
			.requested = "dropped", .enforced = "dropped", .decided_by = carrier->name,
			.mechanism = "taken from every set",
		};

		r = add_plan_item(b, &item, err);
	}
	return r;
}

size_t count_process_items(const struct policy_combined *policy)
{
	size_t count = 0;

	for (size_t i = 0; i < policy->carrier_count; i++)
		count += 2 + section_of(&policy->carriers[i])->drop_caps.count;
	return count;
}

int add_process_items(struct builder *b, const struct policy_combined *policy, struct err **err)
{
	uint64_t taken = 0;
	int r = carriers_take_capabilities(b, policy, &taken, err);

	for (size_t i = 0; i < policy->carrier_count && r == 0; i++) {
		const struct policy_carrier *carrier = &policy->carriers[i];
		const struct mxc_bubblewrap *section = section_of(carrier);
		const struct plan_item filter = {
			.carrier = carrier->name, .pointer = pointer_to(b, carrier, PROFILE_KEY), .subject = "systemCalls",
			.requested = section->seccomp_profile, .enforced = section->seccomp_profile, .decided_by = carrier->name,
			.mechanism = "seccomp: a filter of its own",
		};

		if (section->seccomp_profile)
			r = add_plan_item(b, &filter, err);
		if (r == 0 && section->keep_caps.set)
			r = add_kept(b, policy, carrier, ALL_CAPABILITIES & ~taken, err);
		if (r == 0)
			r = add_dropped(b, carrier, err);
	}
	return r;
}

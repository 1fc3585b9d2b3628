/* combine.c - several carriers: the smallest of each limit, the earliest timeout, the least network.
 * Their paths are combine_paths.c's. */
#include "policy/combine.h"

#include "policy/network.h"
#include "policy/resolve.h"

struct source {
	struct arena *arena;
	const struct policy_carrier *carrier;
	struct policy_combined *ret;
	const struct log *log;
};

static struct combined_item *add_item(const struct source *s, enum combined_subject subject, uint64_t value,
				      const char *pointer)
{
	struct combined_item *item = &s->ret->items[s->ret->item_count++];

	*item = (struct combined_item){
		.subject = subject,
		.requested = value,
		.pointer = pointer,
		.carrier = s->carrier,
	};
	return item;
}

/* 0 asks for nothing. */
static int tighten(const struct source *s, enum combined_subject subject, struct combined_limit *limit,
		   uint64_t value, const char *key, struct err **err)
{
	const char *pointer;

	if (!value)
		return 0;
	pointer = arena_printf(s->arena, "%s%s", s->carrier->prefix, key);
	if (!pointer)
		return err_nomem(err);
	add_item(s, subject, value, pointer);
	if (!limit->value || value < limit->value)
		*limit = (struct combined_limit){ value, pointer, s->carrier };
	return 0;
}

static int combine_limits(const struct source *s, struct err **err)
{
	const struct mxc_config *config = s->carrier->config;
	struct policy_resources resources = { 0 };
	int r = policy_limits(config, &resources, err);

	if (r == 0)
		r = tighten(s, SUBJECT_MEMORY, &s->ret->memory_bytes, resources.memory_bytes,
			    "/bubblewrap/resources/memoryMb", err);
	if (r == 0)
		r = tighten(s, SUBJECT_CPUS, &s->ret->cpus, resources.cpus, "/bubblewrap/resources/cpuCount", err);
	if (r == 0)
		r = tighten(s, SUBJECT_PIDS, &s->ret->pids, resources.pids, "/bubblewrap/resources/pids", err);
	if (r == 0 && config->process)
		r = tighten(s, SUBJECT_TIMEOUT, &s->ret->timeout_ms, config->process->timeout.value,
			    "/process/timeout", err);
	return r;
}

/* Rules work for sandboxes only: here they are refused, whether they would open or close. */
static int refuse_network(const struct net_policy *policy, struct err **err)
{
	return err_set(err, E_UNSUPPORTED, 0, policy->pointer ? policy->pointer : policy->proxy.pointer,
		       "network rules for a bundle are not supported yet and are not ignored");
}

static int combine_network(const struct source *s, struct err **err)
{
	struct policy_network network;
	const char *pointer;
	int r;

	if (!s->carrier->config->network.element)
		return 0;
	r = policy_network(s->arena, s->carrier->config, s->log, &network, err);
	if (r == 0 && network.mode != POLICY_NETWORK_ISOLATED)
		r = refuse_network(&network.policy, err);
	if (r < 0)
		return r;
	pointer = arena_printf(s->arena, "%s/network", s->carrier->prefix);
	if (!pointer)
		return err_nomem(err);
	add_item(s, SUBJECT_NETWORK, 0, pointer);
	if (!s->ret->is_isolated) {
		s->ret->network_pointer = pointer;
		s->ret->network_carrier = s->carrier;
	}
	s->ret->is_isolated = true;
	return 0;
}

/* An item's own carrier decides it when nobody was stricter. */
static void decide_items(struct policy_combined *ret)
{
	const struct combined_limit *const limits[] = {
		[SUBJECT_MEMORY] = &ret->memory_bytes,
		[SUBJECT_CPUS] = &ret->cpus,
		[SUBJECT_PIDS] = &ret->pids,
		[SUBJECT_TIMEOUT] = &ret->timeout_ms,
	};

	for (size_t i = 0; i < ret->item_count; i++) {
		struct combined_item *item = &ret->items[i];

		if (item->subject == SUBJECT_NETWORK)
			item->decided_by = item->carrier;
		if (item->subject == SUBJECT_PATH || item->subject == SUBJECT_NETWORK)
			continue;
		item->value = limits[item->subject]->value;
		item->decided_by = item->requested == item->value ? item->carrier : limits[item->subject]->carrier;
	}
}

static int combine_sections(struct source *s, struct err **err)
{
	int r = combine_limits(s, err);

	if (r == 0)
		r = combine_network(s, err);
	return r < 0 ? err_wrap(err, "%s", s->carrier->name) : 0;
}

int policy_combine(struct arena *arena, const struct policy_carrier *carriers, size_t count, const struct log *log,
		   const struct policy_combined **ret, struct err **err)
{
	struct policy_combined *combined = arena_alloc(arena, sizeof(*combined));
	int r = combined ? combine_paths(arena, carriers, count, combined, err) : err_nomem(err);

	for (size_t i = 0; i < count && r == 0; i++) {
		struct source source = { arena, &carriers[i], combined, log };

		r = combine_sections(&source, err);
	}
	if (r < 0)
		return r;
	decide_items(combined);
	*ret = combined;
	return 0;
}

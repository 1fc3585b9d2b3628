/* combine.c - several carriers: the smallest of each limit, the earliest timeout, of the network what all let pass.
 * Their paths are combine_paths.c's. */
#include "policy/combine.h"

#include <string.h>

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
	int r = policy_limits(s->arena, config, &resources, err);

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

/* Whose word is named when something is refused: the strictest's. */
static void name_network(const struct source *s, const struct net_policy *policy, bool is_isolated)
{
	if (s->ret->network_carrier && (s->ret->is_isolated || !is_isolated))
		return;
	s->ret->network_carrier = s->carrier;
	s->ret->network.pointer = policy->pointer;
}

static int add_network(const struct source *s, const struct policy_network *network, struct err **err)
{
	struct net_policy *all = &s->ret->network, policy = network->policy;
	bool is_first = all->egress.count == 0, is_isolated = network->mode == POLICY_NETWORK_ISOLATED;
	struct combined_item *item;

	/* the pointer into a section of config.json has it already */
	if (strncmp(policy.pointer, s->carrier->prefix, strlen(s->carrier->prefix)) != 0)
		policy.pointer = arena_printf(s->arena, "%s%s", s->carrier->prefix, policy.pointer);
	if (!policy.pointer || net_rule_sets_add(s->arena, &all->egress, &policy.egress, s->carrier->name) < 0)
		return err_nomem(err);
	name_network(s, &policy, is_isolated);
	all->accepts_connections = policy.accepts_connections && (is_first || all->accepts_connections);
	all->closes_host_loopback |= policy.closes_host_loopback;
	all->judges_resolver = true;
	s->ret->is_isolated |= is_isolated;
	item = add_item(s, SUBJECT_NETWORK, 0, policy.pointer);
	item->requests_isolation = is_isolated;
	return 0;
}

static int combine_network(const struct source *s, struct err **err)
{
	struct policy_network network;
	int r;

	if (!s->carrier->config->network.element)
		return 0;
	r = policy_container_network(s->arena, s->carrier->config, s->log, &network, err);
	return r < 0 ? r : add_network(s, &network, err);
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
			item->decided_by = item->requests_isolation || !ret->is_isolated ? item->carrier : ret->network_carrier;
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

	if (r == 0) {
		combined->carriers = carriers;
		combined->carrier_count = count;
	}
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

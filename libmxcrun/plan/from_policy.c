/* from_policy.c - an MXC sandbox's plan: identity, namespaces, cgroup, process. Its file system is
 * in from_policy_view.c.
 *
 * The shape is the same for every policy, whoever starts it (MXC.md 8.4): two user namespaces, the
 * outer one owning mounts and network, the inner one for the workload; all other namespaces new but
 * time; no capability in any set; a filter; nothing of the caller but his ids and his standard
 * input and output. What a policy may say about that is in from_policy_backend.c.
 */
#include "plan/from_policy.h"

#include <errno.h>
#include <string.h>

#include "plan/from_oci.h"
#include "plan/from_policy_backend.h"
#include "plan/from_policy_limits.h"
#include "plan/from_policy_owner.h"
#include "plan/from_policy_view.h"

/* The owner of what covers denied paths, where the caller can map a second id: the workload's user
 * namespace doesn't map it, so that not even id 0 there owns the cover. */
#define COVER_OWNER 65534u

static int build_map(struct builder *b, uint32_t id, struct plan_idmaps *maps, struct err **err)
{
	bool has_second = b->facts->is_privileged && id != COVER_OWNER;

	maps->items = arena_array(b->arena, 2, sizeof(*maps->items));
	if (!maps->items)
		return err_nomem(err);
	maps->items[maps->count++] = (struct plan_idmap){ id, id, 1 };
	if (has_second)
		maps->items[maps->count++] = (struct plan_idmap){ COVER_OWNER, COVER_OWNER, 1 };
	return 0;
}

static int build_identity(struct builder *b, struct err **err)
{
	static const enum plan_ns_kind kinds[] = { NS_USER, NS_CGROUP, NS_IPC,	NS_UTS,
						   NS_NET,  NS_PID,    NS_MOUNT };
	struct plan *plan = b->plan;
	size_t i;
	int r;

	for (i = 0; i < array_size(kinds); i++)
		plan->namespaces[kinds[i]].mode = NS_NEW;
	/* An ordinary user may map his group only when setgroups is given up (user_namespaces(7)).
	 */
	plan->deny_setgroups = !b->facts->is_privileged;
	r = copy_string(b, b->request->id, &plan->id, err);
	if (r == 0)
		r = build_map(b, b->facts->euid, &plan->uid_maps, err);
	return r == 0 ? build_map(b, b->facts->egid, &plan->gid_maps, err) : r;
}

/* Raw sockets there are none, so an echo request needs a socket of its own kind, and a namespace starts with those for nobody
 * (icmp(7)). */
static int build_echo_sockets(struct builder *b, const struct net_policy *policy, struct err **err)
{
	struct plan *plan = b->plan;
	struct plan_sysctl *sysctl;
	int r;

	if (!net_rule_sets_may_pass_icmp(&policy->egress))
		return 0;
	plan->sysctls = sysctl = arena_array(b->arena, 1, sizeof(*sysctl));
	if (!sysctl)
		return err_nomem(err);
	plan->sysctl_count = 1;
	sysctl->ns = NS_NET;
	sysctl->value = arena_printf(b->arena, "%u %u", b->facts->egid, b->facts->egid);
	if (!sysctl->value)
		return err_nomem(err);
	r = copy_string(b, "net/ipv4/ping_group_range", &sysctl->path, err);
	return r == 0 ? copy_string(b, policy->pointer, &sysctl->pointer, err) : r;
}

static int build_network(struct builder *b, const struct policy_network *network, struct err **err)
{
	static const enum plan_network_mode modes[] = {
		[POLICY_NETWORK_ISOLATED] = NETWORK_NONE,
		[POLICY_NETWORK_PROXY] = NETWORK_PROXY,
		[POLICY_NETWORK_FILTERED] = NETWORK_FILTERED,
		[POLICY_NETWORK_HOST] = NETWORK_HOST,
	};
	int r;

	b->plan->network = modes[network->mode];
	if (network->mode == POLICY_NETWORK_FILTERED && !b->facts->network_helper) {
		err_set(err, E_HOST, 0, network->policy.pointer, "no program on this host can give a sandbox a way out");
		err_hint(err, "install pasta (of passt) or slirp4netns");
		return -EINVAL;
	}
	if (network->mode == POLICY_NETWORK_HOST) {
		b->plan->namespaces[NS_NET].mode = NS_HOST;
		return 0;
	}
	if (net_policy_copy(b->arena, &network->policy, &b->plan->network_policy) < 0)
		return err_nomem(err);
	b->plan->network_helper_kind = b->facts->network_helper_kind;
	if (network->mode != POLICY_NETWORK_FILTERED)
		return 0;
	r = copy_string(b, b->facts->network_helper, &b->plan->network_helper, err);
	return r == 0 ? build_echo_sockets(b, &network->policy, err) : r;
}

/* The group is for clean-up and for limits. Without limits its absence alone stops nothing, and an ordinary user to whom
 * none is delegated doesn't even try. */
static int build_group(struct builder *b, const struct policy_resources *resources, struct err **err)
{
	struct oci_linux place = { 0 };
	struct builder with_place = *b;

	with_place.linux_ = &place;
	if (b->request->manager == CGROUP_MANAGER_CGROUPFS && !b->facts->is_privileged) {
		if (!b->facts->v2_base && has_policy_limits(resources)) {
			err_set(err, E_HOST, 0, "/bubblewrap/resources",
				"limits need a cgroup, and none is delegated to this user");
			err_hint(err, "run in a systemd user session whose user@.service has Delegate=memory pids cpu");
			return -EINVAL;
		}
		if (!b->facts->v2_base) {
			b->plan->cgroup.manager = CGROUP_MANAGER_DISABLED;
			return 0;
		}
		place.cgroups_path =
			arena_printf(b->arena, "%s/%s", b->facts->v2_base, b->request->id);
		if (!place.cgroups_path)
			return err_nomem(err);
	}
	return build_cgroup(&with_place, err);
}

static int build_limited_group(struct builder *b, const struct policy_resources *resources, struct err **err)
{
	int r = build_group(b, resources, err);

	return r < 0 || !has_policy_limits(resources) ? r : build_policy_limits(b, resources, err);
}

static int build_command(struct builder *b, const struct policy_process *process, const char *argv0, struct err **err)
{
	const char *const words[] = { argv0 ? argv0 : "sh", "-c", process->command_line, NULL };
	const struct string_list none = { 0 };
	struct plan_process *plan = &b->plan->process;
	int r = copy_string(b, "/bin/sh", &plan->program, err);

	if (r == 0)
		r = copy_list(b, &none, words, &plan->argv, err);
	if (r == 0)
		r = copy_list(b, &none, process->env, &plan->env, err);
	if (r == 0)
		r = copy_string(b, process->cwd, &plan->cwd, err);
	plan->cwd_fallback_root = process->cwd_is_default;
	return r;
}

/* Capabilities and groups: none, in every set, which is what zeroes say. */
static int build_workload(struct builder *b, const struct policy_decisions *decisions, struct err **err)
{
	const struct policy_process *process = &decisions->process;
	struct plan_process *plan = &b->plan->process;

	plan->uid = b->facts->euid;
	plan->gid = b->facts->egid;
	plan->umask = plan->io_priority = plan->personality = PLAN_UNSET_ID;
	plan->no_new_privileges = true;
	plan->new_keyring = true;
	/* On the caller's terminal the workload stays in its session, to be its foreground job; the
	 * filter keeps it from typing there. */
	plan->new_session = !process->has_terminal;
	plan->inner_userns = true;
	plan->landlock_abi = b->facts->landlock_abi;
	plan->keep_init = true;
	return build_command(b, process, backend_argv0(decisions), err);
}

/* Of the policy and of the owner's the smaller limit counts. */
static struct policy_decisions tighten(const struct policy_decisions *decisions, const struct plan_owner *owner)
{
	struct policy_decisions all = *decisions;
	const struct policy_combined *c = owner ? owner->combined : NULL;

	if (!c)
		return all;
	if (c->memory_bytes.value && (!all.resources.memory_bytes || all.resources.memory_bytes > c->memory_bytes.value))
		all.resources.memory_bytes = c->memory_bytes.value;
	if (c->cpus.value && (!all.resources.cpus || all.resources.cpus > c->cpus.value))
		all.resources.cpus = (uint32_t)c->cpus.value;
	if (c->pids.value && (!all.resources.pids || all.resources.pids > c->pids.value))
		all.resources.pids = (uint32_t)c->pids.value;
	if (c->timeout_ms.value && (!all.process.timeout_ms || all.process.timeout_ms > c->timeout_ms.value))
		all.process.timeout_ms = (uint32_t)c->timeout_ms.value;
	return all;
}

/* The proxy is the sandbox's way out, so where it stands is what the owner's rules judge: those of its addresses that
 * they refuse go. */
static int tighten_proxy(const struct net_rule_sets *owners, struct net_proxy *proxy, struct err **err)
{
	const struct net_rules *refusal = NULL;
	size_t kept = 0;

	if (proxy->test.is_used)
		return err_set(err, E_POLICY, 0, proxy->pointer, "%s has rules, which the built-in test proxy, who goes by names, does not keep",
			       owners->items[0].carrier);
	for (size_t i = 0; i < proxy->target_count; i++) {
		const struct net_endpoint *target = &proxy->targets[i];
		const struct net_packet packet = { target->family, target->address, NET_TCP, target->port };
		const struct net_rules *refused_by = net_rule_sets_refusal(owners, &packet);

		if (refused_by)
			refusal = refused_by;
		else
			proxy->targets[kept++] = *target;
	}
	proxy->target_count = kept;
	if (kept || !refusal)
		return 0;
	return err_set(err, E_POLICY, 0, proxy->pointer, "%s does not let the proxy's address pass", refusal->carrier);
}

/* A connection passes only if every policy lets it pass; rules hold in a namespace of the sandbox's own. */
static int tighten_network(struct arena *arena, const struct plan_owner *owner, struct policy_network *network,
			   struct err **err)
{
	const struct policy_combined *c = owner ? owner->combined : NULL;

	if (!c || network->mode == POLICY_NETWORK_ISOLATED)
		return 0;
	if (c->is_isolated) {
		*network = (struct policy_network){ .mode = POLICY_NETWORK_ISOLATED };
		return 0;
	}
	if (!c->network.egress.count)
		return 0;
	if (network->mode == POLICY_NETWORK_PROXY)
		return tighten_proxy(&c->network.egress, &network->policy.proxy, err);
	network->mode = POLICY_NETWORK_FILTERED;
	network->policy.closes_host_loopback |= c->network.closes_host_loopback;
	return net_rule_sets_add(arena, &network->policy.egress, &c->network.egress, NULL) < 0 ? err_nomem(err) : 0;
}

/* For a sandbox that is there: what was decided of it shaped the process, and nothing of it is made once more. */
static int leave_process(struct builder *b, pid_t init, struct err **err)
{
	struct plan *plan = b->plan;

	plan->lifecycle.is_exec = true;
	plan->process.keep_init = false;
	plan->mount_count = plan->device_count = plan->dev_symlink_count = plan->sysctl_count = 0;
	plan->masked = plan->readonly = (struct plan_paths){ 0 };
	plan->cgroup.write_count = plan->cgroup.device_rule_count = 0;
	return build_joined_namespaces(b, init, err);
}

int plan_from_policy(struct arena *plan_arena, const struct policy_decisions *decisions,
		     const struct plan_policy_request *request, const struct host_facts *facts,
		     const struct log *log, const struct plan **ret, struct err **err)
{
	const struct plan_request as_bundle = { .id = request->id, .manager = request->manager, .keeps_rules = request->keeps_rules };
	struct builder b = {
		.arena = plan_arena, .request = &as_bundle, .facts = facts, .log = log
	};
	struct policy_decisions all = tighten(decisions, request->owner);
	int r;

	b.plan = arena_alloc(plan_arena, sizeof(*b.plan));
	if (!b.plan)
		return err_nomem(err);
	b.plan->lifecycle = (struct plan_lifecycle){
		.is_sandbox = true,
		.stays = request->stays,
		.timeout_ms = all.process.timeout_ms,
		.die_with_parent = true,
	};
	r = tighten_network(plan_arena, request->owner, &all.network, err);
	if (r == 0)
		r = build_identity(&b, err);
	if (r == 0)
		r = build_network(&b, &all.network, err);
	if (r == 0)
		r = build_limited_group(&b, &all.resources, err);
	if (r == 0)
		r = build_view(&b, &all, err);
	if (r == 0)
		r = build_workload(&b, &all, err);
	if (r == 0)
		r = build_owner_regions(&b, request->owner, err);
	if (r == 0)
		r = build_backend(&b, &all, request, err);
	if (r == 0)
		r = request->target ? leave_process(&b, request->target, err) : build_policy_items(&b, decisions, &all, request->owner, err);
	if (r == 0)
		*ret = b.plan;
	return r;
}

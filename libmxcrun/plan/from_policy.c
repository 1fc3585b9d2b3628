/* from_policy.c - an MXC sandbox's plan: identity, namespaces, cgroup, process. Its file system is
 * in from_policy_view.c.
 *
 * The shape is the same for every policy, whoever starts it (MXC.md 8.4): two user namespaces, the
 * outer one owning mounts and network, the inner one for the workload; all other namespaces new but
 * time; no capability in any set; a filter; nothing of the caller but his ids and his standard
 * input and output.
 */
#include "plan/from_policy.h"

#include "plan/from_policy_view.h"
#include "plan/seccomp.h"

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
	plan->network = NETWORK_NONE;
	/* An ordinary user may map his group only when setgroups is given up (user_namespaces(7)).
	 */
	plan->deny_setgroups = !b->facts->is_privileged;
	r = copy_string(b, b->request->id, &plan->id, err);
	if (r == 0)
		r = build_map(b, b->facts->euid, &plan->uid_maps, err);
	return r == 0 ? build_map(b, b->facts->egid, &plan->gid_maps, err) : r;
}

/* The group is for clean-up and for limits to come, so its absence alone stops nothing; an ordinary
 * user to whom none is delegated doesn't even try. */
static int build_group(struct builder *b, struct err **err)
{
	struct oci_linux place = { 0 };
	struct builder with_place = *b;

	with_place.linux_ = &place;
	if (b->request->manager == CGROUP_MANAGER_CGROUPFS && !b->facts->is_privileged) {
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

static int build_command(struct builder *b, const struct policy_process *process, struct err **err)
{
	const char *const words[] = { "sh", "-c", process->command_line, NULL };
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
static int build_workload(struct builder *b, const struct policy_process *process, struct err **err)
{
	struct plan_process *plan = &b->plan->process;
	int r;

	plan->uid = b->facts->euid;
	plan->gid = b->facts->egid;
	plan->umask = plan->io_priority = plan->personality = PLAN_UNSET_ID;
	plan->no_new_privileges = true;
	plan->new_keyring = true;
	/* On the caller's terminal the workload stays in its session, to be its foreground job; the
	 * filter keeps it from typing there. */
	plan->new_session = !process->has_terminal;
	plan->inner_userns = true;
	plan->keep_init = true;
	r = build_command(b, process, err);
	return r == 0 ? seccomp_compile_policy_default(b->arena, &plan->seccomp, b->log, err) : r;
}

int plan_from_policy(struct arena *plan_arena, const struct policy_decisions *decisions,
		     const struct plan_policy_request *request, const struct host_facts *facts,
		     const struct log *log, const struct plan **ret, struct err **err)
{
	const struct plan_request as_bundle = { .id = request->id, .manager = request->manager };
	struct builder b = {
		.arena = plan_arena, .request = &as_bundle, .facts = facts, .log = log
	};
	int r;

	b.plan = arena_alloc(plan_arena, sizeof(*b.plan));
	if (!b.plan)
		return err_nomem(err);
	b.plan->lifecycle = (struct plan_lifecycle){
		.is_sandbox = true,
		.timeout_ms = decisions->process.timeout_ms,
		.die_with_parent = true,
	};
	r = build_identity(&b, err);
	if (r == 0)
		r = build_group(&b, err);
	if (r == 0)
		r = build_view(&b, decisions, err);
	if (r == 0)
		r = build_workload(&b, &decisions->process, err);
	if (r == 0)
		*ret = b.plan;
	return r;
}

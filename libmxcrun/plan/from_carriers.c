/* from_carriers.c - the policies that come with a bundle, combined, on top of what the bundle asks for.
 *
 * Limits are lowered before the bundle's own are lowered for this host, so that there is one way to
 * the cgroup. Grants are mounts like any other. Regions come last: they are about the finished tree. A
 * restriction that the container could undo, or that nothing here holds, is refused by name.
 */
#include <errno.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "base/path.h"
#include "base/sys.h"
#include "plan/caps.h"
#include "plan/from_carriers.h"
#include "plan/from_policy_owner.h"

#define CPU_PERIOD_US UINT64_C(100000)

static const struct policy_combined *combined_of(const struct builder *b)
{
	static const struct policy_combined none;

	return b->request->carriers ? b->request->carriers->combined : &none;
}

/* ---- limits ---- */

/* Limits in the kernel's own words would come after ours. */
static int check_unified(const struct builder *b, const struct oci_resources *resources, struct err **err)
{
	const struct policy_combined *policy = combined_of(b);
	const struct { const char *key; const struct combined_limit *limit; } rows[] = {
		{ "memory.max", &policy->memory_bytes }, { "cpu.max", &policy->cpus }, { "pids.max", &policy->pids },
	};

	for (size_t i = 0; i < resources->unified.count; i++)
		for (size_t j = 0; j < array_size(rows); j++)
			if (rows[j].limit->value && !strcmp(resources->unified.items[i].key, rows[j].key))
				return err_set(err, E_POLICY, 0, "/linux/resources/unified",
					       "%s can't be set there, because %s limits it", rows[j].key,
					       rows[j].limit->carrier->name);
	return 0;
}

static void tighten_memory(struct builder *b, struct oci_resources *resources)
{
	struct oci_memory *memory = &b->tightened.memory;
	int64_t most = (int64_t)combined_of(b)->memory_bytes.value;

	if (resources->memory)
		*memory = *resources->memory;
	if (!memory->limit.set || memory->limit.value <= 0 || memory->limit.value > most)
		memory->limit = (struct opt_i64){ true, most };
	resources->memory = memory;
}

static void tighten_cpu(struct builder *b, struct oci_resources *resources)
{
	struct oci_cpu *cpu = &b->tightened.cpu;
	int64_t most;

	if (resources->cpu)
		*cpu = *resources->cpu;
	if (!cpu->period.set || !cpu->period.value)
		cpu->period = (struct opt_u64){ true, CPU_PERIOD_US };
	most = (int64_t)(combined_of(b)->cpus.value * cpu->period.value);
	if (!cpu->quota.set || cpu->quota.value <= 0 || cpu->quota.value > most)
		cpu->quota = (struct opt_i64){ true, most };
	resources->cpu = cpu;
}

static void tighten_pids(struct builder *b, struct oci_resources *resources)
{
	struct oci_pids *pids = &b->tightened.pids;
	int64_t most = (int64_t)combined_of(b)->pids.value;

	if (resources->pids)
		*pids = *resources->pids;
	if (!pids->limit.set || pids->limit.value <= 0 || pids->limit.value > most)
		pids->limit = (struct opt_i64){ true, most };
	resources->pids = pids;
}

int build_carrier_limits(struct builder *b, struct err **err)
{
	const struct policy_combined *policy = combined_of(b);
	struct oci_resources *resources = &b->tightened.resources;
	int r;

	if (!policy->memory_bytes.value && !policy->cpus.value && !policy->pids.value)
		return 0;
	if (b->request->manager == CGROUP_MANAGER_DISABLED)
		return err_set(err, E_POLICY, 0, NULL, "a policy limits resources, and cgroups are disabled");
	b->tightened.linux_ = *b->linux_;
	if (b->linux_->resources)
		*resources = *b->linux_->resources;
	r = check_unified(b, resources, err);
	if (policy->memory_bytes.value)
		tighten_memory(b, resources);
	if (policy->cpus.value)
		tighten_cpu(b, resources);
	if (policy->pids.value)
		tighten_pids(b, resources);
	b->tightened.linux_.resources = resources;
	b->linux_ = &b->tightened.linux_;
	b->plan->policy.memory_bytes = (int64_t)policy->memory_bytes.value;
	b->plan->policy.cpus = (uint32_t)policy->cpus.value;
	b->plan->policy.pids = (int64_t)policy->pids.value;
	return r;
}

/* ---- grants ---- */

/* A place that a mount of the bundle fills is not the image's to have. */
static bool is_mounted_over(const struct plan *plan, size_t count, const char *path)
{
	for (size_t i = 0; i < count; i++)
		if (path_is_within(path, plan->mounts[i].destination))
			return true;
	return false;
}

static int check_grant(const struct combined_grant *grant, const struct host_object *object, struct err **err)
{
	static const char *const own[] = { "/proc", "/dev", "/sys" };

	if (object->error)
		return err_set(err, E_POLICY, object->error == ENOENT || object->error == ENOTDIR ? 0 : object->error,
			       grant->pointer, "filesystem path '%.512s' is neither in the container (or empty there) nor on the host",
			       grant->path);
	if (object->read_error || object->write_error)
		return err_set(err, E_DELEGATION, object->read_error ? object->read_error : object->write_error,
			       grant->pointer, "a grant of '%.512s' exceeds your own rights", grant->path);
	for (size_t i = 0; i < array_size(own); i++)
		if (path_is_within(object->canonical, own[i]))
			return err_set(err, E_UNSUPPORTED, 0, grant->pointer,
				       "filesystem path '%.512s' of the host is not granted to a container", grant->path);
	return 0;
}

static int add_grant(struct builder *b, const struct combined_grant *grant, const struct host_object *object,
		     struct err **err)
{
	struct plan_mount *mount;
	int r = check_grant(grant, object, err);

	if (r < 0)
		return r;
	mount = &b->plan->mounts[b->plan->mount_count++];
	mount->kind = MOUNT_BIND;
	mount->is_recursive = true;
	mount->is_directory = S_ISDIR(object->mode);
	mount->attr_set_recursive = SYS_ATTR_NOSUID | SYS_ATTR_NODEV;
	mount->source_dev = object->dev;
	mount->source_ino = object->ino;
	mount->propagation = MS_PRIVATE | MS_REC;
	r = copy_string(b, grant->path, &mount->destination, err);
	if (r == 0)
		r = copy_string(b, object->canonical, &mount->source, err);
	return r == 0 ? copy_string(b, grant->pointer, &mount->pointer, err) : r;
}

int build_carrier_grants(struct builder *b, struct err **err)
{
	const struct policy_combined *policy = combined_of(b);
	size_t own_count = b->plan->mount_count;
	struct plan_mount *all;
	int r = 0;

	if (!policy->grant_count)
		return 0;
	all = arena_array(b->arena, own_count + policy->grant_count, sizeof(*all));
	if (!all)
		return err_nomem(err);
	if (own_count)
		memcpy(all, b->plan->mounts, own_count * sizeof(*all));
	b->plan->mounts = all;
	b->grant_first = own_count;
	for (size_t i = 0; i < policy->grant_count && r == 0; i++) {
		const struct combined_grant *grant = &policy->grants[i];

		if (!b->request->carriers->is_in_image[i] && !is_mounted_over(b->plan, own_count, grant->path) &&
		    !is_mounted_over(b->plan, b->plan->mount_count, grant->path))
			r = add_grant(b, grant, &b->request->carriers->objects->items[i], err);
	}
	b->grant_count = b->plan->mount_count - own_count;
	return r;
}

/* ---- regions ---- */

/* A cover on a mount that is shared with the host would appear on the host. */
static int check_propagation(const struct builder *b, const struct combined_region *region, struct err **err)
{
	const struct plan *plan = b->plan;
	const char *pointer = plan->root.propagation & MS_SHARED ? "/linux/rootfsPropagation" : NULL;

	for (size_t i = 0; i < plan->mount_count && !pointer; i++)
		if ((plan->mounts[i].propagation | plan->mounts[i].propagation2) & MS_SHARED)
			pointer = plan->mounts[i].pointer;
	if (!pointer)
		return 0;
	return err_set(err, E_POLICY, 0, pointer, "shared mounts are refused, because %s restricts paths, and that would reach the host",
		       region->carrier->name);
}

static enum plan_region_kind kind_of(enum policy_intent intent)
{
	return intent == INTENT_DENIED	 ? REGION_DENIED
	       : intent == INTENT_READONLY ? REGION_READONLY
					     : REGION_OPEN;
}

static int copy_regions(struct builder *b, const struct combined_region *from, size_t count, struct plan_region **ret, size_t *ret_count,
			struct err **err)
{
	int r = 0;

	*ret = arena_array(b->arena, count, sizeof(**ret));
	if (!*ret)
		return err_nomem(err);
	for (size_t i = 0; i < count && r == 0; i++) {
		struct plan_region *region = &(*ret)[(*ret_count)++];

		region->kind = kind_of(from[i].intent);
		region->is_reopened = from[i].is_reopened;
		r = copy_string(b, from[i].path, &region->path, err);
		if (r == 0)
			r = copy_string(b, from[i].pointer, &region->pointer, err);
	}
	return r;
}

static int build_regions(struct builder *b, struct err **err)
{
	const struct policy_combined *policy = combined_of(b);
	struct plan_policy *plan = &b->plan->policy;
	int r = policy->region_count ? check_propagation(b, &policy->regions[0], err) : 0;

	if (r == 0)
		r = copy_regions(b, policy->regions, policy->region_count, &plan->regions, &plan->region_count, err);
	return r == 0 ? copy_regions(b, policy->by_link, policy->by_link_count, &plan->by_link, &plan->by_link_count, err) : r;
}

static bool has_denials(const struct plan_policy *policy)
{
	for (size_t i = 0; i < policy->region_count; i++)
		if (policy->regions[i].kind == REGION_DENIED)
			return true;
	return false;
}

/* CAP_SYS_ADMIN takes mounts away and enters other namespaces, CAP_NET_ADMIN changes the rules, a module is the kernel
 * itself. Packet sockets send past every rule (packet(7)), and engines give CAP_NET_RAW unasked, so it is only held back.
 * CAP_DAC_READ_SEARCH opens a file by its handle whatever covers its name. That root gets EACCES by a mode needs a cover
 * that is not his, or that he has no CAP_DAC_OVERRIDE. */
static void decide_capabilities(struct builder *b)
{
	struct plan_policy *policy = &b->plan->policy;

	if (policy->region_count || b->plan->network_policy.egress.count)
		policy->refused_capabilities = caps_bit(CAP_BIT_SYS_ADMIN);
	if (b->plan->network_policy.egress.count) {
		policy->refused_capabilities |= caps_bit(CAP_BIT_NET_ADMIN) | caps_bit(CAP_BIT_SYS_MODULE);
		policy->withheld_capabilities = caps_bit(CAP_BIT_NET_RAW);
	}
	if (!has_denials(policy))
		return;
	policy->refused_capabilities |= caps_bit(CAP_BIT_DAC_READ_SEARCH);
	policy->covers_are_idmapped = facts_has_idmapped_tmpfs(b->facts);
	if (!policy->covers_are_idmapped)
		policy->withheld_capabilities |= caps_bit(CAP_BIT_DAC_OVERRIDE);
}

/* What the policy itself names goes before it is asked what could undo it. */
static void take(struct plan_capabilities *caps, uint64_t taken)
{
	caps->bounding &= ~taken;
	caps->permitted &= ~taken;
	caps->effective &= ~taken;
	caps->inheritable &= ~taken;
	caps->ambient &= ~taken;
}

int build_carrier_filters(struct builder *b, struct err **err)
{
	return carriers_add_filters(b, combined_of(b), err);
}

int build_carrier_capabilities(struct builder *b, struct err **err)
{
	struct plan_capabilities *caps = &b->plan->process.capabilities;
	uint64_t *const sets[] = { &caps->bounding, &caps->permitted, &caps->effective, &caps->inheritable, &caps->ambient };
	uint64_t refused = b->request->refused_capabilities | b->plan->policy.refused_capabilities;
	uint64_t withheld = b->plan->policy.withheld_capabilities, lost = 0, taken = 0;

	if (carriers_take_capabilities(b, combined_of(b), &taken, err) < 0)
		return -1;
	/* exec: also what the container is without for other reasons, of which its creation has spoken */
	take(caps, taken | b->request->withheld_capabilities);
	b->plan->policy.withheld_capabilities |= taken;
	for (size_t i = 0; i < array_size(sets); i++) {
		for (unsigned int cap = 0; cap < CAPS_KNOWN; cap++)
			if (*sets[i] & refused & caps_bit(cap))
				return err_set(err, E_POLICY, 0, "/process/capabilities",
					       "%s could undo the policy: drop it", caps_name(cap));
		lost |= *sets[i] & withheld;
		*sets[i] &= ~withheld;
	}
	if (lost & caps_bit(CAP_BIT_DAC_OVERRIDE))
		log_warning(b->log, "CAP_DAC_OVERRIDE is withheld, because a policy denies paths and this kernel "
				    "has no idmapped tmpfs (Linux 6.3)");
	if (lost & caps_bit(CAP_BIT_NET_RAW))
		log_warning(b->log, "CAP_NET_RAW is withheld, because packet sockets pass by the policy's network rules");
	return 0;
}

/* ---- network, timeout ---- */

/* The rules are those of the namespace that the container has, whoever made it and connects it: they are loaded before
 * its program runs, and refuse what the namespace gets later as well. */
static int build_carrier_network(struct builder *b, struct err **err)
{
	const struct net_policy *network = &combined_of(b)->network;
	struct plan *plan = b->plan;

	if (!network->egress.count)
		return 0;
	if (plan->network == NETWORK_HOST)
		return err_set(err, E_POLICY, 0, network->pointer,
			       "a network policy needs a network namespace of the container's, and it has the host's");
	if (plan->namespaces[NS_PID].mode == NS_HOST)
		return err_set(err, E_POLICY, 0, network->pointer,
			       "a network policy needs a pid namespace: it would not hold for the processes of the host that "
			       "the container could use");
	return net_policy_copy(b->arena, network, &plan->network_policy) < 0 ? err_nomem(err) : 0;
}

/* Who ends it is a process of the host's, and all of it has to be ended. */
static int build_carrier_timeout(struct builder *b, struct err **err)
{
	const struct combined_limit *timeout = &combined_of(b)->timeout_ms;
	struct plan *plan = b->plan;

	if (!timeout->value)
		return 0;
	if (plan->namespaces[NS_PID].mode == NS_HOST)
		return err_set(err, E_POLICY, 0, timeout->pointer,
			       "a time limit needs a pid namespace: who keeps it could be ended by the container");
	if (plan->namespaces[NS_PID].mode == NS_JOIN && b->request->manager == CGROUP_MANAGER_DISABLED)
		return err_set(err, E_POLICY, 0, timeout->pointer,
			       "a time limit needs a pid namespace or a cgroup of the container's own, by which all of it can be ended");
	plan->lifecycle.timeout_ms = (uint32_t)timeout->value;
	return copy_string(b, timeout->pointer, &plan->lifecycle.timeout_pointer, err);
}

int build_carrier_regions(struct builder *b, struct err **err)
{
	const struct policy_combined *policy = combined_of(b);
	int r = build_regions(b, err);

	if (r == 0 && policy->grant_count)
		r = build_granted_regions(b, b->request->carriers->on_host, err);
	if (r == 0)
		r = build_carrier_network(b, err);
	if (r < 0)
		return r;
	decide_capabilities(b);
	r = build_carrier_timeout(b, err);
	return r == 0 ? build_carrier_items(b, policy, err) : r;
}

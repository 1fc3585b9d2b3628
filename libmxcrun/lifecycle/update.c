/* update.c - other limits for a container that exists, and the list of its processes. */

#include "lifecycle/lifecycle.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

static int plan_update(const struct lifecycle *lc, const struct oci_resources *resources,
		       const struct oci_intel_rdt *rdt, struct arena *arena, const struct plan **ret, struct err **err)
{
	const struct oci_linux linux_ = { .resources = resources, .intel_rdt = rdt };
	const struct oci_config config = { .linux_ = &linux_ };
	const struct plan_request request = { .manager = CGROUP_MANAGER_CGROUPFS };
	int r = facts_read_cgroups(lc->facts, err);

	if (r == 0 && rdt)
		r = facts_read_resctrl(lc->facts, err);
	return r < 0 ? r : plan_limits_from_oci(arena, &config, &request, lc->facts, lc->log, ret, err);
}

static int refuse_raise(const char *pointer, int64_t most, struct err **err)
{
	return err_set(err, E_POLICY, 0, pointer, "the container's policy allows at most %" PRId64, most);
}

/* The policy that the container was made under still holds: no limit of it is raised, or taken away. */
static int check_policy(const struct record *record, const struct oci_resources *resources, struct err **err)
{
	const struct oci_memory *memory = resources->memory;
	const struct oci_cpu *cpu = resources->cpu;
	int64_t period = cpu && cpu->period.value ? (int64_t)cpu->period.value : 100000;

	if (record->memory_most && memory && memory->limit.value &&
	    (memory->limit.value < 0 || memory->limit.value > record->memory_most))
		return refuse_raise("/memory/limit", record->memory_most, err);
	if (record->pids_most && resources->pids && resources->pids->limit.value &&
	    (resources->pids->limit.value < 0 || resources->pids->limit.value > record->pids_most))
		return refuse_raise("/pids/limit", record->pids_most, err);
	if (!record->cpus_most || !cpu || (!cpu->quota.value && !cpu->period.value))
		return 0;
	/* a shorter period with the old quota would be more: both have to be said */
	if (cpu->quota.value <= 0 || cpu->quota.value > (int64_t)record->cpus_most * period)
		return refuse_raise("/cpu/quota", (int64_t)record->cpus_most * period, err);
	return 0;
}

static int check_unified(const struct record *record, const struct oci_resources *resources, struct err **err)
{
	if (resources->unified.count && (record->memory_most || record->pids_most || record->cpus_most))
		return err_set(err, E_POLICY, 0, "/unified", "the container's policy limits its resources");
	return 0;
}

/* v2 has quota and period in one file: the one that is not named stays as it is. */
static void keep_other_half(const struct container *container, struct oci_cpu *cpu)
{
	int64_t quota;
	uint64_t period;

	if (!cpu->quota.value == !cpu->period.value ||
	    cgroup_cpu_max(&container->record.cgroup, &quota, &period) < 0)
		return;
	if (!cpu->quota.value)
		cpu->quota = (struct opt_i64){ true, quota };
	else
		cpu->period = (struct opt_u64){ true, period };
}

/* The swap limit counts both together, and says nothing without the one of memory: which stays as it is, when it isn't named. */
static void keep_memory_limit(const struct container *container, struct oci_memory *memory)
{
	int64_t limit;

	if (memory->swap.value <= 0 || memory->limit.value || cgroup_memory_limit(&container->record.cgroup, &limit) < 0)
		return;
	memory->limit = (struct opt_i64){ true, limit };
}

/* No limit of memory alone lifts the one of both together as well, as runc has it: v1 holds the first below the second. */
static void lift_swap_limit(struct oci_memory *memory)
{
	if (memory->limit.value == -1 && !memory->swap.value)
		memory->swap = (struct opt_i64){ true, -1 };
}

int lifecycle_update(const struct lifecycle *lc, const char *id,
		     const struct oci_resources *resources, const struct oci_intel_rdt *rdt, struct err **err)
{
	cleanup_container struct container container = CONTAINER_INIT;
	cleanup_arena struct arena *arena = arena_new();
	struct oci_resources whole = *resources;
	struct oci_memory memory;
	struct oci_cpu cpu;
	const struct plan *plan;
	int r = arena ? container_open(lc, id, STORE_UNLOCKED, &container, err) : err_nomem(err);

	if (r < 0)
		return r;
	if (container.status == CONTAINER_STOPPED || container.status == CONTAINER_CREATING)
		return err_set(err, E_STATE, 0, NULL, "container not running: %s",
			       container_status_name(container.status));
	if (container.record.cgroup.count == 0 && !rdt)
		return err_set(err, E_UNSUPPORTED, 0, NULL, "container %s has no cgroup", id);
	r = check_policy(&container.record, resources, err);
	if (r == 0)
		r = check_unified(&container.record, resources, err);
	if (r < 0)
		return r;
	if (resources->cpu) {
		cpu = *resources->cpu;
		keep_other_half(&container, &cpu);
		whole.cpu = &cpu;
	}
	if (resources->memory) {
		memory = *resources->memory;
		keep_memory_limit(&container, &memory);
		lift_swap_limit(&memory);
		whole.memory = &memory;
	}
	r = plan_update(lc, &whole, rdt, arena, &plan, err);
	return r < 0 ? r : cgroup_update(&container.record.cgroup, plan, lc->facts, err);
}

int lifecycle_pids(const struct lifecycle *lc, const char *id, pid_t **ret, size_t *ret_count,
		   struct err **err)
{
	cleanup_container struct container container = CONTAINER_INIT;
	int r = container_open(lc, id, STORE_UNLOCKED, &container, err);

	*ret = NULL;
	*ret_count = 0;
	if (r < 0)
		return r;
	if (container.status == CONTAINER_STOPPED)
		return 0;
	return cgroup_pids(&container.record.cgroup, ret, ret_count, err);
}

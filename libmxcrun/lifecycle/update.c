/* update.c - other limits for a container that exists, and the list of its processes. */

#include "lifecycle/lifecycle.h"

#include <errno.h>
#include <stdlib.h>

static int plan_update(const struct lifecycle *lc, const struct oci_resources *resources,
		       struct arena *arena, const struct plan **ret, struct err **err)
{
	const struct oci_linux linux_ = { .resources = resources };
	const struct oci_config config = { .linux_ = &linux_ };
	const struct plan_request request = { .manager = CGROUP_MANAGER_CGROUPFS };
	int r = facts_read_cgroups(lc->facts, err);

	return r < 0 ? r : plan_limits_from_oci(arena, &config, &request, lc->facts, lc->log, ret, err);
}

int lifecycle_update(const struct lifecycle *lc, const char *id,
		     const struct oci_resources *resources, struct err **err)
{
	cleanup_container struct container container = CONTAINER_INIT;
	cleanup_arena struct arena *arena = arena_new();
	const struct plan *plan;
	int r = arena ? container_open(lc, id, STORE_UNLOCKED, &container, err) : err_nomem(err);

	if (r < 0)
		return r;
	if (container.status == CONTAINER_STOPPED || container.status == CONTAINER_CREATING)
		return err_set(err, E_STATE, 0, NULL, "cannot update a container that is %s",
			       container_status_name(container.status));
	if (container.record.cgroup.count == 0)
		return err_set(err, E_UNSUPPORTED, 0, NULL, "container %s has no cgroup", id);
	r = plan_update(lc, resources, arena, &plan, err);
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
		return err_set(err, E_STATE, 0, NULL, "container not running");
	return cgroup_pids(&container.record.cgroup, ret, ret_count, err);
}

/* pause.c - freeze a container's cgroup and thaw it. Idempotent for the kernel, so no lock is
 * needed. */

#include "lifecycle/lifecycle.h"

#include <errno.h>

static int set_frozen(const struct container *container, bool freeze, struct err **err)
{
	if (container->record.cgroup.count == 0)
		return err_set(err, E_UNSUPPORTED, 0, NULL,
			       "container %s has no cgroup that could be frozen",
			       container->record.id);
	return cgroup_freeze(&container->record.cgroup, freeze, err);
}

int lifecycle_pause(const struct lifecycle *lc, const char *id, struct err **err)
{
	cleanup_container struct container container = CONTAINER_INIT;
	int r = container_open(lc, id, STORE_UNLOCKED, &container, err);

	if (r < 0)
		return r;
	if (container.status != CONTAINER_RUNNING && container.status != CONTAINER_CREATED)
		return err_set(err, E_STATE, 0, NULL, "container not running or created: %s",
			       container_status_name(container.status));
	return set_frozen(&container, true, err);
}

int lifecycle_resume(const struct lifecycle *lc, const char *id, struct err **err)
{
	cleanup_container struct container container = CONTAINER_INIT;
	int r = container_open(lc, id, STORE_UNLOCKED, &container, err);

	if (r < 0)
		return r;
	if (container.status != CONTAINER_PAUSED)
		return err_set(err, E_STATE, 0, NULL, "container not paused");
	return set_frozen(&container, false, err);
}

/* update.c - other limits for groups that exist, and who is in them. */
#include "cgroup/backend.h"

#include <errno.h>

#include "base/fd.h"
#include "base/mem.h"
#include "cgroup/directory.h"

/* Write what is not done yet; invalid values are left for another pass. *err is the last refusal. Returns how many
 * were written, or the failure that another pass can't mend. */
static int write_pass(const struct cgroup *cgroup, const struct plan_cgroup *plan, bool *is_done, struct err **err)
{
	int written = 0;

	for (size_t i = 0; i < plan->write_count; i++) {
		int r;

		if (is_done[i])
			continue;
		err_free_ptr(err);
		r = cgroup_write(cgroup, &plan->writes[i], err);
		if (r < 0 && r != -EINVAL)
			return r;
		is_done[i] = r == 0;
		written += r == 0;
	}
	return written;
}

/* Some values only fit once another is written (v1: memory above memory and swap together; a cpu quota
 * above its parent's for the old period). So what was refused as invalid is tried again, as long as others get through. */
int cgroup_update(struct cgroup *cgroup, const struct plan *plan, const struct host_facts *facts,
		  struct err **err)
{
	size_t left = plan->cgroup.write_count;
	cleanup_free bool *is_done = calloc(left + 1, sizeof(*is_done));
	int r;

	if (!is_done)
		return err_nomem(err);
	r = cgroup_prepare_update(cgroup, plan, facts, err);
	if (r == 0 && cgroup->unit)
		r = systemd_update_scope(cgroup, plan, err);
	while (r == 0 && left > 0) {
		cleanup_err struct err *refused = NULL;
		int written = write_pass(cgroup, &plan->cgroup, is_done, &refused);

		if (written > 0) {
			left -= (size_t)written;
			continue;
		}
		r = written < 0 ? written : -EINVAL;
		if (err)
			*err = take_ptr(refused);
	}
	if (r == 0 && plan->rdt.is_set)
		r = resctrl_update(&cgroup->resctrl, &plan->rdt, err);
	return r;
}

int cgroup_pids(const struct cgroup *cgroup, pid_t **ret, size_t *ret_count, struct err **err)
{
	const struct cgroup_dir *dir = cgroup_find_any(cgroup);
	struct pid_list list = { 0 };
	cleanup_close int fd = -1;
	int r;

	if (!dir)
		return err_set(err, E_UNSUPPORTED, 0, NULL, "the container has no cgroup that tells its processes");
	fd = directory_open_group(dir->path, dir->is_v2, NULL);
	r = fd < 0 ? fd : directory_pids(fd, &list);
	if (r < 0) {
		pid_list_done(&list);
		return err_sys(err, E_CGROUP, -r, "read", dir->path, NULL);
	}
	*ret = list.items;
	*ret_count = list.count;
	return 0;
}

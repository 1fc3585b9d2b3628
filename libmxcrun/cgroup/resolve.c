/* resolve.c - where a container's groups will be. Reads only: what is found here goes into the
 * journal before anything is made. */
#include "cgroup/backend.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "cgroup/directory.h"

void cgroup_done(struct cgroup *cgroup)
{
	holder_release(cgroup->holder);
	arena_free(cgroup->arena);
	*cgroup = (struct cgroup){ 0 };
}

/* Absolute, without "..", "." and empty components: the plan's builder made it so, and everything
 * below relies on it. */
static bool is_clean(const char *path)
{
	const char *p = path;

	if (p[0] != '/' || !p[1])
		return false;
	while (*p == '/') {
		size_t len = strcspn(++p, "/");

		if (len == 0 || (p[0] == '.' && (len == 1 || (len == 2 && p[1] == '.'))))
			return false;
		p += len;
	}
	return true;
}

int cgroup_check_unused(const struct cgroup_dir *dir, struct err **err)
{
	cleanup_pid_list struct pid_list pids = { 0 };
	cleanup_close int fd = -1;
	int r;

	if (access(dir->path, F_OK) < 0 && errno == ENOENT)
		return 0;
	fd = directory_open_group(dir->path, dir->is_v2, NULL);
	if (fd == -ENOENT)
		return 0;
	r = fd < 0 ? fd : directory_pids(fd, &pids);
	if (r < 0)
		return err_sys(err, E_CGROUP, -r, "open", dir->path, CGROUP_PATH_POINTER);
	if (pids.count > 0) {
		err_set(err, E_CGROUP, EBUSY, CGROUP_PATH_POINTER,
			"the cgroup %s exists and holds %zu processes", dir->path, pids.count);
		err_hint(err, "another container may have the same cgroupsPath");
		return -EBUSY;
	}
	return 0;
}

static int add_dir(struct cgroup *cgroup, const struct cgroup_mount *mount, const char *path,
		   struct err **err)
{
	struct cgroup_dir *dir = &cgroup->dirs[cgroup->count++];

	dir->controllers = arena_strdup(cgroup->arena, mount->controllers);
	dir->path = arena_printf(cgroup->arena, "%s%s", mount->mountpoint, path);
	dir->is_v2 = mount->is_v2;
	dir->is_ours = true;
	return dir->controllers && dir->path ? cgroup_check_unused(dir, err) : err_nomem(err);
}

static int add_dirs(struct cgroup *cgroup, const struct host_facts *facts, const char *path,
		    bool of_v2, struct err **err)
{
	size_t i;
	int r = 0;

	for (i = 0; r == 0 && i < facts->cgroup_count; i++)
		if (facts->cgroups[i].is_v2 == of_v2)
			r = add_dir(cgroup, &facts->cgroups[i], path, err);
	return r;
}

/* A sandbox has its processes in a pid namespace, and its group is for clean-up: without limits one of v2 does, and ten
 * hierarchies of v1 would be a tenth of its start. A bundle's are what engines look for. */
static bool needs_v1(const struct plan *plan)
{
	return !plan->lifecycle.is_sandbox || plan->cgroup.write_count || plan->cgroup.device_rule_count ||
	       plan->cgroup.manager == CGROUP_MANAGER_SYSTEMD;
}

static int resolve(struct cgroup *cgroup, const struct plan *plan, const struct host_facts *facts,
		   struct err **err)
{
	const char *path = plan->cgroup.path;
	int r;

	if (!path || !is_clean(path))
		return err_set(err, E_CGROUP, 0, CGROUP_PATH_POINTER,
			       "not an absolute and clean cgroup path: %s", path ? path : "(none)");
	cgroup->dirs = arena_array(cgroup->arena, facts->cgroup_count + 1, sizeof(*cgroup->dirs));
	if (!cgroup->dirs)
		return err_nomem(err);
	/* v2 first: it can tell and do most. */
	r = add_dirs(cgroup, facts, path, true, err);
	if (r == 0 && (!cgroup->count || needs_v1(plan)))
		r = add_dirs(cgroup, facts, path, false, err);
	if (r < 0 || plan->cgroup.manager != CGROUP_MANAGER_SYSTEMD)
		return r;
	cgroup->unit = plan->cgroup.scope ? arena_strdup(cgroup->arena, plan->cgroup.scope) : NULL;
	return cgroup->unit ? 0 : err_nomem(err);
}

int cgroup_resolve(const struct plan *plan, const struct host_facts *facts, struct cgroup *ret,
		   struct err **err)
{
	int r;

	*ret = (struct cgroup){ .arena = arena_new() };
	if (!ret->arena)
		return err_nomem(err);
	r = plan->cgroup.manager == CGROUP_MANAGER_DISABLED ? 0 : resolve(ret, plan, facts, err);
	if (r == 0)
		r = resctrl_resolve(ret, plan, facts, err);
	if (r < 0)
		cgroup_done(ret);
	return r;
}

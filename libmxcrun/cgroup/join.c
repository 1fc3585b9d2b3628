/* join.c - how a process gets into a container's groups. */
#include "cgroup/backend.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include "base/fd.h"
#include "cgroup/directory.h"

int cgroup_clone_fd(const struct cgroup *cgroup, int *ret, struct err **err)
{
	const struct cgroup_dir *dir = cgroup_find_v2(cgroup);

	*ret = -1;
	if (!dir)
		return 0;
	*ret = directory_open_group(dir->path, true, NULL);
	return *ret < 0 ? err_sys(err, E_CGROUP, -*ret, "open", dir->path, CGROUP_PATH_POINTER) : 0;
}

void cgroup_tasks_done(struct cgroup_tasks *tasks)
{
	while (tasks->count > 0)
		fd_close_ptr(&tasks->fds[--tasks->count]);
	free(tasks->fds);
	*tasks = (struct cgroup_tasks){ 0 };
}

static int open_tasks(const struct cgroup_dir *dir, int *ret, struct err **err)
{
	cleanup_close int dir_fd = directory_open_group(dir->path, false, NULL);

	if (dir_fd < 0)
		return err_sys(err, E_CGROUP, -dir_fd, "open", dir->path, CGROUP_PATH_POINTER);
	*ret = openat(dir_fd, "tasks", O_WRONLY | O_CLOEXEC);
	if (*ret < 0)
		return err_sys(err, E_CGROUP, errno, "open tasks", dir->path, CGROUP_PATH_POINTER);
	return 0;
}

int cgroup_open_tasks(const struct cgroup *cgroup, struct cgroup_tasks *ret, struct err **err)
{
	size_t i;
	int r = 0;

	ret->count = 0;
	ret->fds = calloc(cgroup->count + RESCTRL_TASKS_MAX, sizeof(*ret->fds));
	if (!ret->fds)
		return err_nomem(err);
	for (i = 0; r == 0 && i < cgroup->count; i++) {
		if (cgroup->dirs[i].is_v2)
			continue;
		r = open_tasks(&cgroup->dirs[i], &ret->fds[ret->count], err);
		if (r == 0)
			ret->count++;
	}
	if (r == 0)
		r = resctrl_open_tasks(&cgroup->resctrl, ret, err);
	if (r < 0)
		cgroup_tasks_done(ret);
	return r;
}

void cgroup_joined(const struct cgroup *cgroup)
{
	holder_release(cgroup->holder);
}

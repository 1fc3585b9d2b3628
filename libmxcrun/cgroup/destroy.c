/* destroy.c - take a container's groups away, whatever is still in them.
 *
 * Mostly the container has ended and a plain rmdir does it. Else everything in it is killed, the
 * groups that the workload made are removed from the deepest up, and EBUSY, which the kernel also
 * answers while the last process is on its way out, is waited out.
 */
#include "cgroup/backend.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "cgroup/directory.h"

#define REMOVE_WAIT_MS 10000

/* 0 when it is gone. */
static int remove_plainly(const struct cgroup_dir *dir)
{
	cleanup_free char *parent = NULL;
	cleanup_close int parent_fd = -1;
	const char *name = directory_name(dir->path);

	parent = strndup(dir->path, (size_t)(name - dir->path));
	if (!parent)
		return -ENOMEM;
	parent_fd = directory_open(parent, dir->is_v2);
	if (parent_fd < 0)
		return parent_fd == -ENOENT ? 0 : parent_fd;
	if (unlinkat(parent_fd, name, AT_REMOVEDIR) < 0 && errno != ENOENT)
		return -errno;
	return 0;
}

static int remove_stubborn(const struct cgroup *cgroup, const struct cgroup_dir *dir, struct err **err)
{
	struct backoff backoff = backoff_start(REMOVE_WAIT_MS);
	int r;

	do {
		cleanup_close int fd = directory_open_group(dir->path, dir->is_v2, NULL);

		if (fd == -ENOENT)
			return 0;
		r = fd < 0 ? fd : directory_remove_below(fd);
		if (r == 0)
			r = remove_plainly(dir);
		if (r == 0)
			return 0;
		if (r != -EBUSY)
			break;
		/* A process that left the group in one hierarchy may be in it in another. */
		r = kill_until_empty(cgroup, fd, dir->is_v2, dir->path, err);
		if (r < 0)
			return r;
		r = -EBUSY;
	} while (backoff_sleep(&backoff));
	return err_sys(err, E_CGROUP, -r, "rmdir", dir->path, NULL);
}

static int remove_all(const struct cgroup *cgroup, struct err **err)
{
	bool killed = false;
	size_t i;
	int r;

	for (i = 0; i < cgroup->count; i++) {
		const struct cgroup_dir *dir = &cgroup->dirs[i];

		if (!dir->is_ours)
			continue;
		r = remove_plainly(dir);
		if (r == 0)
			continue;
		if (!killed) {
			killed = true;
			r = cgroup_kill(cgroup, SIGKILL, err);
			if (r < 0)
				return r;
		}
		r = remove_stubborn(cgroup, dir, err);
		if (r < 0)
			return r;
	}
	return 0;
}

int cgroup_destroy(const struct cgroup *cgroup, struct err **err)
{
	int r;

	holder_release(cgroup->holder);
	r = remove_all(cgroup, err);
	if (r == 0 && cgroup->unit)
		r = systemd_stop_scope(cgroup, err);
	return r < 0 ? r : resctrl_destroy(&cgroup->resctrl, err);
}

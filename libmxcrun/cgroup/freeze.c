/* freeze.c - stop all processes of a container in their tracks, and let them go on.
 *
 * v2's freezer wherever there is a v2 group, also on hybrid hosts: a process that it holds can
 * still be killed, while v1's holds it even against SIGKILL.
 */
#include "cgroup/backend.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "cgroup/directory.h"

#define FREEZE_WAIT_MS 10000

static int freeze_v2(const struct cgroup_dir *dir, bool freeze)
{
	cleanup_close int fd = directory_open_group(dir->path, true, NULL);
	int r = fd < 0 ? fd : fd_write_file(fd, "cgroup.freeze", freeze ? "1" : "0");

	if (r == 0)
		r = v2_wait_event(fd, "frozen", freeze, FREEZE_WAIT_MS);
	if (r == -ETIMEDOUT && freeze)
		fd_write_file(fd, "cgroup.freeze", "0");
	return r;
}

static int freeze_v1(const struct cgroup_dir *dir, bool freeze)
{
	cleanup_close int fd = directory_open_group(dir->path, false, NULL);
	int r = fd < 0 ? fd : v1_freeze(fd, freeze, FREEZE_WAIT_MS);

	if (r == -ETIMEDOUT && freeze)
		v1_freeze(fd, false, 0);
	return r;
}

/* The group that holds them. Linux before 5.2 has no freezer in v2. */
static const struct cgroup_dir *freezer_of(const struct cgroup *cgroup)
{
	const struct cgroup_dir *dir = cgroup_find_v2(cgroup);
	cleanup_close int fd = dir ? directory_open(dir->path, true) : -1;

	return fd >= 0 && faccessat(fd, "cgroup.freeze", F_OK, 0) == 0 ? dir : cgroup_find_v1(cgroup, "freezer");
}

const char *cgroup_freezer_path(const struct cgroup *cgroup)
{
	const struct cgroup_dir *dir = freezer_of(cgroup);

	return dir ? dir->path : NULL;
}

int cgroup_freeze(const struct cgroup *cgroup, bool freeze, struct err **err)
{
	const struct cgroup_dir *dir = freezer_of(cgroup);
	const char *what = freeze ? "freezing" : "thawing";
	int r = !dir ? -ENOENT : dir->is_v2 ? freeze_v2(dir, freeze) : freeze_v1(dir, freeze);

	if (r == -ENOENT || r == -ENODEV) {
		err_set(err, E_CGROUP, EOPNOTSUPP, NULL,
			"%s needs a cgroup with a freezer, and the container has none", what);
		return -EOPNOTSUPP;
	}
	if (r == -ETIMEDOUT)
		return err_set(err, E_TIMEOUT, ETIMEDOUT, NULL,
			       "%s %s did not come to an end within %d s", what, dir->path,
			       FREEZE_WAIT_MS / 1000);
	if (r < 0)
		return err_sys(err, E_CGROUP, -r, what, dir->path, NULL);
	return 0;
}

static bool is_frozen_v1(const struct cgroup_dir *dir)
{
	cleanup_close int fd = directory_open_group(dir->path, false, NULL);
	cleanup_free char *state = NULL;

	return fd >= 0 && directory_read(fd, "freezer.state", &state) == 0 &&
	       strncmp(state, "FROZEN", 6) == 0;
}

bool cgroup_is_frozen(const struct cgroup *cgroup)
{
	const struct cgroup_dir *dir = cgroup_find_v2(cgroup);

	if (dir) {
		cleanup_close int fd = directory_open(dir->path, true);
		int frozen = fd < 0 ? fd : directory_read_flag(fd, "cgroup.events", "frozen");

		if (frozen >= 0)
			return frozen;
	}
	dir = cgroup_find_v1(cgroup, "freezer");
	return dir && is_frozen_v1(dir);
}

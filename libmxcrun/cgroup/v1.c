/* v1.c - a group in a v1 hierarchy: its directory, and for cpuset what must be in it before any
 * process. */
#include "cgroup/backend.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/fd.h"
#include "base/mem.h"
#include "cgroup/directory.h"

#define FREEZER_STATE "freezer.state"
#define CPUSET_SIZE_MAX 65536u

/* ---- cpuset ---- */

static bool is_blank(const char *text)
{
	return text[strspn(text, " \n")] == '\0';
}

/* A new cpuset has no CPUs and no memory nodes, and no process can join before it has some. Returns
 * 1 when the parent has none either. */
static int copy_file(int parent_fd, int child_fd, const char *file)
{
	cleanup_free char *text = NULL;
	int r = fd_read_file(parent_fd, file, CPUSET_SIZE_MAX, &text, NULL);

	if (r < 0)
		return r;
	return is_blank(text) ? 1 : fd_write_file(child_fd, file, text);
}

static int copy_from_parent(int parent_fd, int child_fd)
{
	int r = copy_file(parent_fd, child_fd, "cpuset.cpus");

	return r ? r : copy_file(parent_fd, child_fd, "cpuset.mems");
}

static bool is_filled(int dir_fd)
{
	cleanup_free char *cpus = NULL, *mems = NULL;

	return directory_read(dir_fd, "cpuset.cpus", &cpus) == 0 && !is_blank(cpus) &&
	       directory_read(dir_fd, "cpuset.mems", &mems) == 0 && !is_blank(mems);
}

/* All the way down, where whoever made the groups above died before he filled them, or we have just
 * made them. */
static int fill_from_top(const struct group *group)
{
	cleanup_close int parent_fd = directory_open(group->mount->mountpoint, false);
	const char *rest = group->path;

	while (parent_fd >= 0) {
		cleanup_free char *name = NULL;
		int child_fd, r;

		rest += strspn(rest, "/");
		if (!*rest)
			return 0;
		name = strndup(rest, strcspn(rest, "/"));
		if (!name)
			return -ENOMEM;
		child_fd = directory_open_below(parent_fd, name);
		r = child_fd < 0 ? child_fd : 0;
		if (r == 0 && !is_filled(child_fd))
			r = copy_from_parent(parent_fd, child_fd);
		fd_close_ptr(&parent_fd);
		parent_fd = child_fd;
		if (r)
			return r < 0 ? r : -ENOSPC;
		rest += strlen(name);
	}
	return parent_fd;
}

/* A group that is there, as for an update, keeps what it has. */
static int fill_cpuset(const struct group *group)
{
	cleanup_close int parent_fd = -1;
	int r;

	if (group->may_exist && is_filled(group->fd))
		return 0;
	parent_fd = openat(group->fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	r = parent_fd < 0 ? -errno : copy_from_parent(parent_fd, group->fd);
	return r > 0 ? fill_from_top(group) : r;
}

int v1_make_group(struct group *group, struct err **err)
{
	int r = group_make_directory(group, err);

	if (r < 0 || !directory_has_word(group->mount->controllers, "cpuset"))
		return r;
	r = fill_cpuset(group);
	if (r < 0)
		return err_sys(err, E_CGROUP, -r, "write cpuset.cpus and cpuset.mems",
			       group->dir->path, CGROUP_PATH_POINTER);
	return 0;
}

/* ---- freezer ---- */

/* A process that forks can slip through, and the state stays FREEZING until the word is written
 * again. */
int v1_freeze(int dir_fd, bool freeze, int timeout_ms)
{
	const char *wanted = freeze ? "FROZEN" : "THAWED";
	struct backoff backoff = backoff_start(timeout_ms);

	for (;;) {
		cleanup_free char *state = NULL;
		int r = fd_write_file(dir_fd, FREEZER_STATE, wanted);

		if (r == 0)
			r = directory_read(dir_fd, FREEZER_STATE, &state);
		if (r != 0)
			return r;
		if (strncmp(state, wanted, strlen(wanted)) == 0)
			return 0;
		if (!backoff_sleep(&backoff))
			return -ETIMEDOUT;
	}
}

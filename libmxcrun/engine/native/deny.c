/* deny.c - MOUNT_DENY: cover an object so that it is still listed and every use of it gives EACCES.
 *
 * The cover is a mode-000 directory or file on a tmpfs of ours, mounted read-only, so that not even its owner can
 * give himself rights; where the user namespace maps a second id, that id owns it, which the workload's own namespace
 * does not know. It is a mount point, so it can't be renamed or removed. The sandbox holds no capability, so
 * this binds its root, too; root of a container keeps his, so there the cover is mounted as nobody's. A denied directory with grants below it is a 0555 directory of its own, in which later steps
 * make their mount points.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"
#include "base/sys.h"
#include "engine/native/mounts.h"

#define COVER_OWNER 65534
#define MAPPED_ID 1u		/* no cover belongs to it */

static const struct plan_option cover_options[] = { { "size", "64k" }, { "mode", "0555" } };

/* A tmpfs with "d" and "f". Its owner is another id where the namespace has one; else ours, and only read-only
 * mounting stands between it and chmod. */
static int make_covers(struct init *init, struct err **err)
{
	cleanup_close int tree = mount_new_filesystem(init, "tmpfs", "denied", cover_options, array_size(cover_options),
						      DENY_COVER_ATTRS, NULL);
	cleanup_close int place = openat(AT_FDCWD, MOUNT_WORK_PLACE, O_PATH | O_DIRECTORY | O_CLOEXEC);
	cleanup_close int file = -1;

	if (tree < 0)
		return err_sys(err, E_MOUNT, -tree, "fsmount", "cover of denied paths", NULL);
	if (mkdirat(tree, "d", 0) < 0)
		return err_sys(err, E_MOUNT, errno, "mkdir", "cover of denied paths", NULL);
	file = openat(tree, "f", O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0);
	if (file < 0)
		return err_sys(err, E_MOUNT, errno, "open", "cover of denied paths", NULL);
	for (int i = 0; i < 2; i++)
		if (fchownat(tree, i ? "d" : "f", COVER_OWNER, COVER_OWNER, AT_SYMLINK_NOFOLLOW) < 0 &&
		    errno != EINVAL && errno != EPERM)	/* not mapped here: an ordinary user's sandbox */
			return err_sys(err, E_MOUNT, errno, "chown", "cover of denied paths", NULL);
	if (place < 0 || mount_attach(init, tree, place) < 0)
		return err_sys(err, E_MOUNT, errno, "move_mount", "cover of denied paths", NULL);
	return take_fd(tree);
}

/* A user namespace that maps neither owner of a cover, as the map of an idmapped mount: then the kernel takes the
 * cover to belong to nobody, and for what belongs to nobody even CAP_DAC_OVERRIDE counts for nothing (vfsuid_valid() in
 * privileged_wrt_inode_uidgid(), Linux 5.12; tmpfs takes such mounts since 6.3). */
static int write_nobodys_map(struct init *init, int place)
{
	char text[32];
	int fd, r = procfs_write_self(init, "setgroups", "deny");

	snprintf(text, sizeof(text), "%u %u 1", MAPPED_ID, (unsigned int)init->euid);
	if (r == 0)
		r = procfs_write_self(init, "uid_map", text);
	snprintf(text, sizeof(text), "%u %u 1", MAPPED_ID, (unsigned int)init->egid);
	if (r == 0)
		r = procfs_write_self(init, "gid_map", text);
	if (r < 0)
		return r;
	fd = openat(init->proc_fd, "self/ns/user", O_RDONLY | O_CLOEXEC);
	return fd < 0 || dup3(fd, place, O_CLOEXEC) < 0 ? -errno : 0;
}

/* The namespace is that of a child which shares our descriptors, puts it in place of one of them, and ends. */
static int nobodys_map(struct init *init, struct err **err)
{
	struct sys_clone_args args = { .flags = CLONE_NEWUSER | CLONE_FILES, .exit_signal = SIGCHLD };
	int status = 0;
	pid_t pid;

	if (init->map_fd >= 0)
		return init->map_fd;
	init->euid = geteuid();
	init->egid = getegid();
	init->map_fd = fcntl(init->root_fd, F_DUPFD_CLOEXEC, 3);
	if (init->map_fd < 0)
		return err_sys(err, E_IDMAP, errno, "fcntl", "map of covers", NULL);
	pid = sys_clone3(&args);
	if (pid == 0)
		_exit(-write_nobodys_map(init, init->map_fd));
	if (pid < 0)
		return err_sys(err, E_USERNS_BLOCKED, errno, "clone3", "a process in a user namespace for covers", NULL);
	while (waitpid(pid, &status, __WALL) < 0 && errno == EINTR)
		;
	if (!WIFEXITED(status) || WEXITSTATUS(status))
		return err_sys(err, E_IDMAP, WIFEXITED(status) ? WEXITSTATUS(status) : EINTR, "write", "map of covers", NULL);
	return init->map_fd;
}

static int open_cover(struct init *init, const struct plan_mount *mount, struct err **err)
{
	struct sys_mount_attr readonly = { .attr_set = SYS_ATTR_RDONLY };
	cleanup_close int cover = -1;

	if (mount->is_reopened) {
		cover = mount_new_filesystem(init, "tmpfs", "denied", cover_options, array_size(cover_options), DENY_COVER_ATTRS, NULL);
		if (cover < 0)
			return err_sys(err, E_MOUNT, -cover, "fsmount", mount->destination, mount->pointer);
		return take_fd(cover);
	}
	if (init->covers_fd < 0)
		init->covers_fd = make_covers(init, err);
	if (init->covers_fd < 0)
		return init->covers_fd;
	cover = mount_clone(init, init->covers_fd, mount->is_directory ? "d" : "f", 0);
	if (init->plan->policy.covers_are_idmapped) {
		int map = nobodys_map(init, err);

		if (map < 0)
			return map;
		readonly.attr_set |= SYS_ATTR_IDMAP;
		readonly.userns_fd = (uint64_t)map;
	}
	if (cover < 0 || mount_set(init, cover, 0, &readonly) < 0)
		return err_sys(err, E_MOUNT, errno, "open_tree", mount->destination, mount->pointer);
	return take_fd(cover);
}

int deny_apply(struct init *init, const struct plan_mount *mount, struct err **err)
{
	cleanup_close int cover = open_cover(init, mount, err);
	cleanup_close int target = -1;

	if (cover < 0)
		return cover;
	target = path_make_in_root(init->root_fd, mount->destination,
				   mount->is_directory ? PATH_MAKE_DIR : PATH_MAKE_FILE);
	if (target < 0)
		return err_sys(err, E_MOUNT, -target, "open", mount->destination, mount->pointer);
	return mounts_attach_verified(init, mount, cover, target, err);
}

int deny_close_reopened(struct init *init, const struct plan_mount *mount, struct err **err)
{
	struct sys_mount_attr readonly = { .attr_set = SYS_ATTR_RDONLY };
	cleanup_close int cover = path_open_in_root(init->root_fd, mount->destination, O_PATH);

	if (cover < 0)
		return err_sys(err, E_MOUNT, -cover, "openat2", mount->destination, mount->pointer);
	if (mount_set(init, cover, 0, &readonly) < 0)
		return err_sys(err, E_MOUNT, errno, "mount_setattr", mount->destination, mount->pointer);
	return 0;
}

int deny_finish(struct init *init, struct err **err)
{
	const struct plan *plan = init->plan;
	int r = 0;

	for (size_t i = 0; i < plan->mount_count && r == 0; i++)
		if (plan->mounts[i].kind == MOUNT_DENY && plan->mounts[i].is_reopened)
			r = deny_close_reopened(init, &plan->mounts[i], err);
	return r;
}

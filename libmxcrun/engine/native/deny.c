/* deny.c - MOUNT_DENY: cover an object so that it is still listed and every use of it gives EACCES.
 *
 * The cover is a mode-000 directory or file on a tmpfs of ours, mounted read-only, so that not even its owner can
 * give himself rights; where the user namespace maps a second id, that id owns it, which the workload's own namespace
 * does not know. It is a mount point, so it can't be renamed or removed. The sandbox holds no capability, so
 * this binds its root, too. A denied directory with grants below it is a 0555 directory of its own, in which later steps
 * make their mount points.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"
#include "base/sys.h"
#include "engine/native/mounts.h"

#define COVER_OWNER 65534
/* Before Linux 6.15 only an attached mount can be cloned. This place is in the old root, goes with it, and hides nothing
 * that a policy can grant: host paths below /proc are refused. */
#define COVER_PLACE "/proc"
#define COVER_ATTRS (SYS_ATTR_NOSUID | SYS_ATTR_NODEV | SYS_ATTR_NOEXEC)

static const struct plan_option cover_options[] = { { "size", "64k" }, { "mode", "0555" } };

/* A tmpfs with "d" and "f". Its owner is another id where the namespace has one; else ours, and only read-only
 * mounting stands between it and chmod. */
static int make_covers(struct init *init, struct err **err)
{
	cleanup_close int tree = mount_new_filesystem(init, "tmpfs", "denied", cover_options, array_size(cover_options),
						      COVER_ATTRS, NULL);
	cleanup_close int place = openat(AT_FDCWD, COVER_PLACE, O_PATH | O_DIRECTORY | O_CLOEXEC);
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

static int open_cover(struct init *init, const struct plan_mount *mount, struct err **err)
{
	struct sys_mount_attr readonly = { .attr_set = SYS_ATTR_RDONLY };
	cleanup_close int cover = -1;

	if (mount->is_reopened) {
		cover = mount_new_filesystem(init, "tmpfs", "denied", cover_options, array_size(cover_options), COVER_ATTRS, NULL);
		if (cover < 0)
			return err_sys(err, E_MOUNT, -cover, "fsmount", mount->destination, mount->pointer);
		return take_fd(cover);
	}
	if (init->covers_fd < 0)
		init->covers_fd = make_covers(init, err);
	if (init->covers_fd < 0)
		return init->covers_fd;
	cover = mount_clone(init, init->covers_fd, mount->is_directory ? "d" : "f", 0);
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

/* The covers that later steps have opened need no more mount points. */
static int close_reopened(struct init *init, const struct plan_mount *mount, struct err **err)
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
			r = close_reopened(init, &plan->mounts[i], err);
	return r;
}

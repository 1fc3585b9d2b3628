/* masks.c - masked and read-only paths, in force before any user code (invariants 9 and 10).
 *
 * Called after all mounts, before pivot_root. A file is covered by a /dev/null that fstat proved to be one,
 * a directory by one empty read-only tmpfs shared by all masks, because a superblock each is slow to
 * make and to tear down. A missing target is not an error (config-linux.md, masked paths); any other failure is.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/fd.h"
#include "base/path.h"
#include "base/sys.h"
#include "engine/native/init.h"

struct covers {
	int null_fd;		/* O_PATH of a character device 1:3 */
	int empty_fd;		/* empty tmpfs; the first mask attaches it, later ones clone it (an
				 * attached mount only can be cloned before Linux 6.15) */
	bool is_attached;
};

static bool is_null_device(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3);
}

/* Ours or the host's, whichever proves itself: what the image calls /dev/null is not asked (CVE-2025-31133). */
static int open_null(const struct init *init, struct err **err)
{
	cleanup_close int fd = path_open_in_root(init->root_fd, "/dev/null", O_PATH | O_NOFOLLOW);

	if (fd >= 0 && is_null_device(fd))
		return take_fd(fd);
	fd_close_ptr(&fd);
	fd = openat(AT_FDCWD, "/dev/null", O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || !is_null_device(fd))
		return err_set(err, E_MOUNT_MASK, ENODEV, "/linux/maskedPaths", "no /dev/null to mask files with");
	return take_fd(fd);
}

/* Read-only, for the null device may be the host's own, whose mode root of a sandbox could change. nosuid and noexec cost nothing; nodev makes a device unreadable, which is right in a sandbox only. */
static int protect_null(struct init *init, int tree, struct err **err)
{
	struct sys_mount_attr attr = { .attr_set = SYS_ATTR_RDONLY | SYS_ATTR_NOSUID | SYS_ATTR_NOEXEC };

	if (init->plan->root.kind != ROOT_BUNDLE)
		attr.attr_set |= SYS_ATTR_NODEV;
	if (mount_set(init, tree, 0, &attr) < 0)
		return err_sys(err, E_MOUNT_MASK, errno, "mount_setattr", "/dev/null", "/linux/maskedPaths");
	return 0;
}

static int cover_for(struct init *init, struct covers *covers, bool is_directory, struct err **err)
{
	static const struct plan_option options[] = { { "size", "0" }, { "mode", "0555" } };

	if (!is_directory) {
		if (covers->null_fd < 0)
			covers->null_fd = open_null(init, err);
		return covers->null_fd;
	}
	if (covers->empty_fd < 0) {
		covers->empty_fd = mount_new_filesystem(init, "tmpfs", "mask", options, array_size(options),
							SYS_ATTR_RDONLY | SYS_ATTR_NOSUID | SYS_ATTR_NODEV |
							SYS_ATTR_NOEXEC, NULL);
		if (covers->empty_fd < 0)
			return err_sys(err, E_MOUNT_MASK, -covers->empty_fd, "fsmount", "mask", "/linux/maskedPaths");
	}
	return covers->empty_fd;
}

/* *ret_fd is -1 for a path that does not exist. */
static int open_target(struct init *init, const struct plan_path *path, int *ret_fd, struct err **err)
{
	*ret_fd = path_open_in_root(init->root_fd, path->path, O_PATH);
	if (*ret_fd >= 0)
		return 0;
	if (*ret_fd == -ENOENT || *ret_fd == -ENOTDIR) {
		*ret_fd = -1;
		return 0;
	}
	return err_sys(err, E_MOUNT_MASK, -*ret_fd, "openat2", path->path, path->pointer);
}

static int mask_one(struct init *init, struct covers *covers, const struct plan_path *path, struct err **err)
{
	cleanup_close int target = -1, tree = -1;
	struct stat st;
	int cover, r = open_target(init, path, &target, err);

	if (r < 0 || target < 0)
		return r;
	if (fstat(target, &st) < 0)
		return err_sys(err, E_MOUNT_MASK, errno, "fstat", path->path, path->pointer);
	cover = cover_for(init, covers, S_ISDIR(st.st_mode), err);
	if (cover < 0)
		return cover;
	tree = S_ISDIR(st.st_mode) && !covers->is_attached ? fcntl(cover, F_DUPFD_CLOEXEC, 3) : mount_clone(init, cover, "", 0);
	if (tree < 0)
		return err_sys(err, E_MOUNT_MASK, errno, "open_tree", path->path, path->pointer);
	covers->is_attached |= S_ISDIR(st.st_mode);
	if (!S_ISDIR(st.st_mode))
		r = protect_null(init, tree, err);
	if (r < 0)
		return r;
	if (mount_attach(init, tree, target) < 0)
		return err_sys(err, E_MOUNT_MASK, errno, "move_mount", path->path, path->pointer);
	return 0;
}

static int make_readonly(struct init *init, const struct plan_path *path, struct err **err)
{
	struct sys_mount_attr attr = { .attr_set = SYS_ATTR_RDONLY };
	cleanup_close int target = -1, tree = -1;
	int r = open_target(init, path, &target, err);

	if (r < 0 || target < 0)
		return r;
	tree = mount_clone(init, target, "", SYS_AT_RECURSIVE);
	if (tree < 0)
		return err_sys(err, E_MOUNT_MASK, errno, "open_tree", path->path, path->pointer);
	if (mount_set(init, tree, SYS_AT_RECURSIVE, &attr) < 0)
		return err_sys(err, E_MOUNT_MASK, errno, "mount_setattr", path->path, path->pointer);
	if (mount_attach(init, tree, target) < 0)
		return err_sys(err, E_MOUNT_MASK, errno, "move_mount", path->path, path->pointer);
	return 0;
}

int masks_apply(struct init *init, struct err **err)
{
	struct covers covers = { .null_fd = -1, .empty_fd = -1 };
	int r = 0;

	for (size_t i = 0; i < init->plan->readonly.count && r == 0; i++)
		r = make_readonly(init, &init->plan->readonly.items[i], err);
	for (size_t i = 0; i < init->plan->masked.count && r == 0; i++)
		r = mask_one(init, &covers, &init->plan->masked.items[i], err);
	fd_close_ptr(&covers.null_fd);
	fd_close_ptr(&covers.empty_fd);
	return r;
}

/* rootfs.c - the container's root: held as a descriptor of a mount of our own, later entered.
 *
 * Propagation first, so that nothing made here reaches the host (invariant 33); the root becomes a mount, whose
 * descriptor is the start of every later walk; at the end pivot_root puts it in place and the host's tree
 * is detached.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"
#include "base/sys.h"
#include "engine/native/mounts.h"

#define FD_PATH "/proc/self/fd/%d"
#define FD_PATH_SIZE (sizeof(FD_PATH) + 12)
#define DEPTH_MAX 2048		/* no path has more components */

static unsigned long outer_propagation(const struct plan_root *root)
{
	/* Only "shared" asks that mounts travel from here to the host's peers; all else must not. */
	if (root->propagation & MS_SHARED)
		return MS_SHARED | MS_REC;
	if (root->propagation & (MS_PRIVATE | MS_UNBINDABLE))
		return MS_PRIVATE | MS_REC;
	return MS_SLAVE | MS_REC;
}

/* The root of the mount that fd lies on: upwards, until the kernel says so or there is no more above. */
static int open_mount_root(int fd)
{
	cleanup_close int at = openat(fd, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct mount_identity identity;

	for (int depth = 0; at >= 0 && depth < DEPTH_MAX; depth++) {
		int above;

		if (!mount_identify(at, &identity) || identity.is_root)
			return take_fd(at);
		above = openat(at, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
		fd_close_ptr(&at);
		at = above;
	}
	return at < 0 ? -errno : -ELOOP;
}

/* pivot_root(2) refuses a parent mount that is shared, and what we mount would travel to its peers. */
static int make_parent_private(struct init *init, int tree_fd, int target_fd, struct err **err)
{
	const struct plan_root *root = &init->plan->root;
	struct sys_mount_attr attr = { .propagation = MS_PRIVATE };
	cleanup_close int parent = -1;

	if (!(root->propagation & MS_SHARED))
		return 0;
	parent = open_mount_root(target_fd);
	if (parent < 0)
		return err_sys(err, E_ROOTFS, -parent, "open", root->path, "/linux/rootfsPropagation");
	if (mount_set(init, parent, 0, &attr) < 0 ||
	    mount_set(init, tree_fd, SYS_AT_RECURSIVE, &attr) < 0)
		return err_sys(err, E_ROOTFS, errno, "mount_setattr", root->path, "/linux/rootfsPropagation");
	return 0;
}

static int open_bundle_root(struct init *init, struct err **err)
{
	const struct plan_root *root = &init->plan->root;
	cleanup_close int target = source_take(init, NULL);
	cleanup_close int tree = -1;
	int r;

	if (target < 0)
		target = openat(AT_FDCWD, root->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (target < 0)
		return err_sys(err, E_ROOTFS, errno, "open", root->path, "/root/path");
	tree = mount_clone(init, target, "", SYS_AT_RECURSIVE);
	if (tree < 0)
		return err_sys(err, E_ROOTFS, errno, "open_tree", root->path, "/root/path");
	r = make_parent_private(init, tree, target, err);
	if (r < 0)
		return r;
	if (mount_attach(init, tree, target) < 0)
		return err_sys(err, E_ROOTFS, errno, "move_mount", root->path, "/root/path");
	init->root_fd = take_fd(tree);
	return 0;
}

/* On top of "/" no path of the host is covered: walks start below it, at the process' own root. */
static int attach_on_top(struct init *init, int tree, const char *what, struct err **err)
{
	cleanup_close int target = openat(AT_FDCWD, "/", O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (target < 0)
		return err_sys(err, E_ROOTFS, errno, "open", "/", NULL);
	if (mount_attach(init, tree, target) < 0)
		return err_sys(err, E_ROOTFS, errno, "move_mount", what, NULL);
	return 0;
}

/* An attached tmpfs, or -1. */
static int mount_scratch(struct init *init, const char *size, const char *what, struct err **err)
{
	const struct plan_option options[] = { { "size", size }, { "mode", "0755" } };
	cleanup_close int tree = mount_new_filesystem(init, "tmpfs", "mxcrun", options, array_size(options),
						      SYS_ATTR_NOSUID | SYS_ATTR_NODEV, NULL);

	if (tree < 0)
		return err_sys(err, E_ROOTFS, -tree, "fsmount", what, NULL);
	return attach_on_top(init, tree, what, err) < 0 ? -1 : take_fd(tree);
}

static int open_view_root(struct init *init, struct err **err)
{
	init->root_fd = mount_scratch(init, ROOTFS_VIEW_SIZE, "tmpfs of the view", err);
	return init->root_fd < 0 ? -1 : 0;
}

/* A new directory of the scratch file system, open. */
static int make_layer(int scratch, const char *name)
{
	if (mkdirat(scratch, name, 0755) < 0)
		return -errno;
	return openat(scratch, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

/* The layers are named by their descriptors: no character of a path means anything to overlayfs then. Its marks are user
 * attributes, because only those can be set in a user namespace; the tmpfs has them since Linux 6.6, and before that the
 * file system says itself what it does without. */
static int mount_layers(struct init *init, int lower, int upper, int work, struct err **err)
{
	char lower_path[FD_PATH_SIZE], upper_path[FD_PATH_SIZE], work_path[FD_PATH_SIZE];
	const struct plan_option options[] = {
		{ "lowerdir", lower_path }, { "upperdir", upper_path }, { "workdir", work_path }, { "userxattr", NULL },
	};
	int tree;

	snprintf(lower_path, sizeof(lower_path), FD_PATH, lower);
	snprintf(upper_path, sizeof(upper_path), FD_PATH, upper);
	snprintf(work_path, sizeof(work_path), FD_PATH, work);
	tree = mount_new_filesystem(init, "overlay", "mxcrun", options, array_size(options), SYS_ATTR_NOSUID | SYS_ATTR_NODEV,
				    NULL);
	if (tree >= 0)
		return tree;
	err_sys(err, E_ROOTFS, -tree, "fsmount", "overlay of the image", "/lxc");
	err_hint(err, "an image needs overlayfs in user namespaces: Linux 5.11, and its module loaded (modprobe overlay)");
	return -1;
}

/* The image stays as it is: what is written lies in a tmpfs and ends with the sandbox. */
static int open_image_root(struct init *init, struct err **err)
{
	const struct plan_root *root = &init->plan->root;
	cleanup_close int lower = openat(AT_FDCWD, root->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	cleanup_close int scratch = -1, upper = -1, work = -1, tree = -1;

	if (lower < 0)
		return err_sys(err, E_ROOTFS, errno, "open", root->path, "/lxc");
	scratch = mount_scratch(init, "2g", "tmpfs above the image", err);
	if (scratch < 0)
		return -1;
	upper = make_layer(scratch, "upper");
	work = make_layer(scratch, "work");
	if (upper < 0 || work < 0)
		return err_sys(err, E_ROOTFS, upper < 0 ? -upper : -work, "mkdir", "tmpfs above the image", NULL);
	tree = mount_layers(init, lower, upper, work, err);
	if (tree < 0 || attach_on_top(init, tree, "overlay of the image", err) < 0)
		return -1;
	init->root_fd = take_fd(tree);
	return 0;
}

static int set_outer_propagation(const struct plan_root *root, struct err **err)
{
	int errnum = mount(NULL, "/", NULL, outer_propagation(root), NULL) < 0 ? errno : 0;

	if (!errnum)
		return 0;
	err_sys(err, E_ROOTFS, errnum, "mount", "propagation of /", "/linux/rootfsPropagation");
	if (errnum == EINVAL)
		err_hint(err, "/ is no mount point, as in a chroot: bind that folder over itself before chroot");
	return -errnum;
}

int rootfs_prepare(struct init *init, struct err **err)
{
	const struct plan_root *root = &init->plan->root;
	int r = set_outer_propagation(root, err);

	if (r < 0)
		return r;
	r = mount_legacy_open(init, err);
	if (r < 0)
		return r;
	switch (root->kind) {
	case ROOT_VIEW:
		return open_view_root(init, err);
	case ROOT_IMAGE:
		return open_image_root(init, err);
	case ROOT_BUNDLE:
		break;
	}
	return open_bundle_root(init, err);
}

/* pivot_root(".", "."): the old root is mounted over the new one and then detached (pivot_root(2)). It is entered for
 * that, because mount(2) on "." would still mean the new root, and take the propagation of its mounts away. */
static int pivot(const struct init *init, struct err **err)
{
	cleanup_close int old_root = openat(AT_FDCWD, "/", O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (old_root < 0)
		return err_sys(err, E_ROOTFS, errno, "open", "old root", NULL);
	if (sys_pivot_root(".", ".") < 0)
		return err_sys(err, E_ROOTFS, errno, "pivot_root", ".", "/root/path");
	if (fchdir(old_root) < 0)
		return err_sys(err, E_ROOTFS, errno, "fchdir", "old root", NULL);
	if (mount(NULL, ".", NULL, MS_SLAVE | MS_REC, NULL) < 0)
		return err_sys(err, E_ROOTFS, errno, "mount", "propagation of the old root", NULL);
	/* umount2(2) takes what lies on top: what was mounted on the old root first */
	if (init->plan->root.kind == ROOT_IMAGE && umount2(".", MNT_DETACH) < 0)
		return err_sys(err, E_ROOTFS, errno, "umount2", "tmpfs above the image", NULL);
	if (init->legacy.is_used && umount2(".", MNT_DETACH) < 0)
		return err_sys(err, E_ROOTFS, errno, "umount2", "stage of mounts", NULL);
	if (umount2(".", MNT_DETACH) < 0)
		return err_sys(err, E_ROOTFS, errno, "umount2", "old root", NULL);
	return 0;
}

/* Take the host's mount at path away, with all below it; where it is locked, cover it. */
static int drop_host_mount(struct init *init, const char *path, struct err **err)
{
	cleanup_close int target = -1, cover = -1;

	if (umount2(path, MNT_DETACH) == 0 || errno == ENOENT)
		return 0;
	target = openat(AT_FDCWD, path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (target < 0)
		return err_sys(err, E_ROOTFS, errno, "open", path, "/root/path");
	cover = mount_new_filesystem(init, "tmpfs", "mask", NULL, 0, SYS_ATTR_RDONLY, NULL);
	if (cover < 0)
		return err_sys(err, E_ROOTFS, -cover, "fsmount", path, "/root/path");
	if (mount_attach(init, cover, target) < 0)
		return err_sys(err, E_ROOTFS, errno, "move_mount", path, "/root/path");
	return 0;
}

/* Where the root is a ramfs pivot_root can't work (--no-pivot). Before the move the host's unmasked /proc and /sys go,
 * so that a process that leaves the chroot finds neither. */
static int move_and_chroot(struct init *init, struct err **err)
{
	int r = drop_host_mount(init, "/proc", err);

	if (r == 0)
		r = drop_host_mount(init, "/sys", err);
	if (r < 0)
		return r;
	if (mount(".", "/", NULL, MS_MOVE, NULL) < 0)
		return err_sys(err, E_ROOTFS, errno, "mount", "MS_MOVE to /", "/root/path");
	if (chroot(".") < 0)
		return err_sys(err, E_ROOTFS, errno, "chroot", ".", "/root/path");
	return 0;
}

/* A working directory that is missing, while it can still be made. */
static int make_cwd(const struct init *init, struct err **err)
{
	const char *cwd = init->plan->process.cwd;
	cleanup_close int fd = -1;

	if (init->plan->lifecycle.is_sandbox || !strcmp(cwd, "/"))
		return 0;
	fd = path_make_in_root(init->root_fd, cwd, PATH_MAKE_DIR);
	return fd < 0 ? err_sys(err, E_ROOTFS, -fd, "mkdir", cwd, "/process/cwd") : 0;
}

int rootfs_finish(struct init *init, struct err **err)
{
	const struct plan_root *root = &init->plan->root;
	cleanup_close int fd = -1;
	struct sys_mount_attr attr = { .attr_set = SYS_ATTR_RDONLY };
	int r;

	if (root->propagation != PLAN_PROPAGATION_UNSET && mount(NULL, "/", NULL, root->propagation, NULL) < 0)
		return err_sys(err, E_ROOTFS, errno, "mount", "propagation of the root",
			       "/linux/rootfsPropagation");
	if (!root->is_readonly)
		return 0;
	r = make_cwd(init, err);
	if (r < 0)
		return r;
	fd = openat(AT_FDCWD, "/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || mount_set(init, fd, 0, &attr) < 0)
		return err_sys(err, E_ROOTFS, errno, "mount_setattr", "/", "/root/readonly");
	return 0;
}

int rootfs_enter(struct init *init, struct err **err)
{
	int r;

	if (fchdir(init->root_fd) < 0)
		return err_sys(err, E_ROOTFS, errno, "fchdir", "new root", "/root/path");
	r = init->plan->root.use_chroot ? move_and_chroot(init, err) : pivot(init, err);
	if (r < 0)
		return r;
	if (chdir("/") < 0)
		return err_sys(err, E_ROOTFS, errno, "chdir", "/", NULL);
	return rootfs_finish(init, err);
}

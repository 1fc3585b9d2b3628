/* adjust.c - what another engine's mounts lack of what the plan says.
 *
 * The engine took names where the plan has objects, and has no option for some flags and sizes. So each mount is looked up
 * in the finished root: it must be a mount, of the object that the policy was checked for, and gets its own flags and
 * options. A mount that a later step covers can't be reached any more, by nobody. File systems that the engine can't mount
 * are mounted here.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/fd.h"
#include "base/path.h"
#include "base/sys.h"
#include "engine/items.h"
#include "engine/native/mounts.h"

static bool is_mounted(const struct plan_mount *mount)
{
	return mount->kind == MOUNT_BIND || mount->kind == MOUNT_FILESYSTEM || mount->kind == MOUNT_DENY ||
	       mount->kind == MOUNT_FILE;
}

static bool is_covered(const struct plan *plan, const struct plan_mount *mount)
{
	for (const struct plan_mount *later = mount + 1; later < plan->mounts + plan->mount_count; later++)
		if (is_mounted(later) && path_is_within(mount->destination, later->destination))
			return true;
	return false;
}

static int open_mount(struct init *init, const struct plan_mount *mount, struct err **err)
{
	cleanup_close int fd = path_open_in_root(init->root_fd, mount->destination, O_PATH);
	struct mount_identity identity;

	if (fd < 0)
		return err_sys(err, E_MOUNT, -fd, "openat2", mount->destination, mount->pointer);
	if (mount_identify(fd, &identity) && !identity.is_root)
		return err_set(err, E_MOUNT, 0, mount->pointer, "nothing is mounted at %s", mount->destination);
	return take_fd(fd);
}

static int adjust_bind(struct init *init, const struct plan_mount *mount, int fd, struct err **err)
{
	struct plan_mount rest = *mount;
	struct mount_object object;
	int r = mounts_look_at(init, fd, &object);

	if (r < 0)
		return err_sys(err, E_MOUNT, -r, "statx", mount->destination, mount->pointer);
	r = mounts_check_identity(mount, &object, err);
	if (init->fds.by_lxc)	/* what it has bound has had its flags before */
		return r;
	/* what the engine has set already must not reach mounts that came later, further down; the mount itself keeps it */
	rest.attr_set_recursive = mount_flags_left(mount);
	rest.attr_set |= mount->attr_set_recursive & ~rest.attr_set_recursive;
	return r < 0 ? r : mounts_set_flags(init, fd, &rest, err);
}

/* A tmpfs got its mode when it was made, and can't change it. */
static bool is_settled(const struct plan_mount *mount, const char *key)
{
	return !strcmp(key, "mode") && (!mount->fstype || !strcmp(mount->fstype, "tmpfs"));
}

static int set_options(const struct plan_mount *mount, int fd, struct err **err)
{
	cleanup_close int fs_fd = sys_fspick(fd, "", SYS_FSPICK_CLOEXEC | SYS_FSPICK_EMPTY_PATH);

	if (fs_fd < 0)
		return err_sys(err, E_MOUNT, errno, "fspick", mount->destination, mount->pointer);
	for (size_t i = 0; i < mount->option_count; i++) {
		const struct plan_option *option = &mount->options[i];
		unsigned int command = option->value ? SYS_FSCONFIG_SET_STRING : SYS_FSCONFIG_SET_FLAG;

		if (!is_settled(mount, option->key) && sys_fsconfig(fs_fd, command, option->key, option->value, 0) < 0)
			return err_sys(err, E_MOUNT, errno, "fsconfig", option->key, mount->pointer);
	}
	return sys_fsconfig(fs_fd, SYS_FSCONFIG_CMD_RECONFIGURE, NULL, NULL, 0) < 0
		       ? err_sys(err, E_MOUNT, errno, "fsconfig", mount->destination, mount->pointer) : 0;
}

/* Of a view; the host's or a bundle's is as it is. */
static int adjust_root(struct init *init, struct err **err)
{
	struct plan_option size = { "size", ROOTFS_VIEW_SIZE };
	const struct plan_mount root = { .destination = "/", .options = &size, .option_count = 1 };

	return init->plan->root.kind == ROOT_VIEW && !init->fds.by_lxc ? set_options(&root, init->root_fd, err) : 0;
}

/* And of a file of our own. */
static int adjust_cover(struct init *init, const struct plan_mount *mount, int fd, struct err **err)
{
	const struct sys_mount_attr attr = { .attr_set = DENY_COVER_ATTRS | SYS_ATTR_RDONLY };

	return mount_set(init, fd, 0, &attr) < 0
		       ? err_sys(err, E_MOUNT, errno, "mount_setattr", mount->destination, mount->pointer) : 0;
}

/* As natively (mounts.c, take_mode()) a tmpfs without a mode has that of the folder that it covers, and the engine has given it its own.
 * That folder is in sight in a copy of the one around it, without what is mounted further down. */
static int take_covered_mode(struct init *init, const struct plan_mount *mount, int fd, struct err **err)
{
	cleanup_free char *name = NULL;
	cleanup_close int parent = path_make_parent_in_root(init->root_fd, mount->destination, &name);
	cleanup_close int alone = parent < 0 ? parent : mount_clone(init, parent, "", 0);
	struct stat st;

	if (parent < 0)
		return err_sys(err, E_MOUNT, -parent, "openat2", mount->destination, mount->pointer);
	if (alone < 0)
		return err_sys(err, E_MOUNT, errno, "open_tree", mount->destination, mount->pointer);
	if (fstatat(alone, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(err, E_MOUNT, errno, "fstatat", mount->destination, mount->pointer);
	if (!S_ISDIR(st.st_mode))
		return err_set(err, E_UNSUPPORTED, 0, mount->pointer, "what mode the tmpfs has depends on a link at %s: give it one",
			       mount->destination);
	return fchmodat(fd, ".", st.st_mode & 07777, 0) < 0 ? err_sys(err, E_MOUNT, errno, "fchmodat", mount->destination, mount->pointer)
							    : 0;
}

/* It is of our own user namespace, so that no flag is locked. */
static int adjust_filesystem(struct init *init, const struct plan_mount *mount, int fd, struct err **err)
{
	const uint64_t all = SYS_ATTR_RDONLY | SYS_ATTR_NOSUID | SYS_ATTR_NODEV | SYS_ATTR_NOEXEC;
	struct sys_mount_attr attr = { .attr_set = mount->attr_set, .attr_clr = all & ~mount->attr_set };
	bool is_tmpfs = !strcmp(mount->fstype, "tmpfs");
	int r = is_tmpfs || !strcmp(mount->fstype, "devpts") ? set_options(mount, fd, err) : 0;

	if (r == 0 && is_tmpfs && !plan_mount_option(mount, "mode"))
		r = take_covered_mode(init, mount, fd, err);
	if (r < 0)
		return r;
	if (attr.attr_set & SYS_ATTR_ATIME_MASK)
		attr.attr_clr |= SYS_ATTR_ATIME_MASK;
	return mount_set(init, fd, 0, &attr) < 0
		       ? err_sys(err, E_MOUNT, errno, "mount_setattr", mount->destination, mount->pointer) : 0;
}

static int adjust_one(struct init *init, const struct plan_mount *mount, struct err **err)
{
	static int (*const adjust[])(struct init *, const struct plan_mount *, int, struct err **) = {
		[MOUNT_BIND] = adjust_bind, [MOUNT_FILESYSTEM] = adjust_filesystem, [MOUNT_DENY] = adjust_cover,
		[MOUNT_FILE] = adjust_cover,
	};
	cleanup_close int fd = open_mount(init, mount, err);

	return fd < 0 ? fd : adjust[mount->kind](init, mount, fd, err);
}

int adjust_mounts(struct init *init, struct err **err)
{
	const struct plan *plan = init->plan;
	int r = adjust_root(init, err);

	for (size_t i = 0; i < plan->mount_count && r == 0; i++) {
		const struct plan_mount *mount = &plan->mounts[i];

		if (is_covered(plan, mount))
			continue;
		if ((init->fds.by_lxc ? mount_is_left_by_lxc : mount_is_left)(mount))
			r = mounts_apply_step(init, mount, err);
		else if (is_mounted(mount))
			r = adjust_one(init, mount, err);
	}
	return r < 0 ? r : place_leave(init, err);
}

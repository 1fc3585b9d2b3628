/* mount.c - detached mounts and how they are attached, with the mount API of Linux 5.2 and 5.12.
 *
 * Both ends are descriptors (invariant 3): a name that changes between check and use has nothing to say.
 * These return -errno without words, because the caller knows which field it is about.
 */
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/sys.h"
#include "engine/native/mounts.h"

#define STATX_MNT_ID_BIT 0x1000u	/* STATX_MNT_ID, Linux 5.8 */
#define STATX_ATTR_MOUNT_ROOT_BIT 0x2000u	/* STATX_ATTR_MOUNT_ROOT, likewise */

#define VALUE_MAX 255u /* of a string of fsconfig(2) */

/* An overlay's lower folders, each by itself (Linux 6.7), where together they are too long, as podman's are when a part of an image is
 * mounted. Names with escapes are not for us to split. */
static int add_layers(int fs_fd, const char *layers)
{
	cleanup_free char *copy = strdup(layers);
	char *rest = copy, *layer;

	if (!copy)
		return -ENOMEM;
	while ((layer = strsep(&rest, ":")))
		if (sys_fsconfig(fs_fd, SYS_FSCONFIG_SET_STRING, "lowerdir+", layer, 0) < 0)
			return -errno;
	return 0;
}

static int set_option(int fs_fd, const struct plan_option *option)
{
	unsigned int command = option->value ? SYS_FSCONFIG_SET_STRING : SYS_FSCONFIG_SET_FLAG;

	if (option->value && strlen(option->value) > VALUE_MAX && !strcmp(option->key, "lowerdir") && !strchr(option->value, '\\'))
		return add_layers(fs_fd, option->value);
	return sys_fsconfig(fs_fd, command, option->key, option->value, 0) < 0 ? -errno : 0;
}

static int configure(int fs_fd, const char *source, const struct plan_option *options, size_t option_count,
		     const char **ret_refused)
{
	if (source && sys_fsconfig(fs_fd, SYS_FSCONFIG_SET_STRING, "source", source, 0) < 0)
		return -errno;
	for (size_t i = 0; i < option_count; i++) {
		int r = set_option(fs_fd, &options[i]);

		if (r < 0) {
			if (ret_refused)
				*ret_refused = options[i].key;
			return r;
		}
	}
	return sys_fsconfig(fs_fd, SYS_FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0 ? -errno : 0;
}

int mount_new_filesystem(struct init *init, const char *fstype, const char *source,
			 const struct plan_option *options, size_t option_count, unsigned int attrs,
			 const char **ret_refused)
{
	cleanup_close int fs_fd = -1;
	int r, fd;

	if (init->legacy.is_used)
		return legacy_new_filesystem(init, fstype, source, options, option_count, attrs);
	fs_fd = sys_fsopen(fstype, SYS_FSOPEN_CLOEXEC);
	if (fs_fd < 0)
		return -errno;
	r = configure(fs_fd, source, options, option_count, ret_refused);
	if (r < 0)
		return r;
	fd = sys_fsmount(fs_fd, SYS_FSMOUNT_CLOEXEC, attrs);
	return fd < 0 ? -errno : fd;
}

int mount_clone(struct init *init, int dir_fd, const char *path, unsigned int flags)
{
	if (init->legacy.is_used)
		return legacy_clone(init, dir_fd, path, flags);
	return sys_open_tree(dir_fd, path, SYS_OPEN_TREE_CLONE | SYS_OPEN_TREE_CLOEXEC | SYS_AT_EMPTY_PATH | flags);
}

int mount_attach(struct init *init, int tree_fd, int target_fd)
{
	if (init->legacy.is_used)
		return legacy_attach(init, tree_fd, target_fd);
	return sys_move_mount(tree_fd, "", target_fd, "",
			      SYS_MOVE_MOUNT_F_EMPTY_PATH | SYS_MOVE_MOUNT_T_EMPTY_PATH);
}

int mount_bind(struct init *init, int source_fd, int target_fd)
{
	cleanup_close int tree = -1;

	if (init->legacy.is_used)
		return legacy_bind(init, source_fd, target_fd);
	tree = mount_clone(init, source_fd, "", 0);
	return tree < 0 ? -1 : mount_attach(init, tree, target_fd);
}

int mount_set(struct init *init, int fd, unsigned int flags, const struct sys_mount_attr *attr)
{
	if (init->legacy.is_used)
		return legacy_set(init, fd, flags, attr);
	return sys_mount_setattr(fd, "", SYS_AT_EMPTY_PATH | flags, attr);
}

/* struct statx of the kernel up to stx_mnt_id (statx(2)); the C libraries differ in what they know of it. */
struct statx_head {
	uint32_t mask, block_size;
	uint64_t attributes;
	uint32_t links, uid, gid;
	uint16_t mode, unused;
	uint64_t ino, size, blocks, attributes_mask;
	uint32_t times[16];
	uint32_t rdev_major, rdev_minor, dev_major, dev_minor;
	uint64_t mount_id;
	uint64_t rest[13];
};
_Static_assert(offsetof(struct statx_head, mount_id) == 144, "struct statx");

#define STATX_TYPE_AND_INO 0x101u

static int look(int dir_fd, const char *name, struct statx_head *ret)
{
	int flags = *name ? AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT : SYS_AT_EMPTY_PATH;

	return syscall(SYS_statx, dir_fd, name, flags, STATX_MNT_ID_BIT | STATX_TYPE_AND_INO, ret) < 0 ? -errno : 0;
}

bool mount_identify(int fd, struct mount_identity *ret)
{
	struct statx_head head;

	if (look(fd, "", &head) < 0 || !(head.mask & STATX_MNT_ID_BIT))
		return false;
	ret->id = head.mount_id;
	ret->is_root = head.attributes & STATX_ATTR_MOUNT_ROOT_BIT;
	return true;
}

int mount_look_at(int dir_fd, const char *name, struct mount_object *ret)
{
	struct statx_head head;
	int r = look(dir_fd, name, &head);

	if (r == 0)
		*ret = (struct mount_object){
			.mount_id = head.mask & STATX_MNT_ID_BIT ? head.mount_id : 0,
			.dev = makedev(head.dev_major, head.dev_minor),
			.ino = head.ino,
			.mode = head.mode,
		};
	return r;
}

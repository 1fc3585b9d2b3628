/* devices.c - the nodes and links of /dev.
 *
 * mknodat in the verified directory; what is there already must be the very device (invariant 13). In a user namespace
 * the kernel makes no nodes, nor anywhere without CAP_MKNOD: the host's own is bound instead, opened before pivot_root.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"
#include "base/sys.h"
#include "engine/native/init.h"

static mode_t type_of(const struct plan_device *device)
{
	return device->type == 'b' ? S_IFBLK : device->type == 'p' ? S_IFIFO : S_IFCHR;
}

static bool is_device(int fd, const struct plan_device *device)
{
	struct stat st;

	return fstat(fd, &st) == 0 && (st.st_mode & S_IFMT) == type_of(device) &&
	       (device->type == 'p' || st.st_rdev == makedev(device->major, device->minor));
}

/* A device on a read-only mount is written to as on any; its node keeps the mode and owner that the host has given it, also where
 * root of the container is root of the host. */
static int bind_readonly(struct init *init, int source, int target)
{
	const struct sys_mount_attr readonly = { .attr_set = SYS_ATTR_RDONLY };
	cleanup_close int tree = mount_clone(init, source, "", 0);

	return tree < 0 || mount_set(init, tree, 0, &readonly) < 0 ? -1 : mount_attach(init, tree, target);
}

static int bind_host_device(struct init *init, const struct plan_device *device, int dir, const char *name, struct err **err)
{
	cleanup_close int source = open(device->path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	cleanup_close int target = -1;

	if (source < 0 || !is_device(source, device))
		return err_set(err, E_DEVICE, EPERM, device->pointer,
			       "device %s can't be made here, and the host has no such one to bind",
			       device->path);
	target = openat(dir, name, O_CREAT | O_EXCL | O_NOFOLLOW | O_WRONLY | O_CLOEXEC, 0600);
	if (target < 0)
		return err_sys(err, E_DEVICE, errno, "open", device->path, device->pointer);
	if (bind_readonly(init, source, target) < 0)
		return err_sys(err, E_DEVICE, errno, "bind mount", device->path, device->pointer);
	return 0;
}

static int check_existing(const struct plan_device *device, int dir, const char *name, struct err **err)
{
	cleanup_close int fd = openat(dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return err_sys(err, E_DEVICE, errno, "open", device->path, device->pointer);
	if (!is_device(fd, device))
		return err_set(err, E_DEVICE, EEXIST, device->pointer,
			       "%s exists and is not the device that was asked for", device->path);
	return 0;
}

/* The directory of the entry before, which mostly is that of the next one. */
struct place {
	const char *path;	/* of that entry; NULL at first */
	int dir;
};

static void place_done(struct place *place)
{
	fd_close_ptr(&place->dir);
}
#define cleanup_place __attribute__((cleanup(place_done)))

static size_t parent_length(const char *path)
{
	return (size_t)(strrchr(path, '/') - path);
}

/* path is absolute. Returns place->dir, or -errno; *ret_name is within path. */
static int place_enter(struct place *place, const struct init *init, const char *path, const char **ret_name)
{
	size_t len = parent_length(path);
	cleanup_free char *parent = NULL;

	*ret_name = path + len + 1;
	if (place->path && parent_length(place->path) == len && !memcmp(place->path, path, len))
		return place->dir;
	fd_close_ptr(&place->dir);
	place->path = NULL;
	parent = strndup(path, len ? len : 1);
	place->dir = parent ? path_make_in_root(init->root_fd, parent, PATH_MAKE_DIR) : -ENOMEM;
	if (place->dir >= 0)
		place->path = path;
	return place->dir;
}

static int make_node(struct init *init, struct place *place, const struct plan_device *device, struct err **err)
{
	const char *name;
	int dir = place_enter(place, init, device->path, &name);

	if (dir < 0)
		return err_sys(err, E_DEVICE, -dir, "open", device->path, device->pointer);
	/* the umask is 0 here, so the mode needs no chmod */
	if (mknodat(dir, name, type_of(device) | device->mode, makedev(device->major, device->minor)) < 0) {
		if (errno == EEXIST)
			return check_existing(device, dir, name, err);
		if (errno == EPERM) /* also in a user namespace that our caller made, as rootless podman does */
			return bind_host_device(init, device, dir, name, err);
		return err_sys(err, E_DEVICE, errno, "mknod", device->path, device->pointer);
	}
	if ((device->uid || device->gid) &&
	    fchownat(dir, name, device->uid, device->gid, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(err, E_DEVICE, errno, "chown", device->path, device->pointer);
	return 0;
}

/* A link that is there already stays; what else an image has as /dev/ptmx would open the host's terminals. */
static int replace_link(const struct plan_symlink *link, int dir, const char *name, struct err **err)
{
	struct stat st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(err, E_DEVICE, errno, "fstatat", link->path, NULL);
	if (strcmp(name, "ptmx") != 0) {
		if (S_ISLNK(st.st_mode))
			return 0;
		return err_set(err, E_DEVICE, EEXIST, NULL, "%s exists and is not a symbolic link", link->path);
	}
	if (unlinkat(dir, name, 0) < 0)
		return err_sys(err, E_DEVICE, errno, "unlink", link->path, NULL);
	if (symlinkat(link->target, dir, name) < 0)
		return err_sys(err, E_DEVICE, errno, "symlink", link->path, NULL);
	return 0;
}

static int make_link(struct init *init, struct place *place, const struct plan_symlink *link, struct err **err)
{
	const char *name;
	int dir = place_enter(place, init, link->path, &name);

	if (dir < 0)
		return err_sys(err, E_DEVICE, -dir, "open", link->path, NULL);
	if (symlinkat(link->target, dir, name) == 0)
		return 0;
	if (errno == EEXIST)
		return replace_link(link, dir, name, err);
	return err_sys(err, E_DEVICE, errno, "symlink", link->path, NULL);
}

int devices_make(struct init *init, struct err **err)
{
	cleanup_place struct place place = { .dir = -1 };
	const struct plan *plan = init->plan;
	int r = 0;

	for (size_t i = 0; i < plan->device_count && r == 0; i++)
		r = make_node(init, &place, &plan->devices[i], err);
	for (size_t i = 0; i < plan->dev_symlink_count && r == 0; i++)
		r = make_link(init, &place, &plan->dev_symlinks[i], err);
	return r;
}

static bool is_null(const struct stat *st)
{
	return S_ISCHR(st->st_mode) && st->st_rdev == makedev(1, 3);
}

/* Standard I/O that is the host's /dev/null becomes the container's: it would hold a mount of the host's, a container
 * with such a descriptor can't be checkpointed, and root of a sandbox could change its node's mode. */
int devices_reopen_null(struct init *init, struct err **err)
{
	cleanup_close int null_fd = -1;
	struct stat st;

	for (int fd = 0; fd < 3; fd++) {
		if (fstat(fd, &st) < 0 || !is_null(&st))
			continue;
		if (null_fd < 0)
			null_fd = path_open_in_root(init->root_fd, "/dev/null", O_RDWR | O_NOFOLLOW);
		if (null_fd < 0 || fstat(null_fd, &st) < 0 || !is_null(&st))
			return 0; /* a container without one keeps what it was given */
		if (dup2(null_fd, fd) < 0)
			return err_sys(err, E_DEVICE, errno, "dup2", "/dev/null", NULL);
	}
	return 0;
}

/* mounts_cgroup.c - the container's view of its own cgroups at /sys/fs/cgroup.
 *
 * v2: the cgroup2 file system, seen from the container's cgroup namespace. v1 and hybrid: a tmpfs with a
 * mount for each hierarchy that this process is in, under the controllers' names, as engines and runc lay it out. The process is in its
 * groups already and in its namespace, if it has one; without one its own group directories are bound, so that
 * nothing above them is in the view (invariant 32).
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"
#include "base/strbuf.h"
#include "base/sys.h"
#include "engine/native/mounts.h"

#define HOST_CGROUPS "/sys/fs/cgroup"
#define CGROUP2_MAGIC 0x63677270
#define PROC_FILE_MAX 65536

/* One line of /proc/self/cgroup: "4:memory:/path", "0::/path". Strings point into the line. */
struct hierarchy {
	char *controllers;	/* "" for v2 */
	char *path;
};

static bool parse_line(char *line, struct hierarchy *ret)
{
	char *first = strchr(line, ':');
	char *second = first ? strchr(first + 1, ':') : NULL;

	if (!second)
		return false;
	*second = 0;
	ret->controllers = first + 1;
	ret->path = second + 1;
	return true;
}

/* The directory's name: the controllers, without "name=" for a named hierarchy. */
static const char *directory_name(const struct hierarchy *h)
{
	if (!*h->controllers)
		return "unified";
	return strncmp(h->controllers, "name=", 5) ? h->controllers : h->controllers + 5;
}

static int new_cgroup_filesystem(struct init *init, const struct hierarchy *h, unsigned int attrs)
{
	struct plan_option options[16] = { { 0 } };
	char *words, *save = NULL;
	cleanup_free char *copy = strdup(h->controllers);
	size_t n = 0;

	if (!copy)
		return -ENOMEM;
	if (!*copy)
		return mount_new_filesystem(init, "cgroup2", "cgroup", NULL, 0, attrs, NULL);
	if (!strncmp(copy, "name=", 5)) {
		options[n++] = (struct plan_option){ "none", NULL };
		options[n++] = (struct plan_option){ "name", copy + 5 };
	} else {
		for (words = strtok_r(copy, ",", &save); words && n < array_size(options);
		     words = strtok_r(NULL, ",", &save))
			options[n++] = (struct plan_option){ words, NULL };
	}
	return mount_new_filesystem(init, "cgroup", "cgroup", options, n, attrs, NULL);
}

static int bind_own_group(struct init *init, const struct hierarchy *h, const char *mountpoint, unsigned int attrs)
{
	struct sys_mount_attr attr = { .attr_set = attrs };
	cleanup_strbuf struct strbuf path = STRBUF_INIT;
	cleanup_close int tree = -1;

	strbuf_printf(&path, "%s%s", mountpoint, h->path);
	tree = mount_clone(init, AT_FDCWD, strbuf_str(&path),
			   AT_SYMLINK_NOFOLLOW);
	if (tree < 0 || mount_set(init, tree, 0, &attr) < 0)
		return -errno;
	return take_fd(tree);
}

static int open_hierarchy(struct init *init, const struct hierarchy *h, const char *mountpoint, unsigned int attrs)
{
	/* In a cgroup namespace h->path says nothing about the host's mount: a bind would show all groups. */
	if (init->plan->namespaces[NS_CGROUP].mode != NS_HOST)
		return new_cgroup_filesystem(init, h, attrs);
	return bind_own_group(init, h, mountpoint, attrs);
}

static int attach_hierarchy(struct init *init, const struct plan_mount *mount, const struct hierarchy *h,
			    unsigned int attrs, struct err **err)
{
	cleanup_strbuf struct strbuf source = STRBUF_INIT, destination = STRBUF_INIT;
	cleanup_close int tree = -1, target = -1;
	struct plan_mount step = *mount;

	strbuf_printf(&source, HOST_CGROUPS "/%s", directory_name(h));
	strbuf_printf(&destination, "%s/%s", mount->destination, directory_name(h));
	if (source.failed || destination.failed)
		return err_nomem(err);
	step.destination = strbuf_str(&destination);
	tree = open_hierarchy(init, h, strbuf_str(&source), attrs);
	if (tree == -ENOENT)
		return 0;	/* the host has the hierarchy and does not show it */
	if (tree < 0)
		return err_sys(err, E_MOUNT, -tree, "fsmount", step.destination, mount->pointer);
	target = path_make_in_root(init->root_fd, step.destination, PATH_MAKE_DIR);
	if (target < 0)
		return err_sys(err, E_MOUNT, -target, "mkdir", step.destination, mount->pointer);
	return mounts_attach_verified(init, &step, tree, target, err);
}

/* "cpu,cpuacct" is found as "cpu" and as "cpuacct", too. */
static int link_controllers(struct init *init, const struct plan_mount *mount, const struct hierarchy *h,
			    struct err **err)
{
	cleanup_free char *copy = strdup(h->controllers);
	cleanup_close int dir = path_open_in_root(init->root_fd, mount->destination, O_PATH | O_DIRECTORY);
	char *save = NULL;

	if (!copy)
		return err_nomem(err);
	if (dir < 0)
		return err_sys(err, E_MOUNT, -dir, "openat2", mount->destination, mount->pointer);
	for (char *word = strtok_r(copy, ",", &save); word; word = strtok_r(NULL, ",", &save))
		if (symlinkat(h->controllers, dir, word) < 0 && errno != EEXIST)
			return err_sys(err, E_MOUNT, errno, "symlink", word, mount->pointer);
	return 0;
}

static int fill_v1(struct init *init, const struct plan_mount *mount, unsigned int attrs, struct err **err)
{
	cleanup_free char *text = NULL;
	char *save = NULL;
	int r = fd_read_file(AT_FDCWD, "/proc/self/cgroup", PROC_FILE_MAX, &text, NULL);

	if (r < 0)
		return err_sys(err, E_MOUNT, -r, "read", "/proc/self/cgroup", mount->pointer);
	for (char *line = strtok_r(text, "\n", &save); line && r == 0; line = strtok_r(NULL, "\n", &save)) {
		struct hierarchy h;

		if (!parse_line(line, &h))
			continue;
		r = attach_hierarchy(init, mount, &h, attrs, err);
		if (r == 0 && strchr(h.controllers, ','))
			r = link_controllers(init, mount, &h, err);
	}
	return r;
}

static int apply_v1(struct init *init, const struct plan_mount *mount, struct err **err)
{
	static const struct plan_option options[] = { { "mode", "0755" }, { "size", "64k" } };
	struct sys_mount_attr readonly = { .attr_set = SYS_ATTR_RDONLY };
	unsigned int attrs = (unsigned int)mount->attr_set;
	cleanup_close int target = path_make_in_root(init->root_fd, mount->destination, PATH_MAKE_DIR);
	cleanup_close int tree = -1;
	int r;

	if (target < 0)
		return err_sys(err, E_MOUNT, -target, "mkdir", mount->destination, mount->pointer);
	tree = mount_new_filesystem(init, "tmpfs", "tmpfs", options, array_size(options), attrs & ~SYS_ATTR_RDONLY, NULL);
	if (tree < 0)
		return err_sys(err, E_MOUNT, -tree, "fsmount", mount->destination, mount->pointer);
	r = mounts_attach_verified(init, mount, tree, target, err);
	if (r == 0)
		r = fill_v1(init, mount, attrs, err);
	if (r == 0 && (attrs & SYS_ATTR_RDONLY) && mount_set(init, tree, 0, &readonly) < 0)
		r = err_sys(err, E_MOUNT, errno, "mount_setattr", mount->destination, mount->pointer);
	return r;
}

static int apply_v2(struct init *init, const struct plan_mount *mount, struct err **err)
{
	cleanup_close int target = path_make_in_root(init->root_fd, mount->destination, PATH_MAKE_DIR);
	cleanup_free char *text = NULL;
	cleanup_close int tree = -1;
	struct hierarchy h;
	int r = fd_read_file(AT_FDCWD, "/proc/self/cgroup", PROC_FILE_MAX, &text, NULL);

	if (target < 0)
		return err_sys(err, E_MOUNT, -target, "mkdir", mount->destination, mount->pointer);
	if (r < 0)
		return err_sys(err, E_MOUNT, -r, "read", "/proc/self/cgroup", mount->pointer);
	text[strcspn(text, "\n")] = 0;
	if (!parse_line(text, &h))
		return err_set(err, E_MOUNT, 0, mount->pointer, "/proc/self/cgroup names no group");
	tree = open_hierarchy(init, &h, HOST_CGROUPS, (unsigned int)mount->attr_set);
	if (tree < 0)
		return err_sys(err, E_MOUNT, -tree, "fsmount", "cgroup2", mount->pointer);
	return mounts_attach_verified(init, mount, tree, target, err);
}

/* Where /sys is a recursive bind, the host's hierarchies lie below our view. Whoever gets the view away must find them
 * no more writable than the view was. */
static int protect_covered(struct init *init, const struct plan_mount *mount, struct err **err)
{
	struct sys_mount_attr readonly = { .attr_set = SYS_ATTR_RDONLY };
	cleanup_close int fd = path_open_in_root(init->root_fd, mount->destination, O_PATH);
	struct mount_identity identity;

	if (fd == -ENOENT || !(mount->attr_set & SYS_ATTR_RDONLY))
		return 0;
	if (fd < 0)
		return err_sys(err, E_MOUNT, -fd, "openat2", mount->destination, mount->pointer);
	if (!mount_identify(fd, &identity) || !identity.is_root)
		return 0;
	if (mount_set(init, fd, SYS_AT_RECURSIVE, &readonly) < 0)
		return err_sys(err, E_MOUNT, errno, "mount_setattr", mount->destination, mount->pointer);
	return 0;
}

/* The host's view is out of sight where another engine has made the mounts; then there is one hierarchy or more. */
static bool host_is_v2(const struct init *init)
{
	cleanup_free char *text = NULL;
	struct statfs host;

	if (init->root_is_entered)
		return fd_read_file(AT_FDCWD, "/proc/self/cgroup", PROC_FILE_MAX, &text, NULL) == 0 && !strncmp(text, "0::", 3);
	return statfs(HOST_CGROUPS, &host) == 0 && host.f_type == CGROUP2_MAGIC;
}

int mounts_apply_cgroup(struct init *init, const struct plan_mount *mount, struct err **err)
{
	bool is_v2 = host_is_v2(init);
	int r = protect_covered(init, mount, err);

	if (r < 0)
		return r;
	return is_v2 ? apply_v2(init, mount, err) : apply_v1(init, mount, err);
}

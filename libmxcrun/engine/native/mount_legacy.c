/* mount_legacy.c - the primitives of mount.c on kernels without the mount API (before Linux 5.12), by mount(2).
 *
 * A detached mount is one that waits on a tmpfs of ours, the stage, which lies on top of "/": there it hides no
 * path of the host, and it goes with the old root. mount(2) wants names; those of /proc/self/fd say
 * exactly which object is meant, also after pivot_root, so that nothing here depends on a name that somebody
 * else can change. What mount(2) can't do is refused.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/strbuf.h"
#include "base/sys.h"
#include "engine/native/mounts.h"
#include "host/mountinfo.h"

#define NAME_SIZE 24
#define STAGE_PREFIX "mxcrun-stage-"

/* Flags of a mount: as mount_setattr(2), mount(2) and statvfs(3) call them. */
static const struct { uint64_t attr; unsigned long mount, shown; } flag_rows[] = {
	{ SYS_ATTR_RDONLY, MS_RDONLY, ST_RDONLY },
	{ SYS_ATTR_NOSUID, MS_NOSUID, ST_NOSUID },
	{ SYS_ATTR_NODEV, MS_NODEV, 4 },
	{ SYS_ATTR_NOEXEC, MS_NOEXEC, 8 },
	{ SYS_ATTR_NODIRATIME, MS_NODIRATIME, 2048 },
	{ SYS_ATTR_NOSYMFOLLOW, 256 /* MS_NOSYMFOLLOW, Linux 5.10 */, 8192 },
	/* one field of three values in mount_setattr(2) */
	{ SYS_ATTR_NOATIME, MS_NOATIME, 1024 },
	{ SYS_ATTR_STRICTATIME, MS_STRICTATIME, 0 },
};

/* Does an attribute set hold the row's flag? The atime field is compared as a whole. */
static bool holds(uint64_t attrs, uint64_t flag)
{
	return flag & SYS_ATTR_ATIME_MASK ? (attrs & SYS_ATTR_ATIME_MASK) == flag : attrs & flag;
}

static unsigned long mount_flags(uint64_t attrs)
{
	unsigned long flags = 0;

	for (size_t i = 0; i < array_size(flag_rows); i++)
		if (holds(attrs, flag_rows[i].attr))
			flags |= flag_rows[i].mount;
	return flags;
}

/* ---- names for descriptors, and the stage ---- */

static bool has_mount_api(void)
{
	/* refused for its flags before it looks at anything else */
	return sys_mount_setattr(-1, "", ~0u, NULL) < 0 && errno != ENOSYS && errno != EPERM;
}

/* mount(2) with descriptors for source (-1: none) and target; returns as mount(2) does. */
static int mount_by_fds(struct init *init, int source_fd, int target_fd, unsigned long flags)
{
	cleanup_close int cwd = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	char source[NAME_SIZE], target[NAME_SIZE];
	int r, number;

	if (cwd < 0 || fchdir(init->legacy.fds_fd) < 0)
		return -1;
	snprintf(source, sizeof(source), "%d", source_fd);
	snprintf(target, sizeof(target), "%d", target_fd);
	r = mount(source_fd < 0 ? NULL : source, target, NULL, flags, NULL);
	number = errno;
	if (fchdir(cwd) < 0)
		return -1;
	errno = number;
	return r;
}

/* On top of "/" a lookup of "/.." arrives; everything else starts below it. */
static int open_stage(struct init *init)
{
	struct stat below, above;

	if (mount("mxcrun", "/", "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "size=64k,mode=0700") < 0)
		return -errno;
	init->legacy.stage_fd = open("/..", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (init->legacy.stage_fd < 0 || stat("/", &below) < 0 || fstat(init->legacy.stage_fd, &above) < 0)
		return -errno;
	return below.st_dev != above.st_dev ? 0 : -EXDEV;
}

int mount_legacy_open(struct init *init, struct err **err)
{
	int r;

	if (has_mount_api())
		return 0;
	/* the stage would travel to the host's peers */
	if (init->plan->root.propagation & MS_SHARED)
		return err_set(err, E_UNSUPPORTED, ENOSYS, "/linux/rootfsPropagation",
			       "a shared root needs a kernel with mount_setattr(2), Linux 5.12");
	init->legacy.is_used = true;
	init->legacy.fds_fd = open("/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (init->legacy.fds_fd < 0)
		return err_sys(err, E_ROOTFS, errno, "open", "/proc/self/fd", NULL);
	r = open_stage(init);
	return r < 0 ? err_sys(err, E_ROOTFS, -r, "mount", "stage of mounts", NULL) : 0;
}

/* A new file or directory to mount on. */
static int stage_name(struct init *init, bool is_directory, char name[static NAME_SIZE])
{
	cleanup_close int file = -1;

	snprintf(name, NAME_SIZE, STAGE_PREFIX "%u", init->legacy.count++);
	if (is_directory)
		return mkdirat(init->legacy.stage_fd, name, 0700);
	file = openat(init->legacy.stage_fd, name, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
	return file < 0 ? -1 : 0;
}

static int open_staged(const struct init *init, const char *name)
{
	return openat(init->legacy.stage_fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
}

/* ---- making and placing ---- */

int legacy_new_filesystem(struct init *init, const char *fstype, const char *source,
			  const struct plan_option *options, size_t option_count, unsigned int attrs)
{
	cleanup_close int cwd = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	cleanup_strbuf struct strbuf data = STRBUF_INIT;
	char name[NAME_SIZE];
	int r;

	for (size_t i = 0; i < option_count; i++)
		strbuf_printf(&data, "%s%s%s%s", i ? "," : "", options[i].key, options[i].value ? "=" : "",
			      options[i].value ? options[i].value : "");
	if (data.failed)
		return -ENOMEM;
	if (cwd < 0 || stage_name(init, true, name) < 0 || fchdir(init->legacy.stage_fd) < 0)
		return -errno;
	r = mount(source ? source : "none", name, fstype, mount_flags(attrs), strbuf_str(&data)) < 0 ? -errno : 0;
	if (fchdir(cwd) < 0)
		return -errno;
	if (r < 0)
		return r;
	r = open_staged(init, name);
	return r < 0 ? -errno : r;
}

int legacy_clone(struct init *init, int dir_fd, const char *path, unsigned int flags)
{
	cleanup_close int source = *path ? openat(dir_fd, path,
						  O_PATH | O_CLOEXEC | (flags & AT_SYMLINK_NOFOLLOW ? O_NOFOLLOW : 0)) :
					   fcntl(dir_fd, F_DUPFD_CLOEXEC, 3);
	cleanup_close int place = -1;
	char name[NAME_SIZE];
	struct stat st;

	if (source < 0 || fstat(source, &st) < 0 || stage_name(init, S_ISDIR(st.st_mode), name) < 0)
		return -1;
	place = open_staged(init, name);
	if (place < 0 ||
	    mount_by_fds(init, source, place, MS_BIND | (flags & SYS_AT_RECURSIVE ? MS_REC : 0)) < 0)
		return -1;
	return open_staged(init, name);
}

int legacy_attach(struct init *init, int tree_fd, int target_fd)
{
	return mount_by_fds(init, tree_fd, target_fd, MS_MOVE);
}

int legacy_bind(struct init *init, int source_fd, int target_fd)
{
	return mount_by_fds(init, source_fd, target_fd, MS_BIND);
}

/* ---- flags ---- */

static unsigned long wanted_flags(const struct statvfs *now, const struct sys_mount_attr *attr)
{
	unsigned long flags = 0;

	for (size_t i = 0; i < array_size(flag_rows); i++) {
		bool is_cleared = flag_rows[i].attr & SYS_ATTR_ATIME_MASK ? attr->attr_clr & SYS_ATTR_ATIME_MASK :
									    attr->attr_clr & flag_rows[i].attr;

		if (holds(attr->attr_set, flag_rows[i].attr) || (now->f_flag & flag_rows[i].shown && !is_cleared))
			flags |= flag_rows[i].mount;
	}
	return flags;
}

/* Old kernels drop flags that they don't know without a word. */
static int check_flags(int fd, unsigned long flags)
{
	struct statvfs st;

	if (fstatvfs(fd, &st) < 0)
		return -1;
	for (size_t i = 0; i < array_size(flag_rows); i++)
		if (flags & flag_rows[i].mount && flag_rows[i].shown && !(st.f_flag & flag_rows[i].shown)) {
			errno = EOPNOTSUPP;
			return -1;
		}
	return 0;
}

static int set_one(struct init *init, int fd, const struct sys_mount_attr *attr)
{
	struct statvfs now;
	unsigned long flags;

	if (attr->attr_set & SYS_ATTR_IDMAP) {
		errno = EOPNOTSUPP;
		return -1;
	}
	if (!attr->attr_set && !attr->attr_clr)
		return 0;
	if (fstatvfs(fd, &now) < 0)
		return -1;
	flags = wanted_flags(&now, attr);
	if (mount_by_fds(init, -1, fd, MS_REMOUNT | MS_BIND | flags) < 0)
		return -1;
	return check_flags(fd, flags);
}

struct below {
	struct init *init;
	int fd;
	const char *path; /* of fd, as mountinfo calls it */
	size_t len;
	const struct sys_mount_attr *attr;
};

static int set_below(const struct mountinfo *mount, void *data)
{
	const struct below *below = data;
	const char *rest = mount->mountpoint + below->len;
	cleanup_close int fd = -1;

	if (strncmp(mount->mountpoint, below->path, below->len) != 0 || *rest != '/' || !rest[1])
		return 0;
	fd = openat(below->fd, rest + 1, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT || errno == ENOTDIR ? 0 : -errno;	/* covered by another mount */
	return set_one(below->init, fd, below->attr) < 0 ? -errno : 0;
}

/* The path that the kernel shows for a descriptor; "" for "/". */
static int path_of(const struct init *init, int fd, char *buf, size_t size)
{
	char name[NAME_SIZE];
	ssize_t len;

	snprintf(name, sizeof(name), "%d", fd);
	len = readlinkat(init->legacy.fds_fd, name, buf, size - 1);
	if (len < 0)
		return -1;
	if (len == 1)
		len = 0;
	buf[len] = '\0';
	return 0;
}

static int set_all_below(struct init *init, int fd, const struct sys_mount_attr *attr)
{
	cleanup_free char *text = NULL;
	char path[PATH_MAX];
	struct below below = { .init = init, .fd = fd, .path = path, .attr = attr };
	int r;

	if (path_of(init, fd, path, sizeof(path)) < 0)
		return -1;
	below.len = strlen(path);
	r = fd_read_file(init->legacy.fds_fd, "../mountinfo", MOUNTINFO_SIZE_MAX, &text, NULL);
	if (r == 0)
		r = mountinfo_parse(text, set_below, &below);
	if (r < 0)
		errno = -r;
	return r < 0 ? -1 : 0;
}

int legacy_set(struct init *init, int fd, unsigned int flags, const struct sys_mount_attr *attr)
{
	bool is_recursive = flags & SYS_AT_RECURSIVE;

	if (attr->propagation &&
	    mount_by_fds(init, -1, fd, (unsigned long)attr->propagation | (is_recursive ? MS_REC : 0)) < 0)
		return -1;
	if (set_one(init, fd, attr) < 0)
		return -1;
	if (!is_recursive || (!attr->attr_set && !attr->attr_clr))
		return 0;
	return set_all_below(init, fd, attr);
}

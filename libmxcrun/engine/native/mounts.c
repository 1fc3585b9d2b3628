/* mounts.c - the mount steps of the plan, in order, below the new root.
 *
 * Each step makes a detached mount, gives it all its flags while nobody can see it, opens its target inside the
 * root (making it when missing), attaches, and looks the target up again: what is found there must be the
 * mount that was attached (invariant 3; CVE-2021-30465). cgroup views are in mounts_cgroup.c, denials in deny.c.
 */
#include "engine/native/mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"
#include "base/sys.h"

#define PROC_MAGIC 0x9fa0
#define OWN_FILE "f"
#define FILE_ATTRS (SYS_ATTR_NOSUID | SYS_ATTR_NODEV | SYS_ATTR_NOEXEC)

/* ---- verification ---- */

int mounts_changed(const struct plan_mount *mount, struct err **err)
{
	return err_set(err, E_MOUNT, EXDEV, mount->pointer,
		       "%s does not lead to what was mounted there: the root was changed meanwhile", mount->destination);
}

/* What is mounted on the root is the root of all that follows. */
static int replace_root(struct init *init, const struct plan_mount *mount, int tree_fd, struct err **err)
{
	int fd = fcntl(tree_fd, F_DUPFD_CLOEXEC, 3);

	if (fd < 0)
		return err_sys(err, E_MOUNT, errno, "fcntl", mount->destination, mount->pointer);
	fd_close_ptr(&init->root_fd);
	init->root_fd = fd;
	return 0;
}

int mounts_attach_verified(struct init *init, const struct plan_mount *mount, int tree_fd, int target_fd,
			   struct err **err)
{
	cleanup_close int found = -1;
	struct mount_identity attached, shown;

	if (mount_attach(init, tree_fd, target_fd) < 0)
		return err_sys(err, E_MOUNT, errno, "move_mount", mount->destination, mount->pointer);
	if (!mount->destination[1])
		return replace_root(init, mount, tree_fd, err);
	found = path_open_in_root(init->root_fd, mount->destination, O_PATH);
	if (found < 0)
		return err_sys(err, E_MOUNT, -found, "openat2", mount->destination, mount->pointer);
	if (!mount_identify(tree_fd, &attached) || !mount_identify(found, &shown))
		return 0;	/* before Linux 5.8: attaching by descriptor is what protects */
	return attached.id == shown.id ? 0 : mounts_changed(mount, err);
}

/* ---- targets ---- */

/* Only procfs on /proc and sysfs on /sys, each a real directory, and nothing below /proc (invariant 8). */
static int check_proc_and_sys(struct init *init, const struct plan_mount *mount, struct err **err)
{
	cleanup_close int fd = -1;
	struct stat st;

	if (!mount->fstype || (strcmp(mount->fstype, "proc") != 0 && strcmp(mount->fstype, "sysfs") != 0))
		return 0;
	fd = path_open_in_root(init->root_fd, mount->destination, O_PATH | O_NOFOLLOW);
	if (fd == -ENOENT)
		return 0;
	if (fd < 0)
		return err_sys(err, E_MOUNT, -fd, "openat2", mount->destination, mount->pointer);
	if (fstat(fd, &st) < 0)
		return err_sys(err, E_MOUNT, errno, "fstat", mount->destination, mount->pointer);
	if (!S_ISDIR(st.st_mode))
		return err_set(err, E_MOUNT, ENOTDIR, mount->pointer, "%s must be a directory, not a link",
			       mount->destination);
	return 0;
}

/* Asked of the opened target, because a link may lead there under another name. */
static int refuse_below_proc(const struct plan_mount *mount, int target_fd, struct err **err)
{
	struct statfs fs;
	static const char *const known[] = {
		"/proc/cpuinfo", "/proc/diskstats", "/proc/meminfo", "/proc/stat", "/proc/swaps", "/proc/uptime",
		"/proc/loadavg", "/proc/slabinfo", "/proc/net/dev", "/proc/sys/kernel/ns_last_pid",
		"/proc/sys/crypto/fips_enabled",
	};

	for (size_t i = 0; i < array_size(known); i++)
		if (!strcmp(mount->destination, known[i]))
			return 0;
	/* on what a granted / has there comes the sandbox's own */
	if (mount->kind == MOUNT_FILESYSTEM && !strcmp(mount->destination, "/proc"))
		return 0;
	if (fstatfs(target_fd, &fs) < 0)
		return err_sys(err, E_MOUNT, errno, "fstatfs", mount->destination, mount->pointer);
	if (fs.f_type != PROC_MAGIC)
		return 0;
	return err_set(err, E_MOUNT, EPERM, mount->pointer, "nothing may be mounted at %s, inside /proc",
		       mount->destination);
}

/* A bind of the host's own /proc or /sys there was judged when the plan was made. */
static int refuse_impostor(const struct plan_mount *mount, struct err **err)
{
	static const struct { const char *destination, *fstype; } rows[] = { { "/proc", "proc" }, { "/sys", "sysfs" } };

	for (size_t i = 0; i < array_size(rows); i++)
		if (mount->kind == MOUNT_FILESYSTEM && !strcmp(mount->destination, rows[i].destination) &&
		    strcmp(mount->fstype, rows[i].fstype) != 0)
			return err_set(err, E_MOUNT, EPERM, mount->pointer, "only %s may be mounted at %s, not %s",
				       rows[i].fstype, rows[i].destination, mount->fstype);
	return 0;
}

static int open_target(struct init *init, const struct plan_mount *mount, bool is_directory, struct err **err)
{
	int r = refuse_impostor(mount, err);
	cleanup_close int fd = -1;

	if (r == 0)
		r = check_proc_and_sys(init, mount, err);
	if (r < 0)
		return r;
	fd = path_make_in_root(init->root_fd, mount->destination, is_directory ? PATH_MAKE_DIR : PATH_MAKE_FILE);
	if (fd == -EISDIR || fd == -ENOTDIR)
		return err_set(err, E_MOUNT, -fd, mount->pointer, "the place %s %s", mount->destination,
			       fd == -EISDIR  ? "is a directory, and what is mounted there is a file"
			       : is_directory ? "is a file or below one, and what is mounted there is a directory"
					      : "is below a file");
	if (fd < 0)
		return err_sys(err, E_MOUNT, -fd, "open", mount->destination, mount->pointer);
	r = refuse_below_proc(mount, fd, err);
	return r < 0 ? r : take_fd(fd);
}

/* ---- flags ---- */

#define ATIME_FLAGS (SYS_ATTR_ATIME_MASK | SYS_ATTR_NODIRATIME)

/* Flags that a less privileged mount namespace may not drop from a mount that came with it. */
static uint64_t locked_flags(int fd)
{
	static const struct { unsigned long from; uint64_t to; } rows[] = {
		{ ST_RDONLY, SYS_ATTR_RDONLY }, { ST_NOSUID, SYS_ATTR_NOSUID }, { 4 /* ST_NODEV */, SYS_ATTR_NODEV },
		{ 8 /* ST_NOEXEC */, SYS_ATTR_NOEXEC }, { 1024 /* ST_NOATIME */, SYS_ATTR_NOATIME },
		{ 2048 /* ST_NODIRATIME */, SYS_ATTR_NODIRATIME },
	};
	struct statvfs st;
	uint64_t flags = 0;

	if (fstatvfs(fd, &st) < 0)
		return 0;
	for (size_t i = 0; i < array_size(rows); i++)
		if (st.f_flag & rows[i].from)
			flags |= rows[i].to;
	if (!(st.f_flag & (1024 | 4096 /* ST_RELATIME */)))
		flags |= SYS_ATTR_STRICTATIME;
	return flags;
}

/* How access times are kept can't be changed at all; the same again is no change. */
static int set_unlocked(struct init *init, int fd, const struct sys_mount_attr *wanted, unsigned int how)
{
	uint64_t locked = locked_flags(fd);
	struct sys_mount_attr attr = {
		.attr_set = wanted->attr_set & ~(uint64_t)ATIME_FLAGS, .attr_clr = wanted->attr_clr & ~locked & ~(uint64_t)ATIME_FLAGS,
	};
	uint64_t times = (locked & ATIME_FLAGS & ~wanted->attr_clr) | (wanted->attr_set & ATIME_FLAGS);

	if (times != (locked & ATIME_FLAGS))
		return -EPERM;
	return mount_set(init, fd, how, &attr) < 0 ? -errno : 0;
}

static int set_flags(struct init *init, int fd, uint64_t set, uint64_t clear, unsigned int how)
{
	struct sys_mount_attr attr = { .attr_set = set, .attr_clr = clear };

	if (!set && !clear)
		return 0;
	if (set & SYS_ATTR_ATIME_MASK)
		attr.attr_clr |= SYS_ATTR_ATIME_MASK;
	if (mount_set(init, fd, how, &attr) == 0)
		return 0;
	return errno == EPERM ? set_unlocked(init, fd, &attr, how) : -errno;
}

int mounts_set_flags(struct init *init, int fd, const struct plan_mount *mount, struct err **err)
{
	int r = set_flags(init, fd, mount->attr_set, plan_mount_cleared(mount), 0);

	if (r == 0)
		r = set_flags(init, fd, mount->attr_set_recursive, mount->attr_clear_recursive, SYS_AT_RECURSIVE);
	return r < 0 ? err_sys(err, E_MOUNT, -r, "mount_setattr", mount->destination, mount->pointer) : 0;
}

static int set_propagation(struct init *init, int fd, const struct plan_mount *mount, struct err **err)
{
	const unsigned long steps[] = { mount->propagation, mount->propagation2 };

	for (size_t i = 0; i < array_size(steps); i++) {
		struct sys_mount_attr attr = { .propagation = steps[i] & ~(unsigned long)MS_REC };
		unsigned int how = steps[i] & MS_REC ? SYS_AT_RECURSIVE : 0;

		if (steps[i] != PLAN_PROPAGATION_UNSET && mount_set(init, fd, how, &attr) < 0)
			return err_sys(err, E_MOUNT, errno, "mount_setattr", "propagation", mount->pointer);
	}
	return 0;
}

/* ---- the kinds ---- */

int mounts_look_at(const struct init *init, int tree, struct mount_object *ret)
{
	struct stat st;

	if (!init->legacy.is_used && mount_look_at(tree, "", ret) == 0)
		return 0;
	if (fstat(tree, &st) < 0)
		return -errno;
	*ret = (struct mount_object){ .dev = st.st_dev, .ino = st.st_ino, .mode = st.st_mode };
	return 0;
}

int mounts_check_identity(const struct plan_mount *mount, const struct mount_object *tree, struct err **err)
{
	if (!mount->source_dev && !mount->source_ino)
		return 0;
	if (mount->source_dev == tree->dev && mount->source_ino == tree->ino)
		return 0;
	return err_set(err, E_POLICY, ESTALE, mount->pointer,
		       "%s is no longer the object that the policy was checked for", mount->source);
}

static int make_symlink(struct init *init, const struct plan_mount *mount, const char *text, bool must_be_so,
			struct err **err)
{
	cleanup_free char *name = NULL;
	cleanup_close int dir = -1;
	char there[PATH_MAX];
	ssize_t len;
	int r;

	if (place_symlink(init, mount, text))
		return 0;
	r = place_leave(init, err);
	if (r < 0)
		return r;
	dir = path_make_parent_in_root(init->root_fd, mount->destination, &name);
	if (dir < 0)
		return err_sys(err, E_MOUNT, -dir, "open", mount->destination, mount->pointer);
	if (symlinkat(text, dir, name) == 0)
		return 0;
	if (errno != EEXIST)
		return err_sys(err, E_MOUNT, errno, "symlink", mount->destination, mount->pointer);
	len = must_be_so ? readlinkat(dir, name, there, sizeof(there)) : 0;
	if (!must_be_so || (len == (ssize_t)strlen(text) && !memcmp(there, text, (size_t)len)))
		return 0;
	return err_set(err, E_MOUNT, EEXIST, mount->pointer, "%s exists already, and is another thing than the link to \"%.128s\"",
		       mount->destination, text);
}

/* One that nobody asked for by name may be there already, as an image's own. */
static int apply_symlink(struct init *init, const struct plan_mount *mount, struct err **err)
{
	return make_symlink(init, mount, mount->source, mount->pointer != NULL, err);
}

/* copy-symlink: no mount, for nothing can be mounted over a link. 1: the source is none. */
static int copy_symlink(struct init *init, const struct plan_mount *mount, int source_fd, struct err **err)
{
	char text[PATH_MAX];
	ssize_t len = source_fd < 0 ? readlink(mount->source, text, sizeof(text) - 1) :
				      readlinkat(source_fd, "", text, sizeof(text) - 1);

	/* of a descriptor that is no link the kernel says ENOENT */
	if (len < 0)
		return errno == EINVAL || source_fd >= 0 ? 1 : err_sys(err, E_MOUNT, errno, "readlink", mount->source, mount->pointer);
	text[len] = '\0';
	return make_symlink(init, mount, text, true, err);
}

/* The parent has made the idmapped ones, in the order of the plan. */
static int open_bind_tree(struct init *init, const struct plan_mount *mount, int source_fd)
{
	const char *path = source_fd < 0 ? mount->source : "";
	unsigned int flags = mount->is_recursive ? SYS_AT_RECURSIVE : 0;
	size_t index = 0;
	int tree;

	if (mount->is_idmapped) {
		for (const struct plan_mount *other = init->plan->mounts; other < mount; other++)
			index += other->is_idmapped;
		tree = init->fds.idmapped[index];
		init->fds.idmapped[index] = -1;
		return tree;
	}
	if (source_fd < 0)
		source_fd = AT_FDCWD;
	tree = mount_clone(init, source_fd, path, flags);
	/* in a user namespace a tree with locked mounts below can only be cloned whole */
	if (tree < 0 && errno == EINVAL && !mount->is_recursive)
		tree = mount_clone(init, source_fd, path, flags | SYS_AT_RECURSIVE);
	return tree;
}

static int attach_tree(struct init *init, const struct plan_mount *mount, int tree, bool is_directory, struct err **err)
{
	cleanup_close int target = open_target(init, mount, is_directory, err);

	return target < 0 ? target : mounts_attach_verified(init, mount, tree, target, err);
}

static int apply_bind(struct init *init, const struct plan_mount *mount, struct err **err)
{
	cleanup_close int source = mount->is_idmapped ? -1 : source_take(init, mount);
	cleanup_close int tree = -1;
	struct mount_object object = { 0 };
	bool is_done = false;
	int r = mount->copy_symlink ? copy_symlink(init, mount, source, err) : 1;

	if (r <= 0)
		return r;
	tree = open_bind_tree(init, mount, source);
	if (tree < 0)
		return err_set(err, E_MOUNT, errno, mount->pointer, "the source of the bind mount at %s, %s",
			       mount->destination, mount->source);
	r = mounts_look_at(init, tree, &object);
	if (r < 0)
		return err_sys(err, E_MOUNT, -r, "statx", mount->source, mount->pointer);
	r = mounts_check_identity(mount, &object, err);
	if (r == 0)
		r = mounts_set_flags(init, tree, mount, err);
	if (r == 0)
		r = place_attach(init, mount, tree, &object, &is_done, err);
	if (r == 0 && !is_done)
		r = attach_tree(init, mount, tree, S_ISDIR(object.mode), err);
	if (r == 0)
		r = set_propagation(init, tree, mount, err);
	if (is_done)
		place_keep(init, &tree);
	return r;
}

static int fail_filesystem(const struct plan_mount *mount, const char *refused, int number, struct err **err)
{
	const struct plan_option *option = refused ? plan_mount_option(mount, refused) : NULL;
	const char *value = option ? option->value : NULL;
	int r;

	if (refused)
		r = err_set(err, E_MOUNT, number, mount->pointer, "%s does not take the option \"%s%s%s\"",
			    mount->fstype, refused, value ? "=" : "", value ? value : "");
	else if (number == ENODEV)
		r = err_set(err, E_MOUNT, number, mount->pointer, "this kernel has no file system of type \"%s\"", mount->fstype);
	else
		r = err_set(err, E_MOUNT, number, mount->pointer, "mounting the %s file system of \"%s\" at %s",
			    mount->fstype, mount->source, mount->destination);
	if (refused && !strcmp(refused, "context"))
		err_hint(err, "it is linux.mountLabel, and SELinux is not enabled on this host");
	if (number == EPERM && !strcmp(mount->fstype, "sysfs"))
		err_hint(err, "sysfs needs a network namespace of the container's own; bind /sys instead");
	if (number == EINVAL && !strcmp(mount->fstype, "devpts"))
		err_hint(err, "a gid option must be an id that the user namespace maps");
	return r;
}

/* init has one already, whose mount has these flags (procfs.c). */
static bool is_like_own_proc(const struct init *init, const struct plan_mount *mount)
{
	return init->proc_is_own && !strcmp(mount->fstype, "proc") && !strcmp(mount->source, "proc") && !mount->option_count &&
	       !mount->copy_up && mount->attr_set == PROCFS_ATTRS;
}

static int clone_own_proc(struct init *init, const struct plan_mount *mount, struct err **err)
{
	int tree = mount_clone(init, init->proc_fd, "", 0);

	return tree < 0 ? fail_filesystem(mount, NULL, errno, err) : tree;
}

/* A tmpfs whose mode nobody has given takes that of the folder that it covers, as under runc and crun; where there was none, the
 * file system's own. 1: it has one, in mode. */
static int take_mode(const struct init *init, const struct plan_mount *mount, char mode[8])
{
	cleanup_close int fd = -1;
	struct stat st;

	if (strcmp(mount->fstype, "tmpfs") != 0 || plan_mount_option(mount, "mode"))
		return 0;
	fd = path_open_in_root(init->root_fd, mount->destination, O_PATH);
	if (fd < 0 || fstat(fd, &st) < 0)
		return 0;
	snprintf(mode, 8, "%o", (unsigned int)st.st_mode & 07777);
	return 1;
}

static int new_filesystem(struct init *init, const struct plan_mount *mount, const char *mode, struct err **err)
{
	size_t count = mount->option_count;
	cleanup_free struct plan_option *options = NULL;
	uint64_t attrs = mount->attr_set & ~(uint64_t)(readonly_is_late(mount) ? SYS_ATTR_RDONLY : 0);
	const char *refused = NULL;
	int tree;

	if (is_like_own_proc(init, mount))
		return clone_own_proc(init, mount, err);
	options = calloc(count + 1, sizeof(*options));
	if (!options)
		return err_nomem(err);
	if (count)
		memcpy(options, mount->options, count * sizeof(*options));
	if (mode)
		options[count++] = (struct plan_option){ "mode", mode };
	tree = mount_new_filesystem(init, mount->fstype, mount->source, options, count, (unsigned int)attrs, &refused);
	return tree < 0 ? fail_filesystem(mount, refused, -tree, err) : tree;
}

static int apply_filesystem(struct init *init, const struct plan_mount *mount, struct err **err)
{
	char mode[8];
	bool has_mode = take_mode(init, mount, mode) > 0;
	cleanup_close int target = open_target(init, mount, true, err);
	cleanup_close int tree = -1;
	int r;

	if (target < 0)
		return target;
	tree = new_filesystem(init, mount, has_mode ? mode : NULL, err);
	if (tree < 0)
		return tree;
	if (mount->copy_up) {
		r = copyup_tree(target, tree, !plan_mount_option(mount, "uid"), !plan_mount_option(mount, "gid"));
		if (r < 0)
			return err_sys(err, E_MOUNT, -r, "tmpcopyup", mount->destination, mount->pointer);
	}
	r = set_flags(init, tree, mount->attr_set_recursive, mount->attr_clear_recursive, SYS_AT_RECURSIVE);
	if (r < 0)
		return err_sys(err, E_MOUNT, -r, "mount_setattr", mount->destination, mount->pointer);
	r = mounts_attach_verified(init, mount, tree, target, err);
	if (r == 0)
		r = set_propagation(init, tree, mount, err);
	return r == 0 && readonly_is_late(mount) ? readonly_remember(init, mount, err) : r;
}

static int apply_directory(struct init *init, const struct plan_mount *mount, struct err **err)
{
	cleanup_close int fd = path_make_in_root(init->root_fd, mount->destination, PATH_MAKE_DIR);

	return fd < 0 ? err_sys(err, E_MOUNT, -fd, "mkdir", mount->destination, mount->pointer) : 0;
}

static int apply_remount(struct init *init, const struct plan_mount *mount, struct err **err)
{
	cleanup_close int fd = path_open_in_root(init->root_fd, mount->destination, O_PATH);
	struct mount_identity identity;

	if (fd < 0)
		return err_sys(err, E_MOUNT, -fd, "openat2", mount->destination, mount->pointer);
	if (mount_identify(fd, &identity) && !identity.is_root)
		return err_set(err, E_MOUNT, EINVAL, mount->pointer, "%s is not mounted, so it can't be remounted",
			       mount->destination);
	return mounts_set_flags(init, fd, mount, err);
}

static int write_content(int tree, const struct plan_mount *mount, struct err **err)
{
	cleanup_close int file = openat(tree, OWN_FILE, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0444);
	int r = file < 0 ? -errno : fd_write_all(file, mount->content, strlen(mount->content));

	/* the umask has had its say */
	if (r == 0 && fchmod(file, 0444) < 0)
		r = -errno;
	return r < 0 ? err_sys(err, E_MOUNT, -r, "write", mount->destination, mount->pointer) : 0;
}

/* A file system for one file: the place where it is attached first (before Linux 6.15 nothing else can be cloned from) goes
 * with the old root. */
static int apply_file(struct init *init, const struct plan_mount *mount, struct err **err)
{
	static const struct plan_option options[] = { { "mode", "0555" } };
	cleanup_close int target = path_make_in_root(init->root_fd, mount->destination, PATH_MAKE_FILE);
	cleanup_close int tree = mount_new_filesystem(init, "tmpfs", "file", options, array_size(options), FILE_ATTRS, NULL);
	cleanup_close int place = openat(AT_FDCWD, MOUNT_WORK_PLACE, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct sys_mount_attr readonly = { .attr_set = SYS_ATTR_RDONLY };
	cleanup_close int clone = -1;
	int r;

	if (target < 0)
		return err_sys(err, E_MOUNT, -target, "openat2", mount->destination, mount->pointer);
	if (tree < 0)
		return err_sys(err, E_MOUNT, -tree, "fsmount", mount->destination, mount->pointer);
	r = write_content(tree, mount, err);
	if (r < 0)
		return r;
	if (place < 0 || mount_attach(init, tree, place) < 0)
		return err_sys(err, E_MOUNT, errno, "move_mount", mount->destination, mount->pointer);
	clone = mount_clone(init, tree, OWN_FILE, 0);
	if (clone < 0 || mount_set(init, clone, 0, &readonly) < 0)
		return err_sys(err, E_MOUNT, errno, "open_tree", mount->destination, mount->pointer);
	return mounts_attach_verified(init, mount, clone, target, err);
}

int mounts_apply_step(struct init *init, const struct plan_mount *mount, struct err **err)
{
	static int (*const apply[])(struct init *, const struct plan_mount *, struct err **) = {
		[MOUNT_BIND] = apply_bind, [MOUNT_FILESYSTEM] = apply_filesystem,
		[MOUNT_CGROUP] = mounts_apply_cgroup, [MOUNT_DENY] = deny_apply, [MOUNT_SYMLINK] = apply_symlink,
		[MOUNT_DIRECTORY] = apply_directory, [MOUNT_REMOUNT] = apply_remount, [MOUNT_FILE] = apply_file,
	};

	bool may_stay = mount->kind == MOUNT_BIND || mount->kind == MOUNT_SYMLINK;
	int r = may_stay && !mount->copy_symlink ? 0 : place_leave(init, err);

	return r < 0 ? r : apply[mount->kind](init, mount, err);
}

/* Some file systems show the network namespace of whoever mounts them, or reach a server by it. */
static bool needs_network(const struct plan_mount *mount)
{
	static const char *const others[] = { "proc", "tmpfs", "devpts", "mqueue" };

	if (mount->kind != MOUNT_FILESYSTEM)
		return false;
	for (size_t i = 0; i < array_size(others); i++)
		if (!strcmp(mount->fstype, others[i]))
			return false;
	return true;
}

int mounts_apply(struct init *init, struct err **err)
{
	int r = 0;

	for (size_t i = 0; i < init->plan->mount_count && r == 0; i++) {
		const struct plan_mount *mount = &init->plan->mounts[i];

		r = needs_network(mount) ? init_pass_gate(init, err) : 0;
		if (r == 0)
			r = mounts_apply_step(init, mount, err);
	}
	if (r == 0)
		r = place_leave(init, err);
	return r < 0 ? r : deny_finish(init, err);
}

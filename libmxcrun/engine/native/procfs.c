/* procfs.c - init's own procfs, and every write that goes through it (invariant 7).
 *
 * The instance is detached, at the latest with the old root, so nothing can be mounted over a file of it. Where the kernel allows no new
 * instance, "/proc" of the host is taken before the root changes, and each open refuses to cross a mount.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/sys.h"
#include "engine/native/mounts.h"

#define PROC_MAGIC 0x9fa0
#define PROC_ROOT_INODE 1
#define RESOLVE_STRICT (SYS_RESOLVE_BENEATH | SYS_RESOLVE_NO_SYMLINKS | SYS_RESOLVE_NO_XDEV)

int procfs_check(int fd)
{
	struct statfs fs;

	if (fstatfs(fd, &fs) < 0)
		return -errno;
	return fs.f_type == PROC_MAGIC ? 0 : -EXDEV;
}

static int check_same_instance(int fd, int proc_fd)
{
	struct stat file = { 0 }, root = { 0 };

	if (fstat(fd, &file) < 0 || fstat(proc_fd, &root) < 0)
		return -errno;
	return file.st_dev == root.st_dev ? procfs_check(fd) : -EXDEV;
}

int procfs_open_host(void)
{
	cleanup_close int fd = openat(AT_FDCWD, "/proc", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;
	int r;

	if (fd < 0)
		return -errno;
	r = procfs_check(fd);
	if (r < 0)
		return r;
	if (fstat(fd, &st) < 0)
		return -errno;
	return st.st_ino == PROC_ROOT_INODE ? take_fd(fd) : -EXDEV;
}

/* Whether any stage behind this one writes or looks there: an instance costs two system calls and a
 * descriptor. */
static bool is_needed(const struct plan *plan)
{
	return plan->sysctl_count || plan->process.has_oom_score_adj || plan->process.inner_userns ||
	       plan->policy.covers_are_idmapped || plan->policy.region_count || plan_has_time_offsets(plan);
}

/* Who closes the last descriptor of a mount that has no place in a tree takes that tree apart, and waits for an RCU grace
 * period: a sandbox's workload, which needs it to the last, would do so in its execve. In the old root it goes with that, in the
 * wait that there is anyhow, and is out of everybody's reach from then on. Not for plans with hooks, which want the host's /proc. */
static void leave_to_old_root(struct init *init, int proc_fd)
{
	cleanup_close int place = -1;

	if (!init->plan->process.inner_userns || init->legacy.is_used)
		return;
	place = openat(AT_FDCWD, MOUNT_WORK_PLACE, O_PATH | O_DIRECTORY | O_CLOEXEC);
	/* where that fails it waits; and an attached one only can be cloned before Linux 6.15 */
	init->proc_is_own = place >= 0 && mount_attach(init, proc_fd, place) == 0;
}

/* A new instance, attached nowhere; in a user namespace whose own /proc is covered in places, that one. *ret_is_new says which. */
static int open_private(struct init *init, bool *ret_is_new, struct err **err)
{
	int fd = mount_new_filesystem(init, "proc", "proc", NULL, 0, PROCFS_ATTRS, NULL);

	*ret_is_new = fd >= 0;
	if (fd == -EPERM)
		fd = procfs_open_host();
	if (fd < 0)
		return err_sys(err, E_HOST, -fd, "open", "/proc", NULL);
	init->proc_fd = fd;
	return 0;
}

int procfs_open(struct init *init, struct err **err)
{
	bool is_new = false;
	int r = is_needed(init->plan) ? open_private(init, &is_new, err) : 0;

	if (is_new)
		leave_to_old_root(init, init->proc_fd);
	return r;
}

/* For the maps of a user namespace that the process will make in the container, whose own may be covered or denied. */
int procfs_open_joined(struct init *init, struct err **err)
{
	bool is_new;

	return init->plan->process.inner_userns ? open_private(init, &is_new, err) : 0;
}

int procfs_take(struct init *init, struct err **err)
{
	int r = procfs_check(init->fds.proc);

	if (r < 0)
		return err_sys(err, E_HOST, -r, "fstatfs", "/proc", NULL);
	init->proc_fd = take_fd(init->fds.proc);
	return 0;
}

/* Names with ".." are refused: they'd stay beneath, but never mean what the config's author wrote. */
static int open_strict(int proc_fd, const char *path, int flags)
{
	cleanup_close int fd = -1;
	int r;

	if (path[0] == '/' || strstr(path, ".."))
		return -EINVAL;
	fd = sys_openat2(proc_fd, path, (uint64_t)flags | O_CLOEXEC, 0, RESOLVE_STRICT);
	if (fd < 0 && errno == ENOSYS)
		fd = openat(proc_fd, path, flags | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	r = check_same_instance(fd, proc_fd);
	return r < 0 ? r : take_fd(fd);
}

/* "self" tells our number in the pid namespace of this instance, which may be the host's. */
static int self_path(const struct init *init, const char *name, char *buf, size_t size)
{
	char pid[24];
	ssize_t len = readlinkat(init->proc_fd, "self", pid, sizeof(pid) - 1);
	int n;

	if (len < 0)
		return -errno;
	pid[len] = 0;
	n = snprintf(buf, size, "%s/%s", pid, name);
	return n > 0 && (size_t)n < size ? 0 : -ENAMETOOLONG;
}

/* While we aren't dumpable our files belong to id 0 of the user namespace that init was executed in, which
 * a process with another id can't open. Then, and only while it opens, it is dumpable: at that time
 * the container has no process but init's own. */
int procfs_open_self(const struct init *init, const char *name, int flags)
{
	char path[NAME_MAX] = "";
	int r = self_path(init, name, path, sizeof(path));
	int fd;

	if (r < 0)
		return r;
	fd = open_strict(init->proc_fd, path, flags);
	if (fd != -EACCES)
		return fd;
	if (prctl(PR_SET_DUMPABLE, 1) < 0)
		return -errno;
	fd = open_strict(init->proc_fd, path, flags);
	if (prctl(PR_SET_DUMPABLE, 0) == 0)
		return fd;
	r = -errno;
	fd_close_ptr(&fd);
	return r;
}

/* One write: the kernel takes these values whole or not at all. */
static int write_once(int fd, const char *text)
{
	size_t len = strlen(text);
	ssize_t n;

	do
		n = write(fd, text, len);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	return (size_t)n == len ? 0 : -EIO;
}

int procfs_write_self(const struct init *init, const char *name, const char *text)
{
	cleanup_close int fd = procfs_open_self(init, name, O_WRONLY);

	return fd < 0 ? fd : write_once(fd, text);
}

static int fail_sysctl(const struct plan_sysctl *sysctl, const char *path, int number, struct err **err)
{
	int r = err_sys(err, E_SYSCTL, number, "open", path, sysctl->pointer);

	if (number == ENOENT)
		err_hint(err, "this kernel has no such sysctl for a container, or the module that brings it is not loaded");
	if (number == EISDIR)
		err_hint(err, "it is a folder of sysctls: name one of them");
	return r;
}

static int write_sysctl(const struct init *init, const struct plan_sysctl *sysctl, struct err **err)
{
	cleanup_close int fd = -1;
	char path[PATH_MAX];
	int n = snprintf(path, sizeof(path), "sys/%s", sysctl->path);
	int r;

	if (n < 0 || (size_t)n >= sizeof(path))
		return err_sys(err, E_SYSCTL, ENAMETOOLONG, "open", sysctl->path, sysctl->pointer);
	fd = open_strict(init->proc_fd, path, O_WRONLY);
	if (fd < 0)
		return fail_sysctl(sysctl, path, -fd, err);
	r = write_once(fd, sysctl->value);
	return r < 0 ? err_set(err, E_SYSCTL, -r, sysctl->pointer, "the kernel does not take \"%s\"", sysctl->value) : 0;
}

static int set_oom_score(const struct init *init, struct err **err)
{
	const struct plan_process *process = &init->plan->process;
	char text[16];
	int r;

	if (!process->has_oom_score_adj)
		return 0;
	snprintf(text, sizeof(text), "%d", process->oom_score_adj);
	r = procfs_write_self(init, "oom_score_adj", text);
	if (r == -EACCES || r == -EPERM)
		return err_set(err, E_PROCESS, -r, "/process/oomScoreAdj",
			       "lowering oom_score_adj to %d needs CAP_SYS_RESOURCE", process->oom_score_adj);
	return r < 0 ? err_sys(err, E_PROCESS, -r, "write", "oom_score_adj", "/process/oomScoreAdj") : 0;
}

int procfs_apply(struct init *init, struct err **err)
{
	const struct plan *plan = init->plan;
	int r = 0;

	for (size_t i = 0; i < plan->sysctl_count && r == 0; i++)
		r = write_sysctl(init, &plan->sysctls[i], err);
	if (r == 0)
		r = set_oom_score(init, err);
	if (r == 0)
		r = time_set_offsets(init, err);
	/* a waiting init holds no directory (invariant 20); a sandbox's reaper closes it after the fork */
	if (!plan->process.inner_userns)
		fd_close_ptr(&init->proc_fd);
	return r;
}

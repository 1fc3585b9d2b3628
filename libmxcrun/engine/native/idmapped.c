/* idmapped.c - mounts whose ids are mapped (mount_setattr(2), Linux 5.12), made before the container exists.
 *
 * The kernel wants CAP_SYS_ADMIN where the file system was mounted, which a container's init need not have. So the
 * parent makes a detached copy with its map, and init, which inherits the descriptor, only attaches it. A
 * map is given as a user namespace; it is that of a child that lives just long enough to be written to.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/sys.h"
#include "engine/native/clone.h"
#include "engine/native/joined.h"
#include "engine/native/parent.h"

#define STACK_SIZE 4096

/* A process in a user namespace of its own that waits for the end of its parent, at the latest. */
struct holder {
	int read_fd, write_fd;
	pid_t pid;
	_Alignas(16) char stack[STACK_SIZE];
};

static int hold(void *data)
{
	struct holder *holder = data;
	char byte;

	(void)raw_call(SYS_close, holder->write_fd, 0, 0, 0, 0);
	(void)raw_call(SYS_read, holder->read_fd, (long)&byte, 1, 0, 0);
	return 0;
}

static int holder_start(struct holder *holder, const struct plan_mount *mount, struct err **err)
{
	struct sys_clone_args args = { .flags = CLONE_NEWUSER, .exit_signal = SIGCHLD };
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_sys(err, E_PROCESS, errno, "pipe2", NULL, mount->pointer);
	holder->read_fd = fds[0];
	holder->write_fd = fds[1];
	holder->pid = clone_run(&args, holder->stack, sizeof(holder->stack), hold, holder);
	return holder->pid < 0 ? err_sys(err, E_IDMAP, -holder->pid, "clone3", "a process in a user namespace", mount->pointer) : 0;
}

static void holder_done(struct holder *holder)
{
	int write_fd = holder->write_fd;

	/* it still reads its own number out of our memory, so the field stays */
	if (write_fd >= 0)
		close(write_fd);
	if (holder->pid > 0)
		while (waitpid(holder->pid, NULL, __WALL) < 0 && errno == EINTR)
			;
	fd_close_ptr(&holder->read_fd);
}
#define cleanup_holder __attribute__((cleanup(holder_done)))

static int make_map(const struct plan_mount *mount, const struct host_facts *facts, struct err **err)
{
	cleanup_holder struct holder holder = { .read_fd = -1, .write_fd = -1, .pid = -1 };
	char path[64];
	int fd, r = holder_start(&holder, mount, err);

	if (r == 0)
		r = idmap_write_mount(mount, facts, holder.pid, err);
	if (r < 0)
		return r;
	snprintf(path, sizeof(path), "/proc/%d/ns/user", (int)holder.pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? err_sys(err, E_IDMAP, errno, "open", path, mount->pointer) : fd;
}

/* The user namespace that stands for the mount's map. */
static int open_map(const struct plan *plan, const struct plan_mount *mount, const struct host_facts *facts, struct err **err)
{
	if (mount->maps->uids.count || mount->maps->gids.count)
		return make_map(mount, facts, err);
	return joined_open_one(&plan->namespaces[NS_USER], NS_USER, err);
}

static int fail_map(const struct plan_mount *mount, int number, struct err **err)
{
	int r = err_sys(err, E_MOUNT, number, "mount_setattr", mount->source, mount->pointer);

	if (number == EINVAL || number == ENOSYS)
		err_hint(err, "the kernel or the file system of %s knows no idmapped mounts", mount->source);
	else if (number == EPERM)
		err_hint(err, "only who may mount the file system of %s itself can map its ids", mount->source);
	return r;
}

/* The copy is made in the host's mount namespace, where it is a peer of its source: what the container mounts on it would
 * appear on the host. Init's own copies are slaves, as the root's propagation asks (rootfs.c). */
static int leave_peers(const struct plan *plan, int tree_fd)
{
	const struct sys_mount_attr attr = { .propagation = MS_SLAVE };

	if (plan->root.propagation & MS_SHARED)
		return 0;
	return sys_mount_setattr(tree_fd, "", SYS_AT_EMPTY_PATH | SYS_AT_RECURSIVE, &attr);
}

static int clone_tree(const struct plan *plan, const struct plan_mount *mount, int map_fd, struct err **err)
{
	const struct sys_mount_attr attr = { .attr_set = SYS_ATTR_IDMAP, .userns_fd = (uint64_t)map_fd };
	unsigned int flags = SYS_OPEN_TREE_CLONE | SYS_OPEN_TREE_CLOEXEC |
			     (mount->is_recursive ? SYS_AT_RECURSIVE : 0);
	cleanup_close int fd = sys_open_tree(AT_FDCWD, mount->source, flags);

	if (fd < 0)
		return err_sys(err, E_MOUNT, errno, "open_tree", mount->source, mount->pointer);
	if (sys_mount_setattr(fd, "", SYS_AT_EMPTY_PATH | (mount->idmap_is_recursive ? SYS_AT_RECURSIVE : 0), &attr) < 0)
		return fail_map(mount, errno, err);
	if (leave_peers(plan, fd) < 0)
		return err_sys(err, E_MOUNT, errno, "mount_setattr", "propagation", mount->pointer);
	return take_fd(fd);
}

static size_t count_idmapped(const struct plan *plan)
{
	size_t count = 0;

	for (size_t i = 0; i < plan->mount_count; i++)
		count += plan->mounts[i].is_idmapped;
	return count;
}

int idmapped_open(const struct plan *plan, const struct host_facts *facts, struct launch_fds *fds, struct err **err)
{
	size_t count = count_idmapped(plan);

	if (!count)
		return 0;
	fds->idmapped = calloc(count, sizeof(*fds->idmapped));
	if (!fds->idmapped)
		return err_nomem(err);
	for (size_t i = 0; i < plan->mount_count; i++) {
		cleanup_close int map_fd = -1;
		int tree;

		if (!plan->mounts[i].is_idmapped)
			continue;
		map_fd = open_map(plan, &plan->mounts[i], facts, err);
		if (map_fd < 0)
			return map_fd;
		tree = clone_tree(plan, &plan->mounts[i], map_fd, err);
		if (tree < 0)
			return tree;
		fds->idmapped[fds->idmapped_count++] = tree;
	}
	return 0;
}

void idmapped_close(struct launch_fds *fds)
{
	for (size_t i = 0; i < fds->idmapped_count; i++)
		close(fds->idmapped[i]);
	free(fds->idmapped);
	fds->idmapped = NULL;
	fds->idmapped_count = 0;
}

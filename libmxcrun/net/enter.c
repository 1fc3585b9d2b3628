/* enter.c - see enter.h.
 *
 * An ordinary user enters a network namespace only through the user namespace that owns it, and there is no way back
 * from that: so a child goes. It shares the descriptor table with us (CLONE_FILES), which makes its sockets ours.
 */
#include "net/enter.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/sys.h"

void net_namespace_close(struct net_namespace *namespaces)
{
	fd_close_ptr(&namespaces->user_fd);
	fd_close_ptr(&namespaces->net_fd);
}

/* The user namespace that owns the network namespace, which need not be that of the processes in there: a joined one
 * belongs to whoever made it. */
static int find_owner(const char *path, struct net_namespace *ret, struct err **err)
{
	ret->user_fd = ioctl(ret->net_fd, NS_GET_USERNS);
	if (ret->user_fd < 0)
		return err_sys(err, E_NETWORK, errno, "finding the owner of", path, NULL);
	/* the kernel refuses to enter a namespace where one is already */
	if (fd_is_file(ret->user_fd, "/proc/self/ns/user") > 0)
		fd_close_ptr(&ret->user_fd);
	return 0;
}

int net_namespace_open_path(const char *path, struct net_namespace *ret, struct err **err)
{
	ret->net_fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	return ret->net_fd < 0 ? err_sys(err, E_NETWORK, errno, "open", path, NULL) : find_owner(path, ret, err);
}

int net_namespace_open(pid_t pid, struct net_namespace *ret, struct err **err)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)pid);
	return net_namespace_open_path(path, ret, err);
}

int net_namespace_open_child(pid_t pid, int net_fd, struct net_namespace *ret, struct err **err)
{
	if (net_fd < 0)
		return net_namespace_open(pid, ret, err);
	ret->net_fd = fcntl(net_fd, F_DUPFD_CLOEXEC, 3);
	return ret->net_fd < 0 ? err_sys(err, E_NETWORK, errno, "fcntl", "network namespace", NULL)
			       : find_owner("the network namespace", ret, err);
}

bool net_namespace_is_own(const struct net_namespace *namespaces)
{
	return fd_is_file(namespaces->net_fd, "/proc/self/ns/net") > 0;
}

/* What the child leaves in a page that both see. */
struct result {
	const char *operation;
	int errnum;
};

static void open_inside(const struct net_namespace *namespaces, const struct net_setting *setting, struct net_socket *sockets,
			size_t count, struct result *result)
{
	result->operation = "setns";
	if ((namespaces->user_fd >= 0 && sys_setns(namespaces->user_fd, CLONE_NEWUSER) < 0) ||
	    sys_setns(namespaces->net_fd, CLONE_NEWNET) < 0) {
		result->errnum = errno;
		return;
	}
	if (setting)
		(void)fd_write_file(AT_FDCWD, setting->path, setting->value);
	result->operation = "socket";
	for (size_t i = 0; i < count && !result->errnum; i++) {
		sockets[i].fd = socket(sockets[i].domain, sockets[i].type | SOCK_CLOEXEC, sockets[i].protocol);
		if (sockets[i].fd < 0)
			result->errnum = errno;
	}
}

struct shared {
	struct result result;
	struct net_socket sockets[];
};

static int run_child(const struct net_namespace *namespaces, const struct net_setting *setting, struct shared *shared,
		     size_t count, struct err **err)
{
	struct sys_clone_args args = { .flags = CLONE_FILES, .exit_signal = SIGCHLD };
	int status = 0;
	pid_t pid = sys_clone3(&args);

	if (pid < 0)
		return err_sys(err, E_NETWORK, errno, "clone3", "the container's network", NULL);
	if (pid == 0) {
		open_inside(namespaces, setting, shared->sockets, count, &shared->result);
		_exit(0);
	}
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return err_sys(err, E_NETWORK, errno, "waitpid", "a process in the container's network", NULL);
	if (status)
		return err_set(err, E_NETWORK, EIO, NULL, "the process that opens sockets in the sandbox ended with %d", status);
	if (shared->result.errnum)
		return err_sys(err, E_NETWORK, shared->result.errnum, shared->result.operation,
			       "the sandbox's network namespace", NULL);
	return 0;
}

int net_sockets_open_set(const struct net_namespace *namespaces, const struct net_setting *setting, struct net_socket *sockets,
			 size_t count, struct err **err)
{
	size_t size = sizeof(struct shared) + count * sizeof(*sockets);
	struct shared *shared = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int r;

	if (shared == MAP_FAILED)
		return err_nomem(err);
	for (size_t i = 0; i < count; i++) {
		shared->sockets[i] = sockets[i];
		shared->sockets[i].fd = -1;
	}
	r = run_child(namespaces, setting, shared, count, err);
	for (size_t i = 0; i < count; i++) {
		sockets[i].fd = shared->sockets[i].fd;
		if (r < 0)
			fd_close_ptr(&sockets[i].fd);
	}
	munmap(shared, size);
	return r;
}

int net_sockets_open(const struct net_namespace *namespaces, struct net_socket *sockets, size_t count, struct err **err)
{
	return net_sockets_open_set(namespaces, NULL, sockets, count, err);
}

/* names.c - see names.h. A resolver has time limits of its own, and no way to be told of another: so a child asks, and is
 * killed when it takes too long. */
#include "host/names.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"

#define LOOK_UP_MS 15000
#define HOSTS_SIZE_MAX (1u << 20)
#define HOSTS_FILE "/etc/hosts"

static void take(const struct addrinfo *info, struct host_name *ret)
{
	struct host_address *address = &ret->addresses[ret->count];
	struct sockaddr_in6 v6;
	struct sockaddr_in v4;

	if (ret->count == HOST_NAME_ADDRESSES_MAX)
		return;
	if (info->ai_family == AF_INET && info->ai_addrlen >= sizeof(v4)) {
		memcpy(&v4, info->ai_addr, sizeof(v4));
		memcpy(address->bytes, &v4.sin_addr, 4);
	} else if (info->ai_family == AF_INET6 && info->ai_addrlen >= sizeof(v6)) {
		memcpy(&v6, info->ai_addr, sizeof(v6));
		memcpy(address->bytes, &v6.sin6_addr, 16);
		address->is_v6 = true;
	} else {
		return;
	}
	ret->count++;
}

static void ask(const char *name, int answer_fd)
{
	const struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM };
	struct addrinfo *list = NULL;
	struct host_name found = { 0 };

	if (getaddrinfo(name, NULL, &hints, &list) == 0)
		for (const struct addrinfo *info = list; info; info = info->ai_next)
			take(info, &found);
	_exit(write(answer_fd, &found, sizeof(found)) != (ssize_t)sizeof(found));
}

static void wait_for_answer(int fd, struct host_name *ret)
{
	struct pollfd answer = { .fd = fd, .events = POLLIN };
	struct host_name found;

	while (poll(&answer, 1, LOOK_UP_MS) < 0 && errno == EINTR)
		;
	if ((answer.revents & POLLIN) && read(fd, &found, sizeof(found)) == (ssize_t)sizeof(found)) {
		memcpy(ret->addresses, found.addresses, sizeof(ret->addresses));
		ret->count = found.count;
	}
}

static int read_hosts(struct arena *arena, struct host_name *ret, struct err **err)
{
	cleanup_free char *text = NULL;
	char path[PATH_MAX];
	int r = fd_read_file(AT_FDCWD, HOSTS_FILE, HOSTS_SIZE_MAX, &text, NULL);

	if (r < 0 || !realpath(HOSTS_FILE, path))
		return r == -ENOMEM ? err_nomem(err) : 0;
	ret->hosts_text = arena_strdup(arena, text);
	ret->hosts_path = arena_strdup(arena, path);
	return ret->hosts_text && ret->hosts_path ? 0 : err_nomem(err);
}

int host_name_look_up(struct arena *arena, const char *name, struct host_name *ret, struct err **err)
{
	cleanup_close int read_fd = -1, write_fd = -1;
	int pair[2];
	pid_t pid;

	*ret = (struct host_name){ .name = name };
	if (pipe2(pair, O_CLOEXEC) < 0)
		return err_sys(err, E_HOST, errno, "pipe2", NULL, NULL);
	read_fd = pair[0];
	write_fd = pair[1];
	pid = fork();
	if (pid < 0)
		return err_sys(err, E_HOST, errno, "fork", NULL, NULL);
	if (pid == 0)
		ask(name, write_fd);
	fd_close_ptr(&write_fd);
	wait_for_answer(read_fd, ret);
	(void)kill(pid, SIGKILL);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	return read_hosts(arena, ret, err);
}

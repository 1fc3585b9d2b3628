/* names.c - see names.h. A resolver has time limits of its own, and no way to be told of another: so for each name a child asks, and is
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
#include "base/sys.h"

#define LOOK_UP_MS 15000
#define HOSTS_SIZE_MAX (1u << 20)
#define HOSTS_FILE "/etc/hosts"

static void take(const struct addrinfo *info, struct host_name *ret)
{
	struct host_address *address = &ret->addresses[ret->count];
	struct sockaddr_in6 v6;
	struct sockaddr_in v4;

	ret->has_more |= ret->count == HOST_NAME_ADDRESSES_MAX;
	if (ret->has_more)
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

/* Who is asked for a name, and what he writes his answer to. */
struct asked {
	pid_t pid;
	int answer_fd;
};

static int start_asking(const char *name, struct asked *ret, struct err **err)
{
	cleanup_close int write_fd = -1;
	int pair[2];

	if (pipe2(pair, O_CLOEXEC) < 0)
		return err_sys(err, E_HOST, errno, "pipe2", "the resolver", NULL);
	ret->answer_fd = pair[0];
	write_fd = pair[1];
	ret->pid = fork();
	if (ret->pid < 0)
		return err_sys(err, E_HOST, errno, "fork", "the resolver", NULL);
	if (ret->pid == 0)
		ask(name, write_fd);
	return 0;
}

static void take_answer(int fd, int64_t until, struct host_name *ret)
{
	struct pollfd answer = { .fd = fd, .events = POLLIN };
	const char *name = ret->name;
	struct host_name found;
	int64_t left;

	do {
		left = until - sys_monotonic_ms();
	} while (poll(&answer, 1, left > 0 ? (int)left : 0) < 0 && errno == EINTR);
	if (!(answer.revents & POLLIN) || read(fd, &found, sizeof(found)) != (ssize_t)sizeof(found))
		return;
	*ret = found;
	ret->name = name;
}

static void stop_asking(struct asked *asked)
{
	fd_close_ptr(&asked->answer_fd);
	if (asked->pid <= 0)
		return;
	(void)kill(asked->pid, SIGKILL);
	while (waitpid(asked->pid, NULL, 0) < 0 && errno == EINTR)
		;
}

static int read_hosts(struct arena *arena, struct host_names *ret, struct err **err)
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

int host_names_look_up(struct arena *arena, const char *const *names, size_t count, struct host_names *ret, struct err **err)
{
	struct asked asked[HOST_NAMES_MAX];
	int64_t until = sys_monotonic_ms() + LOOK_UP_MS;
	size_t started = 0;
	int r = 0;

	if (count > HOST_NAMES_MAX)
		return err_set(err, E_UNSUPPORTED, E2BIG, "/network", "more than %u hosts by name can't be looked up", HOST_NAMES_MAX);
	*ret = (struct host_names){ .items = arena_array(arena, count, sizeof(*ret->items)) };
	if (count && !ret->items)
		return err_nomem(err);
	for (; started < count && r == 0; started++) {
		ret->items[started].name = names[started];
		asked[started] = (struct asked){ .pid = -1, .answer_fd = -1 };
		r = start_asking(names[started], &asked[started], err);
	}
	for (size_t i = 0; i < started; i++) {
		if (r == 0)
			take_answer(asked[i].answer_fd, until, &ret->items[i]);
		stop_asking(&asked[i]);
	}
	ret->count = started;
	return r < 0 ? r : read_hosts(arena, ret, err);
}

const struct host_name *host_names_find(const struct host_names *names, const char *name)
{
	for (size_t i = 0; i < names->count; i++)
		if (strcmp(names->items[i].name, name) == 0)
			return &names->items[i];
	return NULL;
}

const struct host_address *host_name_best(const struct host_name *name)
{
	const struct host_address *best = NULL;

	for (size_t i = 0; name && i < name->count; i++)
		if (!best || (best->is_v6 && !name->addresses[i].is_v6))
			best = &name->addresses[i];
	return best;
}

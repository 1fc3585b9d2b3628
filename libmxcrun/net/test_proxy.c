/* test_proxy.c - see test_proxy.h.
 *
 * It is for tests of clients, so it is simple before it is fast: a process for each connection, which may wait for its name and its peers, and
 * one more for the other direction. All end with the process that accepts, and that with the sandbox. Without a right of its own it is
 * fed by what it doesn't trust, as the relay is.
 */
#include "net/test_proxy.h"

#include <ctype.h>
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/image.h"
#include "base/strbuf.h"

#define HEAD_MAX (16u << 10)
#define PIECE (64u << 10)
#define CLIENTS_MAX 64u
#define SILENT_S 60

/* ---- who may be asked for ---- */

static bool has_host(const char *const *list, const char *host)
{
	for (; list && *list; list++)
		if (strcasecmp(*list, host) == 0)
			return true;
	return false;
}

bool test_proxy_allows(const struct net_test_proxy *rules, const char *host)
{
	if (has_host(rules->blocked, host))
		return false;
	if (rules->allowed && *rules->allowed)
		return has_host(rules->allowed, host);
	return rules->allows_by_default;
}

/* ---- requests ---- */

static bool copy_word(const char *from, size_t len, char *to, size_t size)
{
	if (len == 0 || len >= size)
		return false;
	for (size_t i = 0; i < len; i++)
		if (!isgraph((unsigned char)from[i]))
			return false;
	memcpy(to, from, len);
	to[len] = '\0';
	return true;
}

/* "host:port", "[::1]:port"; without a port the default one, if there is one. */
static bool take_authority(const char *text, size_t len, const char *default_port, struct test_proxy_request *ret)
{
	bool is_bracketed = len > 0 && text[0] == '[';
	const char *end = is_bracketed ? memchr(text, ']', len) : memchr(text, ':', len), *port;
	const char *host = text + is_bracketed;

	if (memchr(text, '@', len) || (is_bracketed && !end))
		return false;
	port = end ? end + is_bracketed : text + len;
	if (!copy_word(host, (size_t)((end ? end : text + len) - host), ret->host, sizeof(ret->host)))
		return false;
	if (port == text + len)
		return default_port && copy_word(default_port, strlen(default_port), ret->port, sizeof(ret->port));
	return *port == ':' && strspn(port + 1, "0123456789") >= (size_t)(text + len - port - 1) &&
	       copy_word(port + 1, (size_t)(text + len - port - 1), ret->port, sizeof(ret->port));
}

bool test_proxy_parse(const char *head, struct test_proxy_request *ret)
{
	static const char scheme[] = "http://";
	size_t line = strcspn(head, "\r\n"), method = strcspn(head, " "), target, authority;
	const char *at = head + method + 1;

	*ret = (struct test_proxy_request){ 0 };
	if (method >= line || !copy_word(head, method, ret->method, sizeof(ret->method)))
		return false;
	target = strcspn(at, " \r\n");
	if (at[target] != ' ')
		return false;
	ret->rest = at + target + 1;
	if (strcmp(ret->method, "CONNECT") == 0)
		return take_authority(at, target, NULL, ret);
	if (strncasecmp(at, scheme, strlen(scheme)) != 0)
		return false;
	at += strlen(scheme);
	target -= strlen(scheme);
	authority = strcspn(at, "/?# ");
	ret->target = at + authority;
	ret->target_len = target - authority;
	return take_authority(at, authority, "80", ret);
}

/* ---- one connection ---- */

static bool send_all(int fd, const char *data, size_t len)
{
	while (len) {
		ssize_t n = send(fd, data, len, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		data += n;
		len -= (size_t)n;
	}
	return true;
}

static void answer(int client, const char *status)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	strbuf_printf(&text, "HTTP/1.1 %s\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", status);
	if (!text.failed)
		(void)send_all(client, strbuf_str(&text), text.len);
}

/* The head's length with its empty line, or -1; what came behind it stays at its end. */
static ssize_t read_head(int client, char head[HEAD_MAX + 1], size_t *len)
{
	*len = 0;
	while (*len < HEAD_MAX) {
		ssize_t n = recv(client, head + *len, HEAD_MAX - *len, 0);
		const char *end;

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return -1;
		*len += (size_t)n;
		head[*len] = '\0';
		end = strstr(head, "\r\n\r\n");
		if (end)
			return end - head + 4;
	}
	return -1;
}

static int connect_to(const struct test_proxy_request *request)
{
	const struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM };
	struct addrinfo *list = NULL;
	int fd = -1;

	if (getaddrinfo(request->host, request->port, &hints, &list) != 0)
		return -1;
	for (const struct addrinfo *info = list; info && fd < 0; info = info->ai_next) {
		fd = socket(info->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (fd >= 0 && connect(fd, info->ai_addr, info->ai_addrlen) < 0)
			fd_close_ptr(&fd);
	}
	freeaddrinfo(list);
	return fd;
}

/* As the server wants it: a path instead of a URL, nothing that was meant for the proxy, and one request a connection, since the next
 * might be for another host. */
static bool send_request(int server, const struct test_proxy_request *request)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	strbuf_printf(&text, "%s %s%.*s %.*s\r\n", request->method, request->target_len && *request->target == '/' ? "" : "/",
		      (int)request->target_len, request->target, (int)strcspn(request->rest, "\r\n"), request->rest);
	for (const char *line = strstr(request->rest, "\r\n"); line; line = strstr(line, "\r\n")) {
		size_t len = strcspn(line += 2, "\r\n");

		if (len && strncasecmp(line, "Proxy-", 6) != 0 && strncasecmp(line, "Connection:", 11) != 0)
			strbuf_printf(&text, "%.*s\r\n", (int)len, line);
	}
	strbuf_puts(&text, "Connection: close\r\n\r\n");
	return !text.failed && send_all(server, strbuf_str(&text), text.len);
}

char test_proxy_piece[PIECE] LARGE_ZEROS;

static void carry(int from, int to)
{
	ssize_t n;

	while ((n = recv(from, test_proxy_piece, PIECE, 0)) > 0 || (n < 0 && errno == EINTR))
		if (n > 0 && !send_all(to, test_proxy_piece, (size_t)n))
			break;
	(void)shutdown(to, SHUT_WR);
}

static void limit_silence(int fd)
{
	const struct timeval limit = { .tv_sec = SILENT_S };

	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
}

static void carry_both(int client, int server)
{
	pid_t up = fork();

	if (up == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		carry(client, server);
		_exit(0);
	}
	carry(server, client);
	if (up > 0)
		(void)kill(up, SIGKILL);
}

static void serve_client(int client, const struct net_test_proxy *rules)
{
	char head[HEAD_MAX + 1];
	struct test_proxy_request request;
	size_t len;
	ssize_t end;
	int server;

	limit_silence(client);
	end = read_head(client, head, &len);
	if (end < 2) {
		answer(client, "400 Bad Request");
		return;
	}
	head[end - 2] = '\0';
	if (!test_proxy_parse(head, &request)) {
		answer(client, "400 Bad Request");
		return;
	}
	if (!test_proxy_allows(rules, request.host)) {
		answer(client, "403 Forbidden");
		return;
	}
	server = connect_to(&request);
	if (server < 0) {
		answer(client, "502 Bad Gateway");
		return;
	}
	limit_silence(server);
	if (request.target ? send_request(server, &request) : send_all(client, "HTTP/1.1 200 Connection established\r\n\r\n", 39))
		if (send_all(server, head + end, len - (size_t)end))
			carry_both(client, server);
}

/* ---- all of them ---- */

static void accept_one(int listener, const struct net_test_proxy *rules, size_t *clients)
{
	int client = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	pid_t starter = getpid(), pid;

	if (client < 0)
		return;
	pid = *clients < CLIENTS_MAX ? fork() : -1;
	if (pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() == starter)
			serve_client(client, rules);
		_exit(0);
	}
	*clients += pid > 0;
	fd_close_ptr(&client);
}

int test_proxy_serve(const int *listeners, size_t count, const struct net_test_proxy *rules, int life_fd)
{
	struct pollfd fds[NET_PROXY_LISTEN_MAX + 1] = { { .fd = life_fd, .events = POLLIN } };
	size_t clients = 0;

	for (size_t i = 0; i < count; i++)
		fds[i + 1] = (struct pollfd){ .fd = listeners[i], .events = POLLIN };
	for (;;) {
		if (poll(fds, count + 1, clients ? 1000 : -1) < 0 && errno != EINTR)
			return 1;
		if (fds[0].revents)
			return 0;
		while (clients && waitpid(-1, NULL, WNOHANG) > 0)
			clients--;
		for (size_t i = 0; i < count; i++)
			if (fds[i + 1].revents & POLLIN)
				accept_one(listeners[i], rules, &clients);
	}
}

/* agent.c - the supervisor of a notifying seccomp filter, for the functional tests.
 *
 *     agent SOCKET ERRNO
 *
 * Listens on the Unix socket, takes one message with one descriptor, prints the message and a newline, and answers each
 * call that is notified with ERRNO (0: it may go on), until the last process under the filter is gone.
 */
#include <errno.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static void die(const char *what)
{
	fprintf(stderr, "agent: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int accept_one(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), connection;

	if (strlen(path) >= sizeof(address.sun_path)) {
		errno = ENAMETOOLONG;
		die(path);
	}
	strcpy(address.sun_path, path);
	if (listener < 0 || bind(listener, (void *)&address, sizeof(address)) < 0 || listen(listener, 1) < 0)
		die(path);
	connection = accept(listener, NULL, NULL);
	if (connection < 0)
		die("accept");
	return connection;
}

static int receive_listener(int connection)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control;
	char text[65536];
	struct iovec data = { .iov_base = text, .iov_len = sizeof(text) };
	struct msghdr message = {
		.msg_iov = &data, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control),
	};
	ssize_t len = recvmsg(connection, &message, MSG_CMSG_CLOEXEC);
	int fd;

	if (len <= 0 || !CMSG_FIRSTHDR(&message) || CMSG_FIRSTHDR(&message)->cmsg_type != SCM_RIGHTS)
		die("no descriptor came");
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(fd));
	printf("%.*s\n", (int)len, text);
	fflush(stdout);
	return fd;
}

/* False when nobody is left under the filter. */
static int answer_one(int fd, int errnum)
{
	struct pollfd ready = { .fd = fd, .events = POLLIN };
	struct seccomp_notif call = { 0 };
	struct seccomp_notif_resp answer = { 0 };

	if (poll(&ready, 1, -1) < 0 || !(ready.revents & POLLIN))
		return 0;
	if (ioctl(fd, SECCOMP_IOCTL_NOTIF_RECV, &call) < 0)
		return errno == ENOENT;
	answer.id = call.id;
	answer.error = -errnum;
	answer.flags = errnum ? 0 : SECCOMP_USER_NOTIF_FLAG_CONTINUE;
	return ioctl(fd, SECCOMP_IOCTL_NOTIF_SEND, &answer) == 0 || errno == ENOENT;
}

int main(int argc, char **argv)
{
	int fd;

	if (argc != 3) {
		fprintf(stderr, "usage: agent SOCKET ERRNO\n");
		return 2;
	}
	fd = receive_listener(accept_one(argv[1]));
	while (answer_one(fd, atoi(argv[2])))
		;
	return 0;
}

/* recvtty.c - the other end of --console-socket, for the functional tests.
 *
 *     recvtty SOCKET
 *
 * Listens on the Unix socket, takes one descriptor from the first connection, checks that it is a
 * terminal, prints "name NAME" with the name that came beside it, "size ROWS COLUMNS", and then whatever is
 * written to the terminal, until its last user is gone. Its standard input is copied to the terminal.
 */
#include <errno.h>
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
	fprintf(stderr, "recvtty: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int accept_one(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int listener, connection;

	if (strlen(path) >= sizeof(address.sun_path)) {
		errno = ENAMETOOLONG;
		die(path);
	}
	strcpy(address.sun_path, path);
	listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (listener < 0 || bind(listener, (void *)&address, sizeof(address)) < 0 || listen(listener, 1) < 0)
		die(path);
	connection = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	if (connection < 0)
		die("accept");
	close(listener);
	return connection;
}

static int receive_terminal(int connection)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control;
	char name[256] = "";
	struct iovec data = { .iov_base = name, .iov_len = sizeof(name) - 1 };
	struct msghdr message = {
		.msg_iov = &data, .msg_iovlen = 1,
		.msg_control = &control, .msg_controllen = sizeof(control),
	};
	struct cmsghdr *part;
	int terminal;

	if (recvmsg(connection, &message, MSG_CMSG_CLOEXEC) < 0)
		die("recvmsg");
	part = CMSG_FIRSTHDR(&message);
	if (!part || part->cmsg_type != SCM_RIGHTS || part->cmsg_len != CMSG_LEN(sizeof(int))) {
		errno = EPROTO;
		die("no descriptor came");
	}
	memcpy(&terminal, CMSG_DATA(part), sizeof(terminal));
	if (!isatty(terminal))
		die("not a terminal");
	printf("name %s\n", name);
	return terminal;
}

/* One read from a ready descriptor written to another; false at its end. */
static int copy(int from, int to)
{
	char buffer[4096];
	ssize_t len = read(from, buffer, sizeof(buffer));

	return len > 0 && write(to, buffer, (size_t)len) == len;
}

int main(int argc, char **argv)
{
	struct winsize size = { 0 };
	struct pollfd fds[2] = { { .events = POLLIN }, { .fd = STDIN_FILENO, .events = POLLIN } };

	if (argc != 2) {
		fprintf(stderr, "usage: recvtty SOCKET\n");
		return 2;
	}
	fds[0].fd = receive_terminal(accept_one(argv[1]));
	ioctl(fds[0].fd, TIOCGWINSZ, &size);
	printf("size %u %u\n", size.ws_row, size.ws_col);
	fflush(stdout);
	while (poll(fds, 2, -1) > 0) {
		if (fds[0].revents && !copy(fds[0].fd, STDOUT_FILENO))
			break;
		if (fds[1].revents && !copy(STDIN_FILENO, fds[0].fd))
			fds[1].fd = -1;
	}
	return 0;
}

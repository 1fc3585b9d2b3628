/* console.c - see console.h.
 *
 * Our standard I/O may be shared with other processes, so it is never made non-blocking: a
 * descriptor is read or written only after poll(2) said so, and at most PIPE_BUF bytes at a time.
 * The master is ours alone and non-blocking.
 */

#include "lifecycle/console.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/unix.h"

#define MASTER_WAIT_MS 10000
#define DRAIN_ROUNDS 4096 /* 16 MiB at most */

/* ---- the socket ---- */

int console_connect(const char *path, struct err **err)
{
	int fd = unix_connect(path);

	if (fd >= 0)
		return fd;
	fd = err_sys(err, E_TERMINAL, -fd, "connect", path, NULL);
	err_hint(err, "whoever is to get the terminal or the pidfd must listen there already");
	return fd;
}

int console_prepare(struct console *console, int *ret_child_fd, struct err **err)
{
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
		return err_sys(err, E_TERMINAL, errno, "socketpair", "console socket", NULL);
	console->socket_fd = fds[0];
	*ret_child_fd = fds[1];
	return 0;
}

int console_send(int socket_fd, int master_fd, struct err **err)
{
	char name[32];
	unsigned int number;
	int r;

	if (ioctl(master_fd, TIOCGPTN, &number) < 0)
		return err_sys(err, E_TERMINAL, errno, "ioctl(TIOCGPTN)", "pty", NULL);
	snprintf(name, sizeof(name), "/dev/pts/%u", number);
	r = unix_send_fd(socket_fd, name, strlen(name), master_fd);
	return r < 0 ? err_sys(err, E_TERMINAL, -r, "sendmsg", "console socket", NULL) : 0;
}

/* One message with one descriptor. */
static int receive_descriptor(int socket_fd)
{
	union {
		char buf[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control;
	char name[4096];
	struct iovec iov = { .iov_base = name, .iov_len = sizeof(name) };
	struct msghdr message = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.buf,
		.msg_controllen = sizeof(control.buf),
	};
	struct pollfd pfd = { .fd = socket_fd, .events = POLLIN };
	struct cmsghdr *header;
	int fd;

	if (poll(&pfd, 1, MASTER_WAIT_MS) <= 0)
		return -ETIMEDOUT;
	if (recvmsg(socket_fd, &message, MSG_CMSG_CLOEXEC) < 0)
		return -errno;
	header = CMSG_FIRSTHDR(&message);
	if (!header || header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS ||
	    header->cmsg_len != CMSG_LEN(sizeof(int)))
		return -EPROTO;
	memcpy(&fd, CMSG_DATA(header), sizeof(fd));
	return fd;
}

/* ---- our terminal ---- */

void console_resize(const struct console *console)
{
	struct winsize size;

	if (console->master_fd >= 0 && ioctl(STDIN_FILENO, TIOCGWINSZ, &size) == 0)
		ioctl(console->master_fd, TIOCSWINSZ, &size);
}

/* Nobody here is a terminal, so a line ends as the workload ended it, without the return that only a terminal needs: as by runc. */
static void pass_plainly(int master_fd)
{
	struct termios termios;

	if (tcgetattr(master_fd, &termios) < 0)
		return;
	termios.c_oflag &= ~(tcflag_t)ONLCR;
	(void)tcsetattr(master_fd, TCSANOW, &termios);
}

int console_attach(struct console *console, struct err **err)
{
	struct termios raw;
	int flags;

	console->master_fd = receive_descriptor(console->socket_fd);
	if (console->master_fd < 0)
		return err_sys(err, E_TERMINAL, -console->master_fd, "recvmsg", "console socket",
			       NULL);
	fd_close_ptr(&console->socket_fd);
	flags = fcntl(console->master_fd, F_GETFL);
	if (flags < 0 || fcntl(console->master_fd, F_SETFL, flags | O_NONBLOCK) < 0)
		return err_sys(err, E_TERMINAL, errno, "fcntl", "console", NULL);

	if (tcgetattr(STDIN_FILENO, &console->saved) < 0) {
		pass_plainly(console->master_fd);
		return 0;
	}
	console_resize(console);
	raw = console->saved;
	cfmakeraw(&raw);
	if (tcsetattr(STDIN_FILENO, TCSANOW, &raw) < 0)
		return err_sys(err, E_TERMINAL, errno, "tcsetattr", "standard input", NULL);
	console->is_raw = true;
	return 0;
}

void console_done(struct console *console)
{
	if (console->is_raw)
		tcsetattr(STDIN_FILENO, TCSADRAIN, &console->saved);
	console->is_raw = false;
	fd_close_ptr(&console->socket_fd);
	fd_close_ptr(&console->master_fd);
}

/* ---- the relay ---- */

static bool is_transient(int error)
{
	return error == EAGAIN || error == EINTR;
}

static void fill(struct console_buffer *buffer, int fd)
{
	ssize_t len;

	if (buffer->len > 0 || buffer->is_closed)
		return;
	len = read(fd, buffer->data, sizeof(buffer->data));
	buffer->start = 0;
	if (len > 0)
		buffer->len = (size_t)len;
	else if (len == 0 || !is_transient(errno))
		buffer->is_closed = true; /* EIO: the last process has closed the terminal */
}

/* Where nobody takes the bytes they are dropped, so that the container goes on. */
static void empty(struct console_buffer *buffer, int fd)
{
	ssize_t len = write(fd, buffer->data + buffer->start, buffer->len);

	if (len < 0 && is_transient(errno))
		return;
	if (len < 0) {
		buffer->len = 0;
		return;
	}
	buffer->start += (size_t)len;
	buffer->len -= (size_t)len;
}

static struct pollfd watch(int fd, short events, bool is_wanted)
{
	return (struct pollfd){ .fd = is_wanted ? fd : -1, .events = events };
}

void console_poll(const struct console *console, struct pollfd fds[CONSOLE_POLL_COUNT])
{
	const struct console_buffer *in = &console->to_container, *out = &console->to_user;

	fds[0] = watch(STDIN_FILENO, POLLIN,
		       in->len == 0 && !in->is_closed && console->master_fd >= 0);
	fds[1] = watch(console->master_fd, POLLOUT, in->len > 0);
	fds[2] = watch(console->master_fd, POLLIN, out->len == 0 && !out->is_closed);
	fds[3] = watch(STDOUT_FILENO, POLLOUT, out->len > 0);
}

void console_relay(struct console *console, const struct pollfd fds[CONSOLE_POLL_COUNT])
{
	if (fds[0].revents)
		fill(&console->to_container, STDIN_FILENO);
	if (fds[1].revents)
		empty(&console->to_container, console->master_fd);
	if (fds[2].revents)
		fill(&console->to_user, console->master_fd);
	if (fds[3].revents)
		empty(&console->to_user, STDOUT_FILENO);
}

void console_drain(struct console *console)
{
	struct console_buffer *out = &console->to_user;

	if (console->master_fd < 0)
		return;
	for (int round = 0; round < DRAIN_ROUNDS; round++) {
		fill(out, console->master_fd);
		if (out->len == 0)
			return;
		empty(out, STDOUT_FILENO);
	}
}

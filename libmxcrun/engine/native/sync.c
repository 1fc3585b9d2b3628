/* sync.c - the datagrams between the parent and init; both ends are made of this file. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "engine/native/launch.h"

/* Room for the most descriptors, aligned as the kernel wants it. */
union sync_control {
	struct cmsghdr header;
	char space[CMSG_SPACE(sizeof(int) * SYNC_FDS_MAX)];
};

static void attach(struct msghdr *message, union sync_control *control, const int *fds, size_t count)
{
	memset(control, 0, CMSG_SPACE(sizeof(int) * count));
	control->header.cmsg_level = SOL_SOCKET;
	control->header.cmsg_type = SCM_RIGHTS;
	control->header.cmsg_len = CMSG_LEN(sizeof(int) * count);
	memcpy(CMSG_DATA(&control->header), fds, sizeof(int) * count);
	message->msg_control = control;
	message->msg_controllen = CMSG_SPACE(sizeof(int) * count);
}

static size_t attached(struct msghdr *message, int *fds)
{
	struct cmsghdr *header = CMSG_FIRSTHDR(message);
	size_t len;

	if (!header || header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS)
		return 0;
	len = header->cmsg_len - CMSG_LEN(0);
	memcpy(fds, CMSG_DATA(header), len);
	return len / sizeof(int);
}

int sync_send(int socket_fd, enum sync_kind kind, const void *payload, uint32_t length)
{
	return sync_send_fd(socket_fd, kind, payload, length, -1);
}

int sync_send_fd(int socket_fd, enum sync_kind kind, const void *payload, uint32_t length, int fd)
{
	return sync_send_fds(socket_fd, kind, payload, length, &fd, fd >= 0);
}

int sync_send_fds(int socket_fd, enum sync_kind kind, const void *payload, uint32_t length, const int *fds, size_t count)
{
	struct sync_header header = { .kind = kind, .length = length };
	struct iovec parts[] = {
		{ .iov_base = &header, .iov_len = sizeof(header) },
		{ .iov_base = (void *)(uintptr_t)payload, .iov_len = length },
	};
	struct msghdr message = { .msg_iov = parts, .msg_iovlen = length ? 2 : 1 };
	union sync_control control;
	ssize_t n;

	if (length > SYNC_PAYLOAD_MAX || count > SYNC_FDS_MAX)
		return -EMSGSIZE;
	if (count)
		attach(&message, &control, fds, count);
	do
		n = sendmsg(socket_fd, &message, MSG_NOSIGNAL);
	/* a reset says once that the other end has left messages unread; then it is a broken pipe */
	while (n < 0 && (errno == EINTR || errno == ECONNRESET));
	if (n < 0)
		return -errno;
	return (size_t)n == sizeof(header) + length ? 0 : -EIO;
}

int sync_write(int socket_fd, enum sync_kind kind, const void *payload, uint32_t length)
{
	struct sync_header header = { .kind = kind, .length = length };
	cleanup_free char *message = malloc(sizeof(header) + length);
	ssize_t n;

	if (!message)
		return -ENOMEM;
	memcpy(message, &header, sizeof(header));
	memcpy(message + sizeof(header), payload, length);
	n = write(socket_fd, message, sizeof(header) + length);
	if (n < 0)
		return -errno;
	return (size_t)n == sizeof(header) + length ? 0 : -EIO;
}

int sync_send_text(int socket_fd, enum sync_kind kind, const char *text)
{
	return sync_send_text_fd(socket_fd, kind, text, -1);
}

int sync_send_text_fd(int socket_fd, enum sync_kind kind, const char *text, int fd)
{
	size_t left = text ? strlen(text) : 0;
	int r = 0;

	for (; left > SYNC_PAYLOAD_MAX && r == 0; left -= SYNC_PAYLOAD_MAX) {
		r = sync_send(socket_fd, SYNC_MORE, text, SYNC_PAYLOAD_MAX);
		text += SYNC_PAYLOAD_MAX;
	}
	return r < 0 ? r : sync_send_fd(socket_fd, kind, text, (uint32_t)left, fd);
}

static int wait_readable(int socket_fd, int timeout_ms)
{
	struct pollfd wait = { .fd = socket_fd, .events = POLLIN };
	int n;

	if (timeout_ms < 0)
		return 0;
	do
		n = poll(&wait, 1, timeout_ms);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	return n ? 0 : -ETIMEDOUT;
}

int sync_receive(int socket_fd, void *buf, uint32_t size, uint32_t *ret_len, int timeout_ms)
{
	return sync_receive_fds(socket_fd, buf, size, ret_len, timeout_ms, NULL, NULL);
}

int sync_receive_fd(int socket_fd, void *buf, uint32_t size, uint32_t *ret_len, int timeout_ms, int *ret_fd)
{
	int fds[SYNC_FDS_MAX], r;
	size_t count = 0;

	if (!ret_fd)
		return sync_receive(socket_fd, buf, size, ret_len, timeout_ms);
	r = sync_receive_fds(socket_fd, buf, size, ret_len, timeout_ms, fds, &count);
	*ret_fd = count ? fds[0] : -1;
	for (size_t i = 1; i < count; i++)
		close(fds[i]);
	return r;
}

int sync_receive_fds(int socket_fd, void *buf, uint32_t size, uint32_t *ret_len, int timeout_ms, int *fds, size_t *ret_count)
{
	struct sync_header header;
	struct iovec parts[] = {
		{ .iov_base = &header, .iov_len = sizeof(header) },
		{ .iov_base = buf, .iov_len = size },
	};
	struct msghdr message = { .msg_iov = parts, .msg_iovlen = size ? 2 : 1 };
	union sync_control control;
	ssize_t n;
	int r = wait_readable(socket_fd, timeout_ms);

	if (r < 0)
		return r;
	if (fds) {
		message.msg_control = &control;
		message.msg_controllen = sizeof(control.space);
	}
	do
		n = recvmsg(socket_fd, &message, MSG_CMSG_CLOEXEC);
	/* a reset says once that the other end has left messages unread; what it said itself comes after that */
	while (n < 0 && (errno == EINTR || errno == ECONNRESET));
	if (n < 0)
		return -errno;
	if (n == 0)
		return 0;
	if (fds)
		*ret_count = attached(&message, fds);
	/* Invariant 30: a cut or lying datagram is an error, never a shorter message. Who gets it ends, and so do the descriptors. */
	if ((size_t)n < sizeof(header) || (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) ||
	    header.length != (size_t)n - sizeof(header) || header.kind == 0 || header.kind > SYNC_ERROR)
		return -EBADMSG;
	if (ret_len)
		*ret_len = header.length;
	return (int)header.kind;
}

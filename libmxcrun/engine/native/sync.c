/* sync.c - the datagrams between the parent and init; both ends are made of this file. */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "base/fd.h"
#include "engine/native/launch.h"

int sync_send(int socket_fd, enum sync_kind kind, const void *payload, uint32_t length)
{
	struct sync_header header = { .kind = kind, .length = length };
	struct iovec parts[] = {
		{ .iov_base = &header, .iov_len = sizeof(header) },
		{ .iov_base = (void *)(uintptr_t)payload, .iov_len = length },
	};
	struct msghdr message = { .msg_iov = parts, .msg_iovlen = length ? 2 : 1 };
	ssize_t n;

	if (length > SYNC_PAYLOAD_MAX)
		return -EMSGSIZE;
	do
		n = sendmsg(socket_fd, &message, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	return (size_t)n == sizeof(header) + length ? 0 : -EIO;
}

int sync_send_text(int socket_fd, enum sync_kind kind, const char *text)
{
	size_t left = text ? strlen(text) : 0;
	int r = 0;

	for (; left > SYNC_PAYLOAD_MAX && r == 0; left -= SYNC_PAYLOAD_MAX) {
		r = sync_send(socket_fd, SYNC_MORE, text, SYNC_PAYLOAD_MAX);
		text += SYNC_PAYLOAD_MAX;
	}
	return r < 0 ? r : sync_send(socket_fd, kind, text, (uint32_t)left);
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
	struct sync_header header;
	struct iovec parts[] = {
		{ .iov_base = &header, .iov_len = sizeof(header) },
		{ .iov_base = buf, .iov_len = size },
	};
	struct msghdr message = { .msg_iov = parts, .msg_iovlen = size ? 2 : 1 };
	ssize_t n;
	int r = wait_readable(socket_fd, timeout_ms);

	if (r < 0)
		return r;
	do
		n = recvmsg(socket_fd, &message, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == ECONNRESET ? 0 : -errno;
	if (n == 0)
		return 0;
	/* Invariant 30: a cut or lying datagram is an error, never a shorter message. */
	if ((size_t)n < sizeof(header) || (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) ||
	    header.length != (size_t)n - sizeof(header) || header.kind == 0 || header.kind > SYNC_ERROR)
		return -EBADMSG;
	if (ret_len)
		*ret_len = header.length;
	return (int)header.kind;
}

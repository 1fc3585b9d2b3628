/* unix.h - Unix stream sockets: connect to a path of any length, send a descriptor with a few bytes. */
#ifndef MXCRUN_BASE_UNIX_H
#define MXCRUN_BASE_UNIX_H

#include <stddef.h>
#include <sys/socket.h>
#include <sys/uio.h>

/* A connected descriptor, close-on-exec, or -errno. */
int unix_connect(const char *path);

/* The parts of one message, for who can't call sendmsg(2) as a function; it points into itself. */
struct unix_message {
	struct msghdr header;
	struct iovec data;
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control;
};
void unix_message_init(struct unix_message *message, const void *data, size_t len, int fd);

/* data (at least one byte) and the descriptor in one message. 0 or -errno; a short write is -EIO. */
int unix_send_fd(int socket_fd, const void *data, size_t len, int fd);

#endif

/* unix.c - see unix.h. */
#include "base/unix.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"

/* sun_path holds 108 bytes: a longer path goes by a descriptor of its directory. */
static int short_address(const char *path, struct sockaddr_un *address, int *ret_dir_fd)
{
	const char *slash = strrchr(path, '/');
	cleanup_free char *dir = NULL;
	int len;

	if (strlen(path) < sizeof(address->sun_path)) {
		memcpy(address->sun_path, path, strlen(path) + 1);
		return 0;
	}
	if (!slash)
		return -ENAMETOOLONG;
	dir = strndup(path, (size_t)(slash - path) + 1);
	if (!dir)
		return -ENOMEM;
	*ret_dir_fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (*ret_dir_fd < 0)
		return -errno;
	len = snprintf(address->sun_path, sizeof(address->sun_path), "/proc/self/fd/%d/%s",
		       *ret_dir_fd, slash + 1);
	return (size_t)len < sizeof(address->sun_path) ? 0 : -ENAMETOOLONG;
}

int unix_connect(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	cleanup_close int fd = -1, dir_fd = -1;
	int r = short_address(path, &address, &dir_fd);

	if (r < 0)
		return r;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return -errno;
	return take_fd(fd);
}

void unix_message_init(struct unix_message *message, const void *data, size_t len, int fd)
{
	memset(message, 0, sizeof(*message));
	message->data = (struct iovec){ .iov_base = (void *)(uintptr_t)data, .iov_len = len };
	message->header = (struct msghdr){
		.msg_iov = &message->data, .msg_iovlen = 1,
		.msg_control = &message->control, .msg_controllen = sizeof(message->control.space),
	};
	message->control.header.cmsg_level = SOL_SOCKET;
	message->control.header.cmsg_type = SCM_RIGHTS;
	message->control.header.cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(&message->control.header), &fd, sizeof(fd));
}

int unix_send_fd(int socket_fd, const void *data, size_t len, int fd)
{
	struct unix_message message;
	ssize_t n;

	unix_message_init(&message, data, len, fd);
	do
		n = sendmsg(socket_fd, &message.header, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	return (size_t)n == len ? 0 : -EIO;
}

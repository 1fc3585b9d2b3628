/* input.c - see input.h.
 *
 * A shell's "<(...)" is a pipe by the name of /dev/fd/N. Each read follows a poll(2): opened without waiting, a FIFO of which nobody has
 * the other end yet would read as an empty file, while poll reports the end only when a writer has come and gone; and so the
 * descriptor's own flags, which standard input shares with whoever else has it, stay as they are. */
#include "base/input.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/strbuf.h"
#include "base/sys.h"

#define CHUNK 4096u

bool input_is_stdin(const char *path)
{
	return !strcmp(path, "-") || !strcmp(path, "/dev/stdin");
}

/* 1 when a read will not wait. */
static int wait_readable(int fd, int64_t deadline_ms)
{
	struct pollfd poller = { .fd = fd, .events = POLLIN };

	for (;;) {
		int64_t left = deadline_ms < 0 ? -1 : deadline_ms - sys_monotonic_ms();
		int r = poll(&poller, 1, deadline_ms < 0 ? -1 : left > 0 ? (int)left : 0);

		if (r > 0)
			return 1;
		if (r == 0)
			return -ETIMEDOUT;
		if (errno != EINTR)
			return -errno;
	}
}

int input_read_pipe(int fd, size_t max, int wait_ms, char **ret_data, size_t *ret_len)
{
	int64_t deadline_ms = wait_ms < 0 ? -1 : sys_monotonic_ms() + wait_ms;
	cleanup_strbuf struct strbuf all = STRBUF_INIT;
	char chunk[CHUNK];

	for (;;) {
		int r = wait_readable(fd, deadline_ms);
		ssize_t n = r < 0 ? r : read(fd, chunk, sizeof(chunk));

		if (r < 0)
			return r;
		if (n < 0 && errno != EINTR && errno != EAGAIN)
			return -errno;
		if (n == 0)
			break;
		if (n > 0)
			strbuf_add(&all, chunk, (size_t)n);
		if (all.len > max)
			return -EFBIG;
	}
	/* An empty one has its NUL, too. */
	strbuf_add(&all, "", 1);
	*ret_len = all.len - 1;
	*ret_data = strbuf_take(&all);
	return *ret_data ? 0 : -ENOMEM;
}

int input_read(const char *path, size_t max, int wait_ms, char **ret_data, size_t *ret_len)
{
	bool is_stdin = input_is_stdin(path);
	cleanup_close int own_fd = -1;
	struct stat st;

	if (!is_stdin) {
		own_fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
		if (own_fd < 0)
			return errno == ENXIO ? -EINVAL : -errno; /* ENXIO: a socket or an absent device */
	}
	if (fstat(is_stdin ? STDIN_FILENO : own_fd, &st) < 0)
		return -errno;
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	if (!is_stdin && S_ISREG(st.st_mode))
		return fd_read_open(own_fd, max, (size_t)st.st_size, ret_data, ret_len);
	if (!is_stdin && !S_ISFIFO(st.st_mode))
		return -EINVAL;
	return input_read_pipe(is_stdin ? STDIN_FILENO : own_fd, max, wait_ms, ret_data, ret_len);
}

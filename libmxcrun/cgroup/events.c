/* events.c - wait for cgroup.events of a v2 group. */
#include "cgroup/backend.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/sys.h"
#include "cgroup/directory.h"

/* The read rearms the descriptor: poll() reports what changed since then. */
static int read_event(int fd, const char *key)
{
	char text[256];
	ssize_t len = pread(fd, text, sizeof(text) - 1, 0);

	if (len < 0)
		return -errno;
	text[len] = '\0';
	return directory_find_flag(text, key);
}

int v2_wait_event(int dir_fd, const char *key, int value, int timeout_ms)
{
	cleanup_close int fd = openat(dir_fd, "cgroup.events", O_RDONLY | O_CLOEXEC);
	long long deadline_ms = sys_monotonic_ms() + timeout_ms;

	if (fd < 0)
		return -errno;
	for (;;) {
		struct pollfd pfd = { .fd = fd, .events = POLLPRI };
		int found = read_event(fd, key);
		long long left_ms = deadline_ms - sys_monotonic_ms();

		if (found == value)
			return 0;
		if (found < 0)
			return found;
		if (left_ms <= 0)
			return -ETIMEDOUT;
		if (poll(&pfd, 1, (int)left_ms) < 0 && errno != EINTR)
			return -errno;
	}
}

/* pid.c - processes named in a way that survives the reuse of numbers. */
#include "base/pid.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/sys.h"

#ifndef P_PIDFD
#define P_PIDFD 3 /* Linux 5.4 */
#endif

#define STAT_SIZE_MAX 4096u
/* Fields of /proc/PID/stat, counted from 1 as in proc(5). */
#define FIELD_STATE 3
#define FIELD_START 22

/* The name in field 2 may hold spaces, newlines and parentheses; after the last ')' come only
 * numbers and the state letter. */
static int parse_stat(const char *stat, uint64_t *ret_ticks, char *ret_state)
{
	const char *p = strrchr(stat, ')');
	unsigned long long ticks;
	char *end;
	int field;

	if (!p || p[1] != ' ' || !p[2] || p[3] != ' ')
		return -EPROTO;
	p += 2;
	if (ret_state)
		*ret_state = *p;
	for (field = FIELD_STATE; field < FIELD_START; field++) {
		p = strchr(p, ' ');
		if (!p)
			return -EPROTO;
		p++;
	}
	if (*p < '0' || *p > '9')
		return -EPROTO;
	errno = 0;
	ticks = strtoull(p, &end, 10);
	if (errno || (*end != ' ' && *end != '\n'))
		return -EPROTO;
	*ret_ticks = ticks;
	return 0;
}

int pid_start_time(pid_t pid, uint64_t *ret_ticks, char *ret_state)
{
	char path[64], stat[STAT_SIZE_MAX];
	int r;

	if (pid <= 0)
		return -ESRCH;
	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	r = fd_read_kernel(AT_FDCWD, path, stat, sizeof(stat));
	if (r == -ENOENT)
		return -ESRCH;
	if (r < 0)
		return r;
	return parse_stat(stat, ret_ticks, ret_state);
}

int pid_open_verified(pid_t pid, uint64_t start_ticks)
{
	cleanup_close int pidfd = -1;
	uint64_t ticks;
	int r;

	if (pid <= 0)
		return -ESRCH;
	pidfd = sys_pidfd_open(pid, 0);
	/* EINVAL: the number is still taken, by a process that was reaped just now (pidfd_open(2) without flags) */
	if (pidfd < 0)
		return errno == EINVAL ? -ESRCH : -errno;
	r = pid_start_time(pid, &ticks, NULL);
	if (r < 0)
		return r;
	if (ticks != start_ticks)
		return -ESRCH;
	return take_fd(pidfd);
}

bool pid_has_name(pid_t pid, const char *name)
{
	char path[64], found[32];
	size_t len = strlen(name);

	snprintf(path, sizeof(path), "/proc/%d/comm", (int)pid);
	return fd_read_kernel(AT_FDCWD, path, found, sizeof(found)) >= 0 && !strncmp(found, name, len) && found[len] == '\n';
}

int pid_wait_end(int pidfd, int timeout_ms)
{
	int64_t deadline = timeout_ms < 0 ? 0 : sys_monotonic_ms() + timeout_ms;

	for (;;) {
		struct pollfd pfd = { .fd = pidfd, .events = POLLIN };
		int left = -1, r;

		if (timeout_ms >= 0) {
			int64_t ms = deadline - sys_monotonic_ms();

			left = ms < 0 ? 0 : (int)ms;
		}
		r = poll(&pfd, 1, left);
		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return -errno;
		if (r == 0)
			return -ETIMEDOUT;
		if (pfd.revents & POLLNVAL)
			return -EBADF;
		return 0;
	}
}

int pid_see_end(int pidfd, siginfo_t *ret)
{
	return waitid((idtype_t)P_PIDFD, (id_t)pidfd, ret, WEXITED | WNOWAIT) < 0 ? -errno : 0;
}

void pid_reap(int pidfd)
{
	siginfo_t info;

	(void)waitid((idtype_t)P_PIDFD, (id_t)pidfd, &info, WEXITED);
}

/* process.c - see process.h. */

#include "lifecycle/process.h"

#include <errno.h>
#include <stdio.h>

#include "base/fd.h"
#include "base/pid.h"
#include "base/sys.h"

bool process_lives(pid_t pid, uint64_t start_ticks)
{
	uint64_t ticks;
	char state;

	if (pid <= 0 || pid_start_time(pid, &ticks, &state) < 0)
		return false;
	return ticks == start_ticks && state != 'Z' && state != 'X';
}

int process_signal(pid_t pid, uint64_t start_ticks, int signal, int *ret_pidfd, struct err **err)
{
	cleanup_close int pidfd = pid_open_verified(pid, start_ticks);
	const char *operation = "pidfd_open";
	char object[32];
	int r = pidfd;

	if (r >= 0) {
		operation = "pidfd_send_signal";
		r = sys_pidfd_send_signal(pidfd, signal) < 0 ? -errno : 0;
	}
	if (r == -ESRCH)
		return 0;
	if (r < 0) {
		snprintf(object, sizeof(object), "process %d", (int)pid);
		return err_sys(err, E_PROCESS, -r, operation, object, NULL);
	}
	if (ret_pidfd)
		*ret_pidfd = take_fd(pidfd);
	return 1;
}

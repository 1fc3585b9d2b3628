/* pid.h - processes by pidfd, or by pid + start time, never by a bare number from a file
 * (invariant 41). */
#ifndef MXCRUN_BASE_PID_H
#define MXCRUN_BASE_PID_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Start time of a process in clock ticks since boot (/proc/PID/stat field 22) and its state letter.
 * 0, or -ESRCH when it is gone. ret_state may be NULL. */
int pid_start_time(pid_t pid, uint64_t *ret_ticks, char *ret_state);

/* A pidfd of the process that had this pid AND start time; -ESRCH if it is gone or another one has the
 * number now. The check is made after the pidfd is open, so it can't race. */
int pid_open_verified(pid_t pid, uint64_t start_ticks);

/* Is that the process' name, as the kernel keeps it (15 bytes)? False where it can't be read. */
bool pid_has_name(pid_t pid, const char *name);

/* Wait until the pidfd's process has ended. timeout in ms, -1 = no limit. 0, -ETIMEDOUT, -errno.
 * Works for processes that are not our children. */
int pid_wait_end(int pidfd, int timeout_ms);

/* How our own child ended, once it has; it stays to be reaped. 0 or -errno. */
int pid_see_end(int pidfd, siginfo_t *ret);

/* Wait for our own child's end, and reap it. */
void pid_reap(int pidfd);

#endif

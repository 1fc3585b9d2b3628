/* cpus.h - where a process runs next, with no trace left in what it may run on.
 *
 * A hint to the scheduler, which doesn't know who is about to sleep: whatever fails, it is only slower.
 */
#ifndef MXCRUN_BASE_CPUS_H
#define MXCRUN_BASE_CPUS_H

#include <sched.h>
#include <stdbool.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

/* The CPU that we are on, alone in *ret. */
static inline bool cpus_own(cpu_set_t *ret)
{
	unsigned int cpu;

	CPU_ZERO(ret);
	if (syscall(SYS_getcpu, &cpu, NULL, NULL) < 0 || cpu >= CPU_SETSIZE)
		return false;
	CPU_SET(cpu, ret);
	return true;
}

/* From our CPU to another of those that we may run on, if there is one: at once when it runs, else when it is woken. Afterwards it may run
 * wherever it might before. */
void cpus_move_beside(pid_t pid);

#endif

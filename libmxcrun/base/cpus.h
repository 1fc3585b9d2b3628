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

/* For now, on these only: one that runs elsewhere moves at once, one that sleeps when it is woken. False: nothing has changed. Else *ret_before is
 * for cpus_give_back(). */
bool cpus_confine(pid_t pid, const cpu_set_t *to, cpu_set_t *ret_before);
void cpus_give_back(pid_t pid, const cpu_set_t *before);

#endif

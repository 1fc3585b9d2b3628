/* cpus.c - see cpus.h. */
#include "base/cpus.h"

#include <string.h>

/* Asking for all gives what the cpuset allows and leaves no trace in it; only a choice that was made before is narrower. */
static void give_back(pid_t pid, const cpu_set_t *before)
{
	cpu_set_t all, after;

	memset(&all, 0xff, sizeof(all));
	if (sched_setaffinity(pid, sizeof(all), &all) < 0 || sched_getaffinity(pid, sizeof(after), &after) < 0 || !CPU_EQUAL(before, &after))
		(void)sched_setaffinity(pid, sizeof(*before), before);
}

void cpus_move_beside(pid_t pid)
{
	cpu_set_t before, own, others;

	if (!cpus_own(&own) || sched_getaffinity(0, sizeof(others), &others) < 0)
		return;
	CPU_AND(&own, &own, &others);
	CPU_XOR(&others, &others, &own);
	if (CPU_COUNT(&others) > 0 && sched_getaffinity(pid, sizeof(before), &before) == 0 &&
	    sched_setaffinity(pid, sizeof(others), &others) == 0)
		give_back(pid, &before);
}

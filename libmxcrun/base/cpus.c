/* cpus.c - see cpus.h. */
#include "base/cpus.h"

#include <string.h>

bool cpus_confine(pid_t pid, const cpu_set_t *to, cpu_set_t *ret_before)
{
	return sched_getaffinity(pid, sizeof(*ret_before), ret_before) == 0 && sched_setaffinity(pid, sizeof(*to), to) == 0;
}

/* Asking for all gives what the cpuset allows and leaves no trace in it; only a choice that was made before is narrower. */
void cpus_give_back(pid_t pid, const cpu_set_t *before)
{
	cpu_set_t all, after;

	memset(&all, 0xff, sizeof(all));
	if (sched_setaffinity(pid, sizeof(all), &all) < 0 || sched_getaffinity(pid, sizeof(after), &after) < 0 || !CPU_EQUAL(before, &after))
		(void)sched_setaffinity(pid, sizeof(*before), before);
}

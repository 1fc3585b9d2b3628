/* scheduling.c - the workload's scheduler, io priority, execution domain, memory policy and cpus, while init still may set them. */
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "engine/native/init.h"

#define IOPRIO_WHO_PROCESS 1
#define POLICY_DEADLINE 6u /* SCHED_DEADLINE, which not every C library has */
#define CPUS_MAX 8192u /* the most that a kernel can be built for */

/* struct sched_attr of sched_setattr(2) as of Linux 3.14, which every later kernel takes. */
struct scheduler_attributes {
	uint32_t size, policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime, deadline, period;
};

static int set_scheduler(const struct plan_scheduler *plan, struct err **err)
{
	const struct scheduler_attributes attributes = {
		.size = sizeof(attributes), .policy = plan->policy, .flags = plan->flags, .nice = plan->nice,
		.priority = plan->priority, .runtime = plan->runtime, .deadline = plan->deadline,
		.period = plan->period,
	};
	int r;

	if (!plan->is_set || syscall(SYS_sched_setattr, 0, &attributes, 0) == 0)
		return 0;
	r = err_sys(err, E_PROCESS, errno, "sched_setattr", NULL, "/process/scheduler");
	if (r == -EINVAL)
		err_hint(err, "SCHED_FIFO and SCHED_RR need a priority of 1 to 99, the others none; "
			      "SCHED_DEADLINE needs runtime, deadline and period");
	if (r == -EPERM)
		err_hint(err, plan->policy == POLICY_DEADLINE
				      ? "SCHED_DEADLINE needs CAP_SYS_NICE, and all CPUs of the host: it does not go with linux.resources.cpu.cpus"
				      : "it needs CAP_SYS_NICE, and for a real-time policy a cgroup with real-time runtime");
	return r;
}

static int set_memory_policy(const struct plan_memory_policy *policy, struct err **err)
{
	unsigned long bits = policy->nodes.count * 8 * sizeof(*policy->nodes.words);
	int r;

	/* the kernel takes one bit less than it is told */
	if (!policy->is_set ||
	    syscall(SYS_set_mempolicy, policy->mode, policy->nodes.words, bits ? bits + 1 : 0) == 0)
		return 0;
	r = err_sys(err, E_PROCESS, errno, "set_mempolicy", NULL, "/linux/memoryPolicy");
	if (r == -EINVAL)
		err_hint(err, "its nodes must be the host's, and of those that the container may use");
	return r;
}

/* Before the process was in the container's cgroup it had its initial ones (launch.c). */
static int set_final_cpus(const struct plan_mask *cpus, struct err **err)
{
	if (!cpus->count ||
	    syscall(SYS_sched_setaffinity, 0, cpus->count * sizeof(*cpus->words), cpus->words) >= 0)
		return 0;
	return err_sys(err, E_PROCESS, errno, "sched_setaffinity", NULL, "/process/execCPUAffinity/final");
}

/* Since Linux 6.2 a process keeps the mask that it, or who started it, once asked for, whatever group it gets into: an engine that
 * systemd has pinned would pin its containers. The kernel leaves of this one what the group allows. */
int scheduling_take_all_cpus(struct init *init, struct err **err)
{
	unsigned char all[CPUS_MAX / 8];

	if (!init->plan->process.all_cpus || init->has_all_cpus)
		return 0;
	memset(all, 0xff, sizeof(all));
	if (syscall(SYS_sched_setaffinity, 0, sizeof(all), all) < 0)
		return err_sys(err, E_PROCESS, errno, "sched_setaffinity", "all cpus", NULL);
	init->has_all_cpus = true;
	return 0;
}

int scheduling_apply(struct init *init, struct err **err)
{
	const struct plan_process *process = &init->plan->process;
	int r = scheduling_take_all_cpus(init, err);

	/* before the scheduler: the kernel changes no mask of a deadline */
	if (r == 0)
		r = set_scheduler(&process->scheduler, err);
	if (r < 0)
		return r;
	if (process->io_priority != PLAN_UNSET_ID &&
	    syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, (int)process->io_priority) < 0)
		return err_sys(err, E_PROCESS, errno, "ioprio_set", NULL, "/process/ioPriority");
	if (process->personality != PLAN_UNSET_ID && personality(process->personality) < 0)
		return err_sys(err, E_PROCESS, errno, "personality", NULL, "/linux/personality");
	r = set_memory_policy(&process->memory_policy, err);
	return r < 0 ? r : set_final_cpus(&process->final_cpus, err);
}

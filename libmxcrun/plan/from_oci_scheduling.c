/* from_oci_scheduling.c - process.scheduler, process.ioPriority and linux.personality to the kernel's numbers. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "plan/from_oci.h"

#define IO_CLASS_SHIFT 13
#define IO_LEVEL_MAX 7
#define PERSONALITY_LINUX32 0x0008u /* personality(2) */
#define PRIORITY_MAX 99

static int find_flag(struct builder *b, const char *word, size_t index, uint64_t *flags, struct err **err)
{
	/* bit = index, sched_setattr(2) */
	static const char *const words[] = {
		"SCHED_FLAG_RESET_ON_FORK", "SCHED_FLAG_RECLAIM",	 "SCHED_FLAG_DL_OVERRUN",
		"SCHED_FLAG_KEEP_POLICY",   "SCHED_FLAG_KEEP_PARAMS",	 "SCHED_FLAG_UTIL_CLAMP_MIN",
		"SCHED_FLAG_UTIL_CLAMP_MAX",
	};

	for (size_t i = 0; i < array_size(words); i++) {
		if (!strcmp(words[i], word)) {
			*flags |= UINT64_C(1) << i;
			return 0;
		}
	}
	return err_set(err, E_CONFIG, 0, item_pointer(b, "/process/scheduler/flags", index),
		       "unknown scheduler flag \"%.64s\"", word);
}

static int check_range(const char *pointer, const struct opt_i64 *value, int64_t least, int64_t most,
		       struct err **err)
{
	if (value->value >= least && value->value <= most)
		return 0;
	return err_set(err, E_CONFIG, 0, pointer, "expected %" PRId64 " to %" PRId64 ", found %" PRId64, least, most,
		       value->value);
}

static int build_scheduler(struct builder *b, const struct oci_scheduler *config, struct err **err)
{
	struct plan_scheduler *plan = &b->plan->process.scheduler;
	int r;

	if (!config)
		return 0;
	r = check_range("/process/scheduler/nice", &config->nice, -20, 19, err);
	if (r == 0)
		r = check_range("/process/scheduler/priority", &config->priority, 0, PRIORITY_MAX, err);
	for (size_t i = 0; i < config->flags.count && r == 0; i++)
		r = find_flag(b, config->flags.items[i], i, &plan->flags, err);
	plan->is_set = true;
	plan->policy = (uint32_t)config->policy;
	plan->nice = (int32_t)config->nice.value;
	plan->priority = (uint32_t)config->priority.value;
	plan->runtime = config->runtime.value;
	plan->deadline = config->deadline.value;
	plan->period = config->period.value;
	return r;
}

static int build_io_priority(struct builder *b, const struct oci_io_priority *config, struct err **err)
{
	int r;

	b->plan->process.io_priority = PLAN_UNSET_ID;
	if (!config)
		return 0;
	r = check_range("/process/ioPriority/priority", &config->priority, 0, IO_LEVEL_MAX, err);
	b->plan->process.io_priority = (uint32_t)config->class_ << IO_CLASS_SHIFT | (uint32_t)config->priority.value;
	return r;
}

static int build_personality(struct builder *b, const struct oci_personality *config, struct err **err)
{
	b->plan->process.personality = PLAN_UNSET_ID;
	if (!config)
		return 0;
	if (config->flags.count)
		return err_set(err, E_UNSUPPORTED, 0, "/linux/personality/flags",
			       "the specification defines no flags yet, found \"%.64s\"", config->flags.items[0]);
	b->plan->process.personality = config->domain == 1 ? PERSONALITY_LINUX32 : 0;
	return 0;
}

int build_scheduling(struct builder *b, struct err **err)
{
	int r = build_scheduler(b, b->config->process->scheduler, err);

	if (r == 0)
		r = build_io_priority(b, b->config->process->io_priority, err);
	return r == 0 ? build_personality(b, b->linux_->personality, err) : r;
}

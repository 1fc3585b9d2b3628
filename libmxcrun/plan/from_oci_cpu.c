/* from_oci_cpu.c - cpu and cpuset limits to writes. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "plan/cpu_weight.h"
#include "plan/limits.h"

#define POINTER(field) "/linux/resources/cpu/" field

#define PERIOD_MIN_US 1000u /* kernel/sched: min_cfs_quota_period, max_cfs_quota_period */
#define PERIOD_MAX_US 1000000u
#define PERIOD_DEFAULT_US 100000u

static int check_cpu(const struct oci_cpu *c, struct err **err)
{
	if (c->shares.value && (c->shares.value < CPU_SHARES_MIN || c->shares.value > CPU_SHARES_MAX))
		return err_set(err, E_CONFIG, 0, POINTER("shares"), "expected %u to %u, found %" PRIu64,
			       CPU_SHARES_MIN, CPU_SHARES_MAX, c->shares.value);
	if (c->period.value && (c->period.value < PERIOD_MIN_US || c->period.value > PERIOD_MAX_US))
		return err_set(err, E_CONFIG, 0, POINTER("period"),
			       "expected %u to %u microseconds, found %" PRIu64, PERIOD_MIN_US, PERIOD_MAX_US,
			       c->period.value);
	if (c->quota.value < -1 || (c->quota.value > 0 && c->quota.value < (int64_t)PERIOD_MIN_US))
		return err_set(err, E_CONFIG, 0, POINTER("quota"),
			       "expected %u microseconds or more, or -1 for no limit, found %" PRId64,
			       PERIOD_MIN_US, c->quota.value);
	if (c->quota.value > 0 && c->burst.value > (uint64_t)c->quota.value)
		return err_set(err, E_CONFIG, 0, POINTER("burst"),
			       "can't be above the quota, %" PRId64 ": found %" PRIu64, c->quota.value, c->burst.value);
	if (c->idle.set && c->idle.value != 0 && c->idle.value != 1)
		return err_set(err, E_CONFIG, 0, POINTER("idle"), "expected 0 or 1, found %" PRId64, c->idle.value);
	return 0;
}

static int add_number(struct limits *l, const char *file, uint64_t value, const char *pointer,
		      struct err **err)
{
	char text[24];

	if (!value)
		return 0;
	snprintf(text, sizeof(text), "%" PRIu64, value);
	return limits_add(l, "cpu", file, text, pointer, err);
}

/* Where 0 is a value as good as others. A new group has it, so that only an update has to be able to write it. */
static int add_switch(struct limits *l, const char *file, bool is_set, uint64_t value, const char *pointer, struct err **err)
{
	int r;

	if (!is_set || value)
		return add_number(l, file, value, pointer, err);
	r = limits_add(l, "cpu", file, "0", pointer, err);
	if (r == 0)
		l->writes[l->count - 1].is_optional = true;
	return r;
}

/* The period before the quota that is measured in it, and the burst after the quota that bounds it.
 */
static int build_v1(struct limits *l, const struct oci_cpu *c, struct err **err)
{
	int r;

	r = add_number(l, "cpu.shares", c->shares.value, POINTER("shares"), err);
	if (r == 0)
		r = add_number(l, "cpu.cfs_period_us", c->period.value, POINTER("period"), err);
	if (r == 0 && c->quota.value)
		r = limits_add_i64(l, "cpu", "cpu.cfs_quota_us", c->quota.value, POINTER("quota"),
				   err);
	if (r == 0)
		r = add_switch(l, "cpu.cfs_burst_us", c->burst.set, c->burst.value, POINTER("burst"), err);
	if (r == 0)
		r = add_number(l, "cpu.rt_period_us", c->realtime_period.value,
			       POINTER("realtimePeriod"), err);
	if (r == 0 && c->realtime_runtime.value)
		r = limits_add_i64(l, "cpu", "cpu.rt_runtime_us", c->realtime_runtime.value,
				   POINTER("realtimeRuntime"), err);
	if (r == 0)
		r = add_switch(l, "cpu.idle", c->idle.set, (uint64_t)c->idle.value, POINTER("idle"), err);
	return r;
}

static int build_v2(struct limits *l, const struct oci_cpu *c, struct err **err)
{
	uint64_t period = c->period.value ? c->period.value : PERIOD_DEFAULT_US;
	char text[48];
	int r = 0;

	if (c->realtime_period.value || c->realtime_runtime.value)
		return err_set(err, E_UNSUPPORTED, 0,
			       c->realtime_period.value ? POINTER("realtimePeriod")
							: POINTER("realtimeRuntime"),
			       "cgroup v2 has no realtime limits");
	if (c->shares.value)
		r = add_number(l, "cpu.weight", cpu_weight_from_shares(c->shares.value),
			       POINTER("shares"), err);
	if (r == 0 && (c->quota.value || c->period.value)) {
		if (c->quota.value > 0)
			snprintf(text, sizeof(text), "%" PRId64 " %" PRIu64, c->quota.value,
				 period);
		else
			snprintf(text, sizeof(text), "max %" PRIu64, period);
		r = limits_add(l, "cpu", "cpu.max", text,
			       c->quota.value ? POINTER("quota") : POINTER("period"), err);
	}
	if (r == 0)
		r = add_switch(l, "cpu.max.burst", c->burst.set, c->burst.value, POINTER("burst"), err);
	if (r == 0)
		r = add_switch(l, "cpu.idle", c->idle.set, (uint64_t)c->idle.value, POINTER("idle"), err);
	return r;
}

/* The first field that asks the cpu controller for something, NULL when none does. */
static const char *first_pointer(const struct oci_cpu *c, bool is_update)
{
	if (c->shares.value)
		return POINTER("shares");
	if (c->quota.value)
		return POINTER("quota");
	if (c->period.value)
		return POINTER("period");
	if (c->burst.value || (c->burst.set && is_update))
		return POINTER("burst");
	if (c->realtime_runtime.value)
		return POINTER("realtimeRuntime");
	if (c->realtime_period.value)
		return POINTER("realtimePeriod");
	if (c->idle.value || (c->idle.set && is_update))
		return POINTER("idle");
	return NULL;
}

static int add_set(struct limits *l, const char *file, const char *list, const char *pointer,
		   struct err **err)
{
	enum controller_place place;
	int r;

	if (!list || !*list)
		return 0;
	if (list[strspn(list, "0123456789,-:/")])
		return err_set(err, E_CONFIG, 0, pointer,
			       "expected a list such as \"0-3,6\", found \"%.64s\"", list);
	r = limits_place(l, "cpuset", pointer, &place, err);
	return r == 0 ? limits_add(l, "cpuset", file, list, pointer, err) : r;
}

int build_cpu_limits(struct limits *l, const struct oci_cpu *cpu, struct err **err)
{
	enum controller_place place;
	const char *pointer;
	int r;

	if (!cpu)
		return 0;
	r = check_cpu(cpu, err);
	if (r < 0)
		return r;
	pointer = first_pointer(cpu, !l->b->request->id);
	if (pointer) {
		r = limits_place(l, "cpu", pointer, &place, err);
		if (r == 0)
			r = place == CONTROLLER_V2 ? build_v2(l, cpu, err) : build_v1(l, cpu, err);
		if (r < 0)
			return r;
	}
	if (cpu->quota.value > 0) {
		l->b->plan->cgroup.cpu_quota_us = cpu->quota.value;
		l->b->plan->cgroup.cpu_period_us =
			cpu->period.value ? (int64_t)cpu->period.value : (int64_t)PERIOD_DEFAULT_US;
	}
	r = add_set(l, "cpuset.cpus", cpu->cpus, POINTER("cpus"), err);
	return r == 0 ? add_set(l, "cpuset.mems", cpu->mems, POINTER("mems"), err) : r;
}

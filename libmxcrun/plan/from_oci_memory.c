/* from_oci_memory.c - memory limits to writes, in the order in which the kernel takes them.
 *
 * The configuration counts swap together with memory, as v1 does; v2 counts swap alone. In a new v1
 * group both limits are infinite, so the memory limit goes first: memory+swap must never be the
 * smaller one.
 */
#include <inttypes.h>
#include <errno.h>
#include <string.h>

#include "plan/limits.h"

#define POINTER(field) "/linux/resources/memory/" field

static int check_limit(const struct opt_i64 *limit, const char *pointer, struct err **err)
{
	if (limit->value < -1)
		return err_set(err, E_CONFIG, 0, pointer,
			       "expected a number of bytes, or -1 for no limit, found %" PRId64, limit->value);
	return 0;
}

static int check_memory(const struct oci_memory *m, struct err **err)
{
	int r;

	r = check_limit(&m->limit, POINTER("limit"), err);
	if (r == 0)
		r = check_limit(&m->reservation, POINTER("reservation"), err);
	if (r == 0)
		r = check_limit(&m->swap, POINTER("swap"), err);
	if (r < 0)
		return r;
	if (m->swap.value > 0 && m->limit.value <= 0)
		return err_set(err, E_CONFIG, 0, POINTER("swap"),
			       "a swap limit needs a memory limit");
	if (m->swap.value > 0 && m->swap.value < m->limit.value)
		return err_set(
			err, E_CONFIG, 0, POINTER("swap"),
			"counts memory and swap together, so it can't be below the memory limit, %" PRId64
			": found %" PRId64, m->limit.value, m->swap.value);
	if (m->swappiness.value > 100)
		return err_set(err, E_CONFIG, 0, POINTER("swappiness"), "expected 0 to 100, found %" PRIu64,
			       m->swappiness.value);
	return 0;
}

/* The files of the other layout, or of no kernel any more. */
static int refuse_impossible(const struct oci_memory *m, enum controller_place place, struct err **err)
{
	/* v1's file takes any number since Linux 5.16 and does nothing with it; v2 never had one. */
	if (m->kernel.value > 0) {
		err_set(err, E_UNSUPPORTED, 0, POINTER("kernel"),
			"no kernel since Linux 5.16 limits its own memory apart");
		err_hint(err, "leave it out: limit counts what the kernel uses for the container, too");
		return -EINVAL;
	}
	if (place == CONTROLLER_V2 && m->kernel_tcp.value > 0)
		return err_set(err, E_UNSUPPORTED, 0, POINTER("kernelTCP"),
			       "cgroup v2 has no limit of its own for TCP buffers");
	if (m->use_hierarchy.set && !m->use_hierarchy.value)
		return err_set(err, E_UNSUPPORTED, 0, POINTER("useHierarchy"),
			       "memory is always counted hierarchically");
	if (place == CONTROLLER_V2 && m->disable_oom_killer.value)
		return err_set(err, E_UNSUPPORTED, 0, POINTER("disableOOMKiller"),
			       "cgroup v2 can't switch the OOM killer off");
	if (place == CONTROLLER_V2 && m->swappiness.set)
		return err_set(err, E_UNSUPPORTED, 0, POINTER("swappiness"),
			       "cgroup v2 has no swappiness");
	return 0;
}

static int add_limit(struct limits *l, const char *file, const struct opt_i64 *limit,
		     const char *pointer, struct err **err)
{
	return limit->value ? limits_add_i64(l, "memory", file, limit->value, pointer, err) : 0;
}

/* Kernels without swap accounting have no file for it; then there is nothing to limit when the
 * limit is "none" or "no swap at all". */
static int add_swap(struct limits *l, const char *file, int64_t value, bool is_optional,
		    struct err **err)
{
	int r = limits_add_i64(l, "memory", file, value, POINTER("swap"), err);

	if (r == 0)
		l->writes[l->count - 1].is_optional = is_optional;
	return r;
}

static int build_v1(struct limits *l, const struct oci_memory *m, struct err **err)
{
	int r = 0;

	if (m->swap.value == -1)
		r = add_swap(l, "memory.memsw.limit_in_bytes", -1, true, err);
	if (r == 0)
		r = add_limit(l, "memory.limit_in_bytes", &m->limit, POINTER("limit"), err);
	if (r == 0 && m->swap.value > 0)
		r = add_swap(l, "memory.memsw.limit_in_bytes", m->swap.value, false, err);
	if (r == 0)
		r = add_limit(l, "memory.soft_limit_in_bytes", &m->reservation,
			      POINTER("reservation"), err);
	if (r == 0 && m->swappiness.set)
		r = limits_add_i64(l, "memory", "memory.swappiness", (int64_t)m->swappiness.value,
				   POINTER("swappiness"), err);
	if (r == 0 && m->disable_oom_killer.value)
		r = limits_add(l, "memory", "memory.oom_control", "1", POINTER("disableOOMKiller"),
			       err);
	return r < 0 ? r : add_limit(l, "memory.kmem.tcp.limit_in_bytes", &m->kernel_tcp, POINTER("kernelTCP"), err);
}

/* v2 kills for a limit below what is in use, where v1 refuses it: so that is looked at before, when asked for. */
static int check_usage(struct limits *l, const struct oci_memory *m, const char *usage_file, struct err **err)
{
	return m->check_before_update.value ? copy_string(l->b, usage_file, &l->writes[l->count - 1].usage_file, err) : 0;
}

static int build_v2(struct limits *l, const struct oci_memory *m, struct err **err)
{
	int64_t swap = m->swap.value > 0 ? m->swap.value - m->limit.value : m->swap.value;
	int r = 0;

	if (m->swap.value) {
		r = add_swap(l, "memory.swap.max", swap, swap <= 0, err);
		if (r == 0 && swap > 0)
			r = check_usage(l, m, "memory.swap.current", err);
	}
	if (r == 0)
		r = add_limit(l, "memory.max", &m->limit, POINTER("limit"), err);
	if (r == 0 && m->limit.value > 0)
		r = check_usage(l, m, "memory.current", err);
	if (r == 0)
		r = add_limit(l, "memory.low", &m->reservation, POINTER("reservation"), err);
	return r;
}

/* The first field that asks for something, NULL when none does. */
static const char *first_pointer(const struct oci_memory *m)
{
	if (m->limit.value)
		return POINTER("limit");
	if (m->reservation.value)
		return POINTER("reservation");
	if (m->swap.value)
		return POINTER("swap");
	if (m->swappiness.set)
		return POINTER("swappiness");
	if (m->disable_oom_killer.value)
		return POINTER("disableOOMKiller");
	if (m->kernel_tcp.value)
		return POINTER("kernelTCP");
	return NULL;
}

int build_memory_limits(struct limits *l, const struct oci_memory *memory, struct err **err)
{
	enum controller_place place = CONTROLLER_NOWHERE;
	const char *pointer;
	int r;

	if (!memory)
		return 0;
	r = check_memory(memory, err);
	if (r < 0)
		return r;
	pointer = first_pointer(memory);
	if (pointer)
		r = limits_place(l, "memory", pointer, &place, err);
	if (r == 0)
		r = refuse_impossible(memory, place, err);
	if (r < 0 || !pointer)
		return r;
	if (memory->limit.value > 0)
		l->b->plan->cgroup.memory_bytes = memory->limit.value;
	return place == CONTROLLER_V2 ? build_v2(l, memory, err) : build_v1(l, memory, err);
}

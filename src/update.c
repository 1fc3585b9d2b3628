/* update.c - `mxcrun update`: other limits, from options or from a resources document. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lifecycle/prepare.h"
#include "program.h"

/* As given; NULL: not given. */
struct update_options {
	const char *resources;
	const char *memory, *memory_reservation, *memory_swap, *kernel_memory, *kernel_memory_tcp;
	const char *cpu_period, *cpu_quota, *cpu_burst, *cpu_share, *cpu_rt_period, *cpu_rt_runtime, *cpu_idle;
	const char *cpuset_cpus, *cpuset_mems, *pids_limit, *blkio_weight;
	const char *l3_cache_schema, *mem_bw_schema;
};

/* The same as the specification's structs. */
struct update_resources {
	struct oci_memory memory;
	struct oci_cpu cpu;
	struct oci_pids pids;
	struct oci_block_io block_io;
	struct oci_resources all;
};

/* An option whose value is empty, as of a script's variable, is one that isn't given. */
static const char *given(const char *text)
{
	return text && *text ? text : NULL;
}

static bool read_number(const char *text, int64_t *ret)
{
	char *end;

	errno = 0;
	*ret = strtoll(text, &end, 10);
	return !errno && end != text && !*end;
}

/* As runc takes sizes: "64m", "64MB", "64MiB", "1.5g", all of them powers of 1024. */
static bool read_size(const char *text, int64_t *ret)
{
	static const char units[] = "kmgtp";
	const char *unit;
	size_t digits;
	char *at;
	int64_t whole;
	double part = 0;
	unsigned int shift = 0;

	errno = 0;
	whole = strtoll(text, &at, 10);
	if (errno || at == text)
		return false;
	digits = *at == '.' ? strspn(at + 1, "0123456789") : 0;
	if (digits) {
		part = strtod(at, NULL);
		at += 1 + digits;
	}
	at += *at == ' ';
	unit = *at ? strchr(units, *at | 0x20) : NULL;
	if (unit) {
		shift = 10 * (unsigned int)(unit - units + 1);
		at++;
	}
	at += (*at | 0x20) == 'i';
	at += (*at | 0x20) == 'b';
	if (*at || whole > INT64_MAX >> shift || whole < INT64_MIN >> shift || (whole < 0 && digits))
		return false;
	*ret = (int64_t)((uint64_t)whole << shift) + (int64_t)(part * (double)(UINT64_C(1) << shift));
	return true;
}

static int set_i64(const char *option, const char *text, bool is_size, struct opt_i64 *ret, struct err **err)
{
	ret->set = given(text) != NULL;
	if (!ret->set || (is_size ? read_size(text, &ret->value) : read_number(text, &ret->value)))
		return 0;
	return err_set(err, E_USAGE, 0, NULL, "--%s: expected a %s, found \"%.64s\"", option,
		       is_size ? "number of bytes" : "whole number", text);
}

static int set_u64(const char *option, const char *text, struct opt_u64 *ret, struct err **err)
{
	struct opt_i64 value = { 0 };
	int r = set_i64(option, text, false, &value, err);

	if (r == 0 && value.value < 0)
		r = err_set(err, E_USAGE, 0, NULL, "--%s: expected no negative number, found \"%.64s\"", option, text);
	*ret = (struct opt_u64){ value.set, (uint64_t)value.value };
	return r;
}

static int fill_memory(const struct update_options *o, struct oci_memory *ret, struct err **err)
{
	const struct { const char *option, *text; struct opt_i64 *to; } rows[] = {
		{ "memory", o->memory, &ret->limit },
		{ "memory-reservation", o->memory_reservation, &ret->reservation },
		{ "memory-swap", o->memory_swap, &ret->swap },
		{ "kernel-memory", o->kernel_memory, &ret->kernel },
		{ "kernel-memory-tcp", o->kernel_memory_tcp, &ret->kernel_tcp },
	};
	int r = 0;

	for (size_t i = 0; i < array_size(rows) && r == 0; i++)
		r = set_i64(rows[i].option, rows[i].text, true, rows[i].to, err);
	return r;
}

static int fill_cpu(const struct update_options *o, struct oci_cpu *ret, struct err **err)
{
	const struct { const char *option, *text; struct opt_u64 *to; } rows[] = {
		{ "cpu-period", o->cpu_period, &ret->period },
		{ "cpu-burst", o->cpu_burst, &ret->burst },
		{ "cpu-share", o->cpu_share, &ret->shares },
		{ "cpu-rt-period", o->cpu_rt_period, &ret->realtime_period },
	};
	const struct { const char *option, *text; struct opt_i64 *to; } signed_rows[] = {
		{ "cpu-quota", o->cpu_quota, &ret->quota },
		{ "cpu-rt-runtime", o->cpu_rt_runtime, &ret->realtime_runtime },
		{ "cpu-idle", o->cpu_idle, &ret->idle },
	};
	int r = 0;

	for (size_t i = 0; i < array_size(rows) && r == 0; i++)
		r = set_u64(rows[i].option, rows[i].text, rows[i].to, err);
	for (size_t i = 0; i < array_size(signed_rows) && r == 0; i++)
		r = set_i64(signed_rows[i].option, signed_rows[i].text, false, signed_rows[i].to, err);
	ret->cpus = given(o->cpuset_cpus);
	ret->mems = given(o->cpuset_mems);
	return r;
}

static int fill_weight(const char *text, struct opt_u32 *ret, struct err **err)
{
	struct opt_u64 value;
	int r = set_u64("blkio-weight", text, &value, err);

	if (r == 0 && value.value > UINT32_MAX)
		r = err_set(err, E_USAGE, 0, NULL, "--blkio-weight: expected 10 to 1000, found \"%.64s\"", text);
	*ret = (struct opt_u32){ value.set, (uint32_t)value.value };
	return r;
}

static int from_options(const struct update_options *options, struct update_resources *ret, struct err **err)
{
	int r = fill_memory(options, &ret->memory, err);

	if (r == 0)
		r = fill_cpu(options, &ret->cpu, err);
	if (r == 0)
		r = set_i64("pids-limit", options->pids_limit, false, &ret->pids.limit, err);
	if (r == 0)
		r = fill_weight(options->blkio_weight, &ret->block_io.weight, err);
	ret->all.block_io = &ret->block_io;
	ret->all.memory = &ret->memory;
	ret->all.cpu = &ret->cpu;
	ret->all.pids = &ret->pids;
	return r;
}

static int from_document(const char *path, struct arena *arena, const struct log *log,
			 const struct oci_resources **ret, struct err **err)
{
	const struct json *document;
	int r = read_input(arena, path, &document, err);

	if (r < 0)
		return r;
	r = oci_parse_resources(arena, document, log, ret, err);
	return r < 0 ? err_wrap(err, "%s", path) : 0;
}

static int update(struct program *program, const struct update_options *options, const char *id,
		  struct err **err)
{
	cleanup_arena struct arena *arena = arena_new();
	struct update_resources own = { 0 };
	const struct oci_resources *resources = &own.all;
	const struct oci_intel_rdt rdt = {
		.l3_cache_schema = given(options->l3_cache_schema), .memory_bandwidth_schema = given(options->mem_bw_schema),
	};
	bool has_rdt = rdt.l3_cache_schema || rdt.memory_bandwidth_schema;
	struct lifecycle lc;
	int r = arena ? store_check_id(id, err) : err_nomem(err);

	if (r == 0)
		r = given(options->resources) ? from_document(options->resources, arena, &program->log, &resources, err)
					      : from_options(options, &own, err);
	if (r == 0)
		r = program_facts(program, err);
	if (r == 0)
		r = program_lifecycle(program, STORE_READ, &lc, err);
	return r < 0 ? r : lifecycle_update(&lc, id, resources, has_rdt ? &rdt : NULL, err);
}

int command_update(struct program *program, int argc, char **argv)
{
	cleanup_err struct err *err = NULL;
	struct update_options o = { 0 };
	struct arguments arguments;
	int exit_code;
	const struct option_row rows[] = {
		{ "resources", 'r', OPT_STRING, &o.resources, NULL, "FILE|-", "the specification's resources object" },
		{ "memory", '\0', OPT_STRING, &o.memory, NULL, "BYTES", "memory limit" },
		{ "memory-reservation", '\0', OPT_STRING, &o.memory_reservation, NULL, "BYTES", "soft memory limit" },
		{ "memory-swap", '\0', OPT_STRING, &o.memory_swap, NULL, "BYTES", "memory and swap; -1: no limit" },
		{ "kernel-memory", '\0', OPT_STRING, &o.kernel_memory, NULL, "BYTES", "refused: no kernel limits it since Linux 5.16" },
		{ "kernel-memory-tcp", '\0', OPT_STRING, &o.kernel_memory_tcp, NULL, "BYTES", "memory of TCP buffers, on cgroup v1" },
		{ "cpu-quota", '\0', OPT_STRING, &o.cpu_quota, NULL, "US", "CPU time a period; -1: no limit" },
		{ "cpu-period", '\0', OPT_STRING, &o.cpu_period, NULL, "US", "length of a period" },
		{ "cpu-burst", '\0', OPT_STRING, &o.cpu_burst, NULL, "US", "unused time that may be saved up" },
		{ "cpu-share", '\0', OPT_STRING, &o.cpu_share, NULL, "N", "weight against others" },
		{ "cpu-idle", '\0', OPT_STRING, &o.cpu_idle, NULL, "0|1", "run only when nobody else does" },
		{ "cpu-rt-period", '\0', OPT_STRING, &o.cpu_rt_period, NULL, "US", "real-time period" },
		{ "cpu-rt-runtime", '\0', OPT_STRING, &o.cpu_rt_runtime, NULL, "US", "real-time quota" },
		{ "cpuset-cpus", '\0', OPT_STRING, &o.cpuset_cpus, NULL, "LIST", "CPUs that may be used" },
		{ "cpuset-mems", '\0', OPT_STRING, &o.cpuset_mems, NULL, "LIST", "memory nodes" },
		{ "blkio-weight", '\0', OPT_STRING, &o.blkio_weight, NULL, "N", "share of block devices, 10 to 1000" },
		{ "l3-cache-schema", '\0', OPT_STRING, &o.l3_cache_schema, NULL, "LINES", "shares of the L3 cache, \"L3:0=ff;1=f\"" },
		{ "mem-bw-schema", '\0', OPT_STRING, &o.mem_bw_schema, NULL, "LINE", "shares of memory bandwidth, \"MB:0=50\"" },
		{ "pids-limit", '\0', OPT_STRING, &o.pids_limit, NULL, "N", "number of processes; -1: no limit" },
		{ 0 },
	};
	const struct command_usage usage = {
		.name = "update",
		.arguments = "ID",
		.options = rows,
		.least = 1,
		.most = 1,
		.summary = "Change the limits of a container",
	};

	if (!program_arguments(program, &usage, argc, argv, &arguments, &exit_code))
		return exit_code;
	if (update(program, &o, arguments.items[0], &err) < 0)
		return program_fail(program, err);
	return 0;
}

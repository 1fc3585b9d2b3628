/* limits.c - the limits that a policy asks for: memory, processors, processes, block devices. */
#include <inttypes.h>
#include <string.h>

#include "policy/resolve.h"

#define MEBIBYTE (UINT64_C(1) << 20)
#define CPUS_MAX 8192u

static int check_limit(bool is_set, uint64_t value, uint64_t most, const char *pointer, struct err **err)
{
	if (!is_set || (value >= 1 && value <= most))
		return 0;
	return err_set(err, E_POLICY, 0, pointer, "expected 1 to %" PRIu64 ", found %" PRIu64, most, value);
}

/* ---- block devices ---- */

#define WEIGHT_LEAST 10u /* as a bundle's */
#define WEIGHT_MOST 1000u

/* Digits only: strtoul(3) takes blanks and signs. */
static bool parse_number(const char *text, char end, uint32_t *ret, const char **ret_rest)
{
	uint64_t number = 0;
	size_t digits = strspn(text, "0123456789");

	for (size_t i = 0; i < digits && number <= UINT32_MAX; i++)
		number = number * 10 + (uint64_t)(text[i] - '0');
	*ret = (uint32_t)number;
	*ret_rest = text + digits + (text[digits] != 0);
	return digits && number <= UINT32_MAX && text[digits] == end;
}

static int decide_device(struct arena *arena, const struct mxc_io_device *from, size_t index, struct policy_io_device *ret,
			 struct err **err)
{
	const struct opt_u64 *const rates[POLICY_IO_MAX] = { &from->read_bps, &from->write_bps, &from->read_iops, &from->write_iops };
	const char *rest;
	bool has_rate = false;

	ret->pointer = arena_printf(arena, "/bubblewrap/resources/io/devices/%zu", index);
	if (!ret->pointer)
		return err_nomem(err);
	if (!parse_number(from->device, ':', &ret->major, &rest) || !parse_number(rest, 0, &ret->minor, &rest))
		return err_set(err, E_POLICY, 0, ret->pointer, "expected the numbers of a block device as in \"8:0\", found \"%.64s\"",
			       from->device);
	for (size_t i = 0; i < array_size(rates); i++) {
		if (rates[i]->set && !rates[i]->value)
			return err_set(err, E_POLICY, 0, ret->pointer, "a rate of 0 lets nothing pass; expected 1 or more");
		ret->rates[i] = rates[i]->value;
		has_rate |= rates[i]->set;
	}
	return has_rate ? 0 : err_set(err, E_POLICY, 0, ret->pointer, "says nothing of the device: expected a rate");
}

static int decide_io(struct arena *arena, const struct mxc_io *from, const struct policy_io **ret, struct err **err)
{
	struct policy_io *io = arena_alloc(arena, sizeof(*io));
	int r;

	if (!io)
		return err_nomem(err);
	io->devices = arena_array(arena, from->devices.count, sizeof(*io->devices));
	if (!io->devices)
		return err_nomem(err);
	io->weight = from->weight.value;
	if (from->weight.set && (io->weight < WEIGHT_LEAST || io->weight > WEIGHT_MOST))
		return err_set(err, E_POLICY, 0, "/bubblewrap/resources/io/weight", "expected %u to %u, found %" PRIu32,
			       WEIGHT_LEAST, WEIGHT_MOST, io->weight);
	for (size_t i = 0; i < from->devices.count; i++) {
		r = decide_device(arena, &from->devices.items[i], i, &io->devices[io->device_count++], err);
		if (r < 0)
			return r;
	}
	*ret = io->weight || io->device_count ? io : NULL;
	return 0;
}

int policy_limits(struct arena *arena, const struct mxc_config *config, struct policy_resources *ret, struct err **err)
{
	const struct mxc_resources *wanted = config->bubblewrap ? config->bubblewrap->resources : NULL;
	int r;

	if (!wanted)
		return 0;
	r = check_limit(wanted->memory_mb.set, wanted->memory_mb.value, INT64_MAX / MEBIBYTE,
			"/bubblewrap/resources/memoryMb", err);
	if (r == 0)
		r = check_limit(wanted->cpu_count.set, wanted->cpu_count.value, CPUS_MAX,
				"/bubblewrap/resources/cpuCount", err);
	if (r == 0)
		r = check_limit(wanted->pids.set, wanted->pids.value, INT32_MAX, "/bubblewrap/resources/pids", err);
	ret->memory_bytes = wanted->memory_mb.value * MEBIBYTE;
	ret->cpus = wanted->cpu_count.value;
	ret->pids = wanted->pids.value;
	return r < 0 || !wanted->io ? r : decide_io(arena, wanted->io, &ret->io, err);
}

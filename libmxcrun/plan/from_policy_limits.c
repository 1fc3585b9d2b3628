/* from_policy_limits.c - the limits of a policy, lowered as a bundle's are. */
#include "plan/from_policy_limits.h"

#include <string.h>

#define CPU_PERIOD_US 100000

static int collect_rates(struct arena *arena, const struct policy_io *from, enum policy_io_rate rate, struct oci_throttle_list *ret,
			 struct err **err)
{
	ret->items = arena_array(arena, from->device_count, sizeof(*ret->items));
	if (!ret->items)
		return err_nomem(err);
	for (size_t i = 0; i < from->device_count; i++)
		if (from->devices[i].rates[rate])
			ret->items[ret->count++] = (struct oci_throttle_device){
				{ true, from->devices[i].major }, { true, from->devices[i].minor }, { true, from->devices[i].rates[rate] },
			};
	return 0;
}

static int collect_io(struct arena *arena, const struct policy_io *from, struct oci_block_io *ret, struct err **err)
{
	const struct { enum policy_io_rate rate; struct oci_throttle_list *list; } lists[] = {
		{ POLICY_IO_READ_BPS, &ret->read_bps },	  { POLICY_IO_WRITE_BPS, &ret->write_bps },
		{ POLICY_IO_READ_IOPS, &ret->read_iops }, { POLICY_IO_WRITE_IOPS, &ret->write_iops },
	};
	int r = 0;

	if (!from)
		return 0;
	ret->weight = (struct opt_u32){ from->weight > 0, from->weight };
	for (size_t i = 0; i < array_size(lists) && r == 0; i++)
		r = collect_rates(arena, from, lists[i].rate, lists[i].list, err);
	return r;
}

bool has_policy_limits(const struct policy_resources *resources)
{
	return resources->memory_bytes || resources->cpus || resources->pids || resources->io;
}

/* Lowered as a bundle's are; what a bundle calls them is of no use to who wrote a policy. */
int build_policy_limits(struct builder *b, const struct policy_resources *resources, struct err **err)
{
	static const struct { const char *oci, *mxc; } names[] = {
		{ "/linux/resources/memory", "/bubblewrap/resources/memoryMb" },
		{ "/linux/resources/cpu", "/bubblewrap/resources/cpuCount" },
		{ "/linux/resources/pids", "/bubblewrap/resources/pids" },
		{ "/linux/resources/blockIO", "/bubblewrap/resources/io" },
	};
	const struct oci_memory memory = {
		.limit = { resources->memory_bytes > 0, (int64_t)resources->memory_bytes },
	};
	const struct oci_cpu cpu = {
		.quota = { resources->cpus > 0, (int64_t)resources->cpus * CPU_PERIOD_US },
		.period = { resources->cpus > 0, resources->cpus ? CPU_PERIOD_US : 0 },
	};
	const struct oci_pids pids = { .limit = { resources->pids > 0, resources->pids } };
	struct oci_block_io io = { 0 };
	const struct oci_resources all = { .memory = &memory, .cpu = &cpu, .pids = &pids, .block_io = &io };
	const struct oci_linux linux_ = { .resources = &all };
	struct builder with_limits = *b;
	cleanup_err struct err *failure = NULL;
	int r;

	with_limits.linux_ = &linux_;
	r = collect_io(b->arena, resources->io, &io, &failure);
	if (r == 0)
		r = build_limits(&with_limits, &failure);
	for (size_t i = 0; r < 0 && failure && failure->pointer && i < array_size(names); i++)
		if (!strncmp(failure->pointer, names[i].oci, strlen(names[i].oci)))
			err_replace_pointer(failure, names[i].mxc);
	for (size_t i = 0; r == 0 && i < b->plan->cgroup.write_count; i++)
		for (size_t j = 0; j < array_size(names); j++)
			if (!strncmp(b->plan->cgroup.writes[i].pointer, names[j].oci, strlen(names[j].oci)))
				b->plan->cgroup.writes[i].pointer = arena_strdup(b->arena, names[j].mxc);
	if (r < 0 && err)
		*err = take_ptr(failure);
	return r;
}

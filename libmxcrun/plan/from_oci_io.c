/* from_oci_io.c - resources.blockIO, hugepageLimits, network and rdma to writes of cgroup files.
 *
 * v1's blkio weights go from 10 to 1000, v2's io weights from 1 to 10000: converted as the specification's other
 * runtimes do, so that the ends meet. What only v1 has (leaf weights, network classes) is refused by name on v2.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "plan/limits.h"

#define BLOCK_IO "/linux/resources/blockIO"
#define WEIGHT_LEAST 10u
#define WEIGHT_MOST 1000u

static uint32_t v2_weight(uint32_t v1)
{
	return 1 + (v1 - WEIGHT_LEAST) * 9999 / (WEIGHT_MOST - WEIGHT_LEAST);
}

static int check_weight(const struct opt_u32 *weight, const char *pointer, struct err **err)
{
	if (weight->value >= WEIGHT_LEAST && weight->value <= WEIGHT_MOST)
		return 0;
	return err_set(err, E_CONFIG, 0, pointer, "expected %u to %u, found %" PRIu32, WEIGHT_LEAST, WEIGHT_MOST,
		       weight->value);
}

/* Which controller it is goes by the host: blkio in v1, io in v2. */
static int place_block_io(struct limits *l, const char *pointer, bool *ret_is_v2, struct err **err)
{
	cleanup_err struct err *absent = NULL;
	enum controller_place place;
	int r = limits_place(l, "blkio", pointer, &place, &absent);

	*ret_is_v2 = r < 0 || place == CONTROLLER_V2;
	return r == 0 && place == CONTROLLER_V1 ? 0 : limits_place(l, "io", pointer, &place, err);
}

/* device is "" or "MAJOR:MINOR ". */
static int add_weight(struct limits *l, const char *device, const struct opt_u32 *weight, bool is_leaf,
		      const char *pointer, struct err **err)
{
	bool is_v2;
	const char *value, *file;
	int r;

	/* 0 is "unset" as Go's encoders write it */
	if (!weight->set || weight->value == 0)
		return 0;
	r = check_weight(weight, pointer, err);
	if (r == 0)
		r = place_block_io(l, pointer, &is_v2, err);
	if (r < 0)
		return r;
	if (is_v2 && is_leaf)
		return err_set(err, E_UNSUPPORTED, 0, pointer, "cgroup v2 has no leaf weights");
	value = arena_printf(l->b->arena, "%s%" PRIu32, device, is_v2 ? v2_weight(weight->value) : weight->value);
	file = is_v2 ? "io.weight" : is_leaf ? (*device ? "blkio.leaf_weight_device" : "blkio.leaf_weight")
					     : (*device ? "blkio.weight_device" : "blkio.weight");
	if (!value)
		return err_nomem(err);
	return limits_add(l, is_v2 ? "io" : "blkio", file, value, pointer, err);
}

static int device_name(struct limits *l, const struct opt_i64 *major, const struct opt_i64 *minor,
		       const char *pointer, const char **ret, struct err **err)
{
	*ret = "";
	if (major->value < 0 || minor->value < 0 || major->value > UINT32_MAX || minor->value > UINT32_MAX)
		return err_set(err, E_CONFIG, 0, pointer, "expected the numbers of a device, found %" PRId64 ":%" PRId64,
			       major->value, minor->value);
	*ret = arena_printf(l->b->arena, "%" PRId64 ":%" PRId64 " ", major->value, minor->value);
	return *ret ? 0 : err_nomem(err);
}

static int build_weights(struct limits *l, const struct oci_block_io *io, struct err **err)
{
	int r = add_weight(l, "", &io->weight, false, BLOCK_IO "/weight", err);

	if (r == 0)
		r = add_weight(l, "", &io->leaf_weight, true, BLOCK_IO "/leafWeight", err);
	for (size_t i = 0; i < io->weight_devices.count && r == 0; i++) {
		const struct oci_weight_device *item = &io->weight_devices.items[i];
		const char *pointer = item_pointer(l->b, BLOCK_IO "/weightDevice", i), *device = NULL;

		if (!pointer)
			return err_nomem(err);
		r = device_name(l, &item->major, &item->minor, pointer, &device, err);
		if (r == 0)
			r = add_weight(l, device, &item->weight, false, pointer, err);
		if (r == 0)
			r = add_weight(l, device, &item->leaf_weight, true, pointer, err);
	}
	return r;
}

static int build_throttles(struct limits *l, const struct oci_throttle_list *list, const char *field,
			   const char *v1_file, const char *v2_key, struct err **err)
{
	int r = 0;

	for (size_t i = 0; i < list->count && r == 0; i++) {
		const struct oci_throttle_device *item = &list->items[i];
		const char *pointer = item_pointer(l->b, field, i), *device = NULL, *value;
		bool is_v2 = false;

		if (!pointer)
			return err_nomem(err);
		r = device_name(l, &item->major, &item->minor, pointer, &device, err);
		if (r == 0)
			r = place_block_io(l, pointer, &is_v2, err);
		if (r < 0)
			return r;
		value = arena_printf(l->b->arena, "%s%s%" PRIu64, device, is_v2 ? v2_key : "", item->rate.value);
		if (!value)
			return err_nomem(err);
		r = limits_add(l, is_v2 ? "io" : "blkio", is_v2 ? "io.max" : v1_file, value, pointer, err);
	}
	return r;
}

static int build_block_io(struct limits *l, const struct oci_block_io *io, struct err **err)
{
	int r;

	if (!io)
		return 0;
	r = build_weights(l, io, err);
	if (r == 0)
		r = build_throttles(l, &io->read_bps, BLOCK_IO "/throttleReadBpsDevice",
				    "blkio.throttle.read_bps_device", "rbps=", err);
	if (r == 0)
		r = build_throttles(l, &io->write_bps, BLOCK_IO "/throttleWriteBpsDevice",
				    "blkio.throttle.write_bps_device", "wbps=", err);
	if (r == 0)
		r = build_throttles(l, &io->read_iops, BLOCK_IO "/throttleReadIOPSDevice",
				    "blkio.throttle.read_iops_device", "riops=", err);
	if (r == 0)
		r = build_throttles(l, &io->write_iops, BLOCK_IO "/throttleWriteIOPSDevice",
				    "blkio.throttle.write_iops_device", "wiops=", err);
	return r;
}

/* "2MB", "1GB", "64KB": the kernel's own names of its files. */
static bool is_page_size(const char *text)
{
	size_t digits = strspn(text, "0123456789");

	return digits > 0 && digits < 8 && text[0] != '0' &&
	       (!strcmp(text + digits, "KB") || !strcmp(text + digits, "MB") || !strcmp(text + digits, "GB"));
}

static int build_hugepages(struct limits *l, const struct oci_resources *resources, struct err **err)
{
	int r = 0;

	for (size_t i = 0; i < resources->hugepage_limits.count && r == 0; i++) {
		const struct oci_hugepage_limit *item = &resources->hugepage_limits.items[i];
		const char *pointer = item_pointer(l->b, "/linux/resources/hugepageLimits", i), *file, *value;
		enum controller_place place;

		if (!pointer)
			return err_nomem(err);
		if (!is_page_size(item->page_size))
			return err_set(err, E_CONFIG, 0, pointer, "expected a page size such as \"2MB\", found \"%.32s\"",
				       item->page_size);
		r = limits_place(l, "hugetlb", pointer, &place, err);
		if (r < 0)
			return r;
		file = arena_printf(l->b->arena, place == CONTROLLER_V2 ? "hugetlb.%s.max" : "hugetlb.%s.limit_in_bytes",
				    item->page_size);
		value = arena_printf(l->b->arena, "%" PRIu64, item->limit.value);
		if (!file || !value)
			return err_nomem(err);
		r = limits_add(l, "hugetlb", file, value, pointer, err);
	}
	return r;
}

static int build_network(struct limits *l, const struct oci_network *network, struct err **err)
{
	static const char class_pointer[] = "/linux/resources/network/classID";
	enum controller_place place;
	int r = 0;

	if (!network)
		return 0;
	if (network->class_id.set && network->class_id.value) {
		r = limits_place(l, "net_cls", class_pointer, &place, err);
		if (r == 0)
			r = limits_add_i64(l, "net_cls", "net_cls.classid", network->class_id.value, class_pointer, err);
	}
	for (size_t i = 0; i < network->priorities.count && r == 0; i++) {
		const struct oci_interface_priority *item = &network->priorities.items[i];
		const char *pointer = item_pointer(l->b, "/linux/resources/network/priorities", i), *value;

		value = arena_printf(l->b->arena, "%s %" PRIu32, item->name, item->priority.value);
		if (!pointer || !value)
			return err_nomem(err);
		if (!*item->name || strpbrk(item->name, " \n"))
			return err_set(err, E_CONFIG, 0, pointer, "not the name of an interface");
		r = limits_place(l, "net_prio", pointer, &place, err);
		if (r == 0)
			r = limits_add(l, "net_prio", "net_prio.ifpriomap", value, pointer, err);
	}
	return r;
}

static int build_rdma(struct limits *l, const struct oci_resources *resources, struct err **err)
{
	int r = 0;

	for (size_t i = 0; i < resources->rdma.count && r == 0; i++) {
		const struct oci_rdma *item = &resources->rdma.items[i];
		const char *pointer = arena_printf(l->b->arena, "/linux/resources/rdma/%s", item->device);
		char handles[24] = "", objects[24] = "";
		enum controller_place place;
		const char *value;

		if (!pointer)
			return err_nomem(err);
		if (!*item->device || strpbrk(item->device, " \n"))
			return err_set(err, E_CONFIG, 0, pointer, "not the name of a device");
		if (!item->handles.set && !item->objects.set)
			return err_set(err, E_CONFIG, 0, pointer, "expected hcaHandles or hcaObjects");
		r = limits_place(l, "rdma", pointer, &place, err);
		if (r < 0)
			return r;
		if (item->handles.set)
			snprintf(handles, sizeof(handles), " hca_handle=%" PRIu32, item->handles.value);
		if (item->objects.set)
			snprintf(objects, sizeof(objects), " hca_object=%" PRIu32, item->objects.value);
		value = arena_printf(l->b->arena, "%s%s%s", item->device, handles, objects);
		r = value ? limits_add(l, "rdma", "rdma.max", value, pointer, err) : err_nomem(err);
	}
	return r;
}

int build_io_limits(struct limits *l, const struct oci_resources *resources, struct err **err)
{
	int r = build_block_io(l, resources->block_io, err);

	if (r == 0)
		r = build_hugepages(l, resources, err);
	if (r == 0)
		r = build_network(l, resources->network, err);
	return r == 0 ? build_rdma(l, resources, err) : r;
}

size_t io_writes_max(const struct oci_resources *resources)
{
	const struct oci_block_io *io = resources->block_io;
	size_t most = resources->hugepage_limits.count + resources->rdma.count;

	if (io)
		most += 2 + 2 * io->weight_devices.count + io->read_bps.count + io->write_bps.count +
			io->read_iops.count + io->write_iops.count;
	if (resources->network)
		most += 1 + resources->network->priorities.count;
	return most;
}

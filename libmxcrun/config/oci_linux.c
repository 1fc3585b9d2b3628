/* oci_linux.c - config.json as tables: the "linux" object, its resources and its seccomp section.
 */
#include "config/oci.h"

#include "config/oci_tables.h"

/* In the order of enum plan_ns_kind, which plan/ asserts. */
const char *const oci_namespace_words[] = {
	"user", "cgroup", "ipc", "uts", "network", "pid", "mount", "time", NULL,
};

static const struct field IMAGE_ROWS namespace_fields[] = {
	OCI_ROW("type", FIELD_ENUM, struct oci_namespace, type, .required = true,
		.words.raw = oci_namespace_words),
	OCI_ROW("path", FIELD_STRING, struct oci_namespace, path),
	OCI_SELF(struct oci_namespace, element),
	FIELDS_END,
};

const struct field IMAGE_ROWS oci_id_mapping_fields[] = {
	OCI_ROW("containerID", FIELD_ID, struct oci_id_mapping, container_id, .required = true),
	OCI_ROW("hostID", FIELD_ID, struct oci_id_mapping, host_id, .required = true),
	OCI_ROW("size", FIELD_U32, struct oci_id_mapping, size, .required = true),
	FIELDS_END,
};

static const struct field IMAGE_ROWS device_fields[] = {
	OCI_ROW("path", FIELD_STRING, struct oci_device, path, .required = true),
	OCI_ROW("type", FIELD_STRING, struct oci_device, type, .required = true),
	OCI_ROW("major", FIELD_I64, struct oci_device, major),
	OCI_ROW("minor", FIELD_I64, struct oci_device, minor),
	OCI_ROW("fileMode", FIELD_U32, struct oci_device, file_mode),
	OCI_ROW("uid", FIELD_U32, struct oci_device, uid),
	OCI_ROW("gid", FIELD_U32, struct oci_device, gid),
	OCI_SELF(struct oci_device, element),
	FIELDS_END,
};

static const struct field IMAGE_ROWS device_rule_fields[] = {
	OCI_ROW("allow", FIELD_BOOL, struct oci_device_rule, allow, .required = true),
	OCI_ROW("type", FIELD_STRING, struct oci_device_rule, type),
	OCI_ROW("major", FIELD_I64, struct oci_device_rule, major),
	OCI_ROW("minor", FIELD_I64, struct oci_device_rule, minor),
	OCI_ROW("access", FIELD_STRING, struct oci_device_rule, access),
	OCI_SELF(struct oci_device_rule, element),
	FIELDS_END,
};

static const struct field IMAGE_ROWS memory_fields[] = {
	OCI_ROW("limit", FIELD_I64, struct oci_memory, limit),
	OCI_ROW("reservation", FIELD_I64, struct oci_memory, reservation),
	OCI_ROW("swap", FIELD_I64, struct oci_memory, swap),
	OCI_ROW("kernel", FIELD_I64, struct oci_memory, kernel),
	OCI_ROW("kernelTCP", FIELD_I64, struct oci_memory, kernel_tcp),
	OCI_ROW("swappiness", FIELD_U64, struct oci_memory, swappiness),
	OCI_ROW("disableOOMKiller", FIELD_OPT_BOOL, struct oci_memory, disable_oom_killer),
	OCI_ROW("useHierarchy", FIELD_OPT_BOOL, struct oci_memory, use_hierarchy),
	OCI_ROW("checkBeforeUpdate", FIELD_OPT_BOOL, struct oci_memory, check_before_update),
	FIELDS_END,
};

static const struct field IMAGE_ROWS cpu_fields[] = {
	OCI_ROW("shares", FIELD_U64, struct oci_cpu, shares),
	OCI_ROW("quota", FIELD_I64, struct oci_cpu, quota),
	OCI_ROW("burst", FIELD_U64, struct oci_cpu, burst),
	OCI_ROW("period", FIELD_U64, struct oci_cpu, period),
	OCI_ROW("realtimeRuntime", FIELD_I64, struct oci_cpu, realtime_runtime),
	OCI_ROW("realtimePeriod", FIELD_U64, struct oci_cpu, realtime_period),
	OCI_ROW("cpus", FIELD_STRING, struct oci_cpu, cpus),
	OCI_ROW("mems", FIELD_STRING, struct oci_cpu, mems),
	OCI_ROW("idle", FIELD_I64, struct oci_cpu, idle),
	FIELDS_END,
};

static const struct field IMAGE_ROWS pids_fields[] = {
	OCI_ROW("limit", FIELD_I64, struct oci_pids, limit),
	FIELDS_END,
};

static const struct field IMAGE_ROWS weight_device_fields[] = {
	OCI_ROW("major", FIELD_I64, struct oci_weight_device, major, .required = true),
	OCI_ROW("minor", FIELD_I64, struct oci_weight_device, minor, .required = true),
	OCI_ROW("weight", FIELD_U32, struct oci_weight_device, weight),
	OCI_ROW("leafWeight", FIELD_U32, struct oci_weight_device, leaf_weight),
	FIELDS_END,
};

static const struct field IMAGE_ROWS throttle_device_fields[] = {
	OCI_ROW("major", FIELD_I64, struct oci_throttle_device, major, .required = true),
	OCI_ROW("minor", FIELD_I64, struct oci_throttle_device, minor, .required = true),
	OCI_ROW("rate", FIELD_U64, struct oci_throttle_device, rate, .required = true),
	FIELDS_END,
};

static const struct field IMAGE_ROWS block_io_fields[] = {
	OCI_ROW("weight", FIELD_U32, struct oci_block_io, weight),
	OCI_ROW("leafWeight", FIELD_U32, struct oci_block_io, leaf_weight),
	OCI_OBJECTS("weightDevice", struct oci_block_io, weight_devices, weight_device_fields),
	OCI_OBJECTS("throttleReadBpsDevice", struct oci_block_io, read_bps, throttle_device_fields),
	OCI_OBJECTS("throttleWriteBpsDevice", struct oci_block_io, write_bps,
		    throttle_device_fields),
	OCI_OBJECTS("throttleReadIOPSDevice", struct oci_block_io, read_iops,
		    throttle_device_fields),
	OCI_OBJECTS("throttleWriteIOPSDevice", struct oci_block_io, write_iops,
		    throttle_device_fields),
	FIELDS_END,
};

static const struct field IMAGE_ROWS hugepage_fields[] = {
	OCI_ROW("pageSize", FIELD_STRING, struct oci_hugepage_limit, page_size, .required = true),
	OCI_ROW("limit", FIELD_U64, struct oci_hugepage_limit, limit, .required = true),
	FIELDS_END,
};

static const struct field IMAGE_ROWS interface_priority_fields[] = {
	OCI_ROW("name", FIELD_STRING, struct oci_interface_priority, name, .required = true),
	OCI_ROW("priority", FIELD_U32, struct oci_interface_priority, priority, .required = true),
	FIELDS_END,
};

static const struct field IMAGE_ROWS network_fields[] = {
	OCI_ROW("classID", FIELD_U32, struct oci_network, class_id),
	OCI_OBJECTS("priorities", struct oci_network, priorities, interface_priority_fields),
	FIELDS_END,
};

static const struct field IMAGE_ROWS rdma_fields[] = {
	OCI_NAME(struct oci_rdma, device),
	OCI_ROW("hcaHandles", FIELD_U32, struct oci_rdma, handles),
	OCI_ROW("hcaObjects", FIELD_U32, struct oci_rdma, objects),
	FIELDS_END,
};

const struct field IMAGE_ROWS oci_resources_fields[] = {
	OCI_OBJECT("memory", struct oci_resources, memory, memory_fields),
	OCI_OBJECT("cpu", struct oci_resources, cpu, cpu_fields),
	OCI_OBJECT("pids", struct oci_resources, pids, pids_fields),
	OCI_OBJECTS("devices", struct oci_resources, devices, device_rule_fields),
	OCI_OBJECT("blockIO", struct oci_resources, block_io, block_io_fields),
	OCI_OBJECTS("hugepageLimits", struct oci_resources, hugepage_limits, hugepage_fields),
	OCI_OBJECT("network", struct oci_resources, network, network_fields),
	OCI_OBJECT_MAP("rdma", struct oci_resources, rdma, rdma_fields),
	OCI_ROW("unified", FIELD_STRING_MAP, struct oci_resources, unified),
	OCI_SELF(struct oci_resources, source),
	FIELDS_END,
};

static const struct field IMAGE_ROWS seccomp_arg_fields[] = {
	OCI_ROW("index", FIELD_U32, struct oci_seccomp_arg, index, .required = true),
	OCI_ROW("value", FIELD_U64, struct oci_seccomp_arg, value, .required = true),
	OCI_ROW("valueTwo", FIELD_U64, struct oci_seccomp_arg, value_two),
	OCI_ROW("op", FIELD_STRING, struct oci_seccomp_arg, op, .required = true),
	FIELDS_END,
};

static const struct field IMAGE_ROWS syscall_fields[] = {
	OCI_ROW("names", FIELD_STRINGS, struct oci_syscall, names, .required = true),
	OCI_ROW("action", FIELD_STRING, struct oci_syscall, action, .required = true),
	OCI_ROW("errnoRet", FIELD_U32, struct oci_syscall, errno_ret),
	OCI_OBJECTS("args", struct oci_syscall, args, seccomp_arg_fields),
	OCI_SELF(struct oci_syscall, element),
	FIELDS_END,
};

const struct field IMAGE_ROWS oci_seccomp_fields[] = {
	OCI_ROW("defaultAction", FIELD_STRING, struct oci_seccomp, default_action,
		.required = true),
	OCI_ROW("defaultErrnoRet", FIELD_U32, struct oci_seccomp, default_errno_ret),
	OCI_ROW("architectures", FIELD_STRINGS, struct oci_seccomp, architectures),
	OCI_ROW("flags", FIELD_STRINGS, struct oci_seccomp, flags),
	OCI_ROW("listenerPath", FIELD_STRING, struct oci_seccomp, listener_path),
	OCI_ROW("listenerMetadata", FIELD_STRING, struct oci_seccomp, listener_metadata),
	OCI_OBJECTS("syscalls", struct oci_seccomp, syscalls, syscall_fields),
	OCI_SELF(struct oci_seccomp, element),
	FIELDS_END,
};

static const char *const domain_words[] = { "LINUX", "LINUX32", NULL };

static const struct field IMAGE_ROWS personality_fields[] = {
	OCI_ROW("domain", FIELD_ENUM, struct oci_personality, domain, .words.raw = domain_words,
		.required = true),
	OCI_ROW("flags", FIELD_STRINGS, struct oci_personality, flags),
	FIELDS_END,
};

static const struct field IMAGE_ROWS time_offset_fields[] = {
	OCI_NAME(struct oci_time_offset, clock),
	OCI_ROW("secs", FIELD_I64, struct oci_time_offset, seconds),
	OCI_ROW("nanosecs", FIELD_U32, struct oci_time_offset, nanoseconds),
	OCI_SELF(struct oci_time_offset, element),
	FIELDS_END,
};

static const struct field IMAGE_ROWS net_device_fields[] = {
	OCI_NAME(struct oci_net_device, host_name),
	OCI_ROW("name", FIELD_STRING, struct oci_net_device, name),
	OCI_SELF(struct oci_net_device, element),
	FIELDS_END,
};

/* Index = number of the mode, set_mempolicy(2). */
const char *const oci_memory_mode_words[] = { "MPOL_DEFAULT",    "MPOL_PREFERRED",	   "MPOL_BIND",
						 "MPOL_INTERLEAVE", "MPOL_LOCAL",	   "MPOL_PREFERRED_MANY",
						 "MPOL_WEIGHTED_INTERLEAVE", NULL };

static const struct field IMAGE_ROWS memory_policy_fields[] = {
	OCI_ROW("mode", FIELD_ENUM, struct oci_memory_policy, mode, .words.raw = oci_memory_mode_words, .required = true),
	OCI_ROW("nodes", FIELD_STRING, struct oci_memory_policy, nodes),
	OCI_ROW("flags", FIELD_STRINGS, struct oci_memory_policy, flags),
	FIELDS_END,
};

static const struct field IMAGE_ROWS intel_rdt_fields[] = {
	OCI_ROW("closID", FIELD_STRING, struct oci_intel_rdt, class_id),
	OCI_ROW("schemata", FIELD_STRINGS, struct oci_intel_rdt, schemata),
	OCI_ROW("l3CacheSchema", FIELD_STRING, struct oci_intel_rdt, l3_cache_schema),
	OCI_ROW("memBwSchema", FIELD_STRING, struct oci_intel_rdt, memory_bandwidth_schema),
	OCI_ROW("enableMonitoring", FIELD_BOOL, struct oci_intel_rdt, enable_monitoring),
	OCI_ROW("enableCMT", FIELD_BOOL, struct oci_intel_rdt, enable_cmt),
	OCI_ROW("enableMBM", FIELD_BOOL, struct oci_intel_rdt, enable_mbm),
	FIELDS_END,
};

const struct field IMAGE_ROWS oci_linux_fields[] = {
	OCI_OBJECTS("namespaces", struct oci_linux, namespaces, namespace_fields),
	OCI_OBJECTS("uidMappings", struct oci_linux, uid_mappings, oci_id_mapping_fields),
	OCI_OBJECTS("gidMappings", struct oci_linux, gid_mappings, oci_id_mapping_fields),
	OCI_OBJECTS("devices", struct oci_linux, devices, device_fields),
	OCI_ROW("cgroupsPath", FIELD_STRING, struct oci_linux, cgroups_path),
	OCI_OBJECT("resources", struct oci_linux, resources, oci_resources_fields),
	OCI_ROW("rootfsPropagation", FIELD_STRING, struct oci_linux, rootfs_propagation),
	OCI_OBJECT("seccomp", struct oci_linux, seccomp, oci_seccomp_fields),
	OCI_ROW("sysctl", FIELD_STRING_MAP, struct oci_linux, sysctl),
	OCI_ROW("maskedPaths", FIELD_STRINGS, struct oci_linux, masked_paths),
	OCI_ROW("readonlyPaths", FIELD_STRINGS, struct oci_linux, readonly_paths),
	OCI_ROW("mountLabel", FIELD_STRING, struct oci_linux, mount_label),
	OCI_OBJECT("intelRdt", struct oci_linux, intel_rdt, intel_rdt_fields),
	OCI_OBJECT("personality", struct oci_linux, personality, personality_fields),
	OCI_OBJECT_MAP("timeOffsets", struct oci_linux, time_offsets, time_offset_fields),
	OCI_OBJECT_MAP("netDevices", struct oci_linux, net_devices, net_device_fields),
	OCI_OBJECT("memoryPolicy", struct oci_linux, memory_policy, memory_policy_fields),
	FIELDS_END,
};

/* oci.h - OCI runtime-spec 1.3 config.json as C structs, as written; nothing is decided here.
 *
 * Names are the specification's, in snake case. Pointers of the elements are kept where a later stage
 * may refuse them. Everything lives in the arena given to oci_parse and is read-only afterwards.
 */
#ifndef MXCRUN_CONFIG_OCI_H
#define MXCRUN_CONFIG_OCI_H

#include <string.h>

#include "config/fields.h"

struct oci_rlimit {
	const char *type;
	struct opt_u64 hard, soft;
};

struct oci_capabilities {
	struct string_list bounding, effective, inheritable, permitted, ambient;
};

struct oci_user {
	uint32_t uid, gid;
	struct opt_u32 umask;
	struct oci_ids { uint32_t *items; size_t count; } additional_gids;
};

struct oci_process {
	bool terminal;
	const struct oci_console_size { struct opt_u64 height, width; } *console_size;
	struct oci_user user;
	struct string_list args, env;
	const char *cwd;
	const struct oci_capabilities *capabilities;
	struct { struct oci_rlimit *items; size_t count; } rlimits;
	struct opt_bool no_new_privileges;
	const char *apparmor_profile, *selinux_label;
	struct opt_i64 oom_score_adj;
	/* policy and class are the kernel's numbers; -1 when absent */
	const struct oci_scheduler {
		int policy;
		struct opt_i64 nice, priority;
		struct string_list flags;
		struct opt_u64 runtime, deadline, period;	/* nanoseconds */
	} *scheduler;
	const struct oci_io_priority { int class_; struct opt_i64 priority; } *io_priority;
	const struct oci_cpu_affinity { const char *initial, *final; } *exec_cpu_affinity;	/* lists, "0-3,7" */
	const struct json *source;	/* the element itself, for pointers */
};

struct oci_id_mapping {
	uint32_t container_id, host_id;
	struct opt_u32 size;
};
struct oci_id_mappings { struct oci_id_mapping *items; size_t count; };

struct oci_root {
	const char *path;
	bool readonly;
};

struct oci_mount {
	const char *destination, *type, *source;
	struct string_list options;
	struct oci_id_mappings uid_mappings, gid_mappings;
	const struct json *element;
};

struct oci_hook {
	const char *path;
	struct string_list args, env;
	struct opt_i64 timeout;		/* seconds */
	const struct json *element;
};
struct oci_hook_list { struct oci_hook *items; size_t count; };

struct oci_hooks {
	struct oci_hook_list prestart, create_runtime, create_container, start_container, poststart, poststop;
};

struct oci_namespace {
	int type;			/* index into oci_namespace_words = enum plan_ns_kind */
	const char *path;
	const struct json *element;
};

struct oci_device {
	const char *path, *type;
	struct opt_i64 major, minor;
	struct opt_u32 file_mode, uid, gid;
	const struct json *element;
};

struct oci_device_rule {
	bool allow;
	const char *type, *access;
	struct opt_i64 major, minor;
	const struct json *element;
};

struct oci_memory {
	struct opt_i64 limit, reservation, swap, kernel, kernel_tcp;
	struct opt_u64 swappiness;
	struct opt_bool disable_oom_killer, use_hierarchy, check_before_update;
};

struct oci_cpu {
	struct opt_u64 shares, period, realtime_period, burst;
	struct opt_i64 quota, realtime_runtime, idle;
	const char *cpus, *mems;
};

struct oci_weight_device {
	struct opt_i64 major, minor;
	struct opt_u32 weight, leaf_weight;
};
struct oci_throttle_device {
	struct opt_i64 major, minor;
	struct opt_u64 rate;
};
struct oci_throttle_list { struct oci_throttle_device *items; size_t count; };

struct oci_block_io {
	struct opt_u32 weight, leaf_weight;
	struct { struct oci_weight_device *items; size_t count; } weight_devices;
	struct oci_throttle_list read_bps, write_bps, read_iops, write_iops;
};

struct oci_hugepage_limit {
	const char *page_size;
	struct opt_u64 limit;
};

struct oci_interface_priority {
	const char *name;
	struct opt_u32 priority;
};
struct oci_network {
	struct opt_u32 class_id;
	struct { struct oci_interface_priority *items; size_t count; } priorities;
};

struct oci_rdma {
	const char *device;
	struct opt_u32 handles, objects;
};

struct oci_resources {
	const struct oci_memory *memory;
	const struct oci_cpu *cpu;
	const struct oci_pids { struct opt_i64 limit; } *pids;
	struct { struct oci_device_rule *items; size_t count; } devices;
	const struct oci_block_io *block_io;
	struct { struct oci_hugepage_limit *items; size_t count; } hugepage_limits;
	const struct oci_network *network;
	struct { struct oci_rdma *items; size_t count; } rdma;
	struct string_map unified;
	const struct json *source;
};

struct oci_seccomp_arg {
	struct opt_u32 index;
	struct opt_u64 value, value_two;
	const char *op;
};

struct oci_syscall {
	struct string_list names;
	const char *action;
	struct opt_u32 errno_ret;
	struct { struct oci_seccomp_arg *items; size_t count; } args;
	const struct json *element;
};

struct oci_seccomp {
	const char *default_action;
	struct opt_u32 default_errno_ret;
	struct string_list architectures, flags;
	const char *listener_path, *listener_metadata;
	struct { struct oci_syscall *items; size_t count; } syscalls;
	const struct json *element;
};

struct oci_time_offset {
	const char *clock;
	struct opt_i64 seconds;
	struct opt_u32 nanoseconds;
	const struct json *element;
};

struct oci_net_device {
	const char *host_name, *name;	/* name NULL: it keeps the one that it has */
	const struct json *element;
};

struct oci_intel_rdt {
	const char *class_id;
	struct string_list schemata;
	const char *l3_cache_schema, *memory_bandwidth_schema;
	bool enable_monitoring, enable_cmt, enable_mbm;	/* the latter two until runtime-spec 1.3 */
};

struct oci_linux {
	struct { struct oci_namespace *items; size_t count; } namespaces;
	struct oci_id_mappings uid_mappings, gid_mappings;
	struct { struct oci_device *items; size_t count; } devices;
	const char *cgroups_path;
	const struct oci_resources *resources;
	const char *rootfs_propagation;
	const struct oci_seccomp *seccomp;
	struct string_map sysctl;
	struct string_list masked_paths, readonly_paths;
	const char *mount_label;
	const struct oci_personality { int domain; struct string_list flags; } *personality;
	struct { struct oci_time_offset *items; size_t count; } time_offsets;
	struct { struct oci_net_device *items; size_t count; } net_devices;
	/* mode is the kernel's number, -1 when absent; nodes is a list, "0-3,7" */
	const struct oci_memory_policy { int mode; const char *nodes; struct string_list flags; } *memory_policy;
	const struct oci_intel_rdt *intel_rdt;
};

struct oci_config {
	const char *oci_version;
	const struct oci_root *root;
	struct { struct oci_mount *items; size_t count; } mounts;
	const struct oci_process *process;
	const char *hostname, *domainname;
	const struct oci_hooks *hooks;
	const struct oci_linux *linux_;
	struct string_map annotations;
	const struct json *mxc;		/* the bundle's own policy (DESIGN section 4) */
	const struct json *document;
};

/* Value of an annotation, NULL without it. */
static inline const char *oci_annotation(const struct oci_config *config, const char *key)
{
	for (size_t i = 0; i < config->annotations.count; i++)
		if (!strcmp(config->annotations.items[i].key, key))
			return config->annotations.items[i].value;
	return NULL;
}

/* Words of oci_namespace.type, in the order of enum plan_ns_kind; shared with the features command. */
extern const char *const oci_namespace_words[];
/* The same for oci_memory_policy.mode. */
extern const char *const oci_memory_mode_words[];

/* Check shape and single values of a parsed config.json; fills a struct in the arena. Cross-field
 * questions belong to plan/. 0 or -errno. */
int oci_parse(struct arena *arena, const struct json *document, const struct log *log,
	      const struct oci_config **ret, struct err **err);

/* The same for a process.json (exec --process) and a resources document (update). */
int oci_parse_process(struct arena *arena, const struct json *document, const struct log *log,
		      const struct oci_process **ret, struct err **err);
int oci_parse_resources(struct arena *arena, const struct json *document, const struct log *log,
			const struct oci_resources **ret, struct err **err);
/* A file with a seccomp section alone. Unlike elsewhere an unknown key is an error: other formats of such files say by
 * more keys when a rule holds. */
int oci_parse_seccomp(struct arena *arena, const struct json *document, const struct log *log,
		      const struct oci_seccomp **ret, struct err **err);

#endif

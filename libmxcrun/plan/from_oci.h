/* from_oci.h - what the files that lower an OCI configuration share, and of it what from_policy.c
 * needs too (copies, the cgroup's place); nobody else includes it.
 *
 * Each step fills the members of the plan that are its subject and reads those of the steps before
 * it; the order is that of the list in from_oci.c. */
#ifndef MXCRUN_PLAN_FROM_OCI_H
#define MXCRUN_PLAN_FROM_OCI_H

#include "plan/build.h"
#include "plan/options.h"

struct builder {
	struct arena *arena; /* the plan's */
	const struct oci_config *config;
	const struct oci_linux *linux_; /* never NULL: an empty one when the config has none */
	const struct plan_request *request;
	const struct host_facts *facts;
	const struct log *log;
	struct plan *plan;
	size_t grant_first, grant_count; /* of the mounts: what policies bring from the host */
	/* What linux_ points to once a policy has lowered limits: not in the arena, for it points out of it. */
	struct {
		struct oci_linux linux_;
		struct oci_resources resources;
		struct oci_memory memory;
		struct oci_cpu cpu;
		struct oci_pids pids;
	} tightened;
};

/* Start a plan: the first allocation of its arena. */
int builder_init(struct builder *b, struct arena *plan_arena, const struct oci_config *config,
		 const struct plan_request *request, const struct host_facts *facts,
		 const struct log *log, struct err **err);

int build_bundle_identity(struct builder *b, struct err **err);
int build_namespaces(struct builder *b, struct err **err); /* with host names */
int build_idmaps(struct builder *b, struct err **err);
/* exec: instead of new ones those of that process. */
int build_joined_namespaces(struct builder *b, pid_t init, struct err **err);
/* The same checks for a list of mappings at pointer. */
int build_id_map(struct builder *b, const struct oci_id_mappings *list, const char *pointer, struct plan_idmaps *ret,
	      struct err **err);
/* One more of them, for which there is room. */
int add_id_range(struct plan_idmaps *maps, const struct plan_idmap *range, const char *pointer, struct err **err);
int build_net_devices(struct builder *b, struct err **err);
int build_sysctls(struct builder *b, struct err **err);
int build_cgroup(struct builder *b, struct err **err);
int build_unit_properties(struct builder *b, struct err **err);
int build_limits(struct builder *b, struct err **err);
int build_rdt(struct builder *b, struct err **err);
int build_device_rules(struct builder *b, struct err **err);
int build_root(struct builder *b, struct err **err);
int build_mounts(struct builder *b, struct err **err);
/* from_oci_mount_maps.c: the ids that a mount shows, when its kind and options are known. */
int build_mount_maps(struct builder *b, const struct oci_mount *entry, const struct mount_option_marks *marks,
		     struct plan_mount *mount, struct err **err);
int build_devices(struct builder *b, struct err **err);
int build_masks(struct builder *b, struct err **err);
int build_process(struct builder *b, struct err **err);
/* from_oci_env.c: env and homeFromPasswd of the process; extra_env of the request comes last. */
int build_environment(struct builder *b, const struct string_list *list, struct err **err);
int build_cpu_affinity(struct builder *b, struct err **err); /* exec only */
int build_memory_policy(struct builder *b, struct err **err);
int build_scheduling(struct builder *b, struct err **err);
int build_capabilities(struct builder *b, struct err **err);
int build_hooks(struct builder *b, struct err **err);
/* from_carriers.c: the policies of the bundle. The first before the cgroup's steps, the second right after the mounts,
 * the last when all else is decided. The capabilities also for exec. */
int build_carrier_limits(struct builder *b, struct err **err);
int build_carrier_grants(struct builder *b, struct err **err);
int build_carrier_regions(struct builder *b, struct err **err);
int build_carrier_capabilities(struct builder *b, struct err **err);
int build_carrier_filters(struct builder *b, struct err **err);
int build_exec_filters(struct builder *b, struct err **err);

/* ---- from_oci_copy.c: data into the plan's arena ---- */

/* Copy of a string; NULL stays NULL. */
int copy_string(struct builder *b, const char *s, const char **ret, struct err **err);
/* Copy of a list as a NULL-terminated array; extra (NULL-terminated, may be NULL) is added. */
int copy_list(struct builder *b, const struct string_list *list, const char *const *extra,
	      const char *const **ret, struct err **err);
/* Is each element "NAME=value"? pointer: of the list. What stands there may be a secret and is not shown. */
int check_variables(struct builder *b, const struct string_list *list, const char *pointer, struct err **err);
/* path_clean() into the arena. */
int copy_clean_path(struct builder *b, const char *path, const char **ret, struct err **err);
/* A host path: as it is when absolute, else below the bundle. */
int copy_host_path(struct builder *b, const char *path, const char **ret, struct err **err);
/* Pointer of a list's element, "prefix/index"; NULL when out of memory. */
const char *item_pointer(struct builder *b, const char *prefix, size_t index);

/* E_UNSUPPORTED when the value asks for anything: {}, [], 0, false, "" and null do not. */
int refuse_json(struct builder *b, const struct json *value, struct err **err);

/* Is a byte of s one? */
bool has_control_character(const char *s);

/* Has s that suffix, and something before it? */
bool ends_with(const char *s, const char *suffix);


/* Is id inside the user namespace of the plan mapped? True without a new user namespace. */
bool is_mapped(const struct builder *b, const struct plan_idmaps *maps, uint32_t id);

#endif

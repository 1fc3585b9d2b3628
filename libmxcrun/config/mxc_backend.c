/* mxc_backend.c - the section "bubblewrap": what a policy may say of the sandbox itself.
 *
 * Our own in every contract, because MXC has no section for this back end; the native engine, which serves
 * the same containment, reads it too. Only shape is looked at here; plan/from_policy_backend.c says what a sandbox
 * can do without.
 */
#include "config/mxc_tables.h"

static const struct field resources_fields[] = {
	MXC_ROW("memoryMb", FIELD_U64, struct mxc_resources, memory_mb),
	MXC_ROW("cpuCount", FIELD_U32, struct mxc_resources, cpu_count),
	MXC_ROW("pids", FIELD_U32, struct mxc_resources, pids),
	MXC_ROW_END,
};

static const struct field namespaces_fields[] = {
	MXC_ROW("cgroup", FIELD_OPT_BOOL, struct mxc_namespaces, cgroup),
	MXC_ROW("ipc", FIELD_OPT_BOOL, struct mxc_namespaces, ipc),
	MXC_ROW("mount", FIELD_OPT_BOOL, struct mxc_namespaces, mount),
	MXC_ROW("network", FIELD_OPT_BOOL, struct mxc_namespaces, network),
	MXC_ROW("pid", FIELD_OPT_BOOL, struct mxc_namespaces, pid),
	MXC_ROW("time", FIELD_OPT_BOOL, struct mxc_namespaces, time),
	MXC_ROW("user", FIELD_OPT_BOOL, struct mxc_namespaces, user),
	MXC_ROW("uts", FIELD_OPT_BOOL, struct mxc_namespaces, uts),
	MXC_ROW_END,
};

#define RESOURCES_ROW                                                                                        \
	MXC_ROW("resources", FIELD_OBJECT, struct mxc_bubblewrap, resources, .table = resources_fields,      \
		.size = sizeof(struct mxc_resources))

const struct field mxc_bubblewrap_fields[] = {
	RESOURCES_ROW,
	MXC_ROW("seccompProfile", FIELD_STRING, struct mxc_bubblewrap, seccomp_profile),
	MXC_ROW("keepCaps", FIELD_STRINGS, struct mxc_bubblewrap, keep_caps),
	MXC_ROW("dropCaps", FIELD_STRINGS, struct mxc_bubblewrap, drop_caps),
	MXC_ROW("namespaces", FIELD_INLINE, struct mxc_bubblewrap, namespaces, .table = namespaces_fields),
	MXC_ROW("newSession", FIELD_OPT_BOOL, struct mxc_bubblewrap, new_session),
	MXC_ROW("dieWithParent", FIELD_OPT_BOOL, struct mxc_bubblewrap, die_with_parent),
	MXC_ROW("argv0", FIELD_STRING, struct mxc_bubblewrap, argv0),
	MXC_ROW_END,
};

const struct field mxc_bubblewrap_fragment_fields[] = {
	RESOURCES_ROW,
	MXC_ROW_END,
};

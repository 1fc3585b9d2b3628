/* mxc_backend.c - the section "bubblewrap": what a policy may say of the sandbox itself.
 *
 * Our own in every contract, because MXC has no section for this back end; the native engine, which serves
 * the same containment, reads it too. Only shape is looked at here; plan/from_policy_backend.c says what a sandbox
 * can do without.
 */
#include "config/engine_words.h"
#include "config/mxc_tables.h"

#define LIMIT_ROWS                                                                    \
	MXC_ROW("memoryMb", FIELD_U64, struct mxc_resources, memory_mb),              \
	MXC_ROW("cpuCount", FIELD_U32, struct mxc_resources, cpu_count),              \
	MXC_ROW("pids", FIELD_U32, struct mxc_resources, pids)

static const struct field IMAGE_ROWS io_device_fields[] = {
	MXC_ROW("device", FIELD_STRING, struct mxc_io_device, device, .required = true),
	MXC_ROW("readBps", FIELD_U64, struct mxc_io_device, read_bps),
	MXC_ROW("writeBps", FIELD_U64, struct mxc_io_device, write_bps),
	MXC_ROW("readIops", FIELD_U64, struct mxc_io_device, read_iops),
	MXC_ROW("writeIops", FIELD_U64, struct mxc_io_device, write_iops),
	FIELDS_END,
};

static const struct field IMAGE_ROWS io_fields[] = {
	MXC_ROW("weight", FIELD_U32, struct mxc_io, weight),
	MXC_ROW("devices", FIELD_OBJECTS, struct mxc_io, devices, .table.raw = io_device_fields,
		.size = sizeof(struct mxc_io_device)),
	FIELDS_END,
};

static const struct field IMAGE_ROWS resources_fields[] = {
	LIMIT_ROWS,
	MXC_ROW("io", FIELD_OBJECT, struct mxc_resources, io, .table.raw = io_fields, .size = sizeof(struct mxc_io)),
	FIELDS_END,
};

/* Of a container's block devices its own configuration speaks. */
static const struct field IMAGE_ROWS fragment_resources_fields[] = { LIMIT_ROWS, FIELDS_END };

static const struct field IMAGE_ROWS namespaces_fields[] = {
	MXC_ROW("cgroup", FIELD_OPT_BOOL, struct mxc_namespaces, cgroup),
	MXC_ROW("ipc", FIELD_OPT_BOOL, struct mxc_namespaces, ipc),
	MXC_ROW("mount", FIELD_OPT_BOOL, struct mxc_namespaces, mount),
	MXC_ROW("network", FIELD_OPT_BOOL, struct mxc_namespaces, network),
	MXC_ROW("pid", FIELD_OPT_BOOL, struct mxc_namespaces, pid),
	MXC_ROW("time", FIELD_OPT_BOOL, struct mxc_namespaces, time),
	MXC_ROW("user", FIELD_OPT_BOOL, struct mxc_namespaces, user),
	MXC_ROW("uts", FIELD_OPT_BOOL, struct mxc_namespaces, uts),
	FIELDS_END,
};

#define RESOURCES_ROW(table_)                                                                 \
	MXC_ROW("resources", FIELD_OBJECT, struct mxc_bubblewrap, resources, .table.raw = (table_), \
		.size = sizeof(struct mxc_resources))

/* ---- what is put into the view ---- */

static const struct field IMAGE_ROWS bind_fields[] = {
	MXC_ROW("source", FIELD_STRING, struct mxc_bind, source, .required = true),
	MXC_ROW("destination", FIELD_STRING, struct mxc_bind, destination),
	MXC_ROW("readOnly", FIELD_OPT_BOOL, struct mxc_bind, is_readonly),
	MXC_ROW("", FIELD_SELF, struct mxc_bind, element),
	FIELDS_END,
};

static const struct field IMAGE_ROWS tmpfs_fields[] = {
	MXC_ROW("path", FIELD_STRING, struct mxc_tmpfs, path, .required = true),
	MXC_ROW("sizeMb", FIELD_U64, struct mxc_tmpfs, size_mb),
	MXC_ROW("", FIELD_SELF, struct mxc_tmpfs, element),
	FIELDS_END,
};

static const struct field IMAGE_ROWS symlink_fields[] = {
	MXC_ROW("path", FIELD_STRING, struct mxc_symlink, path, .required = true),
	MXC_ROW("target", FIELD_STRING, struct mxc_symlink, target, .required = true),
	MXC_ROW("", FIELD_SELF, struct mxc_symlink, element),
	FIELDS_END,
};

/* A place in the view has one meaning wherever the caller stands. */
static int check_absolute(const struct decode *d, const struct json *element, const char *key, struct err **err)
{
	const struct json *path = json_get(element, key);
	int r;

	if (!mxc_is_present(path))
		return 0;
	r = mxc_check_path(d, path, err);
	if (r == 0 && path->text[0] != '/')
		r = fields_error(d, path, err, "must be an absolute path");
	return r;
}

static int check_count(const char *key, size_t count, struct err **err)
{
	if (count <= MXC_PLACED_MAX)
		return 0;
	return err_set(err, E_CONFIG, 0, NULL, "bubblewrap.%s: more than %u entries", key, MXC_PLACED_MAX);
}

int mxc_check_placed(const struct decode *d, const struct mxc_config *config, struct err **err)
{
	const struct mxc_bubblewrap *section = config->bubblewrap;
	int r;

	if (!section)
		return 0;
	r = check_count("customBinds", section->custom_binds.count, err);
	if (r == 0)
		r = check_count("tmpfsMounts", section->tmpfs_mounts.count, err);
	if (r == 0)
		r = check_count("symlinks", section->symlinks.count, err);
	for (size_t i = 0; i < section->custom_binds.count && r == 0; i++) {
		r = check_absolute(d, section->custom_binds.items[i].element, "source", err);
		if (r == 0)
			r = check_absolute(d, section->custom_binds.items[i].element, "destination", err);
	}
	for (size_t i = 0; i < section->tmpfs_mounts.count && r == 0; i++)
		r = check_absolute(d, section->tmpfs_mounts.items[i].element, "path", err);
	for (size_t i = 0; i < section->symlinks.count && r == 0; i++) {
		r = check_absolute(d, section->symlinks.items[i].element, "path", err);
		if (r == 0)
			r = mxc_check_path(d, json_get(section->symlinks.items[i].element, "target"), err);
	}
	return r;
}

/* ---- the section ---- */

#define PROCESS_ROWS                                                                             \
	MXC_ROW("seccompProfile", FIELD_STRING, struct mxc_bubblewrap, seccomp_profile),         \
	MXC_ROW("keepCaps", FIELD_STRINGS, struct mxc_bubblewrap, keep_caps),                    \
	MXC_ROW("dropCaps", FIELD_STRINGS, struct mxc_bubblewrap, drop_caps)

const struct field IMAGE_ROWS mxc_bubblewrap_fields[] = {
	RESOURCES_ROW(resources_fields),
	PROCESS_ROWS,
	MXC_ROW("namespaces", FIELD_INLINE, struct mxc_bubblewrap, namespaces, .table.raw = namespaces_fields),
	MXC_ROW("newSession", FIELD_OPT_BOOL, struct mxc_bubblewrap, new_session),
	MXC_ROW("dieWithParent", FIELD_OPT_BOOL, struct mxc_bubblewrap, die_with_parent),
	MXC_ROW("argv0", FIELD_STRING, struct mxc_bubblewrap, argv0),
	MXC_ROW("engine", FIELD_CUSTOM, struct mxc_bubblewrap, engine, .decode.raw = engine_word_decode),
	MXC_ROW("customBinds", FIELD_OBJECTS, struct mxc_bubblewrap, custom_binds, .table.raw = bind_fields,
		.size = sizeof(struct mxc_bind)),
	MXC_ROW("tmpfsMounts", FIELD_OBJECTS, struct mxc_bubblewrap, tmpfs_mounts, .table.raw = tmpfs_fields,
		.size = sizeof(struct mxc_tmpfs)),
	MXC_ROW("symlinks", FIELD_OBJECTS, struct mxc_bubblewrap, symlinks, .table.raw = symlink_fields,
		.size = sizeof(struct mxc_symlink)),
	FIELDS_END,
};

const struct field IMAGE_ROWS mxc_bubblewrap_fragment_fields[] = {
	RESOURCES_ROW(fragment_resources_fields),
	PROCESS_ROWS,
	FIELDS_END,
};

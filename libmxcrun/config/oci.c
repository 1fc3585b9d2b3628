/* oci.c - config.json as tables: everything that is not below "linux", and the parser's entry
 * points.
 *
 * Decides nothing: a value that has the right shape passes, what it means together with others is a
 * question for plan/. Unknown keys are ignored, because the specification says that a runtime must
 * not fail on them; null is the same as absent, because Go, which writes these files, treats it so.
 */
#include "config/oci.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "config/oci_tables.h"

static int decode_ids(struct decode *d, const struct json *value, void *target, struct err **err)
{
	struct oci_ids *ids = target;
	const struct json *child;
	int r;

	if (value->type != JSON_ARRAY)
		return fields_mismatch(d, value, "an array of ids", err);
	if (!value->len)
		return 0;
	ids->items = arena_array(d->arena, value->len, sizeof(*ids->items));
	if (!ids->items)
		return err_nomem(err);
	for (child = value->first; child; child = child->next) {
		r = fields_decode_id(d, child, &ids->items[ids->count], err);
		if (r < 0)
			return r;
		ids->count++;
	}
	return 0;
}

static bool skip_number(const char **s)
{
	const char *start = *s;

	while (isdigit((unsigned char)**s))
		(*s)++;
	return *s > start && !(*start == '0' && *s - start > 1);
}

/* MAJOR.MINOR.PATCH, then nothing or a pre-release or build part. */
static bool is_semantic_version(const char *s)
{
	static const char allowed[] =
		"-+.0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

	if (!skip_number(&s) || *s++ != '.')
		return false;
	if (!skip_number(&s) || *s++ != '.')
		return false;
	if (!skip_number(&s))
		return false;
	if (!*s)
		return true;
	return (*s == '-' || *s == '+') && s[1] && !s[strspn(s, allowed)];
}

/* The major version that we know; later minor versions only add to it. */
static int decode_version(struct decode *d, const struct json *value, void *target,
			  struct err **err)
{
	if (value->type != JSON_STRING)
		return fields_mismatch(d, value, "a string", err);
	if (!is_semantic_version(value->text))
		return fields_mismatch(d, value, "a semantic version such as \"1.3.0\"", err);
	if (strncmp(value->text, "1.", 2) != 0)
		return fields_mismatch(d, value, "a version of the 1.x series", err);
	*(const char **)target = value->text;
	return 0;
}

static const struct field IMAGE_ROWS root_fields[] = {
	OCI_ROW("path", FIELD_STRING, struct oci_root, path, .required = true),
	OCI_ROW("readonly", FIELD_BOOL, struct oci_root, readonly),
	FIELDS_END,
};

static const struct field IMAGE_ROWS mount_fields[] = {
	OCI_ROW("destination", FIELD_STRING, struct oci_mount, destination, .required = true),
	OCI_ROW("type", FIELD_STRING, struct oci_mount, type),
	OCI_ROW("source", FIELD_STRING, struct oci_mount, source),
	OCI_ROW("options", FIELD_STRINGS, struct oci_mount, options),
	OCI_OBJECTS("uidMappings", struct oci_mount, uid_mappings, oci_id_mapping_fields),
	OCI_OBJECTS("gidMappings", struct oci_mount, gid_mappings, oci_id_mapping_fields),
	OCI_SELF(struct oci_mount, element),
	FIELDS_END,
};

static const struct field IMAGE_ROWS console_size_fields[] = {
	OCI_ROW("height", FIELD_U64, struct oci_console_size, height, .required = true),
	OCI_ROW("width", FIELD_U64, struct oci_console_size, width, .required = true),
	FIELDS_END,
};

static const struct field IMAGE_ROWS user_fields[] = {
	OCI_ROW("uid", FIELD_ID, struct oci_user, uid),
	OCI_ROW("gid", FIELD_ID, struct oci_user, gid),
	OCI_ROW("umask", FIELD_U32, struct oci_user, umask),
	OCI_ROW("additionalGids", FIELD_CUSTOM, struct oci_user, additional_gids,
		.decode.raw = decode_ids),
	OCI_IGNORED("username"), /* Windows */
	FIELDS_END,
};

static const struct field IMAGE_ROWS capabilities_fields[] = {
	OCI_ROW("bounding", FIELD_STRINGS, struct oci_capabilities, bounding),
	OCI_ROW("effective", FIELD_STRINGS, struct oci_capabilities, effective),
	OCI_ROW("inheritable", FIELD_STRINGS, struct oci_capabilities, inheritable),
	OCI_ROW("permitted", FIELD_STRINGS, struct oci_capabilities, permitted),
	OCI_ROW("ambient", FIELD_STRINGS, struct oci_capabilities, ambient),
	FIELDS_END,
};

static const struct field IMAGE_ROWS rlimit_fields[] = {
	OCI_ROW("type", FIELD_STRING, struct oci_rlimit, type, .required = true),
	OCI_ROW("hard", FIELD_U64, struct oci_rlimit, hard, .required = true),
	OCI_ROW("soft", FIELD_U64, struct oci_rlimit, soft, .required = true),
	FIELDS_END,
};

/* Index = number of the policy, sched(7). */
static const char *const scheduler_words[] = { "SCHED_OTHER", "SCHED_FIFO", "SCHED_RR", "SCHED_BATCH",
					       "SCHED_ISO",   "SCHED_IDLE", "SCHED_DEADLINE", NULL };

static const struct field IMAGE_ROWS scheduler_fields[] = {
	OCI_ROW("policy", FIELD_ENUM, struct oci_scheduler, policy, .words.raw = scheduler_words,
		.required = true),
	OCI_ROW("nice", FIELD_I64, struct oci_scheduler, nice),
	OCI_ROW("priority", FIELD_I64, struct oci_scheduler, priority),
	OCI_ROW("flags", FIELD_STRINGS, struct oci_scheduler, flags),
	OCI_ROW("runtime", FIELD_U64, struct oci_scheduler, runtime),
	OCI_ROW("deadline", FIELD_U64, struct oci_scheduler, deadline),
	OCI_ROW("period", FIELD_U64, struct oci_scheduler, period),
	FIELDS_END,
};

/* Index = number of the class, ioprio_set(2). */
static const char *const io_class_words[] = { "IOPRIO_CLASS_NONE", "IOPRIO_CLASS_RT",
					      "IOPRIO_CLASS_BE", "IOPRIO_CLASS_IDLE", NULL };

static const struct field IMAGE_ROWS io_priority_fields[] = {
	OCI_ROW("class", FIELD_ENUM, struct oci_io_priority, class_, .words.raw = io_class_words,
		.required = true),
	OCI_ROW("priority", FIELD_I64, struct oci_io_priority, priority),
	FIELDS_END,
};

static const struct field IMAGE_ROWS cpu_affinity_fields[] = {
	OCI_ROW("initial", FIELD_STRING, struct oci_cpu_affinity, initial),
	OCI_ROW("final", FIELD_STRING, struct oci_cpu_affinity, final),
	FIELDS_END,
};

const struct field IMAGE_ROWS oci_process_fields[] = {
	OCI_ROW("terminal", FIELD_BOOL, struct oci_process, terminal),
	OCI_OBJECT("consoleSize", struct oci_process, console_size, console_size_fields),
	OCI_ROW("user", FIELD_INLINE, struct oci_process, user, .table.raw = user_fields),
	OCI_ROW("args", FIELD_STRINGS, struct oci_process, args),
	OCI_ROW("env", FIELD_STRINGS, struct oci_process, env),
	OCI_ROW("cwd", FIELD_STRING, struct oci_process, cwd, .required = true),
	OCI_OBJECT("capabilities", struct oci_process, capabilities, capabilities_fields),
	OCI_OBJECTS("rlimits", struct oci_process, rlimits, rlimit_fields),
	OCI_ROW("noNewPrivileges", FIELD_OPT_BOOL, struct oci_process, no_new_privileges),
	OCI_ROW("apparmorProfile", FIELD_STRING, struct oci_process, apparmor_profile),
	OCI_ROW("selinuxLabel", FIELD_STRING, struct oci_process, selinux_label),
	OCI_ROW("oomScoreAdj", FIELD_I64, struct oci_process, oom_score_adj),
	OCI_OBJECT("scheduler", struct oci_process, scheduler, scheduler_fields),
	OCI_OBJECT("ioPriority", struct oci_process, io_priority, io_priority_fields),
	OCI_OBJECT("execCPUAffinity", struct oci_process, exec_cpu_affinity, cpu_affinity_fields),
	OCI_IGNORED("commandLine"), /* Windows */
	OCI_SELF(struct oci_process, source),
	FIELDS_END,
};

static const struct field IMAGE_ROWS hook_fields[] = {
	OCI_ROW("path", FIELD_STRING, struct oci_hook, path, .required = true),
	OCI_ROW("args", FIELD_STRINGS, struct oci_hook, args),
	OCI_ROW("env", FIELD_STRINGS, struct oci_hook, env),
	OCI_ROW("timeout", FIELD_I64, struct oci_hook, timeout),
	OCI_SELF(struct oci_hook, element),
	FIELDS_END,
};

static const struct field IMAGE_ROWS hooks_fields[] = {
	OCI_OBJECTS("prestart", struct oci_hooks, prestart, hook_fields),
	OCI_OBJECTS("createRuntime", struct oci_hooks, create_runtime, hook_fields),
	OCI_OBJECTS("createContainer", struct oci_hooks, create_container, hook_fields),
	OCI_OBJECTS("startContainer", struct oci_hooks, start_container, hook_fields),
	OCI_OBJECTS("poststart", struct oci_hooks, poststart, hook_fields),
	OCI_OBJECTS("poststop", struct oci_hooks, poststop, hook_fields),
	FIELDS_END,
};

const struct field IMAGE_ROWS oci_config_fields[] = {
	OCI_ROW("ociVersion", FIELD_CUSTOM, struct oci_config, oci_version, .required = true,
		.decode.raw = decode_version),
	OCI_OBJECT("root", struct oci_config, root, root_fields),
	OCI_OBJECTS("mounts", struct oci_config, mounts, mount_fields),
	OCI_OBJECT("process", struct oci_config, process, oci_process_fields),
	OCI_ROW("hostname", FIELD_STRING, struct oci_config, hostname),
	OCI_ROW("domainname", FIELD_STRING, struct oci_config, domainname),
	OCI_OBJECT("hooks", struct oci_config, hooks, hooks_fields),
	OCI_OBJECT("linux", struct oci_config, linux_, oci_linux_fields),
	OCI_ROW("annotations", FIELD_STRING_MAP, struct oci_config, annotations),
	OCI_ROW("mxc", FIELD_RAW, struct oci_config, mxc),
	OCI_IGNORED("solaris"),
	OCI_IGNORED("windows"),
	OCI_IGNORED("vm"),
	OCI_IGNORED("zos"),
	OCI_IGNORED("freebsd"),
	OCI_SELF(struct oci_config, document),
	FIELDS_END,
};

static const void *parse(struct arena *arena, const struct json *document, const struct log *log,
			 const struct field *table, size_t size, int *ret, struct err **err)
{
	struct decode d = { .arena = arena, .log = log, .null_is_absent = true };
	void *out = arena_alloc(arena, size);

	*ret = out ? fields_decode(&d, document, table, out, err) : err_nomem(err);
	return out;
}

int oci_parse(struct arena *arena, const struct json *document, const struct log *log,
	      const struct oci_config **ret, struct err **err)
{
	const void *config;
	int r;

	config = parse(arena, document, log, oci_config_fields, sizeof(struct oci_config), &r, err);
	if (r < 0)
		return r;
	*ret = config;
	return 0;
}

int oci_parse_process(struct arena *arena, const struct json *document, const struct log *log,
		      const struct oci_process **ret, struct err **err)
{
	const void *process;
	int r;

	process = parse(arena, document, log, oci_process_fields, sizeof(struct oci_process), &r,
			err);
	if (r < 0)
		return r;
	*ret = process;
	return 0;
}

int oci_parse_resources(struct arena *arena, const struct json *document, const struct log *log,
			const struct oci_resources **ret, struct err **err)
{
	const void *resources;
	int r;

	resources = parse(arena, document, log, oci_resources_fields, sizeof(struct oci_resources),
			  &r, err);
	if (r < 0)
		return r;
	*ret = resources;
	return 0;
}

int oci_parse_seccomp(struct arena *arena, const struct json *document, const struct log *log,
		      const struct oci_seccomp **ret, struct err **err)
{
	struct decode d = { .arena = arena, .log = log, .null_is_absent = true, .unknown_is_error = true };
	struct oci_seccomp *seccomp = arena_alloc(arena, sizeof(*seccomp));
	int r = seccomp ? fields_decode(&d, document, oci_seccomp_fields, seccomp, err) : err_nomem(err);

	if (r == 0)
		*ret = seccomp;
	return r;
}

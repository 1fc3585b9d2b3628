/* record.c - who and what a container is, as JSON in its entry.
 *
 * The record is all that the later commands know: none of them reads the bundle again. Reading goes
 * through a field table like every other document; a file that does not decode is E_RECORD, and the
 * caller goes on with what the journal and the kernel say (invariant 40).
 */

#include "lifecycle/store.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/json.h"
#include "config/fields.h"

#define RECORD_FILE "record"
#define RECORD_FORMAT 1
#define HOOK_LIMIT_MS 60000 /* what `start` allows for the work that is not a hook's */

/* ---- from the plan ---- */

/* A startContainer hook without a timeout may take as long as it likes. */
static int start_timeout(const struct plan_hooks *hooks)
{
	int total = HOOK_LIMIT_MS;

	for (size_t i = 0; i < hooks->count; i++) {
		int limit = hooks->items[i].timeout_ms;

		if (limit <= 0 || limit > INT_MAX - total)
			return -1;
		total += limit;
	}
	return total;
}

struct cgroup cgroup_view(const struct cgroup *cgroup)
{
	return (struct cgroup){ .dirs = cgroup->dirs,
				.count = cgroup->count,
				.resctrl = cgroup->resctrl,
				.unit = cgroup->unit };
}

void record_from_plan(struct record *record, const struct plan *plan, const struct cgroup *cgroup,
		      const char *created)
{
	*record = (struct record){
		.id = plan->id,
		.bundle = plan->bundle ? plan->bundle : "",
		.config = plan->config ? plan->config : "",
		.rootfs = plan->root.path ? plan->root.path : "",
		.oci_version = plan->oci_version ? plan->oci_version : "",
		.created = created,
		.owner = (uint32_t)geteuid(),
		.is_sandbox = plan->lifecycle.is_sandbox,
		.has_pid_namespace = plan->namespaces[NS_PID].mode == NS_NEW,
		.pid = -1,
		.timeout_ms = plan->lifecycle.timeout_ms,
		.start_timeout_ms = start_timeout(&plan->hooks[HOOK_START_CONTAINER]),
		.cgroup = cgroup_view(cgroup),
		.refused_capabilities = plan->policy.refused_capabilities,
		.withheld_capabilities = plan->policy.withheld_capabilities,
		.memory_most = plan->policy.memory_bytes,
		.pids_most = plan->policy.pids,
		.cpus_most = plan->policy.cpus,
		.filters = plan->policy.filters,
		.filter_count = plan->policy.filter_count,
		.annotations = plan->annotations,
		.annotation_count = plan->annotation_count,
		.poststart = plan->hooks[HOOK_POSTSTART],
		.poststop = plan->hooks[HOOK_POSTSTOP],
	};
}

/* ---- writing ---- */

static void put_strings(struct json_writer *w, const char *key, const char *const *strings)
{
	json_open(w, key, '[');
	for (size_t i = 0; strings && strings[i]; i++)
		json_put_string(w, NULL, strings[i]);
	json_close(w, ']');
}

static void put_hooks(struct json_writer *w, const char *key, const struct plan_hooks *hooks)
{
	json_open(w, key, '[');
	for (size_t i = 0; i < hooks->count; i++) {
		const struct plan_hook *hook = &hooks->items[i];

		json_open(w, NULL, '{');
		json_put_string(w, "path", hook->path);
		put_strings(w, "args", hook->argv);
		if (hook->env)
			put_strings(w, "env", hook->env);
		json_put_i64(w, "timeout_ms", hook->timeout_ms);
		json_put_string(w, "pointer", hook->pointer ? hook->pointer : "");
		if (hook->output_path)
			json_put_string(w, "stdout", hook->output_path);
		if (hook->errors_path)
			json_put_string(w, "stderr", hook->errors_path);
		json_close(w, '}');
	}
	json_close(w, ']');
}

static int put_cgroup(struct json_writer *w, const struct cgroup *cgroup)
{
	json_open(w, "cgroup_dirs", '[');
	for (size_t i = 0; i < cgroup->count; i++) {
		cleanup_free char *text = cgroup_dir_format(&cgroup->dirs[i]);

		if (!text)
			return -ENOMEM;
		json_put_string(w, NULL, text);
	}
	json_close(w, ']');
	if (cgroup->unit)
		json_put_string(w, "cgroup_unit", cgroup->unit);
	if (cgroup->resctrl.class_path) {
		json_put_string(w, "resctrl_class", cgroup->resctrl.class_path);
		json_put_bool(w, "resctrl_class_is_ours", cgroup->resctrl.class_is_ours);
	}
	if (cgroup->resctrl.monitor_path)
		json_put_string(w, "resctrl_monitor", cgroup->resctrl.monitor_path);
	return 0;
}

static int put_filters(struct json_writer *w, const struct record *record)
{
	json_open(w, "filters", '[');
	for (size_t i = 0; i < record->filter_count; i++) {
		cleanup_free char *text = filter_format(&record->filters[i]);

		if (!text)
			return -ENOMEM;
		json_put_string(w, NULL, text);
	}
	json_close(w, ']');
	return 0;
}

static int format_record(struct json_writer *w, const struct record *record)
{
	json_open(w, NULL, '{');
	json_put_i64(w, "format", RECORD_FORMAT);
	json_put_string(w, "id", record->id);
	json_put_bool(w, "sandbox", record->is_sandbox);
	json_put_bool(w, "complete", record->is_complete);
	if (record->went_at_once)
		json_put_bool(w, "at_once", true);
	json_put_string(w, "bundle", record->bundle);
	json_put_string(w, "config", record->config);
	json_put_string(w, "rootfs", record->rootfs);
	json_put_string(w, "oci_version", record->oci_version);
	json_put_string(w, "created", record->created);
	json_put_u64(w, "owner", record->owner);
	json_put_bool(w, "pid_namespace", record->has_pid_namespace);
	json_put_i64(w, "pid", record->pid);
	json_put_u64(w, "start_ticks", record->start_ticks);
	json_put_i64(w, "start_timeout_ms", record->start_timeout_ms);
	if (put_cgroup(w, &record->cgroup) < 0)
		return -ENOMEM;
	json_put_u64(w, "refused_capabilities", record->refused_capabilities);
	json_put_u64(w, "withheld_capabilities", record->withheld_capabilities);
	json_put_i64(w, "memory_most", record->memory_most);
	json_put_i64(w, "pids_most", record->pids_most);
	json_put_u64(w, "cpus_most", record->cpus_most);
	json_put_u64(w, "timeout_ms", record->timeout_ms);
	if (record->filter_count && put_filters(w, record) < 0)
		return -ENOMEM;
	json_open(w, "annotations", '{');
	for (size_t i = 0; i < record->annotation_count; i++)
		json_put_string(w, record->annotations[i].key, record->annotations[i].value);
	json_close(w, '}');
	put_hooks(w, "poststart", &record->poststart);
	put_hooks(w, "poststop", &record->poststop);
	json_close(w, '}');
	return w->out.failed ? -ENOMEM : 0;
}

static int write_new(int dir_fd, const char *text, size_t len)
{
	cleanup_close int fd = openat(dir_fd, RECORD_FILE,
				      O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

	return fd < 0 ? -errno : fd_write_all(fd, text, len);
}

int record_write(const struct entry *entry, const struct record *record, struct err **err)
{
	cleanup_json_writer struct json_writer w = JSON_WRITER_INIT;
	int r;

	w.compact = true;
	r = format_record(&w, record);
	if (r < 0)
		return err_nomem(err);
	if (record->is_complete)
		r = fd_replace_file(entry->dir_fd, RECORD_FILE, w.out.data, w.out.len, 0600);
	else
		r = write_new(entry->dir_fd, w.out.data, w.out.len);
	if (r < 0)
		return store_fail(err, -r, "write", entry->dir_fd, RECORD_FILE);
	return 0;
}

/* ---- reading ---- */

struct stored_hook {
	const char *path;
	struct string_list args, env;
	struct opt_i64 timeout_ms;
	const char *pointer, *output_path, *errors_path;
};
struct stored_hooks {
	struct stored_hook *items;
	size_t count;
};

struct stored_record {
	struct opt_i64 format, pid, start_timeout_ms, memory_most, pids_most;
	struct opt_u64 start_ticks, refused_capabilities, withheld_capabilities;
	struct opt_u32 owner, cpus_most, timeout_ms;
	const char *id, *bundle, *config, *rootfs, *oci_version, *created, *cgroup_unit;
	const char *resctrl_class, *resctrl_monitor;
	bool is_sandbox, is_complete, went_at_once, has_pid_namespace, resctrl_class_is_ours;
	struct string_list cgroup_dirs, filters;
	struct string_map annotations;
	struct stored_hooks poststart, poststop;
};

#define ROW(name, kind_, member)                                                                  \
	{                                                                                         \
		.key.raw = (name), .kind = (kind_), .offset = offsetof(struct stored_record, member), \
		.required = true                                                                  \
	}
#define LATER_ROW(name, kind_, member)                                                          \
	{                                                                                         \
		.key.raw = (name), .kind = (kind_), .offset = offsetof(struct stored_record, member), \
	}
#define HOOK_ROW(name, kind_, member)                                                           \
	{                                                                                       \
		.key.raw = (name), .kind = (kind_), .offset = offsetof(struct stored_hook, member), \
		.required = true                                                                \
	}

static const struct field IMAGE_ROWS hook_fields[] = {
	HOOK_ROW("path", FIELD_STRING, path),	    HOOK_ROW("args", FIELD_STRINGS, args),
	HOOK_ROW("timeout_ms", FIELD_I64, timeout_ms), HOOK_ROW("pointer", FIELD_STRING, pointer),
	{ .key.raw = "env", .kind = FIELD_STRINGS, .offset = offsetof(struct stored_hook, env) },
	{ .key.raw = "stdout", .kind = FIELD_STRING, .offset = offsetof(struct stored_hook, output_path) },
	{ .key.raw = "stderr", .kind = FIELD_STRING, .offset = offsetof(struct stored_hook, errors_path) },
	FIELDS_END,
};

static const struct field IMAGE_ROWS record_fields[] = {
	ROW("format", FIELD_I64, format),
	ROW("id", FIELD_STRING, id),
	ROW("sandbox", FIELD_BOOL, is_sandbox),
	ROW("complete", FIELD_BOOL, is_complete),
	ROW("bundle", FIELD_STRING, bundle),
	ROW("rootfs", FIELD_STRING, rootfs),
	ROW("oci_version", FIELD_STRING, oci_version),
	ROW("created", FIELD_STRING, created),
	ROW("owner", FIELD_U32, owner),
	ROW("pid_namespace", FIELD_BOOL, has_pid_namespace),
	ROW("pid", FIELD_I64, pid),
	ROW("start_ticks", FIELD_U64, start_ticks),
	ROW("start_timeout_ms", FIELD_I64, start_timeout_ms),
	ROW("cgroup_dirs", FIELD_STRINGS, cgroup_dirs),
	/* since 0.1.0: a container of an earlier program must still be found */
	{ .key.raw = "config", .kind = FIELD_STRING, .offset = offsetof(struct stored_record, config) },
	LATER_ROW("at_once", FIELD_BOOL, went_at_once),
	LATER_ROW("refused_capabilities", FIELD_U64, refused_capabilities),
	LATER_ROW("withheld_capabilities", FIELD_U64, withheld_capabilities),
	LATER_ROW("memory_most", FIELD_I64, memory_most),
	LATER_ROW("pids_most", FIELD_I64, pids_most),
	LATER_ROW("cpus_most", FIELD_U32, cpus_most),
	LATER_ROW("timeout_ms", FIELD_U32, timeout_ms),
	LATER_ROW("filters", FIELD_STRINGS, filters),
	{ .key.raw = "cgroup_unit",
	  .kind = FIELD_STRING,
	  .offset = offsetof(struct stored_record, cgroup_unit) },
	{ .key.raw = "resctrl_class",
	  .kind = FIELD_STRING,
	  .offset = offsetof(struct stored_record, resctrl_class) },
	{ .key.raw = "resctrl_class_is_ours",
	  .kind = FIELD_BOOL,
	  .offset = offsetof(struct stored_record, resctrl_class_is_ours) },
	{ .key.raw = "resctrl_monitor",
	  .kind = FIELD_STRING,
	  .offset = offsetof(struct stored_record, resctrl_monitor) },
	ROW("annotations", FIELD_STRING_MAP, annotations),
	{ .key.raw = "poststart",
	  .kind = FIELD_OBJECTS,
	  .offset = offsetof(struct stored_record, poststart),
	  .required = true,
	  .size = sizeof(struct stored_hook),
	  .table.raw = hook_fields },
	{ .key.raw = "poststop",
	  .kind = FIELD_OBJECTS,
	  .offset = offsetof(struct stored_record, poststop),
	  .required = true,
	  .size = sizeof(struct stored_hook),
	  .table.raw = hook_fields },
	FIELDS_END,
};

static int load_hooks(struct arena *arena, const struct stored_hooks *stored,
		      struct plan_hooks *ret)
{
	if (stored->count == 0)
		return 0;
	ret->items = arena_array(arena, stored->count, sizeof(*ret->items));
	if (!ret->items)
		return -ENOMEM;
	ret->count = stored->count;
	for (size_t i = 0; i < stored->count; i++) {
		const struct stored_hook *from = &stored->items[i];

		if (from->timeout_ms.value < 0 || from->timeout_ms.value > INT_MAX)
			return -EBADMSG;
		ret->items[i] = (struct plan_hook){
			.path = from->path,
			.argv = from->args.items,
			.env = from->env.set ? from->env.items : NULL,
			.timeout_ms = (int)from->timeout_ms.value,
			.pointer = from->pointer,
			.output_path = from->output_path,
			.errors_path = from->errors_path,
		};
	}
	return 0;
}

static int load_cgroup(struct arena *arena, const struct stored_record *stored, struct cgroup *ret)
{
	ret->unit = (char *)stored->cgroup_unit; /* a view: never freed */
	ret->resctrl = (struct resctrl_groups){
		.class_path = (char *)stored->resctrl_class,
		.class_is_ours = stored->resctrl_class_is_ours,
		.monitor_path = (char *)stored->resctrl_monitor,
	};
	if (stored->cgroup_dirs.count == 0)
		return 0;
	ret->dirs = arena_array(arena, stored->cgroup_dirs.count, sizeof(*ret->dirs));
	if (!ret->dirs)
		return -ENOMEM;
	for (size_t i = 0; i < stored->cgroup_dirs.count; i++) {
		int r = cgroup_dir_parse(arena, stored->cgroup_dirs.items[i], &ret->dirs[i]);

		if (r < 0)
			return r;
	}
	ret->count = stored->cgroup_dirs.count;
	return 0;
}

static int load_filters(struct arena *arena, const struct string_list *stored, struct record *ret)
{
	struct plan_seccomp *filters = arena_array(arena, stored->count, sizeof(*filters));
	int r = stored->count && !filters ? -ENOMEM : 0;

	for (size_t i = 0; i < stored->count && r == 0; i++)
		r = filter_parse(arena, stored->items[i], &filters[i]);
	ret->filters = filters;
	ret->filter_count = stored->count;
	return r;
}

static int load_annotations(struct arena *arena, const struct string_map *stored,
			    struct record *ret)
{
	struct plan_option *annotations =
		arena_array(arena, stored->count + 1, sizeof(*annotations));

	if (!annotations)
		return -ENOMEM;
	for (size_t i = 0; i < stored->count; i++)
		annotations[i] =
			(struct plan_option){ stored->items[i].key, stored->items[i].value };
	ret->annotations = annotations;
	ret->annotation_count = stored->count;
	return 0;
}

static int load_record(struct arena *arena, const struct stored_record *stored, const char *id,
		       struct record *ret)
{
	int r;

	if (stored->format.value != RECORD_FORMAT || strcmp(stored->id, id) != 0 ||
	    stored->pid.value < -1 || stored->pid.value > INT_MAX || stored->pid.value == 0 ||
	    stored->start_timeout_ms.value < -1 || stored->start_timeout_ms.value > INT_MAX)
		return -EBADMSG;
	*ret = (struct record){
		.id = stored->id,
		.bundle = stored->bundle,
		.config = stored->config ? stored->config : "",
		.rootfs = stored->rootfs,
		.oci_version = stored->oci_version,
		.created = stored->created,
		.owner = stored->owner.value,
		.is_sandbox = stored->is_sandbox,
		.is_complete = stored->is_complete,
		.went_at_once = stored->went_at_once,
		.has_pid_namespace = stored->has_pid_namespace,
		.pid = (pid_t)stored->pid.value,
		.start_ticks = stored->start_ticks.value,
		.start_timeout_ms = (int)stored->start_timeout_ms.value,
		.refused_capabilities = stored->refused_capabilities.value,
		.withheld_capabilities = stored->withheld_capabilities.value,
		.memory_most = stored->memory_most.value,
		.pids_most = stored->pids_most.value,
		.cpus_most = stored->cpus_most.value,
		.timeout_ms = stored->timeout_ms.value,
	};
	r = load_cgroup(arena, stored, &ret->cgroup);
	if (r == 0)
		r = load_filters(arena, &stored->filters, ret);
	if (r == 0)
		r = load_annotations(arena, &stored->annotations, ret);
	if (r == 0)
		r = load_hooks(arena, &stored->poststart, &ret->poststart);
	if (r == 0)
		r = load_hooks(arena, &stored->poststop, &ret->poststop);
	return r;
}

static int parse_record(struct arena *arena, const char *text, size_t len, const char *id,
			struct record *ret, struct err **err)
{
	struct decode decode = { .arena = arena, .unknown_is_error = true };
	struct stored_record stored = { 0 };
	struct record loaded = RECORD_INIT;
	const struct json *document;
	int r;

	if (json_parse(arena, text, len, "record", &document, err) < 0 ||
	    fields_decode(&decode, document, record_fields, &stored, err) < 0)
		return -EBADMSG;
	r = load_record(arena, &stored, id, &loaded);
	if (r == -ENOMEM)
		return err_nomem(err);
	if (r < 0)
		return err_set(err, E_RECORD, 0, NULL,
			       "not what this version writes for this container");
	*ret = loaded;
	return 0;
}

int record_read(const struct entry *entry, struct record *ret, struct err **err)
{
	cleanup_arena struct arena *arena = NULL;
	cleanup_free char *text = NULL;
	cleanup_err struct err *cause = NULL;
	size_t len;
	int r;

	*ret = (struct record)RECORD_INIT;
	r = fd_read_file(entry->dir_fd, RECORD_FILE, JSON_SIZE_MAX, &text, &len);
	if (r < 0)
		return store_fail(err, -r, "read", entry->dir_fd, RECORD_FILE);
	arena = arena_new();
	if (!arena)
		return err_nomem(err);
	r = parse_record(arena, text, len, entry->id, ret, &cause);
	if (r == -ENOMEM)
		return err_nomem(err);
	if (r < 0) {
		cleanup_free char *why = err_format(cause);

		err_set(err, E_RECORD, 0, NULL, "the record of container %s is broken: %s",
			entry->id, why ? why : "?");
		err_hint(err, "`delete --force` removes the container");
		return -EBADMSG;
	}
	ret->arena = take_ptr(arena);
	return 0;
}

void record_done(struct record *record)
{
	arena_free_ptr(&record->arena);
	*record = (struct record)RECORD_INIT;
}

/* mxc.c - an MXC document: the table of its top level, and the checks that need no host.
 *
 * One table of fields serves all contracts; the gate of a row says which readers know it. The
 * rolling reader takes null for absent and checks meaning after shape; the exact contracts are
 * closed, know no null, and state more in their shape. The version is looked at first, then whether
 * the document is one of the state-aware phases, then shape, then meaning (MXC-1.0.md 1.3).
 */
#include "config/mxc.h"

#include <errno.h>
#include <string.h>

#include "config/mxc_tables.h"

const char *const mxc_containment_words[] = {
	[MXC_PROCESS] = "process",
	[MXC_BUBBLEWRAP] = "bubblewrap",
	[MXC_LXC] = "lxc",
	[MXC_PROCESSCONTAINER] = "processcontainer",
	[MXC_SEATBELT] = "seatbelt",
	[MXC_WSLC] = "wslc",
	[MXC_ISOLATION_SESSION] = "isolation_session",
	[MXC_WINDOWS_SANDBOX] = "windows_sandbox",
	[MXC_VM] = "vm",
	[MXC_MICROVM] = "microvm",
	[MXC_HYPERLIGHT] = "hyperlight",
	[MXC_CONTAINMENT_MAX] = NULL,
};

/* ---- the tables ---- */

int mxc_decode_containment(struct decode *d, const struct json *value, void *target, struct err **err)
{
	static const struct {
		const char *word;
		enum mxc_containment containment;
		unsigned int gate;
	} rows[] = {
		{ "process", MXC_PROCESS, 0 },
		{ "bubblewrap", MXC_BUBBLEWRAP, 0 },
		{ "lxc", MXC_LXC, 0 },
		{ "processcontainer", MXC_PROCESSCONTAINER, 0 },
		{ "appcontainer", MXC_PROCESSCONTAINER, MXC_READER_ROLLING | MXC_READER_090 },
		{ "seatbelt", MXC_SEATBELT, 0 },
		{ "macos_sandbox", MXC_SEATBELT, MXC_READER_ROLLING | MXC_READER_090 },
		{ "wslc", MXC_WSLC, 0 },
		{ "isolation_session", MXC_ISOLATION_SESSION, 0 },
		{ "windows_sandbox", MXC_WINDOWS_SANDBOX, MXC_READER_ROLLING | MXC_READER_110 },
		{ "vm", MXC_VM, MXC_READER_ROLLING | MXC_READER_110 },
		{ "microvm", MXC_MICROVM, MXC_READER_ROLLING | MXC_READER_110 },
		{ "hyperlight", MXC_HYPERLIGHT, MXC_READER_ROLLING | MXC_READER_110 },
	};
	const char *words[array_size(rows) + 1] = { NULL };
	size_t i, count = 0;

	if (value->type != JSON_STRING)
		return fields_mismatch(d, value, "a string", err);
	for (i = 0; i < array_size(rows); i++) {
		if (rows[i].gate && !(rows[i].gate & d->gate))
			continue;
		if (strcmp(rows[i].word, value->text) == 0) {
			*(enum mxc_containment *)target = rows[i].containment;
			return 0;
		}
		words[count++] = rows[i].word;
	}
	return fields_unknown_word(d, value, words, err);
}

static int decode_command_line(struct decode *d, const struct json *value, void *target,
			       struct err **err)
{
	if (value->type != JSON_STRING)
		return fields_mismatch(d, value, "a string", err);
	if (!value->len)
		return fields_error(d, value, err, "invalid value: string must not be empty");
	*(const char **)target = value->text;
	return 0;
}

const struct field IMAGE_ROWS mxc_process_fields[] = {
	MXC_ROW("commandLine", FIELD_STRING, struct mxc_process, command_line,
		.gate = MXC_READER_ROLLING),
	MXC_ROW("commandLine", FIELD_CUSTOM, struct mxc_process, command_line,
		.gate = MXC_READER_EXACT, .required = true, .decode.raw = decode_command_line),
	MXC_ROW("cwd", FIELD_STRING, struct mxc_process, cwd),
	MXC_ROW("env", FIELD_STRINGS, struct mxc_process, env),
	MXC_ROW("inheritDefaultEnv", FIELD_OPT_BOOL, struct mxc_process, inherit_default_env,
		.gate = MXC_READER_EXACT),
	MXC_ROW("timeout", FIELD_U32, struct mxc_process, timeout),
	FIELDS_END,
};

struct typed_path {
	const char *path;
	int type;
};

static const char *const type_words[] = { "file", "directory", NULL };
static const struct field IMAGE_ROWS typed_path_fields[] = {
	MXC_ROW("path", FIELD_STRING, struct typed_path, path, .required = true),
	MXC_ROW("type", FIELD_ENUM, struct typed_path, type, .words.raw = type_words, .required = true),
	FIELDS_END,
};

static int decode_denied_path(struct decode *d, const struct json *value, const char **ret_path,
			      enum mxc_path_type *ret_type, struct err **err)
{
	static const enum mxc_path_type types[] = { MXC_TYPE_FILE, MXC_TYPE_DIRECTORY };
	struct decode strict = *d;
	struct typed_path typed = { 0 };
	int r;

	*ret_type = MXC_TYPE_ANY;
	if (value->type == JSON_STRING) {
		*ret_path = value->text;
		return 0;
	}
	if (value->type != JSON_OBJECT)
		return fields_mismatch(d, value, "a string", err);
	strict.null_is_absent = false;
	r = fields_decode(&strict, value, typed_path_fields, &typed, err);
	if (r < 0)
		return r;
	*ret_path = typed.path;
	*ret_type = types[typed.type];
	return 0;
}

static int decode_denied_paths(struct decode *d, const struct json *value, void *target,
			       struct err **err)
{
	struct mxc_filesystem *filesystem = target;
	struct string_list *list = &filesystem->denied_paths;
	enum mxc_path_type *types;
	const struct json *child;
	int r = 0;

	if (value->type != JSON_ARRAY)
		return fields_mismatch(d, value, "a sequence", err);
	list->items = arena_array(d->arena, value->len + 1, sizeof(*list->items));
	types = arena_array(d->arena, value->len + 1, sizeof(*types));
	if (!list->items || !types)
		return err_nomem(err);
	for (child = value->first; child && r == 0; child = child->next, list->count++)
		r = decode_denied_path(d, child, &list->items[list->count], &types[list->count], err);
	list->set = true;
	filesystem->denied_types = types;
	return r;
}

const struct field IMAGE_ROWS mxc_filesystem_fields[] = {
	MXC_ROW("readwritePaths", FIELD_STRINGS, struct mxc_filesystem, readwrite_paths),
	MXC_ROW("readonlyPaths", FIELD_STRINGS, struct mxc_filesystem, readonly_paths),
	{ .key.raw = "deniedPaths", .kind = FIELD_CUSTOM, .table.raw = typed_path_fields, .decode.raw = decode_denied_paths },
	FIELDS_END,
};

const struct field IMAGE_ROWS mxc_runtime_config_fields[] = {
	MXC_ROW("networkProxy", FIELD_STRING, struct mxc_runtime_config, network_proxy),
	MXC_ROW("portMappings", FIELD_OBJECTS, struct mxc_runtime_config, port_mappings, .table.raw = mxc_port_mapping_fields,
		.size = sizeof(struct mxc_port_mapping)),
	MXC_ROW("", FIELD_SELF, struct mxc_runtime_config, element),
	FIELDS_END,
};

static const struct field IMAGE_ROWS lifecycle_fields[] = {
	MXC_ROW("destroyOnExit", FIELD_OPT_BOOL, struct mxc_lifecycle, destroy_on_exit),
	MXC_ROW("preservePolicy", FIELD_OPT_BOOL, struct mxc_lifecycle, preserve_policy),
	FIELDS_END,
};

const struct field IMAGE_ROWS mxc_lxc_fields[] = {
	MXC_ROW("distribution", FIELD_STRING, struct mxc_lxc, distribution,
		.gate = MXC_READER_ROLLING),
	MXC_ROW("release", FIELD_STRING, struct mxc_lxc, release, .gate = MXC_READER_ROLLING),
	MXC_ROW("distribution", FIELD_STRING, struct mxc_lxc, distribution,
		.gate = MXC_READER_EXACT, .required = true),
	MXC_ROW("release", FIELD_STRING, struct mxc_lxc, release, .gate = MXC_READER_EXACT,
		.required = true),
	FIELDS_END,
};

/* A section that has no effect on Linux (MXC.md 5.4); only its shape counts. */
struct ignored {
	struct opt_bool boolean;
};

static const char *const clipboard_words[] = { "none", "read", "write", "all", NULL };

const struct field IMAGE_ROWS mxc_ui_fields[] = {
	MXC_ROW("disable", FIELD_OPT_BOOL, struct mxc_ui, disable),
	MXC_ROW("clipboard", FIELD_ENUM, struct mxc_ui, clipboard, .words.raw = clipboard_words),
	MXC_ROW("injection", FIELD_OPT_BOOL, struct mxc_ui, injection),
	FIELDS_END,
};

static const struct field IMAGE_ROWS fallback_fields[] = {
	MXC_ROW("allowDaclMutation", FIELD_OPT_BOOL, struct ignored, boolean),
	FIELDS_END,
};

/* The struct that the top-level table fills: the configuration, and what is only looked at. */
struct document {
	struct mxc_config config;
	const struct json *comment;
	const char *string;
	const void *ignored;
};

#define CONFIG_ROW(key_, kind_, member_, ...) \
	MXC_ROW(key_, kind_, struct document, config.member_, ##__VA_ARGS__)
#define IGNORED_ROW(key_, table_, ...)                                           \
	MXC_ROW(key_, FIELD_OBJECT, struct document, ignored, .table.raw = (table_), \
		.size = MXC_FOREIGN_SIZE, ##__VA_ARGS__)
#define READERS_WITH_ALIASES (MXC_READER_ROLLING | MXC_READER_090)

const struct field IMAGE_ROWS mxc_document_fields[] = {
	MXC_ROW("$schema", FIELD_STRING, struct document, string),
	MXC_ROW("_comment", FIELD_RAW, struct document, comment),
	CONFIG_ROW("version", FIELD_STRING, version),
	CONFIG_ROW("containerId", FIELD_STRING, container_id),
	CONFIG_ROW("containment", FIELD_CUSTOM, containment, .decode.raw = mxc_decode_containment),
	CONFIG_ROW("process", FIELD_OBJECT, process, .gate = MXC_READER_ROLLING,
		   .table.raw = mxc_process_fields, .size = sizeof(struct mxc_process)),
	CONFIG_ROW("process", FIELD_OBJECT, process, .gate = MXC_READER_EXACT,
		   .table.raw = mxc_process_fields, .size = sizeof(struct mxc_process), .required = true),
	CONFIG_ROW("lifecycle", FIELD_INLINE, lifecycle, .table.raw = lifecycle_fields),
	CONFIG_ROW("filesystem", FIELD_INLINE, filesystem, .table.raw = mxc_filesystem_fields),
	CONFIG_ROW("network", FIELD_CUSTOM, network, .table.raw = mxc_network_fields, .decode.raw = mxc_decode_network),
	CONFIG_ROW("runtimeConfig", FIELD_OBJECT, runtime_config, .table.raw = mxc_runtime_config_fields,
		   .size = sizeof(struct mxc_runtime_config)),
	CONFIG_ROW("lxc", FIELD_OBJECT, lxc, .table.raw = mxc_lxc_fields, .size = sizeof(struct mxc_lxc)),
	CONFIG_ROW("bubblewrap", FIELD_OBJECT, bubblewrap, .table.raw = mxc_bubblewrap_fields,
		   .size = sizeof(struct mxc_bubblewrap)),
	CONFIG_ROW("ui", FIELD_INLINE, ui, .table.raw = mxc_ui_fields),
	IGNORED_ROW("fallback", fallback_fields),
	IGNORED_ROW("telemetry", mxc_telemetry_fields, .gate = MXC_READER_EXACT),
	IGNORED_ROW("processContainer", mxc_process_container_fields),
	IGNORED_ROW("appContainer", mxc_process_container_fields, .gate = READERS_WITH_ALIASES),
	IGNORED_ROW("seatbelt", mxc_seatbelt_fields),
	IGNORED_ROW("macos_sandbox", mxc_seatbelt_fields, .gate = READERS_WITH_ALIASES),
	IGNORED_ROW("wslc", mxc_wslc_fields, .gate = MXC_READER_EXACT),
	IGNORED_ROW("hyperlight", mxc_hyperlight_fields, .gate = MXC_READER_110),
	IGNORED_ROW("windowsSandbox", mxc_windows_sandbox_fields, .gate = MXC_READER_110),
	IGNORED_ROW("test", mxc_test_fields, .gate = MXC_READER_110),
	MXC_ROW("experimental", FIELD_CUSTOM, struct document, ignored, .gate = MXC_READER_ROLLING,
		.decode.raw = mxc_decode_experimental),
	/* Null here; anything else was refused before. */
	MXC_ROW("phase", FIELD_STRING, struct document, string, .gate = MXC_READER_ROLLING),
	MXC_ROW("sandboxId", FIELD_STRING, struct document, string, .gate = MXC_READER_ROLLING),
	MXC_ROW("correlationVector", FIELD_STRING, struct document, string,
		.gate = MXC_READER_ROLLING),
	CONFIG_ROW("", FIELD_SELF, document),
	FIELDS_END,
};
_Static_assert(sizeof(struct ignored) <= MXC_FOREIGN_SIZE, "ignored sections fit");

/* ---- checks ---- */

static int check_aliases(const struct decode *d, const struct json *document, struct err **err)
{
	static const char *const pairs[][2] = { { "processContainer", "appContainer" },
						{ "seatbelt", "macos_sandbox" } };
	size_t i;

	for (i = 0; i < array_size(pairs); i++)
		if (json_get(document, pairs[i][0]) && json_get(document, pairs[i][1]))
			return fields_error(d, document, err, "duplicate field `%s` (also as `%s`)",
					    pairs[i][0], pairs[i][1]);
	return 0;
}

int mxc_check_gates(const struct decode *d, const struct mxc_config *config, struct err **err)
{
	static const char *const paths[][2] = {
		{ "network", "egress" },       { "network", "ingress" },
		{ "runtimeConfig", NULL },     { "processContainer", "network" },
		{ "appContainer", "network" },
	};
	const struct json *value;
	size_t i;

	if (config->strict)
		return 0;
	for (i = 0; i < array_size(paths); i++) {
		value = json_get(config->document, paths[i][0]);
		if (paths[i][1])
			value = value ? json_get(value, paths[i][1]) : NULL;
		if (value)
			return fields_error(d, value, err,
					    "`%s` fields require schema version 0.8 or later",
					    paths[i][0]);
	}
	return 0;
}

int mxc_check_process(const struct mxc_config *config, struct err **err)
{
	if (!config->process)
		return err_set(err, E_CONFIG, 0, NULL, "'process' section is required");
	if (!config->process->command_line)
		return err_set(err, E_CONFIG, 0, NULL,
			       "Missing required field: process.commandLine");
	if (!*config->process->command_line)
		return err_set(err, E_CONFIG, 0, NULL, "process.commandLine cannot be empty");
	return 0;
}

/* `bubblewrap` is our own, in every contract, and speaks of the sandbox, whatever its root is. */
static bool may_be_there(enum mxc_containment owner, enum mxc_containment resolved)
{
	return owner == resolved || (owner == MXC_BUBBLEWRAP && resolved == MXC_LXC);
}

/* Each section belongs to one back end; only the chosen one's may be there. */
static int check_sections(const struct mxc_config *config, struct err **err)
{
	static const struct {
		const char *outer, *key;
		enum mxc_containment owner;
	} sections[] = {
		{ NULL, "processContainer", MXC_PROCESSCONTAINER },
		{ NULL, "appContainer", MXC_PROCESSCONTAINER },
		{ NULL, "bubblewrap", MXC_BUBBLEWRAP },
		{ NULL, "lxc", MXC_LXC },
		{ NULL, "seatbelt", MXC_SEATBELT },
		{ NULL, "macos_sandbox", MXC_SEATBELT },
		{ NULL, "wslc", MXC_WSLC },
		{ NULL, "hyperlight", MXC_HYPERLIGHT },
		{ NULL, "windowsSandbox", MXC_WINDOWS_SANDBOX },
		{ "experimental", "windows_sandbox", MXC_WINDOWS_SANDBOX },
		{ "experimental", "wslc", MXC_WSLC },
		{ "experimental", "isolation_session", MXC_ISOLATION_SESSION },
	};
	enum mxc_containment resolved =
		config->containment == MXC_PROCESS ? MXC_BUBBLEWRAP : config->containment;
	size_t i;

	for (i = 0; i < array_size(sections); i++) {
		const struct json *outer = config->document;

		if (sections[i].outer)
			outer = json_get(outer, sections[i].outer);
		if (!outer || !mxc_is_present(json_get(outer, sections[i].key)) ||
		    may_be_there(sections[i].owner, resolved))
			continue;
		return err_set(
			err, E_CONFIG, 0, NULL,
			"Multiple containment backends configured: 'containment' is '%s', and there is a "
			"section '%s%s%s'",
			mxc_containment_words[resolved], sections[i].outer ? sections[i].outer : "",
			sections[i].outer ? "." : "", sections[i].key);
	}
	return 0;
}

int mxc_check_path(const struct decode *d, const struct json *path, struct err **err)
{
	if (!path->text[strspn(path->text, " \t\r\n\v\f")])
		return fields_error(d, path, err, "Filesystem path is empty");
	if (strchr(path->text, '"'))
		return fields_error(d, path, err, "Filesystem path contains invalid character '\"'");
	return 0;
}

static int check_paths(const struct decode *d, const struct mxc_config *config, const char *key,
		       struct err **err)
{
	const struct json *section = json_get(config->document, "filesystem");
	const struct json *list = section ? json_get(section, key) : NULL, *child;
	int r = 0;

	if (!list || !mxc_is_present(list))
		return 0;
	for (child = list->first; child && r == 0; child = child->next) {
		const struct json *path = child->type == JSON_OBJECT ? json_get(child, "path") : child;

		r = mxc_check_path(d, path, err);
	}
	return r;
}

int mxc_check_filesystem(const struct decode *d, const struct mxc_config *config, struct err **err)
{
	static const char *const lists[] = { "readwritePaths", "readonlyPaths", "deniedPaths" };
	size_t i;
	int r = 0;

	for (i = 0; i < array_size(lists) && r == 0; i++)
		r = check_paths(d, config, lists[i], err);
	return r;
}

static int check_document(struct decode *d, struct mxc_config *config, struct err **err)
{
	int r = check_aliases(d, config->document, err);

	if (r == 0)
		r = mxc_check_gates(d, config, err);
	if (r == 0)
		r = mxc_check_process(config, err);
	if (r == 0)
		r = check_sections(config, err);
	if (r == 0)
		r = mxc_check_filesystem(d, config, err);
	if (r == 0)
		r = mxc_check_placed(d, config, err);
	return r == 0 ? mxc_check_network(d, config, err) : r;
}

/* ---- entry ---- */

int mxc_parse(struct arena *arena, const struct json *json, const struct log *log,
	      const struct mxc_config **ret, struct err **err)
{
	struct document *document = arena_alloc(arena, sizeof(*document));
	struct decode d = {
		.arena = arena, .log = log, .unknown_is_error = true, .mxc_style = true
	};
	struct mxc_config *config;
	int r;

	if (!document)
		return err_nomem(err);
	config = &document->config;
	config->network.default_policy = config->network.enforcement_mode = -1;
	r = mxc_choose_reader(json, config, err);
	if (r == 0)
		r = mxc_refuse_phases(json, config, err);
	if (r < 0)
		return r;
	mxc_read_as(&d, config->reader);
	r = fields_decode(&d, json, mxc_document_fields, document, err);
	if (r == 0)
		r = check_document(&d, config, err);
	if (r == 0)
		*ret = config;
	return r;
}

int mxc_read(struct arena *arena, const char *text, size_t len, const char *name,
	     const struct log *log, const struct mxc_config **ret, struct err **err)
{
	const struct json *document;
	int r = json_parse(arena, text, len, name, &document, err);

	if (r == -ENOMEM)
		return r;
	if (r < 0)
		return err_wrap(err, "Invalid JSON syntax");
	return mxc_parse(arena, document, log, ret, err);
}

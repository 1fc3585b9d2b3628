/* mxc_phase.c - see mxc_phase.h.
 *
 * Sections mean what they do in a document that runs at once, so the rows are the same. What a back end has of its own lies in
 * SECTION.PHASE: at the top level in the exact contracts, below "experimental" before them. `bubblewrap` is our own and stays
 * where it is.
 */
#include "config/mxc_phase.h"

#include <string.h>

#include "config/mxc_tables.h"

const char *const mxc_phase_words[] = {
	[MXC_PROVISION] = "provision", [MXC_START] = "start",		  [MXC_EXEC] = "exec",
	[MXC_STOP] = "stop",	       [MXC_DEPROVISION] = "deprovision", [MXC_PHASE_MAX] = NULL,
};

struct phase_document {
	struct mxc_config config;
	struct mxc_phase_request request;
	const struct json *comment, *experimental, *lxc, *wslc;
	const char *string;
	const void *ignored;
};

#define PHASE_ROW(key_, kind_, member_, ...) MXC_ROW(key_, kind_, struct phase_document, member_, ##__VA_ARGS__)

#define COMMON_ROWS                                                                                                    \
	PHASE_ROW("$schema", FIELD_STRING, string),                                                                    \
	PHASE_ROW("_comment", FIELD_RAW, comment),                                                                     \
	PHASE_ROW("telemetry", FIELD_OBJECT, ignored, .table.raw = mxc_telemetry_fields, .size = MXC_FOREIGN_SIZE,     \
		  .gate = MXC_READER_EXACT),                                                                           \
	PHASE_ROW("version", FIELD_STRING, config.version),                                                            \
	PHASE_ROW("phase", FIELD_STRING, string),                                                                      \
	PHASE_ROW("correlationVector", FIELD_STRING, string, .gate = MXC_READER_ROLLING),          \
	PHASE_ROW("experimental", FIELD_RAW, experimental, .gate = MXC_READER_ROLLING)

static const struct field IMAGE_ROWS provision_fields[] = {
	COMMON_ROWS,
	PHASE_ROW("containment", FIELD_CUSTOM, request.containment, .decode.raw = mxc_decode_containment, .required = true),
	PHASE_ROW("containerId", FIELD_STRING, config.container_id),
	PHASE_ROW("filesystem", FIELD_INLINE, config.filesystem, .table.raw = mxc_filesystem_fields),
	PHASE_ROW("network", FIELD_CUSTOM, config.network, .table.raw = mxc_network_fields, .decode.raw = mxc_decode_network),
	PHASE_ROW("ui", FIELD_INLINE, config.ui, .table.raw = mxc_ui_fields, .gate = MXC_READER_ROLLING),
	PHASE_ROW("bubblewrap", FIELD_OBJECT, config.bubblewrap, .table.raw = mxc_bubblewrap_fields,
		  .size = sizeof(struct mxc_bubblewrap)),
	PHASE_ROW("lxc", FIELD_RAW, lxc, .gate = MXC_READER_EXACT),
	PHASE_ROW("wslc", FIELD_RAW, wslc, .gate = MXC_READER_EXACT),
	FIELDS_END,
};

#define ID_ROW PHASE_ROW("sandboxId", FIELD_STRING, request.sandbox_id, .required = true)

static const struct field IMAGE_ROWS exec_fields[] = {
	COMMON_ROWS,
	ID_ROW,
	PHASE_ROW("process", FIELD_OBJECT, config.process, .table.raw = mxc_process_fields, .size = sizeof(struct mxc_process),
		  .required = true),
	PHASE_ROW("network", FIELD_CUSTOM, config.network, .table.raw = mxc_network_fields, .decode.raw = mxc_decode_network),
	PHASE_ROW("runtimeConfig", FIELD_OBJECT, config.runtime_config, .table.raw = mxc_runtime_config_fields,
		  .size = sizeof(struct mxc_runtime_config)),
	FIELDS_END,
};

static const struct field IMAGE_ROWS other_fields[] = {
	COMMON_ROWS,
	ID_ROW,
	FIELDS_END,
};

bool mxc_is_phase_request(const struct json *document)
{
	return document->type == JSON_OBJECT && json_get(document, "phase");
}

/* ---- which phase ---- */

static int read_phase(const struct json *document, enum mxc_phase *ret, struct err **err)
{
	const struct json *value = json_get(document, "phase");

	if (value->type != JSON_STRING)
		return err_set(err, E_CONFIG, 0, NULL, "Invalid phase declaration: invalid type: %s, expected a string",
			       json_type_name(value->type));
	for (int phase = 0; phase < MXC_PHASE_MAX; phase++) {
		if (strcmp(mxc_phase_words[phase], value->text) != 0)
			continue;
		*ret = (enum mxc_phase)phase;
		return 0;
	}
	return err_set(err, E_CONFIG, 0, NULL, "Unsupported phase '%.64s'", value->text);
}

/* ---- what a phase can't take (MXC.md 10.4) ---- */

/* In the exact contracts these are unknown fields. */
static int check_fixed(const struct json *document, enum mxc_phase phase, const struct mxc_config *config, struct err **err)
{
	static const char *const keys[] = { "filesystem", "ui", "network" };
	size_t count = array_size(keys) - (phase == MXC_EXEC);

	if (phase == MXC_PROVISION || config->reader != MXC_READER_ROLLING)
		return 0;
	for (size_t i = 0; i < count; i++)
		if (mxc_is_present(json_get(document, keys[i])))
			return err_set(err, E_POLICY, 0, NULL, "'%s' is fixed when the sandbox is provisioned, and can't be given to '%s'",
				       keys[i], mxc_phase_words[phase]);
	return 0;
}

static int refuse_proxy(const struct phase_document *document, struct err **err)
{
	if (!document->config.network.proxy)
		return 0;
	return err_set(err, E_POLICY, 0, NULL, "'network.proxy' can't be given to 'provision': 'exec' takes it, for its process");
}

/* Of an exec's network only the proxy is its own. */
static int check_exec_network(struct decode *d, struct mxc_config *config, struct err **err)
{
	const struct json *section = json_get(config->document, "network");
	const struct mxc_proxy *proxy = config->network.proxy;

	for (const struct json *key = mxc_is_present(section) ? section->first : NULL; key; key = key->next)
		if (strcmp(key->key, "proxy") != 0 && mxc_is_present(key))
			return err_set(err, E_POLICY, 0, NULL,
				       "'network.%.64s' is fixed when the sandbox is provisioned, and can't be given to 'exec'", key->key);
	if (!proxy)
		return 0;
	if (!proxy->url)
		return err_set(err, E_POLICY, 0, NULL, "'network.proxy' of 'exec' takes 'url' alone");
	config->exec_proxy = proxy->url;
	return mxc_check_proxy_url(d, json_get(proxy->element, "url"), err);
}

static int check_exec_runtime(struct decode *d, struct mxc_config *config, struct err **err)
{
	const struct mxc_runtime_config *runtime = config->runtime_config;

	if (runtime && runtime->port_mappings.count)
		return err_set(err, E_POLICY, 0, NULL,
			       "'runtimeConfig.portMappings' is fixed when the sandbox is provisioned, and can't be given to 'exec'");
	if (!runtime || !runtime->network_proxy)
		return 0;
	config->exec_proxy = runtime->network_proxy;
	return mxc_check_runtime_proxy(d, json_get(runtime->element, "networkProxy"), err);
}

/* ---- sections of a back end ---- */

struct wslc_provision {
	const char *image, *image_tar_path;
	const struct json *port_mappings;
};

static const struct field IMAGE_ROWS wslc_provision_fields[] = {
	MXC_ROW("image", FIELD_STRING, struct wslc_provision, image),
	MXC_ROW("imageTarPath", FIELD_STRING, struct wslc_provision, image_tar_path),
	MXC_ROW("portMappings", FIELD_RAW, struct wslc_provision, port_mappings, .gate = MXC_READER_ROLLING | MXC_READER_110),
	FIELDS_END,
};

static int take_wslc(struct decode *d, const struct json *section, struct err **err)
{
	struct wslc_provision wslc = { 0 };
	int r = fields_decode(d, section, wslc_provision_fields, &wslc, err);

	if (r < 0)
		return r;
	if (wslc.image || wslc.image_tar_path)
		return err_set(err, E_POLICY, 0, NULL, "'wslc.provision' with an image: the containment 'lxc' has images, of this machine's store");
	if (wslc.port_mappings)
		return err_set(err, E_POLICY, 0, NULL, "'wslc.provision.portMappings' is not supported on Linux");
	return 0;
}

static int take_lxc(struct decode *d, const struct json *section, struct mxc_config *config, struct err **err)
{
	struct mxc_lxc *lxc = arena_alloc(d->arena, sizeof(*lxc));

	config->lxc = lxc;
	return lxc ? fields_decode(d, section, mxc_lxc_fields, lxc, err) : err_nomem(err);
}

static int take_section(struct decode *d, const struct json *section, struct phase_document *document, struct err **err)
{
	const char *word = mxc_phase_words[document->request.phase];
	bool is_lxc = !strcmp(section->key, "lxc");

	if (!mxc_is_present(section))
		return 0;
	if (document->request.phase != MXC_PROVISION || strcmp(section->key, mxc_containment_words[document->request.containment]) != 0)
		return fields_error(d, section, err, "a section of another back end, or in a phase that has none");
	if (section->type != JSON_OBJECT)
		return fields_mismatch(d, section, "a map", err);
	for (const struct json *key = section->first; key; key = key->next) {
		int r;

		if (strcmp(key->key, word) != 0)
			return fields_error(d, key, err, "unknown field `%.64s`, expected `%s`", key->key, word);
		if (key->type != JSON_OBJECT)
			return fields_mismatch(d, key, "a map", err);
		r = is_lxc ? take_lxc(d, key, &document->config, err) : take_wslc(d, key, err);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Accepted, and without effect (MXC.md 12.4). */
static int take_telemetry(struct decode *d, const struct json *section, struct err **err)
{
	char scrap[MXC_FOREIGN_SIZE] = { 0 };

	return fields_decode(d, section, mxc_telemetry_fields, scrap, err);
}

/* Only two back ends have something of their own. */
static int take_sections(struct decode *d, struct phase_document *document, struct err **err)
{
	const struct json *experimental = document->experimental;
	int r = document->lxc ? take_section(d, document->lxc, document, err) : 0;

	if (r == 0 && document->wslc)
		r = take_section(d, document->wslc, document, err);
	if (r < 0 || !mxc_is_present(experimental))
		return r;
	if (experimental->type != JSON_OBJECT)
		return fields_mismatch(d, experimental, "a map", err);
	for (const struct json *section = experimental->first; section && r == 0; section = section->next) {
		if (!strcmp(section->key, "telemetry"))
			r = take_telemetry(d, section, err);
		else if (!strcmp(section->key, "lxc") || !strcmp(section->key, "wslc"))
			r = take_section(d, section, document, err);
		else
			r = fields_error(d, section, err, "unknown field `%.64s`, expected one of `lxc`, `wslc`, `telemetry`", section->key);
	}
	return r;
}

/* ---- the phases ---- */

/* The words of the life cycle's own on other platforms are those of the SDK, and the sandbox behind them the native one. */
static enum mxc_containment shape_of(enum mxc_containment asked)
{
	return asked == MXC_WSLC ? MXC_PROCESS : asked;
}

static int finish_provision(struct decode *d, struct phase_document *document, struct err **err)
{
	static const struct mxc_process nothing = { .command_line = ":" };
	struct mxc_config *config = &document->config;
	int r = take_sections(d, document, err);

	config->containment = shape_of(document->request.containment);
	config->process = &nothing;
	if (r == 0)
		r = refuse_proxy(document, err);
	if (r == 0)
		r = mxc_check_gates(d, config, err);
	if (r == 0)
		r = mxc_check_filesystem(d, config, err);
	if (r == 0)
		r = mxc_check_placed(d, config, err);
	return r == 0 ? mxc_check_network(d, config, err) : r;
}

static int finish_exec(struct decode *d, struct phase_document *document, struct err **err)
{
	struct mxc_config *config = &document->config;
	int r = take_sections(d, document, err);

	if (r == 0)
		r = mxc_check_gates(d, config, err);
	if (r == 0)
		r = mxc_check_process(config, err);
	if (r == 0)
		r = check_exec_network(d, config, err);
	return r == 0 ? check_exec_runtime(d, config, err) : r;
}

int mxc_parse_phase(struct arena *arena, const struct json *json, const struct log *log, struct mxc_phase_request *ret,
		    struct err **err)
{
	static const struct field *const tables[] = {
		[MXC_PROVISION] = provision_fields, [MXC_START] = other_fields,	      [MXC_EXEC] = exec_fields,
		[MXC_STOP] = other_fields,	    [MXC_DEPROVISION] = other_fields,
	};
	struct phase_document *document = arena_alloc(arena, sizeof(*document));
	struct decode d = { .arena = arena, .log = log, .unknown_is_error = true, .mxc_style = true };
	enum mxc_phase phase = MXC_PHASE_MAX;
	struct mxc_config *config;
	int r;

	if (!document)
		return err_nomem(err);
	config = &document->config;
	config->network.default_policy = config->network.enforcement_mode = -1;
	config->document = json;
	r = read_phase(json, &phase, err);
	if (r == 0)
		r = mxc_choose_reader(json, config, err);
	if (r == 0)
		r = check_fixed(json, phase, config, err);
	if (r < 0)
		return r;
	mxc_read_as(&d, config->reader);
	document->request.phase = phase;
	r = fields_decode(&d, json, tables[phase], document, err);
	if (r == 0 && phase == MXC_PROVISION)
		r = finish_provision(&d, document, err);
	else if (r == 0 && phase == MXC_EXEC)
		r = finish_exec(&d, document, err);
	else if (r == 0)
		r = take_sections(&d, document, err);
	document->request.config = phase == MXC_PROVISION || phase == MXC_EXEC ? config : NULL;
	*ret = document->request;
	return r;
}

const struct mxc_config *mxc_with_process(struct arena *arena, const struct mxc_config *policy, const struct mxc_config *exec)
{
	struct mxc_config *both = arena_memdup(arena, policy, sizeof(*policy));

	if (!both)
		return NULL;
	both->process = exec->process;
	both->exec_proxy = exec->exec_proxy;
	return both;
}

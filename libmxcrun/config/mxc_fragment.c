/* mxc_fragment.c - a policy for a container that somebody else describes: the sections of an MXC
 * document that restrict, and nothing that says what runs.
 *
 * The meaning of each section is the same as in a whole document, so the rows are the same. It has
 * no lenient contract: who restricts a container must not learn from a warning that he did not.
 */
#include <string.h>

#include "config/mxc_tables.h"

struct fragment {
	struct mxc_config config;
	const struct json *comment;
	const char *string;
};

static const struct field IMAGE_ROWS process_fields[] = {
	MXC_ROW("timeout", FIELD_U32, struct mxc_process, timeout),
	FIELDS_END,
};

#define FRAGMENT_ROW(key_, kind_, member_, ...) MXC_ROW(key_, kind_, struct fragment, member_, ##__VA_ARGS__)

static const struct field IMAGE_ROWS fragment_fields[] = {
	FRAGMENT_ROW("$schema", FIELD_STRING, string),
	FRAGMENT_ROW("_comment", FIELD_RAW, comment),
	FRAGMENT_ROW("version", FIELD_STRING, config.version),
	FRAGMENT_ROW("filesystem", FIELD_INLINE, config.filesystem, .table.raw = mxc_filesystem_fields),
	FRAGMENT_ROW("network", FIELD_CUSTOM, config.network, .decode.raw = mxc_decode_network),
	FRAGMENT_ROW("process", FIELD_OBJECT, config.process, .table.raw = process_fields,
		     .size = sizeof(struct mxc_process)),
	FRAGMENT_ROW("bubblewrap", FIELD_OBJECT, config.bubblewrap, .table.raw = mxc_bubblewrap_fragment_fields,
		     .size = sizeof(struct mxc_bubblewrap)),
	FRAGMENT_ROW("", FIELD_SELF, config.document),
	FIELDS_END,
};

static int choose_reader(const struct json *document, struct mxc_config *config, struct err **err)
{
	int r = mxc_choose_reader(document, config, err);

	if (r < 0)
		return r;
	if (config->version && !config->strict)
		return err_set(err, E_CONFIG, 0, NULL,
			       "version: expected 0.8 or later in a policy for a container, found '%.64s'",
			       config->version);
	config->strict = true;
	return 0;
}

/* In a container what is there at its start decides. */
static int check_types(const struct decode *d, const struct mxc_config *config, struct err **err)
{
	const struct mxc_filesystem *filesystem = &config->filesystem;
	size_t i;

	for (i = 0; filesystem->denied_types && i < filesystem->denied_paths.count; i++)
		if (filesystem->denied_types[i] != MXC_TYPE_ANY)
			return fields_error(d, json_get(config->document, "filesystem"), err,
					    "deniedPaths[%zu]: invalid type: map, expected a string: the type of a path "
					    "can't be stated for a container",
					    i);
	return 0;
}

int mxc_parse_fragment(struct arena *arena, const struct json *document, const struct log *log,
		       const struct mxc_config **ret, struct err **err)
{
	struct fragment *fragment = arena_alloc(arena, sizeof(*fragment));
	struct decode d = { .arena = arena, .log = log, .unknown_is_error = true, .mxc_style = true };
	struct mxc_config *config;
	int r;

	if (!fragment)
		return err_nomem(err);
	config = &fragment->config;
	config->network.default_policy = config->network.enforcement_mode = -1;
	r = choose_reader(document, config, err);
	if (r < 0)
		return r;
	mxc_read_as(&d, config->reader);
	r = fields_decode(&d, document, fragment_fields, fragment, err);
	if (r == 0)
		r = check_types(&d, config, err);
	if (r == 0)
		r = mxc_check_filesystem(&d, config, err);
	if (r == 0)
		r = mxc_check_network(&d, config, err);
	if (r == 0)
		*ret = config;
	return r;
}

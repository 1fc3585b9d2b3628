/* admin.c - see admin.h. */
#include "config/admin.h"

#include <string.h>

#include "config/engine_words.h"

#define ADMIN_ROW(key_, kind_, type_, member_, ...)                                               \
	{                                                                                         \
		.key.raw = (key_), .kind = (kind_), .offset = offsetof(type_, member_), ##__VA_ARGS__ \
	}

static const struct field IMAGE_ROWS grant_fields[] = {
	ADMIN_ROW("readonlyPaths", FIELD_STRINGS, struct admin_grants, readonly_paths),
	ADMIN_ROW("readwritePaths", FIELD_STRINGS, struct admin_grants, readwrite_paths),
	FIELDS_END,
};

const struct field IMAGE_ROWS admin_fields[] = {
	ADMIN_ROW("policyFolder", FIELD_STRING, struct admin_config, policy_folder),
	ADMIN_ROW("namedPolicyFolder", FIELD_STRING, struct admin_config, named_folder),
	ADMIN_ROW("engine", FIELD_CUSTOM, struct admin_config, engine, .decode.raw = engine_word_decode),
	ADMIN_ROW("allowedEngines", FIELD_STRINGS, struct admin_config, allowed_engines),
	ADMIN_ROW("annotationGrants", FIELD_INLINE, struct admin_config, annotation_grants,
		  .table.raw = grant_fields),
	FIELDS_END,
};

static int check_paths(struct arena *arena, const struct string_list *list, const char *key,
		       struct err **err)
{
	for (size_t i = 0; i < list->count; i++)
		if (list->items[i][0] != '/')
			return err_set(err, E_CONFIG, 0, arena_printf(arena, "/annotationGrants/%s/%zu", key, i),
				       "expected an absolute path, found \"%.64s\"", list->items[i]);
	return 0;
}

bool admin_allows_engine(const struct admin_config *config, const char *engine)
{
	const struct string_list *allowed = &config->allowed_engines;

	for (size_t i = 0; i < allowed->count; i++)
		if (!strcmp(allowed->items[i], engine))
			return true;
	return !allowed->set;
}

/* What is taken where nobody says anything has to be among them. */
static int check_engines(struct arena *arena, const struct admin_config *config, struct err **err)
{
	const struct string_list *allowed = &config->allowed_engines;
	const char *usual = config->engine ? config->engine : engine_words[0];

	for (size_t i = 0; i < allowed->count; i++)
		if (!engine_word(allowed->items[i]))
			return err_set(err, E_CONFIG, 0, arena_printf(arena, "/allowedEngines/%zu", i),
				       "expected native, bwrap or lxc, found \"%.64s\"", allowed->items[i]);
	if (admin_allows_engine(config, usual))
		return 0;
	return err_set(err, E_CONFIG, 0, "/allowedEngines", "%s is not among them, and it is what \"engine\" says%s", usual,
		       config->engine ? "" : " by its absence");
}

static int check_folder(const char *folder, const char *pointer, struct err **err)
{
	return *folder ? 0 : err_set(err, E_CONFIG, 0, pointer, "expected a folder, found \"\"");
}

int admin_parse(struct arena *arena, const struct json *document, const struct log *log,
		const struct admin_config **ret, struct err **err)
{
	struct decode d = { .arena = arena, .log = log, .unknown_is_error = true };
	struct admin_config *config = arena_alloc(arena, sizeof(*config));
	int r = 0;

	if (!config)
		return err_nomem(err);
	if (document)
		r = fields_decode(&d, document, admin_fields, config, err);
	if (!config->policy_folder)
		config->policy_folder = "policy.d";
	if (!config->named_folder)
		config->named_folder = "policies";
	if (r == 0)
		r = check_folder(config->policy_folder, "/policyFolder", err);
	if (r == 0)
		r = check_folder(config->named_folder, "/namedPolicyFolder", err);
	if (r == 0)
		r = check_engines(arena, config, err);
	if (r == 0)
		r = check_paths(arena, &config->annotation_grants.readonly_paths, "readonlyPaths", err);
	if (r == 0)
		r = check_paths(arena, &config->annotation_grants.readwrite_paths, "readwritePaths", err);
	if (r == 0)
		*ret = config;
	return r;
}

/* from_oci_systemd.c - annotations org.systemd.property.NAME: properties of the container's scope.
 *
 * Values are written as GVariant text, of which these forms are taken: 'text', true, false, a number with or without
 * its type in front (uint64 5), and lists of texts. A name in Sec is systemd's word for a time in seconds, also 1.5, and goes over
 * the bus in microseconds, as USec.
 */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plan/from_oci.h"

#define PREFIX "org.systemd.property."
#define USEC_PER_SEC 1000000u

static const struct number_type {
	const char *word, *signature;
	int64_t least;
	uint64_t most;
} number_types[] = {
	{ "int32", "i", INT32_MIN, INT32_MAX }, /* what has no type is one */
	{ "uint32", "u", 0, UINT32_MAX },
	{ "int64", "x", INT64_MIN, INT64_MAX },
	{ "uint64", "t", 0, UINT64_MAX },
};

static const char *skip_blanks(const char *at)
{
	return at + strspn(at, " \t\n");
}

/* A quoted text at *at, which is moved behind it; in the arena, NULL when it is none. */
static const char *take_text(struct builder *b, const char **at)
{
	char quote = **at, *text = NULL;
	const char *end;

	if (quote != '\'' && quote != '"')
		return NULL;
	end = strchr(*at + 1, quote);
	if (end && !memchr(*at, '\\', (size_t)(end - *at)))
		text = arena_strndup(b->arena, *at + 1, (size_t)(end - *at - 1));
	if (text)
		*at = skip_blanks(end + 1);
	return text;
}

static void set_signature(struct plan_unit_property *property, const char *signature)
{
	snprintf(property->signature, sizeof(property->signature), "%s", signature);
}

static bool parse_list(struct builder *b, const char *at, struct plan_unit_property *property)
{
	const char **items = arena_array(b->arena, strlen(at) + 1, sizeof(*items));
	size_t count = 0;

	at = skip_blanks(at + 1);
	while (items && *at && *at != ']') {
		items[count] = take_text(b, &at);
		if (!items[count++])
			return false;
		if (*at == ',')
			at = skip_blanks(at + 1);
	}
	set_signature(property, "as");
	property->values = items;
	return items && *at == ']' && !*skip_blanks(at + 1);
}

static bool parse_single(struct builder *b, const char *text, const char *signature, struct plan_unit_property *property)
{
	const char **items = arena_array(b->arena, 2, sizeof(*items));

	set_signature(property, signature);
	property->values = items;
	if (items)
		items[0] = arena_strdup(b->arena, text);
	return items && items[0];
}

static const struct number_type *take_type(const char **at)
{
	for (size_t i = 0; i < array_size(number_types); i++) {
		size_t len = strlen(number_types[i].word);

		if (!strncmp(*at, number_types[i].word, len) && isspace((unsigned char)(*at)[len])) {
			*at = skip_blanks(*at + len);
			return &number_types[i];
		}
	}
	return &number_types[0];
}

static bool is_in_range(const char *text, const struct number_type *type)
{
	char *end;

	if (!isdigit((unsigned char)text[*text == '-']))
		return false;
	errno = 0;
	if (*text == '-')
		return strtoll(text, &end, 10) >= type->least && !errno && !*end;
	return strtoull(text, &end, 10) <= type->most && !errno && !*end;
}

static bool parse_number(struct builder *b, const char *at, struct plan_unit_property *property)
{
	const struct number_type *type = take_type(&at);

	return is_in_range(at, type) && parse_single(b, at, type->signature, property);
}

static bool parse_value(struct builder *b, const char *text, struct plan_unit_property *property)
{
	const char *at = skip_blanks(text), *quoted;

	if (!strcmp(at, "true") || !strcmp(at, "false"))
		return parse_single(b, at, "b", property);
	if (*at == '[')
		return parse_list(b, at, property);
	quoted = take_text(b, &at);
	if (quoted)
		return !*at && parse_single(b, quoted, "s", property);
	return parse_number(b, at, property);
}

/* "1", "1.5" to microseconds; what is smaller than one is cut off. */
static bool parse_seconds(const char *text, uint64_t *ret)
{
	char *end;
	uint64_t part = USEC_PER_SEC;

	if (!isdigit((unsigned char)*text))
		return false;
	errno = 0;
	*ret = strtoull(text, &end, 10);
	if (errno || *ret >= UINT64_MAX / USEC_PER_SEC)
		return false;
	*ret *= USEC_PER_SEC;
	if (*end == '.')
		for (end++; isdigit((unsigned char)*end); end++)
			*ret += (part /= 10) * (uint64_t)(*end - '0');
	return !*end;
}

/* "TimeoutStopSec": 5 to "TimeoutStopUSec": 5000000. */
static bool parse_time(struct builder *b, const char *text, struct plan_unit_property *property)
{
	const char *at = skip_blanks(text);
	uint64_t usec;

	take_type(&at);
	if (!parse_seconds(at, &usec))
		return false;
	property->name = arena_printf(b->arena, "%.*sUSec", (int)(strlen(property->name) - 3), property->name);
	return property->name && parse_single(b, arena_printf(b->arena, "%" PRIu64, usec), "t", property);
}

static bool is_in_seconds(const char *name)
{
	return ends_with(name, "Sec") && !ends_with(name, "USec");
}

static bool is_name(const char *name)
{
	size_t len = strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");

	return len > 0 && !name[len];
}

/* Without the systemd manager there is no unit that they could be about. */
int build_unit_properties(struct builder *b, struct err **err)
{
	const struct string_map *map = &b->config->annotations;
	struct plan_cgroup *cgroup = &b->plan->cgroup;

	if (cgroup->manager != CGROUP_MANAGER_SYSTEMD)
		return 0;
	cgroup->unit_properties = arena_array(b->arena, map->count + 1, sizeof(*cgroup->unit_properties));
	if (!cgroup->unit_properties)
		return err_nomem(err);
	for (size_t i = 0; i < map->count; i++) {
		struct plan_unit_property *property = &cgroup->unit_properties[cgroup->unit_property_count];
		const char *name = map->items[i].key + strlen(PREFIX);

		if (strncmp(map->items[i].key, PREFIX, strlen(PREFIX)) != 0)
			continue;
		property->name = arena_strdup(b->arena, name);
		if (!is_name(name) || !property->name ||
		    !(is_in_seconds(name) ? parse_time : parse_value)(b, map->items[i].value, property))
			return err_set(err, E_CONFIG, 0, "/annotations",
				       "%.128s: expected a property's value such as 'text', true, uint64 5 or ['a', 'b']",
				       map->items[i].key);
		cgroup->unit_property_count++;
	}
	return 0;
}

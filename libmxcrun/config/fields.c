/* fields.c - walk one JSON object by a table of rows and fill the struct that the rows describe.
 *
 * Called by the OCI and the MXC parsers, which are tables over this file. Everything that is made
 * lies in the decoder's arena; strings are those of the JSON tree, which therefore has to live as
 * long. Texts of errors are in fields_error.c.
 */
#include "config/fields.h"

#include <errno.h>
#include <string.h>

/* A bit for each row says which keys were seen; no OCI or MXC object has nearly as many. */
#define ROWS_MAX 64u

struct object_list {
	void *items;
	size_t count;
};

static bool is_visible(const struct decode *d, const struct field *row)
{
	return row->kind != FIELD_SELF && (!row->gate || (row->gate & d->gate));
}

static const struct field *find_row(const struct decode *d, const struct field *table,
				    const char *key)
{
	const struct field *row;

	for (row = table; row->key.raw; row++)
		if (strcmp(image_at(row->key), key) == 0 && is_visible(d, row))
			return row;
	return NULL;
}

static int unknown_key(const struct decode *d, const struct json *value, const struct field *table,
		       struct err **err)
{
	cleanup_strbuf struct strbuf names = STRBUF_INIT;
	const struct field *row;
	size_t count = 0;

	if (!d->unknown_is_error) {
		if (d->log && d->log->level >= LOG_LEVEL_DEBUG)
			log_debug(d->log, "unknown key %s is ignored",
				  json_pointer(d->arena, value));
		return 0;
	}
	for (row = table; row->key.raw; row++) {
		if (!is_visible(d, row))
			continue;
		strbuf_printf(&names, "%s`%s`", count++ ? ", " : "", image_at(row->key));
	}
	return fields_error(d, value, err, "unknown field `%.64s`, expected %s%s", value->key,
			    count > 1 ? "one of "
			    : count   ? ""
				      : "none",
			    strbuf_str(&names));
}

static int decode_strings(struct decode *d, const struct json *value, struct string_list *list,
			  struct err **err)
{
	const struct json *child;
	size_t i = 0;

	if (value->type != JSON_ARRAY)
		return fields_mismatch(d, value,
				       d->mxc_style ? "a sequence" : "an array of strings", err);
	list->items = arena_array(d->arena, value->len + 1, sizeof(*list->items));
	if (!list->items)
		return err_nomem(err);
	for (child = value->first; child; child = child->next) {
		if (child->type != JSON_STRING)
			return fields_mismatch(d, child, "a string", err);
		list->items[i++] = child->text;
	}
	list->count = i;
	list->set = true;
	return 0;
}

static int decode_string_map(struct decode *d, const struct json *value, struct string_map *map,
			     struct err **err)
{
	const struct json *child;

	if (value->type != JSON_OBJECT)
		return fields_mismatch(d, value, d->mxc_style ? "a map" : "an object of strings",
				       err);
	map->items = arena_array(d->arena, value->len, sizeof(*map->items));
	if (value->len && !map->items)
		return err_nomem(err);
	for (child = value->first; child; child = child->next) {
		if (child->type != JSON_STRING)
			return fields_mismatch(d, child, "a string", err);
		map->items[map->count++] = (struct string_pair){ child->key, child->text };
	}
	map->set = true;
	return 0;
}

static int decode_enum(struct decode *d, const struct json *value, const char *const *words,
		       int *ret, struct err **err)
{
	int i;

	if (value->type != JSON_STRING)
		return fields_mismatch(d, value, "a string", err);
	for (i = 0; words[i]; i++) {
		if (strcmp(words[i], value->text) == 0) {
			*ret = i;
			return 0;
		}
	}
	return fields_unknown_word(d, value, words, err);
}

static int decode_bool(const struct decode *d, const struct json *value, bool *ret,
		       struct err **err)
{
	if (value->type != JSON_BOOL)
		return fields_mismatch(d, value, "a boolean", err);
	*ret = value->boolean;
	return 0;
}

static int decode_i64(const struct decode *d, const struct json *value, struct opt_i64 *ret,
		      struct err **err)
{
	if (json_to_i64(value, &ret->value) < 0)
		return fields_mismatch(d, value, d->mxc_style ? "i64" : "a 64-bit integer", err);
	ret->set = true;
	return 0;
}

static int decode_u64(const struct decode *d, const struct json *value, struct opt_u64 *ret,
		      struct err **err)
{
	if (json_to_u64(value, &ret->value) < 0)
		return fields_mismatch(
			d, value,
			d->mxc_style ? "u64" : "an integer from 0 to 18446744073709551615", err);
	ret->set = true;
	return 0;
}

static int decode_u32(const struct decode *d, const struct json *value, struct opt_u32 *ret,
		      struct err **err)
{
	uint64_t number;

	if (json_to_u64(value, &number) < 0 || number > UINT32_MAX)
		return fields_mismatch(
			d, value, d->mxc_style ? "u32" : "an integer from 0 to 4294967295", err);
	ret->value = (uint32_t)number;
	ret->set = true;
	return 0;
}

/* 4294967295 is (uid_t)-1, which the kernel takes for "leave as it is". */
int fields_decode_id(struct decode *d, const struct json *value, void *target, struct err **err)
{
	uint64_t number;

	if (json_to_u64(value, &number) < 0 || number >= UINT32_MAX)
		return fields_mismatch(d, value, "an id, an integer from 0 to 4294967294", err);
	*(uint32_t *)target = (uint32_t)number;
	return 0;
}

static int decode_new_object(struct decode *d, const struct json *value, const struct field *row,
			     const void **ret, struct err **err)
{
	void *object = arena_alloc(d->arena, row->size);
	int r;

	if (!object)
		return err_nomem(err);
	r = fields_decode(d, value, image_at(row->table), object, err);
	if (r < 0)
		return r;
	*ret = object;
	return 0;
}

static int decode_objects(struct decode *d, const struct json *value, const struct field *row,
			  struct object_list *list, struct err **err)
{
	const struct json *child;
	char *items;
	int r;

	if (row->kind == FIELD_OBJECT_MAP && value->type != JSON_OBJECT)
		return fields_mismatch(d, value, d->mxc_style ? "a map" : "an object of objects", err);
	if (row->kind == FIELD_OBJECTS && value->type != JSON_ARRAY)
		return fields_mismatch(d, value,
				       d->mxc_style ? "a sequence" : "an array of objects", err);
	if (!value->len)
		return 0;
	items = arena_array(d->arena, value->len, row->size);
	if (!items)
		return err_nomem(err);
	for (child = value->first; child; child = child->next) {
		r = fields_decode(d, child, image_at(row->table), items + child->index * row->size, err);
		if (r < 0)
			return r;
	}
	list->items = items;
	list->count = value->len;
	return 0;
}

static int decode_value(struct decode *d, const struct json *value, const struct field *row,
			void *target, struct err **err)
{
	struct opt_bool *opt_bool = target;
	int r;

	switch (row->kind) {
	case FIELD_STRING:
		if (value->type != JSON_STRING)
			return fields_mismatch(d, value, "a string", err);
		*(const char **)target = value->text;
		return 0;
	case FIELD_BOOL:
		return decode_bool(d, value, target, err);
	case FIELD_OPT_BOOL:
		r = decode_bool(d, value, &opt_bool->value, err);
		opt_bool->set = r == 0;
		return r;
	case FIELD_I64:
		return decode_i64(d, value, target, err);
	case FIELD_U64:
		return decode_u64(d, value, target, err);
	case FIELD_U32:
		return decode_u32(d, value, target, err);
	case FIELD_ID:
		return fields_decode_id(d, value, target, err);
	case FIELD_STRINGS:
		return decode_strings(d, value, target, err);
	case FIELD_STRING_MAP:
		return decode_string_map(d, value, target, err);
	case FIELD_ENUM:
		return decode_enum(d, value, image_at(row->words), target, err);
	case FIELD_OBJECT:
		return decode_new_object(d, value, row, target, err);
	case FIELD_INLINE:
		return fields_decode(d, value, image_at(row->table), target, err);
	case FIELD_OBJECTS:
	case FIELD_OBJECT_MAP:
		return decode_objects(d, value, row, target, err);
	case FIELD_RAW:
		*(const struct json **)target = value;
		return 0;
	case FIELD_CUSTOM:
		return image_at(row->decode)(d, value, target, err);
	case FIELD_IGNORE:
	case FIELD_NAME:
	case FIELD_SELF:
		break;
	}
	return 0;
}

/* What must hold before the first key: enums say "absent", the object and its name are remembered. */
static void preset(const struct json *object, const struct field *table, char *out)
{
	const struct field *row;

	for (row = table; row->key.raw; row++) {
		if (row->kind == FIELD_ENUM)
			*(int *)(void *)(out + row->offset) = -1;
		else if (row->kind == FIELD_SELF)
			*(const struct json **)(void *)(out + row->offset) = object;
		else if (row->kind == FIELD_NAME)
			*(const char **)(void *)(out + row->offset) = object->key;
	}
}

int fields_decode(struct decode *d, const struct json *object, const struct field *table, void *out,
		  struct err **err)
{
	const struct json *value;
	const struct field *row;
	uint64_t seen = 0;
	int r;

	if (object->type != JSON_OBJECT)
		return fields_mismatch(d, object, d->mxc_style ? "a map" : "an object", err);
	preset(object, table, out);
	for (value = object->first; value; value = value->next) {
		row = find_row(d, table, value->key);
		if (!row) {
			r = unknown_key(d, value, table, err);
			if (r < 0)
				return r;
			continue;
		}
		if (value->type == JSON_NULL && d->null_is_absent)
			continue;
		r = decode_value(d, value, row, (char *)out + row->offset, err);
		if (r < 0)
			return r;
		seen |= (uint64_t)1 << (row - table) % ROWS_MAX;
	}
	for (row = table; row->key.raw; row++)
		if (row->required && is_visible(d, row) &&
		    !(seen & (uint64_t)1 << (row - table) % ROWS_MAX))
			return fields_missing(d, object, image_at(row->key), err);
	return 0;
}

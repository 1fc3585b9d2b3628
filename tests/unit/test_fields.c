/* test_fields.c - tables to structs, and the words of both styles of errors. */
#include "arena_unit.h"

#include <errno.h>

#include "config/fields.h"

enum color { COLOR_RED, COLOR_GREEN };
static const char *const colors[] = { "red", "green", NULL };

struct inner {
	const char *name;
};
struct list {
	struct inner *items;
	size_t count;
};

struct outer {
	const char *string;
	bool boolean;
	struct opt_bool opt_boolean;
	struct opt_i64 i64;
	struct opt_u64 u64;
	struct opt_u32 u32;
	uint32_t id;
	struct string_list strings;
	struct string_map map;
	int color;
	const struct inner *object;
	struct inner place;
	struct list objects;
	const struct json *raw, *self;
	int custom;
	bool gated;
};

static int decode_custom(struct decode *d, const struct json *value, void *target, struct err **err)
{
	if (value->type != JSON_NUMBER)
		return fields_mismatch(d, value, "a nonzero u16", err);
	if (strcmp(value->text, "0") == 0)
		return fields_mismatch(d, value, "a nonzero u16", err);
	*(int *)target = 7;
	return 0;
}

#define ROW(key_, kind_, member_, ...)                                                     \
	{                                                                                  \
		.key.raw = (key_), .kind = (kind_), .offset = offsetof(struct outer, member_), \
		##__VA_ARGS__                                                              \
	}

static const struct field IMAGE_ROWS inner_fields[] = {
	{ .key.raw = "name",
	  .kind = FIELD_STRING,
	  .offset = offsetof(struct inner, name),
	  .required = true },
	FIELDS_END,
};

static const struct field IMAGE_ROWS outer_fields[] = {
	ROW("string", FIELD_STRING, string),
	ROW("boolean", FIELD_BOOL, boolean),
	ROW("optBoolean", FIELD_OPT_BOOL, opt_boolean),
	ROW("i64", FIELD_I64, i64),
	ROW("u64", FIELD_U64, u64),
	ROW("u32", FIELD_U32, u32),
	ROW("id", FIELD_ID, id),
	ROW("strings", FIELD_STRINGS, strings),
	ROW("map", FIELD_STRING_MAP, map),
	ROW("color", FIELD_ENUM, color, .words.raw = colors),
	ROW("object", FIELD_OBJECT, object, .table.raw = inner_fields, .size = sizeof(struct inner)),
	ROW("place", FIELD_INLINE, place, .table.raw = inner_fields),
	ROW("objects", FIELD_OBJECTS, objects, .table.raw = inner_fields, .size = sizeof(struct inner)),
	ROW("raw", FIELD_RAW, raw),
	ROW("custom", FIELD_CUSTOM, custom, .decode.raw = decode_custom),
	ROW("gated", FIELD_BOOL, gated, .gate = 2),
	ROW("apiToken", FIELD_STRING, string),
	ROW("user", FIELD_U32, u32),
	{ .key.raw = "ignored", .kind = FIELD_IGNORE },
	ROW("", FIELD_SELF, self),
	FIELDS_END,
};

static int decode(struct decode *d, const char *quoted, struct outer *out, struct err **err)
{
	const struct json *document = NULL;
	char *text = arena_strdup(arena, quoted), *c;

	for (c = text; *c; c++)
		if (*c == '\'')
			*c = '"';
	d->arena = arena;
	memset(out, 0, sizeof(*out));
	assert_int_equal(json_parse(arena, text, strlen(text), "test", &document, NULL), 0);
	return fields_decode(d, document, outer_fields, out, err);
}

static void test_every_kind(void **state)
{
	struct decode d = { 0 };
	struct outer out;

	(void)state;
	assert_int_equal(
		decode(&d,
		       "{'string':'s','boolean':true,'optBoolean':false,'i64':-9223372036854775808,"
		       "'u64':18446744073709551615,'u32':4294967295,'id':4294967294,'strings':['a','b'],"
		       "'map':{'k':'v'},'color':'green','object':{'name':'o'},'place':{'name':'p'},"
		       "'objects':[{'name':'x'},{'name':'y'}],'raw':[1],'custom':3,'ignored':{'a':[]},"
		       "'unknown':1}",
		       &out, NULL),
		0);
	assert_string_equal(out.string, "s");
	assert_true(out.boolean);
	assert_true(out.opt_boolean.set && !out.opt_boolean.value);
	assert_true(out.i64.set && out.i64.value == INT64_MIN);
	assert_true(out.u64.set && out.u64.value == UINT64_MAX);
	assert_true(out.u32.set && out.u32.value == UINT32_MAX);
	assert_int_equal(out.id, UINT32_MAX - 1);
	assert_int_equal(out.strings.count, 2);
	assert_string_equal(out.strings.items[1], "b");
	assert_null(out.strings.items[2]);
	assert_string_equal(out.map.items[0].key, "k");
	assert_string_equal(out.map.items[0].value, "v");
	assert_int_equal(out.color, COLOR_GREEN);
	assert_string_equal(out.object->name, "o");
	assert_string_equal(out.place.name, "p");
	assert_int_equal(out.objects.count, 2);
	assert_string_equal(out.objects.items[1].name, "y");
	assert_int_equal(out.raw->type, JSON_ARRAY);
	assert_int_equal(out.custom, 7);
	assert_ptr_equal(out.self, out.raw->parent);
}

static void test_absent(void **state)
{
	struct decode d = { .null_is_absent = true };
	struct outer out;

	(void)state;
	assert_int_equal(decode(&d,
				"{'string':null,'color':null,'strings':[],'map':{},'objects':[]}",
				&out, NULL),
			 0);
	assert_null(out.string);
	assert_int_equal(out.color, -1);
	assert_true(out.strings.set && out.strings.count == 0 && !out.strings.items[0]);
	assert_true(out.map.set);
	assert_false(out.i64.set);
	assert_null(out.object);
}

static void refuse(struct decode *d, const char *text, const char *pointer, const char *words)
{
	cleanup_err struct err *err = NULL;
	struct outer out;

	assert_int_equal(decode(d, text, &out, &err), -EINVAL);
	assert_int_equal(err->code, E_CONFIG);
	if (pointer)
		assert_string_equal(err->pointer, pointer);
	else
		assert_null(err->pointer);
	if (strcmp(err->text, words) != 0)
		print_error("\"%s\"\n", err->text);
	assert_string_equal(err->text, words);
}

static void test_oci_words(void **state)
{
	struct decode d = { 0 };

	(void)state;
	refuse(&d, "{'string':5}", "/string", "expected a string, found number 5");
	refuse(&d, "{'string':null}", "/string", "expected a string, found null");
	refuse(&d, "{'u32':4294967296}", "/u32",
	       "expected an integer from 0 to 4294967295, found number 4294967296");
	refuse(&d, "{'u64':-1}", "/u64",
	       "expected an integer from 0 to 18446744073709551615, found number -1");
	refuse(&d, "{'i64':1.0}", "/i64", "expected a 64-bit integer, found number 1.0");
	refuse(&d, "{'i64':true}", "/i64", "expected a 64-bit integer, found boolean true");
	refuse(&d, "{'strings':['a',{}]}", "/strings/1", "expected a string, found an object");
	refuse(&d, "{'objects':[{}]}", "/objects/0", "missing field `name`");
	refuse(&d, "{'color':'blue'}", "/color",
	       "unknown variant `blue`, expected one of `red`, `green`");
	refuse(&d, "{'apiToken':['x']}", "/apiToken", "expected a string, found an array");
	refuse(&d, "{'apiToken':12345}", "/apiToken", "expected a string, found number (hidden)");
	refuse(&d, "{'user':'x'}", "/user",
	       "expected an integer from 0 to 4294967295, found string \"x\"");
}

static void test_mxc_words(void **state)
{
	struct decode d = { .mxc_style = true, .unknown_is_error = true, .gate = 1 };

	(void)state;
	refuse(&d, "{'string':5}", NULL,
	       "Invalid configuration at `string`: invalid type: integer `5`, expected a string");
	refuse(&d, "{'u32':'x'}", NULL,
	       "Invalid configuration at `u32`: invalid type: string \"x\", expected u32");
	refuse(&d, "{'u32':-1}", NULL,
	       "Invalid configuration at `u32`: invalid value: integer `-1`, expected u32");
	refuse(&d, "{'u32':1.5}", NULL,
	       "Invalid configuration at `u32`: invalid type: floating point `1.5`, expected u32");
	refuse(&d, "{'custom':0}", NULL,
	       "Invalid configuration at `custom`: invalid value: integer `0`, expected a nonzero u16");
	refuse(&d, "{'strings':['a',true]}", NULL,
	       "Invalid configuration at `strings[1]`: invalid type: boolean `true`, expected a string");
	refuse(&d, "{'strings':{}}", NULL,
	       "Invalid configuration at `strings`: invalid type: map, expected a sequence");
	refuse(&d, "{'objects':[{'name':'a'},{'x':1}]}", NULL,
	       "Invalid configuration at `objects[1].x`: unknown field `x`, expected `name`");
	refuse(&d, "{'object':{}}", NULL,
	       "Invalid configuration at `object`: missing field `name`");
	refuse(&d, "{'color':'Red'}", NULL,
	       "Invalid configuration at `color`: unknown variant `Red`, expected one of `red`, `green`");
	refuse(&d, "[]", NULL, "Invalid configuration: invalid type: sequence, expected a map");
	refuse(&d, "{'user':'root'}", NULL,
	       "Invalid configuration at `user`: invalid type: string \"(hidden)\", expected u32");
}

static void test_gates(void **state)
{
	struct decode d = { .mxc_style = true, .unknown_is_error = true, .gate = 2 };
	cleanup_err struct err *err = NULL;
	struct outer out;

	(void)state;
	assert_int_equal(decode(&d, "{'gated':true}", &out, NULL), 0);
	assert_true(out.gated);
	d.gate = 1;
	assert_int_equal(decode(&d, "{'gated':true}", &out, &err), -EINVAL);
	assert_non_null(strstr(err->text, "unknown field `gated`, expected one of `string`"));
	assert_null(strstr(err->text + 60, "`gated`"));
	/* The row that remembers the object is not a key. */
	err_free_ptr(&err);
	assert_int_equal(decode(&d, "{'':1}", &out, &err), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_kind), cmocka_unit_test(test_absent),
		cmocka_unit_test(test_oci_words),  cmocka_unit_test(test_mxc_words),
		cmocka_unit_test(test_gates),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}

/* test_json.c - strict reading, pointers, exact integers, and writing what reads back the same. */
#include "arena_unit.h"

#include <errno.h>

#include "base/json.h"

static const struct json *parse(const char *text)
{
	const struct json *value = NULL;
	struct err *err = NULL;
	int r = json_parse(arena, text, strlen(text), "test", &value, &err);

	if (r < 0) {
		cleanup_free char *line = err_format(err);

		print_error("%s\n", line);
		err_free(err);
	}
	assert_int_equal(r, 0);
	return value;
}

/* In a copy with nothing behind it, which the sanitizers watch. */
static void refuse_in_place(const char *text, size_t len, const char *same_words)
{
	cleanup_err struct err *err = NULL;
	cleanup_free char *copy = malloc(len ? len : 1), *line = NULL;
	const struct json *value = NULL;

	memcpy(copy, text, len);
	assert_int_equal(json_parse_in_place(arena, copy, len, "test", &value, &err), -EINVAL);
	assert_null(value);
	line = err_format(err);
	assert_string_equal(line, same_words);
}

/* The text is refused with E_JSON, and the message holds the words. */
static void refuse(const char *text, size_t len, const char *words)
{
	cleanup_err struct err *err = NULL;
	cleanup_free char *line = NULL;
	const struct json *value = NULL;

	assert_int_equal(json_parse(arena, text, len, "test", &value, &err), -EINVAL);
	assert_null(value);
	assert_int_equal(err->code, E_JSON);
	assert_null(err->pointer);
	line = err_format(err);
	if (!strstr(line, words))
		print_error("\"%s\" does not say \"%s\"\n", line, words);
	assert_non_null(strstr(line, words));
	assert_true(strlen(line) < 400);
	assert_null(strchr(line, '\n'));
	refuse_in_place(text, len, line);
}

#define REFUSE(text, words) refuse((text), sizeof(text) - 1, (words))

static void test_tree(void **state)
{
	const struct json *root =
		parse("{\"a\": [1, \"two\", true, null, -3.5e2], \"b\": {\"c\": {}}}");
	const struct json *a = json_get(root, "a");
	const struct json *item;

	(void)state;
	assert_int_equal(root->type, JSON_OBJECT);
	assert_int_equal(root->len, 2);
	assert_ptr_equal(root->first, a);
	assert_string_equal(a->key, "a");
	assert_int_equal(a->type, JSON_ARRAY);
	assert_int_equal(a->len, 5);
	item = a->first;
	assert_string_equal(item->text, "1");
	item = item->next;
	assert_string_equal(item->text, "two");
	assert_int_equal(item->len, 3);
	item = item->next;
	assert_int_equal(item->type, JSON_BOOL);
	assert_true(item->boolean);
	item = item->next;
	assert_int_equal(item->type, JSON_NULL);
	item = item->next;
	assert_string_equal(item->text, "-3.5e2");
	assert_int_equal(item->index, 4);
	assert_null(item->next);
	assert_null(json_get(root, "x"));
	assert_null(json_get(a, "x"));
	assert_null(json_get(NULL, "x"));
	assert_string_equal(json_type_name(a->type), "array");
}

static void test_scalars(void **state)
{
	(void)state;
	assert_string_equal(parse(" 12 ")->text, "12");
	assert_int_equal(parse("true")->type, JSON_BOOL);
	assert_int_equal(parse("null")->type, JSON_NULL);
	assert_string_equal(parse("\"\"")->text, "");
	assert_int_equal(parse("[]")->len, 0);
	assert_null(parse("{}")->first);
}

static void test_strings(void **state)
{
	(void)state;
	assert_string_equal(parse("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"")->text, "\"\\/\b\f\n\r\t");
	assert_string_equal(parse("\"\\u00e4\\u20AC\"")->text, "\xc3\xa4\xe2\x82\xac");
	assert_string_equal(parse("\"\\ud83d\\ude00\"")->text, "\xf0\x9f\x98\x80");
	assert_string_equal(parse("\"\xf0\x9f\x98\x80\"")->text, "\xf0\x9f\x98\x80");
	/* Not an escape: the backslash before it is escaped itself. */
	assert_string_equal(parse("\"\\\\u0000\"")->text, "\\u0000");
}

/* Equal keys of neighbours are one text; what only looks alike is not. */
static void test_shared_keys(void **state)
{
	const struct json *root = parse("[{\"a\":1,\"b\":{\"x\":1}},{\"a\":2,\"b\":{\"x\":2},\"c\":3},{\"ab\":4},{\"\\u0061\":5},[6],"
					"{\"\\\\n\":7},{\"\\n\":8},{\"\\n\":9},{\"\":10}]");
	static const char *const keys[] = { "a", "a", "ab", "a", NULL, "\\n", "\n", "\n", "" };
	const struct json *item = root->first;

	(void)state;
	assert_ptr_equal(item->first->key, item->next->first->key);
	assert_ptr_equal(json_get(item, "b")->first->key, json_get(item->next, "b")->first->key);
	assert_string_equal(json_get(item->next, "c")->text, "3");
	for (size_t i = 0; i < array_size(keys); i++, item = item->next)
		if (keys[i])
			assert_string_equal(item->first->key, keys[i]);
}

static void test_in_place(void **state)
{
	char text[] = "{\"key\": \"value\", \"escape\\u0064\": \"a\\nb\", \"number\": 12}";
	const struct json *root = NULL, *item;

	(void)state;
	assert_int_equal(json_parse_in_place(arena, text, sizeof(text) - 1, "test", &root, NULL), 0);
	item = json_get(root, "key");
	assert_ptr_equal(item->key, text + 2);
	assert_ptr_equal(item->text, text + 9);
	assert_string_equal(item->text, "value");
	assert_string_equal(json_get(root, "escaped")->text, "a\nb");
	assert_int_equal(json_get(root, "escaped")->len, 3);
	assert_string_equal(json_get(root, "number")->text, "12");
}

/* Wherever it stands, and however long the string is. */
static void test_each_place_of_a_string(void **state)
{
	static const struct { const char *bytes, *words; } bad[] = {
		{ "\x01", "invalid character inside string" }, { "\x1f", "invalid character inside string" },
		{ "\n", "invalid character inside string" },	 { "\x80", "not valid UTF-8" },
		{ "\xff", "not valid UTF-8" },			 { "\\x", "'\\'" },
	};
	static const char *const good[] = { " ", "!", "#", "[", "]", "\x7f", "\xc3\xa4", "\xf0\x9f\x98\x80" };
	char text[64], words[96];

	(void)state;
	for (int before = 0; before < 20; before++) {
		for (int after = 0; after < 20; after++) {
			for (size_t i = 0; i < array_size(bad); i++) {
				snprintf(text, sizeof(text), "\"%.*s%s%.*s\"", before, "aaaaaaaaaaaaaaaaaaaa", bad[i].bytes, after,
					 "\x7f#!~}{][ ..........");
				snprintf(words, sizeof(words), "line 1 column %d: ", before + 2);
				refuse(text, strlen(text), words);
				refuse(text, strlen(text), bad[i].words);
			}
			for (size_t i = 0; i < array_size(good); i++) {
				const struct json *value;

				snprintf(text, sizeof(text), "\"%.*s%s%.*s\"", before, "\x7f#!~}{][ ..........", good[i], after,
					 "aaaaaaaaaaaaaaaaaaaa");
				value = parse(text);
				assert_int_equal(value->len, strlen(text) - 2);
				assert_memory_equal(value->text, text + 1, value->len);
			}
			snprintf(text, sizeof(text), "\"%.*s", before, "aaaaaaaaaaaaaaaaaaaa");
			refuse(text, strlen(text), "premature EOF");
		}
	}
}

static void test_syntax(void **state)
{
	(void)state;
	REFUSE("", "empty");
	REFUSE("  \n", "empty");
	REFUSE("{\n  \"a\": ?\n}", "line 2 column 8: invalid char");
	REFUSE("{\"a\" 1}", "line 1 column 6: object key and value must");
	REFUSE("[1, 2", "premature EOF");
	REFUSE("\"abc", "premature EOF");
	REFUSE("[1,]", "line 1");
	REFUSE("{\"a\":1,}", "line 1");
	REFUSE("01", "trailing");
	REFUSE("[01]", "line 1");
	REFUSE("[.5]", "line 1");
	REFUSE("[+1]", "line 1");
	REFUSE("[1.]", "line 1");
	REFUSE("[NaN]", "line 1");
	REFUSE("{} {}", "trailing");
	REFUSE("{}x", "line 1");
	REFUSE("{} \"", "line 1 column 4: trailing");
	REFUSE("true\"a", "trailing");
	REFUSE("[1,\v2]", "line 1 column 4: invalid char");
	REFUSE("[1,\f2]", "invalid char");
	REFUSE("{\"a\":tru}", "line 1 column 6: invalid string");
	REFUSE("[-]", "line 1 column 3: malformed number");
	REFUSE("[1e]", "malformed number");
	REFUSE("[1 2]", "line 1 column 4: after array element");
	REFUSE("{\"a\":1 \"b\":2}", "line 1 column 8: after key and value");
	REFUSE("{1:2}", "line 1 column 2: invalid object key");
	REFUSE("/* c */ {}", "line 1");
	REFUSE("// c\n{}", "line 1");
	REFUSE("{'a':1}", "line 1");
	REFUSE("[\"a\nb\"]", "line 1");
	REFUSE("[\"a\\x41\"]", "line 1");
	REFUSE("[\"\\u12\"]", "line 1");
	REFUSE("\xef\xbb\xbf{}", "line 1");
	REFUSE("\"\\", "line 1");
	REFUSE("]", "line 1");
}

static void test_unicode(void **state)
{
	(void)state;
	REFUSE("[\"a\\u0000b\"]", "\\u0000");
	REFUSE("{\"a\\u0000\": 1}", "\\u0000");
	REFUSE("[\"a\0b\"]", "NUL");
	REFUSE("{}\0", "NUL");
	REFUSE("[\"\xff\"]", "not valid UTF-8");
	REFUSE("[\"\xc0\x80\"]", "not valid UTF-8");
	REFUSE("[\"\xed\xa0\x80\"]", "not valid UTF-8");
	REFUSE("[\"\xf4\x90\x80\x80\"]", "not valid UTF-8");
	REFUSE("[\"\xe2\x82\"]", "line 1 column 3: not valid UTF-8");
	REFUSE("[\"\\ud800\"]", "surrogate");
	REFUSE("[\"\\udc00\"]", "surrogate");
	REFUSE("[\"\\ud800\\u0041\"]", "surrogate");
	REFUSE("[\"\\ud800\\ud800\"]", "surrogate");
	REFUSE("[\"\\ude00\\ud83d\"]", "surrogate");
	REFUSE("\"\\ud800\\", "surrogate");
}

static void test_duplicates(void **state)
{
	(void)state;
	REFUSE("{\"a\":1,\"b\":2,\"a\":3}", "duplicate field \"a\"");
	REFUSE("{\"a\":1,\"\\u0061\":3}", "duplicate field \"a\"");
	REFUSE("[{\"x\":{\"y\":1,\"y\":1}}]", "duplicate field \"y\"");
	REFUSE("{\"\":1,\"\":2}", "duplicate field \"\"");
	REFUSE("{\"a\\nb\":1,\"a\\nb\":2}", "duplicate field \"a\\x0ab\"");
	parse("{\"a\":{\"a\":1},\"b\":{\"a\":1}}");
	/* beside a neighbour that has nearly the same */
	REFUSE("[{\"a\":1,\"b\":2},{\"a\":1,\"a\":2}]", "column 26: duplicate field \"a\"");
	REFUSE("[{\"a\":1,\"b\":2,\"c\":3},{\"x\":1,\"b\":2,\"b\":3}]", "duplicate field \"b\"");
	REFUSE("[{\"a\":1,\"b\":2},{\"b\":1,\"b\":2}]", "duplicate field \"b\"");
	REFUSE("[{\"a\":1,\"b\":2},{\"b\":1,\"a\":2,\"a\":3}]", "duplicate field \"a\"");
	REFUSE("[{\"a\":1},{\"a\":1,\"b\":2,\"a\":3}]", "duplicate field \"a\"");
	parse("[{\"a\":1,\"b\":2},{\"b\":1,\"a\":2},{\"c\":1,\"b\":2}]");
}

/* count keys, and then the given one. */
static char *many_keys(int count, const char *last)
{
	struct strbuf sb = STRBUF_INIT;
	int i;

	strbuf_putc(&sb, '{');
	for (i = 0; i < count; i++)
		strbuf_printf(&sb, "\"k%d\":1,", i);
	strbuf_printf(&sb, "\"%s\":1}", last);
	return strbuf_take(&sb);
}

static void test_duplicates_in_large_object(void **state)
{
	static const int counts[] = { 1, 30, 31, 32, 33, 34, 100, 400000 };
	char last[16];
	size_t i;

	(void)state;
	for (i = 0; i < array_size(counts); i++) {
		cleanup_free char *good = many_keys(counts[i], "x");
		cleanup_free char *bad_first = many_keys(counts[i], "k0");
		cleanup_free char *bad_last = NULL;

		snprintf(last, sizeof(last), "k%d", counts[i] - 1);
		bad_last = many_keys(counts[i], last);
		assert_int_equal(parse(good)->len, counts[i] + 1);
		refuse(bad_first, strlen(bad_first), "duplicate field \"k0\"");
		refuse(bad_last, strlen(bad_last), "duplicate field \"k");
	}
}

static char *nested(unsigned int depth)
{
	struct strbuf sb = STRBUF_INIT;
	unsigned int i;

	for (i = 0; i < depth; i++)
		strbuf_puts(&sb, i % 2 ? "{\"a\":" : "[");
	strbuf_putc(&sb, '1');
	for (i = depth; i > 0; i--)
		strbuf_putc(&sb, (i - 1) % 2 ? '}' : ']');
	return strbuf_take(&sb);
}

static void test_bounds(void **state)
{
	cleanup_free char *deep = nested(JSON_DEPTH_MAX), *deeper = nested(JSON_DEPTH_MAX + 1);
	cleanup_free char *unclosed = malloc(1000000), *large = malloc(JSON_SIZE_MAX + 1);
	const struct json *value = parse(deep);

	(void)state;
	while (value->first)
		value = value->first;
	assert_true(strlen(json_pointer(arena, value)) == JSON_DEPTH_MAX * 2);
	refuse(deeper, strlen(deeper), "nested deeper than 64 levels");
	memset(unclosed, '[', 1000000);
	refuse(unclosed, 1000000, "nested deeper");

	memset(large, ' ', JSON_SIZE_MAX + 1);
	large[0] = '1';
	refuse(large, JSON_SIZE_MAX + 1, "larger than 16 MiB");
	memset(large, ',', JSON_SIZE_MAX);
	for (size_t i = 1; i < JSON_SIZE_MAX; i += 2)
		large[i] = '1';
	large[0] = '[';
	large[JSON_SIZE_MAX - 1] = ']';
	refuse(large, JSON_SIZE_MAX, "more than 1048576 values");
}

static void test_no_echo(void **state)
{
	cleanup_free char *text = malloc(100000);

	(void)state;
	memset(text, 'x', 100000);
	refuse(text, 100000, "line 1");
	memcpy(text, "{\"", 2);
	memcpy(text + 49000, "\":1,\"", 5);
	memcpy(text + 49005, text + 2, 48998);
	memcpy(text + 98003, "\":1}", 4);
	refuse(text, 98007, "duplicate field \"xxx");
}

static void test_pointers(void **state)
{
	const struct json *root =
		parse("{\"linux\":{\"namespaces\":[{\"type\":\"pid\"}],\"a/b~c\":1,\"\":2}}");
	const struct json *linux_part = json_get(root, "linux");
	const struct json *type = json_get(json_get(linux_part, "namespaces")->first, "type");

	(void)state;
	assert_string_equal(json_pointer(arena, root), "");
	assert_string_equal(json_dotted(arena, root), "");
	assert_string_equal(json_pointer(arena, type), "/linux/namespaces/0/type");
	assert_string_equal(json_dotted(arena, type), "linux.namespaces[0].type");
	assert_string_equal(json_pointer(arena, json_get(linux_part, "a/b~c")), "/linux/a~1b~0c");
	assert_string_equal(json_pointer(arena, json_get(linux_part, "")), "/linux/");
	assert_string_equal(json_dotted(arena, parse("[[1]]")->first->first), "[0][0]");
}

static void test_integers(void **state)
{
	uint64_t u = 0;
	int64_t i = 0;

	(void)state;
	assert_int_equal(json_to_i64(parse("9223372036854775807"), &i), 0);
	assert_true(i == INT64_MAX);
	assert_int_equal(json_to_i64(parse("-9223372036854775808"), &i), 0);
	assert_true(i == INT64_MIN);
	assert_int_equal(json_to_i64(parse("9223372036854775808"), &i), -ERANGE);
	assert_int_equal(json_to_i64(parse("-9223372036854775809"), &i), -ERANGE);
	assert_int_equal(json_to_u64(parse("18446744073709551615"), &u), 0);
	assert_true(u == UINT64_MAX);
	assert_int_equal(json_to_u64(parse("18446744073709551616"), &u), -ERANGE);
	assert_int_equal(json_to_u64(parse("-1"), &u), -ERANGE);
	assert_int_equal(json_to_u64(parse("-0"), &u), 0);
	assert_int_equal(u, 0);
	assert_int_equal(json_to_i64(parse("1.0"), &i), -EINVAL);
	assert_int_equal(json_to_i64(parse("1e3"), &i), -EINVAL);
	assert_int_equal(json_to_u64(parse("\"1\""), &u), -EINVAL);
	assert_int_equal(json_to_u64(parse("true"), &u), -EINVAL);
	assert_int_equal(json_to_u64(NULL, &u), -EINVAL);
}

static void test_write_pretty(void **state)
{
	cleanup_json_writer struct json_writer w = JSON_WRITER_INIT;

	(void)state;
	json_open(&w, NULL, '{');
	json_put_string(&w, "a", "x");
	json_open(&w, "list", '[');
	json_put_i64(&w, NULL, -1);
	json_put_u64(&w, NULL, UINT64_MAX);
	json_close(&w, ']');
	json_open(&w, "none", '{');
	json_close(&w, '}');
	json_put_bool(&w, "yes", true);
	json_put_string(&w, "nothing", NULL);
	json_close(&w, '}');
	assert_string_equal(strbuf_str(&w.out), "{\n"
						"  \"a\": \"x\",\n"
						"  \"list\": [\n"
						"    -1,\n"
						"    18446744073709551615\n"
						"  ],\n"
						"  \"none\": {},\n"
						"  \"yes\": true,\n"
						"  \"nothing\": null\n"
						"}");
}

static void test_write_strings(void **state)
{
	cleanup_json_writer struct json_writer w = { .compact = true };

	(void)state;
	json_open(&w, NULL, '[');
	json_put_string(&w, NULL, "\"\\\n\r\t\x01\x7f/\xc3\xa4");
	json_put_string(&w, NULL, "a\xff\xc0\x80z\xe2\x82");
	json_close(&w, ']');
	assert_string_equal(strbuf_str(&w.out),
			    "[\"\\\"\\\\\\n\\r\\t\\u0001\\u007f/\xc3\xa4\","
			    "\"a\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdz\xef\xbf\xbd\xef\xbf\xbd\"]");
	parse(strbuf_str(&w.out));
}

static void test_round_trip(void **state)
{
	static const char text[] =
		"{\"a\":[1,2.50,\"x\\ny\",{},[],null,true,false],\"b\":{\"c\":-1e-7,\"\\\"\":\"\\u0001\"}}";
	cleanup_json_writer struct json_writer compact = { .compact = true };
	cleanup_json_writer struct json_writer pretty = JSON_WRITER_INIT;
	cleanup_json_writer struct json_writer again = { .compact = true };

	(void)state;
	json_put_json(&compact, NULL, parse(text));
	assert_string_equal(strbuf_str(&compact.out), text);
	json_put_json(&pretty, NULL, parse(text));
	json_put_json(&again, NULL, parse(strbuf_str(&pretty.out)));
	assert_string_equal(strbuf_str(&again.out), text);
}

static void test_sealed_arena_is_out_of_memory(void **state)
{
	cleanup_arena struct arena *sealed = arena_new();
	cleanup_err struct err *err = NULL;
	const struct json *value = NULL;

	(void)state;
	arena_seal(sealed);
	assert_int_equal(json_parse(sealed, "[\"a\\n\"]", 7, "test", &value, &err), -ENOMEM);
	assert_int_equal(err->code, E_INTERNAL);
	assert_null(value);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_tree),
		TEST(test_scalars),
		TEST(test_strings),
		TEST(test_shared_keys),
		TEST(test_in_place),
		TEST(test_each_place_of_a_string),
		TEST(test_syntax),
		TEST(test_unicode),
		TEST(test_duplicates),
		TEST(test_duplicates_in_large_object),
		TEST(test_bounds),
		TEST(test_no_echo),
		TEST(test_pointers),
		TEST(test_integers),
		TEST(test_write_pretty),
		TEST(test_write_strings),
		TEST(test_round_trip),
		TEST(test_sealed_arena_is_out_of_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

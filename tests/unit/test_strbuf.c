/* test_strbuf.c - the growing string, escaping, and the UTF-8 decoder. */
#include "unit.h"

#include "base/mem.h"
#include "base/strbuf.h"

static void test_append(void **state)
{
	cleanup_strbuf struct strbuf sb = STRBUF_INIT;
	cleanup_free char *text = NULL;
	int i;

	(void)state;
	assert_string_equal(strbuf_str(&sb), "");
	strbuf_puts(&sb, "ab");
	strbuf_putc(&sb, 'c');
	strbuf_printf(&sb, "%d-%s", 42, "x");
	strbuf_add(&sb, "\0z", 2);
	assert_int_equal(sb.len, 9);
	assert_memory_equal(strbuf_str(&sb), "abc42-x\0z", 10);
	for (i = 0; i < 10000; i++)
		strbuf_printf(&sb, "%04d", i);
	assert_int_equal(sb.len, 40009);
	text = strbuf_take(&sb);
	assert_string_equal(text + 40005, "9999");
	assert_int_equal(sb.len, 0);
	assert_string_equal(strbuf_str(&sb), "");
}

static void test_take_empty(void **state)
{
	struct strbuf sb = STRBUF_INIT;
	cleanup_free char *text = strbuf_take(&sb);

	(void)state;
	assert_string_equal(text, "");
}

static void test_failure_sticks(void **state)
{
	struct strbuf sb = STRBUF_INIT;

	(void)state;
	strbuf_puts(&sb, "abc");
	strbuf_add(&sb, "x", SIZE_MAX - 1);
	assert_true(sb.failed);
	strbuf_puts(&sb, "def");
	strbuf_printf(&sb, "%d", 1);
	assert_string_equal(strbuf_str(&sb), "");
	assert_null(strbuf_take(&sb));
	assert_false(sb.failed);
}

static void assert_escaped(const char *s, size_t len, size_t max, const char *expected)
{
	cleanup_strbuf struct strbuf sb = STRBUF_INIT;

	strbuf_put_escaped(&sb, s, len, max);
	assert_string_equal(strbuf_str(&sb), expected);
}

static void test_escape(void **state)
{
	(void)state;
	assert_escaped("plain \\ \"x\"", 11, 100, "plain \\ \"x\"");
	assert_escaped("a\0b\r\n\x7f", 6, 100, "a\\x00b\\x0d\\x0a\\x7f");
	assert_escaped("\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", 9, 100,
		       "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80");
	assert_escaped("\xc2\x9b", 2, 100, "\\u009b");
	assert_escaped("\xe2\x80\xa8\xe2\x80\x8f\xef\xbb\xbf", 9, 100, "\\u2028\\u200f\\ufeff");
	assert_escaped("\xf3\xa0\x81\x81", 4, 100, "\\xf3\\xa0\\x81\\x81");
	assert_escaped("\xc0\x80\xed\xa0\x80", 5, 100, "\\xc0\\x80\\xed\\xa0\\x80");
	assert_escaped("abcdef", 6, 6, "abcdef");
	assert_escaped("abcdef", 6, 3, "abc...");
	assert_escaped("ab\xe2\x82\xac", 5, 3, "ab...");
	assert_escaped("", 0, 0, "");
}

static void test_utf8(void **state)
{
	static const struct {
		const char *text;
		size_t len;
	} bad[] = {
		{ "\x80", 1 },
		{ "\xc0\xaf", 2 },
		{ "\xc1\xbf", 2 },
		{ "\xc3", 1 },
		{ "\xc3(", 2 },
		{ "\xe0\x80\xaf", 3 },
		{ "\xe2\x82", 2 },
		{ "\xed\xa0\x80", 3 },
		{ "\xed\xbf\xbf", 3 },
		{ "\xf0\x80\x80\x80", 4 },
		{ "\xf4\x90\x80\x80", 4 },
		{ "\xf5\x80\x80\x80", 4 },
		{ "\xff", 1 },
		{ "", 0 },
	};
	uint32_t c = 0;
	size_t i;

	(void)state;
	for (i = 0; i < array_size(bad); i++)
		assert_int_equal(strbuf_utf8_decode(bad[i].text, bad[i].len, &c), 0);
	assert_int_equal(strbuf_utf8_decode("\xf4\x8f\xbf\xbf", 4, &c), 4);
	assert_int_equal(c, 0x10ffff);
	assert_int_equal(strbuf_utf8_decode("\xed\x9f\xbf", 3, &c), 3);
	assert_int_equal(c, 0xd7ff);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_append),	       cmocka_unit_test(test_take_empty),
		cmocka_unit_test(test_failure_sticks), cmocka_unit_test(test_escape),
		cmocka_unit_test(test_utf8),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_cli_options.c - the command line reader: every form that engines use, and the errors. */
#include "unit.h"

#include "base/mem.h"
#include "../../src/options.h"

static struct {
	bool force, quiet;
	const char *bundle;
	uint32_t count;
	int format;
} seen;

static const char *const format_words[] = { "table", "json", NULL };
static const struct option_row rows[] = {
	{ "force", 'f', OPT_FLAG, &seen.force, NULL, NULL, "" },
	{ "quiet", 'q', OPT_FLAG, &seen.quiet, NULL, NULL, "" },
	{ "bundle", 'b', OPT_STRING, &seen.bundle, NULL, "DIR", "" },
	{ "count", '\0', OPT_NUMBER, &seen.count, NULL, "N", "" },
	{ "format", '\0', OPT_WORD, &seen.format, format_words, "WORD", "" },
	{ 0 },
};

/* Reads one line, blank-separated. */
static int read_line(const char *line, enum option_order order, struct arguments *ret,
		     struct err **err)
{
	static char text[512];
	static char *argv[32];
	int argc = 0;

	memset(&seen, 0, sizeof(seen));
	snprintf(text, sizeof(text), "%s", line);
	for (char *word = strtok(text, " "); word; word = strtok(NULL, " "))
		argv[argc++] = word;
	return options_read(rows, order, argc, argv, ret, err);
}

static void test_forms(void **state)
{
	static const char *const lines[] = {
		"--bundle /x --force id",
		"--bundle=/x --force=true id",
		"-bundle /x -force id",
		"-bundle=/x -f id",
		"-b /x -f id",
		"-b/x -f id",
		"-b=/x -f id",
		"-fb /x id",
		"-fb/x id",
		"id -f -b /x",
		"-f -b /x -- id",
		"-b /y --bundle /x --force=0 --force=1 id",
	};

	(void)state;
	for (size_t i = 0; i < array_size(lines); i++) {
		struct arguments arguments;

		assert_int_equal(read_line(lines[i], OPTIONS_ANYWHERE, &arguments, NULL), 0);
		assert_true(seen.force);
		assert_false(seen.quiet);
		assert_string_equal(seen.bundle, "/x");
		assert_int_equal(arguments.count, 1);
		assert_string_equal(arguments.items[0], "id");
		assert_false(arguments.wants_help);
	}
}

static void test_targets(void **state)
{
	struct arguments arguments;

	(void)state;
	assert_int_equal(read_line("--count 4294967295 --format=json -fq", OPTIONS_ANYWHERE,
				   &arguments, NULL),
			 0);
	assert_int_equal(seen.count, UINT32_MAX);
	assert_int_equal(seen.format, 1);
	assert_true(seen.force && seen.quiet);
	assert_int_equal(read_line("--force=false", OPTIONS_ANYWHERE, &arguments, NULL), 0);
	assert_false(seen.force);
	assert_int_equal(read_line("--bundle=", OPTIONS_ANYWHERE, &arguments, NULL), 0);
	assert_string_equal(seen.bundle, "");
	assert_int_equal(read_line("--bundle=a=b", OPTIONS_ANYWHERE, &arguments, NULL), 0);
	assert_string_equal(seen.bundle, "a=b");
}

static void test_order(void **state)
{
	struct arguments arguments;

	(void)state;
	assert_int_equal(read_line("-q create -f --nonsense id", OPTIONS_FIRST, &arguments, NULL),
			 0);
	assert_true(seen.quiet);
	assert_false(seen.force);
	assert_int_equal(arguments.count, 4);
	assert_string_equal(arguments.items[0], "create");
	assert_string_equal(arguments.items[2], "--nonsense");
	assert_int_equal(read_line("a - -- -f --", OPTIONS_ANYWHERE, &arguments, NULL), 0);
	assert_int_equal(arguments.count, 4);
	assert_string_equal(arguments.items[1], "-");
	assert_string_equal(arguments.items[2], "-f");
	assert_string_equal(arguments.items[3], "--");
}

static void test_help(void **state)
{
	static const char *const lines[] = { "--help", "-h", "-help", "id -q --help --nonsense" };

	(void)state;
	for (size_t i = 0; i < array_size(lines); i++) {
		struct arguments arguments;

		assert_int_equal(read_line(lines[i], OPTIONS_ANYWHERE, &arguments, NULL), 0);
		assert_true(arguments.wants_help);
	}
}

static void test_errors(void **state)
{
	static const struct {
		const char *line, *fragment;
	} cases[] = {
		{ "--nonsense", "not defined: --nonsense" },
		{ "-x", "not defined: -x" },
		{ "-fx", "not defined: -fx" },
		{ "--bundle", "needs an argument: --bundle" },
		{ "-b", "needs an argument: --bundle" },
		{ "--count x", "expected a number" },
		{ "--count -1", "expected a number" },
		{ "--count 4294967296", "expected a number" },
		{ "--count 1x", "expected a number" },
		{ "--count=", "expected a number" },
		{ "--count 99999999999999999999", "expected a number" },
		{ "--format yaml", "expected one of table, json" },
		{ "--force=maybe", "invalid boolean" },
		{ "--forc", "not defined" },
		{ "---force", "not defined" },
		{ "--=x", "not defined" },
	};

	(void)state;
	for (size_t i = 0; i < array_size(cases); i++) {
		cleanup_err struct err *err = NULL;
		struct arguments arguments;

		assert_true(read_line(cases[i].line, OPTIONS_ANYWHERE, &arguments, &err) < 0);
		assert_int_equal(err->code, E_USAGE);
		assert_non_null(strstr(err->text, cases[i].fragment));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_forms),  cmocka_unit_test(test_targets),
		cmocka_unit_test(test_order),  cmocka_unit_test(test_help),
		cmocka_unit_test(test_errors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

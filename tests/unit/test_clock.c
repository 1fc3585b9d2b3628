/* test_clock.c - RFC 3339 against the C library's calendar. */
#include "unit.h"

#include <time.h>

#include "base/clock.h"

static void test_agrees_with_the_c_library(void **state)
{
	char text[CLOCK_TEXT_SIZE], expected[64];

	(void)state;
	for (time_t at = 0; at < 253402300799; at += 86399 * 37) {
		struct timespec now = { .tv_sec = at };
		struct tm parts;

		gmtime_r(&at, &parts);
		strftime(expected, sizeof(expected), "%Y-%m-%dT%H:%M:%SZ", &parts);
		clock_format_rfc3339(&now, false, text);
		assert_string_equal(text, expected);
	}
}

static void test_limits(void **state)
{
	char text[CLOCK_TEXT_SIZE];

	(void)state;
	clock_format_rfc3339(&(struct timespec){ .tv_sec = 951868799, .tv_nsec = 5 }, true, text);
	assert_string_equal(text, "2000-02-29T23:59:59.000000005Z");
	clock_format_rfc3339(&(struct timespec){ .tv_sec = -1 }, false, text);
	assert_string_equal(text, "1970-01-01T00:00:00Z");
	clock_format_rfc3339(&(struct timespec){ .tv_sec = INT64_MAX }, false, text);
	assert_string_equal(text, "9999-12-31T23:59:59Z");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_agrees_with_the_c_library),
		cmocka_unit_test(test_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

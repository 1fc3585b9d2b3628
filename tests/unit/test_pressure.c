/* test_pressure.c - pressure files of the kernel as runc's events have them. */
#include "unit.h"

#include "cgroup/pressure.h"

static void assert_written(const char *text, const char *wanted)
{
	cleanup_json_writer struct json_writer w = { .compact = true };

	json_open(&w, NULL, '{');
	pressure_put(text, &w);
	json_close(&w, '}');
	assert_string_equal(strbuf_str(&w.out), wanted);
}

static void test_lines(void **state)
{
	(void)state;
	assert_written("some avg10=0.00 avg60=12.34 avg300=100.00 total=18446744073709551615\n"
		       "full avg10=1.00 avg60=0.50 avg300=0.00 total=7\n",
		       "{\"psi\":{\"some\":{\"avg10\":0.00,\"avg60\":12.34,\"avg300\":100.00,\"total\":18446744073709551615},"
		       "\"full\":{\"avg10\":1.00,\"avg60\":0.50,\"avg300\":0.00,\"total\":7}}}");
	assert_written("some avg10=0.00 avg60=0.00 avg300=0.00 total=0",
		       "{\"psi\":{\"some\":{\"avg10\":0.00,\"avg60\":0.00,\"avg300\":0.00,\"total\":0}}}");
}

static void test_other_text(void **state)
{
	(void)state;
	assert_written("", "{\"psi\":{}}");
	assert_written("some\nfull avg10=x\n\n", "{\"psi\":{}}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_other_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

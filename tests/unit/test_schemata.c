/* test_schemata.c - is a class of resctrl as the configuration wants it? */
#include "unit.h"

#include "cgroup/backend.h"

static const char file[] = "    MB:0=  20;1= 100\n    L3:0=0000f;1=fffff\nL3CODE:0=3\n";

static void test_matches(void **state)
{
	static const char *const wanted[] = {
		"", "L3:0=f;1=fffff\n", "L3:1=FFFFF\n", "MB:0=20\nL3:0=0f\n", "L3CODE:0=3\n", "MB:1=100;0=20\n",
	};
	const char *line = NULL;

	(void)state;
	for (size_t i = 0; i < array_size(wanted); i++)
		assert_true(schemata_match(file, wanted[i], &line));
}

static void test_differs(void **state)
{
	static const char *const wanted[] = {
		"L3:0=ff\n", "L3:2=f\n", "L2:0=f\n", "L3:0\n", "L3:0=f;1=\n", "MB:0=200\n", "L3:0=fx\n", "L:0=f\n", "3CODE:0=3\n",
	};
	const char *line;

	(void)state;
	for (size_t i = 0; i < array_size(wanted); i++) {
		line = NULL;
		assert_false(schemata_match(file, wanted[i], &line));
		assert_ptr_equal(line, wanted[i]);
	}
	assert_false(schemata_match(file, "MB:0=20\nL3:0=1\n", &line));
	assert_string_equal(line, "L3:0=1\n");
	assert_false(schemata_match("", "L3:0=1\n", &line));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_matches),
		cmocka_unit_test(test_differs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

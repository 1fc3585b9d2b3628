/* unit.h - what every unit test includes: cmocka with its prerequisites, in the order it wants. */
#ifndef MXCRUN_TESTS_UNIT_H
#define MXCRUN_TESTS_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* It shows itself by the library that it preloads. */
static inline bool is_under_valgrind(void)
{
	const char *preload = getenv("LD_PRELOAD");

	return preload && strstr(preload, "valgrind");
}

/* For tests of what valgrind does not emulate. */
static inline void skip_under_valgrind(void)
{
	if (is_under_valgrind())
		skip();
}

#endif

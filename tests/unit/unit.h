/* unit.h - what every unit test includes: cmocka with its prerequisites, in the order it wants. */
#ifndef MXCRUN_TESTS_UNIT_H
#define MXCRUN_TESTS_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* For tests of what valgrind does not emulate. It shows itself by the library that it preloads. */
static inline void skip_under_valgrind(void)
{
	const char *preload = getenv("LD_PRELOAD");

	if (preload && strstr(preload, "valgrind"))
		skip();
}

#endif

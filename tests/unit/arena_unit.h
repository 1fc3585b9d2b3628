/* arena_unit.h - a fresh arena for each test of a program: `arena`, and cmocka's setup and teardown for it. */
#ifndef MXCRUN_TESTS_ARENA_UNIT_H
#define MXCRUN_TESTS_ARENA_UNIT_H

#include "unit.h"

#include "base/mem.h"

static struct arena *arena;

static inline int setup(void **state)
{
	(void)state;
	arena = arena_new();
	return arena ? 0 : -1;
}

static inline int teardown(void **state)
{
	(void)state;
	arena_free_ptr(&arena);
	return 0;
}

#endif

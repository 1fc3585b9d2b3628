/* closed.h - a plan points nowhere but into itself.
 *
 * Init is another program and finds the plan's memory at the same address, and nothing else of ours: a member that is the
 * address of a string literal, or of something in the configuration, would crash it. So each plan that a test or a fuzzer
 * makes is made once more in shared memory, and every word of that is looked at: whatever the member, no word may be an address of
 * anything that this program has mapped elsewhere. */
#ifndef MXCRUN_TESTS_CLOSED_H
#define MXCRUN_TESTS_CLOSED_H

#include <stdint.h>
#include <stdio.h>

#include "base/mem.h"
#include "plan/plan.h"

#define CLOSED_RANGES_MAX 1024u
#define CLOSED_RANGE_SIZE_MAX (UINT64_C(1) << 30)	/* more is the shadow of a sanitizer, at what could be numbers as well */

struct closed_range {
	uintptr_t start, end;
};

static inline size_t closed_read_ranges(struct closed_range *ranges)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	char line[512];
	size_t count = 0;

	while (maps && count < CLOSED_RANGES_MAX && fgets(line, sizeof(line), maps)) {
		unsigned long start, end;

		/* Below 4 GiB is the plan itself, and numbers. */
		if (sscanf(line, "%lx-%lx", &start, &end) == 2 && start > UINT32_MAX && end - start <= CLOSED_RANGE_SIZE_MAX)
			ranges[count++] = (struct closed_range){ start, end };
	}
	if (maps)
		fclose(maps);
	return count;
}

static inline const uintptr_t *closed_find_stray(const uintptr_t *word, const uintptr_t *end, const struct closed_range *ranges, size_t count)
{
	for (; word < end; word++)
		for (size_t i = 0; i < count; i++)
			if (*word >= ranges[i].start && *word < ranges[i].end)
				return word;
	return NULL;
}

/* What is wrong with the plan in this arena; NULL: nothing. */
static inline const char *closed_complaint(struct arena *shared, const struct plan *plan)
{
	static struct closed_range ranges[CLOSED_RANGES_MAX];
	static char complaint[128];
	const uintptr_t *start = (const uintptr_t *)ARENA_SHARED_FIRST, *stray;
	size_t count = closed_read_ranges(ranges);

	if ((const void *)plan != (const void *)start)
		return "the plan is not what init would take for it";
	if (count < 3)
		return "a program has more mappings than were read";
	stray = closed_find_stray(start, arena_alloc(shared, 1), ranges, count);
	if (!stray)
		return NULL;
	snprintf(complaint, sizeof(complaint), "byte %zu of the plan's memory points out of it: %lx",
		 (size_t)((const char *)stray - (const char *)start), (unsigned long)*stray);
	return complaint;
}

#endif

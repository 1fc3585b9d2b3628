/* image.h - large tables that most commands never read, used as they lie in the program's file.
 *
 * Where a program may lie anywhere its pointers are corrected when it starts, and each page of them is copied for that: 10 us
 * in a virtual machine (docs/linking.md), also for tables that this command has no use for. base/start.c leaves out those that are marked
 * IMAGE_ROWS: a pointer there stays a distance from the program's first byte, and is only to be had through image_at().
 * In a program without start.c both are nothing but the pointer.
 */
#ifndef MXCRUN_BASE_IMAGE_H
#define MXCRUN_BASE_IMAGE_H

#include <stdint.h>

/* Of a variable that needs no first value, and may never be needed: behind the zeros that start.c asks for and the first pages of the
 * heap: a common symbol, of which alloc.c's are linked first. */
#define LARGE_ZEROS __attribute__((common, visibility("hidden")))
/* alloc.c's first region, and up to where start.c has asked for it: the rest of the page where it begins, and one more. */
#define ALLOC_FIRST_STEP 4096u
extern char alloc_first_region[] __attribute__((visibility("hidden")));
static inline char *alloc_first_populated(void)
{
	return alloc_first_region + ALLOC_FIRST_STEP + (-(uintptr_t)alloc_first_region & 4095u);
}

/* A member of such a table; `.raw` is for initialising it, and for asking whether it is NULL. */
#define image_pointer(...) struct { __VA_ARGS__ raw; }

#ifdef IMAGE_IS_PREPARED
/* start.c: the pages of the stack that a command needs which makes a container, and most others don't. */
void start_expect_deep_calls(void) __attribute__((visibility("hidden")));

#define IMAGE_ROWS __attribute__((section("image_tables")))

/* start.c: where the program's first byte lies; 0 where the C library has corrected all pointers. */
extern uintptr_t image_start __attribute__((visibility("hidden")));

static inline uintptr_t image_address(uintptr_t raw)
{
	return raw ? raw + image_start : 0;
}
#define image_at(pointer) ((__typeof__((pointer).raw))image_address((uintptr_t)(pointer).raw)) /* NOLINT(performance-no-int-to-ptr) */
#else
static inline void start_expect_deep_calls(void)
{
}

#define IMAGE_ROWS
#define image_at(pointer) ((pointer).raw)
#endif

#endif

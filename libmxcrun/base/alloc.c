/* alloc.c - malloc for programs that live for milliseconds, when they are made with musl.
 *
 * The C library's maps and unmaps pages as blocks come and go; here each of those costs more than the work between them
 * (14 us a page fault, docs/linking.md). This one cuts blocks of power-of-two sizes from one region, whose pages it asks for
 * some at a time, and keeps freed blocks for the next of their size. Large ones are mapped. The first region is part of the
 * program, beside its data: it needs no page tables of its own.
 *
 * A block's header says what it is and is signed with its address and a secret, so that freeing twice, freeing what
 * is none, and writing over the next header end the program.
 */
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>

#include "base/image.h"

#define ALIGNMENT 16u
#define SMALLEST_SHIFT 5u		/* 32 bytes, half of them header */
#define CLASSES 12u			/* up to 64 KiB */
#define REGION ((size_t)1 << 20)
#define POPULATE_STEP ((size_t)16 << 10)	/* at most: most commands need but two pages */
#define POPULATE_MAPPED ((size_t)256 << 10)
#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23		/* Linux 5.14 */
#endif
#define MAPPED CLASSES			/* class of a block that is a mapping */

struct block {
	uint64_t signature;
	uint32_t size_class, pages;	/* pages: of a mapping */
	union {
		struct block *next;	/* while it is free */
		_Alignas(ALIGNMENT) char data[8];
	};
};
#define HEADER offsetof(struct block, data)

/* The allocator's state, as any has. */
static char *place, *populated, *limit;
static size_t step = ALLOC_FIRST_STEP;
static struct block *unused[CLASSES];
static uint64_t secret;
_Alignas(ALIGNMENT) char alloc_first_region[REGION] LARGE_ZEROS; /* not of a page: what lies before it is used, too */

static uint64_t sign(const struct block *block, uint32_t size_class)
{
	if (!secret) {
		const uint64_t *random = (const uint64_t *)getauxval(AT_RANDOM); /* NOLINT(performance-no-int-to-ptr) */

		secret = (random ? random[1] : (uintptr_t)&secret) | 1;
	}
	return (secret ^ (uintptr_t)block) * 0x9e3779b97f4a7c15u + size_class;
}

static uint32_t class_of(size_t size)
{
	uint32_t size_class = 0;

	while (size_class < CLASSES && ((size_t)1 << (SMALLEST_SHIFT + size_class)) < size)
		size_class++;
	return size_class;
}

static void *hand_out(struct block *block, uint32_t size_class)
{
	block->signature = sign(block, size_class);
	block->size_class = size_class;
	return block->data;
}

static void *map_block(size_t size)
{
	size_t pages = (size + 4095) / 4096;
	struct block *block = mmap(NULL, pages * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (block == MAP_FAILED || pages > UINT32_MAX) {
		errno = ENOMEM;
		return NULL;
	}
	(void)madvise(block, pages * 4096 < POPULATE_MAPPED ? pages * 4096 : POPULATE_MAPPED, MADV_POPULATE_WRITE);
	block->pages = (uint32_t)pages;
	return hand_out(block, MAPPED);
}

static int new_region(void)
{
	char *region = alloc_first_region;
	bool is_first = !limit;

	if (!is_first)
		region = mmap(NULL, REGION, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (region == MAP_FAILED)
		return -1;
	place = region;
	populated = is_first ? alloc_first_populated() : region;
	limit = region + REGION;
	return 0;
}

/* Ask for some pages together, before they are touched; an older kernel refuses, and each faults by itself. */
static void populate(const char *to)
{
	while (populated < to && populated < limit) {
		(void)madvise(populated, step < (size_t)(limit - populated) ? step : (size_t)(limit - populated),
			      MADV_POPULATE_WRITE);
		populated += step;
		if (step < POPULATE_STEP)
			step *= 2;
	}
}

/* A block of that size, of which the first bytes will be used now. */
static char *cut(size_t size, size_t used)
{
	char *piece;

	if (size > (size_t)(limit - place) && new_region() < 0)
		return NULL;
	piece = place;
	place += size;
	if (place > populated)
		populate(piece + used);
	return piece;
}

/* *ret_is_zero: nobody has written to it yet. */
static void *allocate(size_t size, int *ret_is_zero)
{
	struct block *block;
	uint32_t size_class;

	*ret_is_zero = 1;
	if (size > PTRDIFF_MAX - 8192) {
		errno = ENOMEM;
		return NULL;
	}
	size += HEADER;
	size_class = class_of(size);
	if (size_class == MAPPED)
		return map_block(size);
	block = unused[size_class];
	if (block) {
		unused[size_class] = block->next;
		*ret_is_zero = 0;
	} else {
		block = (struct block *)(void *)cut((size_t)1 << (SMALLEST_SHIFT + size_class), size);
	}
	if (!block) {
		errno = ENOMEM;
		return NULL;
	}
	return hand_out(block, size_class);
}

/* The block of a pointer that the program gives us; ends it when it is none. */
static struct block *check(void *p)
{
	struct block *block = (struct block *)(void *)((char *)p - HEADER);

	if (block->size_class > MAPPED || block->signature != sign(block, block->size_class))
		abort();
	return block;
}

static size_t room(const struct block *block)
{
	return (block->size_class == MAPPED ? (size_t)block->pages * 4096 :
					      (size_t)1 << (SMALLEST_SHIFT + block->size_class)) - HEADER;
}

void *malloc(size_t size)
{
	int is_zero;

	return allocate(size, &is_zero);
}

void free(void *p)
{
	struct block *block;
	int saved = errno;

	if (!p)
		return;
	block = check(p);
	block->signature = 0;
	if (block->size_class == MAPPED) {
		munmap(block, (size_t)block->pages * 4096);
		errno = saved;
		return;
	}
	block->next = unused[block->size_class];
	unused[block->size_class] = block;
}

void *calloc(size_t count, size_t size)
{
	size_t total;
	int is_zero;
	void *p;

	if (__builtin_mul_overflow(count, size, &total)) {
		errno = ENOMEM;
		return NULL;
	}
	p = allocate(total, &is_zero);
	return p && !is_zero ? memset(p, 0, total) : p;
}

void *realloc(void *p, size_t size)
{
	struct block *block = p ? check(p) : NULL;
	void *moved;

	if (block && size <= room(block))
		return p;
	moved = malloc(size);
	if (moved && p) {
		memcpy(moved, p, room(block));
		free(p);
	}
	return moved;
}

/* bump.c - malloc for the container's init: memory is handed out from one place and comes back only in reverse order.
 *
 * init lives for a millisecond, or waits, and allocates little. A general allocator maps and unmaps pages for that, which
 * cost more than half of init's page faults. Each block has its size in front, for realloc(3).
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define ALIGNMENT 16u
#define REGION_FIRST (64u << 10)
#define REGION_STEP ((size_t)1 << 20)

struct block {
	size_t size;
	_Alignas(ALIGNMENT) char data[];
};

/* The allocator's own state, as any has. */
static _Alignas(ALIGNMENT) char first[REGION_FIRST];
static char *place = first;
static char *limit = first + sizeof(first);

static int new_region(size_t size)
{
	size_t len = size > REGION_STEP ? size : REGION_STEP;
	char *region = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (region == MAP_FAILED)
		return -1;
	place = region;
	limit = region + len;
	return 0;
}

void *malloc(size_t size)
{
	struct block *block;

	if (size > PTRDIFF_MAX - 2 * sizeof(*block)) {
		errno = ENOMEM;
		return NULL;
	}
	size = (size + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
	if (size + sizeof(*block) > (size_t)(limit - place) && new_region(size + sizeof(*block)) < 0)
		return NULL;
	block = (struct block *)(void *)place;
	block->size = size;
	place += sizeof(*block) + size;
	return block->data;
}

static struct block *block_of(void *p)
{
	return (struct block *)(void *)((char *)p - sizeof(struct block));
}

void free(void *p)
{
	if (p && (char *)p + block_of(p)->size == place)
		place = (char *)block_of(p);
}

void *calloc(size_t count, size_t size)
{
	size_t total;
	void *p;

	if (__builtin_mul_overflow(count, size, &total)) {
		errno = ENOMEM;
		return NULL;
	}
	p = malloc(total);
	return p ? memset(p, 0, total) : NULL;
}

void *realloc(void *p, size_t size)
{
	void *moved;

	if (p && size <= block_of(p)->size)
		return p;
	moved = malloc(size);
	if (moved && p)
		memcpy(moved, p, block_of(p)->size);
	return moved;
}

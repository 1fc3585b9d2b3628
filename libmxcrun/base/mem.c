/* mem.c - arenas: in growing chunks, or one memfd at a fixed address for the plan. */
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/sys.h"

#define ALIGNMENT 16u
#define CHUNK_OVERHEAD 64u /* of a chunk and of malloc's block, so that the sum is a round number */
#define CHUNK_MIN (((size_t)4 << 10) - CHUNK_OVERHEAD)
/* All of a chunk is asked for at once, and what is left of the last one was asked for in vain. Blocks of more than 64 KiB alloc.c maps,
 * and to unmap one takes 0.2 ms. */
#define CHUNK_MAX (((size_t)32 << 10) - CHUNK_OVERHEAD)
/* No input of ours is anywhere near: a larger size is the result of a wrong calculation. */
#define ALLOCATION_MAX ((size_t)1 << 30)

/* Not in the headers of every C library; <linux/fcntl.h> collides with <fcntl.h>. */
#ifndef F_ADD_SEALS
#define F_ADD_SEALS 1033
#define F_GET_SEALS 1034
#define F_SEAL_SEAL 0x0001
#define F_SEAL_SHRINK 0x0002
#define F_SEAL_GROW 0x0004
#define F_SEAL_WRITE 0x0008
#endif
#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif
#define SHARED_STEP ((size_t)16 << 10) /* most plans are no longer than one */
#define SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23 /* Linux 5.14 */
#endif

struct chunk {
	struct chunk *next;
	_Alignas(ALIGNMENT) char data[];
};

struct adopted {
	struct adopted *next;
	void *block;
};

struct arena {
	char *free;	      /* next free byte */
	size_t left;	      /* bytes from there to the end of the chunk or mapping */
	struct chunk *chunks; /* heap arena only */
	size_t chunk_size;    /* of the next chunk */
	struct adopted *adopted; /* heap arena only */
	int fd;		      /* shared arena only, else -1 */
	char *populated;      /* shared arena only: end of the pages that were asked for */
	bool is_sealed;
};

static bool add_chunk(struct arena *arena, size_t size)
{
	size_t want = size > arena->chunk_size ? size : arena->chunk_size;
	struct chunk *chunk = calloc(1, sizeof(*chunk) + want);

	if (!chunk)
		return false;
	chunk->next = arena->chunks;
	arena->chunks = chunk;
	arena->free = chunk->data;
	arena->left = want;
	if (arena->chunk_size < CHUNK_MAX)
		arena->chunk_size = 2 * (arena->chunk_size + CHUNK_OVERHEAD) - CHUNK_OVERHEAD;
	return true;
}

struct arena *arena_new(void)
{
	struct arena *arena = calloc(1, sizeof(*arena));

	if (!arena)
		return NULL;
	arena->fd = -1;
	arena->chunk_size = CHUNK_MIN;
	return arena;
}

static char *shared_address(void)
{
	return (char *)ARENA_SHARED_ADDRESS; /* NOLINT(performance-no-int-to-ptr): a fixed place */
}

/* Beforehand, untouched; by an arena that was freed. */
static bool is_reserved, is_left_mapped;

/* Map there. Kernels before 4.17 take MAP_FIXED_NOREPLACE as a mere wish. */
static int map_at_address(int fd, size_t len, int protection, int flags)
{
	void *want = shared_address(), *got;

	if (is_left_mapped)
		munmap(want, ARENA_SHARED_SIZE);
	is_left_mapped = false;
	got = mmap(want, len, protection, flags | MAP_FIXED_NOREPLACE, fd, 0);
	if (got == MAP_FAILED)
		return -errno;
	if (got != want) {
		munmap(got, len);
		return -EEXIST;
	}
	return 0;
}

int arena_reserve_shared(void)
{
	int r;

	if (is_reserved)
		return 0;
	r = map_at_address(-1, ARENA_SHARED_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE);
	is_reserved = r == 0;
	return r;
}

/* Pages asked for together cost less than what each costs when it is first touched, and those that nobody needs as much. Older kernels
 * refuse: no harm. */
static void populate_more(struct arena *arena)
{
	(void)madvise(arena->populated, SHARED_STEP, MADV_POPULATE_WRITE);
	arena->populated += SHARED_STEP;
}

/* It is filled in private memory, and copied to the memfd when it is sealed: a few pages, which is quicker than to change a
 * shared mapping into a read-only one. */
struct arena *arena_new_shared(void)
{
	cleanup_close int fd = -1;
	struct arena *arena;
	int r;

	fd = sys_memfd_create("mxcrun-plan", SYS_MFD_CLOEXEC | SYS_MFD_ALLOW_SEALING);
	if (fd < 0)
		return NULL;
	arena = arena_new();
	if (!arena)
		return NULL;
	r = arena_reserve_shared();
	if (r < 0) {
		free(arena);
		errno = -r;
		return NULL;
	}
	is_reserved = false;
	arena->free = arena->populated = shared_address();
	arena->left = ARENA_SHARED_SIZE;
	populate_more(arena);
	arena->fd = take_fd(fd);
	return arena;
}

int arena_fd(const struct arena *arena)
{
	return arena->fd;
}

int arena_seal(struct arena *arena)
{
	size_t used;
	int r;

	if (arena->is_sealed)
		return 0;
	arena->is_sealed = true;
	if (arena->fd < 0)
		return 0;

	used = ARENA_SHARED_SIZE - arena->left;
	r = fd_write_all(arena->fd, shared_address(), used ? used : 1);
	if (r < 0)
		return r;
	return fcntl(arena->fd, F_ADD_SEALS, SEALS) < 0 ? -errno : 0;
}

int arena_map_shared(int fd)
{
	struct stat st;
	int seals;

	seals = fcntl(fd, F_GET_SEALS);
	if (seals < 0)
		return -errno;
	if ((seals & SEALS) != SEALS)
		return -EPERM;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (st.st_size <= 0 || (size_t)st.st_size > ARENA_SHARED_SIZE)
		return -EINVAL;
	return map_at_address(fd, (size_t)st.st_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE);
}

void arena_free(struct arena *arena)
{
	const struct adopted *adopted;
	struct chunk *chunk, *next;

	if (!arena)
		return;
	if (arena->fd >= 0) {
		is_left_mapped = true;
		fd_close_ptr(&arena->fd);
	}
	for (adopted = arena->adopted; adopted; adopted = adopted->next)
		free(adopted->block);
	for (chunk = arena->chunks; chunk; chunk = next) {
		next = chunk->next;
		free(chunk);
	}
	free(arena);
}

void *arena_alloc(struct arena *arena, size_t size)
{
	void *result;

	if (arena->is_sealed || size > ALLOCATION_MAX)
		return NULL;
	size = size ? (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT : ALIGNMENT;
	if (size > arena->left && (arena->fd >= 0 || !add_chunk(arena, size)))
		return NULL;
	result = arena->free;
	arena->free += size;
	arena->left -= size;
	while (arena->fd >= 0 && arena->free > arena->populated)
		populate_more(arena);
	return result;
}

void *arena_array(struct arena *arena, size_t count, size_t size)
{
	size_t total;

	if (__builtin_mul_overflow(count, size, &total))
		return NULL;
	return arena_alloc(arena, total);
}

#define GROW_FIRST 16u

void *arena_grow(struct arena *arena, void *items, size_t count, size_t *capacity, size_t size)
{
	size_t larger = *capacity ? *capacity * 2 : GROW_FIRST;
	void *grown;

	if (count < *capacity)
		return items;
	grown = larger < count ? NULL : arena_array(arena, larger, size);
	if (!grown)
		return NULL;
	if (count)
		memcpy(grown, items, count * size);
	*capacity = larger;
	return grown;
}

void *arena_memdup(struct arena *arena, const void *data, size_t size)
{
	void *copy = arena_alloc(arena, size);

	if (copy && size)
		memcpy(copy, data, size);
	return copy;
}

char *arena_strndup(struct arena *arena, const char *s, size_t len)
{
	char *copy;

	if (len > ALLOCATION_MAX)
		return NULL;
	copy = arena_alloc(arena, len + 1);
	if (copy && len)
		memcpy(copy, s, len);
	return copy;
}

char *arena_strdup(struct arena *arena, const char *s)
{
	return s ? arena_strndup(arena, s, strlen(s)) : NULL;
}

int arena_adopt(struct arena *arena, void *block)
{
	struct adopted *adopted = arena_alloc(arena, sizeof(*adopted));

	if (!adopted) {
		free(block);
		return -ENOMEM;
	}
	*adopted = (struct adopted){ arena->adopted, block };
	arena->adopted = adopted;
	return 0;
}

char *arena_printf(struct arena *arena, const char *format, ...)
{
	va_list ap;
	char *text;
	int len;

	va_start(ap, format);
	len = vsnprintf(NULL, 0, format, ap);
	va_end(ap);
	if (len < 0)
		return NULL;
	text = arena_alloc(arena, (size_t)len + 1);
	if (!text)
		return NULL;
	va_start(ap, format);
	vsnprintf(text, (size_t)len + 1, format, ap);
	va_end(ap);
	return text;
}

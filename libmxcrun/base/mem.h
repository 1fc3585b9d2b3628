/* mem.h - who owns memory: scope clean-up for single objects, arenas for whole structures.
 *
 * An arena is filled, then only read, then freed in one call; nothing in it is freed by itself. The
 * plan's arena is a memfd mapped at a fixed address: the container's init maps the same pages at the
 * same address, so that the plan's pointers hold in both and nothing has to be serialised.
 */
#ifndef MXCRUN_BASE_MEM_H
#define MXCRUN_BASE_MEM_H

#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

static inline void free_ptr(void *p)
{
	free(*(void **)p);
}
#define cleanup_free __attribute__((cleanup(free_ptr)))

/* Hand ownership on: returns the pointer and leaves NULL behind. */
#define take_ptr(p) ({ __typeof__(p) taken_ = (p); (p) = NULL; taken_; })

#define array_size(a) (sizeof(a) / sizeof((a)[0]))

struct arena;

/* An arena on the heap. NULL when out of memory. */
struct arena *arena_new(void);

/* The plan's arena: memfd at ARENA_SHARED_ADDRESS, at most ARENA_SHARED_SIZE bytes. One at a time per
 * process (the address is fixed). NULL with errno when that fails. The first allocation
 * lies at ARENA_SHARED_FIRST, which is where init looks for the plan. The address is in the page table of init's own (Makefile.am,
 * INIT_ADDRESS), above any heap that follows a program at the usual place, and below the shadow memory of the sanitizers. */
#define ARENA_SHARED_ADDRESS 0x60180000ul
#define ARENA_SHARED_SIZE (64ul << 20)
#define ARENA_SHARED_FIRST ARENA_SHARED_ADDRESS
struct arena *arena_new_shared(void);

/* Its memory is mapped now, not with the next one: a mapping made while another process that shares our memory executes a
 * program waits for that. 0 or -errno, which may be left to the arena to report. */
int arena_reserve_shared(void);

/* The memfd of a shared arena (owned by the arena), -1 for a heap arena. */
int arena_fd(const struct arena *arena);

/* No more allocations from here on. What a shared arena holds goes to its memfd, which is sealed against any change: that is what
 * others get. 0 or -errno. */
int arena_seal(struct arena *arena);

/* Map a sealed shared arena at its address, read-only; for init. 0 or -errno. */
int arena_map_shared(int fd);

/* A shared arena's pages stay mapped until the next one needs the address, or the process ends: unmapping them costs more than
 * filling them did. */
void arena_free(struct arena *arena);
static inline void arena_free_ptr(struct arena **arena)
{
	arena_free(*arena);
	*arena = NULL;
}
#define cleanup_arena __attribute__((cleanup(arena_free_ptr)))

/* All return zeroed (alloc) or copied memory aligned to 16 bytes, NULL when out of memory or sealed. */
void *arena_alloc(struct arena *arena, size_t size);
void *arena_array(struct arena *arena, size_t count, size_t size);	/* overflow-checked */
/* Room for one more than count: items, while they have it, or a copy of twice their capacity. */
void *arena_grow(struct arena *arena, void *items, size_t count, size_t *capacity, size_t size);
void *arena_memdup(struct arena *arena, const void *data, size_t size);
char *arena_strdup(struct arena *arena, const char *s);			/* NULL in, NULL out */
char *arena_strndup(struct arena *arena, const char *s, size_t len);
/* A block from malloc that is freed with the arena, one on the heap; at once when there is no memory to remember it: then -ENOMEM. */
int arena_adopt(struct arena *arena, void *block);
char *arena_printf(struct arena *arena, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif

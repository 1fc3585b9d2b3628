/* test_mem.c - arenas, on the heap and shared at the fixed address. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"

static void test_heap(void **state)
{
	cleanup_arena struct arena *arena = arena_new();
	size_t i, j;

	(void)state;
	assert_int_equal(arena_fd(arena), -1);
	for (i = 0; i < 3000; i++) {
		unsigned char *p = arena_alloc(arena, i);

		assert_non_null(p);
		assert_int_equal((uintptr_t)p % 16, 0);
		for (j = 0; j < i; j++)
			assert_int_equal(p[j], 0);
		memset(p, 0xff, i);
	}
	assert_non_null(arena_alloc(arena, 5u << 20));
	assert_null(arena_array(arena, SIZE_MAX / 2, 3));
	assert_null(arena_alloc(arena, SIZE_MAX));
	assert_null(arena_alloc(arena, SIZE_MAX - 64));
}

static void test_strings(void **state)
{
	cleanup_arena struct arena *arena = arena_new();

	(void)state;
	assert_string_equal(arena_strdup(arena, "abc"), "abc");
	assert_null(arena_strdup(arena, NULL));
	assert_string_equal(arena_strndup(arena, "abcdef", 3), "abc");
	assert_string_equal(arena_printf(arena, "%s/%d", "x", 7), "x/7");
	assert_memory_equal(arena_memdup(arena, "a\0b", 3), "a\0b", 3);
	assert_null(arena_strndup(arena, "x", SIZE_MAX));
}

static void test_sealed_heap(void **state)
{
	cleanup_arena struct arena *arena = arena_new();
	char *text = arena_strdup(arena, "abc");

	(void)state;
	assert_int_equal(arena_seal(arena), 0);
	assert_int_equal(arena_seal(arena), 0);
	assert_null(arena_alloc(arena, 1));
	assert_null(arena_strdup(arena, "x"));
	assert_string_equal(text, "abc");
}

/* The sanitizers see that each is freed, once. */
static void test_adopt(void **state)
{
	cleanup_arena struct arena *arena = arena_new();
	char *text = strdup("x");

	(void)state;
	assert_int_equal(arena_adopt(arena, text), 0);
	assert_int_equal(arena_adopt(arena, malloc(100000)), 0);
	assert_string_equal(text, "x");
	arena_seal(arena);
	assert_int_equal(arena_adopt(arena, strdup("y")), -ENOMEM);
}

static void test_take(void **state)
{
	char *p = strdup("x");
	cleanup_free char *q = take_ptr(p);

	(void)state;
	assert_null(p);
	assert_string_equal(q, "x");
}

static void test_shared(void **state)
{
	cleanup_arena struct arena *arena = NULL;
	char *text;

	(void)state;
	/* It keeps the addresses above 16 TiB for itself and maps nothing there. */
	skip_under_valgrind();
	arena = arena_new_shared();
	assert_non_null(arena);
	text = arena_strdup(arena, "the plan");
	assert_ptr_equal(text, ARENA_SHARED_FIRST);
	assert_true(arena_fd(arena) >= 0);
	assert_true(fcntl(arena_fd(arena), F_GETFD) & FD_CLOEXEC);

	/* One at a time; and a writable arena can't be taken for a sealed one. */
	assert_null(arena_new_shared());
	assert_int_equal(errno, EEXIST);
	assert_int_equal(arena_map_shared(arena_fd(arena)), -EPERM);

	assert_null(arena_alloc(arena, ARENA_SHARED_SIZE));
	assert_non_null(arena_alloc(arena, 3u << 20));
	assert_int_equal(arena_seal(arena), 0);
	assert_null(arena_alloc(arena, 1));
	assert_string_equal(text, "the plan");

	/* Nobody who has the descriptor can change it. */
	assert_int_equal(write(arena_fd(arena), "x", 1), -1);
	assert_int_equal(errno, EPERM);
	assert_int_equal(ftruncate(arena_fd(arena), 0), -1);
	assert_ptr_equal(mmap(NULL, 4096, PROT_WRITE, MAP_SHARED, arena_fd(arena), 0), MAP_FAILED);
}

static void test_map_shared(void **state)
{
	struct arena *arena;
	const char **first;
	int fd;

	(void)state;
	skip_under_valgrind();
	arena = arena_new_shared();
	assert_non_null(arena);
	first = arena_alloc(arena, sizeof(*first));
	*first = arena_strdup(arena, "found by its pointer");
	assert_int_equal(arena_seal(arena), 0);
	fd = dup(arena_fd(arena));
	arena_free(arena);

	assert_int_equal(arena_map_shared(fd), 0);
	first = (const char **)ARENA_SHARED_FIRST;
	assert_string_equal(*first, "found by its pointer");
	assert_int_equal(arena_map_shared(fd), -EEXIST);
	munmap((void *)ARENA_SHARED_ADDRESS, 4096);
	close(fd);

	/* The address is free again. */
	arena = arena_new_shared();
	assert_non_null(arena);
	assert_int_equal(arena_seal(arena), 0);
	arena_free(arena);
	assert_int_equal(arena_map_shared(-1), -EBADF);
	fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	assert_true(arena_map_shared(fd) < 0);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_heap),	    cmocka_unit_test(test_strings),
		cmocka_unit_test(test_sealed_heap), cmocka_unit_test(test_take),
		cmocka_unit_test(test_adopt),
		cmocka_unit_test(test_shared),	    cmocka_unit_test(test_map_shared),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* path_index.c - see path_index.h. */
#include "policy/path_index.h"

#include <stdlib.h>
#include <string.h>

/* A slash sorts before every other character: "/a/b" comes between "/a" and "/a-b". */
static int rank(const char *s, size_t i, size_t len)
{
	if (i >= len || !s[i])
		return 0;
	return s[i] == '/' ? 1 : (unsigned char)s[i] + 1;
}

/* "/" counts as the empty prefix of everything else. */
static int compare_paths(const char *a, size_t a_len, const char *b, size_t b_len)
{
	size_t i;

	for (i = 0;; i++) {
		int x = rank(a, i, a_len), y = rank(b, i, b_len);

		if (x != y)
			return x - y;
		if (!x)
			return 0;
	}
}

static int compare_places(const void *a, const void *b)
{
	const struct place *x = a, *y = b;
	int order = compare_paths(x->path, strlen(x->path), y->path, strlen(y->path));

	return order ? order : (x->item > y->item) - (x->item < y->item);
}

bool path_index_init(struct path_index *index, struct arena *arena, size_t capacity)
{
	*index =
		(struct path_index){ .places = arena_array(arena, capacity, sizeof(*index->places)),
				     .capacity = capacity };
	return index->places != NULL;
}

void path_index_add(struct path_index *index, const char *path, size_t item)
{
	if (index->count < index->capacity)
		index->places[index->count++] = (struct place){ path, item, SIZE_MAX };
}

static bool is_strictly_above(const char *ancestor, const char *path)
{
	size_t len = strlen(ancestor);

	return ancestor[1] ? strncmp(ancestor, path, len) == 0 && path[len] == '/' : path[1] != '\0';
}

/* From the places that come before it to the path: whatever is above it is the last of them, or above that. */
static size_t climb(const struct path_index *index, size_t from, const char *path)
{
	while (from != SIZE_MAX && !is_strictly_above(index->places[from].path, path))
		from = index->places[from].above;
	return from;
}

void path_index_sort(struct path_index *index)
{
	qsort(index->places, index->count, sizeof(*index->places), compare_places);
	for (size_t i = 1; i < index->count; i++)
		index->places[i].above = climb(index, i - 1, index->places[i].path);
}

/* The first place that does not come before the path. */
static size_t lower_bound(const struct path_index *index, const char *path, size_t len)
{
	size_t low = 0, high = index->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const char *other = index->places[middle].path;

		if (compare_paths(other, strlen(other), path, len) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool is_equal(const char *path, const char *other, size_t len)
{
	return strncmp(path, other, len) == 0 && !path[len];
}

size_t path_index_find(const struct path_index *index, const char *path, size_t len,
		       const struct place **ret)
{
	size_t first = lower_bound(index, path, len), count = 0;

	while (first + count < index->count &&
	       is_equal(index->places[first + count].path, path, len))
		count++;
	*ret = index->places + first;
	return count;
}

size_t path_index_above(const struct path_index *index, const char *path)
{
	size_t first = lower_bound(index, path, strlen(path));
	size_t above = first ? climb(index, first - 1, path) : SIZE_MAX;

	return above == SIZE_MAX ? 0 : strlen(index->places[above].path);
}

bool path_index_has_below(const struct path_index *index, const char *path)
{
	const struct place *place;
	size_t len = strlen(path);
	size_t next = path_index_find(index, path, len, &place) + lower_bound(index, path, len);

	if (next == index->count)
		return false;
	return !path[1] || (strncmp(index->places[next].path, path, len) == 0 &&
			    index->places[next].path[len] == '/');
}

size_t path_parent_len(const char *path, size_t len)
{
	if (len <= 1)
		return 0;
	while (path[len - 1] != '/')
		len--;
	return len > 1 ? len - 1 : 1;
}

const char *path_below(const char *path, size_t len)
{
	return len == 1 && path[1] ? path : path + len;
}

/* from_oci_copy.c - copies into the plan's arena, and the refusal of what can't be enforced yet.
 *
 * The plan may be read by another process at the same address, so nothing in it may point to the
 * configuration or to constants of this program: everything is copied.
 */
#include <string.h>

#include "base/path.h"
#include "plan/from_oci.h"

int copy_string(struct builder *b, const char *s, const char **ret, struct err **err)
{
	if (!s)
		return 0;
	*ret = arena_strdup(b->arena, s);
	return *ret ? 0 : err_nomem(err);
}

int copy_list(struct builder *b, const struct string_list *list, const char *const *extra,
	      const char *const **ret, struct err **err)
{
	size_t extra_count = 0, i;
	const char **items;
	int r = 0;

	while (extra && extra[extra_count])
		extra_count++;
	items = arena_array(b->arena, list->count + extra_count + 1, sizeof(*items));
	if (!items)
		return err_nomem(err);
	for (i = 0; i < list->count && r == 0; i++)
		r = copy_string(b, list->items[i], &items[i], err);
	for (i = 0; i < extra_count && r == 0; i++)
		r = copy_string(b, extra[i], &items[list->count + i], err);
	*ret = items;
	return r;
}

int check_variables(struct builder *b, const struct string_list *list, const char *pointer, struct err **err)
{
	for (size_t i = 0; i < list->count; i++) {
		const char *equals = strchr(list->items[i], '=');

		if (!equals || equals == list->items[i])
			return err_set(err, E_CONFIG, 0, pointer ? item_pointer(b, pointer, i) : NULL,
				       "expected \"NAME=value\", found \"%.64s\"", list->items[i]);
	}
	return 0;
}

bool has_control_character(const char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			return true;
	return false;
}

int copy_clean_path(struct builder *b, const char *path, const char **ret, struct err **err)
{
	cleanup_free char *clean = path_clean(path);

	if (!clean)
		return err_nomem(err);
	return copy_string(b, clean, ret, err);
}

int copy_host_path(struct builder *b, const char *path, const char **ret, struct err **err)
{
	if (path[0] == '/')
		return copy_string(b, path, ret, err);
	*ret = arena_printf(b->arena, "%s/%s", b->request->bundle, path);
	return *ret ? 0 : err_nomem(err);
}

const char *item_pointer(struct builder *b, const char *prefix, size_t index)
{
	char digits[24], *start = digits + sizeof(digits) - 1, *pointer;
	size_t prefix_len = strlen(prefix), digits_len;

	*start = '\0';
	do {
		*--start = (char)('0' + index % 10);
		index /= 10;
	} while (index);
	*--start = '/';
	digits_len = (size_t)(digits + sizeof(digits) - start);
	pointer = arena_alloc(b->arena, prefix_len + digits_len);
	if (!pointer)
		return NULL;
	/* NOLINTNEXTLINE(bugprone-not-null-terminated-result): the digits follow */
	memcpy(pointer, prefix, prefix_len);
	memcpy(pointer + prefix_len, start, digits_len);
	return pointer;
}

/* Recursion as deep as the tree, which json_parse bounds. */
static bool asks_for_something(const struct json *value)
{
	const struct json *child;

	switch (value->type) {
	case JSON_NULL:
		return false;
	case JSON_BOOL:
		return value->boolean;
	case JSON_NUMBER:
		return strcmp(value->text, "0") != 0;
	case JSON_STRING:
		return value->len > 0;
	case JSON_ARRAY:
	case JSON_OBJECT:
		for (child = value->first; child; child = child->next)
			if (asks_for_something(child))
				return true;
		return false;
	}
	return true;
}

static int refuse(const char *pointer, struct err **err)
{
	const char *name = strrchr(pointer, '/');

	return err_set(err, E_UNSUPPORTED, 0, pointer, "%s is not supported, and is not ignored",
		       name ? name + 1 : pointer);
}

int refuse_json(struct builder *b, const struct json *value, struct err **err)
{
	const char *pointer;

	if (!value || !asks_for_something(value))
		return 0;
	pointer = json_pointer(b->arena, value);
	return pointer ? refuse(pointer, err) : err_nomem(err);
}

bool ends_with(const char *s, const char *suffix)
{
	size_t len = strlen(s), suffix_len = strlen(suffix);

	return len > suffix_len && strcmp(s + len - suffix_len, suffix) == 0;
}

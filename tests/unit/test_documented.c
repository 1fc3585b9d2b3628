/* test_documented.c - docs/oci.md has one row for each field that the parser knows, and no other. */
#include "plan_unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "base/strbuf.h"
#include "config/oci_tables.h"
#include "unit.h"

struct search {
	const char *page;
	size_t fields;
	bool failed;
};

static bool has_row(const char *page, const char *key)
{
	cleanup_strbuf struct strbuf row = STRBUF_INIT;
	const char *found;

	strbuf_printf(&row, "\n| `%s` |", key);
	assert_false(row.failed);
	found = strstr(page, strbuf_str(&row));
	return found && !strstr(found + 1, strbuf_str(&row));
}

static const char *suffix_of(enum field_kind kind)
{
	return kind == FIELD_OBJECTS ? "[]" : kind == FIELD_OBJECT_MAP ? "{}" : "";
}

/* Leaves only: an object is what its members are. */
static void walk(struct search *s, const struct field *table, const char *prefix)
{
	for (; table->key.raw; table++) {
		cleanup_strbuf struct strbuf path = STRBUF_INIT;

		if (table->kind == FIELD_IGNORE || table->kind == FIELD_SELF || table->kind == FIELD_NAME)
			continue;
		strbuf_printf(&path, "%s%s%s%s", prefix, *prefix ? "." : "", image_at(table->key), suffix_of(table->kind));
		assert_false(path.failed);
		/* The mappings of a mount are those of the container. */
		if (table->table.raw && strncmp(strbuf_str(&path), "mounts[].", 9) != 0) {
			walk(s, image_at(table->table), strbuf_str(&path));
			continue;
		}
		if (!strncmp(strbuf_str(&path), "mounts[].", 9))
			path.data[strcspn(path.data + 9, "[") + 9] = '\0';
		s->fields++;
		if (has_row(s->page, strbuf_str(&path)))
			continue;
		fprintf(stderr, "docs/oci.md has not one row for %s\n", strbuf_str(&path));
		s->failed = true;
	}
}

/* Rows whose key is a field's path: all but those of commands, options and annotations. */
static size_t count_rows(const char *page)
{
	size_t count = 0;

	for (; (page = strstr(page, "\n| `")); page++) {
		const char *key = page + 4, *end = strchr(key, '`');
		const char *section = strstr(page, "\n## Annotations");

		if (end && section)
			count++;
	}
	return count;
}

static void test_every_field_has_a_row(void **state)
{
	cleanup_free char *page = NULL;
	cleanup_arena struct arena *arena = arena_new();
	struct search s = { 0 };

	(void)state;
	assert_non_null(arena);
	assert_int_equal(fd_read_file(AT_FDCWD, data_path(arena, "../../../docs/oci.md"), 1 << 20, &page, NULL), 0);
	s.page = page;
	walk(&s, oci_config_fields, "");
	assert_false(s.failed);
	assert_true(s.fields > 100);
	assert_int_equal(count_rows(page), s.fields);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_field_has_a_row),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

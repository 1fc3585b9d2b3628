/* test_flips.c - each field of an MXC document, changed, changes what every engine and every emitted form does, or is refused by
 * name.
 *
 * Which fields there are the parser's own tables say, which engines and forms there are the table of engine/items.h; a new one of
 * either without a case fails. The cases are lines of data/mxc-flips.tsv: the field; "effect"; "none" for those that mean nothing
 * on Linux by the specification; or "who" for those that say who carries the plan out, which is then the same; after "whole" when the
 * line is for all fields below as well; a document; the same with the field changed. The host is made up.
 */
#include "mxc_unit.h"

#include "config/engine_words.h"
#include "config/mxc_tables.h"
#include "engine/engine.h"
#include "engine/items.h"
#include "plan_unit.h"

#define FLIPS_SIZE_MAX (4u << 20)
#define COLUMNS 4u

struct flip {
	const char *field, *kind, *before, *after;
};

static struct {
	struct arena *arena;
	struct flip items[1024];
	size_t count;
} flips;

static void replace_place(char *text)
{
	for (char *at = strstr(text, "@D@"); at; at = strstr(at, "@D@"))
		memcpy(at, "/dt", 3);	/* as long as the mark */
}

static int read_flips(void **state)
{
	char *text = NULL, *rest, *line;

	(void)state;
	flips.arena = arena_new();
	assert_non_null(flips.arena);
	assert_int_equal(fd_read_file(AT_FDCWD, data_path(flips.arena, "mxc-flips.tsv"), FLIPS_SIZE_MAX, &text, NULL), 0);
	replace_place(text);
	rest = arena_strdup(flips.arena, text);
	free(text);
	while ((line = strsep(&rest, "\n")) && *line) {
		const char *columns[COLUMNS] = { NULL };

		for (size_t i = 0; i < COLUMNS; i++)
			columns[i] = strsep(&line, "\t");
		assert_non_null(columns[COLUMNS - 1]);
		assert_true(flips.count < array_size(flips.items));
		flips.items[flips.count++] = (struct flip){ columns[0], columns[1], columns[2], columns[3] };
	}
	return 0;
}

static int free_flips(void **state)
{
	(void)state;
	arena_free_ptr(&flips.arena);
	return 0;
}

static const struct flip *find_flip(const char *field)
{
	for (size_t i = 0; i < flips.count; i++)
		if (!strcmp(flips.items[i].field, field))
			return &flips.items[i];
	return NULL;
}

/* ---- every field has a case ---- */

static size_t count_missing(const struct field *table, const char *prefix)
{
	size_t missing = 0;

	for (const struct field *row = table; row->key.raw; row++) {
		char path[256];
		const struct flip *flip;

		if (!*image_at(row->key))
			continue;
		snprintf(path, sizeof(path), "%s%s%s", prefix, *prefix ? "." : "", image_at(row->key));
		flip = find_flip(path);
		if (!flip)
			print_error("%s has no line in mxc-flips.tsv\n", path);
		missing += !flip;
		if (row->table.raw && !(flip && !strncmp(flip->kind, "whole", 5)))
			missing += count_missing(image_at(row->table), path);
	}
	return missing;
}

static void test_every_field_has_a_case(void **state)
{
	(void)state;
	assert_true(flips.count > 100);
	assert_int_equal(count_missing(mxc_document_fields, ""), 0);
}

/* ---- what a target makes of a plan ---- */

/* Of the table's columns, in the order of enum engine_target: "emit NAME" or "--engine NAME". */
static const char *title_of(int target)
{
	static char titles[TARGET_MAX][64];
	cleanup_strbuf struct strbuf matrix = STRBUF_INIT;
	const char *at;

	items_print_matrix(&matrix);
	at = strstr(strbuf_str(&matrix), "| native |") + strlen("| native |");
	for (int i = 0; i < TARGET_MAX; i++) {
		size_t len = strcspn(at + 1, "|") - 1;

		snprintf(titles[i], sizeof(titles[i]), "%.*s", (int)len, at + 1);
		at += len + 3;
	}
	return titles[target];
}

struct outcome {
	const char *text;	/* NULL: refused */
	const char *refusal;
};

static void put_files(struct strbuf *out, const struct oci_files *files)
{
	for (size_t i = 0; i < files->count; i++)
		strbuf_printf(out, "\n%s %s %o", files->items[i].path, files->items[i].target ? files->items[i].target : "",
			      files->items[i].mode);
}

static int put_oci(struct arena *arena, const struct plan *plan, struct strbuf *out, struct err **err)
{
	cleanup_json_writer struct json_writer w = JSON_WRITER_INIT;
	struct oci_files files;
	int r = oci_emit(arena, plan, &w, &files, err);

	if (r == 0) {
		strbuf_puts(out, strbuf_str(&w.out));
		put_files(out, &files);
	}
	return r;
}

static int put_bwrap(struct arena *arena, const struct plan *plan, struct strbuf *out, struct err **err)
{
	const struct bwrap_use use = { .target = TARGET_BWRAP, .version = BWRAP_VERSION, .look = look_at_proc };
	struct bwrap_command command;
	int r = bwrap_emit(arena, plan, &use, &command, err);

	for (size_t i = 0; r == 0 && i < command.count; i++)
		strbuf_printf(out, "%s\n", command.argv[i]);
	for (size_t i = 0; r == 0 && i < command.descriptor_count; i++)
		for (size_t byte = 0; byte < command.descriptors[i].length; byte++)
			strbuf_printf(out, "%02x", ((const unsigned char *)command.descriptors[i].data)[byte]);
	return r;
}

static int put_lxc(struct arena *arena, const struct plan *plan, struct strbuf *out, struct err **err)
{
	cleanup_lxc_container struct lxc_container container = LXC_CONTAINER_INIT;
	const struct lxc_use use = { .target = TARGET_LXC, .folder = "/folder", .look = look_at_proc };
	int r = lxc_emit(arena, plan, &use, &container, err);

	if (r < 0)
		return r;
	strbuf_printf(out, "%s\n%s\n", strbuf_str(&container.config), strbuf_str(&container.seccomp));
	words_put_shell(out, container.argv, container.count);
	put_files(out, &container.files);
	return 0;
}

/* Another engine starts our init, which reads the whole plan. */
static int put_plan(const struct plan *plan, struct strbuf *out)
{
	cleanup_json_writer struct json_writer w = JSON_WRITER_INIT;

	assert_int_equal(plan_print(plan, &w), 0);
	strbuf_puts(out, strbuf_str(&w.out));
	return 0;
}

static int put_target(struct arena *arena, const struct plan *plan, int target, struct strbuf *out, struct err **err)
{
	const char *title = title_of(target);
	int r;

	if (!strcmp(title, "emit oci"))
		return put_oci(arena, plan, out, err);
	if (!strcmp(title, "emit bwrap"))
		return put_bwrap(arena, plan, out, err);
	if (!strcmp(title, "emit lxc"))
		return put_lxc(arena, plan, out, err);
	if (strncmp(title, "--engine ", 9) != 0)
		fail_msg("what does \"%s\" make of a plan?", title);
	r = items_check(plan, target, 0, err);
	return r < 0 ? r : put_plan(plan, out);
}

static struct outcome outcome_of(struct world *w, int target)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_err struct err *err = NULL;
	struct outcome ret = { 0 };

	if (put_target(w->arena, w->plan, target, &text, &err) == 0) {
		ret.text = arena_strdup(w->arena, strbuf_str(&text));
	} else {
		cleanup_free char *line = err_format(err);

		ret.refusal = arena_strdup(w->arena, line);
	}
	return ret;
}

/* ---- which members of the plan a change reaches ---- */

struct changed {
	const char *members[256];
	size_t count;
};

/* Who asked is not what is done. */
static bool is_said_only(const char *path)
{
	size_t len = strlen(path);

	return !strcmp(path, "policy.items") || (len >= 7 && !strcasecmp(path + len - 7, "pointer"));
}

static void compare(struct arena *arena, const struct json *a, const struct json *b, const char *path, struct changed *ret)
{
	const struct json *x = a->first, *y = b->first;
	bool differs = a->type != b->type || a->len != b->len ||
		       (!a->first && a->type != JSON_OBJECT && a->type != JSON_ARRAY &&
			(a->boolean != b->boolean || strcmp(a->text ? a->text : "", b->text ? b->text : "") != 0));

	if (is_said_only(path))
		return;
	if (differs && ret->count < array_size(ret->members))
		ret->members[ret->count++] = path;
	for (; x && y && !(differs && a->type != JSON_OBJECT); x = x->next, y = y->next)
		compare(arena, x, y, arena_printf(arena, "%s%s%s", path, *path && x->key ? "." : "", x->key ? x->key : ""), ret);
}

static struct changed changed_members(struct world *before, struct world *after)
{
	const struct json *trees[2];
	struct world *const worlds[] = { before, after };
	struct changed ret = { .count = 0 };

	for (size_t i = 0; i < 2; i++) {
		cleanup_strbuf struct strbuf text = STRBUF_INIT;

		put_plan(worlds[i]->plan, &text);
		assert_int_equal(json_parse(before->arena, strbuf_str(&text), text.len, "plan", &trees[i], NULL), 0);
	}
	compare(before->arena, trees[0], trees[1], "", &ret);
	return ret;
}

/* Does an item that the target only tells its reader of speak of the member? */
static bool is_told(const struct plan *plan, int target, const char *member)
{
	for (size_t i = 0; i < engine_item_count; i++) {
		struct item_support support = items_support(&engine_items[i], target, BWRAP_VERSION);
		const char *words = image_at(engine_items[i].members);

		if ((support.how != ITEM_DIFFERS && support.how != ITEM_OUTSIDE && support.how != ITEM_NOTHING) ||
		    !image_at(engine_items[i].asked)(plan))
			continue;
		while (*words) {
			size_t len = strcspn(words, " ");

			if (!strncmp(words, member, len) && (!member[len] || member[len] == '.'))
				return true;
			words += len + strspn(words + len, " ");
		}
	}
	return false;
}

/* ---- the property ---- */

static void start_world(struct world *w)
{
	static char controllers[] = "cpuset cpu io memory pids";

	world_init(w);
	w->facts.v2_controllers = controllers;
	w->facts.network_helper = "/usr/bin/pasta";
	w->facts.resolv_conf = "/etc/resolv.conf";
}

static const char *check_target(struct world *before, struct world *after, const struct changed *changed, int target)
{
	struct outcome was = outcome_of(before, target), is = outcome_of(after, target);

	if (!is.text)
		return is.refusal && *is.refusal ? NULL : "refused without a word";
	if (!was.text || strcmp(was.text, is.text) != 0)
		return NULL;
	for (size_t i = 0; i < changed->count; i++)
		if (!is_told(after->plan, target, changed->members[i]))
			return arena_printf(before->arena, "the same, and nothing is said of %s", changed->members[i]);
	return NULL;
}

static size_t complain(const struct flip *flip, const char *where, const char *what)
{
	print_error("%s, %s: %s\n", flip->field, where, what);
	return 1;
}

static size_t check_targets(const struct flip *flip, struct world *before, struct world *after)
{
	struct changed changed = changed_members(before, after);
	bool has_effect = strstr(flip->kind, "effect") != NULL;
	size_t failed = 0;

	if (has_effect != (changed.count > 0))
		return complain(flip, "native", has_effect ? "the plan does not change" : changed.members[0]);
	for (int target = 0; has_effect && target < TARGET_MAX; target++) {
		const char *problem = check_target(before, after, &changed, target);

		failed += problem ? complain(flip, title_of(target), problem) : 0;
	}
	return failed;
}

static size_t check_flip(const struct flip *flip)
{
	struct world before, after;
	size_t failed = 0;

	start_world(&before);
	start_world(&after);
	if (world_plan(&before, flip->before) < 0) {
		world_explain(&before, flip->before);
		failed = complain(flip, "native", "refused before it is changed");
	} else if (world_plan(&after, flip->after) < 0) {
		failed = !strstr(flip->kind, "effect") ? complain(flip, "native", "refused, though it asks nothing of the plan") : 0;
	} else {
		failed = check_targets(flip, &before, &after);
	}
	world_done(&after);
	world_done(&before);
	return failed;
}

static void test_flips(void **state)
{
	size_t failed = 0;

	(void)state;
	for (size_t i = 0; i < flips.count; i++)
		failed += check_flip(&flips.items[i]);
	assert_int_equal(failed, 0);
}

/* Else a refusal of the whole document would pass for one of the field. */
static void test_every_target_takes_the_document(void **state)
{
	struct world w;

	(void)state;
	start_world(&w);
	assert_int_equal(world_plan(&w, flips.items[0].before), 0);
	for (int target = 0; target < TARGET_MAX; target++) {
		struct outcome outcome = outcome_of(&w, target);

		if (!outcome.text)
			fail_msg("%s: %s", title_of(target), outcome.refusal);
	}
	world_done(&w);
}

/* What can be chosen by --engine is native, whose doing is the plan, or has a column of its own. */
static void test_every_engine_has_a_column(void **state)
{
	(void)state;
	for (size_t i = 0; engine_words[i]; i++) {
		bool is_found = !strcmp(engine_words[i], "native");

		for (int target = 0; target < TARGET_MAX; target++)
			is_found |= !strncmp(title_of(target), "--engine ", 9) && !strcmp(title_of(target) + 9, engine_words[i]);
		if (!is_found)
			fail_msg("no column of the engine %s", engine_words[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_field_has_a_case),
		cmocka_unit_test(test_every_target_takes_the_document),
		cmocka_unit_test(test_every_engine_has_a_column),
		cmocka_unit_test(test_flips),
	};

	return cmocka_run_group_tests(tests, read_flips, free_flips);
}

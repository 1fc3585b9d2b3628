/* list.c - `mxcrun list`, in runc's two forms. */

#include "program.h"

#include <pwd.h>
#include <stdio.h>
#include <string.h>

#include "base/strbuf.h"

#define COLUMNS 6
#define COLUMN_WIDTH_MIN 12
#define COLUMN_GAP 3

enum list_format { LIST_TABLE, LIST_JSON };
static const char *const list_format_words[] = {
	[LIST_TABLE] = "table", [LIST_JSON] = "json", NULL
};

struct row {
	const char *cells[COLUMNS];
};

struct listing {
	bool only_ids;
	int format;
	struct json_writer json;
	struct strbuf ids;
	struct arena *arena; /* of the rows */
	struct row *rows;
	size_t count, capacity;
};

static void listing_done(struct listing *listing)
{
	json_writer_done(&listing->json);
	strbuf_done(&listing->ids);
	free(listing->rows);
	arena_free_ptr(&listing->arena);
}

static void fclose_ptr(FILE **file)
{
	if (*file)
		fclose(*file);
}

/* From the host's own file: name services would cost more than the whole command. */
static char *owner_name(struct arena *arena, uint32_t uid)
{
	__attribute__((cleanup(fclose_ptr))) FILE *file = NULL;
	const struct passwd *user;

	if (uid == 0)
		return arena_strdup(arena, "root");
	file = fopen("/etc/passwd", "re");
	while (file && (user = fgetpwent(file)))
		if (user->pw_uid == uid)
			return arena_strdup(arena, user->pw_name);
	return arena_printf(arena, "#%u", uid);
}

static int add_json(struct listing *listing, const struct container *container, struct err **err)
{
	const char *owner = owner_name(listing->arena, container->record.owner);

	if (!owner)
		return err_nomem(err);
	if (listing->count++ == 0)
		json_open(&listing->json, NULL, '[');
	json_open(&listing->json, NULL, '{');
	state_put(&listing->json, &container->record, container_status_name(container->status),
		  container->pid, STATE_FOR_USER);
	json_put_string(&listing->json, "owner", owner);
	json_close(&listing->json, '}');
	return 0;
}

static int add_row(struct listing *listing, const struct container *container, struct err **err)
{
	const struct record *record = &container->record;
	struct arena *arena = listing->arena;
	struct row row = { {
		arena_strdup(arena, record->id),
		arena_printf(arena, "%d", (int)container->pid),
		arena_strdup(arena, container_status_name(container->status)),
		arena_strdup(arena, record->bundle),
		arena_strdup(arena, record->created),
		owner_name(arena, record->owner),
	} };

	for (int i = 0; i < COLUMNS; i++)
		if (!row.cells[i])
			return err_nomem(err);
	if (listing->count == listing->capacity) {
		size_t larger = listing->capacity ? listing->capacity * 2 : 16;
		struct row *rows = reallocarray(listing->rows, larger, sizeof(*rows));

		if (!rows)
			return err_nomem(err);
		listing->rows = rows;
		listing->capacity = larger;
	}
	listing->rows[listing->count++] = row;
	return 0;
}

static int add(void *data, const struct container *container, struct err **err)
{
	struct listing *listing = data;

	if (listing->only_ids) {
		strbuf_printf(&listing->ids, "%s\n", container->record.id);
		return 0;
	}
	return listing->format == LIST_JSON ? add_json(listing, container, err)
					    : add_row(listing, container, err);
}

static void measure(const struct row *row, size_t widths[COLUMNS])
{
	for (int i = 0; i < COLUMNS; i++)
		if (strlen(row->cells[i]) + COLUMN_GAP > widths[i])
			widths[i] = strlen(row->cells[i]) + COLUMN_GAP;
}

static void put_row(struct strbuf *out, const struct row *row, const size_t widths[COLUMNS])
{
	for (int i = 0; i < COLUMNS - 1; i++)
		strbuf_printf(out, "%-*s", (int)widths[i], row->cells[i]);
	strbuf_printf(out, "%s\n", row->cells[COLUMNS - 1]);
}

static int print_table(const struct listing *listing, struct err **err)
{
	static const struct row head = { { "ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER" } };
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	size_t widths[COLUMNS];

	for (int i = 0; i < COLUMNS; i++)
		widths[i] = COLUMN_WIDTH_MIN;
	measure(&head, widths);
	for (size_t i = 0; i < listing->count; i++)
		measure(&listing->rows[i], widths);
	put_row(&out, &head, widths);
	for (size_t i = 0; i < listing->count; i++)
		put_row(&out, &listing->rows[i], widths);
	return out.failed ? err_nomem(err) : output_text(strbuf_str(&out), err);
}

static int print_listing(struct listing *listing, struct err **err)
{
	if (listing->only_ids)
		return listing->ids.failed ? err_nomem(err)
					   : output_text(strbuf_str(&listing->ids), err);
	if (listing->format == LIST_TABLE)
		return print_table(listing, err);
	if (listing->count == 0)
		return output_text("null\n", err);
	json_close(&listing->json, ']');
	return output_json(&listing->json, err);
}

int command_list(struct program *program, int argc, char **argv)
{
	__attribute__((cleanup(listing_done))) struct listing listing = { .arena = arena_new() };
	cleanup_err struct err *err = NULL;
	struct arguments arguments;
	struct lifecycle lc;
	int exit_code;
	const struct option_row rows[] = {
		{ "format", 'f', OPT_WORD, &listing.format, list_format_words, "table|json",
		  "form of the list" },
		{ "quiet", 'q', OPT_FLAG, &listing.only_ids, NULL, NULL, "ids only" },
		{ 0 },
	};
	const struct command_usage usage = {
		.name = "list",
		.options = rows,
		.summary = "List the containers of the state directory",
	};

	if (!program_arguments(program, &usage, argc, argv, &arguments, &exit_code))
		return exit_code;
	listing.json.compact = true;
	if (!listing.arena)
		err_nomem(&err);
	else if (program_lifecycle(program, STORE_READ, &lc, &err) == 0 &&
		 lifecycle_list(&lc, add, &listing, &err) == 0 &&
		 print_listing(&listing, &err) == 0)
		return 0;
	return program_fail(program, err);
}

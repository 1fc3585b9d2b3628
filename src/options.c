/* options.c - see options.h. */

#include "options.h"

#include <stdlib.h>
#include <string.h>

/* The command line, read from the front; what is kept moves to the front. */
struct reader {
	const struct option_row *rows;
	char **argv;
	int argc, next;
	struct arguments *result;
};

static int set_flag(const struct option_row *row, const char *value, struct err **err)
{
	if (!value || !strcmp(value, "true") || !strcmp(value, "1"))
		*(bool *)row->target = true;
	else if (!strcmp(value, "false") || !strcmp(value, "0"))
		*(bool *)row->target = false;
	else
		return err_set(err, E_USAGE, 0, NULL, "invalid boolean value \"%.64s\" for --%s",
			       value, row->name);
	return 0;
}

static int set_number(const struct option_row *row, const char *value, struct err **err)
{
	unsigned long long number;
	char *end;

	number = strtoull(value, &end, 10);
	if (value[0] < '0' || value[0] > '9' || *end != '\0' || strlen(value) > 10 ||
	    number > UINT32_MAX)
		return err_set(err, E_USAGE, 0, NULL,
			       "invalid value \"%.64s\" for --%s: expected a number", value,
			       row->name);
	*(uint32_t *)row->target = (uint32_t)number;
	return 0;
}

static int set_word(const struct option_row *row, const char *value, struct err **err)
{
	cleanup_strbuf struct strbuf known = STRBUF_INIT;

	for (int i = 0; row->words[i]; i++) {
		if (!strcmp(value, row->words[i])) {
			*(int *)row->target = i;
			return 0;
		}
		strbuf_printf(&known, "%s%s", i ? ", " : "", row->words[i]);
	}
	return err_set(err, E_USAGE, 0, NULL,
		       "invalid value \"%.64s\" for --%s: expected one of %s", value, row->name,
		       strbuf_str(&known));
}

static int set_value(const struct option_row *row, const char *value, struct err **err)
{
	switch (row->type) {
	case OPT_FLAG:
		return set_flag(row, value, err);
	case OPT_STRING:
		*(const char **)row->target = value;
		return 0;
	case OPT_NUMBER:
		return set_number(row, value, err);
	case OPT_WORD:
		return set_word(row, value, err);
	case OPT_LIST: {
		struct option_list *list = row->target;

		list->items[list->count++] = value;
		return 0;
	}
	}
	return err_set(err, E_INTERNAL, 0, NULL, "option --%s has no type", row->name);
}

/* The value that an option other than a flag needs: attached, or the next argument. */
static int take_value(struct reader *reader, const struct option_row *row, const char *attached,
		      struct err **err)
{
	if (row->type == OPT_FLAG || attached)
		return set_value(row, attached, err);
	if (reader->next >= reader->argc)
		return err_set(err, E_USAGE, 0, NULL, "flag needs an argument: --%s", row->name);
	return set_value(row, reader->argv[reader->next++], err);
}

static const struct option_row *find_name(const struct option_row *rows, const char *name,
					  size_t len)
{
	for (; rows->name; rows++)
		if (strlen(rows->name) == len && !strncmp(rows->name, name, len))
			return rows;
	return NULL;
}

static const struct option_row *find_letter(const struct option_row *rows, char letter)
{
	for (; rows->name; rows++)
		if (rows->letter != '\0' && rows->letter == letter)
			return rows;
	return NULL;
}

static int unknown(const char *argument, struct err **err)
{
	cleanup_strbuf struct strbuf shown = STRBUF_INIT;

	strbuf_put_escaped(&shown, argument, strlen(argument), 64);
	return err_set(err, E_USAGE, 0, NULL, "flag provided but not defined: %s",
		       strbuf_str(&shown));
}

/* "-dq", "-bDIR", "-b=DIR", "-b" and the next argument. */
static int read_letters(struct reader *reader, const char *argument, struct err **err)
{
	for (const char *c = argument + 1; *c; c++) {
		const struct option_row *row = find_letter(reader->rows, *c);
		int r;

		if (!row)
			return unknown(argument, err);
		if (row->type != OPT_FLAG)
			return take_value(reader, row,
					  c[1] == '=' ? c + 2
					  : c[1]      ? c + 1
						      : NULL,
					  err);
		r = set_value(row, NULL, err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int read_option(struct reader *reader, const char *argument, struct err **err)
{
	bool is_double = argument[1] == '-';
	const char *name = argument + (is_double ? 2 : 1);
	size_t len = strcspn(name, "=");
	const struct option_row *row = find_name(reader->rows, name, len);

	if (row)
		return take_value(reader, row, name[len] == '=' ? name + len + 1 : NULL, err);
	if (!strcmp(name, "help") || (!is_double && !strcmp(name, "h"))) {
		reader->result->wants_help = true;
		return 0;
	}
	return is_double ? unknown(argument, err) : read_letters(reader, argument, err);
}

static void keep(struct reader *reader, char *argument)
{
	reader->argv[reader->result->count++] = argument;
}

int options_read(const struct option_row *rows, enum option_order order, int argc, char **argv,
		 struct arguments *ret, struct err **err)
{
	struct reader reader = { .rows = rows, .argv = argv, .argc = argc, .result = ret };

	*ret = (struct arguments){ .items = argv };
	while (reader.next < argc && !ret->wants_help) {
		char *argument = argv[reader.next++];
		int r;

		if (!strcmp(argument, "--"))
			break;
		if (argument[0] != '-' || argument[1] == '\0') {
			keep(&reader, argument);
			if (order == OPTIONS_FIRST)
				break;
			continue;
		}
		r = read_option(&reader, argument, err);
		if (r < 0)
			return r;
	}
	while (reader.next < argc)
		keep(&reader, argv[reader.next++]);
	if (ret->count < argc)
		argv[ret->count] = NULL; /* who executes what is left relies on it */
	return 0;
}

void options_describe(const struct option_row *rows, struct strbuf *out)
{
	for (; rows->name; rows++) {
		cleanup_strbuf struct strbuf left = STRBUF_INIT;

		strbuf_printf(&left, "--%s", rows->name);
		if (rows->argument)
			strbuf_printf(&left, " %s", rows->argument);
		if (rows->letter != '\0')
			strbuf_printf(&left, ", -%c", rows->letter);
		strbuf_printf(out, "  %-34s %s\n", strbuf_str(&left), rows->help);
	}
}

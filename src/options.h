/* options.h - one small table-driven reader of command lines.
 *
 * Engines call us as they call runc, so what Go's flag package takes is taken: "--name value",
 * "--name=value", the same with one dash, "--flag=false"; and beside it one-letter forms ("-b DIR",
 * "-bDIR", "-dq"). "--" ends the options. An option may come more than once; the last one counts, but of a list all do.
 */
#ifndef MXCRUN_OPTIONS_H
#define MXCRUN_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/strbuf.h"

enum option_type {
	OPT_FLAG,   /* target: bool */
	OPT_STRING, /* target: const char * */
	OPT_NUMBER, /* target: uint32_t */
	OPT_WORD,   /* target: int, index into words */
	OPT_LIST,   /* target: struct option_list, to which each occurrence adds one */
};

/* Items are of argv. The array has room for all of a command line's; it is the caller's, and starts empty. */
struct option_list {
	const char **items;
	size_t count;
};

struct option_row {
	const char *name; /* NULL ends the table */
	char letter;	  /* '\0': none */
	enum option_type type;
	void *target;
	const char *const *words; /* OPT_WORD: NULL-terminated */
	const char *argument;	  /* for the help text: "DIR"; NULL for flags */
	const char *help;
};

struct arguments {
	char **items; /* what is not an option, in order; points into argv, and is NULL-terminated as that is */
	int count;
	bool wants_help; /* --help or -h was met: nothing after it was read */
};

enum option_order {
	OPTIONS_ANYWHERE,
	OPTIONS_FIRST, /* the first other argument and everything after it is left alone */
};

/* Read argv[0..argc-1] (without the program's or the command's name). argv is reordered: ret->items
 * points to its front. E_USAGE. */
int options_read(const struct option_row *rows, enum option_order order, int argc, char **argv,
		 struct arguments *ret, struct err **err);

/* One line an option. */
void options_describe(const struct option_row *rows, struct strbuf *out);

#endif

/* output.h - everything that the program says: results, errors, warnings, debug lines.
 *
 * Errors go to stderr as one line, "mxcrun: ...", and to the --log file in the form that
 * --log-format asks for; engines read the latter. */
#ifndef MXCRUN_OUTPUT_H
#define MXCRUN_OUTPUT_H

#include <stdbool.h>

#include "base/err.h"
#include "base/json.h"
#include "base/log.h"

enum log_format { LOG_FORMAT_TEXT, LOG_FORMAT_JSON };
extern const char *const log_format_words[];

struct output {
	int format; /* enum log_format */
	int log_fd; /* -1: none */
};
#define OUTPUT_INIT          \
	{                    \
		.log_fd = -1 \
	}

/* Open the --log file for appending. */
int output_open_log(struct output *output, const char *path, struct err **err);
void output_close(struct output *output);

void output_error(const struct output *output, const struct err *failure);

/* A line of the library: struct log's write, data being the struct output. */
void output_log_line(void *data, enum log_level level, const char *line);

/* Text, or a finished JSON document and a newline, to stdout. */
int output_text(const char *text, struct err **err);
int output_json(struct json_writer *w, struct err **err);

#endif

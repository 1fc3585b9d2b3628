/* log.h - warnings and debug lines from the library to whoever called it.
 *
 * The library itself never prints. A `struct log` is passed down from the program and says where lines
 * go; NULL means nowhere. Lines come without a newline and
 * escaped (strbuf_put_escaped), so that texts from outside need no care. */
#ifndef MXCRUN_BASE_LOG_H
#define MXCRUN_BASE_LOG_H

#include <stdarg.h>

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG, LOG_LEVEL_MAX };

struct log {
	enum log_level level;	/* lines above this level are dropped before they are formatted */
	void (*write)(void *data, enum log_level level, const char *line);
	void *data;
};

void log_line(const struct log *log, enum log_level level, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
#define log_warning(log, ...) log_line(log, LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_debug(log, ...) log_line(log, LOG_LEVEL_DEBUG, __VA_ARGS__)

#endif

/* log.c - format a line and hand it to the caller's function, escaped: texts from outside can't
 * forge lines or steer a terminal (invariant 37). */
#include "base/log.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/strbuf.h"

#define LINE_MAX_BYTES 8192u

void log_line(const struct log *log, enum log_level level, const char *format, ...)
{
	cleanup_strbuf struct strbuf sb = STRBUF_INIT;
	cleanup_free char *text = NULL;
	va_list ap;
	int len;

	if (!log || !log->write || level > log->level)
		return;
	va_start(ap, format);
	len = vasprintf(&text, format, ap);
	va_end(ap);
	if (len < 0) {
		text = NULL;
		log->write(log->data, level, "out of memory while writing a log line");
		return;
	}
	strbuf_put_escaped(&sb, text, (size_t)len, LINE_MAX_BYTES);
	log->write(log->data, level, strbuf_str(&sb));
}

/* strbuf.h - a growing string.
 *
 * Invariants: `data` is NUL-terminated whenever `len` > 0 or strbuf_str() was called; a failed
 * allocation sets `failed` and makes all later appends no-ops, so that a caller checks once, at the end.
 */
#ifndef MXCRUN_BASE_STRBUF_H
#define MXCRUN_BASE_STRBUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct strbuf {
	char *data;
	size_t len;
	size_t capacity;
	bool failed;
};
#define STRBUF_INIT { 0 }

void strbuf_add(struct strbuf *sb, const void *data, size_t len);
void strbuf_puts(struct strbuf *sb, const char *s);
void strbuf_putc(struct strbuf *sb, char c);
void strbuf_printf(struct strbuf *sb, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Append text with control characters, invalid UTF-8 and Unicode format/line separators escaped as
 * \xNN or \uNNNN, at most max bytes of input and then "..."; for anything that came from outside. */
void strbuf_put_escaped(struct strbuf *sb, const char *s, size_t len, size_t max);

/* Decode the character at s. Returns its length in bytes, 0 when len is 0 or the bytes are not strict UTF-8
 * (overlong forms, surrogates and values above U+10FFFF are refused). */
size_t strbuf_utf8_decode(const char *s, size_t len, uint32_t *ret);

/* Never NULL: "" for an empty or failed buffer. */
const char *strbuf_str(struct strbuf *sb);

/* Give the malloc'd string away and leave the buffer empty. NULL if any append failed. */
char *strbuf_take(struct strbuf *sb);
void strbuf_done(struct strbuf *sb);
#define cleanup_strbuf __attribute__((cleanup(strbuf_done)))

#endif

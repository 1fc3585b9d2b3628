/* strbuf.c - a growing string; the only place that builds text of unknown length piece by piece. */
#include "base/strbuf.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define PRINTF_FIRST 48u /* a new one has room for 63 */

/* Room for extra more bytes and a NUL. */
static bool reserve(struct strbuf *sb, size_t extra)
{
	size_t capacity = sb->capacity ? sb->capacity : 64;
	char *data;

	if (sb->failed)
		return false;
	if (extra >= SIZE_MAX / 2 - sb->len) {
		sb->failed = true;
		return false;
	}
	if (sb->len + extra < sb->capacity)
		return true;
	while (capacity <= sb->len + extra)
		capacity *= 2;
	data = realloc(sb->data, capacity);
	if (!data) {
		sb->failed = true;
		return false;
	}
	sb->data = data;
	sb->capacity = capacity;
	return true;
}

void strbuf_add(struct strbuf *sb, const void *data, size_t len)
{
	if (!reserve(sb, len))
		return;
	if (len)
		memcpy(sb->data + sb->len, data, len);
	sb->len += len;
	sb->data[sb->len] = '\0';
}

void strbuf_puts(struct strbuf *sb, const char *s)
{
	strbuf_add(sb, s, strlen(s));
}

void strbuf_putc(struct strbuf *sb, char c)
{
	strbuf_add(sb, &c, 1);
}

/* Most texts fit into what is there. */
void strbuf_printf(struct strbuf *sb, const char *format, ...)
{
	size_t room;
	va_list ap;
	int len;

	if (!reserve(sb, PRINTF_FIRST))
		return;
	room = sb->capacity - sb->len;
	va_start(ap, format);
	len = vsnprintf(sb->data + sb->len, room, format, ap);
	va_end(ap);
	if (len >= 0 && (size_t)len < room) {
		sb->len += (size_t)len;
		return;
	}
	sb->data[sb->len] = '\0';
	if (len < 0) {
		sb->failed = true;
		return;
	}
	if (!reserve(sb, (size_t)len))
		return;
	va_start(ap, format);
	vsnprintf(sb->data + sb->len, (size_t)len + 1, format, ap);
	va_end(ap);
	sb->len += (size_t)len;
}

size_t strbuf_utf8_decode(const char *s, size_t len, uint32_t *ret)
{
	const unsigned char *u = (const unsigned char *)s;
	uint32_t c, least;
	size_t need, i;

	if (len == 0)
		return 0;
	if (u[0] < 0x80) {
		*ret = u[0];
		return 1;
	}
	if (u[0] >= 0xc2 && u[0] <= 0xdf) {
		need = 2;
		c = u[0] & 0x1fu;
		least = 0x80;
	} else if ((u[0] & 0xf0) == 0xe0) {
		need = 3;
		c = u[0] & 0x0fu;
		least = 0x800;
	} else if (u[0] >= 0xf0 && u[0] <= 0xf4) {
		need = 4;
		c = u[0] & 0x07u;
		least = 0x10000;
	} else {
		return 0;
	}
	if (len < need)
		return 0;
	for (i = 1; i < need; i++) {
		if ((u[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (u[i] & 0x3fu);
	}
	if (c < least || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	*ret = c;
	return need;
}

/* Characters that don't show as themselves: controls (C0, DEL, C1), Unicode's format characters,
 * which reorder or hide text, and its line and paragraph separators. */
static bool is_hidden(uint32_t c)
{
	static const struct {
		uint32_t first, last;
	} ranges[] = {
		{ 0x0000, 0x001f },   { 0x007f, 0x009f },   { 0x00ad, 0x00ad },
		{ 0x0600, 0x0605 },   { 0x061c, 0x061c },   { 0x06dd, 0x06dd },
		{ 0x070f, 0x070f },   { 0x180e, 0x180e },   { 0x200b, 0x200f },
		{ 0x2028, 0x202e },   { 0x2060, 0x206f },   { 0xfeff, 0xfeff },
		{ 0xfff9, 0xfffb },   { 0x110bd, 0x110bd }, { 0x110cd, 0x110cd },
		{ 0x1bca0, 0x1bca3 }, { 0x1d173, 0x1d17a }, { 0xe0000, 0xe007f },
	};
	size_t i;

	for (i = 0; i < array_size(ranges); i++)
		if (c >= ranges[i].first && c <= ranges[i].last)
			return true;
	return false;
}

void strbuf_put_escaped(struct strbuf *sb, const char *s, size_t len, size_t max)
{
	size_t end = len < max ? len : max;
	size_t pos = 0;

	while (pos < end) {
		uint32_t c = 0;
		size_t n = strbuf_utf8_decode(s + pos, len - pos, &c);

		if (n > end - pos)
			break;
		if (n == 0) {
			strbuf_printf(sb, "\\x%02x", (unsigned char)s[pos]);
			n = 1;
		} else if (!is_hidden(c)) {
			strbuf_add(sb, s + pos, n);
		} else if (c < 0x80) {
			strbuf_printf(sb, "\\x%02x", (unsigned int)c);
		} else if (c <= 0xffff) {
			strbuf_printf(sb, "\\u%04x", (unsigned int)c);
		} else {
			size_t i;

			for (i = 0; i < n; i++)
				strbuf_printf(sb, "\\x%02x", (unsigned char)s[pos + i]);
		}
		pos += n;
	}
	if (pos < len)
		strbuf_puts(sb, "...");
}

const char *strbuf_str(struct strbuf *sb)
{
	if (sb->failed || !sb->data)
		return "";
	sb->data[sb->len] = '\0';
	return sb->data;
}

char *strbuf_take(struct strbuf *sb)
{
	char *data;

	strbuf_add(sb, NULL, 0);
	if (sb->failed) {
		strbuf_done(sb);
		return NULL;
	}
	data = sb->data;
	*sb = (struct strbuf)STRBUF_INIT;
	return data;
}

void strbuf_done(struct strbuf *sb)
{
	free(sb->data);
	*sb = (struct strbuf)STRBUF_INIT;
}

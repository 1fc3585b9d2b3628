/* json.c - values of the tree that json_read.c makes, and text from values. */
#include "base/json.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* ---- the tree ---- */

const struct json *json_get(const struct json *value, const char *key)
{
	const struct json *child;

	if (!value || value->type != JSON_OBJECT)
		return NULL;
	for (child = value->first; child; child = child->next)
		if (strcmp(child->key, key) == 0)
			return child;
	return NULL;
}

const char *json_type_name(enum json_type type)
{
	static const char *const names[] = {
		[JSON_NULL] = "null",	  [JSON_BOOL] = "boolean", [JSON_NUMBER] = "number",
		[JSON_STRING] = "string", [JSON_ARRAY] = "array",  [JSON_OBJECT] = "object",
	};

	return (size_t)type < array_size(names) ? names[type] : "unknown";
}

/* The values from below the root down to value. Returns their number. */
static size_t path_to(const struct json *value, const struct json *path[JSON_DEPTH_MAX])
{
	const struct json *v;
	size_t depth = 0, i;

	for (v = value; v && v->parent && depth < JSON_DEPTH_MAX; v = v->parent)
		depth++;
	for (v = value, i = depth; i > 0; v = v->parent)
		path[--i] = v;
	return depth;
}

static char *strbuf_to_arena(struct arena *arena, const struct strbuf *sb)
{
	return sb->failed ? NULL : arena_strndup(arena, sb->data, sb->len);
}

char *json_pointer(struct arena *arena, const struct json *value)
{
	cleanup_strbuf struct strbuf sb = STRBUF_INIT;
	const struct json *path[JSON_DEPTH_MAX];
	size_t depth = path_to(value, path), i;

	for (i = 0; i < depth; i++) {
		const char *c;

		strbuf_putc(&sb, '/');
		if (!path[i]->key) {
			strbuf_printf(&sb, "%" PRIu32, path[i]->index);
			continue;
		}
		for (c = path[i]->key; *c; c++) {
			if (*c == '~')
				strbuf_puts(&sb, "~0");
			else if (*c == '/')
				strbuf_puts(&sb, "~1");
			else
				strbuf_putc(&sb, *c);
		}
	}
	return strbuf_to_arena(arena, &sb);
}

char *json_dotted(struct arena *arena, const struct json *value)
{
	cleanup_strbuf struct strbuf sb = STRBUF_INIT;
	const struct json *path[JSON_DEPTH_MAX];
	size_t depth = path_to(value, path), i;

	for (i = 0; i < depth; i++) {
		if (!path[i]->key)
			strbuf_printf(&sb, "[%" PRIu32 "]", path[i]->index);
		else
			strbuf_printf(&sb, "%s%s", i ? "." : "", path[i]->key);
	}
	return strbuf_to_arena(arena, &sb);
}

/* Only digits after an optional minus: no fraction, no exponent. JSON has no leading zeros. */
static bool is_integer(const struct json *value)
{
	const char *digits;

	if (!value || value->type != JSON_NUMBER)
		return false;
	digits = value->text + (value->text[0] == '-');
	return digits[0] && digits[strspn(digits, "0123456789")] == '\0';
}

int json_to_i64(const struct json *value, int64_t *ret)
{
	intmax_t number;

	if (!is_integer(value))
		return -EINVAL;
	errno = 0;
	number = strtoimax(value->text, NULL, 10);
	if (errno)
		return -ERANGE;
	*ret = number;
	return 0;
}

int json_to_u64(const struct json *value, uint64_t *ret)
{
	uintmax_t number;

	if (!is_integer(value))
		return -EINVAL;
	if (value->text[0] == '-' && strcmp(value->text, "-0") != 0)
		return -ERANGE;
	errno = 0;
	number = strtoumax(value->text, NULL, 10);
	if (errno)
		return -ERANGE;
	*ret = number;
	return 0;
}

/* ---- writing ---- */

/* How many of the next bytes stand for themselves, each a character. */
static size_t plain_length(const char *s, size_t len)
{
	size_t n = 0;

	while (n < len && (unsigned char)s[n] >= 0x20 && (unsigned char)s[n] < 0x7f && s[n] != '"' && s[n] != '\\')
		n++;
	return n;
}

static void put_quoted(struct strbuf *out, const char *s, size_t len)
{
	size_t pos = 0;

	strbuf_putc(out, '"');
	for (;;) {
		size_t n = plain_length(s + pos, len - pos);
		uint32_t c = 0;

		strbuf_add(out, s + pos, n);
		pos += n;
		if (pos == len)
			break;
		n = strbuf_utf8_decode(s + pos, len - pos, &c);
		if (n == 0) {
			strbuf_puts(out, "\xef\xbf\xbd"); /* U+FFFD */
			n = 1;
		} else if (c == '"' || c == '\\') {
			strbuf_putc(out, '\\');
			strbuf_putc(out, (char)c);
		} else if (c == '\n') {
			strbuf_puts(out, "\\n");
		} else if (c == '\t') {
			strbuf_puts(out, "\\t");
		} else if (c == '\r') {
			strbuf_puts(out, "\\r");
		} else if (c < 0x20 || c == 0x7f) {
			strbuf_printf(out, "\\u%04x", (unsigned int)c);
		} else {
			strbuf_add(out, s + pos, n);
		}
		pos += n;
	}
	strbuf_putc(out, '"');
}

static void put_line_break(struct json_writer *w)
{
	unsigned int i;

	if (w->compact)
		return;
	strbuf_putc(&w->out, '\n');
	for (i = 0; i < w->depth; i++)
		strbuf_puts(&w->out, "  ");
}

/* Everything that stands before a value. */
static void begin_value(struct json_writer *w, const char *key)
{
	if (w->need_comma)
		strbuf_putc(&w->out, ',');
	if (w->depth > 0)
		put_line_break(w);
	if (key) {
		put_quoted(&w->out, key, strlen(key));
		strbuf_puts(&w->out, w->compact ? ":" : ": ");
	}
	w->need_comma = true;
}

void json_open(struct json_writer *w, const char *key, char bracket)
{
	begin_value(w, key);
	strbuf_putc(&w->out, bracket);
	w->depth++;
	w->need_comma = false;
}

void json_close(struct json_writer *w, char bracket)
{
	bool has_children = w->need_comma;

	w->depth--;
	if (has_children)
		put_line_break(w);
	strbuf_putc(&w->out, bracket);
	w->need_comma = true;
}

void json_put_string(struct json_writer *w, const char *key, const char *value)
{
	begin_value(w, key);
	if (value)
		put_quoted(&w->out, value, strlen(value));
	else
		strbuf_puts(&w->out, "null");
}

void json_put_bool(struct json_writer *w, const char *key, bool value)
{
	begin_value(w, key);
	strbuf_puts(&w->out, value ? "true" : "false");
}

void json_put_i64(struct json_writer *w, const char *key, int64_t value)
{
	begin_value(w, key);
	strbuf_printf(&w->out, "%" PRId64, value);
}

void json_put_u64(struct json_writer *w, const char *key, uint64_t value)
{
	begin_value(w, key);
	strbuf_printf(&w->out, "%" PRIu64, value);
}

/* Recursion as deep as the tree, which json_parse bounds. */
void json_put_json(struct json_writer *w, const char *key, const struct json *value)
{
	const struct json *child;
	bool is_object;

	if (!value || value->type == JSON_NULL) {
		json_put_string(w, key, NULL);
		return;
	}
	switch (value->type) {
	case JSON_NULL:
		break;
	case JSON_BOOL:
		json_put_bool(w, key, value->boolean);
		break;
	case JSON_NUMBER:
		begin_value(w, key);
		strbuf_puts(&w->out, value->text);
		break;
	case JSON_STRING:
		begin_value(w, key);
		put_quoted(&w->out, value->text, value->len);
		break;
	case JSON_ARRAY:
	case JSON_OBJECT:
		is_object = value->type == JSON_OBJECT;
		json_open(w, key, is_object ? '{' : '[');
		for (child = value->first; child; child = child->next)
			json_put_json(w, is_object ? child->key : NULL, child);
		json_close(w, is_object ? '}' : ']');
		break;
	}
}

void json_writer_done(struct json_writer *w)
{
	strbuf_done(&w->out);
}

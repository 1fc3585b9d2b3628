/* json.c - JSON text to a tree in an arena, and text from values. The only file that knows yajl.
 *
 * yajl tokenises; what it takes too lightly is checked here before it sees the text: strict
 * UTF-8 (it lets overlong forms and surrogates pass), NUL, and surrogates that are not a pair (it
 * turns them into "?"). yajl does not check its allocations: ours leaves the parse by longjmp when
 * there is no memory, and everything that yajl had is freed with the scratch arena.
 */
#include "base/json.h"

#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <yajl/yajl_parse.h>

/* Below this many keys each new key is compared with all before it; above, they are sorted once. */
#define KEYS_COMPARED 32u
#define KEY_SHOWN_MAX 64u

struct frame {
	struct json *value; /* an open array or object */
	struct json *last;  /* its newest child */
};

struct parser {
	struct arena *arena;
	struct arena *scratch; /* yajl's memory, and lists that are thrown away */
	jmp_buf out_of_memory;
	struct frame frames[JSON_DEPTH_MAX];
	unsigned int depth;
	size_t values;
	const char *key;
	struct json *root;
	struct strbuf problem; /* why a callback stopped the parse */
};

struct position {
	size_t line, column;
};

/* Columns count characters, not bytes. */
static struct position position_of(const char *text, size_t offset)
{
	struct position at = { 1, 1 };
	size_t i;

	for (i = 0; i < offset; i++) {
		if (text[i] == '\n') {
			at.line++;
			at.column = 1;
		} else if (((unsigned char)text[i] & 0xc0) != 0x80) {
			at.column++;
		}
	}
	return at;
}

static int fail_at(const char *name, const char *text, size_t offset, const char *what,
		   struct err **err)
{
	struct position at = position_of(text, offset);

	return err_set(err, E_JSON, 0, NULL, "%s: line %zu column %zu: %s", name, at.line,
		       at.column, what);
}

/* ---- what yajl does not check ---- */

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* The value of "\uXXXX" at text, -1 when that is not what stands there. */
static int unicode_escape(const char *text, size_t len)
{
	int value = 0, i;

	if (len < 6 || text[0] != '\\' || text[1] != 'u')
		return -1;
	for (i = 2; i < 6; i++) {
		int digit = hex_digit(text[i]);

		if (digit < 0)
			return -1;
		value = value * 16 + digit;
	}
	return value;
}

/* Look at the escape at text + *pos and move over it. What is malformed is left to yajl. */
static const char *check_escape(const char *text, size_t len, size_t *pos)
{
	int first = unicode_escape(text + *pos, len - *pos);
	int second;

	if (first < 0) {
		*pos += 2;
		return NULL;
	}
	if (first == 0)
		return "\\u0000 is not allowed: strings must not contain null bytes";
	if (first >= 0xd800 && first <= 0xdfff) {
		second = unicode_escape(text + *pos + 6, len - *pos - 6);
		if (first >= 0xdc00 || second < 0xdc00 || second > 0xdfff)
			return "half of a surrogate pair in a string";
		*pos += 6;
	}
	*pos += 6;
	return NULL;
}

static const char *check_text(const char *text, size_t len, size_t *ret_offset)
{
	bool is_in_string = false;
	size_t pos = 0;

	while (pos < len) {
		const char *problem;
		uint32_t c = 0;
		size_t n;

		*ret_offset = pos;
		if (is_in_string && text[pos] == '\\') {
			problem = check_escape(text, len, &pos);
			if (problem)
				return problem;
			continue;
		}
		n = strbuf_utf8_decode(text + pos, len - pos, &c);
		if (n == 0)
			return "not valid UTF-8";
		if (c == 0)
			return "NUL byte";
		if (c == '"')
			is_in_string = !is_in_string;
		pos += n;
	}
	return NULL;
}

/* ---- yajl's memory ---- */

struct block {
	size_t size;
	_Alignas(16) char data[];
};

static void *scratch_malloc(void *ctx, size_t size)
{
	struct parser *p = ctx;
	struct block *block = NULL;

	if (size <= SIZE_MAX - sizeof(*block))
		block = arena_alloc(p->scratch, sizeof(*block) + size);
	if (!block)
		longjmp(p->out_of_memory, 1);
	block->size = size;
	return block->data;
}

static void scratch_free(void *ctx, void *data)
{
	(void)ctx;
	(void)data;
}

static void *scratch_realloc(void *ctx, void *data, size_t size)
{
	void *bigger = scratch_malloc(ctx, size);

	if (data) {
		const struct block *old =
			(const void *)((char *)data - offsetof(struct block, data));

		memcpy(bigger, data, old->size < size ? old->size : size);
	}
	return bigger;
}

/* ---- callbacks: 1 to go on, 0 to stop ---- */

static struct json *add_value(struct parser *p, enum json_type type)
{
	struct frame *frame = p->depth ? &p->frames[p->depth - 1] : NULL;
	struct json *value;

	if (++p->values > JSON_VALUES_MAX) {
		strbuf_printf(&p->problem, "more than %u values", JSON_VALUES_MAX);
		return NULL;
	}
	value = arena_alloc(p->arena, sizeof(*value));
	if (!value)
		longjmp(p->out_of_memory, 1);
	value->type = type;
	if (!frame) {
		p->root = value;
		return value;
	}
	value->parent = frame->value;
	value->index = frame->value->len++;
	value->key = take_ptr(p->key);
	if (frame->last)
		frame->last->next = value;
	else
		frame->value->first = value;
	frame->last = value;
	return value;
}

static int on_null(void *ctx)
{
	return add_value(ctx, JSON_NULL) != NULL;
}

static int on_boolean(void *ctx, int boolean)
{
	struct json *value = add_value(ctx, JSON_BOOL);

	if (!value)
		return 0;
	value->boolean = boolean;
	return 1;
}

static int add_text(struct parser *p, enum json_type type, const char *text, size_t len)
{
	struct json *value = add_value(p, type);

	if (!value)
		return 0;
	value->text = arena_strndup(p->arena, text, len);
	if (!value->text)
		longjmp(p->out_of_memory, 1);
	value->len = len;
	return 1;
}

static int on_number(void *ctx, const char *text, size_t len)
{
	return add_text(ctx, JSON_NUMBER, text, len);
}

static int on_string(void *ctx, const unsigned char *text, size_t len)
{
	return add_text(ctx, JSON_STRING, (const char *)text, len);
}

static int open_container(struct parser *p, enum json_type type)
{
	struct json *value;

	if (p->depth == JSON_DEPTH_MAX) {
		strbuf_printf(&p->problem, "nested deeper than %u levels", JSON_DEPTH_MAX);
		return 0;
	}
	value = add_value(p, type);
	if (!value)
		return 0;
	p->frames[p->depth++] = (struct frame){ .value = value };
	return 1;
}

static int on_start_map(void *ctx)
{
	return open_container(ctx, JSON_OBJECT);
}

static int on_start_array(void *ctx)
{
	return open_container(ctx, JSON_ARRAY);
}

static int report_duplicate(struct parser *p, const char *key)
{
	strbuf_puts(&p->problem, "duplicate field \"");
	strbuf_put_escaped(&p->problem, key, strlen(key), KEY_SHOWN_MAX);
	strbuf_putc(&p->problem, '"');
	return 0;
}

static int on_map_key(void *ctx, const unsigned char *text, size_t len)
{
	struct parser *p = ctx;
	const struct json *object = p->frames[p->depth - 1].value;

	p->key = arena_strndup(p->arena, (const char *)text, len);
	if (!p->key)
		longjmp(p->out_of_memory, 1);
	if (object->len < KEYS_COMPARED && json_get(object, p->key))
		return report_duplicate(p, p->key);
	return 1;
}

static int compare_keys(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int on_end_map(void *ctx)
{
	struct parser *p = ctx;
	const struct json *object = p->frames[--p->depth].value;
	const struct json *child;
	const char **keys;
	size_t i = 0;

	if (object->len <= KEYS_COMPARED)
		return 1;
	keys = arena_array(p->scratch, object->len, sizeof(*keys));
	if (!keys)
		longjmp(p->out_of_memory, 1);
	for (child = object->first; child; child = child->next)
		keys[i++] = child->key;
	qsort(keys, object->len, sizeof(*keys), compare_keys);
	for (i = 1; i < object->len; i++)
		if (strcmp(keys[i - 1], keys[i]) == 0)
			return report_duplicate(p, keys[i]);
	return 1;
}

static int on_end_array(void *ctx)
{
	struct parser *p = ctx;

	p->depth--;
	return 1;
}

static const yajl_callbacks callbacks = {
	.yajl_null = on_null,
	.yajl_boolean = on_boolean,
	.yajl_number = on_number,
	.yajl_string = on_string,
	.yajl_start_map = on_start_map,
	.yajl_map_key = on_map_key,
	.yajl_end_map = on_end_map,
	.yajl_start_array = on_start_array,
	.yajl_end_array = on_end_array,
};

/* yajl's own words, of which it has a fixed set, without "parse error: " and the end of the line.
 */
static void take_yajl_words(struct parser *p, yajl_handle handle)
{
	const char *words = (const char *)yajl_get_error(handle, 0, NULL, 0);
	const char *colon = strstr(words, ": ");

	if (colon)
		words = colon + 2;
	strbuf_add(&p->problem, words, strcspn(words, ".\n"));
}

/* Runs yajl; nothing in here owns anything, because it may be left by longjmp. Returns false when
 * memory ran out. *ret_offset is where the parse stopped when p->problem says something. */
static bool run_yajl(struct parser *p, const char *text, size_t len, size_t *ret_offset)
{
	yajl_alloc_funcs functions = {
		.malloc = scratch_malloc,
		.realloc = scratch_realloc,
		.free = scratch_free,
		.ctx = p,
	};
	yajl_handle handle;
	yajl_status status;

	if (setjmp(p->out_of_memory))
		return false;
	handle = yajl_alloc(&callbacks, &functions, p);
	status = yajl_parse(handle, (const unsigned char *)text, len);
	/* Consumed includes the token that can't stand there: its last byte is named. */
	*ret_offset = yajl_get_bytes_consumed(handle);
	if (*ret_offset > 0)
		--*ret_offset;
	if (status == yajl_status_ok) {
		status = yajl_complete_parse(handle);
		*ret_offset = len;
	}
	if (status == yajl_status_error)
		take_yajl_words(p, handle);
	if (*ret_offset > len)
		*ret_offset = len;
	return !p->problem.failed;
}

static int parse_checked(struct parser *p, const char *text, size_t len, const char *name,
			 const struct json **ret, struct err **err)
{
	size_t offset = 0;

	if (!run_yajl(p, text, len, &offset))
		return err_nomem(err);
	if (p->problem.len)
		return fail_at(name, text, offset, strbuf_str(&p->problem), err);
	*ret = p->root;
	return 0;
}

int json_parse(struct arena *arena, const char *text, size_t len, const char *name,
	       const struct json **ret, struct err **err)
{
	cleanup_arena struct arena *scratch = NULL;
	struct parser *p;
	const char *problem;
	size_t offset = 0;
	int r;

	if (len > JSON_SIZE_MAX)
		return err_set(err, E_JSON, 0, NULL, "%s: larger than %u MiB", name,
			       JSON_SIZE_MAX >> 20);
	while (offset < len && strchr(" \t\r\n", text[offset]) && text[offset])
		offset++;
	if (offset == len)
		return err_set(err, E_JSON, 0, NULL, "%s: empty, expected a JSON value", name);
	problem = check_text(text, len, &offset);
	if (problem)
		return fail_at(name, text, offset, problem, err);

	scratch = arena_new();
	p = scratch ? arena_alloc(scratch, sizeof(*p)) : NULL;
	if (!p)
		return err_nomem(err);
	p->arena = arena;
	p->scratch = scratch;
	r = parse_checked(p, text, len, name, ret, err);
	strbuf_done(&p->problem);
	return r;
}

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
			strbuf_printf(&sb, "%zu", path[i]->index);
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
			strbuf_printf(&sb, "[%zu]", path[i]->index);
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

static void put_quoted(struct strbuf *out, const char *s, size_t len)
{
	size_t pos = 0;

	strbuf_putc(out, '"');
	while (pos < len) {
		uint32_t c = 0;
		size_t n = strbuf_utf8_decode(s + pos, len - pos, &c);

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

/* json_read.c - JSON text to a tree in an arena, in one pass over the text.
 *
 * Recursive descent, as deep as JSON_DEPTH_MAX. Strict in what common parsers take lightly (invariant 35): UTF-8 without overlong
 * forms, NUL nowhere, surrogates only in pairs, keys once. It looks at no byte behind the end of the text, which need not be a NUL.
 *
 * Strings stay where they are in the text. Only those with escapes, and numbers, behind which there is no place for a NUL, are copied.
 */
#include "base/json.h"

#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Below this many keys each new key is compared with all before it; above, they are sorted once. */
#define KEYS_COMPARED 32u
#define KEY_SHOWN_MAX 64u
#define VALUES_AT_ONCE 16u

struct reader {
	struct arena *arena;
	char *at;		/* what is still to be read */
	const char *end;
	struct json *unused;	/* values that were allocated together */
	size_t unused_count;
	unsigned int depth;
	size_t values;
	struct strbuf problem; /* why it ends at at */
};

static int refuse(struct reader *in, const char *what)
{
	strbuf_puts(&in->problem, what);
	return in->problem.failed ? -ENOMEM : -EINVAL;
}

/* The byte that comes next; -1 at the end. */
static int peek(const struct reader *in)
{
	return in->at < in->end ? (unsigned char)*in->at : -1;
}

static size_t left(const struct reader *in)
{
	return (size_t)(in->end - in->at);
}

/* What comes next can't stand there: nothing, what can stand nowhere, or something that only is at the wrong place. */
static int refuse_next(struct reader *in, const char *what)
{
	uint32_t c = 0;

	if (in->at == in->end)
		return refuse(in, "premature EOF");
	if (strbuf_utf8_decode(in->at, left(in), &c) == 0)
		return refuse(in, "not valid UTF-8");
	if (c == 0)
		return refuse(in, "NUL byte");
	if (c >= 0x80 || !strchr("{}[]\",:-0123456789tfn", (char)c))
		return refuse(in, "invalid char in json text");
	return refuse(in, what);
}

static void skip_space(struct reader *in)
{
	char *at = in->at;

	while (at < in->end && (*at == ' ' || *at == '\n' || *at == '\t' || *at == '\r'))
		at++;
	in->at = at;
}

/* ---- strings ---- */

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
	int value = 0;

	if (len < 6 || text[0] != '\\' || text[1] != 'u')
		return -1;
	for (int i = 2; i < 6; i++) {
		int digit = hex_digit(text[i]);

		if (digit < 0)
			return -1;
		value = value * 16 + digit;
	}
	return value;
}

static int skip_unicode_escape(struct reader *in)
{
	int first = unicode_escape(in->at, left(in)), second;

	if (first < 0)
		return refuse(in, "invalid (non-hex) character occurs after '\\u' inside string");
	if (first == 0)
		return refuse(in, "\\u0000 is not allowed: strings must not contain null bytes");
	if (first >= 0xd800 && first <= 0xdfff) {
		second = unicode_escape(in->at + 6, left(in) - 6);
		if (first >= 0xdc00 || second < 0xdc00 || second > 0xdfff)
			return refuse(in, "half of a surrogate pair in a string");
		in->at += 6;
	}
	in->at += 6;
	return 0;
}

static int skip_escape(struct reader *in)
{
	if (left(in) < 2)
		return refuse(in, "premature EOF");
	if (in->at[1] == 'u')
		return skip_unicode_escape(in);
	if (!in->at[1] || !strchr("\"\\/bfnrt", in->at[1]))
		return refuse(in, "inside a string, '\\' occurs before a character which it may not");
	in->at += 2;
	return 0;
}

/* A byte of a string that stands for itself, and for a whole character. */
static bool is_plain(char c)
{
	return (unsigned char)c >= 0x20 && (unsigned char)c < 0x80 && c != '"' && c != '\\';
}

#define EACH_BYTE(c) (0x0101010101010101u * (uint64_t)(c))

/* The high bit of each byte that is less than c, which is at most 0x80; above the lowest of them maybe of others. */
static uint64_t mark_less(uint64_t bytes, unsigned char c)
{
	return (bytes - EACH_BYTE(c)) & ~bytes & EACH_BYTE(0x80);
}

/* How many of eight bytes are plain, before the first that isn't. */
static size_t count_plain(const char *at)
{
	uint64_t bytes, special;

	memcpy(&bytes, at, sizeof(bytes));
	bytes = le64toh(bytes);
	special = mark_less(bytes, 0x20) | (bytes & EACH_BYTE(0x80)) | mark_less(bytes ^ EACH_BYTE('"'), 1) |
		  mark_less(bytes ^ EACH_BYTE('\\'), 1);
	return special ? (size_t)__builtin_ctzll(special) / 8 : sizeof(bytes);
}

static void skip_plain(struct reader *in)
{
	while (left(in) >= 8) {
		size_t count = count_plain(in->at);

		in->at += count;
		if (count < 8)
			return;
	}
	while (in->at < in->end && is_plain(*in->at))
		in->at++;
}

/* From behind the quote to the next one, which is not passed. */
static int skip_string(struct reader *in, bool *ret_has_escapes)
{
	*ret_has_escapes = false;
	for (;;) {
		const char *at;
		uint32_t c = 0;
		size_t n;
		int r;

		skip_plain(in);
		at = in->at;
		if (at == in->end)
			return refuse(in, "premature EOF");
		if (*at == '"')
			return 0;
		if (*at == '\\') {
			*ret_has_escapes = true;
			r = skip_escape(in);
			if (r < 0)
				return r;
			continue;
		}
		if ((unsigned char)*at < 0x20)
			return refuse(in, *at ? "invalid character inside string" : "NUL byte");
		n = strbuf_utf8_decode(at, left(in), &c);
		if (n == 0)
			return refuse(in, "not valid UTF-8");
		in->at += n;
	}
}

static char *put_utf8(char *out, uint32_t c)
{
	if (c < 0x80) {
		*out++ = (char)c;
		return out;
	}
	if (c < 0x800) {
		*out++ = (char)(0xc0 | c >> 6);
	} else {
		if (c < 0x10000) {
			*out++ = (char)(0xe0 | c >> 12);
		} else {
			*out++ = (char)(0xf0 | c >> 18);
			*out++ = (char)(0x80 | (c >> 12 & 0x3f));
		}
		*out++ = (char)(0x80 | (c >> 6 & 0x3f));
	}
	*out++ = (char)(0x80 | (c & 0x3f));
	return out;
}

/* Put the character that the escape at *s means, and pass it. */
static char *put_escaped(char *out, const char **s, const char *end)
{
	static const char letters[] = "bfnrt", meanings[] = "\b\f\n\r\t";
	const char *escape = *s, *letter;
	uint32_t c;

	if (escape[1] != 'u') {
		letter = strchr(letters, escape[1]);
		*s += 2;
		*out++ = letter ? meanings[letter - letters] : escape[1];
		return out;
	}
	c = (uint32_t)unicode_escape(escape, (size_t)(end - escape));
	*s += 6;
	if (c >= 0xd800 && c <= 0xdfff) {
		uint32_t second = (uint32_t)unicode_escape(*s, (size_t)(end - *s));

		*s += 6;
		c = 0x10000 + ((c - 0xd800) << 10) + (second - 0xdc00);
	}
	return put_utf8(out, c);
}

/* What was skipped without a problem. It becomes no longer. */
static size_t unescape(char *out, const char *s, const char *end)
{
	char *start = out;

	while (s < end) {
		if (*s == '\\')
			out = put_escaped(out, &s, end);
		else
			*out++ = *s++;
	}
	*out = '\0';
	return (size_t)(out - start);
}

/* ---- numbers and words ---- */

static bool skip_digits(struct reader *in)
{
	const char *start = in->at;

	while (in->at < in->end && *in->at >= '0' && *in->at <= '9')
		in->at++;
	return in->at > start;
}

static int skip_number(struct reader *in)
{
	if (peek(in) == '-')
		in->at++;
	/* no digit may follow a zero that comes first */
	if (peek(in) == '0')
		in->at++;
	else if (!skip_digits(in))
		return refuse_next(in, "malformed number, a digit is required after the minus sign");
	if (peek(in) == '.') {
		in->at++;
		if (!skip_digits(in))
			return refuse_next(in, "malformed number, a digit is required after the decimal point");
	}
	if (peek(in) == 'e' || peek(in) == 'E') {
		in->at++;
		if (peek(in) == '+' || peek(in) == '-')
			in->at++;
		if (!skip_digits(in))
			return refuse_next(in, "malformed number, a digit is required after the exponent");
	}
	return 0;
}

static int skip_word(struct reader *in, const char *word)
{
	size_t len = strlen(word);

	if (left(in) < len || memcmp(in->at, word, len) != 0)
		return refuse_next(in, "invalid string in json text");
	in->at += len;
	return 0;
}

/* ---- values ---- */

static struct json *new_value(struct reader *in, enum json_type type)
{
	struct json *value;

	if (!in->unused_count) {
		in->unused = arena_array(in->arena, VALUES_AT_ONCE, sizeof(*in->unused));
		if (!in->unused)
			return NULL;
		in->unused_count = VALUES_AT_ONCE;
	}
	in->unused_count--;
	value = in->unused++;
	value->type = type;
	return value;
}

/* From the quote on, and past the last one, in whose place the NUL comes: columns of what follows are counted as before. */
static int take_string(struct reader *in, const char **ret, size_t *ret_len)
{
	char *start = ++in->at, *copy;
	bool has_escapes;
	int r = skip_string(in, &has_escapes);
	char *end = in->at;

	if (r < 0)
		return r;
	in->at++;
	*ret_len = (size_t)(end - start);
	if (!has_escapes) {
		*end = '\0';
		*ret = start;
		return 0;
	}
	*ret = copy = arena_alloc(in->arena, *ret_len + 1);
	if (!copy)
		return -ENOMEM;
	*ret_len = unescape(copy, start, end);
	return 0;
}

static int read_string(struct reader *in, struct json **ret)
{
	struct json *value = new_value(in, JSON_STRING);
	size_t len = 0;
	int r;

	*ret = value;
	if (!value)
		return -ENOMEM;
	r = take_string(in, &value->text, &len);
	value->len = (uint32_t)len;
	return r;
}

static int read_number(struct reader *in, struct json **ret)
{
	const char *start = in->at;
	int r = skip_number(in);
	size_t len = (size_t)(in->at - start);
	struct json *value;

	if (r < 0)
		return r;
	*ret = value = new_value(in, JSON_NUMBER);
	if (!value)
		return -ENOMEM;
	value->text = arena_strndup(in->arena, start, len);
	value->len = (uint32_t)len;
	return value->text ? 0 : -ENOMEM;
}

static int read_word(struct reader *in, enum json_type type, struct json **ret)
{
	bool is_true = *in->at == 't';

	*ret = new_value(in, type);
	if (!*ret)
		return -ENOMEM;
	(*ret)->boolean = is_true;
	return skip_word(in, is_true ? "true" : type == JSON_BOOL ? "false" : "null");
}

/* ---- arrays and objects ---- */

static int report_duplicate(struct reader *in, const char *key)
{
	strbuf_puts(&in->problem, "duplicate field \"");
	strbuf_put_escaped(&in->problem, key, strlen(key), KEY_SHOWN_MAX);
	return refuse(in, "\"");
}

static int compare_keys(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int check_keys(struct reader *in, const struct json *object)
{
	cleanup_free const char **keys = NULL;
	const struct json *child;
	size_t i = 0;

	if (object->len <= KEYS_COMPARED)
		return 0;
	keys = calloc(object->len, sizeof(*keys));
	if (!keys)
		return -ENOMEM;
	for (child = object->first; child; child = child->next)
		keys[i++] = child->key;
	qsort(keys, object->len, sizeof(*keys), compare_keys);
	for (i = 1; i < object->len; i++)
		if (strcmp(keys[i - 1], keys[i]) == 0)
			return report_duplicate(in, keys[i]);
	return 0;
}

/* With the colon. like: the value at the same place of a neighbour, when all keys before were the same: then this one, if it is
 * the same as well, is there once, as it is there. */
static int read_key(struct reader *in, const struct json *object, const struct json *like, const char **ret)
{
	size_t len;
	int r;

	if (peek(in) != '"')
		return refuse_next(in, "invalid object key (must be a string)");
	r = take_string(in, ret, &len);
	if (r < 0)
		return r;
	if (like && strcmp(like->key, *ret) == 0)
		*ret = like->key;
	else if (object->len < KEYS_COMPARED && json_get(object, *ret))
		return report_duplicate(in, *ret);
	skip_space(in);
	if (peek(in) != ':')
		return refuse_next(in, "object key and value must be separated by a colon (':')");
	in->at++;
	return 0;
}

static int read_value(struct reader *in, const struct json *like, struct json **ret);

static int read_child(struct reader *in, struct json *parent, const struct json *like, struct json **ret)
{
	const char *key = NULL;
	int r;

	skip_space(in);
	r = parent->type == JSON_OBJECT ? read_key(in, parent, like, &key) : 0;
	if (r == 0)
		r = read_value(in, like, ret);
	if (r < 0)
		return r;
	(*ret)->parent = parent;
	(*ret)->index = parent->len++;
	(*ret)->key = key;
	return 0;
}

/* at is at the bracket. */
static int read_children(struct reader *in, struct json *parent, const struct json *like)
{
	bool is_object = parent->type == JSON_OBJECT;
	const struct json **link = &parent->first;
	int bracket = is_object ? '}' : ']';
	struct json *child = NULL;
	int r;

	like = is_object && like && like->type == JSON_OBJECT ? like->first : NULL;

	in->at++;
	skip_space(in);
	if (peek(in) == bracket) {
		in->at++;
		return 0;
	}
	for (;;) {
		r = read_child(in, parent, is_object ? like : child, &child);
		if (r < 0)
			return r;
		like = like && like->key == child->key ? like->next : NULL;
		*link = child;
		link = &child->next;
		skip_space(in);
		if (peek(in) == bracket)
			break;
		if (peek(in) != ',')
			return refuse_next(in, is_object ? "after key and value, inside map, I expect ',' or '}'" :
							   "after array element, I expect ',' or ']'");
		in->at++;
	}
	in->at++;
	return is_object ? check_keys(in, parent) : 0;
}

static int read_container(struct reader *in, enum json_type type, const struct json *like, struct json **ret)
{
	int r;

	*ret = new_value(in, type);
	if (!*ret)
		return -ENOMEM;
	if (in->depth == JSON_DEPTH_MAX) {
		strbuf_printf(&in->problem, "nested deeper than %u levels", JSON_DEPTH_MAX);
		return refuse(in, "");
	}
	in->depth++;
	r = read_children(in, *ret, like);
	in->depth--;
	return r;
}

static int type_of(int c)
{
	switch (c) {
	case '{':
		return JSON_OBJECT;
	case '[':
		return JSON_ARRAY;
	case '"':
		return JSON_STRING;
	case 't':
	case 'f':
		return JSON_BOOL;
	case 'n':
		return JSON_NULL;
	default:
		return c == '-' || (c >= '0' && c <= '9') ? JSON_NUMBER : -1;
	}
}

/* Whose it is, the caller knows; like: its neighbour, NULL for none. */
static int read_value(struct reader *in, const struct json *like, struct json **ret)
{
	int type;

	skip_space(in);
	type = type_of(peek(in));
	if (type < 0)
		return refuse_next(in, "unallowed token at this point in JSON text");
	if (++in->values > JSON_VALUES_MAX) {
		strbuf_printf(&in->problem, "more than %u values", JSON_VALUES_MAX);
		return refuse(in, "");
	}
	switch (type) {
	case JSON_OBJECT:
	case JSON_ARRAY:
		return read_container(in, (enum json_type)type, like, ret);
	case JSON_STRING:
		return read_string(in, ret);
	case JSON_NUMBER:
		return read_number(in, ret);
	default:
		return read_word(in, (enum json_type)type, ret);
	}
}

/* ---- the text ---- */

static int read_text(struct reader *in, struct json **ret)
{
	int r = read_value(in, NULL, ret);

	if (r < 0)
		return r;
	skip_space(in);
	return in->at == in->end ? 0 : refuse_next(in, "trailing garbage");
}

/* Columns count characters, not bytes. */
static int fail_at(const char *name, const char *text, const char *at, const char *what, struct err **err)
{
	size_t line = 1, column = 1;

	for (; text < at; text++) {
		if (*text == '\n') {
			line++;
			column = 1;
		} else if (((unsigned char)*text & 0xc0) != 0x80) {
			column++;
		}
	}
	return err_set(err, E_JSON, 0, NULL, "%s: line %zu column %zu: %s", name, line, column, what);
}

static int refuse_size(const char *name, struct err **err)
{
	return err_set(err, E_JSON, 0, NULL, "%s: larger than %u MiB", name, JSON_SIZE_MAX >> 20);
}

int json_parse_in_place(struct arena *arena, char *text, size_t len, const char *name, const struct json **ret, struct err **err)
{
	struct reader in = { .arena = arena, .at = text, .end = text + len, .problem = STRBUF_INIT };
	struct json *root = NULL;
	int r;

	if (len > JSON_SIZE_MAX)
		return refuse_size(name, err);
	skip_space(&in);
	if (in.at == in.end)
		return err_set(err, E_JSON, 0, NULL, "%s: empty, expected a JSON value", name);
	r = read_text(&in, &root);
	if (r == 0)
		*ret = root;
	else
		r = r == -ENOMEM ? err_nomem(err) : fail_at(name, text, in.at, strbuf_str(&in.problem), err);
	strbuf_done(&in.problem);
	return r;
}

int json_parse(struct arena *arena, const char *text, size_t len, const char *name, const struct json **ret, struct err **err)
{
	char *copy;

	if (len > JSON_SIZE_MAX)
		return refuse_size(name, err);
	copy = arena_memdup(arena, text, len);
	return copy ? json_parse_in_place(arena, copy, len, name, ret, err) : err_nomem(err);
}

/* json.h - JSON text to a tree in an arena (json_read.c), and JSON text out (json.c).
 *
 * Reading is strict (invariant 35): UTF-8, no duplicate keys, no NUL (also \u0000), nothing but white
 * space after the value, depth and size bounded. Numbers keep their text, so that 64-bit integers
 * are exact and "1.0" is not an integer.
 */
#ifndef MXCRUN_BASE_JSON_H
#define MXCRUN_BASE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/strbuf.h"

#define JSON_DEPTH_MAX 64u
#define JSON_SIZE_MAX (16u << 20)
#define JSON_VALUES_MAX (1u << 20)	/* bounds the memory that a hostile file can cost */

enum json_type { JSON_NULL, JSON_BOOL, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

/* Small: a bundle has thousands, and each page that they fill costs as much as some thousand instructions. */
struct json {
	enum json_type type : 4;
	bool boolean : 1;
	uint32_t index : 27;	/* position within the parent */
	uint32_t len;		/* of text; or count of children */
	const char *text;	/* string value, or the number as written; NUL-terminated */
	const char *key;	/* this value's key when its parent is an object */
	const struct json *first, *next;	/* children; siblings */
	const struct json *parent;
};

/* Parse all of text. Errors are E_JSON and say line and column; they carry no pointer. name is how the
 * text is called in messages (a file name). */
int json_parse(struct arena *arena, const char *text, size_t len, const char *name,
	       const struct json **ret, struct err **err);
/* The same, where text is given over: its strings are those of the tree, terminated where their quote was. It has to live as long. */
int json_parse_in_place(struct arena *arena, char *text, size_t len, const char *name,
			const struct json **ret, struct err **err);

/* Member of an object, NULL when absent or when value is not an object. */
const struct json *json_get(const struct json *value, const char *key);

const char *json_type_name(enum json_type type);	/* "string", "object", ... */

/* JSON pointer (RFC 6901) of a value, e.g. /linux/namespaces/0/type; "" for the root. In the arena. */
char *json_pointer(struct arena *arena, const struct json *value);
/* The same as MXC writes it: linux.namespaces[0].type */
char *json_dotted(struct arena *arena, const struct json *value);

/* Integers, exact: 0, -EINVAL when not an integer number, -ERANGE when it does not fit. */
int json_to_i64(const struct json *value, int64_t *ret);
int json_to_u64(const struct json *value, uint64_t *ret);

/* ---- writing: commas and indentation are done here; keys NULL inside arrays and at the top ----
 * Always valid JSON: bytes that are not UTF-8 become U+FFFD. No newline at the end. Two spaces a level
 * unless compact. A failed allocation shows in out.failed. */
struct json_writer {
	struct strbuf out;
	bool compact;
	unsigned int depth;
	bool need_comma;
};
#define JSON_WRITER_INIT { .out = STRBUF_INIT }

void json_open(struct json_writer *w, const char *key, char bracket);	/* '{' or '[' */
void json_close(struct json_writer *w, char bracket);			/* '}' or ']' */
void json_put_string(struct json_writer *w, const char *key, const char *value);	/* NULL: null */
void json_put_bool(struct json_writer *w, const char *key, bool value);
void json_put_i64(struct json_writer *w, const char *key, int64_t value);
void json_put_u64(struct json_writer *w, const char *key, uint64_t value);
void json_put_json(struct json_writer *w, const char *key, const struct json *value);	/* a subtree */
#define cleanup_json_writer __attribute__((cleanup(json_writer_done)))
void json_writer_done(struct json_writer *w);

#endif

/* fields.h - declarative tables from JSON objects to structs.
 *
 * One row per key: name, kind, where it goes. The parser, the features JSON and the documentation read
 * the same rows, so that none can claim a field that the others don't know. Both the OCI and the MXC
 * parsers are tables over this file; neither walks JSON by hand except in a row's own function.
 */
#ifndef MXCRUN_CONFIG_FIELDS_H
#define MXCRUN_CONFIG_FIELDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/image.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"

/* Values that differ from "absent" only by being there. */
struct opt_bool { bool set, value; };
struct opt_i64 { bool set; int64_t value; };
struct opt_u64 { bool set; uint64_t value; };
struct opt_u32 { bool set; uint32_t value; };

struct string_list {		/* items NULL-terminated, so that it can serve as an argv */
	const char **items;
	size_t count;
	bool set;
};

struct string_pair { const char *key, *value; };
struct string_map {
	struct string_pair *items;
	size_t count;
	bool set;
};

enum field_kind {
	FIELD_STRING,		/* const char * */
	FIELD_BOOL,		/* bool */
	FIELD_OPT_BOOL,		/* struct opt_bool */
	FIELD_I64, FIELD_U64, FIELD_U32,			/* struct opt_i64, opt_u64, opt_u32 */
	FIELD_ID,		/* uint32_t: a uid or gid, 0..2^32-2 (invariant 25) */
	FIELD_STRINGS,		/* struct string_list */
	FIELD_STRING_MAP,	/* struct string_map */
	FIELD_ENUM,		/* int, index into .words; -1 when absent (set by fields_decode) */
	FIELD_OBJECT,		/* const struct X *, allocated from .table with .size; NULL when absent */
	FIELD_INLINE,		/* struct X in place */
	FIELD_OBJECTS,		/* struct { struct X *items; size_t count; } */
	FIELD_OBJECT_MAP,	/* the same from an object whose keys are names: X has a FIELD_NAME row */
	FIELD_RAW,		/* const struct json * */
	FIELD_CUSTOM,		/* .decode */
	FIELD_IGNORE,		/* known, has no meaning on Linux; type is not checked */
	FIELD_NAME,		/* const char *: the key of the object itself; matches nothing, as FIELD_SELF */
	FIELD_SELF,		/* const struct json *: the object itself, for pointers; key is "" and matches nothing */
};

struct decode;

typedef int field_decoder(struct decode *d, const struct json *value, void *target, struct err **err);

/* A row of a table, which is an IMAGE_ROWS. */
struct field {
	image_pointer(const char *) key;
	enum field_kind kind;
	size_t offset;
	bool required;
	size_t size;				/* FIELD_OBJECT, _OBJECTS, _OBJECT_MAP: sizeof the struct */
	image_pointer(const struct field *) table;	/* the same and FIELD_INLINE: rows, ended by key NULL. FIELD_CUSTOM: what .decode uses */
	image_pointer(const char *const *) words;	/* FIELD_ENUM: NULL-terminated */
	image_pointer(field_decoder *) decode;
	unsigned int gate;			/* free for the parser: MXC uses it for contract versions */
};

/* The last row of each table. */
#define FIELDS_END { .key.raw = NULL }

/* What a parser wants, and what messages look like. */
struct decode {
	struct arena *arena;
	const struct log *log;
	bool unknown_is_error;	/* OCI: unknown keys are ignored, as the specification demands */
	bool null_is_absent;
	bool mxc_style;		/* messages and paths as MXC words them: "Invalid configuration at `a.b`: ..." */
	unsigned int gate;	/* rows whose gate is non-zero and has no bit in common are unknown */
};

/* Fill the struct at out from the object by the table. Errors are E_CONFIG with the pointer of the
 * offending element, what was found and what was expected; values of secret-looking keys
 * (MXC.md 2.1) are never echoed. 0 or -errno. */
int fields_decode(struct decode *d, const struct json *object, const struct field *table, void *out,
		  struct err **err);

/* E_CONFIG about one element: "expected X, found Y", in the style of d. Returns -EINVAL. */
int fields_mismatch(const struct decode *d, const struct json *value, const char *expected,
		    struct err **err);
/* E_CONFIG with own words at an element. Returns -EINVAL. */
int fields_error(const struct decode *d, const struct json *value, struct err **err,
		 const char *format, ...) __attribute__((format(printf, 4, 5)));

/* The other texts of the same kind, shared by fields.c and the parsers. All return -EINVAL. */
int fields_unknown_word(const struct decode *d, const struct json *value, const char *const *words,
			struct err **err);
int fields_missing(const struct decode *d, const struct json *object, const char *key, struct err **err);

/* Decoder of one id into a uint32_t, for rows and lists of ids. */
int fields_decode_id(struct decode *d, const struct json *value, void *target, struct err **err);

#endif

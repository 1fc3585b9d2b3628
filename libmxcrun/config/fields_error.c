/* fields_error.c - what a configuration error says: where, what was found, what was expected.
 *
 * Two styles. OCI: the JSON pointer goes into the error object and the text says the rest. MXC: the
 * text itself has the path in MXC's notation and the words its clients look for (MXC.md 2.1), and
 * the error object has no pointer, so that the place is not said twice. Echoed values are bounded,
 * and hidden where the path names a secret.
 */
#include "config/fields.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define VALUE_SHOWN_MAX 64u

static bool is_secret_segment(const char *key, bool mxc_style)
{
	static const char *const words[] = { "token",  "password", "secret",  "credential",
					     "apikey", "api_key",  "api-key", "api key" };
	size_t i;

	for (i = 0; i < array_size(words); i++)
		if (strcasestr(key, words[i]))
			return true;
	/* "user" holds names of accounts in MXC; in OCI it holds the numbers that an error is
	 * about. */
	return mxc_style && strcasecmp(key, "user") == 0;
}

static bool is_secret(const struct decode *d, const struct json *value)
{
	for (; value; value = value->parent)
		if (value->key && is_secret_segment(value->key, d->mxc_style))
			return true;
	return false;
}

static void put_text(struct strbuf *sb, const struct decode *d, const struct json *value)
{
	if (is_secret(d, value))
		strbuf_puts(sb, "(hidden)");
	else
		strbuf_put_escaped(sb, value->text, value->len, VALUE_SHOWN_MAX);
}

static bool is_integer(const struct json *value)
{
	return value->type == JSON_NUMBER && !strpbrk(value->text, ".eE");
}

static void put_found(struct strbuf *sb, const struct decode *d, const struct json *value)
{
	switch (value->type) {
	case JSON_STRING:
		strbuf_puts(sb, "string \"");
		put_text(sb, d, value);
		strbuf_putc(sb, '"');
		break;
	case JSON_NUMBER:
		if (d->mxc_style)
			strbuf_puts(sb, is_integer(value) ? "integer `" : "floating point `");
		else
			strbuf_puts(sb, "number ");
		put_text(sb, d, value);
		strbuf_puts(sb, d->mxc_style ? "`" : "");
		break;
	case JSON_BOOL:
		strbuf_printf(sb, d->mxc_style ? "boolean `%s`" : "boolean %s",
			      is_secret(d, value) ? "(hidden)"
			      : value->boolean	  ? "true"
						  : "false");
		break;
	case JSON_ARRAY:
		strbuf_puts(sb, d->mxc_style ? "sequence" : "an array");
		break;
	case JSON_OBJECT:
		strbuf_puts(sb, d->mxc_style ? "map" : "an object");
		break;
	case JSON_NULL:
		strbuf_puts(sb, "null");
		break;
	}
}

/* The error of one element with its text ready. */
static int report(const struct decode *d, const struct json *value, struct strbuf *text,
		  struct err **err)
{
	const char *path;

	if (!d->mxc_style)
		return err_set(err, E_CONFIG, 0, json_pointer(d->arena, value), "%s",
			       strbuf_str(text));
	path = json_dotted(d->arena, value);
	if (!path || !*path)
		return err_set(err, E_CONFIG, 0, NULL, "Invalid configuration: %s",
			       strbuf_str(text));
	return err_set(err, E_CONFIG, 0, NULL, "Invalid configuration at `%s`: %s", path,
		       strbuf_str(text));
}

int fields_error(const struct decode *d, const struct json *value, struct err **err,
		 const char *format, ...)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_free char *words = NULL;
	va_list ap;
	int len;

	va_start(ap, format);
	len = vasprintf(&words, format, ap);
	va_end(ap);
	if (len < 0) {
		words = NULL;
		return err_nomem(err);
	}
	strbuf_puts(&text, words);
	return report(d, value, &text, err);
}

/* An integer of the right kind and the wrong size is a wrong value, all else a wrong type. */
static bool is_wrong_value(const struct json *value, const char *expected)
{
	static const char *const numbers[] = { "u16", "u32", "u64", "i64", "integer", "an id" };
	size_t i;

	if (!is_integer(value))
		return false;
	for (i = 0; i < array_size(numbers); i++)
		if (strstr(expected, numbers[i]))
			return true;
	return false;
}

int fields_mismatch(const struct decode *d, const struct json *value, const char *expected,
		    struct err **err)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	if (d->mxc_style) {
		strbuf_puts(&text,
			    is_wrong_value(value, expected) ? "invalid value: " : "invalid type: ");
		put_found(&text, d, value);
		strbuf_printf(&text, ", expected %s", expected);
	} else {
		strbuf_printf(&text, "expected %s, found ", expected);
		put_found(&text, d, value);
	}
	return report(d, value, &text, err);
}

int fields_unknown_word(const struct decode *d, const struct json *value, const char *const *words,
			struct err **err)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	size_t i;

	strbuf_puts(&text, "unknown variant `");
	put_text(&text, d, value);
	strbuf_puts(&text, words[1] ? "`, expected one of " : "`, expected ");
	for (i = 0; words[i]; i++)
		strbuf_printf(&text, "%s`%s`", i ? ", " : "", words[i]);
	return report(d, value, &text, err);
}

int fields_missing(const struct decode *d, const struct json *object, const char *key,
		   struct err **err)
{
	return fields_error(d, object, err, "missing field `%s`", key);
}

/* mxc_source.c - see mxc_source.h.
 *
 * Callers may pass pipes ("<(...)", /dev/stdin) as well as files. What can't end is bounded by
 * size; a device is refused. */

#include "mxc_source.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/input.h"
#include "base/json.h"
#include "base/mem.h"

static int base64_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* The standard alphabet with its padding; no line breaks. */
static int base64_decode(const char *text, struct mxc_text *ret)
{
	size_t len = strlen(text), padding = 0;
	unsigned int bits = 0, count = 0;

	while (padding < 2 && len > 0 && text[len - 1] == '=') {
		padding++;
		len--;
	}
	if ((len + padding) % 4 != 0)
		return -EINVAL;
	ret->data = malloc(len / 4 * 3 + 4);
	if (!ret->data)
		return -ENOMEM;
	ret->len = 0;
	for (size_t i = 0; i < len; i++) {
		int value = base64_value(text[i]);

		if (value < 0)
			return -EINVAL;
		bits = bits << 6 | (unsigned int)value;
		count += 6;
		if (count >= 8) {
			count -= 8;
			ret->data[ret->len++] = (char)(bits >> count);
		}
	}
	/* Bits that are left over belong to no byte and must be zero. */
	if (bits & ((1u << count) - 1))
		return -EINVAL;
	ret->data[ret->len] = '\0';
	return 0;
}

static int read_path(const char *path, struct mxc_text *ret, struct err **err)
{
	/* typed by hand or made by a program, it takes as long as it takes */
	int r = input_read(path, JSON_SIZE_MAX, -1, &ret->data, &ret->len);

	ret->name = path;
	if (r == -EFBIG)
		return err_set(err, E_JSON, 0, NULL, "%s is larger than %u MiB", path,
			       JSON_SIZE_MAX >> 20);
	if (r < 0)
		return err_sys(err, E_CONFIG, -r, "read", path, NULL);
	return 0;
}

void mxc_text_done(struct mxc_text *text)
{
	free(text->data);
	text->data = NULL;
}

const char *mxc_source_file(const struct mxc_source *source)
{
	const char *path = source->config ? source->config : source->positional;

	return source->base64 || !path || input_is_stdin(path) ? NULL : path;
}

int mxc_source_read(const struct mxc_source *source, struct mxc_text *ret, struct err **err)
{
	int r;

	if (!source->base64)
		return read_path(source->config ? source->config : source->positional, ret, err);
	ret->name = "--config-base64";
	r = base64_decode(source->base64, ret);
	if (r == -ENOMEM)
		return err_nomem(err);
	if (r < 0)
		return err_set(err, E_CONFIG, 0, NULL,
			       "the value of --config-base64 is not base64");
	return 0;
}

int mxc_source_parse(const struct mxc_source *source, const struct log *log,
		     struct policy_document *ret, struct err **err)
{
	cleanup_mxc_text struct mxc_text text = { 0 };
	int r = mxc_source_read(source, &text, err);

	return r < 0 ? r : policy_parse(text.data, text.len, text.name, log, ret, err);
}

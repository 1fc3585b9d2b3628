/* engine_words.c - see engine_words.h. */
#include "config/engine_words.h"

#include <string.h>

const char *const engine_words[] = { "native", "bwrap", "lxc", NULL };

const char *engine_word(const char *text)
{
	const char *const *word = engine_words;

	while (*word && strcmp(*word, text) != 0)
		word++;
	return *word;
}

int engine_word_decode(struct decode *d, const struct json *value, void *target, struct err **err)
{
	const char *word = value->type == JSON_STRING ? engine_word(value->text) : NULL;

	if (value->type != JSON_STRING)
		return fields_mismatch(d, value, "a string", err);
	if (!word)
		return fields_unknown_word(d, value, engine_words, err);
	*(const char **)target = word;
	return 0;
}

/* engine_words.h - who carries a plan out, by the names that configurations and the command line use. */
#ifndef MXCRUN_CONFIG_ENGINE_WORDS_H
#define MXCRUN_CONFIG_ENGINE_WORDS_H

#include "config/fields.h"

extern const char *const engine_words[];	/* NULL-terminated; engine/engines.c has an engine for each */

/* The word of the list that this is, or NULL. */
const char *engine_word(const char *text);

/* .decode of a row: const char *, one of the words; NULL when absent. */
int engine_word_decode(struct decode *d, const struct json *value, void *target, struct err **err);

#endif

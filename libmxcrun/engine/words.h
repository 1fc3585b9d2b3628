/* words.h - words of a command as text for others. */
#ifndef MXCRUN_ENGINE_WORDS_H
#define MXCRUN_ENGINE_WORDS_H

#include <stddef.h>

#include "base/strbuf.h"

/* In single quotes, unless it is made of what no shell gives a meaning. */
void words_put_quoted(struct strbuf *out, const char *word);
/* All of them, a blank between two. */
void words_put_shell(struct strbuf *out, const char *const *words, size_t count);
/* Those behind the first, each ended by a NUL byte. */
void words_put_nul(struct strbuf *out, const char *const *words, size_t count);

#endif

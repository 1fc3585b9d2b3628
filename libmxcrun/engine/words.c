/* words.c - see words.h. */
#include "engine/words.h"

#include <string.h>

void words_put_quoted(struct strbuf *out, const char *word)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:,@%+=";

	if (*word && !word[strspn(word, plain)]) {
		strbuf_puts(out, word);
		return;
	}
	strbuf_putc(out, '\'');
	for (; *word; word++) {
		if (*word == '\'')
			strbuf_puts(out, "'\\''");
		else
			strbuf_putc(out, *word);
	}
	strbuf_putc(out, '\'');
}

void words_put_shell(struct strbuf *out, const char *const *words, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (i)
			strbuf_putc(out, ' ');
		words_put_quoted(out, words[i]);
	}
}

void words_put_nul(struct strbuf *out, const char *const *words, size_t count)
{
	for (size_t i = 1; i < count; i++)
		strbuf_add(out, words[i], strlen(words[i]) + 1);
}

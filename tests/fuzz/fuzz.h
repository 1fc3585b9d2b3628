/* fuzz.h - for the fuzzers: libFuzzer calls LLVMFuzzerTestOneInput() with bytes that a stranger could send. A crash, a
 * leak, undefined behaviour or an assertion is a finding; an error from the parser is not. */
#ifndef MXCRUN_TESTS_FUZZ_H
#define MXCRUN_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* A refusal has words in one line, whatever was in the input. */
static inline void check_refusal(int r, const struct err *err)
{
	char *line;

	if (r >= 0)
		return;
	if (!err)
		abort();
	line = err_format(err);
	if (!line || !*line || strchr(line, '\n'))
		abort();
	free(line);
}

static inline void log_nothing(void *data, enum log_level level, const char *message)
{
	(void)data;
	(void)level;
	(void)message;
}

static inline char *text_of(const uint8_t *data, size_t len)
{
	char *text = malloc(len + 1);

	if (!text)
		abort();
	if (len)
		memcpy(text, data, len);
	text[len] = '\0';
	return text;
}

#endif

/* record_filters.c - the seccomp filters of a container's policies as words of its record, for `exec`: the very programs, because
 * the files that they were made from may have changed since. */
#include "lifecycle/store.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/filter.h>
#include <stdio.h>
#include <string.h>

#include "base/strbuf.h"

#define DIGITS 16u /* of an instruction: code, jt, jf, k as struct sock_filter has them */

char *filter_format(const struct plan_seccomp *filter)
{
	const struct sock_filter *program = filter->program;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	strbuf_printf(&text, "%" PRIu32 ":", filter->flags);
	for (uint32_t i = 0; i < filter->instruction_count; i++)
		strbuf_printf(&text, "%04x%02x%02x%08x", program[i].code, program[i].jt, program[i].jf, program[i].k);
	return strbuf_take(&text);
}

static bool parse_instruction(const char *text, struct sock_filter *ret)
{
	unsigned int code, jt, jf, k;

	if (strspn(text, "0123456789abcdef") < DIGITS || sscanf(text, "%4x%2x%2x%8x", &code, &jt, &jf, &k) != 4)
		return false;
	*ret = (struct sock_filter){ .code = (uint16_t)code, .jt = (uint8_t)jt, .jf = (uint8_t)jf, .k = k };
	return true;
}

int filter_parse(struct arena *arena, const char *text, struct plan_seccomp *ret)
{
	const char *colon = strchr(text, ':');
	size_t count = colon ? strlen(colon + 1) / DIGITS : 0;
	struct sock_filter *program;
	unsigned int flags;
	int end = 0;

	if (!count || strlen(colon + 1) % DIGITS || count > BPF_MAXINSNS || sscanf(text, "%u%n", &flags, &end) != 1 || text + end != colon)
		return -EBADMSG;
	program = arena_array(arena, count, sizeof(*program));
	if (!program)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++)
		if (!parse_instruction(colon + 1 + i * DIGITS, &program[i]))
			return -EBADMSG;
	*ret = (struct plan_seccomp){ .program = program, .instruction_count = (uint32_t)count, .flags = flags };
	return 0;
}

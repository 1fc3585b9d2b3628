/* matching.c - --regex of kill and delete, as crun has it: the argument is a POSIX extended regular expression, and each
 * container whose id it matches is dealt with. Which is not anchored: "a" matches "bar". */

#include "program.h"

#include <regex.h>

static int compile(const char *expression, regex_t *ret, struct err **err)
{
	char why[128];
	int r = regcomp(ret, expression, REG_EXTENDED | REG_NOSUB);

	if (r == 0)
		return 0;
	regerror(r, ret, why, sizeof(why));
	return err_set(err, E_USAGE, 0, NULL, "--regex: \"%.64s\" is no regular expression: %s", expression, why);
}

/* One that fails keeps none of the others; each failure is told. */
static int each_match(struct program *program, const struct lifecycle *lc, const regex_t *regex,
		      int (*operation)(const struct lifecycle *lc, const char *id, void *data, struct err **err), void *data)
{
	cleanup_store_ids struct store_ids ids = { 0 };
	cleanup_err struct err *unlisted = NULL;
	int exit_code = 0;

	if (store_ids(lc->store, &ids, &unlisted) < 0)
		return program_fail(program, unlisted);
	for (size_t i = 0; i < ids.count; i++) {
		cleanup_err struct err *err = NULL;

		if (regexec(regex, ids.items[i], 0, NULL, 0) == 0 && operation(lc, ids.items[i], data, &err) < 0)
			exit_code = program_fail(program, err);
	}
	return exit_code;
}

int program_on_matching(struct program *program, const struct lifecycle *lc, const char *expression,
			int (*operation)(const struct lifecycle *lc, const char *id, void *data, struct err **err), void *data)
{
	cleanup_err struct err *err = NULL;
	regex_t regex;
	int exit_code;

	if (compile(expression, &regex, &err) < 0)
		return program_fail(program, err);
	exit_code = each_match(program, lc, &regex, operation, data);
	regfree(&regex);
	return exit_code;
}

/* delete.c - `mxcrun delete`. */

#include "program.h"

static int delete_one(const struct lifecycle *lc, const char *id, void *data, struct err **err)
{
	const bool *is_forced = data;

	return lifecycle_delete(lc, id, *is_forced, err);
}

int command_delete(struct program *program, int argc, char **argv)
{
	cleanup_err struct err *err = NULL;
	struct arguments arguments;
	struct lifecycle lc;
	bool is_forced = false, is_regex = false;
	int exit_code;
	const struct option_row rows[] = {
		{ "force", 'f', OPT_FLAG, &is_forced, NULL, NULL,
		  "kill it first if it runs; an absent one is no error" },
		{ "regex", 'r', OPT_FLAG, &is_regex, NULL, NULL, "ID is a regular expression: all that it matches" },
		{ 0 },
	};
	const struct command_usage usage = {
		.name = "delete",
		.arguments = "ID",
		.options = rows,
		.least = 1,
		.most = 1,
		.summary = "Remove a container and everything that was made for it",
	};

	if (!program_arguments(program, &usage, argc, argv, &arguments, &exit_code))
		return exit_code;
	if (program_lifecycle(program, STORE_READ, &lc, &err) < 0)
		return program_fail(program, err);
	if (is_regex)
		return program_on_matching(program, &lc, arguments.items[0], delete_one, &is_forced);
	return lifecycle_delete(&lc, arguments.items[0], is_forced, &err) < 0 ? program_fail(program, err) : 0;
}

/* delete.c - `mxcrun delete`. */

#include "program.h"

int command_delete(struct program *program, int argc, char **argv)
{
	cleanup_err struct err *err = NULL;
	struct arguments arguments;
	struct lifecycle lc;
	bool is_forced = false;
	int exit_code;
	const struct option_row rows[] = {
		{ "force", 'f', OPT_FLAG, &is_forced, NULL, NULL,
		  "kill it first if it runs; an absent one is no error" },
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
	if (program_lifecycle(program, STORE_READ, &lc, &err) < 0 ||
	    lifecycle_delete(&lc, arguments.items[0], is_forced, &err) < 0)
		return program_fail(program, err);
	return 0;
}

/* create.c - `mxcrun create`. */

#include "bundle.h"

static int create(struct program *program, const struct bundle_options *options, const char *id,
		  struct err **err)
{
	cleanup_waiting struct engine_child waiting = ENGINE_CHILD_INIT;
	struct bundle_request bundle;
	struct lifecycle lc;
	int r = bundle_begin(program, options, id, &waiting, &bundle, &lc, err);

	return r < 0 ? r : lifecycle_create(&lc, &bundle.request, err);
}

int command_create(struct program *program, int argc, char **argv)
{
	cleanup_err struct err *err = NULL;
	struct bundle_options options = BUNDLE_OPTIONS_INIT;
	struct arguments arguments;
	int exit_code;
	const struct option_row rows[] = { BUNDLE_OPTION_ROWS(options), REPORT_OPTION_ROW(options), { 0 } };
	const struct command_usage usage = {
		.name = "create",
		.arguments = "ID",
		.options = rows,
		.least = 1,
		.most = 1,
		.summary = "Create a container from a bundle, up to where its program could start",
	};

	if (!program_arguments(program, &usage, argc, argv, &arguments, &exit_code))
		return exit_code;
	if (create(program, &options, arguments.items[0], &err) < 0)
		return program_fail(program, err);
	return 0;
}

/* run.c - `mxcrun run`. */

#include "bundle.h"

static int run(struct program *program, const struct bundle_options *options,
	       const struct run_options *how, const char *id, int *ret_exit_code, struct err **err)
{
	cleanup_waiting struct engine_child waiting = ENGINE_CHILD_INIT;
	struct bundle_request bundle;
	struct lifecycle lc;
	int r = bundle_begin(program, options, id, &waiting, &bundle, &lc, err);

	return r < 0 ? r : lifecycle_run(&lc, &bundle.request, how, ret_exit_code, err);
}

int command_run(struct program *program, int argc, char **argv)
{
	cleanup_err struct err *err = NULL;
	struct bundle_options options = BUNDLE_OPTIONS_INIT;
	struct run_options how = { 0 };
	struct arguments arguments;
	int exit_code;
	const struct option_row rows[] = {
		BUNDLE_OPTION_ROWS(options),
		REPORT_OPTION_ROW(options),
		{ "detach", 'd', OPT_FLAG, &how.detach, NULL, NULL, "leave it running and return" },
		{ "keep", '\0', OPT_FLAG, &how.keep, NULL, NULL,
		  "leave it for `state` and `delete` when it has ended" },
		{ 0 },
	};
	const struct command_usage usage = {
		.name = "run",
		.arguments = "ID",
		.options = rows,
		.least = 1,
		.most = 1,
		.summary = "Create and start a container, and by default stay with it to its end",
	};

	if (!program_arguments(program, &usage, argc, argv, &arguments, &exit_code))
		return exit_code;
	if (run(program, &options, &how, arguments.items[0], &exit_code, &err) < 0) {
		program_fail(program, err);
		return program_failure_code(err, EXIT_CODE_FAILURE);
	}
	return exit_code;
}

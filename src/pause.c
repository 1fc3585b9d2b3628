/* pause.c - `mxcrun pause` and `mxcrun resume`. */

#include "program.h"

int command_pause(struct program *program, int argc, char **argv)
{
	const struct option_row rows[] = { { 0 } };
	const struct command_usage usage = {
		.name = "pause",
		.arguments = "ID",
		.options = rows,
		.least = 1,
		.most = 1,
		.summary = "Freeze all processes of a container",
	};

	return program_on_container(program, &usage, argc, argv, lifecycle_pause);
}

int command_resume(struct program *program, int argc, char **argv)
{
	const struct option_row rows[] = { { 0 } };
	const struct command_usage usage = {
		.name = "resume",
		.arguments = "ID",
		.options = rows,
		.least = 1,
		.most = 1,
		.summary = "Thaw all processes of a paused container",
	};

	return program_on_container(program, &usage, argc, argv, lifecycle_resume);
}

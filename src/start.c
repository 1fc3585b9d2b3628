/* start.c - `mxcrun start`. */

#include "program.h"

int command_start(struct program *program, int argc, char **argv)
{
	const struct option_row rows[] = { { 0 } };
	const struct command_usage usage = {
		.name = "start",
		.arguments = "ID",
		.options = rows,
		.least = 1,
		.most = 1,
		.summary = "Execute the program of a created container",
	};

	return program_on_container(program, &usage, argc, argv, lifecycle_start);
}

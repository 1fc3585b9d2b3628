/* mxc.c - `mxcrun mxc`: which of its commands is meant. */

#include <string.h>

#include "program.h"

static const char help_text[] = "Usage: mxcrun mxc run [options] [CONFIG]\n"
				"       mxcrun mxc validate CONFIG\n"
				"       mxcrun mxc plan CONFIG\n"
				"       mxcrun mxc emit oci|bwrap|lxc CONFIG\n";

int command_mxc(struct program *program, int argc, char **argv)
{
	cleanup_err struct err *err = NULL;
	const char *name = argc > 0 ? argv[0] : "";

	if (!strcmp(name, "run"))
		return command_mxc_run(program, argc - 1, argv + 1);
	if (!strcmp(name, "validate"))
		return command_mxc_validate(program, argc - 1, argv + 1);
	if (!strcmp(name, "plan"))
		return command_mxc_plan(program, argc - 1, argv + 1);
	if (!strcmp(name, "emit"))
		return command_mxc_emit(program, argc - 1, argv + 1);
	if (!strcmp(name, "--help") || !strcmp(name, "-h"))
		return program_print(program, help_text);
	if (*name)
		err_set(&err, E_USAGE, 0, NULL, "\"mxc\" has no command \"%.64s\", expected one of: run, validate, plan, emit", name);
	else
		err_set(&err, E_USAGE, 0, NULL, "\"mxc\" needs one of: run, validate, plan, emit");
	program_fail(program, err);
	return EXIT_CODE_USAGE;
}

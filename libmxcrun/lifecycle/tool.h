/* tool.h - run a program of the host to its end, for work that is not ours to reinvent. */
#ifndef MXCRUN_LIFECYCLE_TOOL_H
#define MXCRUN_LIFECYCLE_TOOL_H

#include "base/err.h"

struct tool_use {
	const char *const *argv;	/* NULL-terminated; argv[0] is searched for in PATH */
	char *const *envp;		/* NULL: ours */
	int held_fd;			/* stays open in it and in whatever it starts, as a lock that lasts as long as they work */
	int output_fd;			/* its standard output; -1: what it says there may be the reason of a failure, too */
};

/* Standard input is /dev/null. It ends when we are killed. E_HOST when it is not installed, or fails: then with the line that says
 * "ERROR", as scripts do, or the first one of what it said. */
int tool_run(const struct tool_use *use, struct err **err);

#endif

/* tool.h - run a program of the host to its end, for work that is not ours to reinvent. */
#ifndef MXCRUN_LIFECYCLE_TOOL_H
#define MXCRUN_LIFECYCLE_TOOL_H

#include "base/err.h"

/* argv is NULL-terminated; argv[0] is searched for in PATH. Standard input is /dev/null, standard output ours. E_HOST when it is
 * not installed, or fails: then with the first line of what it said on standard error. */
int tool_run(const char *const argv[], struct err **err);

#endif

/* tool.h - programs of this host that engines start. */
#ifndef MXCRUN_ENGINE_TOOL_H
#define MXCRUN_ENGINE_TOOL_H

#include "base/err.h"

struct engine_tool {
	const char *engine, *program;	/* whose, and its name */
	const char *paths[4];	/* where it may be, absolute, in that order; to NULL */
	const char *remedy;	/* what to install */
};

/* The one of its paths where it is, or NULL with E_HOST and the remedy. */
const char *engine_tool_find(const struct engine_tool *tool, struct err **err);

/* What it prints when it is given that option; malloc'd. E_HOST, also when it takes more than ten seconds. 0 or -errno. */
int engine_tool_ask(const char *path, const char *option, char **ret, struct err **err);

#endif

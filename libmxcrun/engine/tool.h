/* tool.h - programs of this host that engines start. */
#ifndef MXCRUN_ENGINE_TOOL_H
#define MXCRUN_ENGINE_TOOL_H

#include "base/err.h"

/* The absolute path of an engine's program, or NULL with E_HOST and what to install. */
const char *engine_tool_find(const char *engine, const char *program, const char *remedy, struct err **err);

/* What it prints when it is given that option; malloc'd. 0 or -errno. */
int engine_tool_ask(const char *path, const char *option, char **ret);

#endif

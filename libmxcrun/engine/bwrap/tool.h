/* tool.h - the program bwrap of this host. */
#ifndef MXCRUN_ENGINE_BWRAP_TOOL_H
#define MXCRUN_ENGINE_BWRAP_TOOL_H

#include "base/err.h"

/* Its absolute path, or NULL with E_HOST and what to install. */
const char *bwrap_tool_find(struct err **err);

/* Does it have the options that a run needs? It is asked. 0, or E_HOST. */
int bwrap_tool_check(const char *path, struct err **err);

#endif

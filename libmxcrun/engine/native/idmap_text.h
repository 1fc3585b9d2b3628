/* idmap_text.h - id maps as the kernel reads them, and written by a process that shares its memory with another. */
#ifndef MXCRUN_ENGINE_NATIVE_IDMAP_TEXT_H
#define MXCRUN_ENGINE_NATIVE_IDMAP_TEXT_H

#include <sys/types.h>

#include "base/strbuf.h"
#include "plan/plan.h"

/* A line for each range; text.failed: no memory. */
void idmap_format(const struct plan_idmaps *maps, struct strbuf *text);

/* By raw calls (clone.h): the text, which is not empty, into "uid_map" or "gid_map" of the process. 0 or a negative errno. */
int raw_idmap_write(pid_t pid, const char *file, const struct strbuf *text);

#endif

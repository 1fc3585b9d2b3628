/* report.h - the enforcement record: what each policy asked for, and by what it is held now. */
#ifndef MXCRUN_LIFECYCLE_REPORT_H
#define MXCRUN_LIFECYCLE_REPORT_H

#include <sys/types.h>

#include "base/err.h"
#include "plan/plan.h"

/* Replace the file at path; NULL: nothing to do. status: "created" or "running". A record that can't be written is
 * an error, for somebody relies on it. 0 or -errno. */
int report_write(const char *path, const struct plan *plan, const char *status, pid_t pid, struct err **err);

#endif

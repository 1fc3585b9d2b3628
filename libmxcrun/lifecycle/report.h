/* report.h - the enforcement record: what each policy asked for, and by what it is held now. */
#ifndef MXCRUN_LIFECYCLE_REPORT_H
#define MXCRUN_LIFECYCLE_REPORT_H

#include <sys/types.h>

#include "base/err.h"
#include "engine/engine.h"
#include "lifecycle/prepare.h"
#include "net/enter.h"

/* Before anything is started: could it be written? NULL: nothing to do. 0 or -errno. */
int report_check(const char *path, struct err **err);

/* Replace the file at path; NULL: nothing to do. status: "created" or "running". A record that can't be written is
 * an error, for somebody relies on it. 0 or -errno. */
int report_write(const char *path, const struct prepared *prepared, const char *status, pid_t pid, struct err **err);

/* For a run that is watched to its end: keep hold of the container's network namespace, when there is a record to write and
 * rules are in force there. 0 or -errno. */
int report_watch(const char *path, const struct plan *plan, const struct engine_child *child, struct net_namespace *ret, struct err **err);

/* Then, once it has ended, replace the record by one that also has what each rule has let through and refused. 0 or -errno. */
int report_write_end(const char *path, const struct prepared *prepared, pid_t pid, const struct net_namespace *namespaces,
		     struct err **err);

#endif

/* background.h - a supervisor that outlives the command which started it. */
#ifndef MXCRUN_LIFECYCLE_BACKGROUND_H
#define MXCRUN_LIFECYCLE_BACKGROUND_H

#include "base/err.h"
#include "lifecycle/lifecycle.h"

/* Run the function in a process of its own: in a new session, with / as its directory, its standard streams on /dev/null, and
 * nothing else of the caller's open. Returns when it has called on_running(told), or has failed, and with what; what comes after
 * that nobody hears of. */
int background_start(const struct lifecycle *lc,
		     int (*function)(const struct lifecycle *lc, void *data, void (*on_running)(void *), void *told, struct err **err),
		     void *data, struct err **err);

#endif

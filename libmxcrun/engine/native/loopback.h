/* loopback.h - the loopback interface of a new network namespace, whether init has made it or the parent (netns.c). */
#ifndef MXCRUN_ENGINE_NATIVE_LOOPBACK_H
#define MXCRUN_ENGINE_NATIVE_LOOPBACK_H

#include "base/err.h"

/* Bring "lo" up in the caller's network namespace. 0, or -errno with E_NETWORK. */
int loopback_up(struct err **err);
/* By raw calls (clone.h): 0 or a negative errno. */
int raw_loopback_up(void);

#endif

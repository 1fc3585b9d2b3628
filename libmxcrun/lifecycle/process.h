/* process.h - processes that a file names: signalled only when they are still the same ones
 * (invariant 41). */
#ifndef MXCRUN_LIFECYCLE_PROCESS_H
#define MXCRUN_LIFECYCLE_PROCESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

/* A zombie has ended, although its number is still taken. */
bool process_lives(pid_t pid, uint64_t start_ticks);

/* 1: sent, 0: it is gone, -errno. The pidfd, to wait on, goes to *ret_pidfd unless that is NULL. */
int process_signal(pid_t pid, uint64_t start_ticks, int signal, int *ret_pidfd, struct err **err);

#endif

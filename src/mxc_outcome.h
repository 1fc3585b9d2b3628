/* mxc_outcome.h - how `mxc run` tells its caller that a sandbox has ended, or never was. */
#ifndef MXCRUN_MXC_OUTCOME_H
#define MXCRUN_MXC_OUTCOME_H

#include "base/json.h"
#include "lifecycle/supervise.h"
#include "program.h"

/* How it ended, as an exit code; or the failure that it amounts to. */
int mxc_outcome(const struct supervised *end, uint32_t timeout_ms, int *ret_exit_code, struct err **err);

/* What a client knows of a failure (MXC.md 11), as one line of JSON; w is new. */
void mxc_put_error(struct json_writer *w, const char *code, const struct err *failure);

/* We are at fault, or this host, or what the policy asks of it: text on stderr, and on a line of its own what clients parse. The exit
 * code. */
int mxc_fail_backend(const struct program *program, const struct err *failure);

#endif

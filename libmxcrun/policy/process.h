/* process.h - what the process section of an MXC policy comes to. */
#ifndef MXCRUN_POLICY_PROCESS_H
#define MXCRUN_POLICY_PROCESS_H

#include "base/err.h"
#include "base/mem.h"
#include "config/mxc.h"
#include "host/facts.h"
#include "host/objects.h"
#include "policy/decisions.h"

/* proxy: the URL that the workload's variables get; NULL: none. E_POLICY when it can't be run as it is written. 0 or -errno. */
int policy_process(struct arena *arena, const struct mxc_config *config,
		   const struct host_facts *facts, const struct host_objects *objects,
		   const char *proxy, struct policy_process *ret, struct err **err);

#endif

/* print_parts.h - the parts of the printer that are in print_process.c, print_policy.c and print_network.c. */
#ifndef MXCRUN_PLAN_PRINT_PARTS_H
#define MXCRUN_PLAN_PRINT_PARTS_H

#include "base/json.h"
#include "plan/plan.h"

void print_network_policy(const struct net_policy *policy, struct json_writer *w);
void print_process(const struct plan_process *process, struct json_writer *w);
void print_seccomp(const struct plan_seccomp *seccomp, const char *key, struct json_writer *w);
void print_capability_set(uint64_t set, const char *key, struct json_writer *w);
void print_policy(const struct plan *plan, struct json_writer *w);
void print_hooks(const struct plan_hooks hooks[HOOK_MAX], struct json_writer *w);
void print_lifecycle(const struct plan_lifecycle *lifecycle, struct json_writer *w);

#endif

/* print.h - the plan as JSON: stable, complete, documented in docs/plan-json.md. */
#ifndef MXCRUN_PLAN_PRINT_H
#define MXCRUN_PLAN_PRINT_H

#include "base/json.h"
#include "plan/plan.h"

/* Write the plan as one JSON object (a value of out, under no key). Every member of the plan
 * appears, also those that ask for nothing, so that two plans can be compared line by line. 0 or
 * -ENOMEM. */
int plan_print(const struct plan *plan, struct json_writer *out);

/* Of it only the member "items" of its policy, into the open object. */
void plan_print_items(const struct plan *plan, struct json_writer *out);

/* "prestart", ...: as configurations and the printed plan call them. */
extern const char *const plan_hook_words[HOOK_MAX];

#endif

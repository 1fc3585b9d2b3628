/* hooks.h - running hooks: in the runtime's namespace by the parent, in the container's by init. */
#ifndef MXCRUN_ENGINE_NATIVE_HOOKS_H
#define MXCRUN_ENGINE_NATIVE_HOOKS_H

#include "base/err.h"
#include "plan/plan.h"

/* Run the hooks of one kind where the caller is, with the state JSON on stdin, each as a process
 * group with its timeout (invariant 44). kind is for messages; env is for those that have none of their own. Stops at the
 * first failure. */
int hooks_run(const struct plan_hooks *hooks, const char *kind, const char *state_json, const char *const *env, struct err **err);

/* The same with the environment of this process, and in the folder of the bundle (NULL: none). */
int hooks_run_outside(const struct plan_hooks *hooks, const char *kind, const char *state_json, const char *bundle, struct err **err);

/* What prepares the namespaces from outside, once they are there: prestart, then createRuntime. */
int hooks_run_runtime(const struct plan *plan, const char *state_json, struct err **err);

#endif

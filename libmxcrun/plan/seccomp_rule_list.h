/* seccomp_rule_list.h - the rules of a sandbox's filter, put together in the form that a configuration has them in; and those on the
 * terminal, which are the same whoever wrote the others. For seccomp_policy.c and seccomp_policy_file.c.
 *
 * Memory that runs out is said once, at the end: failed.
 */
#ifndef MXCRUN_PLAN_SECCOMP_RULE_LIST_H
#define MXCRUN_PLAN_SECCOMP_RULE_LIST_H

#include "base/err.h"
#include "base/mem.h"
#include "config/oci.h"
#include "plan/seccomp_calls.h"

#define IOCTL_REQUEST 1u	/* its argument */
#define IOCTL_REQUEST_BITS 0xffffffffull	/* of it, where the kernel looks */
#define RULES_FOR_IOCTL 64u	/* that one rule on it becomes at most: more than 32 bits and the values of those in which two requests differ */

struct rule_list {
	struct arena *arena;
	struct oci_syscall *items;
	size_t count, capacity;
	bool failed;		/* out of memory */
};

/* With room for those on the terminal, those of the lists of calls (seccomp_calls.h), and more. */
int rule_list_init(struct rule_list *rules, struct arena *arena, size_t more, struct err **err);

/* The rule with these arguments in place of its own. */
void rule_list_add(struct rule_list *rules, struct oci_syscall rule, struct oci_seccomp_arg *args, size_t arg_count);

/* These calls pass, or give the error; with all of these arguments. */
void rule_list_add_calls(struct rule_list *rules, const char (*calls)[SECCOMP_NAME_SIZE], size_t count, int errnum,
			 struct oci_seccomp_arg *args, size_t arg_count);
void rule_list_add_by_argument(struct rule_list *rules, const struct seccomp_call_rule *from);

/* No input for the caller's terminal by who does not type it (invariant 16). */
void rule_list_refuse_typing(struct rule_list *rules);
/* The rule, which is on ioctl, for all other requests. */
void rule_list_add_other_requests(struct rule_list *rules, const struct oci_syscall *rule);

/* ---- parts of a rule ---- */

extern const char *const ioctl_call[1];
struct string_list call_names(const char *const *items, size_t count);
struct string_list call_list(struct rule_list *rules, const char (*calls)[SECCOMP_NAME_SIZE], size_t count);
struct oci_seccomp_arg *call_conditions(struct rule_list *rules, const struct seccomp_call_rule *from, size_t *ret_count);

#endif

/* seccomp_policy.c - the filter of a policy sandbox by one of two named profiles (invariant 49).
 *
 * `default` lets pass what is listed and nothing else: a call that a newer kernel brings does not exist in a sandbox until
 * somebody has looked at it. `denylist` lets everything pass but what is dangerous. Written as an OCI section and compiled like one, so
 * that other runtimes can be given the same rules.
 */
#include "plan/seccomp.h"

#include <errno.h>
#include <linux/filter.h>
#include <string.h>

#include "plan/seccomp_rule_list.h"

const char *const seccomp_profile_words[] = { "default", "denylist", NULL };

#if defined(__x86_64__)
static const char *const arch_words[] = { "SCMP_ARCH_X86_64", "SCMP_ARCH_X86" };
#elif defined(__aarch64__)
static const char *const arch_words[] = { "SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM" };
#endif

static void add_names(struct rule_list *rules, const struct seccomp_names *calls, int errnum)
{
	rule_list_add_calls(rules, calls->items, calls->count, errnum, NULL, 0);
}

static void add_by_arguments(struct rule_list *rules, const struct seccomp_call_rule *from, size_t count, uint64_t bits)
{
	for (size_t i = 0; i < count; i++)
		if ((!from[i].with || (from[i].with & bits)) && !(from[i].without & bits))
			rule_list_add_by_argument(rules, &from[i]);
}

/* Our own filter tries refusals by argument before a plain permission, and is a quarter shorter for it. */
static void add_default(struct rule_list *rules, uint64_t bits, bool is_for_others)
{
	const struct oci_syscall permission = { .names = call_names(ioctl_call, 1), .action = "SCMP_ACT_ALLOW" };

	add_names(rules, &seccomp_allowed_calls, 0);
	add_names(rules, &seccomp_refused_calls, EPERM);
	add_by_arguments(rules, seccomp_allowed_arguments, seccomp_allowed_argument_count, bits);
	rule_list_refuse_typing(rules);
	if (is_for_others)
		rule_list_add_other_requests(rules, &permission);
	else
		rule_list_add(rules, permission, NULL, 0);
}

static void add_denylist(struct rule_list *rules, uint64_t bits)
{
	add_names(rules, &seccomp_refused_calls, EPERM);
	add_names(rules, &seccomp_absent_calls, ENOSYS);
	add_by_arguments(rules, seccomp_refused_arguments, seccomp_refused_argument_count, bits);
	rule_list_refuse_typing(rules);
}

static int build_profile(struct arena *scratch, enum seccomp_profile profile, uint64_t bits, bool is_for_others,
			 struct oci_seccomp *ret, struct err **err)
{
	struct rule_list rules;
	int r = rule_list_init(&rules, scratch, 0, err);

	if (r < 0)
		return r;
	*ret = (struct oci_seccomp){ .default_action = "SCMP_ACT_ALLOW" };
#if defined(__x86_64__) || defined(__aarch64__)
	ret->architectures = call_names(arch_words, array_size(arch_words));
#endif
	if (profile == SECCOMP_PROFILE_DEFAULT) {
		ret->default_action = "SCMP_ACT_ERRNO";
		ret->default_errno_ret = (struct opt_u32){ .set = true, .value = ENOSYS };
		add_default(&rules, bits, is_for_others);
	} else {
		add_denylist(&rules, bits);
	}
	ret->syscalls.items = rules.items;
	ret->syscalls.count = rules.count;
	return rules.failed ? err_nomem(err) : 0;
}

int seccomp_profile_from_word(const char *word, const char *pointer, struct err **err)
{
	for (int i = 0; seccomp_profile_words[i]; i++)
		if (!strcmp(seccomp_profile_words[i], word))
			return i;
	return err_set(err, E_POLICY, 0, pointer, "no seccomp profile is named \"%.64s\": default, denylist, or the absolute path of a file",
		       word);
}

/* Does a profile say something of these bits? */
static bool asks_for(const struct seccomp_call_rule *rules, size_t count, uint64_t bits)
{
	for (size_t i = 0; i < count; i++)
		if ((rules[i].with | rules[i].without) & bits)
			return true;
	return false;
}

static bool is_ready(uint64_t bits)
{
	return seccomp_ready && !asks_for(seccomp_allowed_arguments, seccomp_allowed_argument_count, bits) &&
	       !asks_for(seccomp_refused_arguments, seccomp_refused_argument_count, bits);
}

static int take_ready(struct arena *arena, const struct seccomp_ready *ready, struct plan_seccomp *ret, struct err **err)
{
	*ret = (struct plan_seccomp){
		.program = arena_memdup(arena, ready->program, ready->count * sizeof(*ready->program)),
		.instruction_count = ready->count,
	};
	return ret->program ? 0 : err_nomem(err);
}

int seccomp_compile_policy(struct arena *arena, enum seccomp_profile profile, const struct seccomp_workload *workload,
			   struct plan_seccomp *ret, const struct log *log, struct err **err)
{
	uint64_t modes = workload->writes_to_host ? SECCOMP_NO_SET_UID : 0;
	uint64_t bits = workload->capabilities | modes, others_bits = bits;
	cleanup_arena struct arena *scratch = NULL;
	struct oci_seccomp own, others;
	int r;

	if (workload->unix_sockets == SECCOMP_UNIX_PAIRS)
		bits |= SECCOMP_PAIRS_ONLY;
	if (workload->unix_sockets != SECCOMP_UNIX_ANY)
		others_bits |= SECCOMP_PAIRS_ONLY;
	if (!workload->keeps_rules && is_ready(bits & ~modes))
		return take_ready(arena, &seccomp_ready[2 * profile + workload->writes_to_host], ret, err);
	scratch = arena_new();
	r = scratch ? build_profile(scratch, profile, bits, false, &own, err) : err_nomem(err);

	if (r == 0 && workload->keeps_rules)
		r = build_profile(scratch, profile, others_bits, true, &others, err);
	return r < 0 ? r : seccomp_compile(arena, &own, workload->keeps_rules ? &others : NULL, ret, log, err);
}

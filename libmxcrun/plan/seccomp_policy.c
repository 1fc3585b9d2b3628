/* seccomp_policy.c - the filter of a policy sandbox (invariant 49): one of two named profiles, or a file's.
 *
 * `default` lets pass what is listed and nothing else: a call that a newer kernel brings does not exist in a sandbox until
 * somebody has looked at it. `denylist` lets everything pass but what is dangerous. Whatever the profile, no
 * one types into the caller's terminal (invariant 16). Written as an OCI section and compiled like one, so that other runtimes can
 * be given the same rules.
 */
#include "plan/seccomp.h"

#include <errno.h>
#include <string.h>

#include "plan/seccomp_calls.h"

#define REQUEST_ARGUMENT 1u	/* of ioctl */
#define LOW_32 0xffffffffull
#define TERMINAL_RULES 64u	/* more than 32 bits and the values of those in which two requests differ */

const char *const seccomp_profile_words[] = { "default", "denylist", NULL };

#if defined(__x86_64__)
static const char *const arch_words[] = { "SCMP_ARCH_X86_64", "SCMP_ARCH_X86" };
#elif defined(__aarch64__)
static const char *const arch_words[] = { "SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM" };
#endif

struct rules {
	struct arena *arena;
	struct oci_syscall *items;
	size_t count, capacity;
	bool failed;		/* out of memory */
};

static struct string_list names(const char *const *items, size_t count)
{
	return (struct string_list){ .items = (const char **)(uintptr_t)items, .count = count, .set = true };
}

static void add(struct rules *rules, const char *const *calls, size_t count, int errnum, struct oci_seccomp_arg *args,
		size_t arg_count)
{
	struct oci_syscall rule = {
		.names = names(calls, count),
		.action = errnum ? "SCMP_ACT_ERRNO" : "SCMP_ACT_ALLOW",
		.errno_ret = { .set = errnum != 0, .value = (uint32_t)errnum },
		.args = { .items = args, .count = arg_count },
	};

	rules->failed |= rules->count == rules->capacity || (arg_count && !args);
	if (!rules->failed)
		rules->items[rules->count++] = rule;
}

static void add_names(struct rules *rules, const struct seccomp_names *calls, int errnum)
{
	add(rules, calls->items, calls->count, errnum, NULL, 0);
}

static struct oci_seccomp_arg argument(uint32_t index, const char *op, uint64_t value, uint64_t value_two)
{
	return (struct oci_seccomp_arg){
		.index = { .set = true, .value = index },
		.op = op,
		.value = { .set = true, .value = value },
		.value_two = { .set = true, .value = value_two },
	};
}

static void add_by_arguments(struct rules *rules, const struct seccomp_call_rule *from, size_t count, uint64_t capabilities)
{
	for (size_t i = 0; i < count; i++) {
		const struct seccomp_call_rule *rule = &from[i];
		struct oci_seccomp_arg *args = arena_array(rules->arena, array_size(rule->args), sizeof(*args));
		size_t used = 0;

		if ((rule->with && !(rule->with & capabilities)) || (rule->without & capabilities))
			continue;
		for (; args && used < array_size(rule->args) && rule->args[used].op; used++)
			args[used] = argument(rule->args[used].index, rule->args[used].op, rule->args[used].value,
					      rule->args[used].value_two);
		rules->failed |= !args;
		add(rules, &rule->call, 1, rule->errnum, args, used);
	}
}

/* ---- the terminal ---- */

static const char *const ioctl_call[] = { "ioctl" };

static void add_ioctl(struct rules *rules, int errnum, uint64_t mask, uint64_t value)
{
	struct oci_seccomp_arg *arg = arena_alloc(rules->arena, sizeof(*arg));

	if (arg)
		*arg = argument(REQUEST_ARGUMENT, "SCMP_CMP_MASKED_EQ", mask, value);
	add(rules, ioctl_call, 1, errnum, arg, 1);
}

static void refuse_typing(struct rules *rules)
{
	for (size_t i = 0; i < array_size(seccomp_terminal_requests); i++)
		add_ioctl(rules, EPERM, LOW_32, seccomp_terminal_requests[i]);
}

/* All requests but those two, said without "not": of the bits that the two have in common one is different; or all are
 * the same, and those in which they differ have another value. (A plain permission beside a refusal by argument would mean
 * nothing but the permission to libseccomp.) */
static void allow_other_requests(struct rules *rules)
{
	uint64_t one = seccomp_terminal_requests[0], other = seccomp_terminal_requests[1], differing = one ^ other;

	for (uint64_t bit = 1; bit <= LOW_32; bit <<= 1)
		if (!(bit & differing))
			add_ioctl(rules, 0, bit, ~one & bit);
	/* all subsets of the differing bits, the empty one last */
	for (uint64_t subset = differing;; subset = (subset - 1) & differing) {
		uint64_t value = (one & ~differing) | subset;

		if (value != one && value != other)
			add_ioctl(rules, 0, LOW_32, value);
		if (!subset)
			break;
	}
}

/* ---- the profiles ---- */

static void add_default(struct rules *rules, uint64_t capabilities)
{
	add_names(rules, &seccomp_allowed_calls, 0);
	add_names(rules, &seccomp_refused_calls, EPERM);
	add_by_arguments(rules, seccomp_allowed_arguments, seccomp_allowed_argument_count, capabilities);
	refuse_typing(rules);
	allow_other_requests(rules);
}

static void add_denylist(struct rules *rules, uint64_t capabilities)
{
	add_names(rules, &seccomp_refused_calls, EPERM);
	add_names(rules, &seccomp_absent_calls, ENOSYS);
	add_by_arguments(rules, seccomp_refused_arguments, seccomp_refused_argument_count, capabilities);
	refuse_typing(rules);
}

static int rules_init(struct rules *rules, struct arena *arena, size_t more, struct err **err)
{
	*rules = (struct rules){ .arena = arena };
	rules->capacity = TERMINAL_RULES + seccomp_allowed_argument_count + seccomp_refused_argument_count + more;
	rules->items = arena_array(arena, rules->capacity, sizeof(*rules->items));
	return rules->items ? 0 : err_nomem(err);
}

int seccomp_compile_policy(struct arena *arena, enum seccomp_profile profile, uint64_t capabilities,
			   struct plan_seccomp *ret, const struct log *log, struct err **err)
{
	cleanup_arena struct arena *scratch = arena_new();
	struct oci_seccomp config = { .default_action = "SCMP_ACT_ALLOW" };
	struct rules rules;
	int r = scratch ? rules_init(&rules, scratch, 0, err) : err_nomem(err);

	if (r < 0)
		return r;
#if defined(__x86_64__) || defined(__aarch64__)
	config.architectures = names(arch_words, array_size(arch_words));
#endif
	if (profile == SECCOMP_PROFILE_DEFAULT) {
		config.default_action = "SCMP_ACT_ERRNO";
		config.default_errno_ret = (struct opt_u32){ .set = true, .value = ENOSYS };
		add_default(&rules, capabilities);
	} else {
		add_denylist(&rules, capabilities);
	}
	if (rules.failed)
		return err_nomem(err);
	config.syscalls.items = rules.items;
	config.syscalls.count = rules.count;
	return seccomp_compile(arena, &config, ret, log, err);
}

/* ---- a file's ---- */

static int check_action(const char *word, const struct json *element, struct arena *arena, struct err **err)
{
	if (!word || strcmp(word, "SCMP_ACT_NOTIFY") != 0)
		return 0;
	return err_set(err, E_POLICY, 0, element ? json_pointer(arena, element) : NULL,
		       "SCMP_ACT_NOTIFY: nobody listens to the calls of a sandbox");
}

int seccomp_compile_policy_file(struct arena *arena, const struct oci_seccomp *file, struct plan_seccomp *ret,
				const struct log *log, struct err **err)
{
	cleanup_arena struct arena *scratch = arena_new();
	struct oci_seccomp config = *file;
	struct rules rules;
	int r = scratch ? rules_init(&rules, scratch, file->syscalls.count, err) : err_nomem(err);

	if (r == 0)
		r = check_action(file->default_action, file->element, scratch, err);
	for (size_t i = 0; i < file->syscalls.count && r == 0; i++)
		r = check_action(file->syscalls.items[i].action, file->syscalls.items[i].element, scratch, err);
	if (r == 0 && (file->listener_path || file->listener_metadata))
		r = err_set(err, E_POLICY, 0, "/listenerPath", "nobody listens to the calls of a sandbox");
	if (r < 0)
		return r;
	/* before the file's own, so that they win */
	refuse_typing(&rules);
	for (size_t i = 0; i < file->syscalls.count; i++)
		rules.items[rules.count++] = file->syscalls.items[i];
	if (rules.failed)
		return err_nomem(err);
	config.syscalls.items = rules.items;
	config.syscalls.count = rules.count;
	return seccomp_compile(arena, &config, ret, log, err);
}

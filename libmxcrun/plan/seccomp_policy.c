/* seccomp_policy.c - the filter of a policy sandbox (invariant 49): one of two named profiles, or a file's.
 *
 * `default` lets pass what is listed and nothing else: a call that a newer kernel brings does not exist in a sandbox until
 * somebody has looked at it. `denylist` lets everything pass but what is dangerous. Whatever the profile, no
 * one types into the caller's terminal (invariant 16). Written as an OCI section and compiled like one, so that other runtimes can
 * be given the same rules.
 */
#include "plan/seccomp.h"

#include <errno.h>
#include <linux/filter.h>
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

static void add_rule(struct rules *rules, struct oci_syscall rule, struct oci_seccomp_arg *args, size_t arg_count)
{
	rule.args.items = args;
	rule.args.count = arg_count;
	rules->failed |= rules->count == rules->capacity || (arg_count && !args);
	if (!rules->failed)
		rules->items[rules->count++] = rule;
}

static void add(struct rules *rules, const char *const *calls, size_t count, int errnum, struct oci_seccomp_arg *args,
		size_t arg_count)
{
	add_rule(rules, (struct oci_syscall){
			.names = names(calls, count),
			.action = errnum ? "SCMP_ACT_ERRNO" : "SCMP_ACT_ALLOW",
			.errno_ret = { .set = errnum != 0, .value = (uint32_t)errnum },
		}, args, arg_count);
}

/* By pointers, as a configuration has them. */
static const char *const *list_names(struct rules *rules, const char (*names)[SECCOMP_NAME_SIZE], size_t count)
{
	const char **list = arena_array(rules->arena, count, sizeof(*list));

	for (size_t i = 0; list && i < count; i++)
		list[i] = names[i];
	rules->failed |= !list;
	return list;
}

static void add_names(struct rules *rules, const struct seccomp_names *calls, int errnum)
{
	add(rules, list_names(rules, calls->items, calls->count), calls->count, errnum, NULL, 0);
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

static struct oci_seccomp_arg *copy_conditions(struct rules *rules, const struct seccomp_call_rule *from, size_t *ret_count)
{
	struct oci_seccomp_arg *args = arena_array(rules->arena, array_size(from->args), sizeof(*args));

	*ret_count = 0;
	for (size_t i = 0; args && i < array_size(from->args) && from->args[i].op[0]; i++)
		args[(*ret_count)++] = argument(from->args[i].index, from->args[i].op, from->args[i].value, from->args[i].value_two);
	rules->failed |= !args;
	return args;
}

static void add_by_argument(struct rules *rules, const struct seccomp_call_rule *from)
{
	size_t count;
	struct oci_seccomp_arg *args = copy_conditions(rules, from, &count);

	add(rules, list_names(rules, &from->call, 1), 1, from->errnum, args, count);
}

static void add_by_arguments(struct rules *rules, const struct seccomp_call_rule *from, size_t count, uint64_t bits)
{
	for (size_t i = 0; i < count; i++)
		if ((!from[i].with || (from[i].with & bits)) && !(from[i].without & bits))
			add_by_argument(rules, &from[i]);
}

/* ---- the terminal ---- */

static const char *const ioctl_call[] = { "ioctl" };

/* The rule, for these requests alone beside what it asks of other arguments. */
static void add_ioctl(struct rules *rules, const struct oci_syscall *rule, uint64_t mask, uint64_t value)
{
	size_t count = rule->args.count;
	struct oci_seccomp_arg *args = arena_array(rules->arena, count + 1, sizeof(*args));

	if (args && count)
		memcpy(args, rule->args.items, count * sizeof(*args));
	if (args)
		args[count] = argument(REQUEST_ARGUMENT, "SCMP_CMP_MASKED_EQ", mask, value);
	add_rule(rules, *rule, args, count + 1);
}

static void refuse_typing(struct rules *rules)
{
	const struct oci_syscall refusal = {
		.names = names(ioctl_call, 1), .action = "SCMP_ACT_ERRNO", .errno_ret = { .set = true, .value = EPERM },
	};

	for (size_t i = 0; i < array_size(seccomp_terminal_requests); i++)
		add_ioctl(rules, &refusal, LOW_32, seccomp_terminal_requests[i]);
}

/* All requests but those two, said without "not": of the bits that the two have in common one is different; or all are
 * the same, and those in which they differ have another value. (A plain permission beside a refusal by argument would mean
 * nothing but the permission to libseccomp.) */
static void add_other_requests(struct rules *rules, const struct oci_syscall *rule)
{
	uint64_t one = seccomp_terminal_requests[0], other = seccomp_terminal_requests[1], differing = one ^ other;

	for (uint64_t bit = 1; bit <= LOW_32; bit <<= 1)
		if (!(bit & differing))
			add_ioctl(rules, rule, bit, ~one & bit);
	/* all subsets of the differing bits, the empty one last */
	for (uint64_t subset = differing;; subset = (subset - 1) & differing) {
		uint64_t value = (one & ~differing) | subset;

		if (value != one && value != other)
			add_ioctl(rules, rule, LOW_32, value);
		if (!subset)
			break;
	}
}

/* ---- the profiles ---- */

/* Our own filter tries refusals by argument before a plain permission, and is a quarter shorter for it. */
static void add_default(struct rules *rules, uint64_t bits, bool is_for_others)
{
	const struct oci_syscall permission = { .names = names(ioctl_call, 1), .action = "SCMP_ACT_ALLOW" };

	add_names(rules, &seccomp_allowed_calls, 0);
	add_names(rules, &seccomp_refused_calls, EPERM);
	add_by_arguments(rules, seccomp_allowed_arguments, seccomp_allowed_argument_count, bits);
	refuse_typing(rules);
	if (is_for_others)
		add_other_requests(rules, &permission);
	else
		add_rule(rules, permission, NULL, 0);
}

static void add_denylist(struct rules *rules, uint64_t bits)
{
	add_names(rules, &seccomp_refused_calls, EPERM);
	add_names(rules, &seccomp_absent_calls, ENOSYS);
	add_by_arguments(rules, seccomp_refused_arguments, seccomp_refused_argument_count, bits);
	refuse_typing(rules);
}

static int rules_init(struct rules *rules, struct arena *arena, size_t more, struct err **err)
{
	*rules = (struct rules){ .arena = arena };
	rules->capacity = TERMINAL_RULES + seccomp_allowed_argument_count + seccomp_refused_argument_count + more;
	rules->items = arena_array(arena, rules->capacity, sizeof(*rules->items));
	return rules->items ? 0 : err_nomem(err);
}

static int build_profile(struct arena *scratch, enum seccomp_profile profile, uint64_t bits, bool is_for_others,
			 struct oci_seccomp *ret, struct err **err)
{
	struct rules rules;
	int r = rules_init(&rules, scratch, 0, err);

	if (r < 0)
		return r;
	*ret = (struct oci_seccomp){ .default_action = "SCMP_ACT_ALLOW" };
#if defined(__x86_64__) || defined(__aarch64__)
	ret->architectures = names(arch_words, array_size(arch_words));
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

/* ---- a file's ---- */

static int check_action(const char *word, const struct json *element, struct arena *arena, struct err **err)
{
	if (!word || strcmp(word, "SCMP_ACT_NOTIFY") != 0)
		return 0;
	return err_set(err, E_POLICY, 0, element ? json_pointer(arena, element) : NULL,
		       "SCMP_ACT_NOTIFY: nobody listens to the calls of a sandbox");
}

/* What a rule of a file says of the request: SIZE_MAX: nothing. */
static size_t request_condition(const struct oci_syscall *rule)
{
	for (size_t i = 0; i < rule->args.count; i++)
		if (rule->args.items[i].index.value == REQUEST_ARGUMENT)
			return i;
	return SIZE_MAX;
}

/* One request, by the whole of it or by its low half, where the kernel looks. */
static bool is_one_request(const struct oci_seccomp_arg *arg, uint32_t *ret)
{
	bool is_whole = arg->op && !strcmp(arg->op, "SCMP_CMP_EQ");
	bool is_low = arg->op && !strcmp(arg->op, "SCMP_CMP_MASKED_EQ") && arg->value.value == LOW_32;

	*ret = (uint32_t)(is_whole ? arg->value.value : arg->value_two.value);
	return is_whole || is_low;
}

static bool is_typing(uint32_t request)
{
	return request == seccomp_terminal_requests[0] || request == seccomp_terminal_requests[1];
}

/* The rule for ioctl alone. Other runtimes compile by libseccomp, which forgets a refusal by argument beside a plain permission,
 * and has an order of its own for conditions that overlap: so what is said of ioctl is said of the other requests only. */
static int add_ioctl_rule(struct rules *rules, const struct oci_syscall *rule, struct err **err)
{
	size_t condition = request_condition(rule);
	uint32_t request;

	if (condition == SIZE_MAX) {
		add_other_requests(rules, rule);
		return 0;
	}
	if (!is_one_request(&rule->args.items[condition], &request))
		return err_set(err, E_POLICY, 0, rule->element ? json_pointer(rules->arena, rule->element) : NULL,
			       "a rule on ioctl has to name one request (SCMP_CMP_EQ, or SCMP_CMP_MASKED_EQ of 32 bits), or none: TIOCSTI and "
			       "TIOCLINUX are refused whatever it says");
	if (!is_typing(request))
		add_rule(rules, *rule, rule->args.items, rule->args.count);
	return 0;
}

static bool is_default(const struct oci_seccomp *file, const struct oci_syscall *rule)
{
	return rule->action && file->default_action && !strcmp(rule->action, file->default_action) &&
	       rule->errno_ret.value == file->default_errno_ret.value;
}

/* ---- a file's, for who writes to the host: no set-user-ID files, as with the named ones ---- */

static bool lets_pass(const char *action)
{
	static const char *const words[] = { "SCMP_ACT_ALLOW", "SCMP_ACT_LOG", "SCMP_ACT_TRACE" };

	for (size_t i = 0; action && i < array_size(words); i++)
		if (!strcmp(action, words[i]))
			return true;
	return false;
}

static bool names_call(const struct oci_syscall *rule, const char *call)
{
	for (size_t i = 0; i < rule->names.count; i++)
		if (!strcmp(rule->names.items[i], call))
			return true;
	return false;
}

/* With some arguments, or with all. */
static bool file_lets_pass(const struct oci_seccomp *file, const char *call)
{
	bool is_let = lets_pass(file->default_action);

	for (size_t i = 0; i < file->syscalls.count; i++) {
		const struct oci_syscall *rule = &file->syscalls.items[i];

		if (!names_call(rule, call))
			continue;
		if (lets_pass(rule->action))
			return true;
		is_let = is_let && rule->args.count;
	}
	return is_let;
}

static bool makes_set_uid(const char *call)
{
	for (size_t i = 0; i < seccomp_refused_argument_count; i++)
		if (seccomp_refused_arguments[i].with == SECCOMP_NO_SET_UID && !strcmp(seccomp_refused_arguments[i].call, call))
			return true;
	return false;
}

/* Not what the file refuses itself: it may end the program for it. */
static void refuse_set_uid(struct rules *rules, const struct oci_seccomp *file)
{
	for (size_t i = 0; i < seccomp_refused_argument_count; i++)
		if (seccomp_refused_arguments[i].with == SECCOMP_NO_SET_UID && file_lets_pass(file, seccomp_refused_arguments[i].call))
			add_by_argument(rules, &seccomp_refused_arguments[i]);
}

/* The rule's own conditions and these; libseccomp takes one for each argument. */
static int add_with_conditions(struct rules *rules, const struct oci_syscall *rule, const struct seccomp_call_rule *with, struct err **err)
{
	size_t count, own = rule->args.count;
	const struct oci_seccomp_arg *conditions = copy_conditions(rules, with, &count);
	struct oci_seccomp_arg *args = arena_array(rules->arena, own + count, sizeof(*args));

	if (!conditions || !args)
		return err_nomem(err);
	for (size_t i = 0; i < own; i++) {
		args[i] = rule->args.items[i];
		for (size_t c = 0; c < count; c++)
			if (args[i].index.value == conditions[c].index.value)
				return err_set(err, E_POLICY, 0, rule->element ? json_pointer(rules->arena, rule->element) : NULL,
					       "a rule that lets %s pass can't ask for its argument %u in a policy that grants a part of the host for "
					       "writing: no set-user-ID file may be made there, and that is said of the same argument",
					       with->call, args[i].index.value);
	}
	memcpy(args + own, conditions, count * sizeof(*args));
	add_rule(rules, *rule, args, own + count);
	return 0;
}

/* Said of what makes no such file only, as libseccomp forgets a refusal by argument beside a plain permission. */
static int add_without_set_uid(struct rules *rules, const struct oci_syscall *rule, const char *call, struct err **err)
{
	struct oci_syscall one = *rule;
	int r = 0;

	for (size_t i = 0; i < seccomp_allowed_argument_count && r == 0; i++) {
		const struct seccomp_call_rule *with = &seccomp_allowed_arguments[i];

		if (with->with != SECCOMP_NO_SET_UID || with->errnum || strcmp(with->call, call) != 0)
			continue;
		one.names = names(list_names(rules, &with->call, 1), 1);
		r = add_with_conditions(rules, &one, with, err);
	}
	return r;
}

/* ---- a file's rules ---- */

enum part { OF_OTHERS, OF_IOCTL, OF_SET_UID };

static enum part part_of(const char *call, bool no_set_uid)
{
	if (!strcmp(call, ioctl_call[0]))
		return OF_IOCTL;
	return no_set_uid && makes_set_uid(call) ? OF_SET_UID : OF_OTHERS;
}

/* The rule for those of its calls alone; false: it has none. */
static bool take_part(struct rules *rules, const struct oci_syscall *rule, enum part part, bool no_set_uid, struct oci_syscall *ret)
{
	const char **calls = arena_array(rules->arena, rule->names.count + 1, sizeof(*calls));
	size_t count = 0;

	rules->failed |= !calls;
	for (size_t i = 0; calls && i < rule->names.count; i++)
		if (part_of(rule->names.items[i], no_set_uid) == part)
			calls[count++] = rule->names.items[i];
	*ret = *rule;
	ret->names = names(calls, count);
	return count > 0;
}

static int add_from_file(struct rules *rules, const struct oci_seccomp *file, const struct oci_syscall *rule, bool no_set_uid, struct err **err)
{
	struct oci_syscall part;
	int r = 0;

	/* what the default says anyhow libseccomp does not even take */
	if (is_default(file, rule)) {
		add_rule(rules, *rule, rule->args.items, rule->args.count);
		return 0;
	}
	if (take_part(rules, rule, OF_OTHERS, no_set_uid, &part))
		add_rule(rules, part, rule->args.items, rule->args.count);
	if (lets_pass(rule->action) && take_part(rules, rule, OF_SET_UID, no_set_uid, &part))
		for (size_t i = 0; i < part.names.count && r == 0; i++)
			r = add_without_set_uid(rules, &part, part.names.items[i], err);
	return r == 0 && take_part(rules, rule, OF_IOCTL, no_set_uid, &part) ? add_ioctl_rule(rules, &part, err) : r;
}

/* What is refused, by us and, of what makes set-user-ID files, by the file, comes first, so that it wins. */
static void add_refusals(struct rules *rules, const struct oci_seccomp *file, bool no_set_uid)
{
	struct oci_syscall part;

	refuse_typing(rules);
	for (size_t i = 0; i < file->syscalls.count && no_set_uid; i++) {
		const struct oci_syscall *rule = &file->syscalls.items[i];

		if (!lets_pass(rule->action) && !is_default(file, rule) && take_part(rules, rule, OF_SET_UID, no_set_uid, &part))
			add_rule(rules, part, rule->args.items, rule->args.count);
	}
	if (no_set_uid)
		refuse_set_uid(rules, file);
}

/* The most that its rules become: each for ioctl, for all others, and for each call by up to two of its arguments. */
static size_t count_from_file(const struct oci_seccomp *file)
{
	size_t count = 0;

	for (size_t i = 0; i < file->syscalls.count; i++)
		count += TERMINAL_RULES + 2 + 2 * file->syscalls.items[i].names.count;
	return count;
}

static int check_file(struct arena *scratch, const struct oci_seccomp *file, struct err **err)
{
	int r = check_action(file->default_action, file->element, scratch, err);

	for (size_t i = 0; i < file->syscalls.count && r == 0; i++)
		r = check_action(file->syscalls.items[i].action, file->syscalls.items[i].element, scratch, err);
	if (r == 0 && (file->listener_path || file->listener_metadata))
		return err_set(err, E_POLICY, 0, "/listenerPath", "nobody listens to the calls of a sandbox");
	return r;
}

int seccomp_compile_policy_file(struct arena *arena, const struct oci_seccomp *file, const struct seccomp_workload *workload,
				struct plan_seccomp *ret, const struct log *log, struct err **err)
{
	cleanup_arena struct arena *scratch = arena_new();
	struct oci_seccomp config = *file;
	struct rules rules;
	int r = scratch ? rules_init(&rules, scratch, count_from_file(file), err) : err_nomem(err);

	if (r == 0)
		r = check_file(scratch, file, err);
	if (r < 0)
		return r;
	add_refusals(&rules, file, workload->writes_to_host);
	for (size_t i = 0; i < file->syscalls.count && r == 0; i++)
		r = add_from_file(&rules, file, &file->syscalls.items[i], workload->writes_to_host, err);
	if (r < 0)
		return r;
	if (rules.failed)
		return err_nomem(err);
	config.syscalls.items = rules.items;
	config.syscalls.count = rules.count;
	return seccomp_compile(arena, &config, workload->keeps_rules ? &config : NULL, ret, log, err);
}

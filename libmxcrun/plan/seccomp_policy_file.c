/* seccomp_policy_file.c - the filter of a policy sandbox by a file of the caller's, an OCI section.
 *
 * Its rules are kept as they are written, but for what no file opens: nobody types into the caller's terminal (invariant 16), nobody
 * listens to the sandbox's calls, and who writes to the host makes no set-user-ID files there. Rules on those calls are said anew, so
 * that libseccomp, by which other runtimes compile, understands them alike.
 */
#include "plan/seccomp.h"

#include <string.h>

#include "plan/seccomp_rule_list.h"

/* ---- ioctl ---- */

/* What a rule of a file says of the request: SIZE_MAX: nothing. */
static size_t request_condition(const struct oci_syscall *rule)
{
	for (size_t i = 0; i < rule->args.count; i++)
		if (rule->args.items[i].index.value == IOCTL_REQUEST)
			return i;
	return SIZE_MAX;
}

/* One request, by the whole of it or by its low half, where the kernel looks. */
static bool is_one_request(const struct oci_seccomp_arg *arg, uint32_t *ret)
{
	bool is_whole = arg->op && !strcmp(arg->op, "SCMP_CMP_EQ");
	bool is_low = arg->op && !strcmp(arg->op, "SCMP_CMP_MASKED_EQ") && arg->value.value == IOCTL_REQUEST_BITS;

	*ret = (uint32_t)(is_whole ? arg->value.value : arg->value_two.value);
	return is_whole || is_low;
}

static bool is_typing(uint32_t request)
{
	return request == seccomp_terminal_requests[0] || request == seccomp_terminal_requests[1];
}

/* The rule for ioctl alone. Other runtimes compile by libseccomp, which forgets a refusal by argument beside a plain permission,
 * and has an order of its own for conditions that overlap: so what is said of ioctl is said of the other requests only. */
static int add_ioctl_rule(struct rule_list *rules, const struct oci_syscall *rule, struct err **err)
{
	size_t condition = request_condition(rule);
	uint32_t request;

	if (condition == SIZE_MAX) {
		rule_list_add_other_requests(rules, rule);
		return 0;
	}
	if (!is_one_request(&rule->args.items[condition], &request))
		return err_set(err, E_POLICY, 0, rule->element ? json_pointer(rules->arena, rule->element) : NULL,
			       "a rule on ioctl has to name one request (SCMP_CMP_EQ, or SCMP_CMP_MASKED_EQ of 32 bits), or none: TIOCSTI and "
			       "TIOCLINUX are refused whatever it says");
	if (!is_typing(request))
		rule_list_add(rules, *rule, rule->args.items, rule->args.count);
	return 0;
}

/* ---- no set-user-ID files, for who writes to the host, as with the named profiles ---- */

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
static void refuse_set_uid(struct rule_list *rules, const struct oci_seccomp *file)
{
	for (size_t i = 0; i < seccomp_refused_argument_count; i++)
		if (seccomp_refused_arguments[i].with == SECCOMP_NO_SET_UID && file_lets_pass(file, seccomp_refused_arguments[i].call))
			rule_list_add_by_argument(rules, &seccomp_refused_arguments[i]);
}

/* The rule's own conditions and these; libseccomp takes one for each argument. */
static int add_with_conditions(struct rule_list *rules, const struct oci_syscall *rule, const struct seccomp_call_rule *with, struct err **err)
{
	size_t count, own = rule->args.count;
	const struct oci_seccomp_arg *conditions = call_conditions(rules, with, &count);
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
	rule_list_add(rules, *rule, args, own + count);
	return 0;
}

/* Said of what makes no such file only, as libseccomp forgets a refusal by argument beside a plain permission. */
static int add_without_set_uid(struct rule_list *rules, const struct oci_syscall *rule, const char *call, struct err **err)
{
	struct oci_syscall one = *rule;
	int r = 0;

	for (size_t i = 0; i < seccomp_allowed_argument_count && r == 0; i++) {
		const struct seccomp_call_rule *with = &seccomp_allowed_arguments[i];

		if (with->with != SECCOMP_NO_SET_UID || with->errnum || strcmp(with->call, call) != 0)
			continue;
		one.names = call_list(rules, &with->call, 1);
		r = add_with_conditions(rules, &one, with, err);
	}
	return r;
}

/* ---- the rules ---- */

static bool is_default(const struct oci_seccomp *file, const struct oci_syscall *rule)
{
	return rule->action && file->default_action && !strcmp(rule->action, file->default_action) &&
	       rule->errno_ret.value == file->default_errno_ret.value;
}

enum part { OF_OTHERS, OF_IOCTL, OF_SET_UID };

static enum part part_of(const char *call, bool no_set_uid)
{
	if (!strcmp(call, ioctl_call[0]))
		return OF_IOCTL;
	return no_set_uid && makes_set_uid(call) ? OF_SET_UID : OF_OTHERS;
}

/* The rule for those of its calls alone; false: it has none. */
static bool take_part(struct rule_list *rules, const struct oci_syscall *rule, enum part part, bool no_set_uid, struct oci_syscall *ret)
{
	const char **calls = arena_array(rules->arena, rule->names.count + 1, sizeof(*calls));
	size_t count = 0;

	rules->failed |= !calls;
	for (size_t i = 0; calls && i < rule->names.count; i++)
		if (part_of(rule->names.items[i], no_set_uid) == part)
			calls[count++] = rule->names.items[i];
	*ret = *rule;
	ret->names = call_names(calls, count);
	return count > 0;
}

static int add_from_file(struct rule_list *rules, const struct oci_seccomp *file, const struct oci_syscall *rule, bool no_set_uid, struct err **err)
{
	struct oci_syscall part;
	int r = 0;

	/* what the default says anyhow libseccomp does not even take */
	if (is_default(file, rule)) {
		rule_list_add(rules, *rule, rule->args.items, rule->args.count);
		return 0;
	}
	if (take_part(rules, rule, OF_OTHERS, no_set_uid, &part))
		rule_list_add(rules, part, rule->args.items, rule->args.count);
	if (lets_pass(rule->action) && take_part(rules, rule, OF_SET_UID, no_set_uid, &part))
		for (size_t i = 0; i < part.names.count && r == 0; i++)
			r = add_without_set_uid(rules, &part, part.names.items[i], err);
	return r == 0 && take_part(rules, rule, OF_IOCTL, no_set_uid, &part) ? add_ioctl_rule(rules, &part, err) : r;
}

/* What is refused, by us and, of what makes set-user-ID files, by the file, comes first, so that it wins. */
static void add_refusals(struct rule_list *rules, const struct oci_seccomp *file, bool no_set_uid)
{
	struct oci_syscall part;

	rule_list_refuse_typing(rules);
	for (size_t i = 0; i < file->syscalls.count && no_set_uid; i++) {
		const struct oci_syscall *rule = &file->syscalls.items[i];

		if (!lets_pass(rule->action) && !is_default(file, rule) && take_part(rules, rule, OF_SET_UID, no_set_uid, &part))
			rule_list_add(rules, part, rule->args.items, rule->args.count);
	}
	if (no_set_uid)
		refuse_set_uid(rules, file);
}

/* The most that its rules become: each for ioctl, for all others, and for each call by up to two of its arguments. */
static size_t count_from_file(const struct oci_seccomp *file)
{
	size_t count = 0;

	for (size_t i = 0; i < file->syscalls.count; i++)
		count += RULES_FOR_IOCTL + 2 + 2 * file->syscalls.items[i].names.count;
	return count;
}

/* ---- the file ---- */

static int check_action(const char *word, const struct json *element, struct arena *arena, struct err **err)
{
	if (!word || strcmp(word, "SCMP_ACT_NOTIFY") != 0)
		return 0;
	return err_set(err, E_POLICY, 0, element ? json_pointer(arena, element) : NULL,
		       "SCMP_ACT_NOTIFY: nobody listens to the calls of a sandbox");
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
	struct rule_list rules;
	int r = scratch ? rule_list_init(&rules, scratch, count_from_file(file), err) : err_nomem(err);

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

/* seccomp_rule_list.c - see seccomp_rule_list.h. */
#include "plan/seccomp_rule_list.h"

#include <errno.h>
#include <string.h>

int rule_list_init(struct rule_list *rules, struct arena *arena, size_t more, struct err **err)
{
	*rules = (struct rule_list){ .arena = arena };
	rules->capacity = RULES_FOR_IOCTL + seccomp_allowed_argument_count + seccomp_refused_argument_count + more;
	rules->items = arena_array(arena, rules->capacity, sizeof(*rules->items));
	return rules->items ? 0 : err_nomem(err);
}

/* ---- rules ---- */

struct string_list call_names(const char *const *items, size_t count)
{
	return (struct string_list){ .items = (const char **)(uintptr_t)items, .count = count, .set = true };
}

void rule_list_add(struct rule_list *rules, struct oci_syscall rule, struct oci_seccomp_arg *args, size_t arg_count)
{
	rule.args.items = args;
	rule.args.count = arg_count;
	rules->failed |= rules->count == rules->capacity || (arg_count && !args);
	if (!rules->failed)
		rules->items[rules->count++] = rule;
}

struct string_list call_list(struct rule_list *rules, const char (*calls)[SECCOMP_NAME_SIZE], size_t count)
{
	const char **list = arena_array(rules->arena, count, sizeof(*list));

	for (size_t i = 0; list && i < count; i++)
		list[i] = calls[i];
	rules->failed |= !list;
	return call_names(list, count);
}

void rule_list_add_calls(struct rule_list *rules, const char (*calls)[SECCOMP_NAME_SIZE], size_t count, int errnum,
			 struct oci_seccomp_arg *args, size_t arg_count)
{
	rule_list_add(rules, (struct oci_syscall){
			.names = call_list(rules, calls, count),
			.action = errnum ? "SCMP_ACT_ERRNO" : "SCMP_ACT_ALLOW",
			.errno_ret = { .set = errnum != 0, .value = (uint32_t)errnum },
		}, args, arg_count);
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

struct oci_seccomp_arg *call_conditions(struct rule_list *rules, const struct seccomp_call_rule *from, size_t *ret_count)
{
	struct oci_seccomp_arg *args = arena_array(rules->arena, array_size(from->args), sizeof(*args));

	*ret_count = 0;
	for (size_t i = 0; args && i < array_size(from->args) && from->args[i].op[0]; i++)
		args[(*ret_count)++] = argument(from->args[i].index, from->args[i].op, from->args[i].value, from->args[i].value_two);
	rules->failed |= !args;
	return args;
}

void rule_list_add_by_argument(struct rule_list *rules, const struct seccomp_call_rule *from)
{
	size_t count;
	struct oci_seccomp_arg *args = call_conditions(rules, from, &count);

	rule_list_add_calls(rules, &from->call, 1, from->errnum, args, count);
}

/* ---- the terminal ---- */

const char *const ioctl_call[1] = { "ioctl" };

/* The rule, for these requests alone beside what it asks of other arguments. */
static void add_ioctl(struct rule_list *rules, const struct oci_syscall *rule, uint64_t mask, uint64_t value)
{
	size_t count = rule->args.count;
	struct oci_seccomp_arg *args = arena_array(rules->arena, count + 1, sizeof(*args));

	if (args && count)
		memcpy(args, rule->args.items, count * sizeof(*args));
	if (args)
		args[count] = argument(IOCTL_REQUEST, "SCMP_CMP_MASKED_EQ", mask, value);
	rule_list_add(rules, *rule, args, count + 1);
}

void rule_list_refuse_typing(struct rule_list *rules)
{
	const struct oci_syscall refusal = {
		.names = call_names(ioctl_call, 1), .action = "SCMP_ACT_ERRNO", .errno_ret = { .set = true, .value = EPERM },
	};

	for (size_t i = 0; i < array_size(seccomp_terminal_requests); i++)
		add_ioctl(rules, &refusal, IOCTL_REQUEST_BITS, seccomp_terminal_requests[i]);
}

/* All requests but those two, said without "not": of the bits that the two have in common one is different; or all are
 * the same, and those in which they differ have another value. (A plain permission beside a refusal by argument would mean
 * nothing but the permission to libseccomp.) */
void rule_list_add_other_requests(struct rule_list *rules, const struct oci_syscall *rule)
{
	uint64_t one = seccomp_terminal_requests[0], other = seccomp_terminal_requests[1], differing = one ^ other;

	for (uint64_t bit = 1; bit <= IOCTL_REQUEST_BITS; bit <<= 1)
		if (!(bit & differing))
			add_ioctl(rules, rule, bit, ~one & bit);
	/* all subsets of the differing bits, the empty one last */
	for (uint64_t subset = differing;; subset = (subset - 1) & differing) {
		uint64_t value = (one & ~differing) | subset;

		if (value != one && value != other)
			add_ioctl(rules, rule, IOCTL_REQUEST_BITS, value);
		if (!subset)
			break;
	}
}

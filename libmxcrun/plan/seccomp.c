/* seccomp.c - an OCI seccomp section to rules per architecture; seccomp_bpf.c lays them out.
 *
 * What is decided here: words to kernel values, names to numbers on every listed architecture, what the
 * multiplexed calls of 32-bit x86 need, how x32 is closed when nobody asked for it, and which calls are newer than the profile.
 */
#include "plan/seccomp.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stdio.h>
#include <string.h>

#include "plan/seccomp_bpf.h"

#define X32_BIT 0x40000000u
#define ARGUMENTS 6u
#define ERRNO_MAX 4095u		/* the kernel's MAX_ERRNO: larger ones would not be seen as errors */

const char *const seccomp_action_words[] = {
	"SCMP_ACT_KILL", "SCMP_ACT_KILL_PROCESS", "SCMP_ACT_KILL_THREAD", "SCMP_ACT_TRAP", "SCMP_ACT_ERRNO",
	"SCMP_ACT_TRACE", "SCMP_ACT_ALLOW", "SCMP_ACT_LOG", "SCMP_ACT_NOTIFY", NULL
};
static const uint32_t action_values[] = {
	SECCOMP_RET_KILL_THREAD, SECCOMP_RET_KILL_PROCESS, SECCOMP_RET_KILL_THREAD, SECCOMP_RET_TRAP,
	SECCOMP_RET_ERRNO, SECCOMP_RET_TRACE, SECCOMP_RET_ALLOW, SECCOMP_RET_LOG, SECCOMP_RET_USER_NOTIF
};

/* in the order of enum seccomp_operator */
const char *const seccomp_operator_words[] = {
	"SCMP_CMP_NE", "SCMP_CMP_LT", "SCMP_CMP_LE", "SCMP_CMP_EQ", "SCMP_CMP_GE", "SCMP_CMP_GT",
	"SCMP_CMP_MASKED_EQ", NULL
};

const char *const seccomp_flag_words[] = {
	"SECCOMP_FILTER_FLAG_TSYNC", "SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_SPEC_ALLOW", NULL
};
static const uint32_t flag_values[] = {
	0,	/* TSYNC: init has one thread, and it excludes the listener's descriptor before Linux 5.7 */
	SECCOMP_FILTER_FLAG_LOG, SECCOMP_FILTER_FLAG_SPEC_ALLOW
};

struct arch_row {
	const char *word;
	uint32_t scmp;		/* libseccomp's token */
	uint32_t audit;
	bool is_64_bit;
};

static const struct arch_row arch_rows[] = {
	{ "SCMP_ARCH_X86", SCMP_ARCH_X86, AUDIT_ARCH_I386, false },
	{ "SCMP_ARCH_X86_64", SCMP_ARCH_X86_64, AUDIT_ARCH_X86_64, true },
	{ "SCMP_ARCH_X32", SCMP_ARCH_X32, AUDIT_ARCH_X86_64, true },
	{ "SCMP_ARCH_ARM", SCMP_ARCH_ARM, AUDIT_ARCH_ARM, false },
	{ "SCMP_ARCH_AARCH64", SCMP_ARCH_AARCH64, AUDIT_ARCH_AARCH64, true },
	{ "SCMP_ARCH_MIPS", SCMP_ARCH_MIPS, AUDIT_ARCH_MIPS, false },
	{ "SCMP_ARCH_MIPS64", SCMP_ARCH_MIPS64, AUDIT_ARCH_MIPS64, true },
	{ "SCMP_ARCH_MIPS64N32", SCMP_ARCH_MIPS64N32, AUDIT_ARCH_MIPS64N32, false },
	{ "SCMP_ARCH_MIPSEL", SCMP_ARCH_MIPSEL, AUDIT_ARCH_MIPSEL, false },
	{ "SCMP_ARCH_MIPSEL64", SCMP_ARCH_MIPSEL64, AUDIT_ARCH_MIPSEL64, true },
	{ "SCMP_ARCH_MIPSEL64N32", SCMP_ARCH_MIPSEL64N32, AUDIT_ARCH_MIPSEL64N32, false },
	{ "SCMP_ARCH_PPC", SCMP_ARCH_PPC, AUDIT_ARCH_PPC, false },
	{ "SCMP_ARCH_PPC64", SCMP_ARCH_PPC64, AUDIT_ARCH_PPC64, true },
	{ "SCMP_ARCH_PPC64LE", SCMP_ARCH_PPC64LE, AUDIT_ARCH_PPC64LE, true },
	{ "SCMP_ARCH_S390", SCMP_ARCH_S390, AUDIT_ARCH_S390, false },
	{ "SCMP_ARCH_S390X", SCMP_ARCH_S390X, AUDIT_ARCH_S390X, true },
	{ "SCMP_ARCH_RISCV64", SCMP_ARCH_RISCV64, AUDIT_ARCH_RISCV64, true },
};

const char *const *seccomp_arch_words(void)
{
	static const char *words[array_size(arch_rows) + 1];

	for (size_t i = 0; i < array_size(arch_rows); i++)
		words[i] = arch_rows[i].word;
	return words;
}

const char *seccomp_library_version(void)
{
	static char text[48];
	const struct scmp_version *version = seccomp_version();

	snprintf(text, sizeof(text), "%u.%u.%u", version->major, version->minor, version->micro);
	return text;
}

struct compile {
	struct arena *arena;
	const struct oci_seccomp *config;
	const struct log *log;
	const struct arch_row *arches[array_size(arch_rows)];
	size_t arch_count;
	struct seccomp_arch_rules rules[array_size(arch_rows)];	/* x32 shares x86_64's */
	size_t rules_count;
	uint32_t default_action;
	bool uses_notify;
	bool refuses_newer;	/* with ENOSYS, see close_newer() */
	uint32_t last_numbers[array_size(arch_rows)];	/* that the profile names, in the order of arches; 0: none */
};

static char *pointer_of(struct compile *c, const struct json *element, const char *tail)
{
	char *base = element ? json_pointer(c->arena, element) : arena_strdup(c->arena, "/linux/seccomp");

	return base ? arena_printf(c->arena, "%s%s", base, tail) : NULL;
}

static int word_index(const char *word, const char *const *words)
{
	for (int i = 0; word && words[i]; i++)
		if (!strcmp(word, words[i]))
			return i;
	return -1;
}

/* ---- actions ---- */

static int lower_action(struct compile *c, const char *word, const struct opt_u32 *errno_ret,
			const struct json *element, const char *key, uint32_t *ret, struct err **err)
{
	int index = word_index(word, seccomp_action_words);
	uint32_t data = 0;

	if (index < 0)
		return err_set(err, E_CONFIG, 0, pointer_of(c, element, key),
			       "unknown seccomp action %.64s", word ? word : "(none)");
	*ret = action_values[index];
	if (*ret == SECCOMP_RET_ERRNO || *ret == SECCOMP_RET_TRACE)
		data = errno_ret->set ? errno_ret->value : EPERM;
	else if (errno_ret->set)
		return err_set(err, E_CONFIG, 0, pointer_of(c, element, key),
			       "an errno value goes only with SCMP_ACT_ERRNO and SCMP_ACT_TRACE, not with %s", word);
	if (*ret == SECCOMP_RET_ERRNO && data > ERRNO_MAX)
		return err_set(err, E_CONFIG, 0, pointer_of(c, element, key),
			       "errno %u found, at most %u expected", data, ERRNO_MAX);
	if (data > SECCOMP_RET_DATA)
		return err_set(err, E_CONFIG, 0, pointer_of(c, element, key),
			       "value %u found, at most %u expected", data, SECCOMP_RET_DATA);
	if (*ret == SECCOMP_RET_USER_NOTIF)
		c->uses_notify = true;
	*ret |= data;
	return 0;
}

/* ---- architectures ---- */

static const struct arch_row *arch_by_token(uint32_t scmp)
{
	for (size_t i = 0; i < array_size(arch_rows); i++)
		if (arch_rows[i].scmp == scmp)
			return &arch_rows[i];
	return NULL;
}

static void add_arch(struct compile *c, const struct arch_row *row)
{
	for (size_t i = 0; i < c->arch_count; i++)
		if (c->arches[i] == row)
			return;
	c->arches[c->arch_count++] = row;
}

static struct seccomp_arch_rules *rules_of(struct compile *c, const struct arch_row *row)
{
	for (size_t i = 0; i < c->rules_count; i++)
		if (c->rules[i].audit_arch == row->audit)
			return &c->rules[i];
	c->rules[c->rules_count] = (struct seccomp_arch_rules){
		.audit_arch = row->audit,
		.is_64_bit = row->is_64_bit,
		/* x32 shares the audit value of x86_64 and is told by a bit of the number; unlisted
		 * it would slip through with numbers that no rule names */
		.closed_from = row->audit == AUDIT_ARCH_X86_64,
		.closed_number = X32_BIT,
	};
	return &c->rules[c->rules_count++];
}

/* The native architecture is always there, first: its calls are the common case. */
static int lower_arches(struct compile *c, struct err **err)
{
	const struct arch_row *native = arch_by_token(seccomp_arch_native());

	if (!native)
		return err_set(err, E_UNSUPPORTED, ENOTSUP, "/linux/seccomp",
			       "this machine's architecture has no seccomp table here");
	add_arch(c, native);
	for (size_t i = 0; i < c->config->architectures.count; i++) {
		const char *word = c->config->architectures.items[i];
		const struct arch_row *row = NULL;

		for (size_t j = 0; j < array_size(arch_rows); j++)
			if (!strcmp(word, arch_rows[j].word))
				row = &arch_rows[j];
		if (!row)
			return err_set(err, E_CONFIG, 0,
				       arena_printf(c->arena, "/linux/seccomp/architectures/%zu", i),
				       "unknown seccomp architecture %.64s", word);
		add_arch(c, row);
	}
	for (size_t i = 0; i < c->arch_count; i++)
		if (c->arches[i]->scmp == SCMP_ARCH_X32)
			rules_of(c, c->arches[i])->closed_from = false;
		else
			rules_of(c, c->arches[i]);
	return 0;
}

static int lower_flags(struct compile *c, uint32_t *ret, struct err **err)
{
	*ret = 0;
	for (size_t i = 0; i < c->config->flags.count; i++) {
		int index = word_index(c->config->flags.items[i], seccomp_flag_words);

		if (index < 0)
			return err_set(err, E_CONFIG, 0, arena_printf(c->arena, "/linux/seccomp/flags/%zu", i),
				       "unknown seccomp flag %.64s", c->config->flags.items[i]);
		*ret |= flag_values[index];
	}
	return 0;
}

/* ---- rules ---- */

static int add_entry(struct compile *c, struct seccomp_arch_rules *rules, uint32_t number,
		     const struct seccomp_rule *rule)
{
	if (rules->count == rules->capacity) {
		size_t capacity = rules->capacity ? rules->capacity * 2 : 512;
		struct seccomp_entry *grown = arena_array(c->arena, capacity, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		if (rules->count)
			memcpy(grown, rules->entries, rules->count * sizeof(*grown));
		rules->entries = grown;
		rules->capacity = capacity;
	}
	rules->entries[rules->count++] = (struct seccomp_entry){ .number = number, .rule = rule };
	return 0;
}

/* Before Linux 4.3 32-bit x86 had these calls only through socketcall(2) and ipc(2), with a number as
 * first argument and the rest behind a pointer that a filter can't follow. Rules for them must cover that door
 * too. libseccomp gives them the pseudo numbers -100-N and -200-N. */
static bool multiplexed(int number, const char **ret_door, uint32_t *ret_call)
{
	if (number <= -101 && number >= -120) {
		*ret_door = "socketcall";
		*ret_call = (uint32_t)(-100 - number);
		return true;
	}
	if (number <= -201 && number >= -224) {
		*ret_door = "ipc";
		*ret_call = (uint32_t)(-200 - number);
		return true;
	}
	return false;
}

/* The door's own rule. A conditional permission can't be checked there, so it gives nothing; a
 * conditional refusal becomes unconditional: closed in doubt. */
static int add_door(struct compile *c, const struct arch_row *arch, const char *door, uint32_t call,
		    const struct seccomp_rule *rule)
{
	uint32_t kind = rule->action & SECCOMP_RET_ACTION_FULL;
	int number = seccomp_syscall_resolve_name_arch(arch->scmp, door);
	struct seccomp_condition *condition;
	struct seccomp_rule *narrowed;

	if (number < 0)
		return 0;
	if (rule->condition_count && (kind == SECCOMP_RET_ALLOW || kind == SECCOMP_RET_LOG))
		return 0;
	condition = arena_alloc(c->arena, sizeof(*condition));
	narrowed = arena_alloc(c->arena, sizeof(*narrowed));
	if (!condition || !narrowed)
		return -ENOMEM;
	*condition = (struct seccomp_condition){ .op = OP_EQ, .value = call };
	*narrowed = (struct seccomp_rule){ .action = rule->action, .conditions = condition, .condition_count = 1 };
	return add_entry(c, rules_of(c, arch), (uint32_t)number, narrowed);
}

/* rule NULL: the default does the same, but the name counts as known. */
static int add_name(struct compile *c, const char *name, const struct seccomp_rule *rule)
{
	bool is_known = false;

	for (size_t i = 0; i < c->arch_count; i++) {
		const struct arch_row *arch = c->arches[i];
		int number = seccomp_syscall_resolve_name_arch(arch->scmp, name);
		const char *door;
		uint32_t call;
		int r = 0;

		if (number == __NR_SCMP_ERROR)
			continue;
		is_known = true;
		if (number > 0 && (uint32_t)number > c->last_numbers[i])
			c->last_numbers[i] = (uint32_t)number;
		if (!rule)
			continue;
		if (multiplexed(number, &door, &call)) {
			r = add_door(c, arch, door, call, rule);
			if (r < 0)
				return r;
			number = seccomp_syscall_resolve_name_rewrite(arch->scmp, name);
			if (!strcmp(door, "socketcall") && number < 0)
				number = -1;
		}
		if (number >= 0)
			r = add_entry(c, rules_of(c, arch), (uint32_t)number, rule);
		if (r < 0)
			return r;
	}
	if (!is_known)
		log_debug(c->log, "seccomp: no system call is named %.64s, skipped", name);
	return 0;
}

static int lower_conditions(struct compile *c, const struct oci_syscall *syscall, struct seccomp_condition *conditions,
			    struct err **err)
{
	for (size_t i = 0; i < syscall->args.count; i++) {
		const struct oci_seccomp_arg *arg = &syscall->args.items[i];
		int op = word_index(arg->op, seccomp_operator_words);

		if (op < 0)
			return err_set(err, E_CONFIG, 0,
				       pointer_of(c, syscall->element, arena_printf(c->arena, "/args/%zu/op", i)),
				       "unknown seccomp operator %.64s", arg->op ? arg->op : "(none)");
		if (arg->index.value >= ARGUMENTS)
			return err_set(err, E_CONFIG, 0,
				       pointer_of(c, syscall->element, arena_printf(c->arena, "/args/%zu/index", i)),
				       "argument index %u found, 0 to 5 expected", arg->index.value);
		conditions[i] = (struct seccomp_condition){
			.index = arg->index.value, .op = (enum seccomp_operator)op,
			.value = arg->value.value, .value_two = arg->value_two.value };
	}
	return 0;
}

static bool repeats_an_argument(const struct seccomp_condition *conditions, size_t count)
{
	unsigned int seen = 0;

	for (size_t i = 0; i < count; i++) {
		if (seen & 1u << conditions[i].index)
			return true;
		seen |= 1u << conditions[i].index;
	}
	return false;
}

/* Conditions on different arguments hold together. Where one argument has several, each condition of the rule is an
 * alternative: so runc and crun read it, and profiles are written for them. */
static size_t split_rule(const struct seccomp_rule *whole, struct seccomp_rule *parts)
{
	if (!repeats_an_argument(whole->conditions, whole->condition_count)) {
		parts[0] = *whole;
		return 1;
	}
	for (size_t i = 0; i < whole->condition_count; i++)
		parts[i] = (struct seccomp_rule){ .action = whole->action, .conditions = &whole->conditions[i], .condition_count = 1 };
	return whole->condition_count;
}

static int add_names(struct compile *c, const struct oci_syscall *syscall, const struct seccomp_rule *rule, struct err **err)
{
	for (size_t i = 0; i < syscall->names.count; i++)
		if (add_name(c, syscall->names.items[i], rule) < 0)
			return err_nomem(err);
	return 0;
}

static int lower_syscall(struct compile *c, const struct oci_syscall *syscall, struct err **err)
{
	size_t count = syscall->args.count, part_count;
	struct seccomp_condition *conditions = arena_array(c->arena, count + 1, sizeof(*conditions));
	struct seccomp_rule *parts = arena_array(c->arena, count + 1, sizeof(*parts));
	struct seccomp_rule whole = { .conditions = conditions, .condition_count = count };
	int r;

	if (!conditions || !parts)
		return err_nomem(err);
	r = lower_action(c, syscall->action, &syscall->errno_ret, syscall->element, "/action", &whole.action, err);
	if (r < 0)
		return r;
	if (!syscall->names.count)
		return err_set(err, E_CONFIG, 0, pointer_of(c, syscall->element, "/names"),
			       "at least one system call name expected");
	r = lower_conditions(c, syscall, conditions, err);
	if (r < 0)
		return r;
	/* what the default does anyhow needs no rule */
	if (whole.action == c->default_action && !count)
		return c->refuses_newer ? add_names(c, syscall, NULL, err) : 0;
	part_count = split_rule(&whole, parts);
	for (size_t i = 0; i < part_count && r == 0; i++)
		r = add_names(c, syscall, &parts[i], err);
	return r;
}

/* Does the default refuse? Then a C library that tries a call newer than the profile would take EPERM for the answer, where
 * ENOSYS makes it fall back to an older one. A tracer knows what to do itself. */
static bool wants_newer_closed(uint32_t default_action)
{
	uint32_t kind = default_action & SECCOMP_RET_ACTION_FULL;

	return kind != SECCOMP_RET_ALLOW && kind != SECCOMP_RET_LOG && kind != SECCOMP_RET_TRACE &&
	       default_action != (SECCOMP_RET_ERRNO | ENOSYS);
}

/* Numbers are given in order of time, so what is behind the last call that a profile names is newer than the profile. x86_64 and
 * x32 are told by a bit of the number. */
static void close_newer(struct compile *c)
{
	for (size_t i = 0; i < c->arch_count && c->refuses_newer; i++) {
		bool is_x32 = c->arches[i]->scmp == SCMP_ARCH_X32, has_x32_bit = c->arches[i]->audit == AUDIT_ARCH_X86_64;
		struct seccomp_range *range = &rules_of(c, c->arches[i])->newer[is_x32];

		if (c->last_numbers[i])
			*range = (struct seccomp_range){ (uint64_t)c->last_numbers[i] + 1,
							 has_x32_bit && !is_x32 ? X32_BIT : UINT64_C(1) << 32 };
	}
}

static int lower_rules(struct compile *c, struct err **err)
{
	int r;

	r = lower_action(c, c->config->default_action, &c->config->default_errno_ret, c->config->element,
			 "/defaultAction", &c->default_action, err);
	if (r < 0)
		return r;
	r = lower_arches(c, err);
	if (r < 0)
		return r;
	c->refuses_newer = wants_newer_closed(c->default_action);
	for (size_t i = 0; i < c->config->syscalls.count; i++) {
		r = lower_syscall(c, &c->config->syscalls.items[i], err);
		if (r < 0)
			return r;
	}
	close_newer(c);
	return 0;
}

int seccomp_compile(struct arena *arena, const struct oci_seccomp *config, const struct oci_seccomp *kept,
		    struct plan_seccomp *ret, const struct log *log, struct err **err)
{
	cleanup_arena struct arena *scratch = arena_new();
	struct compile c = { .arena = scratch, .config = config, .log = log };
	struct sock_filter *program = NULL;
	uint32_t flags = 0;
	int r;

	if (!scratch)
		return err_nomem(err);
	r = lower_rules(&c, err);
	if (r < 0)
		return r;
	r = lower_flags(&c, &flags, err);
	if (r < 0)
		return r;
	if (c.uses_notify && !config->listener_path)
		return err_set(err, E_CONFIG, 0, "/linux/seccomp/listenerPath",
			       "SCMP_ACT_NOTIFY needs a listenerPath");
	r = seccomp_bpf_build(arena, c.rules, c.rules_count, c.default_action, &program,
			      &ret->instruction_count, err);
	if (r < 0)
		return r;
	ret->program = program;
	ret->flags = flags;
	ret->use_notify = c.uses_notify;
	ret->listener_path = arena_strdup(arena, config->listener_path);
	ret->listener_metadata = arena_strdup(arena, config->listener_metadata);
	ret->rules = kept ? seccomp_rules_text(arena, kept) : NULL;
	return ret->rules || !kept ? 0 : err_nomem(err);
}

/* test_seccomp.c - the seccomp compiler against a simulator: what the program says about random calls is
 * what the rules say, evaluated naively; and what libseccomp's own program says. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/sys.h"
#include "plan/seccomp.h"
#include "plan/seccomp_bpf.h"

/* The instructions that seccomp programs use; anything else fails the test. */
static uint32_t simulate(const struct sock_filter *code, uint32_t count, const struct seccomp_data *data)
{
	uint32_t a = 0;

	for (uint32_t pc = 0; pc < count; pc++) {
		const struct sock_filter *i = &code[pc];

		switch (i->code) {
		case BPF_LD | BPF_W | BPF_ABS:
			assert_true(i->k + 4 <= sizeof(*data));
			memcpy(&a, (const char *)data + i->k, 4);
			break;
		case BPF_ALU | BPF_AND | BPF_K: a &= i->k; break;
		case BPF_JMP | BPF_JA: pc += i->k; break;
		case BPF_JMP | BPF_JEQ | BPF_K: pc += a == i->k ? i->jt : i->jf; break;
		case BPF_JMP | BPF_JGT | BPF_K: pc += a > i->k ? i->jt : i->jf; break;
		case BPF_JMP | BPF_JGE | BPF_K: pc += a >= i->k ? i->jt : i->jf; break;
		case BPF_RET | BPF_K: return i->k;
		default: fail_msg("unexpected instruction 0x%x", i->code);
		}
	}
	fail_msg("ran off the program");
	return 0;
}

static bool holds(const struct seccomp_condition *c, const struct seccomp_data *data)
{
	uint64_t v = data->args[c->index];

	switch (c->op) {
	case OP_NE: return v != c->value;
	case OP_LT: return v < c->value;
	case OP_LE: return v <= c->value;
	case OP_EQ: return v == c->value;
	case OP_GE: return v >= c->value;
	case OP_GT: return v > c->value;
	case OP_MASKED_EQ: return (v & c->value) == c->value_two;
	}
	return false;
}

/* First rule in written order whose conditions hold, those with conditions before those without. */
static uint32_t naive(const struct seccomp_entry *entries, size_t count, uint32_t fallback,
		      const struct seccomp_data *data)
{
	for (int plain = 0; plain < 2; plain++)
		for (size_t i = 0; i < count; i++) {
			const struct seccomp_rule *rule = entries[i].rule;
			bool all = entries[i].number == (uint32_t)data->nr &&
				   (rule->condition_count == 0) == (plain == 1);

			for (size_t j = 0; all && j < rule->condition_count; j++)
				all = holds(&rule->conditions[j], data);
			if (all)
				return rule->action;
		}
	return fallback;
}

static uint64_t pick_value(void)
{
	static const uint64_t values[] = { 0, 1, 2, 0x7fffffff, 0x80000000, 0xffffffff, 0x100000000, 0x100000001,
					   0xffffffff00000000, UINT64_MAX };

	return values[(size_t)rand() % array_size(values)];
}

/* Of each second kind none. */
static struct seccomp_range pick_range(uint64_t from)
{
	uint64_t first = from + (uint64_t)(rand() % 100), len = (uint64_t)(rand() % 100);

	return rand() % 2 ? (struct seccomp_range){ first, first + len } : (struct seccomp_range){ 0, 0 };
}

/* A call that an entry names is not newer than the profile. */
static uint32_t fallback_of(const struct seccomp_arch_rules *arch, int number)
{
	for (size_t i = 0; i < arch->count; i++)
		if (arch->entries[i].number == (uint32_t)number)
			return SECCOMP_RET_ALLOW;
	for (size_t i = 0; i < array_size(arch->newer); i++)
		if ((uint32_t)number >= arch->newer[i].first && (uint32_t)number < arch->newer[i].end)
			return SECCOMP_RET_ERRNO | ENOSYS;
	return SECCOMP_RET_ALLOW;
}

/* Crowded: many rules of few calls, whose conditions are mostly the neighbours'. */
static struct seccomp_entry pick_entry(struct arena *arena, bool is_crowded)
{
	struct seccomp_condition *c = arena_array(arena, 4, sizeof(*c));
	struct seccomp_rule *rule = arena_array(arena, 1, sizeof(*rule));
	size_t n = (size_t)rand() % (is_crowded ? 4 : 3);

	if (is_crowded && n == 0)
		n = rand() % 20 ? 3 : 0;	/* nothing comes behind one without conditions */
	for (size_t j = 0; j < n; j++)
		if (!is_crowded)
			c[j] = (struct seccomp_condition){ (uint32_t)rand() % 6, (enum seccomp_operator)(rand() % 7), pick_value(), pick_value() };
		else if (j == 0)
			c[j] = (struct seccomp_condition){ 0, OP_EQ, (uint64_t)rand() % 2, 0 };
		else
			c[j] = (struct seccomp_condition){ (uint32_t)j, OP_MASKED_EQ, UINT32_MAX, (uint64_t)rand() % 2 };
	*rule = (struct seccomp_rule){ SECCOMP_RET_ERRNO | ((uint32_t)rand() % 5), c, n };
	return (struct seccomp_entry){ (uint32_t)rand() % (is_crowded ? 2 : 300), rule };
}

static void check_random_rules(bool is_crowded)
{
	for (int round = 0; round < 400; round++) {
		cleanup_arena struct arena *arena = arena_new();
		size_t count = (size_t)rand() % 120;
		struct seccomp_entry *entries = arena_array(arena, count + 1, sizeof(*entries));
		struct seccomp_arch_rules arch = { .audit_arch = AUDIT_ARCH_X86_64, .is_64_bit = true,
						   .newer = { pick_range(0), pick_range(200) }, .entries = entries, .count = count };
		struct sock_filter *program;
		uint32_t len;
		struct err *err = NULL;

		for (size_t i = 0; i < count; i++)
			entries[i] = pick_entry(arena, is_crowded);
		assert_int_equal(seccomp_bpf_build(arena, &arch, 1, SECCOMP_RET_ALLOW, &program, &len, &err), 0);
		for (int probe = 0; probe < 500; probe++) {
			struct seccomp_data data = { .nr = rand() % (is_crowded ? 3 : 302), .arch = AUDIT_ARCH_X86_64 };

			for (int j = 0; j < 6; j++)
				data.args[j] = is_crowded ? (uint64_t)rand() % 3 : pick_value();
			assert_int_equal(simulate(program, len, &data), naive(entries, count, fallback_of(&arch, data.nr), &data));
		}
	}
}

static void random_rules_match(void **state)
{
	(void)state;
	srand(20);
	check_random_rules(false);
	check_random_rules(true);
}

/* What rules of one call have in common is asked once. */
static void common_conditions_are_asked_once(void **state)
{
	enum { RULES = 6 };
	cleanup_arena struct arena *arena = arena_new();
	struct seccomp_condition conditions[RULES][2];
	struct seccomp_rule rules[RULES];
	struct seccomp_entry entries[RULES];
	struct seccomp_arch_rules arch = { .audit_arch = AUDIT_ARCH_X86_64, .is_64_bit = true, .entries = entries, .count = RULES };
	struct sock_filter *program;
	struct err *err = NULL;
	uint32_t len, loads = 0;

	(void)state;
	for (uint32_t i = 0; i < RULES; i++) {
		conditions[i][0] = (struct seccomp_condition){ 0, OP_MASKED_EQ, UINT32_MAX, 2 };
		conditions[i][1] = (struct seccomp_condition){ 1, OP_MASKED_EQ, UINT32_MAX, i };
		rules[i] = (struct seccomp_rule){ SECCOMP_RET_ERRNO | i, conditions[i], 2 };
		entries[i] = (struct seccomp_entry){ 41, &rules[i] };
	}
	assert_int_equal(seccomp_bpf_build(arena, &arch, 1, SECCOMP_RET_ALLOW, &program, &len, &err), 0);
	for (uint32_t i = 0; i < len; i++)
		loads += program[i].code == (BPF_LD | BPF_W | BPF_ABS) && program[i].k == offsetof(struct seccomp_data, args);
	assert_int_equal(loads, 1);
}

static struct plan_seccomp compile(struct arena *arena, const char *text)
{
	const struct json *document;
	const struct oci_config *config;
	struct plan_seccomp ret = { 0 };
	cleanup_strbuf struct strbuf full = STRBUF_INIT;
	struct err *err = NULL;

	strbuf_printf(&full, "{\"ociVersion\":\"1.0.2\",\"root\":{\"path\":\"r\"},\"process\":{\"cwd\":\"/\",\"args\":[\"x\"],"
		      "\"user\":{\"uid\":0,\"gid\":0}},\"linux\":{\"seccomp\":%s}}", text);
	assert_int_equal(json_parse(arena, strbuf_str(&full), full.len, "t", &document, &err), 0);
	assert_int_equal(oci_parse(arena, document, NULL, &config, &err), 0);
	assert_int_equal(seccomp_compile(arena, config->linux_->seccomp, NULL, &ret, NULL, &err), 0);
	return ret;
}

/* The same rules through libseccomp, and every number up to the last that they name compared. */
static void agrees_with_libseccomp(void **state)
{
	static const char *const names[] = { "read", "write", "mmap", "clone", "openat", "exit_group", "bpf", "mount" };
	cleanup_arena struct arena *arena = arena_new();
	struct plan_seccomp ours = compile(arena, "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"syscalls\":[{\"names\":["
		"\"read\",\"write\",\"mmap\",\"clone\",\"openat\",\"exit_group\",\"bpf\",\"mount\"],\"action\":\"SCMP_ACT_ALLOW\"}]}");
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	int fd = sys_memfd_create("bpf", 0);
	struct sock_filter theirs[4096];
	ssize_t len;

	(void)state;
	for (size_t i = 0; i < array_size(names); i++)
		assert_int_equal(seccomp_rule_add(ctx, SCMP_ACT_ALLOW, seccomp_syscall_resolve_name(names[i]), 0), 0);
	assert_int_equal(seccomp_export_bpf(ctx, fd), 0);
	len = pread(fd, theirs, sizeof(theirs), 0);
	assert_true(len > 0);
	for (int nr = 0; nr <= seccomp_syscall_resolve_name("bpf"); nr++) {
		struct seccomp_data data = { .nr = nr, .arch = AUDIT_ARCH_X86_64 };

		assert_int_equal(simulate(ours.program, ours.instruction_count, &data),
				 simulate(theirs, (uint32_t)((size_t)len / sizeof(*theirs)), &data));
	}
	close(fd);
	seccomp_release(ctx);
}

static uint32_t ask(const struct plan_seccomp *p, uint32_t arch, uint32_t number, uint64_t first_argument)
{
	struct seccomp_data data = { .nr = (int)number, .arch = arch, .args = { first_argument } };

	return simulate(p->program, p->instruction_count, &data);
}

#define ALLOW(names) "{\"names\":[" names "],\"action\":\"SCMP_ACT_ALLOW\"}"
#define REFUSE(names) "{\"names\":[" names "],\"action\":\"SCMP_ACT_ERRNO\"}"
#define DEFAULT_REFUSES "\"defaultAction\":\"SCMP_ACT_ERRNO\""
#define ALL_OF_X86 "\"architectures\":[\"SCMP_ARCH_X86_64\",\"SCMP_ARCH_X86\",\"SCMP_ARCH_X32\"]"

/* Behind the last call that a rule names, each architecture by its own numbers; a rule that only says what the default does counts. */
static void newer_calls_do_not_exist(void **state)
{
	static const uint32_t refused = SECCOMP_RET_ERRNO | EPERM, absent = SECCOMP_RET_ERRNO | ENOSYS;
	cleanup_arena struct arena *arena = arena_new();
	struct plan_seccomp p = compile(arena, "{" DEFAULT_REFUSES "," ALL_OF_X86 ",\"syscalls\":[" ALLOW("\"read\"") "," REFUSE("\"mount\",\"bpf\"") "]}");
	uint32_t last = (uint32_t)seccomp_syscall_resolve_name("bpf");
	uint32_t last_x86 = (uint32_t)seccomp_syscall_resolve_name_arch(SCMP_ARCH_X86, "bpf");
	uint32_t last_x32 = (uint32_t)seccomp_syscall_resolve_name_arch(SCMP_ARCH_X32, "bpf");

	(void)state;
	assert_int_equal(ask(&p, AUDIT_ARCH_X86_64, 0, 0), SECCOMP_RET_ALLOW);
	assert_int_equal(ask(&p, AUDIT_ARCH_X86_64, last, 0), refused);
	assert_int_equal(ask(&p, AUDIT_ARCH_X86_64, last + 1, 0), absent);
	assert_int_equal(ask(&p, AUDIT_ARCH_X86_64, 0x3fffffff, 0), absent);
	assert_int_equal(ask(&p, AUDIT_ARCH_X86_64, 0x40000000, 0), SECCOMP_RET_ALLOW);
	assert_int_equal(ask(&p, AUDIT_ARCH_X86_64, last_x32, 0), refused);
	assert_int_equal(ask(&p, AUDIT_ARCH_X86_64, last_x32 + 1, 0), absent);
	assert_int_equal(ask(&p, AUDIT_ARCH_X86_64, UINT32_MAX, 0), absent);
	assert_int_equal(ask(&p, AUDIT_ARCH_I386, last_x86, 0), refused);
	assert_int_equal(ask(&p, AUDIT_ARCH_I386, last_x86 + 1, 0), absent);
	/* an ABI that isn't listed stays closed */
	p = compile(arena, "{" DEFAULT_REFUSES ",\"syscalls\":[" ALLOW("\"write\"") "]}");
	assert_int_equal(ask(&p, AUDIT_ARCH_X86_64, 2, 0), absent);
	assert_int_equal(ask(&p, AUDIT_ARCH_X86_64, 0x40000001, 0), SECCOMP_RET_KILL_PROCESS);
}

static void newer_calls_get_the_default(void **state)
{
	static const struct { const char *word; uint32_t action; } rows[] = {
		{ "\"SCMP_ACT_ALLOW\"", SECCOMP_RET_ALLOW }, { "\"SCMP_ACT_LOG\"", SECCOMP_RET_LOG },
		{ "\"SCMP_ACT_TRACE\"", SECCOMP_RET_TRACE | EPERM },
		{ "\"SCMP_ACT_ERRNO\"", SECCOMP_RET_ERRNO | ENOSYS }, { "\"SCMP_ACT_KILL_PROCESS\"", SECCOMP_RET_ERRNO | ENOSYS },
		{ "\"SCMP_ACT_ERRNO\",\"defaultErrnoRet\":9", SECCOMP_RET_ERRNO | ENOSYS },
	};

	(void)state;
	for (size_t i = 0; i < array_size(rows); i++) {
		cleanup_arena struct arena *arena = arena_new();
		struct plan_seccomp p = compile(arena, arena_printf(arena, "{\"defaultAction\":%s,\"syscalls\":[" ALLOW("\"read\",\"bpf\"") "]}",
								    rows[i].word));

		assert_int_equal(ask(&p, AUDIT_ARCH_X86_64, 1000, 0), rows[i].action);
		/* nothing is newer than a profile without names */
		p = compile(arena, arena_printf(arena, "{\"defaultAction\":%s}", rows[i].word));
		assert_true(ask(&p, AUDIT_ARCH_X86_64, 1000, 0) != (SECCOMP_RET_ERRNO | ENOSYS));
	}
}

static void conditions_on_one_argument_are_alternatives(void **state)
{
	cleanup_arena struct arena *arena = arena_new();
	struct plan_seccomp p = compile(arena, "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[\"socket\"],\"action\":\"SCMP_ACT_ERRNO\","
		"\"args\":[{\"index\":0,\"value\":38,\"op\":\"SCMP_CMP_EQ\"},{\"index\":0,\"value\":40,\"op\":\"SCMP_CMP_EQ\"}]}]}");
	uint32_t number = (uint32_t)seccomp_syscall_resolve_name("socket");

	(void)state;
	assert_int_equal(ask(&p, AUDIT_ARCH_X86_64, number, 38), SECCOMP_RET_ERRNO | EPERM);
	assert_int_equal(ask(&p, AUDIT_ARCH_X86_64, number, 40), SECCOMP_RET_ERRNO | EPERM);
	assert_int_equal(ask(&p, AUDIT_ARCH_X86_64, number, 39), SECCOMP_RET_ALLOW);
}

static void unlisted_abis_are_killed(void **state)
{
	cleanup_arena struct arena *arena = arena_new();
	struct plan_seccomp p = compile(arena, "{\"defaultAction\":\"SCMP_ACT_ALLOW\"}");
	struct seccomp_data x32 = { .nr = 0x40000000, .arch = AUDIT_ARCH_X86_64 };
	struct seccomp_data i386 = { .nr = 3, .arch = AUDIT_ARCH_I386 };
	struct seccomp_data native = { .nr = 3, .arch = AUDIT_ARCH_X86_64 };

	(void)state;
	assert_int_equal(simulate(p.program, p.instruction_count, &x32), SECCOMP_RET_KILL_PROCESS);
	assert_int_equal(simulate(p.program, p.instruction_count, &i386), SECCOMP_RET_KILL_PROCESS);
	assert_int_equal(simulate(p.program, p.instruction_count, &native), SECCOMP_RET_ALLOW);
}

static void bad_words_are_fatal(void **state)
{
	static const char *const bad[] = {
		"{\"defaultAction\":\"SCMP_ACT_NONE\"}",
		"{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"architectures\":[\"SCMP_ARCH_VAX\"]}",
		"{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"flags\":[\"SECCOMP_FILTER_FLAG_NO\"]}",
		"{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"defaultErrnoRet\":5000}",
		"{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[\"read\"],\"action\":\"SCMP_ACT_ERRNO\","
			"\"args\":[{\"index\":9,\"value\":1,\"op\":\"SCMP_CMP_EQ\"}]}]}",
		"{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[\"read\"],\"action\":\"SCMP_ACT_ERRNO\","
			"\"args\":[{\"index\":0,\"value\":1,\"op\":\"SCMP_CMP_XX\"}]}]}",
	};

	(void)state;
	for (size_t i = 0; i < array_size(bad); i++) {
		cleanup_arena struct arena *arena = arena_new();
		cleanup_strbuf struct strbuf full = STRBUF_INIT;
		const struct json *document;
		const struct oci_config *config = NULL;
		struct plan_seccomp ret = { 0 };
		cleanup_err struct err *err = NULL;

		strbuf_printf(&full, "{\"ociVersion\":\"1.0.2\",\"root\":{\"path\":\"r\"},\"linux\":{\"seccomp\":%s}}", bad[i]);
		assert_int_equal(json_parse(arena, strbuf_str(&full), full.len, "t", &document, &err), 0);
		if (oci_parse(arena, document, NULL, &config, &err) == 0)
			if (seccomp_compile(arena, config->linux_->seccomp, NULL, &ret, NULL, &err) >= 0)
				fail_msg("accepted: %s", bad[i]);
		assert_non_null(err);
		assert_int_equal(err->code, E_CONFIG);
		assert_non_null(err->pointer);
	}
}

struct policy_case {
	const char *call;
	uint64_t args[3];
	uint32_t by_default, by_denylist;
};

#define NO(number) (SECCOMP_RET_ERRNO | (number))
#define YES SECCOMP_RET_ALLOW

static const struct policy_case policy_cases[] = {
	{ "execve", { 0 }, YES, YES },
	{ "mount", { 0 }, NO(EPERM), NO(EPERM) },
	{ "clone3", { 0 }, NO(ENOSYS), NO(ENOSYS) },
	{ "clone", { 0x01200011 }, YES, YES },
	{ "clone", { 0x10000000 }, NO(EPERM), NO(EPERM) },
	{ "clone", { 0x00020000 | 0x40000000 }, NO(EPERM), NO(EPERM) },
	{ "ioctl", { 0, 0x5401 }, YES, YES },
	{ "ioctl", { 0, 0x5413 }, YES, YES },
	{ "ioctl", { 0, 0x541b }, YES, YES },
	{ "ioctl", { 0, 0x5410 }, YES, YES },
	{ "ioctl", { 0, 0x541e }, YES, YES },
	{ "ioctl", { 0, 0xffffffff5412 }, YES, YES },
	{ "ioctl", { 0, 0xc0045412 }, YES, YES },
	{ "ioctl", { 0, 0x5412 }, NO(EPERM), NO(EPERM) },
	{ "ioctl", { 0, 0xffffffff00005412 }, NO(EPERM), NO(EPERM) },
	{ "ioctl", { 0, 0x10000541c }, NO(EPERM), NO(EPERM) },
	{ "socket", { AF_UNIX, SOCK_STREAM }, YES, YES },
	{ "socket", { AF_INET, SOCK_STREAM | SOCK_CLOEXEC }, YES, YES },
	{ "socket", { AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK, IPPROTO_UDP }, YES, YES },
	{ "socket", { AF_INET, SOCK_STREAM, 262 }, NO(EPROTONOSUPPORT), YES },
	{ "socket", { AF_INET, SOCK_SEQPACKET, 132 }, NO(ENOSYS), YES },
	{ "socket", { AF_INET, SOCK_RAW }, NO(EPERM), NO(EPERM) },
	{ "socket", { AF_INET, SOCK_RAW | SOCK_CLOEXEC, 255 }, NO(EPERM), NO(EPERM) },
	{ "socket", { AF_PACKET, SOCK_DGRAM }, NO(EPERM), NO(EPERM) },
	{ "socket", { AF_ALG, SOCK_SEQPACKET }, NO(EAFNOSUPPORT), NO(EAFNOSUPPORT) },
	{ "socket", { AF_VSOCK, SOCK_STREAM }, NO(EAFNOSUPPORT), NO(EAFNOSUPPORT) },
	{ "socket", { AF_NETLINK, SOCK_RAW }, YES, YES },
	{ "socket", { AF_NETLINK, SOCK_DGRAM, 12 }, NO(ENOSYS), YES },
	{ "socketpair", { AF_UNIX, SOCK_STREAM }, YES, YES },
	{ "personality", { 0xffffffff }, YES, YES },
	{ "personality", { 0x0040000 }, NO(ENOSYS), YES },
	{ "chroot", { 0 }, NO(EPERM), NO(EPERM) },
};

static uint32_t ask_policy(const struct plan_seccomp *p, int number, const uint64_t args[3])
{
	struct seccomp_data data = { .nr = number, .arch = AUDIT_ARCH_X86_64, .args = { args[0], args[1], args[2] } };

	return simulate(p->program, p->instruction_count, &data);
}

static void compile_policy(struct arena *arena, enum seccomp_profile profile, uint64_t capabilities, struct plan_seccomp *ret)
{
	struct err *err = NULL;
	const struct seccomp_workload workload = { .capabilities = capabilities, .keeps_rules = true };

	*ret = (struct plan_seccomp){ 0 };
	assert_int_equal(seccomp_compile_policy(arena, profile, &workload, ret, NULL, &err), 0);
}

static void named_profiles(void **state)
{
	cleanup_arena struct arena *arena = arena_new();
	struct plan_seccomp by_default, denylist;

	(void)state;
	compile_policy(arena, SECCOMP_PROFILE_DEFAULT, 0, &by_default);
	compile_policy(arena, SECCOMP_PROFILE_DENYLIST, 0, &denylist);
	for (size_t i = 0; i < array_size(policy_cases); i++) {
		const struct policy_case *c = &policy_cases[i];
		int number = seccomp_syscall_resolve_name(c->call);

		if (ask_policy(&by_default, number, c->args) != c->by_default)
			fail_msg("default: %s %llx %llx", c->call, (unsigned long long)c->args[0], (unsigned long long)c->args[1]);
		if (ask_policy(&denylist, number, c->args) != c->by_denylist)
			fail_msg("denylist: %s %llx %llx", c->call, (unsigned long long)c->args[0], (unsigned long long)c->args[1]);
	}
	assert_int_equal(ask_policy(&by_default, 600, policy_cases[0].args), NO(ENOSYS));
	assert_int_equal(ask_policy(&denylist, 600, policy_cases[0].args), YES);
}

/* On the host's network, where a name is all that keeps a UNIX socket from the host's: a datagram socket of a pair can send to any. */
static void unix_sockets_by_pairs(void **state)
{
	static const struct {
		const char *call;
		uint64_t args[3];
		uint32_t pairs;
	} cases[] = {
		{ "socket", { AF_UNIX, SOCK_STREAM }, NO(EACCES) },
		{ "socket", { AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC }, NO(EACCES) },
		{ "socket", { AF_INET, SOCK_STREAM }, YES },
		{ "socketpair", { AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC }, YES },
		{ "socketpair", { AF_UNIX, SOCK_SEQPACKET }, YES },
		{ "socketpair", { AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK }, NO(EACCES) },
		{ "socketpair", { AF_UNIX, SOCK_RAW }, NO(EACCES) },
	};
	cleanup_arena struct arena *arena = arena_new();
	struct err *err = NULL;

	(void)state;
	for (int profile = 0; profile < 2; profile++) {
		struct seccomp_workload workload = { .unix_sockets = SECCOMP_UNIX_PAIRS };
		struct plan_seccomp pairs = { 0 }, any = { 0 };

		assert_int_equal(seccomp_compile_policy(arena, (enum seccomp_profile)profile, &workload, &pairs, NULL, &err), 0);
		workload.unix_sockets = SECCOMP_UNIX_PAIRS_FOR_OTHERS;
		assert_int_equal(seccomp_compile_policy(arena, (enum seccomp_profile)profile, &workload, &any, NULL, &err), 0);
		for (size_t i = 0; i < array_size(cases); i++) {
			int number = seccomp_syscall_resolve_name(cases[i].call);

			assert_int_equal(ask_policy(&pairs, number, cases[i].args), cases[i].pairs);
			assert_int_equal(ask_policy(&any, number, cases[i].args), YES);
		}
	}
}

static const struct {
	const char *call;
	uint64_t args[4];
	uint32_t refused;
} set_uid_cases[] = {
	{ "chmod", { 0, 0755 }, YES },
	{ "chmod", { 0, 02755 }, YES },
	{ "chmod", { 0, 04755 }, NO(EPERM) },
	{ "chmod", { 0, 1ull << 32 | 06000 }, NO(EPERM) },
	{ "fchmod", { 3, 04000 }, NO(EPERM) },
	{ "fchmodat", { 3, 0, 04711 }, NO(EPERM) },
	{ "fchmodat", { 3, 04000, 0644 }, YES },
	{ "mknod", { 0, S_IFREG | 04755 }, NO(EPERM) },
	{ "mknodat", { 3, 0, S_IFIFO | 0644 }, YES },
	{ "creat", { 0, 04755 }, NO(EPERM) },
	{ "open", { 0, O_RDONLY, 04755 }, YES },
	{ "open", { 0, O_WRONLY | O_CREAT, 0644 }, YES },
	{ "open", { 0, O_WRONLY | O_CREAT, 04755 }, NO(EPERM) },
	{ "openat", { 3, 0, O_RDWR | O_CREAT | O_EXCL, 04700 }, NO(EPERM) },
	{ "openat", { 3, 0, O_RDWR | O_TMPFILE, 04700 }, NO(EPERM) },
	{ "openat", { 3, 0, O_RDONLY | O_DIRECTORY, 04700 }, YES },
	{ "openat2", { 3 }, NO(ENOSYS) },
};

/* A sandbox that writes to the host makes no file there that another user could become its caller by. */
static void no_set_user_id_files(void **state)
{
	cleanup_arena struct arena *arena = arena_new();

	(void)state;
	for (int i = 0; i < 4; i++) {
		const struct seccomp_workload workload = { .keeps_rules = i & 1, .writes_to_host = true };
		const enum seccomp_profile profile = (enum seccomp_profile)(i / 2);
		struct plan_seccomp with = { 0 }, without = { 0 };

		assert_int_equal(seccomp_compile_policy(arena, profile, &workload, &with, NULL, NULL), 0);
		compile_policy(arena, profile, 0, &without);
		for (size_t j = 0; j < array_size(set_uid_cases); j++) {
			struct seccomp_data data = { .nr = seccomp_syscall_resolve_name(set_uid_cases[j].call), .arch = AUDIT_ARCH_X86_64 };

			memcpy(data.args, set_uid_cases[j].args, sizeof(set_uid_cases[j].args));
			if (simulate(with.program, with.instruction_count, &data) != set_uid_cases[j].refused)
				fail_msg("%d: case %zu, %s", i, j, set_uid_cases[j].call);
			assert_int_equal(simulate(without.program, without.instruction_count, &data), YES);
		}
	}
}

/* What the build has compiled is what is compiled here, and is not taken where a capability changes it. */
static void profiles_made_by_the_build(void **state)
{
	cleanup_arena struct arena *arena = arena_new();
	struct plan_seccomp ready, compiled;
	struct err *err = NULL;

	(void)state;
	if (!seccomp_ready)
		skip();
	for (int profile = 0; profile < 2; profile++)
		for (uint64_t capabilities = 0; capabilities <= 1ull << 13; capabilities += 1ull << 13) {
			const struct seccomp_workload workload = { .capabilities = capabilities };

			assert_int_equal(seccomp_compile_policy(arena, (enum seccomp_profile)profile, &workload, &ready, NULL, &err), 0);
			compile_policy(arena, (enum seccomp_profile)profile, capabilities, &compiled);
			assert_int_equal(ready.instruction_count, compiled.instruction_count);
			assert_memory_equal(ready.program, compiled.program, compiled.instruction_count * sizeof(struct sock_filter));
			assert_true(capabilities || ready.instruction_count == seccomp_ready[2 * profile].count);
			assert_null(ready.rules);
		}
}

/* What a kept capability is for is let through, and nothing else changes. */
static void capabilities_open_calls(void **state)
{
	cleanup_arena struct arena *arena = arena_new();
	static const struct policy_case raw = { "socket", { AF_INET, SOCK_RAW, 1 }, YES, YES };
	struct plan_seccomp p;

	(void)state;
	for (int profile = 0; profile < 2; profile++) {
		compile_policy(arena, (enum seccomp_profile)profile, 1ull << 13, &p);
		assert_int_equal(ask_policy(&p, seccomp_syscall_resolve_name("socket"), raw.args), YES);
		assert_int_equal(ask_policy(&p, seccomp_syscall_resolve_name("chroot"), raw.args), NO(EPERM));
		compile_policy(arena, (enum seccomp_profile)profile, 1ull << 18, &p);
		assert_int_equal(ask_policy(&p, seccomp_syscall_resolve_name("socket"), raw.args), NO(EPERM));
		assert_int_equal(ask_policy(&p, seccomp_syscall_resolve_name("chroot"), raw.args), YES);
	}
}

static uint32_t libseccomp_action(const struct oci_syscall *rule)
{
	return strcmp(rule->action, "SCMP_ACT_ALLOW") == 0 ? SCMP_ACT_ALLOW : SCMP_ACT_ERRNO(rule->errno_ret.value);
}

static enum scmp_compare libseccomp_operator(const char *op)
{
	return strcmp(op, "SCMP_CMP_EQ") == 0 ? SCMP_CMP_EQ : strcmp(op, "SCMP_CMP_GT") == 0 ? SCMP_CMP_GT : SCMP_CMP_MASKED_EQ;
}

/* As runc and crun do: all conditions of a rule at once; calls that this machine doesn't have, and what the default says, left out. */
static void add_to_libseccomp(scmp_filter_ctx ctx, const struct oci_syscall *rule, uint32_t by_default)
{
	struct scmp_arg_cmp args[6];

	for (size_t i = 0; i < rule->args.count; i++) {
		const struct oci_seccomp_arg *arg = &rule->args.items[i];

		args[i] = (struct scmp_arg_cmp){ arg->index.value, libseccomp_operator(arg->op), arg->value.value,
						 arg->value_two.value };
	}
	for (size_t i = 0; i < rule->names.count; i++) {
		int number = seccomp_syscall_resolve_name(rule->names.items[i]);

		if (number >= 0 && libseccomp_action(rule) != by_default)
			assert_int_equal(seccomp_rule_add_array(ctx, libseccomp_action(rule), number,
								(unsigned int)rule->args.count, args), 0);
	}
}

static ssize_t compile_by_libseccomp(const struct oci_seccomp *rules, struct sock_filter *ret, size_t size)
{
	uint32_t by_default = strcmp(rules->default_action, "SCMP_ACT_ALLOW") == 0 ? SCMP_ACT_ALLOW
										  : SCMP_ACT_ERRNO(rules->default_errno_ret.value);
	scmp_filter_ctx ctx = seccomp_init(by_default);
	int fd = sys_memfd_create("bpf", 0);
	ssize_t len;

	for (size_t i = 0; i < rules->syscalls.count; i++)
		add_to_libseccomp(ctx, &rules->syscalls.items[i], by_default);
	assert_int_equal(seccomp_export_bpf(ctx, fd), 0);
	len = pread(fd, ret, size, 0);
	assert_true(len > 0 && (size_t)len < size);
	close(fd);
	seccomp_release(ctx);
	return len / (ssize_t)sizeof(*ret);
}

/* The rules of a profile mean the same to libseccomp, by which other runtimes compile them: for each call, and for the
 * arguments that matter. */
static void named_profiles_under_libseccomp(void **state)
{
	static struct sock_filter theirs[8192];

	(void)state;
	for (int profile = 0; profile < 2; profile++) {
		cleanup_arena struct arena *arena = arena_new();
		const struct json *document;
		const struct oci_seccomp *rules;
		struct plan_seccomp p;
		struct err *err = NULL;
		uint32_t len;

		compile_policy(arena, (enum seccomp_profile)profile, 0, &p);
		assert_int_equal(json_parse(arena, p.rules, strlen(p.rules), "rules", &document, &err), 0);
		assert_int_equal(oci_parse_seccomp(arena, document, NULL, &rules, &err), 0);
		len = (uint32_t)compile_by_libseccomp(rules, theirs, sizeof(theirs));
		for (int number = 0; number < 600; number++)
			for (size_t i = 0; i < array_size(policy_cases); i++) {
				struct seccomp_data data = { .nr = number, .arch = AUDIT_ARCH_X86_64 };

				memcpy(data.args, policy_cases[i].args, sizeof(policy_cases[i].args));
				if (simulate(p.program, p.instruction_count, &data) != simulate(theirs, len, &data))
					fail_msg("%s: call %d, arguments of case %zu", seccomp_profile_words[profile], number, i);
			}
	}
}

#define MAKERS "\"chmod\", \"fchmod\", \"fchmodat\", \"mknod\", \"mknodat\", \"creat\", \"open\", \"openat\", \"openat2\""

static const struct oci_seccomp *parse_section(struct arena *arena, const char *text)
{
	const struct oci_seccomp *section;
	const struct json *document;
	struct err *err = NULL;

	assert_int_equal(json_parse(arena, text, strlen(text), "section", &document, &err), 0);
	assert_int_equal(oci_parse_seccomp(arena, document, NULL, &section, &err), 0);
	return section;
}

/* A file's profile as the named ones: by us, and by libseccomp, by which others compile what is kept of it. What the file itself
 * refuses stays as it says. */
static void no_set_user_id_files_by_file(void **state)
{
	static const char *const texts[] = {
		"{\"defaultAction\": \"SCMP_ACT_ALLOW\"}",
		"{\"defaultAction\": \"SCMP_ACT_ALLOW\", \"syscalls\": [{\"names\": [" MAKERS "], \"action\": \"SCMP_ACT_ALLOW\"}]}",
		"{\"defaultAction\": \"SCMP_ACT_ERRNO\", \"defaultErrnoRet\": 38, \"syscalls\": [{\"names\": [\"read\", " MAKERS ", \"ioctl\"], "
		"\"action\": \"SCMP_ACT_ALLOW\"}]}",
	};
	static const struct seccomp_workload workload = { .keeps_rules = true, .writes_to_host = true };
	static struct sock_filter theirs[8192];
	cleanup_arena struct arena *arena = arena_new();
	struct plan_seccomp p = { 0 };
	struct seccomp_data data = { .arch = AUDIT_ARCH_X86_64 };
	const struct oci_seccomp *file;
	struct err *err = NULL;

	(void)state;
	for (size_t i = 0; i < array_size(texts); i++) {
		uint32_t len;

		file = parse_section(arena, texts[i]);
		assert_int_equal(seccomp_compile_policy_file(arena, file, &workload, &p, NULL, &err), 0);
		len = (uint32_t)compile_by_libseccomp(parse_section(arena, p.rules), theirs, sizeof(theirs));
		for (size_t j = 0; j < array_size(set_uid_cases); j++) {
			data.nr = seccomp_syscall_resolve_name(set_uid_cases[j].call);
			memcpy(data.args, set_uid_cases[j].args, sizeof(set_uid_cases[j].args));
			if (simulate(p.program, p.instruction_count, &data) != set_uid_cases[j].refused ||
			    simulate(theirs, len, &data) != set_uid_cases[j].refused)
				fail_msg("file %zu: case %zu, %s", i, j, set_uid_cases[j].call);
		}
	}
	file = parse_section(arena, "{\"defaultAction\": \"SCMP_ACT_ALLOW\", \"syscalls\": [{\"names\": [\"creat\"], \"action\": \"SCMP_ACT_KILL\"}]}");
	assert_int_equal(seccomp_compile_policy_file(arena, file, &workload, &p, NULL, &err), 0);
	data.nr = seccomp_syscall_resolve_name("creat");
	data.args[1] = 04755;
	assert_int_equal(simulate(p.program, p.instruction_count, &data), SECCOMP_RET_KILL_THREAD);
	data.args[1] = 0644;
	assert_int_equal(simulate(p.program, p.instruction_count, &data), SECCOMP_RET_KILL_THREAD);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_rules_match),
		cmocka_unit_test(common_conditions_are_asked_once),
		cmocka_unit_test(agrees_with_libseccomp),
		cmocka_unit_test(newer_calls_do_not_exist),
		cmocka_unit_test(newer_calls_get_the_default),
		cmocka_unit_test(conditions_on_one_argument_are_alternatives),
		cmocka_unit_test(unlisted_abis_are_killed),
		cmocka_unit_test(bad_words_are_fatal),
		cmocka_unit_test(named_profiles),
		cmocka_unit_test(unix_sockets_by_pairs),
		cmocka_unit_test(no_set_user_id_files),
		cmocka_unit_test(profiles_made_by_the_build),
		cmocka_unit_test(capabilities_open_calls),
		cmocka_unit_test(named_profiles_under_libseccomp),
		cmocka_unit_test(no_set_user_id_files_by_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

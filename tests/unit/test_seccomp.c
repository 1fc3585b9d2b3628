/* test_seccomp.c - the seccomp compiler against a simulator: what the program says about random calls is
 * what the rules say, evaluated naively; and what libseccomp's own program says. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
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
			const struct seccomp_rule *rule = &entries[i].rule;
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

static void random_rules_match(void **state)
{
	(void)state;
	srand(20);
	for (int round = 0; round < 400; round++) {
		cleanup_arena struct arena *arena = arena_new();
		size_t count = (size_t)rand() % 120;
		struct seccomp_entry *entries = arena_array(arena, count + 1, sizeof(*entries));
		struct seccomp_entry *copy = arena_array(arena, count + 1, sizeof(*entries));
		struct seccomp_arch_rules arch = { .audit_arch = AUDIT_ARCH_X86_64, .is_64_bit = true,
						   .entries = entries, .count = count };
		struct sock_filter *program;
		uint32_t len;
		struct err *err = NULL;

		for (size_t i = 0; i < count; i++) {
			struct seccomp_condition *c = arena_array(arena, 3, sizeof(*c));
			size_t n = (size_t)rand() % 3;

			for (size_t j = 0; j < n; j++)
				c[j] = (struct seccomp_condition){ (uint32_t)rand() % 6,
					(enum seccomp_operator)(rand() % 7), pick_value(), pick_value() };
			entries[i] = (struct seccomp_entry){ (uint32_t)rand() % 300, (uint32_t)i,
				{ SECCOMP_RET_ERRNO | ((uint32_t)rand() % 5), c, n } };
		}
		memcpy(copy, entries, count * sizeof(*entries));
		assert_int_equal(seccomp_bpf_build(arena, &arch, 1, SECCOMP_RET_ALLOW, &program, &len, &err), 0);
		for (int probe = 0; probe < 500; probe++) {
			struct seccomp_data data = { .nr = rand() % 302, .arch = AUDIT_ARCH_X86_64 };

			for (int j = 0; j < 6; j++)
				data.args[j] = pick_value();
			assert_int_equal(simulate(program, len, &data), naive(copy, count, SECCOMP_RET_ALLOW, &data));
		}
	}
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
	assert_int_equal(seccomp_compile(arena, config->linux_->seccomp, &ret, NULL, &err), 0);
	return ret;
}

/* The same rules through libseccomp, and every number up to 500 compared. */
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
	for (int nr = 0; nr < 500; nr++) {
		struct seccomp_data data = { .nr = nr, .arch = AUDIT_ARCH_X86_64 };

		assert_int_equal(simulate(ours.program, ours.instruction_count, &data),
				 simulate(theirs, (uint32_t)((size_t)len / sizeof(*theirs)), &data));
	}
	close(fd);
	seccomp_release(ctx);
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
			if (seccomp_compile(arena, config->linux_->seccomp, &ret, NULL, &err) >= 0)
				fail_msg("accepted: %s", bad[i]);
		assert_non_null(err);
		assert_int_equal(err->code, E_CONFIG);
		assert_non_null(err->pointer);
	}
}

static uint32_t ask_policy(const struct plan_seccomp *p, const char *call, uint64_t a0, uint64_t a1)
{
	struct seccomp_data data = { .nr = seccomp_syscall_resolve_name(call), .arch = AUDIT_ARCH_X86_64,
				     .args = { a0, a1 } };

	return simulate(p->program, p->instruction_count, &data);
}

static void policy_default_refuses(void **state)
{
	cleanup_arena struct arena *arena = arena_new();
	struct plan_seccomp p = { 0 };
	struct err *err = NULL;

	(void)state;
	assert_int_equal(seccomp_compile_policy_default(arena, &p, NULL, &err), 0);
	assert_int_equal(ask_policy(&p, "mount", 0, 0), SECCOMP_RET_ERRNO | EPERM);
	assert_int_equal(ask_policy(&p, "clone3", 0, 0), SECCOMP_RET_ERRNO | ENOSYS);
	assert_int_equal(ask_policy(&p, "clone", 0x10000000, 0), SECCOMP_RET_ERRNO | EPERM);
	assert_int_equal(ask_policy(&p, "clone", 0x01200011, 0), SECCOMP_RET_ALLOW);
	assert_int_equal(ask_policy(&p, "ioctl", 0, 0xffffffff00005412), SECCOMP_RET_ERRNO | EPERM);
	assert_int_equal(ask_policy(&p, "ioctl", 0, 0x5401), SECCOMP_RET_ALLOW);
	assert_int_equal(ask_policy(&p, "socket", AF_ALG, SOCK_SEQPACKET), SECCOMP_RET_ERRNO | EAFNOSUPPORT);
	assert_int_equal(ask_policy(&p, "socket", AF_INET, SOCK_RAW), SECCOMP_RET_ERRNO | EPERM);
	assert_int_equal(ask_policy(&p, "socket", AF_INET, SOCK_STREAM), SECCOMP_RET_ALLOW);
	assert_int_equal(ask_policy(&p, "execve", 0, 0), SECCOMP_RET_ALLOW);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_rules_match),
		cmocka_unit_test(agrees_with_libseccomp),
		cmocka_unit_test(unlisted_abis_are_killed),
		cmocka_unit_test(bad_words_are_fatal),
		cmocka_unit_test(policy_default_refuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

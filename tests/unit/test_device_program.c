/* test_device_program.c - the device filter against a naive reading of the rules.
 *
 * The program is run by a small interpreter that refuses what the kernel's verifier refuses: an
 * instruction that can't be reached, a jump backwards or out of the program, a read of an unset
 * register, a result other than 0 and 1. The same rule sets go to a model of v1's controller
 * wherever devices_fit_v1() says that it can express them.
 */
#include "unit.h"

#include <errno.h>

#include "base/mem.h"
#include "cgroup/devices.h"

#define ACCESS_MAX 8u

/* ---- the rules, read naively: each kind of access by the last rule about it ---- */

static int bits_of(const struct plan_device_rule *rule)
{
	return (rule->mknod ? BPF_DEVCG_ACC_MKNOD : 0) | (rule->read ? BPF_DEVCG_ACC_READ : 0) |
	       (rule->write ? BPF_DEVCG_ACC_WRITE : 0);
}

static bool covers(const struct plan_device_rule *rule, char type, int64_t major, int64_t minor)
{
	return (rule->type == 'a' || rule->type == type) &&
	       (rule->major < 0 || rule->major == major) &&
	       (rule->minor < 0 || rule->minor == minor);
}

static bool naive(const struct plan_device_rule *rules, size_t count, char type, int64_t major,
		  int64_t minor, int access)
{
	size_t i;
	int bit;

	for (bit = 1; bit < (int)ACCESS_MAX; bit *= 2) {
		bool allowed = false;

		for (i = 0; i < count; i++)
			if (covers(&rules[i], type, major, minor) && (bits_of(&rules[i]) & bit))
				allowed = rules[i].allow;
		if ((access & bit) && !allowed)
			return false;
	}
	return true;
}

/* ---- the interpreter ---- */

struct machine {
	const struct bpf_insn *insns;
	size_t count;
	uint64_t regs[11];
	bool is_set[11];
	struct bpf_cgroup_dev_ctx context;
};

static uint64_t get(const struct machine *m, unsigned int reg)
{
	assert_true(reg < 11 && m->is_set[reg]);
	return m->regs[reg];
}

static void set(struct machine *m, unsigned int reg, uint64_t value)
{
	assert_true(reg < 10);
	m->regs[reg] = value;
	m->is_set[reg] = true;
}

static void step_alu(struct machine *m, const struct bpf_insn *insn)
{
	uint64_t operand =
		BPF_SRC(insn->code) == BPF_X ? get(m, insn->src_reg) : (uint64_t)(int64_t)insn->imm;

	switch (BPF_OP(insn->code)) {
	case BPF_MOV:
		set(m, insn->dst_reg, operand);
		break;
	case BPF_AND:
		set(m, insn->dst_reg, get(m, insn->dst_reg) & operand);
		break;
	case BPF_RSH:
		set(m, insn->dst_reg, get(m, insn->dst_reg) >> operand);
		break;
	default:
		fail_msg("operation %x", insn->code);
	}
}

static bool is_taken(const struct machine *m, const struct bpf_insn *insn)
{
	uint64_t operand = (uint64_t)(int64_t)insn->imm;

	switch (BPF_OP(insn->code)) {
	case BPF_JA:
		return true;
	case BPF_JEQ:
		return get(m, insn->dst_reg) == operand;
	case BPF_JNE:
		return get(m, insn->dst_reg) != operand;
	case BPF_JSET:
		return get(m, insn->dst_reg) & operand;
	default:
		fail_msg("jump %x", insn->code);
		return false;
	}
}

static bool run(const struct bpf_insn *insns, size_t count, char type, uint32_t major,
		uint32_t minor, int access)
{
	struct machine m = { .insns = insns, .count = count };
	uint32_t device = type == 'b' ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR;
	uint32_t loaded;
	size_t at;

	m.context = (struct bpf_cgroup_dev_ctx){ (uint32_t)access << 16 | device, major, minor };
	m.is_set[BPF_REG_1] = true;
	for (at = 0;; at++) {
		const struct bpf_insn *insn = &insns[at];

		assert_true(at < count);
		switch (BPF_CLASS(insn->code)) {
		case BPF_LDX:
			assert_int_equal(insn->code, BPF_LDX | BPF_MEM | BPF_W);
			assert_int_equal(insn->src_reg, BPF_REG_1);
			assert_true(insn->off >= 0 && (size_t)insn->off + 4 <= sizeof(m.context));
			memcpy(&loaded, (const char *)&m.context + insn->off, sizeof(loaded));
			set(&m, insn->dst_reg, loaded);
			break;
		case BPF_ALU64:
			step_alu(&m, insn);
			break;
		case BPF_JMP:
			if (BPF_OP(insn->code) == BPF_EXIT) {
				assert_true(get(&m, BPF_REG_0) <= 1);
				return get(&m, BPF_REG_0);
			}
			assert_true(insn->off >= 0);
			if (is_taken(&m, insn))
				at += (size_t)insn->off;
			break;
		default:
			fail_msg("class %x", insn->code);
		}
	}
}

/* The verifier's first pass: everything can be reached, nothing runs over the end. */
static void check_reachable(const struct bpf_insn *insns, size_t count)
{
	cleanup_free bool *reached = calloc(count + 1, sizeof(*reached));
	size_t at;

	assert_non_null(reached);
	reached[0] = true;
	for (at = 0; at < count; at++) {
		uint8_t op = BPF_OP(insns[at].code);
		bool is_jump = BPF_CLASS(insns[at].code) == BPF_JMP;

		assert_true(reached[at]);
		if (is_jump && op == BPF_EXIT)
			continue;
		if (is_jump) {
			assert_true(insns[at].off >= 0 && at + 1 + (size_t)insns[at].off < count);
			reached[at + 1 + (size_t)insns[at].off] = true;
		}
		if (!is_jump || op != BPF_JA)
			reached[at + 1] = true;
	}
	assert_false(reached[count]);
}

/* ---- a model of v1's controller (security/device_cgroup.c) ---- */

struct v1 {
	bool default_allow;
	struct {
		char type;
		int64_t major, minor;
		int bits;
	} list[64];
	size_t count;
};

static void v1_add(struct v1 *v, char type, const struct plan_device_rule *rule)
{
	size_t i;

	for (i = 0; i < v->count; i++)
		if (v->list[i].type == type && v->list[i].major == rule->major &&
		    v->list[i].minor == rule->minor) {
			v->list[i].bits |= bits_of(rule);
			return;
		}
	v->list[v->count].type = type;
	v->list[v->count].major = rule->major;
	v->list[v->count].minor = rule->minor;
	v->list[v->count++].bits = bits_of(rule);
}

static void v1_remove(struct v1 *v, char type, const struct plan_device_rule *rule)
{
	size_t i;

	for (i = 0; i < v->count; i++)
		if (v->list[i].type == type && v->list[i].major == rule->major &&
		    v->list[i].minor == rule->minor)
			v->list[i].bits &= ~bits_of(rule);
}

static void v1_write(struct v1 *v, const struct plan_device_rule *rule)
{
	const char *type;

	if (rule->type == 'a' && rule->major < 0 && rule->minor < 0 && bits_of(rule) == 7) {
		v->default_allow = rule->allow;
		v->count = 0;
		return;
	}
	for (type = rule->type == 'a' ? "bc" : rule->type == 'b' ? "b" : "c"; *type; type++) {
		if (rule->allow != v->default_allow)
			v1_add(v, *type, rule);
		else
			v1_remove(v, *type, rule);
	}
}

static bool v1_allows(const struct v1 *v, char type, int64_t major, int64_t minor, int bit)
{
	size_t i;

	for (i = 0; i < v->count; i++)
		if (v->list[i].type == type &&
		    (v->list[i].major < 0 || v->list[i].major == major) &&
		    (v->list[i].minor < 0 || v->list[i].minor == minor) && (v->list[i].bits & bit))
			return !v->default_allow;
	return v->default_allow;
}

/* ---- comparing ---- */

#define NUMBERS 4

static void compare_v1(const struct plan_device_rule *rules, size_t count)
{
	struct v1 v = { 0 };
	int major, minor, bit;
	size_t i;

	for (i = 0; i < count; i++)
		v1_write(&v, &rules[i]);
	for (major = 0; major < NUMBERS; major++)
		for (minor = 0; minor < NUMBERS; minor++)
			for (bit = 1; bit < (int)ACCESS_MAX; bit *= 2) {
				assert_int_equal(v1_allows(&v, 'b', major, minor, bit),
						 naive(rules, count, 'b', major, minor, bit));
				assert_int_equal(v1_allows(&v, 'c', major, minor, bit),
						 naive(rules, count, 'c', major, minor, bit));
			}
}

static void compare(const struct plan_device_rule *rules, size_t count)
{
	cleanup_free struct bpf_insn *insns = NULL;
	size_t insn_count;
	int major, minor, access;

	assert_int_equal(devices_compile(rules, count, &insns, &insn_count), 0);
	check_reachable(insns, insn_count);
	for (major = 0; major < NUMBERS; major++)
		for (minor = 0; minor < NUMBERS; minor++)
			for (access = 1; access < (int)ACCESS_MAX; access++) {
				assert_int_equal(run(insns, insn_count, 'b', (uint32_t)major,
						     (uint32_t)minor, access),
						 naive(rules, count, 'b', major, minor, access));
				assert_int_equal(run(insns, insn_count, 'c', (uint32_t)major,
						     (uint32_t)minor, access),
						 naive(rules, count, 'c', major, minor, access));
			}
	if (devices_fit_v1(rules, count))
		compare_v1(rules, count);
}

static uint32_t random_state = 1;

static uint32_t draw(uint32_t below)
{
	random_state = random_state * 1664525u + 1013904223u;
	return (random_state >> 8) % below;
}

static struct plan_device_rule random_rule(void)
{
	struct plan_device_rule rule = { .allow = draw(2), .type = "abc"[draw(3)] };
	uint32_t bits = draw(3) ? 7 : draw(8);

	rule.major = (int64_t)draw(NUMBERS + 1) - 1;
	rule.minor = (int64_t)draw(NUMBERS + 1) - 1;
	if (!draw(8))
		rule.major = rule.minor = -1;
	rule.read = bits & 1;
	rule.write = bits & 2;
	rule.mknod = bits & 4;
	return rule;
}

static void test_random(void **state)
{
	struct plan_device_rule rules[12];
	int round, fitting = 0;
	size_t count, i;

	(void)state;
	for (round = 0; round < 20000; round++) {
		count = draw(13);
		for (i = 0; i < count; i++)
			rules[i] = random_rule();
		compare(rules, count);
		fitting += devices_fit_v1(rules, count);
	}
	/* The model of v1 was asked often enough to mean something. */
	assert_true(fitting > 2000);
}

#define RULE(allow_, type_, major_, minor_, r_, w_, m_)                                   \
	{                                                                                 \
		.allow = (allow_), .type = (type_), .major = (major_), .minor = (minor_), \
		.read = (r_), .write = (w_), .mknod = (m_)                                \
	}

static void test_ends(void **state)
{
	static const struct plan_device_rule all = RULE(true, 'a', -1, -1, true, true, true);
	static const struct plan_device_rule none = RULE(false, 'a', -1, -1, true, true, true);
	cleanup_free struct bpf_insn *insns = NULL;
	size_t count;

	(void)state;
	compare(NULL, 0);
	compare(&all, 1);
	compare(&none, 1);
	assert_int_equal(devices_compile(NULL, 0, &insns, &count), 0);
	assert_false(run(insns, count, 'c', 1, 3, BPF_DEVCG_ACC_READ));
}

/* Kinds of access may come from different rules. */
static void test_union(void **state)
{
	static const struct plan_device_rule rules[] = { RULE(true, 'c', 1, 3, true, false, false),
							 RULE(true, 'c', 1, -1, false, true,
							      false) };
	cleanup_free struct bpf_insn *insns = NULL;
	size_t count;

	(void)state;
	assert_int_equal(devices_compile(rules, 2, &insns, &count), 0);
	assert_true(run(insns, count, 'c', 1, 3, BPF_DEVCG_ACC_READ | BPF_DEVCG_ACC_WRITE));
	assert_false(run(insns, count, 'c', 1, 2, BPF_DEVCG_ACC_READ | BPF_DEVCG_ACC_WRITE));
	assert_false(run(insns, count, 'c', 1, 3, BPF_DEVCG_ACC_MKNOD));
}

/* A number that no device has must not match one whose lower 32 bits are the same. */
static void test_large_numbers(void **state)
{
	static const struct plan_device_rule rules[] = {
		RULE(true, 'c', 0x100000001ll, 3, true, true, true),
		RULE(true, 'c', 1, 0xffffffffll, true, true, true)
	};

	(void)state;
	compare(rules, 2);
}

/* The usual set stays small: the verifier's time is on the path of every start. */
static void test_usual_size(void **state)
{
	static const struct plan_device_rule rules[] = {
		RULE(false, 'a', -1, -1, true, true, true),
		RULE(true, 'c', -1, -1, false, false, true),
		RULE(true, 'b', -1, -1, false, false, true),
		RULE(true, 'c', 1, 3, true, true, true),
		RULE(true, 'c', 1, 5, true, true, true),
		RULE(true, 'c', 1, 7, true, true, true),
		RULE(true, 'c', 1, 8, true, true, true),
		RULE(true, 'c', 1, 9, true, true, true),
		RULE(true, 'c', 5, 0, true, true, true),
		RULE(true, 'c', 136, -1, true, true, true),
		RULE(true, 'c', 5, 2, true, true, true),
	};
	cleanup_free struct bpf_insn *insns = NULL;
	size_t count;

	(void)state;
	compare(rules, array_size(rules));
	assert_true(devices_fit_v1(rules, array_size(rules)));
	assert_int_equal(devices_compile(rules, array_size(rules), &insns, &count), 0);
	assert_true(count <= 40);
}

static void test_too_many(void **state)
{
	size_t count = 100000;
	cleanup_free struct plan_device_rule *rules = calloc(count, sizeof(*rules));
	struct bpf_insn *insns = NULL;
	size_t insn_count;

	(void)state;
	assert_non_null(rules);
	assert_int_equal(devices_compile(rules, count, &insns, &insn_count), -E2BIG);
	assert_null(insns);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random),	   cmocka_unit_test(test_ends),
		cmocka_unit_test(test_union),	   cmocka_unit_test(test_large_numbers),
		cmocka_unit_test(test_usual_size), cmocka_unit_test(test_too_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

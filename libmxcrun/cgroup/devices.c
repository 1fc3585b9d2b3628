/* devices.c - the eBPF device program, written by hand, and its loading.
 *
 * Rules are looked at from the last to the first. r2 holds the kinds of access that no rule has
 * decided yet: an allowing rule takes its kinds out, and nothing left means yes; a denying rule
 * that meets one of them means no. Rules in a row that agree on the type, or on type and major
 * number, share those checks: the verifier's work on a common set is half of what it is on a
 * program without sharing. An instruction that can't be reached makes the kernel refuse the whole
 * program, so what an earlier verdict covers is left out.
 */
#include "cgroup/devices.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"

#define POINTER "/linux/resources/devices"
#define ACCESS_ALL (BPF_DEVCG_ACC_MKNOD | BPF_DEVCG_ACC_READ | BPF_DEVCG_ACC_WRITE)
#define INSNS_HEAD 6u
#define INSNS_TAIL 4u
#define INSNS_PER_RULE 5u
#define INSNS_MAX 32000u /* a jump spans 16 bits */
#define LOAD_RETRIES 16

enum {
	REG_RESULT = BPF_REG_0,
	REG_CONTEXT = BPF_REG_1,
	REG_ACCESS,
	REG_TYPE,
	REG_MAJOR,
	REG_MINOR
};

/* What a jump waits for, instead of its offset. */
enum { TO_ALLOW = 1, TO_DENY = 2 };

struct compiler {
	struct bpf_insn *insns;
	size_t count;
	size_t type_jump,
		major_jump; /* where the run's check is, to be sent to the run's end; 0: none */
	bool uses_allow, uses_deny;
};

static void emit(struct compiler *c, uint8_t code, uint8_t dst, uint8_t src, int16_t off,
		 int32_t imm)
{
	c->insns[c->count++] = (struct bpf_insn){
		.code = code, .dst_reg = dst, .src_reg = src, .off = off, .imm = imm
	};
}

static void emit_head(struct compiler *c)
{
	emit(c, BPF_LDX | BPF_MEM | BPF_W, REG_ACCESS, REG_CONTEXT,
	     offsetof(struct bpf_cgroup_dev_ctx, access_type), 0);
	emit(c, BPF_ALU64 | BPF_MOV | BPF_X, REG_TYPE, REG_ACCESS, 0, 0);
	emit(c, BPF_ALU64 | BPF_AND | BPF_K, REG_TYPE, 0, 0, 0xffff);
	emit(c, BPF_ALU64 | BPF_RSH | BPF_K, REG_ACCESS, 0, 0, 16);
	emit(c, BPF_LDX | BPF_MEM | BPF_W, REG_MAJOR, REG_CONTEXT,
	     offsetof(struct bpf_cgroup_dev_ctx, major), 0);
	emit(c, BPF_LDX | BPF_MEM | BPF_W, REG_MINOR, REG_CONTEXT,
	     offsetof(struct bpf_cgroup_dev_ctx, minor), 0);
}

/* Skip ahead, to be patched, unless the register has the value. Returns the jump's place. */
static size_t emit_check(struct compiler *c, uint8_t reg, int64_t value)
{
	emit(c, BPF_JMP | BPF_JNE | BPF_K, reg, 0, 0, (int32_t)value);
	return c->count - 1;
}

/* Let the jump lead to the next instruction. */
static void land(struct compiler *c, size_t *jump)
{
	if (*jump)
		c->insns[*jump].off = (int16_t)(c->count - *jump - 1);
	*jump = 0;
}

static int32_t access_of(const struct plan_device_rule *rule)
{
	return (rule->mknod ? BPF_DEVCG_ACC_MKNOD : 0) | (rule->read ? BPF_DEVCG_ACC_READ : 0) |
	       (rule->write ? BPF_DEVCG_ACC_WRITE : 0);
}

static int32_t type_of(const struct plan_device_rule *rule)
{
	return rule->type == 'b' ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR;
}

/* No device has such a number, and the immediate operand couldn't hold it. */
static bool matches_nothing(const struct plan_device_rule *rule)
{
	return rule->major > INT32_MAX || rule->minor > INT32_MAX || access_of(rule) == 0;
}

static void emit_verdict(struct compiler *c, const struct plan_device_rule *rule)
{
	int32_t access = access_of(rule);

	if (!rule->allow && access != ACCESS_ALL) {
		emit(c, BPF_JMP | BPF_JSET | BPF_K, REG_ACCESS, 0, TO_DENY, access);
		c->uses_deny = true;
	} else if (!rule->allow) {
		emit(c, BPF_JMP | BPF_JA, 0, 0, TO_DENY, 0);
		c->uses_deny = true;
	} else {
		if (access != ACCESS_ALL) {
			emit(c, BPF_ALU64 | BPF_AND | BPF_K, REG_ACCESS, 0, 0, ~access);
			emit(c, BPF_JMP | BPF_JEQ | BPF_K, REG_ACCESS, 0, TO_ALLOW, 0);
		} else {
			emit(c, BPF_JMP | BPF_JA, 0, 0, TO_ALLOW, 0);
		}
		c->uses_allow = true;
	}
}

/* How much of what follows a rule that decides all kinds of access makes unreachable. */
enum coverage { COVERS_NOTHING, COVERS_MAJOR, COVERS_TYPE, COVERS_ALL };

static enum coverage coverage_of(const struct plan_device_rule *rule)
{
	if (access_of(rule) != ACCESS_ALL || rule->minor >= 0)
		return COVERS_NOTHING;
	if (rule->major >= 0)
		return COVERS_MAJOR;
	return rule->type == 'a' ? COVERS_ALL : COVERS_TYPE;
}

/* All rules; returns the verdict for what none of them decides. */
static bool emit_rules(struct compiler *c, const struct plan_device_rule *rules, size_t count)
{
	const struct plan_device_rule *previous = NULL;
	enum coverage covered = COVERS_NOTHING;
	size_t i;

	for (i = count; i-- > 0;) {
		const struct plan_device_rule *rule = &rules[i];
		size_t minor_jump = 0;
		bool same_type, same_major;

		if (matches_nothing(rule))
			continue;
		same_type = previous && previous->type == rule->type;
		same_major = same_type && previous->major == rule->major;
		if ((same_type && covered >= COVERS_TYPE) ||
		    (same_major && covered >= COVERS_MAJOR))
			continue;
		if (!same_major)
			land(c, &c->major_jump);
		if (!same_type)
			land(c, &c->type_jump);
		previous = rule;
		covered = coverage_of(rule);
		if (covered == COVERS_ALL)
			return rule->allow;
		if (!same_type && rule->type != 'a')
			c->type_jump = emit_check(c, REG_TYPE, type_of(rule));
		if (!same_major && rule->major >= 0)
			c->major_jump = emit_check(c, REG_MAJOR, rule->major);
		if (rule->minor >= 0)
			minor_jump = emit_check(c, REG_MINOR, rule->minor);
		emit_verdict(c, rule);
		land(c, &minor_jump);
	}
	return false;
}

static void emit_return(struct compiler *c, bool verdict)
{
	emit(c, BPF_ALU64 | BPF_MOV | BPF_K, REG_RESULT, 0, 0, verdict);
	emit(c, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
}

/* The two ends: first the verdict that is fallen into, then the other one if anything jumps there.
 */
static void emit_tail(struct compiler *c, bool verdict)
{
	size_t end = c->count, ends[3], i;

	emit_return(c, verdict);
	if (verdict ? c->uses_deny : c->uses_allow)
		emit_return(c, !verdict);
	ends[TO_ALLOW] = verdict ? end : end + 2;
	ends[TO_DENY] = verdict ? end + 2 : end;
	for (i = INSNS_HEAD; i < end; i++) {
		struct bpf_insn *insn = &c->insns[i];
		uint8_t class = BPF_CLASS(insn->code), op = BPF_OP(insn->code);

		if (class == BPF_JMP && op != BPF_JNE)
			insn->off = (int16_t)(ends[insn->off] - i - 1);
	}
}

int devices_compile(const struct plan_device_rule *rules, size_t count, struct bpf_insn **ret,
		    size_t *ret_count)
{
	struct compiler c = { 0 };
	bool verdict;

	if (count > (INSNS_MAX - INSNS_HEAD - INSNS_TAIL) / INSNS_PER_RULE)
		return -E2BIG;
	c.insns = reallocarray(NULL, INSNS_HEAD + INSNS_TAIL + count * INSNS_PER_RULE,
			       sizeof(*c.insns));
	if (!c.insns)
		return -ENOMEM;
	emit_head(&c);
	verdict = emit_rules(&c, rules, count);
	land(&c, &c.major_jump);
	land(&c, &c.type_jump);
	emit_tail(&c, verdict);
	*ret = c.insns;
	*ret_count = c.count;
	return 0;
}

/* ---- the kernel ---- */

static int bpf(int command, union bpf_attr *attr, size_t size)
{
	return (int)syscall(SYS_bpf, command, attr, size);
}

/* EAGAIN: a signal came while the verifier was at work. */
static int load_program(const struct bpf_insn *insns, size_t count)
{
	union bpf_attr attr;
	int fd, retries = LOAD_RETRIES;

	memset(&attr, 0, sizeof(attr));
	attr.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
	attr.insns = (uintptr_t)insns;
	attr.insn_cnt = (uint32_t)count;
	attr.license = (uintptr_t) "GPL";
	memcpy(attr.prog_name, "mxcrun_devices", sizeof("mxcrun_devices"));
	do
		fd = bpf(BPF_PROG_LOAD, &attr, sizeof(attr));
	while (fd < 0 && errno == EAGAIN && --retries > 0);
	return fd < 0 ? -errno : fd;
}

int devices_apply_v2(int dir_fd, const struct plan_cgroup *cgroup, struct err **err)
{
	cleanup_free struct bpf_insn *insns = NULL;
	cleanup_close int program_fd = -1;
	union bpf_attr attr;
	size_t count;
	int r;

	r = devices_compile(cgroup->device_rules, cgroup->device_rule_count, &insns, &count);
	if (r == -ENOMEM)
		return err_nomem(err);
	if (r < 0)
		return err_set(err, E_CGROUP, -r, POINTER,
			       "%zu device rules are more than the kernel's filter can hold",
			       cgroup->device_rule_count);
	program_fd = load_program(insns, count);
	if (program_fd < 0) {
		r = err_set(err, E_CGROUP, -program_fd, POINTER,
			    "the kernel refused the device filter");
		if (r == -EPERM)
			err_hint(
				err,
				"this needs CAP_BPF and CAP_NET_ADMIN, or CAP_SYS_ADMIN, of the machine itself");
		return r;
	}
	memset(&attr, 0, sizeof(attr));
	attr.target_fd = (uint32_t)dir_fd;
	attr.attach_bpf_fd = (uint32_t)program_fd;
	attr.attach_type = BPF_CGROUP_DEVICE;
	/* With ALLOW_MULTI the filters of the groups above stay in force beside ours. */
	attr.attach_flags = BPF_F_ALLOW_MULTI;
	if (bpf(BPF_PROG_ATTACH, &attr, sizeof(attr)) < 0)
		return err_set(err, E_CGROUP, errno, POINTER,
			       "attaching the device filter to the cgroup");
	return 0;
}

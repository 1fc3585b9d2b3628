/* seccomp_bpf.c - lay out a filter as a binary search tree.
 *
 * Each architecture's calls become intervals of equal treatment that cover all 32-bit numbers; the
 * tree halves them with one comparison a level, so that a profile of 400 calls decides in about seven
 * steps, and the kernel's load-time emulation (5.11, seccomp_cache_prepare) is as short. Leaves are a
 * return, or the argument checks of one call, of which neighbouring rules share what they begin with. Neighbours that are all returns share them, because what
 * loading costs grows with the length of the program. Jumps in classic BPF are 8 bits: a longer one goes
 * through an unconditional jump.
 */
#include "plan/seccomp_bpf.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <stdlib.h>
#include <string.h>

#define OFFSET_NUMBER offsetof(struct seccomp_data, nr)
#define OFFSET_ARCH offsetof(struct seccomp_data, arch)
#define OFFSET_ARG(i) ((uint32_t)(offsetof(struct seccomp_data, args) + (i) * sizeof(uint64_t)))
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define OFFSET_ARG_LOW(i) OFFSET_ARG(i)
#define OFFSET_ARG_HIGH(i) (OFFSET_ARG(i) + 4)
#else
#define OFFSET_ARG_LOW(i) (OFFSET_ARG(i) + 4)
#define OFFSET_ARG_HIGH(i) OFFSET_ARG(i)
#endif

struct program {
	struct sock_filter *code;
	size_t len, capacity;
	bool failed;
};

/* Number, whether it is without conditions, and index of an entry: in the order of these keys entries are tried. */
#define KEY_NUMBER_SHIFT 32
#define KEY_PLAIN (UINT64_C(1) << 31)
#define KEY_INDEX (KEY_PLAIN - 1)

#define NUMBERS (UINT64_C(1) << 32)
#define INTERVALS_MORE 6u	/* the last gap, both ends of two ranges of newer calls, and what is closed */

/* A run of call numbers from `first` up to the next interval that are treated alike. */
struct interval {
	uint32_t first;
	uint32_t count;				/* of entries, some of which look at arguments; 0: none does */
	union {
		uint32_t action;		/* without entries */
		uint32_t keys;			/* where theirs begin among all keys */
	};
};

static void emit(struct program *p, uint16_t code, uint32_t k, uint8_t jt, uint8_t jf)
{
	if (p->len == p->capacity) {
		size_t capacity = p->capacity ? p->capacity * 2 : 256;
		struct sock_filter *grown = reallocarray(p->code, capacity, sizeof(*grown));

		if (!grown) {
			p->failed = true;
			return;
		}
		p->code = grown;
		p->capacity = capacity;
	}
	p->code[p->len++] = (struct sock_filter){ .code = code, .jt = jt, .jf = jf, .k = k };
}

static void emit_load(struct program *p, uint32_t offset)
{
	emit(p, BPF_LD | BPF_W | BPF_ABS, offset, 0, 0);
}

static void emit_return(struct program *p, uint32_t action)
{
	emit(p, BPF_RET | BPF_K, action, 0, 0);
}

/* ---- argument checks ---- */

/* A comparison whose failing branch leaves for the next rule; patched when that is known. `fails_on`
 * tells which branch fails; the other one falls through or goes `skip` further. */
static void emit_check(struct program *p, uint16_t jump, uint32_t k, bool fails_when_true)
{
	emit(p, BPF_JMP | jump | BPF_K, k, fails_when_true ? UINT8_MAX : 0, fails_when_true ? 0 : UINT8_MAX);
}

/* Ordered comparison of 64 bits: decided by the high words unless they are equal. accept_greater: the
 * condition is "greater"; accept_equal adds equality. */
static void emit_ordered(struct program *p, const struct seccomp_condition *c, bool is_64_bit,
			 bool accept_greater, bool accept_equal)
{
	uint32_t low = (uint32_t)c->value, high = (uint32_t)(c->value >> 32);
	/* "x > v" is the true branch of jgt, "x >= v" of jge; "x < v" is the false branch of jge */
	bool use_gt = accept_greater != accept_equal;

	if (is_64_bit) {
		emit_load(p, OFFSET_ARG_HIGH(c->index));
		if (accept_greater) {
			emit(p, BPF_JMP | BPF_JGT | BPF_K, high, 3, 0);		/* above: holds */
			emit_check(p, BPF_JEQ, high, false);			/* below: fails */
		} else {
			emit_check(p, BPF_JGT, high, true);			/* above: fails */
			emit(p, BPF_JMP | BPF_JEQ | BPF_K, high, 0, 2);		/* below: holds */
		}
	}
	emit_load(p, OFFSET_ARG_LOW(c->index));
	emit_check(p, use_gt ? BPF_JGT : BPF_JGE, low, !accept_greater);
}

static void emit_equal(struct program *p, const struct seccomp_condition *c, bool is_64_bit)
{
	if (is_64_bit) {
		emit_load(p, OFFSET_ARG_HIGH(c->index));
		emit_check(p, BPF_JEQ, (uint32_t)(c->value >> 32), false);
	}
	emit_load(p, OFFSET_ARG_LOW(c->index));
	emit_check(p, BPF_JEQ, (uint32_t)c->value, false);
}

static void emit_not_equal(struct program *p, const struct seccomp_condition *c, bool is_64_bit)
{
	if (is_64_bit) {
		emit_load(p, OFFSET_ARG_HIGH(c->index));
		emit(p, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)(c->value >> 32), 0, 2);	/* differs: holds */
	}
	emit_load(p, OFFSET_ARG_LOW(c->index));
	emit_check(p, BPF_JEQ, (uint32_t)c->value, true);
}

static void emit_masked(struct program *p, const struct seccomp_condition *c, bool is_64_bit)
{
	/* most look at 32 bits, often at all of them: what would hold always is not asked */
	if (is_64_bit && (c->value >> 32 || c->value_two >> 32)) {
		emit_load(p, OFFSET_ARG_HIGH(c->index));
		emit(p, BPF_ALU | BPF_AND | BPF_K, (uint32_t)(c->value >> 32), 0, 0);
		emit_check(p, BPF_JEQ, (uint32_t)(c->value_two >> 32), false);
	}
	emit_load(p, OFFSET_ARG_LOW(c->index));
	if ((uint32_t)c->value != UINT32_MAX)
		emit(p, BPF_ALU | BPF_AND | BPF_K, (uint32_t)c->value, 0, 0);
	emit_check(p, BPF_JEQ, (uint32_t)c->value_two, false);
}

static void emit_condition(struct program *p, const struct seccomp_condition *c, bool is_64_bit)
{
	switch (c->op) {
	case OP_EQ: emit_equal(p, c, is_64_bit); return;
	case OP_NE: emit_not_equal(p, c, is_64_bit); return;
	case OP_GT: emit_ordered(p, c, is_64_bit, true, false); return;
	case OP_GE: emit_ordered(p, c, is_64_bit, true, true); return;
	case OP_LT: emit_ordered(p, c, is_64_bit, false, false); return;
	case OP_LE: emit_ordered(p, c, is_64_bit, false, true); return;
	case OP_MASKED_EQ: emit_masked(p, c, is_64_bit); return;
	}
	p->failed = true;
}

/* Failing checks between start and end of them go behind what they guard, if 8 bits reach there. */
static bool patch_checks(struct program *p, size_t start, size_t end)
{
	if (p->failed || p->len - start > UINT8_MAX)
		return false;
	for (size_t i = start; i < end; i++) {
		if (BPF_CLASS(p->code[i].code) != BPF_JMP)
			continue;
		if (p->code[i].jt == UINT8_MAX)
			p->code[i].jt = (uint8_t)(p->len - i - 1);
		if (p->code[i].jf == UINT8_MAX)
			p->code[i].jf = (uint8_t)(p->len - i - 1);
	}
	return true;
}

/* One rule whose first `asked` conditions hold: its checks, its return. At most six arguments of five instructions each, so the
 * distance always fits into 8 bits. */
static void emit_rule(struct program *p, const struct seccomp_rule *rule, size_t asked, bool is_64_bit)
{
	size_t start = p->len, end;

	for (size_t i = asked; i < rule->condition_count; i++)
		emit_condition(p, &rule->conditions[i], is_64_bit);
	end = p->len;
	emit_return(p, rule->action);
	(void)patch_checks(p, start, end);
}

/* ---- the tree ---- */

/* What is asked of all calls of one architecture. */
struct section {
	const struct seccomp_arch_rules *arch;
	const uint64_t *keys;
	uint32_t default_action;
};

static const struct seccomp_rule *rule_of(const struct seccomp_arch_rules *arch, uint64_t key)
{
	return arch->entries[key & KEY_INDEX].rule;
}

static bool is_same_condition(const struct seccomp_rule *a, const struct seccomp_rule *b, size_t index)
{
	const struct seccomp_condition *x = &a->conditions[index], *y = &b->conditions[index];

	return a->condition_count > index && b->condition_count > index && x->index == y->index && x->op == y->op &&
	       x->value == y->value && x->value_two == y->value_two;
}

/* Rules of one call, in their order; the first `asked` conditions of each hold. What neighbours have in common is asked once: who
 * fails later goes on with the next of them, who fails in it passes over them all. True: what comes behind is never reached. */
static bool emit_rules(struct program *p, const struct section *section, const uint64_t *keys, size_t count, size_t asked)
{
	bool is_64_bit = section->arch->is_64_bit;

	for (size_t i = 0, same = 1; i < count && !p->failed; i += same, same = 1) {
		const struct seccomp_rule *rule = rule_of(section->arch, keys[i]);
		size_t start = p->len, end;

		if (rule->condition_count == asked) {
			emit_return(p, rule->action);
			return true;
		}
		while (i + same < count && is_same_condition(rule, rule_of(section->arch, keys[i + same]), asked))
			same++;
		emit_condition(p, &rule->conditions[asked], is_64_bit);
		end = p->len;
		(void)emit_rules(p, section, keys + i, same, asked + 1);
		if (patch_checks(p, start, end))
			continue;
		p->len = start;	/* too many to pass over */
		for (size_t j = i; j < i + same; j++)
			emit_rule(p, rule_of(section->arch, keys[j]), asked, is_64_bit);
	}
	return false;
}

static void emit_leaf(struct program *p, const struct section *section, const struct interval *leaf)
{
	if (!leaf->count)
		emit_return(p, leaf->action);
	else if (!emit_rules(p, section, section->keys + leaf->keys, leaf->count, 0))
		emit_return(p, section->default_action);
}

/* Intervals of which none looks at arguments: their comparisons, and behind them one return for each answer. */
#define RUN_MAX 120u	/* so that 8 bits reach the last return, were all answers different */
struct run {
	uint32_t answers[RUN_MAX];
	size_t answer_count;
	size_t returns;			/* where they begin in the program */
};

static bool is_run(const struct interval *leaves, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (leaves[i].count)
			return false;
	return count > 1 && count <= RUN_MAX;
}

static size_t answer_of(struct run *run, const struct interval *leaf)
{
	size_t i = 0;

	while (i < run->answer_count && run->answers[i] != leaf->action)
		i++;
	if (i == run->answer_count)
		run->answers[run->answer_count++] = leaf->action;
	return run->returns + i;
}

/* A half is behind the comparison as one less comparisons than it has intervals, or it is one interval: a return. */
static void emit_comparisons(struct program *p, struct run *run, const struct interval *leaves, size_t count)
{
	size_t middle = count / 2, next = p->len + 1;
	size_t left = middle > 1 ? next : answer_of(run, leaves);
	size_t right = count - middle > 1 ? next + middle - 1 : answer_of(run, leaves + middle);

	emit(p, BPF_JMP | BPF_JGE | BPF_K, leaves[middle].first, (uint8_t)(right - next), (uint8_t)(left - next));
	if (middle > 1)
		emit_comparisons(p, run, leaves, middle);
	if (count - middle > 1)
		emit_comparisons(p, run, leaves + middle, count - middle);
}

static void emit_run(struct program *p, const struct interval *leaves, size_t count)
{
	struct run run = { .returns = p->len + count - 1 };

	emit_comparisons(p, &run, leaves, count);
	for (size_t i = 0; i < run.answer_count; i++)
		emit_return(p, run.answers[i]);
}

/* The jump of a comparison over the left half behind it, whose length is known now; a long one needs room for a second
 * instruction. */
static void patch_jump(struct program *p, size_t compare)
{
	size_t left_len = p->len - compare - 1;

	if (left_len <= UINT8_MAX) {
		p->code[compare].jt = (uint8_t)left_len;
		return;
	}
	emit_return(p, 0);	/* one instruction longer, whatever it says */
	if (p->failed)
		return;
	memmove(&p->code[compare + 2], &p->code[compare + 1], left_len * sizeof(*p->code));
	p->code[compare].jf = 1;
	p->code[compare + 1] = (struct sock_filter){ .code = BPF_JMP | BPF_JA, .k = (uint32_t)left_len };
}

/* A holds the call number. The left half comes right behind the comparison, the right half after it. */
static void emit_tree(struct program *p, const struct section *section, const struct interval *leaves, size_t count)
{
	size_t middle = count / 2, compare = p->len;

	if (count == 1) {
		emit_leaf(p, section, leaves);
		return;
	}
	if (is_run(leaves, count)) {
		emit_run(p, leaves, count);
		return;
	}
	emit(p, BPF_JMP | BPF_JGE | BPF_K, leaves[middle].first, 0, 0);
	emit_tree(p, section, leaves, middle);
	if (!p->failed)
		patch_jump(p, compare);
	if (!p->failed)
		emit_tree(p, section, leaves + middle, count - middle);
}

/* ---- intervals ---- */

static size_t smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

static void merge(const uint64_t *left, size_t left_count, const uint64_t *right, size_t right_count, uint64_t *out)
{
	while (left_count || right_count) {
		bool takes_left = left_count && (!right_count || *left < *right);

		*out++ = takes_left ? *left++ : *right++;
		left_count -= takes_left;
		right_count -= !takes_left;
	}
}

/* By merging ever longer runs: qsort(3) moves whole entries through a callback, which takes ten times as long. Returns the
 * one of the two arrays in which the result is. */
static uint64_t *sort_keys(uint64_t *keys, uint64_t *spare, size_t count)
{
	for (size_t run = 1; run < count; run *= 2) {
		uint64_t *merged = spare;

		for (size_t start = 0; start < count; start += 2 * run) {
			size_t left = smaller(run, count - start), right = smaller(run, count - start - left);

			merge(keys + start, left, keys + start + left, right, merged + start);
		}
		spare = keys;
		keys = merged;
	}
	return keys;
}

/* The sorted keys, in one half of memory that is the caller's; NULL: none. */
static const uint64_t *keys_of(const struct seccomp_arch_rules *arch, uint64_t *memory)
{
	for (size_t i = 0; i < arch->count; i++)
		memory[i] = (uint64_t)arch->entries[i].number << KEY_NUMBER_SHIFT |
			    (arch->entries[i].rule->condition_count ? 0 : KEY_PLAIN) | i;
	return sort_keys(memory, memory + arch->count, arch->count);
}

static bool is_same_action(const struct interval *a, const struct interval *b)
{
	return !a->count && !b->count && a->action == b->action;
}

static void add_interval(struct interval *intervals, size_t *count, struct interval next)
{
	if (!*count || !is_same_action(&intervals[*count - 1], &next))
		intervals[(*count)++] = next;
}

static uint64_t smaller_number(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* Numbers that no entry names. */
static void add_gap(const struct section *section, uint64_t at, uint64_t end, struct interval *intervals, size_t *count)
{
	const struct seccomp_range *newer = section->arch->newer;

	for (size_t i = 0; i < array_size(section->arch->newer) && at < end; i++) {
		if (newer[i].end <= at || newer[i].end == newer[i].first)
			continue;
		if (at < newer[i].first) {
			add_interval(intervals, count, (struct interval){ .first = (uint32_t)at, .action = section->default_action });
			at = smaller_number(newer[i].first, end);
		}
		if (at < end) {
			add_interval(intervals, count, (struct interval){ .first = (uint32_t)at, .action = SECCOMP_RET_ERRNO | ENOSYS });
			at = smaller_number(newer[i].end, end);
		}
	}
	if (at < end)
		add_interval(intervals, count, (struct interval){ .first = (uint32_t)at, .action = section->default_action });
}

/* Cut all numbers into intervals; returns how many. `intervals` has room for 2 * entries + INTERVALS_MORE. */
static size_t cut_intervals(const struct section *section, struct interval *intervals)
{
	const struct seccomp_arch_rules *arch = section->arch;
	const uint64_t *keys = section->keys;
	uint64_t at = 0;
	size_t count = 0;

	for (size_t i = 0; i < arch->count;) {
		uint32_t number = (uint32_t)(keys[i] >> KEY_NUMBER_SHIFT);
		size_t same = 1;

		while (i + same < arch->count && keys[i + same] >> KEY_NUMBER_SHIFT == number)
			same++;
		add_gap(section, at, number, intervals, &count);
		if (keys[i] & KEY_PLAIN)
			add_interval(intervals, &count, (struct interval){ number, 0, { rule_of(arch, keys[i])->action } });
		else
			add_interval(intervals, &count, (struct interval){ number, (uint32_t)same, { (uint32_t)i } });
		at = (uint64_t)number + 1;
		i += same;
	}
	add_gap(section, at, NUMBERS, intervals, &count);
	if (arch->closed_from) {
		while (count && intervals[count - 1].first >= arch->closed_number)
			count--;
		add_interval(intervals, &count, (struct interval){
			.first = arch->closed_number, .action = SECCOMP_RET_KILL_PROCESS });
	}
	return count;
}

static void emit_arch(struct program *p, const struct seccomp_arch_rules *arch, uint32_t default_action)
{
	struct section section = { .arch = arch, .default_action = default_action };
	cleanup_free struct interval *intervals = calloc(2 * arch->count + INTERVALS_MORE, sizeof(*intervals));
	cleanup_free uint64_t *memory = calloc(2 * arch->count + 1, sizeof(*memory));
	size_t count;

	if (!intervals || !memory || arch->count > KEY_INDEX) {
		p->failed = true;
		return;
	}
	section.keys = keys_of(arch, memory);
	count = cut_intervals(&section, intervals);
	emit_load(p, OFFSET_NUMBER);
	emit_tree(p, &section, intervals, count);
}

int seccomp_bpf_build(struct arena *arena, const struct seccomp_arch_rules *arches, size_t arch_count,
		      uint32_t default_action, struct sock_filter **ret, uint32_t *ret_count,
		      struct err **err)
{
	struct program p = { 0 };
	cleanup_free struct sock_filter *owned = NULL;

	emit_load(&p, OFFSET_ARCH);
	for (size_t i = 0; i < arch_count; i++) {
		size_t compare = p.len;

		/* equal: over the jump into this section; else by the jump to the next comparison */
		emit(&p, BPF_JMP | BPF_JEQ | BPF_K, arches[i].audit_arch, 1, 0);
		emit(&p, BPF_JMP | BPF_JA, 0, 0, 0);
		emit_arch(&p, &arches[i], default_action);
		if (p.failed)
			break;
		p.code[compare + 1].k = (uint32_t)(p.len - compare - 2);
	}
	emit_return(&p, SECCOMP_RET_KILL_PROCESS);	/* an architecture that nobody listed */
	owned = p.code; /* NOLINT(clang-analyzer-deadcode.DeadStores): freed by its scope */
	if (p.failed)
		return err_nomem(err);
	if (p.len > BPF_MAXINSNS)
		return err_set(err, E_SECCOMP, E2BIG, "/linux/seccomp",
			       "the filter needs %zu instructions, the kernel takes %d", p.len, BPF_MAXINSNS);
	*ret = arena_memdup(arena, p.code, p.len * sizeof(*p.code));
	if (!*ret)
		return err_nomem(err);
	*ret_count = (uint32_t)p.len;
	return 0;
}

/* seccomp_bpf.h - sorted rules to a classic BPF program; inner interface of the seccomp compiler. */
#ifndef MXCRUN_PLAN_SECCOMP_BPF_H
#define MXCRUN_PLAN_SECCOMP_BPF_H

#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/mem.h"

enum seccomp_operator { OP_NE, OP_LT, OP_LE, OP_EQ, OP_GE, OP_GT, OP_MASKED_EQ };

struct seccomp_condition {
	uint32_t index;
	enum seccomp_operator op;
	uint64_t value, value_two;	/* OP_MASKED_EQ: (argument & value) == value_two */
};

/* One rule for one call: all conditions must hold. */
struct seccomp_rule {
	uint32_t action;		/* SECCOMP_RET_* with data */
	const struct seccomp_condition *conditions;
	size_t condition_count;
};

struct seccomp_entry {
	uint32_t number;
	const struct seccomp_rule *rule;	/* of all calls that it names */
};

/* Call numbers from first up to, and without, end. */
struct seccomp_range {
	uint64_t first, end;
};

/* All that is said about one AUDIT_ARCH_ value. */
struct seccomp_arch_rules {
	uint32_t audit_arch;
	bool is_64_bit;			/* arguments have a high word */
	struct seccomp_range newer[2];	/* calls that the profile is too old to know, by rising numbers: ENOSYS; empty: none */
	bool closed_from;		/* numbers from closed_number on are another ABI's that was not listed: kill */
	uint32_t closed_number;
	struct seccomp_entry *entries;	/* as written: the order for equal numbers */
	size_t count, capacity;
};

/* Lays the program out in arena. Rules of one call are tried in written order,
 * those with conditions first. -E2BIG when it exceeds BPF_MAXINSNS. */
int seccomp_bpf_build(struct arena *arena, const struct seccomp_arch_rules *arches, size_t arch_count,
		      uint32_t default_action, struct sock_filter **ret, uint32_t *ret_count,
		      struct err **err);

#endif

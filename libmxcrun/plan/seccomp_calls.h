/* seccomp_calls.h - the lists of system calls that the named profiles of a sandbox are made of. */
#ifndef MXCRUN_PLAN_SECCOMP_CALLS_H
#define MXCRUN_PLAN_SECCOMP_CALLS_H

#include <stddef.h>
#include <stdint.h>

/* Texts, not pointers, which would be corrected whenever a program starts that needs none of these lists (base/image.h). */
#define SECCOMP_NAME_SIZE 32u

struct seccomp_names {
	const char (*items)[SECCOMP_NAME_SIZE];
	size_t count;
};

/* What no ordinary tool needs and attackers do. Neither profile lets it pass. */
extern const struct seccomp_names seccomp_refused_calls;
/* Programs fall back where the kernel has none of these. */
extern const struct seccomp_names seccomp_absent_calls;
/* What ordinary programs use, whatever the arguments. */
extern const struct seccomp_names seccomp_allowed_calls;

/* Those for which an argument decides. */
struct seccomp_call_rule {
	char call[SECCOMP_NAME_SIZE];
	int errnum;		/* 0: let it pass */
	/* of the capabilities' bits, and these: the rule holds with one of them, or without all of them; 0: always */
#define SECCOMP_PAIRS_ONLY ((uint64_t)1 << 63)	/* of UNIX sockets */
#define SECCOMP_NO_SET_UID ((uint64_t)1 << 62)
	uint64_t with, without;
	struct {
		uint32_t index;
		char op[SECCOMP_NAME_SIZE];	/* SCMP_CMP_...; "": no more */
		uint64_t value, value_two;
	} args[3];
};

extern const struct seccomp_call_rule seccomp_refused_arguments[], seccomp_allowed_arguments[];
extern const size_t seccomp_refused_argument_count, seccomp_allowed_argument_count;

/* Input for the terminal, by who does not type it. Not in the lists: how it is said depends on the profile. */
extern const uint32_t seccomp_terminal_requests[2];

#endif

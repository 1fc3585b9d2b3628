/* clone.h - clone3 with a function on a stack of its own, in the parent's memory where that is possible. */
#ifndef MXCRUN_ENGINE_NATIVE_CLONE_H
#define MXCRUN_ENGINE_NATIVE_CLONE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/sys.h"

/* True where the child may share memory (CLONE_VM): it must then use raw_call() alone, because errno, stdio
 * and malloc are the parent's. */
#if defined(__x86_64__) || defined(__aarch64__)
#define CLONE_SHARES_MEMORY 1
#else
#define CLONE_SHARES_MEMORY 0
#endif

/* A system call that touches nothing but registers: the kernel's result, a negative errno on failure. */
long raw_call(long number, long a, long b, long c, long d, long e);

/* By raw calls: the signals of a mask as of SigIgn in /proc have their default action again. A workload begins with no signal ignored:
 * none that the caller ignores, nor those that we do. */
#define IGNORED_BY_US ((uint64_t)1 << (SIGPIPE - 1) | (uint64_t)1 << (SIGXFSZ - 1))
void raw_default_signals(uint64_t signals);

/* Who a process of ours is in a new user namespace; -1: who it was. */
struct own_ids {
	uid_t uid;
	gid_t gid;
};
#define OWN_IDS_STAY ((struct own_ids){ (uid_t)-1, (gid_t)-1 })

/* By raw calls: in a new user namespace the first exec would drop the capabilities that came with it, unless the process is its
 * root or they are ambient. Where we become that we have them, else we raise them all. Root would get the one that is to be
 * left out, too, but for the security bit, which init takes off. */
long raw_take_ids(struct own_ids ids, bool lacks_setgid);

/* As fork(2) does: in a copy of our memory and stack. */
pid_t clone_copied(struct sys_clone_args *args, int (*function)(void *), void *argument);

/* Run function(argument) in a new process on the stack; its result is the exit code. args->stack and
 * stack_size are filled in; where memory is shared the child begins with all signals blocked; CLONE_VM is added where CLONE_SHARES_MEMORY unless the flags forbid it (a time namespace).
 * Returns the pid or a negative errno; in the child it does not return. */
pid_t clone_run(struct sys_clone_args *args, void *stack, size_t stack_size, int (*function)(void *),
		void *argument);

/* The same on the caller's own stack, where it is not in use: that has its pages already. A caller that goes on at the same time has
 * CLONE_LEFT bytes of it, for the frames of what it calls. */
#define CLONE_LEFT 4096u
pid_t clone_below(struct sys_clone_args *args, int (*function)(void *), void *argument);

#endif

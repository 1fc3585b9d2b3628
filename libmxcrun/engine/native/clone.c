/* clone.c - the few instructions of assembly that clone3 with a stack needs. */
#include "engine/native/clone.h"

#include <errno.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define KERNEL_SIGSET_SIZE 8
#define BELOW_SIZE 65536u	/* a number for the kernel to check; the stack grows on as any */

#ifndef SYS_clone3
#define SYS_clone3 435
#endif

#if defined(__x86_64__)

long raw_call(long number, long a, long b, long c, long d, long e)
{
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8)
			 : "rcx", "r11", "memory");
	return result;
}

/* The child comes back from the call on the new stack, where there is no frame to return to: it
 * calls the function and exits. */
static long clone_on_stack(struct sys_clone_args *args, int (*function)(void *), void *argument)
{
	register int (*r8)(void *) __asm__("r8") = function;
	register void *r9 __asm__("r9") = argument;
	long result;

	__asm__ volatile("syscall\n\t"
			 "testq %%rax, %%rax\n\t"
			 "jnz 1f\n\t"
			 "xorl %%ebp, %%ebp\n\t"
			 "movq %%r9, %%rdi\n\t"
			 "callq *%%r8\n\t"
			 "movl %%eax, %%edi\n\t"
			 "movl %[exit], %%eax\n\t"
			 "syscall\n\t"
			 "hlt\n"
			 "1:"
			 : "=a"(result)
			 : "a"((long)SYS_clone3), "D"(args), "S"(sizeof(*args)), "r"(r8), "r"(r9),
			   [exit] "i"(SYS_exit_group)
			 : "rcx", "r11", "memory");
	return result;
}

#elif defined(__aarch64__)

long raw_call(long number, long a, long b, long c, long d, long e)
{
	register long x8 __asm__("x8") = number;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;
	register long x3 __asm__("x3") = d;
	register long x4 __asm__("x4") = e;

	__asm__ volatile("svc #0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4) : "memory", "cc");
	return x0;
}

static long clone_on_stack(struct sys_clone_args *args, int (*function)(void *), void *argument)
{
	register long x8 __asm__("x8") = SYS_clone3;
	register long x0 __asm__("x0") = (long)args;
	register long x1 __asm__("x1") = sizeof(*args);
	register int (*x9)(void *) __asm__("x9") = function;
	register void *x10 __asm__("x10") = argument;

	__asm__ volatile("svc #0\n\t"
			 "cbnz x0, 1f\n\t"
			 "mov x29, #0\n\t"
			 "mov x0, x10\n\t"
			 "blr x9\n\t"
			 "mov x8, %[exit]\n\t"
			 "svc #0\n"
			 "1:"
			 : "+r"(x0)
			 : "r"(x8), "r"(x1), "r"(x9), "r"(x10), [exit] "i"(SYS_exit_group)
			 : "memory", "cc");
	return x0;
}

#else

long raw_call(long number, long a, long b, long c, long d, long e)
{
	long result = syscall(number, a, b, c, d, e);

	return result < 0 ? -errno : result;
}

#endif

/* The kernel's struct, which C libraries hide, is smaller than this buffer; all zero is the default action. */
void raw_default_signals(uint64_t signals)
{
	static const unsigned long default_action[16];

	for (int number = 1; number <= 64; number++)
		if (signals >> (number - 1) & 1)
			(void)raw_call(SYS_rt_sigaction, number, (long)default_action, 0, KERNEL_SIGSET_SIZE, 0);
}

long raw_take_ids(struct own_ids ids, bool lacks_setgid)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { 0 };
	long r = raw_call(SYS_setresgid, ids.gid, ids.gid, ids.gid, 0, 0);

	if (r == 0)
		r = raw_call(SYS_setresuid, ids.uid, ids.uid, ids.uid, 0, 0);
	if (ids.uid == 0) {
		if (r < 0 || !lacks_setgid)
			return r;
		r = raw_call(SYS_prctl, PR_SET_SECUREBITS, SECBIT_NOROOT, 0, 0, 0);
	}
	if (r == 0)
		r = raw_call(SYS_capget, (long)&header, (long)data, 0, 0, 0);
	if (r < 0)
		return r;
	if (lacks_setgid)
		data[0].effective = data[0].permitted &= ~(1u << CAP_SETGID);
	data[0].inheritable = data[0].permitted;
	data[1].inheritable = data[1].permitted;
	r = raw_call(SYS_capset, (long)&header, (long)data, 0, 0, 0);
	for (int cap = 0; cap < 64 && r == 0; cap++)
		if (data[cap / 32].permitted & (1u << (cap % 32)) && !(cap == CAP_SETGID && lacks_setgid))
			r = raw_call(SYS_prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0);
	return r;
}

pid_t clone_copied(struct sys_clone_args *args, int (*function)(void *), void *argument)
{
	pid_t pid = sys_clone3(args);

	if (pid == 0)
		_exit(function(argument));
	return pid < 0 ? -errno : pid;
}

pid_t clone_run(struct sys_clone_args *args, void *stack, size_t stack_size, int (*function)(void *),
		void *argument)
{
	/* the kernel refuses to share memory across time namespaces */
	if (!CLONE_SHARES_MEMORY || (args->flags & CLONE_NEWTIME))
		return clone_copied(args, function, argument);
#if CLONE_SHARES_MEMORY
	sigset_t all, old;
	pid_t pid;

	args->flags |= CLONE_VM;
	args->stack = (uint64_t)(uintptr_t)stack;
	args->stack_size = stack_size;
	/* the child must never run a handler in our memory */
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &old);
	pid = (pid_t)clone_on_stack(args, function, argument);
	sigprocmask(SIG_SETMASK, &old, NULL);
	return pid;
#else
	(void)stack;
	(void)stack_size;
	return -ENOSYS;
#endif
}

__attribute__((noinline)) pid_t clone_below(struct sys_clone_args *args, int (*function)(void *), void *argument)
{
	char *top = (char *)((uintptr_t)__builtin_frame_address(0) & ~(uintptr_t)15) - CLONE_LEFT;

	return clone_run(args, top - BELOW_SIZE, BELOW_SIZE, function, argument);
}

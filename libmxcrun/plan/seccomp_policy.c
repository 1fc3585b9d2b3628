/* seccomp_policy.c - the filter of a policy sandbox: what no ordinary tool needs and attackers do.
 *
 * Invariant 49. A list of refusals over an open default, because the workload is any program of the
 * host; what it must not have is named: namespaces and mounts, keys, BPF and friends, raw, packet,
 * kernel-crypto and hypervisor sockets, terminal injection. Calls that programs probe get ENOSYS so that they fall
 * back; the rest EPERM. Written as an OCI section and compiled like one.
 */
#include "plan/seccomp.h"

#include <errno.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080
#endif
#define TIOCLINUX_REQUEST 0x541cu
#define SOCK_TYPE_MASK 0xfu
#define LOW_32 0xffffffffull	/* the kernel looks at 32 bits of an ioctl's request: CVE-2019-10063 */

static const char *const refused[] = {
	/* namespaces and mounts, old interface and new */
	"unshare", "setns", "mount", "umount", "umount2", "pivot_root", "chroot", "move_mount", "open_tree",
	"fsopen", "fsconfig", "fsmount", "fspick", "mount_setattr", "open_by_handle_at", "name_to_handle_at",
	/* the kernel itself */
	"init_module", "finit_module", "delete_module", "create_module", "query_module", "get_kernel_syms",
	"kexec_load", "kexec_file_load", "reboot", "swapon", "swapoff", "syslog", "acct", "quotactl",
	"quotactl_fd", "nfsservctl", "lookup_dcookie", "uselib", "ustat", "sysfs", "_sysctl", "vm86", "vm86old",
	"iopl", "ioperm", "modify_ldt", "settimeofday", "clock_settime", "clock_settime64", "stime",
	"clock_adjtime", "clock_adjtime64", "adjtimex", "sethostname", "setdomainname", "vhangup",
	/* wide attack surface */
	"bpf", "perf_event_open", "userfaultfd", "keyctl", "add_key", "request_key", "fanotify_init",
	"process_vm_readv", "process_vm_writev", "ptrace", "kcmp", "move_pages", "migrate_pages", "mbind",
	"set_mempolicy", "set_mempolicy_home_node", "process_madvise", "pidfd_getfd",
};

static const char *const absent[] = {
	"clone3",	/* its flags lie behind a pointer: callers fall back to clone */
	"io_uring_setup", "io_uring_enter", "io_uring_register",
};

/* Refused by one argument each: (argument & mask) == value. */
static const struct {
	const char *call;
	uint32_t index;
	uint64_t mask, value;
	int errnum;
} refused_by_argument[] = {
	/* the flags are clone's first argument on all architectures but s390 */
	{ "clone", 0, CLONE_NEWUSER, CLONE_NEWUSER, EPERM },
	{ "clone", 0, CLONE_NEWNS, CLONE_NEWNS, EPERM },
	{ "clone", 0, CLONE_NEWPID, CLONE_NEWPID, EPERM },
	{ "clone", 0, CLONE_NEWNET, CLONE_NEWNET, EPERM },
	{ "clone", 0, CLONE_NEWIPC, CLONE_NEWIPC, EPERM },
	{ "clone", 0, CLONE_NEWUTS, CLONE_NEWUTS, EPERM },
	{ "clone", 0, CLONE_NEWCGROUP, CLONE_NEWCGROUP, EPERM },
	{ "ioctl", 1, LOW_32, TIOCSTI, EPERM },
	{ "ioctl", 1, LOW_32, TIOCLINUX_REQUEST, EPERM },
	{ "socket", 0, LOW_32, AF_ALG, EAFNOSUPPORT },
	{ "socket", 0, LOW_32, AF_VSOCK, EAFNOSUPPORT },
	{ "socket", 0, LOW_32, AF_PACKET, EPERM },
	{ "socket", 1, SOCK_TYPE_MASK, SOCK_RAW, EPERM },
	{ "socket", 1, SOCK_TYPE_MASK, SOCK_PACKET, EPERM },
	{ "socketpair", 0, LOW_32, AF_ALG, EAFNOSUPPORT },
};

#if defined(__x86_64__)
static const char *const arch_words[] = { "SCMP_ARCH_X86_64", "SCMP_ARCH_X86" };
#elif defined(__aarch64__)
static const char *const arch_words[] = { "SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM" };
#endif

static struct string_list names(const char *const *items, size_t count)
{
	return (struct string_list){ .items = (const char **)(uintptr_t)items, .count = count, .set = true };
}

static struct oci_syscall refusal(struct string_list calls, int errnum)
{
	return (struct oci_syscall){
		.names = calls,
		.action = "SCMP_ACT_ERRNO",
		.errno_ret = { .set = true, .value = (uint32_t)errnum },
	};
}

int seccomp_compile_policy_default(struct arena *arena, struct plan_seccomp *ret, const struct log *log,
				   struct err **err)
{
	struct oci_seccomp_arg args[array_size(refused_by_argument)];
	struct oci_syscall syscalls[array_size(refused_by_argument) + 2];
	struct oci_seccomp config = {
		.default_action = "SCMP_ACT_ALLOW",
		.syscalls = { .items = syscalls, .count = array_size(syscalls) },
	};
	size_t n = 0;

#if defined(__x86_64__) || defined(__aarch64__)
	config.architectures = names(arch_words, array_size(arch_words));
#endif
	syscalls[n++] = refusal(names(refused, array_size(refused)), EPERM);
	syscalls[n++] = refusal(names(absent, array_size(absent)), ENOSYS);
	for (size_t i = 0; i < array_size(refused_by_argument); i++, n++) {
		args[i] = (struct oci_seccomp_arg){
			.index = { .set = true, .value = refused_by_argument[i].index },
			.value = { .set = true, .value = refused_by_argument[i].mask },
			.value_two = { .set = true, .value = refused_by_argument[i].value },
			.op = "SCMP_CMP_MASKED_EQ",
		};
		syscalls[n] = refusal(names(&refused_by_argument[i].call, 1), refused_by_argument[i].errnum);
		syscalls[n].args.items = &args[i];
		syscalls[n].args.count = 1;
	}
	return seccomp_compile(arena, &config, ret, log, err);
}

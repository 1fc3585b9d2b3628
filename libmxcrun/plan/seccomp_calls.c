/* seccomp_calls.c - see seccomp_calls.h.
 *
 * Rules on arguments of one call never overlap unless they say the same, but for bits that the kernel doesn't look at, and none stands
 * beside a plain permission of its call: libseccomp, which other runtimes compile the same rules with, knows no order between them.
 */
#include "plan/seccomp_calls.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "plan/caps.h"

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080
#endif
#define TIOCLINUX_REQUEST 0x541cu
#define ALL_NAMESPACES                                                                                              \
	(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP)
#define SOCK_TYPE_MASK 0xfu
#define LOW_32 0xffffffffull	/* the kernel looks at 32 bits of these arguments: CVE-2019-10063 */
#define ANY_TYPE_FLAGS (LOW_32 & ~(uint64_t)(SOCK_CLOEXEC | SOCK_NONBLOCK))

#define GT "SCMP_CMP_GT"
#define MASKED "SCMP_CMP_MASKED_EQ"
#define IS(argument, value) { argument, MASKED, LOW_32, value }

const uint32_t seccomp_terminal_requests[2] = { TIOCSTI, TIOCLINUX_REQUEST };

static const char refused[][SECCOMP_NAME_SIZE] = {
	/* namespaces and mounts, old interface and new */
	"unshare", "setns", "mount", "umount", "umount2", "pivot_root", "move_mount", "open_tree",
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

static const char absent[][SECCOMP_NAME_SIZE] = {
	"clone3",	/* its flags lie behind a pointer: callers fall back to clone */
	"io_uring_setup", "io_uring_enter", "io_uring_register",
};

/* By what they are about. A call that is not here, and in no other list, does not exist: ENOSYS is what programs expect
 * of a kernel that is older than they are. */
static const char allowed[][SECCOMP_NAME_SIZE] = {
	/* files */
	"close", "close_range", "read", "readv", "pread64", "preadv", "preadv2",
	"write", "writev", "pwrite64", "pwritev", "pwritev2", "lseek", "_llseek", "dup", "dup2", "dup3", "fcntl",
	"fcntl64", "flock", "fsync", "fdatasync", "sync", "syncfs", "sync_file_range", "sync_file_range2",
	"arm_sync_file_range", "fadvise64", "fadvise64_64", "arm_fadvise64_64", "fallocate", "truncate", "truncate64",
	"ftruncate", "ftruncate64", "readahead", "copy_file_range", "sendfile", "sendfile64", "splice", "tee",
	"vmsplice", "pipe", "pipe2", "cachestat",
	"stat", "stat64", "oldstat", "lstat", "lstat64", "oldlstat", "fstat", "fstat64", "oldfstat", "fstatat64",
	"newfstatat", "statx", "statfs", "statfs64", "fstatfs", "fstatfs64", "access", "faccessat", "faccessat2",
	"readlink", "readlinkat", "getdents", "getdents64", "readdir", "getcwd", "chdir", "fchdir",
	"mkdir", "mkdirat", "rmdir", "link", "linkat", "unlink", "unlinkat", "symlink",
	"symlinkat", "rename", "renameat", "renameat2", "umask",
	"chown", "chown32", "fchown", "fchown32", "lchown", "lchown32",
	"fchownat", "utime", "utimes", "futimesat", "utimensat", "utimensat_time64",
	"setxattr", "lsetxattr", "fsetxattr", "setxattrat", "getxattr", "lgetxattr", "fgetxattr", "getxattrat",
	"listxattr", "llistxattr", "flistxattr", "listxattrat", "removexattr", "lremovexattr", "fremovexattr",
	"removexattrat",
	"inotify_init", "inotify_init1", "inotify_add_watch", "inotify_rm_watch",
	"landlock_create_ruleset", "landlock_add_rule", "landlock_restrict_self",
	/* memory */
	"brk", "mmap", "mmap2", "munmap", "mremap", "mprotect", "madvise", "msync", "mincore", "mlock", "mlock2",
	"mlockall", "munlock", "munlockall", "memfd_create", "remap_file_pages", "membarrier", "mseal",
	"map_shadow_stack", "pkey_alloc", "pkey_free", "pkey_mprotect", "get_mempolicy", "shmget", "shmat", "shmdt",
	"shmctl",
	/* processes and threads */
	"fork", "vfork", "execve", "execveat", "exit", "exit_group", "wait4", "waitid", "waitpid", "getpid", "gettid",
	"getppid", "getpgid", "getpgrp", "setpgid", "getsid", "setsid", "prctl", "arch_prctl", "set_tid_address",
	"set_thread_area", "get_thread_area", "set_tls", "get_tls", "cacheflush", "breakpoint", "riscv_flush_icache",
	"riscv_hwprobe", "set_robust_list", "get_robust_list", "rseq", "pidfd_open", "pidfd_send_signal",
	"process_mrelease", "getcpu", "seccomp",
	"futex", "futex_time64", "futex_waitv", "futex_wake", "futex_wait", "futex_requeue",
	"sched_yield", "sched_getaffinity", "sched_setaffinity", "sched_getattr", "sched_setattr", "sched_getparam",
	"sched_setparam", "sched_getscheduler", "sched_setscheduler", "sched_get_priority_max",
	"sched_get_priority_min", "sched_rr_get_interval", "sched_rr_get_interval_time64", "getpriority",
	"setpriority", "nice", "ioprio_get", "ioprio_set", "getrlimit", "ugetrlimit", "setrlimit", "prlimit64",
	"getrusage", "times", "uname", "olduname", "oldolduname", "sysinfo",
	/* ids */
	"getuid", "getuid32", "geteuid", "geteuid32", "getgid", "getgid32", "getegid", "getegid32", "getresuid",
	"getresuid32", "getresgid", "getresgid32", "getgroups", "getgroups32", "setuid", "setuid32", "setgid",
	"setgid32", "setreuid", "setreuid32", "setregid", "setregid32", "setresuid", "setresuid32", "setresgid",
	"setresgid32", "setgroups", "setgroups32", "setfsuid", "setfsuid32", "setfsgid", "setfsgid32", "capget",
	"capset",
	/* signals */
	"kill", "tkill", "tgkill", "pause", "alarm", "signal", "sigaction", "sigaltstack", "sigpending",
	"sigprocmask", "sigreturn", "sigsuspend", "sgetmask", "ssetmask", "rt_sigaction", "rt_sigpending",
	"rt_sigprocmask", "rt_sigqueueinfo", "rt_sigreturn", "rt_sigsuspend", "rt_sigtimedwait",
	"rt_sigtimedwait_time64", "rt_tgsigqueueinfo", "signalfd", "signalfd4", "restart_syscall",
	/* time */
	"time", "gettimeofday", "clock_gettime", "clock_gettime64", "clock_getres", "clock_getres_time64",
	"clock_nanosleep", "clock_nanosleep_time64", "nanosleep", "getitimer", "setitimer", "timer_create",
	"timer_delete", "timer_getoverrun", "timer_gettime", "timer_gettime64", "timer_settime", "timer_settime64",
	"timerfd_create", "timerfd_gettime", "timerfd_gettime64", "timerfd_settime", "timerfd_settime64",
	/* waiting */
	"poll", "ppoll", "ppoll_time64", "select", "_newselect", "pselect6", "pselect6_time64", "epoll_create",
	"epoll_create1", "epoll_ctl", "epoll_ctl_old", "epoll_wait", "epoll_wait_old", "epoll_pwait", "epoll_pwait2",
	"eventfd", "eventfd2", "io_setup", "io_destroy", "io_submit", "io_cancel", "io_getevents", "io_pgetevents",
	"io_pgetevents_time64",
	/* messages */
	"bind", "connect", "listen", "accept", "accept4", "getsockname", "getpeername", "getsockopt", "setsockopt",
	"shutdown", "send", "sendto", "sendmsg", "sendmmsg", "recv", "recvfrom", "recvmsg", "recvmmsg",
	"recvmmsg_time64", "semget", "semop", "semctl", "semtimedop", "semtimedop_time64", "msgget", "msgsnd",
	"msgrcv", "msgctl", "mq_open", "mq_unlink", "mq_notify", "mq_getsetattr", "mq_timedsend",
	"mq_timedsend_time64", "mq_timedreceive", "mq_timedreceive_time64",
	/* others */
	"getrandom",
};

const struct seccomp_names seccomp_refused_calls = { refused, array_size(refused) };
const struct seccomp_names seccomp_absent_calls = { absent, array_size(absent) };
const struct seccomp_names seccomp_allowed_calls = { allowed, array_size(allowed) };

#define RAW ((uint64_t)1 << CAP_BIT_NET_RAW)
#define ADMIN ((uint64_t)1 << CAP_BIT_NET_ADMIN)
#define CHROOT ((uint64_t)1 << CAP_BIT_SYS_CHROOT)

/* Flags of clone are its first argument on all architectures but s390. */
#define NO_NEW(flag) { "clone", EPERM, 0, 0, { { 0, MASKED, flag, flag } } }

#define NO_RAW(family) \
	{ "socket", EPERM, 0, RAW, { IS(0, family), { 1, MASKED, SOCK_TYPE_MASK, SOCK_RAW } } }

/* A pair of datagram sockets can send to any name. */
#define PAIR_TYPE(type) { 0, MASKED, LOW_32, AF_UNIX }, { 1, MASKED, SOCK_TYPE_MASK, type }
#define ONLY_PAIRS                                                                                \
	{ "socket", EACCES, SECCOMP_PAIRS_ONLY, 0, { { 0, MASKED, LOW_32, AF_UNIX } } },              \
	{ "socketpair", EACCES, SECCOMP_PAIRS_ONLY, 0, { PAIR_TYPE(SOCK_DGRAM) } },                   \
	{ "socketpair", EACCES, SECCOMP_PAIRS_ONLY, 0, { PAIR_TYPE(SOCK_RAW) } }

/* What makes a set-user-ID file: also of a mode that comes with a flag. Of the two flags either may do so. */
#define TMPFILE (O_TMPFILE & ~O_DIRECTORY)
#define IS_SET_UID(mode) { mode, MASKED, S_ISUID, S_ISUID }
#define REFUSE_SET_UID(call, mode) { call, EPERM, SECCOMP_NO_SET_UID, 0, { IS_SET_UID(mode) } }
#define REFUSE_NEW_SET_UID(call, flags, mode)                                                                            \
	{ call, EPERM, SECCOMP_NO_SET_UID, 0, { { flags, MASKED, O_CREAT, O_CREAT }, IS_SET_UID(mode) } },               \
	{ call, EPERM, SECCOMP_NO_SET_UID, 0, { { flags, MASKED, TMPFILE, TMPFILE }, IS_SET_UID(mode) } }
#define ALLOW_WITHOUT_SET_UID(call, mode) { call, 0, SECCOMP_NO_SET_UID, 0, { { mode, MASKED, S_ISUID, 0 } } }
#define ALLOW_WITHOUT_NEW(call, flags) { call, 0, SECCOMP_NO_SET_UID, 0, { { flags, MASKED, O_CREAT | TMPFILE, 0 } } }
#define ALLOW_ANY_MODE(call) { call, 0, 0, SECCOMP_NO_SET_UID, { { 0 } } }
#define NO_SET_UID                                                                                                    \
	REFUSE_SET_UID("chmod", 1), REFUSE_SET_UID("fchmod", 1), REFUSE_SET_UID("fchmodat", 2),                          \
	REFUSE_SET_UID("fchmodat2", 2), REFUSE_SET_UID("mknod", 1), REFUSE_SET_UID("mknodat", 2),                        \
	REFUSE_SET_UID("creat", 1), REFUSE_NEW_SET_UID("open", 1, 2), REFUSE_NEW_SET_UID("openat", 2, 3)
#define MODES(call, mode) ALLOW_WITHOUT_SET_UID(call, mode), ALLOW_ANY_MODE(call)

const struct seccomp_call_rule seccomp_refused_arguments[] = {
	NO_SET_UID,
	{ "openat2", ENOSYS, SECCOMP_NO_SET_UID, 0, { { 0 } } },
	ONLY_PAIRS,
	NO_NEW(CLONE_NEWUSER), NO_NEW(CLONE_NEWNS),  NO_NEW(CLONE_NEWPID),    NO_NEW(CLONE_NEWNET),
	NO_NEW(CLONE_NEWIPC),  NO_NEW(CLONE_NEWUTS), NO_NEW(CLONE_NEWCGROUP),
	{ "chroot", EPERM, 0, CHROOT, { { 0 } } },
	{ "socket", EAFNOSUPPORT, 0, 0, { { 0, MASKED, LOW_32, AF_ALG } } },
	{ "socket", EAFNOSUPPORT, 0, 0, { { 0, MASKED, LOW_32, AF_VSOCK } } },
	{ "socket", EPERM, 0, RAW, { { 0, MASKED, LOW_32, AF_PACKET } } },
	NO_RAW(AF_INET), NO_RAW(AF_INET6),
	{ "socket", EPERM, 0, RAW, { IS(0, AF_INET), { 1, MASKED, SOCK_TYPE_MASK, SOCK_PACKET } } },
	{ "socketpair", EAFNOSUPPORT, 0, 0, { { 0, MASKED, LOW_32, AF_ALG } } },
};
const size_t seccomp_refused_argument_count = array_size(seccomp_refused_arguments);

#define INTERNET(family, type, protocol) \
	{ "socket", 0, 0, 0, { IS(0, family), { 1, MASKED, ANY_TYPE_FLAGS, type }, IS(2, protocol) } }
/* Raw ones; MPTCP and SCTP, of which who asks for the first tries TCP then. */
#define INTERNET_OTHERS(family)                                                                                        \
	{ "socket", 0, RAW, 0, { IS(0, family), { 1, MASKED, SOCK_TYPE_MASK, SOCK_RAW } } }, NO_RAW(family),        \
	{ "socket", EPROTONOSUPPORT, 0, 0, { IS(0, family), { 1, MASKED, SOCK_TYPE_MASK, SOCK_STREAM },             \
	    { 2, GT, IPPROTO_TCP, 0 } } }

const struct seccomp_call_rule seccomp_allowed_arguments[] = {
	NO_SET_UID,
	MODES("chmod", 1), MODES("fchmod", 1), MODES("fchmodat", 2), MODES("fchmodat2", 2), MODES("mknod", 1), MODES("mknodat", 2),
	MODES("creat", 1), MODES("open", 2), ALLOW_WITHOUT_NEW("open", 1), MODES("openat", 3), ALLOW_WITHOUT_NEW("openat", 2),
	/* its mode lies behind a pointer: callers fall back to openat */
	ALLOW_ANY_MODE("openat2"),

	{ "clone", 0, 0, 0, { { 0, MASKED, ALL_NAMESPACES, 0 } } },
	NO_NEW(CLONE_NEWUSER), NO_NEW(CLONE_NEWNS),  NO_NEW(CLONE_NEWPID),    NO_NEW(CLONE_NEWNET),
	NO_NEW(CLONE_NEWIPC),  NO_NEW(CLONE_NEWUTS), NO_NEW(CLONE_NEWCGROUP),
	{ "chroot", 0, CHROOT, 0, { { 0 } } },
	{ "chroot", EPERM, 0, CHROOT, { { 0 } } },

	ONLY_PAIRS,
	{ "socket", 0, 0, SECCOMP_PAIRS_ONLY, { IS(0, AF_UNIX) } },
	/* by family and type, which are asked once for neighbours */
	INTERNET(AF_INET, SOCK_STREAM, 0), INTERNET(AF_INET, SOCK_STREAM, IPPROTO_TCP), INTERNET(AF_INET, SOCK_DGRAM, 0),
	INTERNET(AF_INET, SOCK_DGRAM, IPPROTO_UDP), INTERNET(AF_INET, SOCK_DGRAM, IPPROTO_ICMP), INTERNET_OTHERS(AF_INET),
	INTERNET(AF_INET6, SOCK_STREAM, 0), INTERNET(AF_INET6, SOCK_STREAM, IPPROTO_TCP), INTERNET(AF_INET6, SOCK_DGRAM, 0),
	INTERNET(AF_INET6, SOCK_DGRAM, IPPROTO_UDP), INTERNET(AF_INET6, SOCK_DGRAM, IPPROTO_ICMPV6), INTERNET_OTHERS(AF_INET6),
	/* what getaddrinfo and getifaddrs ask the kernel by */
	{ "socket", 0, 0, 0, { IS(0, AF_NETLINK), IS(2, NETLINK_ROUTE) } },
	{ "socket", 0, ADMIN, 0, { IS(0, AF_NETLINK), IS(2, NETLINK_NETFILTER) } },
	{ "socket", 0, RAW, 0, { IS(0, AF_PACKET) } },
	{ "socket", EPERM, 0, RAW, { IS(0, AF_PACKET) } },
	{ "socket", EAFNOSUPPORT, 0, 0, { { 0, GT, AF_PACKET, 0 } } },
	{ "socketpair", 0, 0, SECCOMP_PAIRS_ONLY, { IS(0, AF_UNIX) } },
	{ "socketpair", 0, SECCOMP_PAIRS_ONLY, 0, { PAIR_TYPE(SOCK_STREAM) } },
	{ "socketpair", 0, SECCOMP_PAIRS_ONLY, 0, { PAIR_TYPE(SOCK_SEQPACKET) } },

	/* the default one, those that say how `uname` answers, and the question */
	{ "personality", 0, 0, 0, { IS(0, 0x0) } },
	{ "personality", 0, 0, 0, { IS(0, 0x8) } },
	{ "personality", 0, 0, 0, { IS(0, 0x20000) } },
	{ "personality", 0, 0, 0, { IS(0, 0x20008) } },
	{ "personality", 0, 0, 0, { IS(0, 0xffffffff) } },
};
const size_t seccomp_allowed_argument_count = array_size(seccomp_allowed_arguments);

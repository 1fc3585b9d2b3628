/* sys.h - system calls that the C library lacks or hides, and the kernel's constants for them.
 *
 * One set for glibc (the runtime) and musl (init): numbers and structs are taken from the kernel's
 * uapi headers where these don't collide with the C library's, else written down here.
 * Each function returns the kernel's result as the C library would: -1 with errno on failure.
 */
#ifndef MXCRUN_BASE_SYS_H
#define MXCRUN_BASE_SYS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

/* clone3(2), Linux 5.3; cgroup since 5.7 */
#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080
#endif
#define SYS_CLONE_INTO_CGROUP 0x200000000ull
struct sys_clone_args {
	uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls, set_tid,
		set_tid_size, cgroup;
};

/* openat2(2), Linux 5.6 */
struct sys_open_how {
	uint64_t flags, mode, resolve;
};
#define SYS_RESOLVE_NO_XDEV 0x01
#define SYS_RESOLVE_NO_MAGICLINKS 0x02
#define SYS_RESOLVE_NO_SYMLINKS 0x04
#define SYS_RESOLVE_BENEATH 0x08
#define SYS_RESOLVE_IN_ROOT 0x10

/* The mount API, Linux 5.2; mount_setattr(2), 5.12 */
#define SYS_OPEN_TREE_CLONE 1u
#define SYS_OPEN_TREE_CLOEXEC 02000000u
#define SYS_AT_RECURSIVE 0x8000
#define SYS_AT_EMPTY_PATH 0x1000
#define SYS_MOVE_MOUNT_F_EMPTY_PATH 0x04u
#define SYS_MOVE_MOUNT_T_EMPTY_PATH 0x40u
#define SYS_FSOPEN_CLOEXEC 1u
#define SYS_FSMOUNT_CLOEXEC 1u
#define SYS_FSCONFIG_SET_FLAG 0u
#define SYS_FSCONFIG_SET_STRING 1u
#define SYS_FSCONFIG_SET_FD 5u
#define SYS_FSCONFIG_CMD_CREATE 6u
#define SYS_FSCONFIG_CMD_RECONFIGURE 7u
#define SYS_FSPICK_CLOEXEC 1u
#define SYS_FSPICK_EMPTY_PATH 8u
#define SYS_ATTR_RDONLY 0x01u
#define SYS_ATTR_NOSUID 0x02u
#define SYS_ATTR_NODEV 0x04u
#define SYS_ATTR_NOEXEC 0x08u
#define SYS_ATTR_ATIME_MASK 0x70u
#define SYS_ATTR_RELATIME 0x00u
#define SYS_ATTR_NOATIME 0x10u
#define SYS_ATTR_STRICTATIME 0x20u
#define SYS_ATTR_NODIRATIME 0x80u
#define SYS_ATTR_IDMAP 0x00100000u
#define SYS_ATTR_NOSYMFOLLOW 0x00200000u
struct sys_mount_attr {
	uint64_t attr_set, attr_clr, propagation, userns_fd;
};

/* close_range(2), Linux 5.9; CLOEXEC flag 5.11 */
#define SYS_CLOSE_RANGE_CLOEXEC 4u

/* landlock(7), Linux 5.13: the version of its interface, -1 where it is absent or off; a set that handles these rights on files, and
 * (version 6, or 0) keeps what is scoped to its domain; a rule for what lies below a path, and the set's use for this thread. */
int sys_landlock_abi(void);
#define SYS_LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET ((uint64_t)1)
#define SYS_LANDLOCK_SCOPE_SIGNAL ((uint64_t)1 << 1)
int sys_landlock_create(uint64_t handled_fs, uint64_t scoped);
int sys_landlock_add_path(int ruleset_fd, int fd, uint64_t allowed);
int sys_landlock_restrict_self(int ruleset_fd);

pid_t sys_clone3(struct sys_clone_args *args);
/* fork(2), with a descriptor of the child (Linux 5.2), by the call that a filter lets pass wherever it lets a program fork. */
pid_t sys_fork(int *ret_pidfd);
int sys_openat2(int dirfd, const char *path, uint64_t flags, uint64_t mode, uint64_t resolve);
int sys_open_tree(int dirfd, const char *path, unsigned int flags);
int sys_move_mount(int from_fd, const char *from, int to_fd, const char *to, unsigned int flags);
int sys_fspick(int dirfd, const char *path, unsigned int flags);
int sys_fsopen(const char *fstype, unsigned int flags);
int sys_fsconfig(int fs_fd, unsigned int command, const char *key, const void *value, int aux);
int sys_fsmount(int fs_fd, unsigned int flags, unsigned int attrs);
int sys_mount_setattr(int dirfd, const char *path, unsigned int flags, const struct sys_mount_attr *attr);
int sys_pivot_root(const char *new_root, const char *put_old);
int sys_close_range(unsigned int first, unsigned int last, unsigned int flags);
int sys_pidfd_open(pid_t pid, unsigned int flags);
int sys_pidfd_send_signal(int pidfd, int signal);
/* linux/memfd.h; C libraries hide them */
#define SYS_MFD_CLOEXEC 1u
#define SYS_MFD_ALLOW_SEALING 2u
#define SYS_MFD_EXEC 0x10u /* Linux 6.3; vm.memfd_noexec wants it said */
int sys_memfd_create(const char *name, unsigned int flags);
long sys_keyctl(int command, unsigned long arg2, unsigned long arg3, unsigned long arg4);
int sys_seccomp(unsigned int operation, unsigned int flags, void *args);
int sys_capget(void *header, void *data);
int sys_capset(const void *header, const void *data);
int sys_setns(int fd, int type);

/* A clock, and CLOCK_MONOTONIC in milliseconds: by a system call, because the C library's way without one takes four page
 * faults when it is first used, and a command of ours looks at a clock once or twice. */
void sys_clock_gettime(clockid_t clock, struct timespec *ret);
int64_t sys_monotonic_ms(void);

#endif

/* sys.c - raw system calls, the same with every C library. */
#include "base/sys.h"

#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Calls younger than the C library's headers; since number 403 all architectures of ours share
 * them. */
#ifndef SYS_pidfd_send_signal
#define SYS_pidfd_send_signal 424
#endif
#ifndef SYS_open_tree
#define SYS_open_tree 428
#endif
#ifndef SYS_move_mount
#define SYS_move_mount 429
#endif
#ifndef SYS_fspick
#define SYS_fspick 433
#endif
#ifndef SYS_fsopen
#define SYS_fsopen 430
#endif
#ifndef SYS_fsconfig
#define SYS_fsconfig 431
#endif
#ifndef SYS_fsmount
#define SYS_fsmount 432
#endif
#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif
#ifndef SYS_clone3
#define SYS_clone3 435
#endif
#ifndef SYS_close_range
#define SYS_close_range 436
#endif
#ifndef SYS_openat2
#define SYS_openat2 437
#endif
#ifndef SYS_mount_setattr
#define SYS_mount_setattr 442
#endif

#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#define SYS_landlock_add_rule 445
#define SYS_landlock_restrict_self 446
#endif

#define LANDLOCK_CREATE_VERSION 1u
#define LANDLOCK_PATH_BENEATH 1u

int sys_landlock_abi(void)
{
	return (int)syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_VERSION);
}

/* Without a scope the struct as version 1 has it: later ones are longer, and a shorter one asks for nothing of theirs. */
int sys_landlock_create(uint64_t handled_fs, uint64_t scoped)
{
	const struct {
		uint64_t fs, net, scoped;
	} set = { handled_fs, 0, scoped };

	return (int)syscall(SYS_landlock_create_ruleset, &set, scoped ? sizeof(set) : sizeof(set.fs), 0);
}

int sys_landlock_add_path(int ruleset_fd, int fd, uint64_t allowed)
{
	const struct {
		uint64_t allowed;
		int32_t fd;
	} __attribute__((packed)) rule = { allowed, fd };

	return (int)syscall(SYS_landlock_add_rule, ruleset_fd, LANDLOCK_PATH_BENEATH, &rule, 0);
}

int sys_landlock_restrict_self(int ruleset_fd)
{
	return (int)syscall(SYS_landlock_restrict_self, ruleset_fd, 0);
}

pid_t sys_clone3(struct sys_clone_args *args)
{
	return (pid_t)syscall(SYS_clone3, args, sizeof(*args));
}

pid_t sys_fork(int *ret_pidfd)
{
	unsigned long flags = CLONE_PIDFD | SIGCHLD;

#ifdef __s390x__
	return (pid_t)syscall(SYS_clone, NULL, flags, ret_pidfd, NULL, NULL);
#else
	return (pid_t)syscall(SYS_clone, flags, NULL, ret_pidfd, NULL, NULL);
#endif
}

int sys_openat2(int dirfd, const char *path, uint64_t flags, uint64_t mode, uint64_t resolve)
{
	struct sys_open_how how = { .flags = flags, .mode = mode, .resolve = resolve };

	return (int)syscall(SYS_openat2, dirfd, path, &how, sizeof(how));
}

int sys_open_tree(int dirfd, const char *path, unsigned int flags)
{
	return (int)syscall(SYS_open_tree, dirfd, path, flags);
}

int sys_move_mount(int from_fd, const char *from, int to_fd, const char *to, unsigned int flags)
{
	return (int)syscall(SYS_move_mount, from_fd, from, to_fd, to, flags);
}

int sys_fspick(int dirfd, const char *path, unsigned int flags)
{
	return (int)syscall(SYS_fspick, dirfd, path, flags);
}

int sys_fsopen(const char *fstype, unsigned int flags)
{
	return (int)syscall(SYS_fsopen, fstype, flags);
}

int sys_fsconfig(int fs_fd, unsigned int command, const char *key, const void *value, int aux)
{
	return (int)syscall(SYS_fsconfig, fs_fd, command, key, value, aux);
}

int sys_fsmount(int fs_fd, unsigned int flags, unsigned int attrs)
{
	return (int)syscall(SYS_fsmount, fs_fd, flags, attrs);
}

int sys_mount_setattr(int dirfd, const char *path, unsigned int flags,
		      const struct sys_mount_attr *attr)
{
	return (int)syscall(SYS_mount_setattr, dirfd, path, flags, attr, sizeof(*attr));
}

int sys_pivot_root(const char *new_root, const char *put_old)
{
	return (int)syscall(SYS_pivot_root, new_root, put_old);
}

int sys_close_range(unsigned int first, unsigned int last, unsigned int flags)
{
	return (int)syscall(SYS_close_range, first, last, flags);
}

int sys_pidfd_open(pid_t pid, unsigned int flags)
{
	return (int)syscall(SYS_pidfd_open, pid, flags);
}

int sys_pidfd_send_signal(int pidfd, int signal)
{
	return (int)syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0);
}

int sys_memfd_create(const char *name, unsigned int flags)
{
	return (int)syscall(SYS_memfd_create, name, flags);
}

long sys_keyctl(int command, unsigned long arg2, unsigned long arg3, unsigned long arg4)
{
	return syscall(SYS_keyctl, command, arg2, arg3, arg4, 0ul);
}

int sys_seccomp(unsigned int operation, unsigned int flags, void *args)
{
	return (int)syscall(SYS_seccomp, operation, flags, args);
}

int sys_capget(void *header, void *data)
{
	return (int)syscall(SYS_capget, header, data);
}

int sys_capset(const void *header, const void *data)
{
	return (int)syscall(SYS_capset, header, data);
}

int sys_setns(int fd, int type)
{
	return (int)syscall(SYS_setns, fd, type);
}

/* Where a long is shorter than the C library's time the kernel's struct is another. */
void sys_clock_gettime(clockid_t clock, struct timespec *ret)
{
	if (sizeof(ret->tv_sec) != sizeof(long) || syscall(SYS_clock_gettime, clock, ret) < 0)
		clock_gettime(clock, ret);
}

int64_t sys_monotonic_ms(void)
{
	struct timespec now;

	sys_clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

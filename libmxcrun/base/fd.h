/* fd.h - descriptors: one owner each, born close-on-exec, -1 when empty; whole reads and writes.
 * Shared by the runtime and init. */
#ifndef MXCRUN_BASE_FD_H
#define MXCRUN_BASE_FD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

/* Closes *fd when it is >= 0; keeps errno. */
void fd_close_ptr(int *fd);
#define cleanup_close __attribute__((cleanup(fd_close_ptr)))
#define take_fd(fd) ({ int taken_ = (fd); (fd) = -1; taken_; })

/* Write all of it, EINTR and short writes handled. 0 or -errno. */
int fd_write_all(int fd, const void *data, size_t len);

/* Read until EOF, at most max bytes (more is -EFBIG). malloc'd, NUL-terminated; length in *ret_len
 * unless NULL. 0 or -errno. */
int fd_read_all(int fd, size_t max, char **ret_data, size_t *ret_len);

/* The same of an open file of the size expected (0: not known), which saves the read that meets the end. */
int fd_read_open(int fd, size_t max, size_t expected, char **ret_data, size_t *ret_len);

/* Open a regular file and read it whole. O_NONBLOCK, fstat first: a FIFO, a device or a directory is
 * -EINVAL (invariant 35). dirfd as openat(2). */
int fd_read_file(int dirfd, const char *path, size_t max, char **ret_data, size_t *ret_len);

/* A short file of procfs or cgroupfs, which the kernel gives whole in one read: into buf, NUL-terminated; -EFBIG when
 * it does not fit. dirfd as openat(2). 0 or -errno. */
int fd_read_kernel(int dirfd, const char *path, char *buf, size_t size);

/* The path of an open object as this process sees it, NUL-terminated; "/gone (deleted)" when it has none. 0 or -errno;
 * -ENAMETOOLONG when it does not fit (proc_pid_fd(5)). */
int fd_name(int fd, char *buf, size_t size);

/* Write text to an existing file (a cgroup or proc file) in ONE write(2), without creating it.
 * 0 or -errno; a short write is -EIO. */
int fd_write_file(int dirfd, const char *path, const char *text);

/* Is what is open there the file that the path, with links followed, leads to? 1, 0 or -errno. */
int fd_is_file(int fd, const char *path);

/* Replace a file: temp file beside it, write, fsync, rename, fsync(dir). Mode is exact, whatever the
 * umask. name may be a path with directories in front. 0 or -errno, and then the old file is as it
 * was, except when only the last step failed. */
int fd_replace_file(int dirfd, const char *name, const void *data, size_t len, mode_t mode);

/* Make sure that 0, 1 and 2 are open, so that no file of ours becomes standard I/O (invariant 17). */
int fd_guard_stdio(void);

#endif

/* input.h - documents that a caller hands over by name: a file, a pipe, standard input. */
#ifndef MXCRUN_BASE_INPUT_H
#define MXCRUN_BASE_INPUT_H

#include <stdbool.h>
#include <stddef.h>

/* "-" and /dev/stdin are standard input, also where that is a socket, which has no name to be opened by. */
bool input_is_stdin(const char *path);

/* Read a regular file, a FIFO or standard input to its end, at most max bytes (more is -EFBIG). What has a writer is waited for, wait_ms
 * altogether (-1: as long as that takes), and -ETIMEDOUT after that; the path is opened once, because a FIFO that is closed and opened
 * again has lost its writer. A directory is -EISDIR, any other kind of object -EINVAL. malloc'd, NUL-terminated. 0 or -errno. */
int input_read(const char *path, size_t max, int wait_ms, char **ret_data, size_t *ret_len);

/* The same of an open pipe, until its last writer is gone. */
int input_read_pipe(int fd, size_t max, int wait_ms, char **ret_data, size_t *ret_len);

#endif

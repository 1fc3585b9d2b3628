/* fd.c - descriptors: close with errno kept, whole reads and writes, files replaced as one step. */
#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

void fd_close_ptr(int *fd)
{
	int saved = errno;

	/* Linux frees the number also when close fails: never tried again. */
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
	errno = saved;
}

int fd_write_all(int fd, const void *data, size_t len)
{
	const char *p = data;

	while (len > 0) {
		ssize_t n = write(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return -EIO;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

#define FIRST_READ 4096u

/* With what is behind a NUL in it. */
static char *strndup_exact(const char *data, size_t len)
{
	char *copy = malloc(len + 1);

	if (!copy)
		return NULL;
	memcpy(copy, data, len);
	copy[len] = '\0';
	return copy;
}

static ssize_t read_some(int fd, char *buf, size_t len)
{
	ssize_t n;

	do
		n = read(fd, buf, len);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

/* Go on where a first buffer was not enough. */
static int read_rest(int fd, size_t max, size_t expected, const char *begin, size_t len, char **ret_data,
		     size_t *ret_len)
{
	cleanup_free char *data = NULL;
	size_t capacity = len;

	for (;;) {
		ssize_t n;

		/* One byte beyond max is asked for, to see that there is more; one is for NUL. */
		if (capacity - len < 2) {
			char *bigger;

			capacity = !data && expected > len ? expected + 2 : capacity * 4;
			if (capacity > max + 2)
				capacity = max + 2;
			bigger = realloc(data, capacity);
			if (!bigger)
				return -ENOMEM;
			if (!data)
				memcpy(bigger, begin, len);
			data = bigger;
		}
		n = read_some(fd, data + len, capacity - len - 1);
		if (n < 0)
			return (int)n;
		len += (size_t)n;
		if (len > max)
			return -EFBIG;
		if (n == 0 || len == expected)
			break;
	}
	data[len] = '\0';
	*ret_len = len;
	*ret_data = take_ptr(data);
	return 0;
}

/* Nearly all files are short: they are read on the stack, and the heap gets just what they hold. Each read asks for more
 * than expected, the file's size or 0 if that says nothing: so one that ends just there has met the end. */
int fd_read_open(int fd, size_t max, size_t expected, char **ret_data, size_t *ret_len)
{
	char begin[FIRST_READ];
	size_t len = 0;
	int r = 0;

	if (max > SIZE_MAX / 4)
		return -EINVAL;
	for (;;) {
		ssize_t n = read_some(fd, begin + len, sizeof(begin) - len);

		if (n < 0)
			return (int)n;
		len += (size_t)n;
		if (len > max)
			return -EFBIG;
		if (n == 0 || len == sizeof(begin) || len == expected)
			break;
	}
	if (len == sizeof(begin))
		r = read_rest(fd, max, expected, begin, len, ret_data, &len);
	else
		*ret_data = strndup_exact(begin, len);
	if (r == 0 && !*ret_data)
		r = -ENOMEM;
	if (r == 0 && ret_len)
		*ret_len = len;
	return r;
}

int fd_read_all(int fd, size_t max, char **ret_data, size_t *ret_len)
{
	return fd_read_open(fd, max, 0, ret_data, ret_len);
}

int fd_read_file(int dirfd, const char *path, size_t max, char **ret_data, size_t *ret_len)
{
	cleanup_close int fd = -1;
	struct stat st;

	fd = openat(dirfd, path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENXIO ? -EINVAL : -errno; /* ENXIO: a socket or an absent device */
	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	return fd_read_open(fd, max, (size_t)st.st_size, ret_data, ret_len);
}

int fd_read_kernel(int dirfd, const char *path, char *buf, size_t size)
{
	cleanup_close int fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = read_some(fd, buf, size);
	if (n < 0)
		return (int)n;
	if ((size_t)n == size)
		return -EFBIG;
	buf[n] = '\0';
	return 0;
}

int fd_write_file(int dirfd, const char *path, const char *text)
{
	cleanup_close int fd = -1;
	size_t len = strlen(text);
	ssize_t n;

	fd = openat(dirfd, path, O_WRONLY | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	do
		n = write(fd, text, len);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	return (size_t)n == len ? 0 : -EIO;
}

#define TEMP_SIZE (NAME_MAX + 1)

/* Create "<name>.<random>.tmp" in the directory; temp gets its name. */
static int create_beside(int dirfd, const char *name, mode_t mode, char temp[TEMP_SIZE])
{
	int attempt;

	for (attempt = 0; attempt < 16; attempt++) {
		uint64_t number;
		int fd, len;

		if (getrandom(&number, sizeof(number), 0) != (ssize_t)sizeof(number))
			return -EIO;
		len = snprintf(temp, TEMP_SIZE, "%s.%016llx.tmp", name, (unsigned long long)number);
		if (len < 0 || len >= TEMP_SIZE)
			return -ENAMETOOLONG;
		fd = openat(dirfd, temp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
			    mode);
		if (fd >= 0)
			return fd;
		if (errno != EEXIST)
			return -errno;
	}
	return -EEXIST;
}

static int fill_and_rename(int dirfd, int fd, const char *temp, const char *name, const void *data,
			   size_t len, mode_t mode)
{
	int r;

	if (fchmod(fd, mode) < 0)
		return -errno;
	r = fd_write_all(fd, data, len);
	if (r < 0)
		return r;
	if (fsync(fd) < 0)
		return -errno;
	if (renameat(dirfd, temp, dirfd, name) < 0)
		return -errno;
	return 0;
}

int fd_replace_file(int dirfd, const char *name, const void *data, size_t len, mode_t mode)
{
	cleanup_close int parent_fd = -1, fd = -1;
	cleanup_free char *parent = NULL;
	const char *slash = strrchr(name, '/');
	char temp[TEMP_SIZE];
	int r;

	/* Opened anew: fsync(2) needs a descriptor that is not O_PATH, and a name may have a
	 * directory. */
	if (slash) {
		parent = strndup(name, (size_t)(slash - name) + 1);
		if (!parent)
			return -ENOMEM;
		name = slash + 1;
	}
	if (!name[0])
		return -EINVAL;
	parent_fd = openat(dirfd, parent ? parent : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (parent_fd < 0)
		return -errno;

	fd = create_beside(parent_fd, name, mode, temp);
	if (fd < 0)
		return fd;
	r = fill_and_rename(parent_fd, fd, temp, name, data, len, mode);
	if (r < 0) {
		unlinkat(parent_fd, temp, 0);
		return r;
	}
	/* EINVAL: the file system has no fsync for directories, and nothing that could be done
	 * better. */
	if (fsync(parent_fd) < 0 && errno != EINVAL)
		return -errno;
	return 0;
}

int fd_is_file(int fd, const char *path)
{
	struct stat its, named;

	if (fstat(fd, &its) < 0 || stat(path, &named) < 0)
		return -errno;
	return its.st_dev == named.st_dev && its.st_ino == named.st_ino;
}

int fd_guard_stdio(void)
{
	int fd;

	for (fd = 0; fd <= 2; fd++) {
		int got;

		if (fcntl(fd, F_GETFD) >= 0)
			continue;
		if (errno != EBADF)
			return -errno;
		/* The lowest free number is fd. Not close-on-exec: it serves as standard I/O. Writing to a standard output that
		 * was closed is an error to us and to a workload, as it is without us. */
		got = open("/dev/null", (fd == STDOUT_FILENO ? O_RDONLY : O_RDWR) | O_NOCTTY); /* NOLINT(android-cloexec-open) */
		if (got < 0)
			return -errno;
		if (got != fd) {
			close(got);
			return -EBUSY;
		}
	}
	return 0;
}

int fd_name(int fd, char *buf, size_t size)
{
	char link[sizeof("/proc/self/fd/") + 12];
	ssize_t len;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	len = readlink(link, buf, size);
	if (len < 0)
		return -errno;
	if ((size_t)len >= size)
		return -ENAMETOOLONG;
	buf[len] = 0;
	return 0;
}

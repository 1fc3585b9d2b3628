/* copyup.c - tmpcopyup: fill a fresh tmpfs with what the directory below it holds.
 *
 * By descriptors alone, without following a link, so a hostile image can neither lead the copy out of its directory nor
 * make it read a device; the depth is bounded.
 */
#include "engine/native/mounts.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"

#define DEPTH_MAX 64

static int copy_directory(int from_fd, int to_fd, unsigned int depth);

static int copy_file(int from_dir, int to_dir, const char *name, const struct stat *st)
{
	cleanup_close int from = openat(from_dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	cleanup_close int to = -1;
	ssize_t n;

	if (from < 0)
		return -errno;
	to = openat(to_dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (to < 0)
		return -errno;
	while ((n = sendfile(to, from, NULL, 1 << 20)) > 0)
		;
	if (n < 0)
		return -errno;
	if (fchown(to, st->st_uid, st->st_gid) < 0 || fchmod(to, st->st_mode & 07777) < 0)
		return -errno;
	return 0;
}

static int copy_link(int from_dir, int to_dir, const char *name, const struct stat *st)
{
	char target[PATH_MAX];
	ssize_t n = readlinkat(from_dir, name, target, sizeof(target));

	if (n < 0)
		return -errno;
	if ((size_t)n >= sizeof(target))
		return -ENAMETOOLONG;
	target[n] = 0;
	if (symlinkat(target, to_dir, name) < 0)
		return -errno;
	return fchownat(to_dir, name, st->st_uid, st->st_gid, AT_SYMLINK_NOFOLLOW) < 0 ? -errno : 0;
}

static int copy_subdirectory(int from_dir, int to_dir, const char *name, const struct stat *st, unsigned int depth)
{
	cleanup_close int from = openat(from_dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	cleanup_close int to = -1;
	int r;

	if (from < 0)
		return -errno;
	if (mkdirat(to_dir, name, 0700) < 0)
		return -errno;
	to = openat(to_dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (to < 0)
		return -errno;
	r = copy_directory(from, to, depth + 1);
	if (r == 0 && (fchown(to, st->st_uid, st->st_gid) < 0 || fchmod(to, st->st_mode & 07777) < 0))
		r = -errno;
	return r;
}

static int copy_entry(int from_dir, int to_dir, const char *name, unsigned int depth)
{
	struct stat st;

	if (fstatat(from_dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if (S_ISREG(st.st_mode))
		return copy_file(from_dir, to_dir, name, &st);
	if (S_ISLNK(st.st_mode))
		return copy_link(from_dir, to_dir, name, &st);
	if (S_ISDIR(st.st_mode))
		return copy_subdirectory(from_dir, to_dir, name, &st, depth);
	return 0;	/* devices, sockets and pipes have no content to copy */
}

/* Takes a copy of from_fd for the directory stream. */
static int copy_directory(int from_fd, int to_fd, unsigned int depth)
{
	int stream_fd = openat(from_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct dirent *entry;
	DIR *stream;
	int r = 0;

	if (depth > DEPTH_MAX) {
		fd_close_ptr(&stream_fd);
		return -ELOOP;
	}
	if (stream_fd < 0)
		return -errno;
	stream = fdopendir(stream_fd);
	if (!stream) {
		fd_close_ptr(&stream_fd);
		return -ENOMEM;
	}
	while (r == 0 && (errno = 0, entry = readdir(stream)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			r = copy_entry(from_fd, to_fd, entry->d_name, depth);
	if (r == 0 && errno)
		r = -errno;
	closedir(stream);
	return r;
}

int copyup_tree(int from_fd, int to_fd, bool with_uid, bool with_gid)
{
	struct stat st;
	int r;

	if (fstat(from_fd, &st) < 0)
		return -errno;
	r = copy_directory(from_fd, to_fd, 0);
	if (r < 0)
		return r;
	return fchownat(to_fd, "", with_uid ? st.st_uid : (uid_t)-1, with_gid ? st.st_gid : (gid_t)-1, AT_EMPTY_PATH) < 0 ? -errno : 0;
}

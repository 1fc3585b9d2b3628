/* test_fd.c - whole reads and writes, refusal of what is no regular file, replacing, standard I/O.
 */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <dirent.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"

static int dir_fd = -1;
static char dir_path[] = "/tmp/mxcrun-test-fd-XXXXXX";

static int setup(void **state)
{
	(void)state;
	if (!mkdtemp(dir_path))
		return -1;
	dir_fd = open(dir_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return dir_fd < 0 ? -1 : 0;
}

static int teardown(void **state)
{
	DIR *dir = fdopendir(dir_fd);
	const struct dirent *entry;

	(void)state;
	while ((entry = readdir(dir)))
		if (unlinkat(dir_fd, entry->d_name, 0) < 0)
			unlinkat(dir_fd, entry->d_name, AT_REMOVEDIR);
	closedir(dir);
	return rmdir(dir_path);
}

static void make_file(const char *name, const char *text)
{
	cleanup_close int fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(fd_write_all(fd, text, strlen(text)), 0);
}

static void test_close_keeps_errno(void **state)
{
	int fd = 9999;

	(void)state;
	errno = ENOTTY;
	fd_close_ptr(&fd);
	assert_int_equal(errno, ENOTTY);
	assert_int_equal(fd, -1);
	fd_close_ptr(&fd);
}

static void test_read_file(void **state)
{
	cleanup_free char *data = NULL;
	size_t len = 0;

	(void)state;
	make_file("text", "0123456789");
	assert_int_equal(fd_read_file(dir_fd, "text", 10, &data, &len), 0);
	assert_int_equal(len, 10);
	assert_string_equal(data, "0123456789");
	free(take_ptr(data));
	assert_int_equal(fd_read_file(dir_fd, "text", 9, &data, &len), -EFBIG);
	assert_int_equal(fd_read_file(dir_fd, "text", 0, &data, &len), -EFBIG);
	assert_null(data);
	assert_int_equal(fd_read_file(dir_fd, "absent", 9, &data, &len), -ENOENT);

	make_file("empty", "");
	assert_int_equal(fd_read_file(dir_fd, "empty", 0, &data, NULL), 0);
	assert_string_equal(data, "");
}

static void test_read_large(void **state)
{
	enum { SIZE = 300000 };
	cleanup_free char *data = NULL, *made = malloc(SIZE + 1);
	size_t len = 0;

	(void)state;
	memset(made, 'a', SIZE);
	made[SIZE] = '\0';
	make_file("large", made);
	assert_int_equal(fd_read_file(dir_fd, "large", SIZE, &data, &len), 0);
	assert_int_equal(len, SIZE);
	assert_memory_equal(data, made, SIZE + 1);
	free(take_ptr(data));
	assert_int_equal(fd_read_file(dir_fd, "large", SIZE - 1, &data, &len), -EFBIG);
}

static void test_read_special(void **state)
{
	cleanup_free char *data = NULL;

	(void)state;
	assert_int_equal(mkfifoat(dir_fd, "fifo", 0600), 0);
	assert_int_equal(fd_read_file(dir_fd, "fifo", 100, &data, NULL), -EINVAL);
	assert_int_equal(fd_read_file(AT_FDCWD, "/dev/zero", 100, &data, NULL), -EINVAL);
	assert_int_equal(fd_read_file(AT_FDCWD, dir_path, 100, &data, NULL), -EINVAL);
	assert_null(data);
	assert_int_equal(fd_read_file(AT_FDCWD, "/proc/self/status", 100000, &data, NULL), 0);
	assert_non_null(strstr(data, "Pid:"));
}

static void test_read_pipe(void **state)
{
	cleanup_free char *data = NULL;
	size_t len = 0;
	int ends[2];

	(void)state;
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	assert_int_equal(fd_write_all(ends[1], "a\0b", 3), 0);
	close(ends[1]);
	assert_int_equal(fd_read_all(ends[0], 100, &data, &len), 0);
	close(ends[0]);
	assert_int_equal(len, 3);
	assert_memory_equal(data, "a\0b", 4);
}

static void test_write_file(void **state)
{
	cleanup_free char *data = NULL;

	(void)state;
	make_file("knob", "old value");
	assert_int_equal(fd_write_file(dir_fd, "knob", "new"), 0);
	assert_int_equal(fd_read_file(dir_fd, "knob", 100, &data, NULL), 0);
	/* Not truncated: these are control files, not documents. */
	assert_string_equal(data, "new value");
	assert_int_equal(fd_write_file(dir_fd, "no-knob", "1"), -ENOENT);
	assert_int_equal(faccessat(dir_fd, "no-knob", F_OK, 0), -1);
	assert_int_equal(fd_write_file(AT_FDCWD, "/dev/full", "1"), -ENOSPC);
}

static int count_entries(void)
{
	DIR *dir = opendir(dir_path);
	int count = 0;

	while (readdir(dir))
		count++;
	closedir(dir);
	return count;
}

static void test_replace_file(void **state)
{
	cleanup_free char *data = NULL, *path = NULL;
	struct stat st;
	mode_t mask;
	int before;

	(void)state;
	make_file("record", "old");
	before = count_entries();
	mask = umask(077);
	assert_int_equal(fd_replace_file(dir_fd, "record", "new content", 11, 0644), 0);
	umask(mask);
	assert_int_equal(count_entries(), before);
	assert_int_equal(fd_read_file(dir_fd, "record", 100, &data, NULL), 0);
	assert_string_equal(data, "new content");
	assert_int_equal(fstatat(dir_fd, "record", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0644);

	assert_true(asprintf(&path, "%s/by-path", dir_path) > 0);
	assert_int_equal(fd_replace_file(AT_FDCWD, path, "x", 1, 0600), 0);
	assert_int_equal(fstatat(dir_fd, "by-path", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
}

static void test_replace_file_fails(void **state)
{
	int before;

	(void)state;
	assert_int_equal(mkdirat(dir_fd, "folder", 0700), 0);
	before = count_entries();
	assert_int_equal(fd_replace_file(dir_fd, "folder", "x", 1, 0600), -EISDIR);
	assert_int_equal(fd_replace_file(dir_fd, "", "x", 1, 0600), -EINVAL);
	assert_int_equal(fd_replace_file(dir_fd, "folder/", "x", 1, 0600), -EINVAL);
	assert_int_equal(fd_replace_file(dir_fd, "absent/file", "x", 1, 0600), -ENOENT);
	assert_int_equal(count_entries(), before);
}

static void test_replace_link(void **state)
{
	cleanup_free char *data = NULL;

	(void)state;
	/* A symlink is replaced, its target is left alone. */
	make_file("target", "kept");
	assert_int_equal(symlinkat("target", dir_fd, "link"), 0);
	assert_int_equal(fd_replace_file(dir_fd, "link", "new", 3, 0600), 0);
	assert_int_equal(fd_read_file(dir_fd, "target", 100, &data, NULL), 0);
	assert_string_equal(data, "kept");
}

static void test_is_file(void **state)
{
	char path[sizeof(dir_path) + 16];
	cleanup_close int fd = -1;

	(void)state;
	make_file("one", "same");
	make_file("other", "same");
	assert_int_equal(symlinkat("one", dir_fd, "to-one"), 0);
	snprintf(path, sizeof(path), "%s/one", dir_path);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_int_equal(fd_is_file(fd, path), 1);
	snprintf(path, sizeof(path), "%s/to-one", dir_path);
	assert_int_equal(fd_is_file(fd, path), 1);
	snprintf(path, sizeof(path), "%s/other", dir_path);
	assert_int_equal(fd_is_file(fd, path), 0);
	assert_int_equal(fd_is_file(-1, path), -EBADF);
	snprintf(path, sizeof(path), "%s/absent", dir_path);
	assert_int_equal(fd_is_file(fd, path), -ENOENT);
}

static void test_guard_stdio(void **state)
{
	int status = 0;
	pid_t pid;

	(void)state;
	pid = fork();
	if (pid == 0) {
		struct stat st;
		int fd;

		for (fd = 0; fd < 3; fd++)
			close(fd);
		if (fd_guard_stdio() != 0)
			_exit(1);
		for (fd = 0; fd < 3; fd++)
			if (fstat(fd, &st) < 0 || !S_ISCHR(st.st_mode) || fcntl(fd, F_GETFD) != 0)
				_exit(2);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(fd_guard_stdio(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_close_keeps_errno), cmocka_unit_test(test_read_file),
		cmocka_unit_test(test_read_large),	  cmocka_unit_test(test_read_special),
		cmocka_unit_test(test_read_pipe),	  cmocka_unit_test(test_write_file),
		cmocka_unit_test(test_replace_file),	  cmocka_unit_test(test_replace_file_fails),
		cmocka_unit_test(test_replace_link),	  cmocka_unit_test(test_guard_stdio),
		cmocka_unit_test(test_is_file),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}

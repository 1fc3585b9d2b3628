/* test_input.c - documents from files, pipes and standard input: size, time, and what is refused. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/input.h"
#include "base/mem.h"

#define LONG_TEXT 100000u

static void name_of(int fd, char *name, size_t size)
{
	snprintf(name, size, "/dev/fd/%d", fd);
}

/* A process that waits, opens what it is to write to, and writes text of that length in two pieces. */
static pid_t start_writer(const char *path, size_t len, unsigned int wait_ms)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		char *text = calloc(1, len + 1);
		int fd;

		usleep(wait_ms * 1000);
		fd = open(path, O_WRONLY | O_CLOEXEC);
		if (!text || fd < 0)
			_exit(1);
		memset(text, 'x', len);
		if (fd_write_all(fd, text, len / 2) < 0)
			_exit(2);
		usleep(10000);
		_exit(fd_write_all(fd, text + len / 2, len - len / 2) < 0 ? 3 : 0);
	}
	return pid;
}

static void assert_writer_ended(pid_t pid)
{
	int status = -1;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void test_fifo_whose_writer_comes_late(void **state)
{
	char dir[] = "/tmp/mxcrun-test-input-XXXXXX", path[64];
	cleanup_free char *data = NULL;
	size_t len = 0;
	pid_t writer;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/fifo", dir);
	assert_int_equal(mkfifo(path, 0600), 0);

	writer = start_writer(path, LONG_TEXT, 50);
	assert_int_equal(input_read(path, LONG_TEXT, 20000, &data, &len), 0);
	assert_int_equal(len, LONG_TEXT);
	assert_int_equal(strlen(data), LONG_TEXT);
	assert_writer_ended(writer);

	/* nobody comes */
	assert_int_equal(input_read(path, 10, 30, &data, &len), -ETIMEDOUT);
	unlink(path);

	assert_int_equal(input_read(path, 10, 30, &data, &len), -ENOENT);
	assert_int_equal(input_read(dir, 10, 30, &data, &len), -EISDIR);
	assert_int_equal(input_read("/dev/zero", 10, 30, &data, &len), -EINVAL);
	rmdir(dir);
}

static void test_pipe(void **state)
{
	cleanup_free char *data = NULL;
	char name[32];
	size_t len = 0;
	int ends[2];

	(void)state;
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	name_of(ends[0], name, sizeof(name));
	assert_int_equal(fd_write_all(ends[1], "abc", 3), 0);
	assert_int_equal(input_read(name, 10, 30, &data, &len), -ETIMEDOUT); /* the writer is still there */

	assert_int_equal(fd_write_all(ends[1], "0123456789", 10), 0);
	assert_int_equal(input_read(name, 9, 20000, &data, &len), -EFBIG);

	assert_int_equal(fd_write_all(ends[1], "last", 4), 0);
	close(ends[1]);
	assert_int_equal(input_read(name, 10, 20000, &data, &len), 0);
	assert_string_equal(data, "last");
	assert_int_equal(len, 4);
	free(take_ptr(data));

	/* at its end, and no writer */
	assert_int_equal(input_read(name, 10, 20000, &data, &len), 0);
	assert_string_equal(data, "");
	close(ends[0]);
}

static void test_stdin(void **state)
{
	cleanup_close int saved = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
	cleanup_free char *data = NULL;
	int ends[2], flags;
	size_t len = 0;

	(void)state;
	assert_true(saved >= 0);
	assert_true(input_is_stdin("-"));
	assert_false(input_is_stdin("./-"));
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	assert_int_equal(fd_write_all(ends[1], "text", 4), 0);
	close(ends[1]);
	assert_int_equal(dup2(ends[0], STDIN_FILENO), STDIN_FILENO);
	flags = fcntl(STDIN_FILENO, F_GETFL);
	assert_int_equal(input_read("-", 4, -1, &data, &len), 0);
	assert_string_equal(data, "text");
	assert_int_equal(fcntl(STDIN_FILENO, F_GETFL), flags);
	assert_int_equal(dup2(saved, STDIN_FILENO), STDIN_FILENO);
	close(ends[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fifo_whose_writer_comes_late),
		cmocka_unit_test(test_pipe),
		cmocka_unit_test(test_stdin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

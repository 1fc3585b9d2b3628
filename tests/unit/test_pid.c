/* test_pid.c - start times and pidfds, also of processes with hostile names. */
#include "unit.h"

#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/pid.h"
#include "base/sys.h"

/* A child with the given name, which waits to be killed. */
static pid_t start_child(const char *name)
{
	int ready[2];
	char c;
	pid_t pid;

	assert_int_equal(pipe(ready), 0);
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		prctl(PR_SET_NAME, name);
		if (write(ready[1], "x", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	assert_true(pid > 0);
	assert_int_equal(read(ready[0], &c, 1), 1);
	close(ready[0]);
	close(ready[1]);
	return pid;
}

static void end_child(pid_t pid)
{
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

/* pidfd_open(2) is younger than some valgrinds. */
static void skip_without_pidfds(void)
{
	cleanup_close int pidfd = sys_pidfd_open(getpid(), 0);

	if (pidfd < 0 && errno == ENOSYS)
		skip_under_valgrind();
}

static void test_hostile_names(void **state)
{
	static const char *const names[] = { "plain",	  "a) R 1 2 3", ")))",
					     "x) S\n9 9", "((",		" ) Z 0" };
	uint64_t own, ticks;
	size_t i;

	(void)state;
	assert_int_equal(pid_start_time(getpid(), &own, NULL), 0);
	assert_true(own > 0);
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		pid_t pid = start_child(names[i]);
		char letter = 0;

		assert_int_equal(pid_start_time(pid, &ticks, &letter), 0);
		assert_true(ticks >= own && ticks < own + 100000);
		assert_true(letter == 'S' || letter == 'R');
		end_child(pid);
	}
}

static void test_gone(void **state)
{
	uint64_t ticks;
	pid_t pid;

	(void)state;
	skip_without_pidfds();
	pid = start_child("gone");
	assert_int_equal(pid_start_time(pid, &ticks, NULL), 0);
	end_child(pid);
	assert_int_equal(pid_start_time(pid, &ticks, NULL), -ESRCH);
	assert_int_equal(pid_open_verified(pid, ticks), -ESRCH);
	assert_int_equal(pid_start_time(0, &ticks, NULL), -ESRCH);
	assert_int_equal(pid_start_time(-1, &ticks, NULL), -ESRCH);
	assert_int_equal(pid_open_verified(0, ticks), -ESRCH);
	assert_int_equal(pid_open_verified(-5, ticks), -ESRCH);
}

static void test_zombie(void **state)
{
	cleanup_close int pidfd = -1;
	uint64_t ticks;
	char letter = 0;
	pid_t pid;

	(void)state;
	skip_without_pidfds();
	pid = start_child("zombie");
	assert_int_equal(pid_start_time(pid, &ticks, NULL), 0);
	pidfd = pid_open_verified(pid, ticks);
	assert_true(pidfd >= 0);
	assert_int_equal(pid_wait_end(pidfd, 0), -ETIMEDOUT);
	kill(pid, SIGKILL);
	assert_int_equal(pid_wait_end(pidfd, -1), 0);
	assert_int_equal(pid_start_time(pid, &ticks, &letter), 0);
	assert_int_equal(letter, 'Z');
	end_child(pid);
	assert_int_equal(pid_wait_end(pidfd, 0), 0);
}

static void test_other_start_time(void **state)
{
	uint64_t ticks;

	(void)state;
	skip_without_pidfds();
	assert_int_equal(pid_start_time(getpid(), &ticks, NULL), 0);
	assert_int_equal(pid_open_verified(getpid(), ticks + 1), -ESRCH);
	assert_int_equal(pid_open_verified(getpid(), 0), -ESRCH);
}

static void on_alarm(int number)
{
	(void)number;
}

static void test_wait_timeout(void **state)
{
	struct sigaction action = { .sa_handler = on_alarm };
	cleanup_close int pidfd = -1;
	struct timespec before, after;
	uint64_t ticks;
	pid_t pid;
	long ms;

	(void)state;
	skip_without_pidfds();
	pid = start_child("slow");
	assert_int_equal(pid_start_time(pid, &ticks, NULL), 0);
	pidfd = pid_open_verified(pid, ticks);
	assert_int_equal(sigaction(SIGALRM, &action, NULL), 0);
	/* A signal in between must neither end the wait nor start its time anew. */
	ualarm(20000, 20000);
	clock_gettime(CLOCK_MONOTONIC, &before);
	assert_int_equal(pid_wait_end(pidfd, 150), -ETIMEDOUT);
	clock_gettime(CLOCK_MONOTONIC, &after);
	ualarm(0, 0);
	ms = (after.tv_sec - before.tv_sec) * 1000 + (after.tv_nsec - before.tv_nsec) / 1000000;
	assert_true(ms >= 140 && ms < 5000);
	end_child(pid);
	assert_int_equal(pid_wait_end(12345, 0), -EBADF);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hostile_names), cmocka_unit_test(test_gone),
		cmocka_unit_test(test_zombie),	      cmocka_unit_test(test_other_start_time),
		cmocka_unit_test(test_wait_timeout),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

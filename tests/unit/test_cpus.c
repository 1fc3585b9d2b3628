/* test_cpus.c - a process is moved, and may run afterwards on what it might before. */
#include "unit.h"

#include <signal.h>
#include <sys/wait.h>

#include "base/cpus.h"

static pid_t start_sleeper(void)
{
	pid_t pid = fork();

	if (pid == 0)
		for (;;)
			pause();
	assert_true(pid > 0);
	return pid;
}

static void assert_cpus(pid_t pid, const cpu_set_t *expected)
{
	cpu_set_t found;

	assert_int_equal(sched_getaffinity(pid, sizeof(found), &found), 0);
	assert_true(CPU_EQUAL(&found, expected));
}

/* Of one that nobody has pinned, and of one that was. */
static void moved_without_a_trace(void **state)
{
	pid_t pid = start_sleeper();
	cpu_set_t own, all;

	(void)state;
	assert_int_equal(sched_getaffinity(pid, sizeof(all), &all), 0);
	assert_true(cpus_own(&own));
	assert_int_equal(CPU_COUNT(&own), 1);
	for (int turn = 0; turn < 2; turn++) {
		const cpu_set_t expected = turn == 0 ? all : own;

		cpus_move_beside(pid);
		assert_cpus(pid, &expected);
		assert_int_equal(sched_setaffinity(pid, sizeof(own), &own), 0);
	}
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(moved_without_a_trace),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

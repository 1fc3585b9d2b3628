/* measure.c - wall time and peak memory of commands that do the same, taken in turns.
 *
 *     measure [-p N] ROUNDS -- NAME COMMAND... [; COMMAND...] -- NAME ...
 *
 * Each round runs every alternative once, beginning with another one each time, so that a busy moment hits all
 * alike. The commands of one alternative, separated by ";", are one sample. "{}" in a word becomes a number that no
 * other sample has; a word "3<FILE" opens that file as descriptor 3. -p N starts N samples at once and waits for all. A line
 * an alternative: name, least, median and upper quartile in microseconds, peak memory of a process in KiB, failures.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

struct alternative {
	char *name;
	char **words;	/* NULL-terminated, with ";" between commands */
	double *samples;
	int count, failures;
	long peak_kib;
};

static double now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static char *fill(const char *word, int number)
{
	const char *place = strstr(word, "{}");
	char *text;

	if (!place || asprintf(&text, "%.*s%d%s", (int)(place - word), word, number, place + 2) < 0)
		text = strdup(word);
	return text;
}

/* "3<FILE" */
static bool is_redirection(posix_spawn_file_actions_t *actions, const char *word)
{
	char *file;
	long fd = strtol(word, &file, 10);

	if (file == word || *file != '<')
		return false;
	posix_spawn_file_actions_addopen(actions, (int)fd, file + 1, O_RDONLY, 0);
	return true;
}

/* Start the command that begins at words; *ret_next is behind it, NULL at the end. */
static pid_t start(char **words, int number, char ***ret_next)
{
	posix_spawn_file_actions_t actions;
	char *argv[256];
	int count = 0;
	pid_t pid = -1;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
	for (; *words && strcmp(*words, ";") && count < 255; words++)
		if (!is_redirection(&actions, *words))
			argv[count++] = fill(*words, number);
	argv[count] = NULL;
	*ret_next = *words ? words + 1 : NULL;
	if (posix_spawnp(&pid, argv[0], &actions, NULL, argv, environ) != 0)
		pid = -1;
	while (count > 0)
		free(argv[--count]);
	posix_spawn_file_actions_destroy(&actions);
	return pid;
}

static int finish(struct alternative *a, pid_t pid)
{
	struct rusage usage;
	int status = -1;

	if (pid < 0 || wait4(pid, &status, 0, &usage) < 0)
		return -1;
	if (usage.ru_maxrss > a->peak_kib)
		a->peak_kib = usage.ru_maxrss;
	return status == 0 ? 0 : -1;
}

static void take_sample(struct alternative *a, int parallel, int *number)
{
	double begin = now_us();
	int failed = 0;

	if (parallel > 1) {
		pid_t *pids = calloc((size_t)parallel, sizeof(*pids));
		char **next;

		for (int i = 0; i < parallel; i++)
			pids[i] = start(a->words, (*number)++, &next);
		for (int i = 0; i < parallel; i++)
			failed |= finish(a, pids[i]) < 0;
		free(pids);
	} else {
		for (char **at = a->words; at;)
			failed |= finish(a, start(at, *number, &at)) < 0;
		(*number)++;
	}
	if (failed)
		a->failures++;
	else
		a->samples[a->count++] = now_us() - begin;
}

int main(int argc, char **argv)
{
	struct alternative alternatives[16] = { 0 };
	int count = 0, parallel = 1, rounds, number = 1, at = 1;

	if (argc > 3 && !strcmp(argv[1], "-p")) {
		parallel = atoi(argv[2]);
		at = 3;
	}
	rounds = argc > at ? atoi(argv[at++]) : 0;
	for (; at < argc && count < 16; at++) {
		if (!strcmp(argv[at], "--")) {
			argv[at] = NULL;
			alternatives[count].name = argv[at + 1];
			alternatives[count].words = argv + at + 2;
			alternatives[count++].samples = calloc((size_t)rounds + 1, sizeof(double));
		}
	}
	if (rounds <= 0 || count == 0) {
		fprintf(stderr, "usage: measure [-p N] ROUNDS -- NAME COMMAND... [; COMMAND...] -- NAME ...\n");
		return 2;
	}
	for (int round = 0; round < rounds; round++)
		for (int i = 0; i < count; i++)
			take_sample(&alternatives[(i + round) % count], parallel, &number);
	for (int i = 0; i < count; i++) {
		struct alternative *a = &alternatives[i];

		qsort(a->samples, (size_t)a->count, sizeof(double), compare);
		printf("%s %.0f %.0f %.0f %ld %d\n", a->name, a->count ? a->samples[0] : 0,
		       a->count ? a->samples[a->count / 2] : 0, a->count ? a->samples[a->count * 3 / 4] : 0, a->peak_kib,
		       a->failures);
	}
	return 0;
}

/* ps.c - `mxcrun ps`: the processes of a container, as numbers or as lines of the host's ps(1). */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/strbuf.h"
#include "program.h"

enum ps_format { PS_TABLE, PS_JSON };
static const char *const ps_format_words[] = { [PS_TABLE] = "table", [PS_JSON] = "json", NULL };

struct pids {
	pid_t *items;
	size_t count;
};

static int print_json(const struct pids *pids, struct err **err)
{
	cleanup_json_writer struct json_writer w = JSON_WRITER_INIT;

	json_open(&w, NULL, '[');
	for (size_t i = 0; i < pids->count; i++)
		json_put_i64(&w, NULL, pids->items[i]);
	json_close(&w, ']');
	return output_json(&w, err);
}

/* Column of the word PID in the heading, or -1. */
static int find_column(const char *heading)
{
	int column = 0;

	for (const char *at = heading; *(at += strspn(at, " \t\n")); at += strcspn(at, " \t\n"), column++)
		if (!strncmp(at, "PID", strcspn(at, " \t\n")))
			return column;
	return -1;
}

static bool is_wanted(const char *line, int column, const struct pids *pids)
{
	const char *at = line + strspn(line, " \t");
	long number;

	for (; column > 0; column--) {
		at += strcspn(at, " \t\n");
		at += strspn(at, " \t");
	}
	number = strtol(at, NULL, 10);
	for (size_t i = 0; i < pids->count; i++)
		if (pids->items[i] == number)
			return true;
	return false;
}

static int filter(FILE *in, const struct pids *pids, struct err **err)
{
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	cleanup_free char *line = NULL;
	size_t size = 0;
	int column;

	if (getline(&line, &size, in) < 0)
		return err_set(err, E_HOST, 0, NULL, "ps printed nothing");
	column = find_column(line);
	if (column < 0)
		return err_set(err, E_USAGE, 0, NULL, "the columns of ps do not contain PID");
	do
		if (out.len == 0 || is_wanted(line, column, pids))
			strbuf_puts(&out, line);
	while (getline(&line, &size, in) >= 0);
	return output_text(strbuf_str(&out), err);
}

static void become_ps(int out_fd, char **options)
{
	if (dup2(out_fd, STDOUT_FILENO) >= 0)
		execvp("ps", options);
	_exit(127);
}

/* options[0] is "ps". */
static int print_table(const struct pids *pids, char **options, struct err **err)
{
	int ends[2], status = 0, r;
	FILE *in;
	pid_t child;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_sys(err, E_HOST, errno, "pipe2", "ps", NULL);
	child = fork();
	if (child == 0)
		become_ps(ends[1], options);
	close(ends[1]);
	in = child > 0 ? fdopen(ends[0], "r") : NULL;
	r = in ? filter(in, pids, err) : err_sys(err, E_HOST, errno, "start", "ps", NULL);
	if (in)
		fclose(in);
	else
		close(ends[0]);
	if (child > 0)
		(void)waitpid(child, &status, 0);
	if (r == 0 && status != 0)
		r = err_set(err, E_HOST, 0, NULL, "ps failed");
	return r;
}

static int show(struct program *program, int format, const struct arguments *arguments, struct err **err)
{
	static char name[] = "ps", every[] = "-ef";
	char *defaults[] = { name, every, NULL };
	char **options = defaults;
	struct lifecycle lc;
	struct pids pids = { 0 };
	int r = program_lifecycle(program, STORE_READ, &lc, err);

	if (r == 0)
		r = lifecycle_pids(&lc, arguments->items[0], &pids.items, &pids.count, err);
	if (r < 0)
		return r;
	if (arguments->count > 1) {
		options = arguments->items;
		options[0] = name; /* in the id's place */
	}
	r = format == PS_JSON ? print_json(&pids, err) : print_table(&pids, options, err);
	free(pids.items);
	return r;
}

int command_ps(struct program *program, int argc, char **argv)
{
	cleanup_err struct err *err = NULL;
	struct arguments arguments;
	int exit_code, format = PS_TABLE;
	const struct option_row rows[] = {
		{ "format", 'f', OPT_WORD, &format, ps_format_words, "table|json", "lines of ps, or numbers" },
		{ 0 },
	};
	const struct command_usage usage = {
		.name = "ps",
		.arguments = "ID [options of ps...]",
		.options = rows,
		.least = 1,
		.most = INT32_MAX,
		.order = OPTIONS_FIRST,
		.summary = "List the processes of a container",
	};

	if (!program_arguments(program, &usage, argc, argv, &arguments, &exit_code))
		return exit_code;
	if (show(program, format, &arguments, &err) < 0)
		return program_fail(program, err);
	return 0;
}

/* kill.c - `mxcrun kill`. */

#include "program.h"

#include <errno.h>
#include <string.h>

#include "base/strbuf.h"

/* The number, or -EINVAL. */
static int read_signal(const char *text, struct err **err)
{
	cleanup_strbuf struct strbuf shown = STRBUF_INIT;
	int number = signal_parse(text);

	if (number >= 0)
		return number;
	strbuf_put_escaped(&shown, text, strlen(text), 64);
	err_set(err, E_USAGE, 0, NULL, "unknown signal \"%s\"", strbuf_str(&shown));
	err_hint(err, "a name such as TERM, or a number such as 15");
	return -EINVAL;
}

struct killing {
	int signal;
	bool all;
};

static int kill_one(const struct lifecycle *lc, const char *id, void *data, struct err **err)
{
	const struct killing *killing = data;

	return lifecycle_kill(lc, id, killing->signal, killing->all, err);
}

int command_kill(struct program *program, int argc, char **argv)
{
	cleanup_err struct err *err = NULL;
	struct arguments arguments;
	struct lifecycle lc;
	struct killing killing = { 0 };
	bool is_regex = false;
	int exit_code;
	const struct option_row rows[] = {
		{ "all", 'a', OPT_FLAG, &killing.all, NULL, NULL, "signal every process of the container" },
		{ "regex", 'r', OPT_FLAG, &is_regex, NULL, NULL, "ID is a regular expression: all that it matches" },
		{ 0 },
	};
	const struct command_usage usage = {
		.name = "kill",
		.arguments = "ID [SIGNAL]",
		.options = rows,
		.least = 1,
		.most = 2,
		.summary = "Send a signal (default: TERM) to a container's first process",
	};

	if (!program_arguments(program, &usage, argc, argv, &arguments, &exit_code))
		return exit_code;
	killing.signal = read_signal(arguments.count > 1 ? arguments.items[1] : "TERM", &err);
	if (killing.signal < 0 || program_lifecycle(program, STORE_READ, &lc, &err) < 0)
		return program_fail(program, err);
	if (is_regex)
		return program_on_matching(program, &lc, arguments.items[0], kill_one, &killing);
	return kill_one(&lc, arguments.items[0], &killing, &err) < 0 ? program_fail(program, err) : 0;
}

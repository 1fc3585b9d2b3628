/* kill.c - `mxcrun kill`. */

#include "program.h"

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
	return err_set(err, E_USAGE, 0, NULL, "unknown signal \"%s\"", strbuf_str(&shown));
}

int command_kill(struct program *program, int argc, char **argv)
{
	cleanup_err struct err *err = NULL;
	struct arguments arguments;
	struct lifecycle lc;
	bool all = false;
	int exit_code, number;
	const struct option_row rows[] = {
		{ "all", 'a', OPT_FLAG, &all, NULL, NULL, "signal every process of the container" },
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
	number = read_signal(arguments.count > 1 ? arguments.items[1] : "TERM", &err);
	if (number < 0 || program_lifecycle(program, STORE_READ, &lc, &err) < 0 ||
	    lifecycle_kill(&lc, arguments.items[0], number, all, &err) < 0)
		return program_fail(program, err);
	return 0;
}

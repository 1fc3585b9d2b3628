/* events.c - `mxcrun events`: one JSON object a line, as runc's. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "program.h"

#define INTERVAL_DEFAULT "5s"
#define INTERVAL_MAX_MS 86400000

/* "500ms", "5s", "1.5m", "1h", or several of them in a row, as Go writes durations. */
static int parse_interval(const char *text, int *ret_ms, struct err **err)
{
	static const struct { const char *unit; double ms; } rows[] = {
		{ "ms", 1 }, { "s", 1000 }, { "m", 60000 }, { "h", 3600000 },
	};
	const char *at = text;
	double total = 0;

	while (*at >= '0' && *at <= '9') {
		char *end;
		double number = strtod(at, &end);
		size_t i = 0, len = strspn(end, "msh");

		while (i < array_size(rows) && (strlen(rows[i].unit) != len || memcmp(rows[i].unit, end, len) != 0))
			i++;
		if (i == array_size(rows))
			break;
		total += number * rows[i].ms;
		at = end + len;
	}
	if (*at || !*text || total < 1 || total > INTERVAL_MAX_MS)
		return err_set(err, E_USAGE, 0, NULL,
			       "--interval: expected a duration from 1ms to 24h such as \"5s\", found \"%.32s\"", text);
	*ret_ms = (int)total;
	return 0;
}

static int print_event(void *data, const char *event, struct err **err)
{
	(void)data;
	if (printf("%s\n", event) < 0 || fflush(stdout) != 0)
		return err_sys(err, E_INTERNAL, errno, "write", "standard output", NULL);
	return 0;
}

int command_events(struct program *program, int argc, char **argv)
{
	cleanup_err struct err *err = NULL;
	const char *interval = INTERVAL_DEFAULT;
	struct arguments arguments;
	struct lifecycle lc;
	bool once = false, network = false;
	int exit_code, interval_ms = 0, r;
	const struct option_row rows[] = {
		{ "interval", '\0', OPT_STRING, &interval, NULL, "TIME", "between two reports (default: 5s)" },
		{ "stats", '\0', OPT_FLAG, &once, NULL, NULL, "report once" },
		{ "network", '\0', OPT_FLAG, &network, NULL, NULL, "report once what the network policy let through and refused" },
		{ 0 },
	};
	const struct command_usage usage = {
		.name = "events",
		.arguments = "ID",
		.options = rows,
		.least = 1,
		.most = 1,
		.summary = "Report what a container uses, and its out-of-memory kills",
	};

	if (!program_arguments(program, &usage, argc, argv, &arguments, &exit_code))
		return exit_code;
	r = parse_interval(interval, &interval_ms, &err);
	if (r == 0)
		r = program_lifecycle(program, STORE_READ, &lc, &err);
	if (r == 0 && network)
		r = lifecycle_network_events(&lc, arguments.items[0], print_event, NULL, &err);
	else if (r == 0)
		r = lifecycle_events(&lc, arguments.items[0], once ? 0 : interval_ms, print_event, NULL, &err);
	return r < 0 ? program_fail(program, err) : 0;
}

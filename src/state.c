/* state.c - `mxcrun state`: the OCI state object, with runc's additions. */

#include "program.h"

static int print_state(const struct container *container, struct err **err)
{
	cleanup_json_writer struct json_writer w = JSON_WRITER_INIT;

	json_open(&w, NULL, '{');
	state_put(&w, &container->record, container_status_name(container->status), container->pid,
		  STATE_FOR_USER);
	json_put_string(&w, "owner", "");
	json_close(&w, '}');
	return output_json(&w, err);
}

static int show(const struct lifecycle *lc, const char *id, struct err **err)
{
	cleanup_container struct container container = CONTAINER_INIT;
	int r = container_open(lc, id, STORE_UNLOCKED, &container, err);

	return r < 0 ? r : print_state(&container, err);
}

int command_state(struct program *program, int argc, char **argv)
{
	const struct option_row rows[] = { { 0 } };
	const struct command_usage usage = {
		.name = "state",
		.arguments = "ID",
		.options = rows,
		.least = 1,
		.most = 1,
		.summary = "Print the state of a container as JSON",
	};

	return program_on_container(program, &usage, argc, argv, show);
}

/* gc.c - `mxcrun gc`: one line for each thing that was reclaimed or has to wait. */

#include "program.h"

#include <stdio.h>

#include "base/strbuf.h"
#include "lifecycle/images.h"

static void report(void *data, const char *id, const struct err *reason)
{
	cleanup_strbuf struct strbuf line = STRBUF_INIT;
	cleanup_free char *text = reason ? err_format(reason) : NULL;
	struct err **err = data;

	if (reason)
		strbuf_printf(&line, "deferred %s: %s\n", id, text ? text : "out of memory");
	else
		strbuf_printf(&line, "reclaimed %s\n", id);
	/* The work goes on also when nobody wants to hear of it. */
	output_text(strbuf_str(&line), *err ? NULL : err);
}

static int sweep_images(struct program *program, struct err **err)
{
	bool is_swept = false;
	int r = program_facts(program, err);

	if (r == 0)
		r = images_sweep(program->arena, &program->facts, &is_swept, err);
	return r == 0 && is_swept ? output_text("reclaimed an unfinished image\n", err) : r;
}

int command_gc(struct program *program, int argc, char **argv)
{
	cleanup_err struct err *err = NULL, *unheard = NULL;
	struct arguments arguments;
	struct lifecycle lc;
	int exit_code, deferred;
	const struct option_row rows[] = { { 0 } };
	const struct command_usage usage = {
		.name = "gc",
		.options = rows,
		.summary = "Reclaim unfinished containers and sandboxes that nobody supervises",
	};

	if (!program_arguments(program, &usage, argc, argv, &arguments, &exit_code))
		return exit_code;
	if (program_lifecycle(program, STORE_READ, &lc, &err) < 0)
		return program_fail(program, err);
	if (sweep_images(program, &err) < 0)
		return program_fail(program, err);
	deferred = lifecycle_gc(&lc, report, &unheard, &err);
	if (deferred < 0)
		return program_fail(program, err);
	if (unheard)
		return program_fail(program, unheard);
	return deferred > 0 ? EXIT_CODE_FAILURE : 0;
}

/* program.c - see program.h. */

#include "program.h"

#include <errno.h>
#include <limits.h>

#include "base/fd.h"
#include "base/strbuf.h"

static int print_usage(const struct program *program, const struct command_usage *usage)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	strbuf_printf(&text, "Usage: mxcrun %s [options]%s%s\n\n%s.\n\nOptions:\n", usage->name,
		      usage->arguments ? " " : "", usage->arguments ? usage->arguments : "",
		      usage->summary);
	options_describe(usage->options, &text);
	strbuf_puts(&text, "  --help, -h                         show this text\n");
	return program_print(program, strbuf_str(&text));
}

static int check_count(const struct command_usage *usage, const struct arguments *arguments,
		       struct err **err)
{
	int r = 0;

	if (arguments->count < usage->least)
		r = err_set(err, E_USAGE, 0, NULL, "\"%s\" needs an argument: %s", usage->name,
			    usage->arguments);
	else if (arguments->count > usage->most)
		r = err_set(err, E_USAGE, 0, NULL, "\"%s\" has an argument too many: \"%.64s\"", usage->name,
			    arguments->items[usage->most]);
	if (r < 0)
		err_hint(err, "see `mxcrun %s --help`", usage->name);
	return r;
}

bool program_arguments(struct program *program, const struct command_usage *usage, int argc,
		       char **argv, struct arguments *ret, int *ret_exit_code)
{
	cleanup_err struct err *err = NULL;
	int r = options_read(usage->options, usage->order, argc, argv, ret, &err);

	if (r < 0)
		err_hint(&err, "see `mxcrun %s --help`", usage->name);
	if (r == 0 && ret->wants_help) {
		*ret_exit_code = print_usage(program, usage);
		return false;
	}
	if (r == 0)
		r = check_count(usage, ret, &err);
	if (r == 0)
		return true;
	*ret_exit_code = program_fail(program, err);
	return false;
}

int program_facts(struct program *program, struct err **err)
{
	if (program->arena)
		return 0;
	program->arena = arena_new();
	if (!program->arena)
		return err_nomem(err);
	return facts_read_user(program->arena, &program->facts, err);
}

struct lifecycle program_store(struct program *program)
{
	return (struct lifecycle){
		.store = &program->store,
		.facts = &program->facts,
		.log = &program->log,
	};
}

int program_lifecycle(struct program *program, enum store_open_mode mode, struct lifecycle *ret,
		      struct err **err)
{
	int r = 0;

	/* Looking at a container needs to know the user only for the default place of the store. */
	if (mode == STORE_MAKE || !program->root)
		r = program_facts(program, err);
	if (r == 0)
		r = store_open(program->root, program->facts.is_privileged, mode, &program->store,
			       err);
	if (r == 0)
		*ret = program_store(program);
	return r;
}

int program_records(struct program *program, enum store_open_mode mode, struct plan_policy_request *request, char *path,
		    struct err **err)
{
	struct lifecycle lc;
	int r = program_lifecycle(program, mode, &lc, err);

	if (r < 0)
		return r;
	request->state = program->store.root_path;
	request->state_exists = program->store.root_fd >= 0;
	request->makes_folders = mode == STORE_MAKE;
	if (!request->state_exists)
		return 0;
	if (fd_name(program->store.root_fd, path, PATH_MAX) < 0)
		return err_set(err, E_RECORD, ENAMETOOLONG, NULL, "the place of the records, %.512s", request->state);
	request->state = path;
	return 0;
}

void program_choose_engine(struct program *program, int engine)
{
	if (engine >= 0)
		program->engine = engine_words[engine];
}

int program_fail(const struct program *program, const struct err *failure)
{
	output_error(&program->output, failure);
	return EXIT_CODE_FAILURE;
}

int program_print(const struct program *program, const char *text)
{
	cleanup_err struct err *err = NULL;

	return output_text(text, &err) < 0 ? program_fail(program, err) : 0;
}

int program_failure_code(const struct err *failure, int other)
{
	switch (err_root_code(failure)) {
	case E_EXEC_NOT_FOUND:
		return EXIT_CODE_NOT_FOUND;
	case E_EXEC:
		return EXIT_CODE_NOT_EXECUTABLE;
	default:
		return other;
	}
}

int program_on_container(struct program *program, const struct command_usage *usage, int argc,
			 char **argv,
			 int (*operation)(const struct lifecycle *lc, const char *id,
					  struct err **err))
{
	cleanup_err struct err *err = NULL;
	struct arguments arguments;
	struct lifecycle lc;
	int exit_code;

	if (!program_arguments(program, usage, argc, argv, &arguments, &exit_code))
		return exit_code;
	if (program_lifecycle(program, STORE_READ, &lc, &err) < 0 ||
	    operation(&lc, arguments.items[0], &err) < 0)
		return program_fail(program, err);
	return 0;
}

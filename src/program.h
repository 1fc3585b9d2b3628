/* program.h - what every command gets: the global options, the output, and, on demand, host and
 * store.
 *
 * A command is a file with one function: read its options, call the library, print. It returns the
 * exit code (docs/exit-codes.md). */
#ifndef MXCRUN_PROGRAM_H
#define MXCRUN_PROGRAM_H

#include <stdbool.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "config/engine_words.h"
#include "host/facts.h"
#include "lifecycle/lifecycle.h"
#include "options.h"
#include "plan/from_policy.h"
#include "output.h"

#define EXIT_CODE_FAILURE 1
#define EXIT_CODE_NOT_EXECUTABLE 126
#define EXIT_CODE_NOT_FOUND 127
#define EXIT_CODE_USAGE 2 /* of the mxc commands; others give 1, as runc does */

struct program {
	struct output output;
	struct log log;
	const char *root; /* --root; NULL: the default */
	const char *admin_config; /* --admin-config; NULL: the host's own */
	const char *criu; /* --criu; NULL: as it is found */
	const char *engine; /* --engine; NULL: what the configurations say */
	bool is_debug, wants_systemd_cgroup;
	int cgroup_manager, rootless; /* enum plan_cgroup_manager; the latter is only checked */
	struct arena *arena;	      /* of the facts */
	struct host_facts facts;
	struct store store;
};

/* --engine, among the global options and those of the commands that carry out a configuration; target: an int, -1. */
#define ENGINE_OPTION(target)                                                              \
	{ "engine", '\0', OPT_WORD, (target), engine_words, "native|bwrap|lxc",               \
	  "who carries it out (default: what the configuration says, or native)" }
void program_choose_engine(struct program *program, int engine);

/* How a command is called. */
struct command_usage {
	const char *name, *arguments, *summary;
	const struct option_row *options;
	int least, most; /* number of arguments that are not options */
	enum option_order order;
};

/* Read a command's line. False: there is nothing more to do but to exit with *ret_exit_code (help
 * was asked for, or the line is wrong). */
bool program_arguments(struct program *program, const struct command_usage *usage, int argc,
		       char **argv, struct arguments *ret, int *ret_exit_code);

/* Read the user part of the host facts, once. */
int program_facts(struct program *program, struct err **err);

/* Open the store and fill in what the library's operations want. */
int program_lifecycle(struct program *program, enum store_open_mode mode, struct lifecycle *ret,
		      struct err **err);

/* What the library's operations want; the store is open. */
struct lifecycle program_store(struct program *program);

/* For a policy: where the records are, canonical when they are to be made, or would be. path has room for PATH_MAX bytes. */
int program_records(struct program *program, enum store_open_mode mode, struct plan_policy_request *request, char *path,
		    struct err **err);

/* Print the error. Returns EXIT_CODE_FAILURE. */
int program_fail(const struct program *program, const struct err *failure);

/* As a shell tells a program that is absent, or can't be executed, from one that ran; else other. */
int program_failure_code(const struct err *failure, int other);

/* The commands that do one thing to one container. */
int program_on_container(struct program *program, const struct command_usage *usage, int argc,
			 char **argv,
			 int (*operation)(const struct lifecycle *lc, const char *id,
					  struct err **err));

/* Print what was asked for. Returns the exit code: that nobody could read it is a failure. */
int program_print(const struct program *program, const char *text);

/* Do it to each container whose id the extended regular expression matches. Failures are printed. Returns the exit code. */
int program_on_matching(struct program *program, const struct lifecycle *lc, const char *expression,
			int (*operation)(const struct lifecycle *lc, const char *id, void *data, struct err **err), void *data);

/* ---- the commands, each in the file of its name ---- */
int command_create(struct program *program, int argc, char **argv);
int command_delete(struct program *program, int argc, char **argv);
int command_emit(struct program *program, int argc, char **argv);
int command_doctor(struct program *program, int argc, char **argv);
int command_events(struct program *program, int argc, char **argv);
int command_checkpoint(struct program *program, int argc, char **argv);
int command_restore(struct program *program, int argc, char **argv);
int command_exec(struct program *program, int argc, char **argv);
int command_features(struct program *program, int argc, char **argv);
int command_gc(struct program *program, int argc, char **argv);
int command_image(struct program *program, int argc, char **argv);
int command_kill(struct program *program, int argc, char **argv);
int command_list(struct program *program, int argc, char **argv);
int command_mxc(struct program *program, int argc, char **argv);
int command_pause(struct program *program, int argc, char **argv);
int command_plan(struct program *program, int argc, char **argv);
int command_ps(struct program *program, int argc, char **argv);
int command_resume(struct program *program, int argc, char **argv);
int command_run(struct program *program, int argc, char **argv);
int command_spec(struct program *program, int argc, char **argv);
int command_start(struct program *program, int argc, char **argv);
int command_state(struct program *program, int argc, char **argv);
int command_update(struct program *program, int argc, char **argv);

/* `mxc run` under the name of MXC's own executor: the whole command line is the run's. */
int command_mxc_run(struct program *program, int argc, char **argv);
int command_mxc_validate(struct program *program, int argc, char **argv);
/* `mxc plan`, which is `plan --mxc`. */
int command_mxc_plan(struct program *program, int argc, char **argv);
/* `mxc emit`, which is `emit --mxc`. */
int command_mxc_emit(struct program *program, int argc, char **argv);

#endif

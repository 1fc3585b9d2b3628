/* mxc_run.c - `mxcrun mxc run`, also under the name lxc-exec.
 *
 * Exit codes and streams are a contract with MXC's clients: 2 for the command line; 1 with "Request
 * error" for a configuration that is wrong in itself; 255 with one line of JSON on stderr for a
 * policy that is refused, a set-up that failed and a timeout; else the workload's own code, and
 * nothing of ours on any stream.
 */

#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/sys.h"
#include "lifecycle/doctor.h"
#include "mxc_diagnostics.h"
#include "mxc_outcome.h"
#include "mxc_phase.h"
#include "mxc_source.h"
#include "program.h"

struct mxc_options {
	struct mxc_source source;
	const char *log_file, *report;
	const char *container_name;
	int engine;
	bool is_dry_run, is_debug, is_validation;
	bool lists_backends, deletes, sets_up_hyperlight, is_forced;
	bool allows_experimental; /* accepted; nothing here hangs on it */
	bool allows_testing;
};

static void say(const char *text)
{
	fd_write_all(STDERR_FILENO, text, strlen(text));
}

/* ---- failures ---- */

/* The configuration is at fault. */
static int fail_request(struct mxc_diagnostics *diagnostics, const struct err *failure)
{
	cleanup_free char *text = err_format(failure);

	say("Request error\n");
	mxc_diagnostics_line(diagnostics, "Configuration parse error: %s",
			     text ? text : "out of memory");
	if (!diagnostics->is_live)
		say(strbuf_str(&diagnostics->kept));
	return EXIT_CODE_FAILURE;
}

/* ---- the stages ---- */

static void describe_request(struct mxc_diagnostics *diagnostics, const struct mxc_config *config,
			     const char *id)
{
	const struct mxc_process *process = config->process;

	mxc_diagnostics_line(diagnostics, "Script code length: %zu", strlen(process->command_line));
	mxc_diagnostics_line(diagnostics, "Working directory: %s",
			     process->cwd ? process->cwd : "");
	mxc_diagnostics_line(diagnostics, "Script timeout: %ums", process->timeout.value);
	mxc_diagnostics_line(diagnostics, "Container name: %s", id);
}

static int run_sandbox(struct program *program, struct mxc_diagnostics *diagnostics, const struct prepared *prepared,
		       struct engine_child *waiting, const char *report, int *ret_exit_code, struct err **err)
{
	struct supervised end;
	int64_t before_ms = sys_monotonic_ms();
	const struct lifecycle lc = program_store(program);
	const struct sandbox_options options = { .waiting = waiting, .report = report };
	int r = lifecycle_sandbox(&lc, prepared, &options, &end, err);

	if (r == 0)
		r = mxc_outcome(&end, prepared->plan->lifecycle.timeout_ms, ret_exit_code, err);
	if (r < 0)
		return r;
	mxc_diagnostics_line(diagnostics, "Runner completed in %lldms", (long long)(sys_monotonic_ms() - before_ms));
	mxc_diagnostics_line(diagnostics, "Exit code: %d", *ret_exit_code);
	return 0;
}

/* `mxc validate`: the same without the run's contract about streams. */
static int finish_validation(const struct program *program, const struct mxc_options *options, const struct mxc_config *config)
{
	const struct mxc_source *source = &options->source;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	strbuf_printf(&text, "%s: valid, contract %s, and can be enforced on this host\n",
		      source->base64 ? "configuration" : source->config ? source->config : source->positional,
		      config->version ? config->version : "(none given)");
	return program_print(program, strbuf_str(&text));
}

/* Everything has been decided and checked; nothing was made. */
static int finish_dry_run(const struct program *program, struct mxc_diagnostics *diagnostics, const char *reason)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	if (!diagnostics->is_live)
		strbuf_puts(&text, strbuf_str(&diagnostics->kept));
	strbuf_printf(&text, "Dry run completed. Result: validation %s%s\n",
		      reason ? "failed: " : "passed", reason ? reason : "");
	return program_print(program, strbuf_str(&text));
}

/* Back ends that MXC calls experimental, in every reader that has their word (MXC.md 3.1). */
static bool is_experimental(const struct mxc_config *config)
{
	return config->containment == MXC_MICROVM || config->containment == MXC_HYPERLIGHT ||
	       (config->containment == MXC_WINDOWS_SANDBOX && (config->reader & MXC_READER_EXACT));
}

/* Of a back end that no Linux has the exact contracts say so before anything else (MXC-1.0.md 2.3).
 */
static bool is_gated(const struct mxc_config *config)
{
	return is_experimental(config) ||
	       ((config->reader & MXC_READER_EXACT) && config->containment > MXC_LXC);
}

static int fail_gate(struct mxc_diagnostics *diagnostics, const struct mxc_options *options,
		     const struct mxc_config *config)
{
	bool lacks_flag = is_experimental(config) && !options->allows_experimental;

	say("error: the '");
	say(mxc_containment_words[config->containment]);
	say(lacks_flag ? "' backend is experimental: it is an experimental feature, and not available on Linux\n"
		       : "' backend is not available on Linux: not compiled in\n");
	if (!diagnostics->is_live)
		say(strbuf_str(&diagnostics->kept));
	return EXIT_CODE_FAILURE;
}

static int fail_prepare(const struct program *program, struct mxc_diagnostics *diagnostics,
			const struct mxc_options *options, const struct mxc_config *config,
			const struct err *failure)
{
	cleanup_free char *reason = err_format(failure);

	if (is_gated(config))
		return fail_gate(diagnostics, options, config);
	if (options->is_dry_run && !options->is_validation)
		finish_dry_run(program, diagnostics, reason ? reason : "out of memory");
	return mxc_fail_backend(program, failure);
}

static int run_document(struct program *program, struct mxc_diagnostics *diagnostics,
			const struct mxc_options *options, const struct policy_document *document, struct engine_child *waiting)
{
	cleanup_prepared struct prepared prepared = PREPARED_INIT;
	cleanup_err struct err *err = NULL;
	char id[SANDBOX_ID_SIZE], state[PATH_MAX];
	struct plan_policy_request request = {
		.id = id,
		.manager = (enum plan_cgroup_manager)program->cgroup_manager,
		.admin_config = program->admin_config,
		.engine = program->engine,
		.allows_testing = options->allows_testing,
		.policy = mxc_source_file(&options->source),
		.log_file = options->log_file,
		.report = options->report,
	};
	int exit_code = 0;

	if (sandbox_new_id(id, &err) < 0 || program_facts(program, &err) < 0)
		return mxc_fail_backend(program, err);
	describe_request(diagnostics, document->config, id);
	/* before the policy is resolved, which has to know the place */
	if (program_records(program, options->is_dry_run ? STORE_READ : STORE_MAKE, &request, state, &err) < 0)
		return mxc_fail_backend(program, err);
	if (prepare_policy(&program->facts, &diagnostics->log, document, &request, &prepared,
			   &err) < 0)
		return fail_prepare(program, diagnostics, options, document->config, err);
	if (options->is_validation)
		return finish_validation(program, options, document->config);
	if (options->is_dry_run)
		return finish_dry_run(program, diagnostics, NULL);
	if (run_sandbox(program, diagnostics, &prepared, waiting, options->report, &exit_code, &err) < 0)
		return mxc_fail_backend(program, err);
	return exit_code;
}

/* ---- command lines ---- */

static int fail_usage(const struct program *program, const struct err *failure)
{
	output_error(&program->output, failure);
	return EXIT_CODE_USAGE;
}

static const char help_text[] =
	"Usage: mxcrun mxc run [options] [CONFIG]\n\n"
	"Run the command line of an MXC configuration in a sandbox of its policy.\n"
	"CONFIG is a file, or \"-\" for standard input.\n\n"
	"Options:\n";

static int print_help(const struct program *program, const struct option_row *rows)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	strbuf_puts(&text, help_text);
	options_describe(rows, &text);
	return program_print(program, strbuf_str(&text));
}

/* ---- what needs no configuration ---- */

/* MXC-1.0.md 4.2: what a configuration's containment may name, and is carried out here. A proxy needs no tool of the host's. */
static void put_backend(struct json_writer *w, const char *name)
{
	json_open(w, NULL, '{');
	json_put_string(w, "backend", name);
	json_open(w, "capabilities", '[');
	json_put_string(w, NULL, "proxyEnforcement");
	json_close(w, ']');
	json_close(w, '}');
}

static int list_backends(const struct program *program)
{
	cleanup_json_writer struct json_writer w = JSON_WRITER_INIT;

	json_open(&w, NULL, '[');
	if (doctor_try_user_namespace() == 0) {
		put_backend(&w, "bubblewrap");
		put_backend(&w, "lxc");
	}
	json_close(&w, ']');
	strbuf_putc(&w.out, '\n');
	return program_print(program, strbuf_str(&w.out));
}

static int delete_container(struct program *program, const struct mxc_options *options)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_err struct err *err = NULL;
	struct lifecycle lc;
	int r;

	if (!options->container_name) {
		say("Error: --containername is required with --delete\n");
		return EXIT_CODE_FAILURE;
	}
	r = store_check_id(options->container_name, &err);
	if (r == 0)
		r = program_lifecycle(program, STORE_READ, &lc, &err);
	if (r == 0)
		r = lifecycle_delete_existing(&lc, options->container_name, &err);
	if (r < 0)
		output_error(&program->output, err);
	strbuf_printf(&text, r < 0 ? "Container '%s' does not exist.\n" : "Container '%s' destroyed.\n",
		      options->container_name);
	return program_print(program, strbuf_str(&text)) || r < 0 ? EXIT_CODE_FAILURE : 0;
}

static int refuse_hyperlight(void)
{
	say("Error: --setup-hyperlight: the hyperlight backend does not exist on Linux\n");
	return EXIT_CODE_FAILURE;
}

static int run_options(struct program *program, const struct mxc_options *options)
{
	cleanup_mxc_diagnostics struct mxc_diagnostics diagnostics = MXC_DIAGNOSTICS_INIT;
	cleanup_policy_document struct policy_document document = { 0 };
	cleanup_waiting struct engine_child waiting = ENGINE_CHILD_INIT;
	cleanup_mxc_text struct mxc_text text = { 0 };
	cleanup_err struct err *err = NULL;
	const struct mxc_phase_options phase = {
		.file = mxc_source_file(&options->source), .log_file = options->log_file, .report = options->report,
		.is_dry_run = options->is_dry_run, .allows_testing = options->allows_testing,
	};
	int exit_code;

	if (mxc_diagnostics_open(&diagnostics, options->is_debug, options->log_file, &err) < 0)
		return program_fail(program, err);
	if (!options->source.base64 && !options->source.config && !options->source.positional) {
		say("Error: No config provided. Give a file, --config FILE or --config-base64 TEXT\n");
		return EXIT_CODE_FAILURE;
	}
	if (mxc_source_read(&options->source, &text, &err) < 0)
		return fail_request(&diagnostics, err);
	if (mxc_may_be_phase(&text) && mxc_phase_run(program, &diagnostics, &text, &phase, &exit_code))
		return exit_code;
	/* the text may have come slowly; from here on nobody is waited for */
	if (!options->is_dry_run)
		wait_for_sandbox(program->engine, &waiting);
	if (policy_parse(text.data, text.len, text.name, &diagnostics.log, &document, &err) < 0)
		return fail_request(&diagnostics, err);
	return run_document(program, &diagnostics, options, &document, &waiting);
}

static int run_command(struct program *program, int argc, char **argv, bool is_validation)
{
	cleanup_err struct err *err = NULL;
	struct mxc_options options = { .engine = -1, .is_validation = is_validation, .is_dry_run = is_validation };
	struct arguments arguments;
	const struct option_row rows[] = {
		{ "config", '\0', OPT_STRING, &options.source.config, NULL, "FILE",
		  "the configuration" },
		{ "config-base64", '\0', OPT_STRING, &options.source.base64, NULL, "TEXT",
		  "the configuration itself, in base64" },
		ENGINE_OPTION(&options.engine),
		{ "dry-run", '\0', OPT_FLAG, &options.is_dry_run, NULL, NULL,
		  "check everything, run nothing" },
		{ "debug", '\0', OPT_FLAG, &options.is_debug, NULL, NULL, "diagnostics on stdout" },
		{ "log-file", '\0', OPT_STRING, &options.log_file, NULL, "FILE",
		  "append diagnostics to FILE" },
		{ "report", '\0', OPT_STRING, &options.report, NULL, "FILE",
		  "write what the policy asks for, and how it is enforced, to FILE" },
		{ "experimental", '\0', OPT_FLAG, &options.allows_experimental, NULL, NULL,
		  "name a missing backend by its platform, not by its state" },
		{ "allow-testing-features", '\0', OPT_FLAG, &options.allows_testing, NULL, NULL,
		  "allow network.proxy.builtinTestServer" },
		{ "available-backends", '\0', OPT_FLAG, &options.lists_backends, NULL, NULL,
		  "list, as JSON, what containment may be asked for" },
		{ "delete", '\0', OPT_FLAG, &options.deletes, NULL, NULL, "destroy the container of --containername" },
		{ "containername", '\0', OPT_STRING, &options.container_name, NULL, "NAME", "which one to delete" },
		{ "setup-hyperlight", '\0', OPT_FLAG, &options.sets_up_hyperlight, NULL, NULL,
		  "refused: that backend is not for Linux" },
		{ "force", '\0', OPT_FLAG, &options.is_forced, NULL, NULL, "goes with --setup-hyperlight" },
		{ 0 },
	};

	if (options_read(rows, OPTIONS_ANYWHERE, argc, argv, &arguments, &err) < 0)
		return fail_usage(program, err);
	if (arguments.wants_help)
		return print_help(program, rows);
	program_choose_engine(program, options.engine);
	if (options.lists_backends)
		return list_backends(program);
	if (arguments.count > 1) {
		err_set(&err, E_USAGE, 0, NULL, "more than one configuration was given");
		return fail_usage(program, err);
	}
	if (options.is_forced && !options.sets_up_hyperlight) {
		err_set(&err, E_USAGE, 0, NULL, "--force goes only with --setup-hyperlight");
		return fail_usage(program, err);
	}
	if (options.sets_up_hyperlight)
		return refuse_hyperlight();
	if (options.deletes)
		return delete_container(program, &options);
	options.source.positional = arguments.count ? arguments.items[0] : NULL;
	return run_options(program, &options);
}

int command_mxc_run(struct program *program, int argc, char **argv)
{
	return run_command(program, argc, argv, false);
}

int command_mxc_validate(struct program *program, int argc, char **argv)
{
	return run_command(program, argc, argv, true);
}

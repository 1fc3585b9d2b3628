/* plan.c - `mxcrun plan`: everything that would be done, as JSON; nothing is made on the host. */

#include <limits.h>

#include "bundle.h"
#include "mxc_source.h"
#include "plan/print.h"

#define PLAN_DEFAULT_ID "container"

static int print_plan(const struct plan *plan, struct err **err)
{
	cleanup_json_writer struct json_writer w = JSON_WRITER_INIT;

	if (plan_print(plan, &w) < 0)
		return err_nomem(err);
	return output_json(&w, err);
}

static int print_bundle(struct program *program, const struct bundle_options *options,
			const char *id, struct err **err)
{
	cleanup_prepared struct prepared prepared = PREPARED_INIT;
	struct bundle_request bundle;
	int r = store_check_id(id, err);

	if (r == 0)
		r = bundle_request_fill(program, options, id, &bundle, err);
	bundle.request.plan.keeps_rules = true;
	if (r == 0)
		r = program_facts(program, err);
	if (r == 0)
		r = prepare_bundle(&program->facts, &program->log, &bundle.request.plan, &prepared,
				   err);
	return r < 0 ? r : print_plan(prepared.plan, err);
}

static int print_policy(struct program *program, const char *path, struct err **err)
{
	cleanup_policy_document struct policy_document document = { 0 };
	cleanup_prepared struct prepared prepared = PREPARED_INIT;
	struct mxc_source source = { .positional = path };
	char id[SANDBOX_ID_SIZE], state[PATH_MAX];
	struct plan_policy_request request = {
		.id = id,
		.policy = mxc_source_file(&source),
		.manager = (enum plan_cgroup_manager)program->cgroup_manager,
		.admin_config = program->admin_config,
		.engine = program->engine,
		.keeps_rules = true,
	};
	int r = mxc_source_parse(&source, &program->log, &document, err);

	if (r == 0)
		r = sandbox_new_id(id, err);
	if (r == 0)
		r = program_facts(program, err);
	if (r == 0)
		r = program_records(program, STORE_READ, &request, state, err);
	if (r == 0)
		r = prepare_policy(&program->facts, &program->log, &document, &request, &prepared,
				   err);
	return r < 0 ? r : print_plan(prepared.plan, err);
}

int command_plan(struct program *program, int argc, char **argv)
{
	cleanup_err struct err *err = NULL;
	struct bundle_options options = BUNDLE_OPTIONS_INIT;
	struct arguments arguments;
	const char *policy = NULL;
	int exit_code, r;
	const struct option_row rows[] = {
		BUNDLE_OPTION_ROWS(options),
		{ "mxc", '\0', OPT_STRING, &policy, NULL, "FILE",
		  "an MXC configuration instead of a bundle; \"-\": stdin" },
		{ 0 },
	};
	const struct command_usage usage = {
		.name = "plan",
		.arguments = "[ID]",
		.options = rows,
		.most = 1,
		.summary = "Print what would be done for a bundle or an MXC configuration, as JSON",
	};

	if (!program_arguments(program, &usage, argc, argv, &arguments, &exit_code))
		return exit_code;
	if (policy)
		r = print_policy(program, policy, &err);
	else
		r = print_bundle(program, &options,
				 arguments.count ? arguments.items[0] : PLAN_DEFAULT_ID, &err);
	return r < 0 ? program_fail(program, err) : 0;
}

int command_mxc_plan(struct program *program, int argc, char **argv)
{
	cleanup_err struct err *err = NULL;
	struct arguments arguments;
	int exit_code;
	const struct option_row rows[] = { { 0 } };
	const struct command_usage usage = {
		.name = "mxc plan",
		.arguments = "CONFIG",
		.options = rows,
		.least = 1,
		.most = 1,
		.summary = "Print what would be done for an MXC configuration, as JSON",
	};

	if (!program_arguments(program, &usage, argc, argv, &arguments, &exit_code))
		return exit_code;
	return print_policy(program, arguments.items[0], &err) < 0 ? program_fail(program, err) : 0;
}

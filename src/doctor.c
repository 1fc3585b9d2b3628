/* doctor.c - `mxcrun doctor`: what this host can enforce; of a policy what it can't, and how to allow it. */

#include <limits.h>

#include "lifecycle/doctor.h"
#include "mxc_source.h"
#include "program.h"

static void put_findings(struct json_writer *w, const char *key, const struct doctor_findings *findings)
{
	json_open(w, key, '[');
	for (size_t i = 0; i < findings->count; i++) {
		const struct doctor_finding *finding = &findings->items[i];

		json_open(w, NULL, '{');
		json_put_string(w, "subject", finding->subject);
		json_put_bool(w, "available", finding->is_available);
		json_put_string(w, "found", finding->found);
		json_put_string(w, "remedy", finding->remedy);
		json_close(w, '}');
	}
	json_close(w, ']');
}

static int print_json(const struct doctor_findings *host, const struct doctor_findings *policy, struct err **err)
{
	cleanup_json_writer struct json_writer w = JSON_WRITER_INIT;

	json_open(&w, NULL, '{');
	put_findings(&w, "host", host);
	if (policy) {
		json_open(&w, "policy", '{');
		json_put_bool(&w, "enforceable", policy->count == 0);
		put_findings(&w, "obstacles", policy);
		json_close(&w, '}');
	}
	json_close(&w, '}');
	return output_json(&w, err);
}

static void put_lines(struct strbuf *text, const struct doctor_findings *findings)
{
	for (size_t i = 0; i < findings->count; i++) {
		const struct doctor_finding *finding = &findings->items[i];

		strbuf_printf(text, "%-28s %s: %s\n", finding->subject, finding->is_available ? "yes" : "no", finding->found);
		if (finding->remedy)
			strbuf_printf(text, "%-28s   to have it: %s\n", "", finding->remedy);
	}
}

static int print_text(const struct doctor_findings *host, const struct doctor_findings *policy, const char *path,
		      struct err **err)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	put_lines(&text, host);
	if (policy)
		strbuf_printf(&text, "\n%s: %s\n", path,
			      policy->count ? "can't be enforced on this host" : "can be enforced on this host");
	if (policy)
		put_lines(&text, policy);
	return output_text(strbuf_str(&text), err);
}

static int examine(struct program *program, const char *path, bool wants_json, bool *ret_enforceable, struct err **err)
{
	cleanup_policy_document struct policy_document document = { 0 };
	struct mxc_source source = { .positional = path };
	struct doctor_findings host = { 0 }, policy = { 0 };
	char id[SANDBOX_ID_SIZE], state[PATH_MAX];
	struct plan_policy_request request = {
		.id = id,
		.policy = path ? mxc_source_file(&source) : NULL,
		.manager = (enum plan_cgroup_manager)program->cgroup_manager,
		.admin_config = program->admin_config,
		.engine = program->engine,
	};
	int r = sandbox_new_id(id, err);

	if (r == 0)
		r = program_facts(program, err);
	if (r == 0 && path)
		r = mxc_source_parse(&source, &program->log, &document, err);
	if (r == 0)
		r = doctor_examine_host(program->arena, &program->facts, program->admin_config, &program->log, &host, err);
	if (r == 0 && path)
		r = program_records(program, STORE_READ, &request, state, err);
	if (r == 0 && path)
		r = doctor_examine_policy(program->arena, &program->facts, &program->log, &document, &request, &policy, err);
	if (r < 0)
		return r;
	*ret_enforceable = policy.count == 0;
	return wants_json ? print_json(&host, path ? &policy : NULL, err) :
			    print_text(&host, path ? &policy : NULL, path, err);
}

int command_doctor(struct program *program, int argc, char **argv)
{
	cleanup_err struct err *err = NULL;
	struct arguments arguments;
	bool wants_json = false, is_enforceable = true;
	int exit_code;
	const struct option_row rows[] = {
		{ "json", '\0', OPT_FLAG, &wants_json, NULL, NULL, "print JSON" },
		{ 0 },
	};
	const struct command_usage usage = {
		.name = "doctor",
		.arguments = "[POLICY]",
		.options = rows,
		.most = 1,
		.summary = "Print what this host can enforce, and of an MXC configuration what it can't and how to allow it",
	};

	if (!program_arguments(program, &usage, argc, argv, &arguments, &exit_code))
		return exit_code;
	if (examine(program, arguments.count ? arguments.items[0] : NULL, wants_json, &is_enforceable, &err) < 0)
		return program_fail(program, err);
	return is_enforceable ? 0 : EXIT_CODE_FAILURE;
}

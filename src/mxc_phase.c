/* mxc_phase.c - see mxc_phase.h.
 *
 * The answer is one line of JSON on stdout, and nothing else is there (MXC.md 10.5); a client reads all of it. Only a process that
 * was started by `exec` has the streams for itself.
 */
#include "mxc_phase.h"

#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "lifecycle/phase.h"
#include "mxc_outcome.h"

/* ---- answers ---- */

/* MXC.md 11, for a failure that nobody has given a word. */
static const char *code_of(const struct err *failure)
{
	switch (err_root_code(failure)) {
	case E_JSON:
	case E_CONFIG: return "malformed_request";
	case E_POLICY:
	case E_DELEGATION:
	case E_UNSUPPORTED: return "policy_validation";
	case E_HOST:
	case E_USERNS_BLOCKED: return "backend_unavailable";
	default: return "backend_error";
	}
}

static int answer_failure(const struct program *program, const char *code, const struct err *failure)
{
	cleanup_json_writer struct json_writer w = JSON_WRITER_INIT;

	mxc_put_error(&w, code ? code : code_of(failure), failure);
	(void)program_print(program, strbuf_str(&w.out));
	return EXIT_CODE_FAILURE;
}

static int answer_result(const struct program *program, const struct phase_call *call)
{
	cleanup_json_writer struct json_writer w = JSON_WRITER_INIT;

	w.compact = true;
	json_open(&w, NULL, '{');
	json_open(&w, "result", '{');
	if (call->sandbox_id[0])
		json_put_string(&w, "sandboxId", call->sandbox_id);
	json_close(&w, '}');
	json_close(&w, '}');
	strbuf_putc(&w.out, '\n');
	return program_print(program, strbuf_str(&w.out));
}

/* The process had the streams; what ended it is told as after a run at once. */
static int answer_end(const struct program *program, const struct phase_call *call)
{
	cleanup_err struct err *err = NULL;
	int exit_code;

	if (call->end.cause == ENDED_BY_ITSELF)
		return supervised_exit_code(call->end.status);
	if (mxc_outcome(&call->end, call->request->config->process->timeout.value, &exit_code, &err) < 0)
		return mxc_fail_backend(program, err);
	return exit_code;
}

/* ---- the request ---- */

bool mxc_may_be_phase(const struct mxc_text *text)
{
	static const char key[] = "\"phase\"";

	return memmem(text->data, text->len, key, strlen(key)) != NULL;
}

static int carry_out(struct program *program, struct phase_call *call, struct err **err)
{
	bool reads = call->is_dry_run || (call->request->phase != MXC_PROVISION && call->request->phase != MXC_START);
	char state[PATH_MAX];
	struct lifecycle lc;
	int r = program_facts(program, err);

	if (r == 0)
		r = program_records(program, reads ? STORE_READ : STORE_MAKE, &call->plan, state, err);
	if (r < 0)
		return r;
	lc = program_store(program);
	return lifecycle_phase(&lc, call, err);
}

static int run_request(struct program *program, const struct mxc_text *text, const struct mxc_phase_options *options,
		       const struct mxc_phase_request *request)
{
	struct phase_call call = {
		.request = request, .text = text->data, .len = text->len, .report = options->report, .is_dry_run = options->is_dry_run,
		.plan = {
			.manager = (enum plan_cgroup_manager)program->cgroup_manager,
			.admin_config = program->admin_config,
			.engine = program->engine,
			.allows_testing = options->allows_testing,
			.policy = options->file,
			.log_file = options->log_file,
			.report = options->report,
		},
	};
	cleanup_err struct err *err = NULL;
	int r;

	if (options->report && request->phase != MXC_START) {
		err_set(&err, E_CONFIG, 0, NULL, "--report goes with 'start' only: the record is of a sandbox that is made");
		return answer_failure(program, NULL, err);
	}
	r = carry_out(program, &call, &err);

	if (r < 0 && call.has_run)
		return mxc_fail_backend(program, err);
	if (r < 0)
		return answer_failure(program, call.code, err);
	return call.has_run ? answer_end(program, &call) : answer_result(program, &call);
}

bool mxc_phase_run(struct program *program, struct mxc_diagnostics *diagnostics, const struct mxc_text *text,
		   const struct mxc_phase_options *options, int *ret_exit_code)
{
	cleanup_arena struct arena *arena = arena_new();
	cleanup_err struct err *err = NULL;
	struct mxc_phase_request request;
	const struct json *json;
	bool is_debug = diagnostics->is_live;

	if (!arena || json_parse(arena, text->data, text->len, text->name, &json, NULL) < 0 || !mxc_is_phase_request(json))
		return false;
	/* stdout is for the answer */
	diagnostics->is_live = false;
	if (mxc_parse_phase(arena, json, &diagnostics->log, &request, &err) < 0)
		*ret_exit_code = answer_failure(program, NULL, err);
	else
		*ret_exit_code = run_request(program, text, options, &request);
	if (is_debug)
		fd_write_all(STDERR_FILENO, strbuf_str(&diagnostics->kept), strlen(strbuf_str(&diagnostics->kept)));
	return true;
}

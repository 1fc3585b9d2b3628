/* phase.c - see phase.h.
 *
 * A sandbox that was started has a supervisor, as one that runs at once has, in a process that outlives the request: it holds the
 * record's lock, the network's helpers and init's leash, so whatever ends it takes the sandbox along, and gc knows what is left. Its
 * init has no workload. What joins is planned anew from the request that was kept, with the process of this one, and joins the
 * namespaces of init. `stop` has init end all others and leaves it, so that what they wrote is there at the next start.
 */
#include "lifecycle/phase.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>

#include "base/fd.h"
#include "base/pid.h"
#include "base/sys.h"
#include "lifecycle/background.h"

#define NAME_ROUNDS 10000
#define NAME_ROUND_MS 1

static int fail(struct phase_call *call, const char *code, const struct provisioned *sandbox, const char *text, struct err **err)
{
	call->code = code;
	return err_set(err, E_STATE, 0, NULL, "%s %s", sandbox->id, text);
}

/* ---- the policy that was kept ---- */

/* The text has to live as long as the configuration. */
struct policy {
	char *text;
	struct policy_document document;
};
#define POLICY_INIT { .text = NULL }

static void policy_done(struct policy *policy)
{
	policy_document_done(&policy->document);
	free(policy->text);
}
#define cleanup_policy __attribute__((cleanup(policy_done)))

static int read_policy(const struct lifecycle *lc, const struct provisioned *sandbox, struct policy *ret, struct err **err)
{
	struct mxc_phase_request request;
	const struct json *json;
	size_t len;
	int r = provisioned_read(sandbox, &ret->text, &len, err);

	if (r < 0)
		return r;
	ret->document.arena = arena_new();
	if (!ret->document.arena)
		return err_nomem(err);
	r = json_parse(ret->document.arena, ret->text, len, sandbox->name, &json, err);
	if (r == 0)
		r = mxc_parse_phase(ret->document.arena, json, lc->log, &request, err);
	if (r == 0 && request.phase != MXC_PROVISION)
		r = err_set(err, E_RECORD, 0, NULL, "what is kept of %s is no request to provision it", sandbox->id);
	if (r == 0)
		ret->document.config = request.config;
	return r;
}

/* Who starts it goes at once, and who joins it opens its namespaces (reaper_stay() in engine/native/). */
static int check_stays(const struct prepared *prepared, struct err **err)
{
	const struct plan *plan = prepared->plan;

	if (plan->lifecycle.dies_with_caller)
		return err_set(err, E_POLICY, 0, "/bubblewrap/dieWithParent", "a sandbox that lives across calls can't end with one of them");
	if (plan->process.inner_userns || prepared->facts->is_privileged)
		return 0;
	return err_set(err, E_POLICY, 0, "/bubblewrap/keepCaps", "an ordinary user's sandbox that lives across calls can't keep capabilities");
}

static int plan_sandbox(const struct lifecycle *lc, const struct phase_call *call, const char *name,
			const struct policy_document *document, struct prepared *ret, struct err **err)
{
	struct plan_policy_request plan = call->plan;
	int r;

	plan.id = name;
	plan.stays = true;
	r = prepare_policy(lc->facts, lc->log, document, &plan, ret, err);
	return r < 0 ? r : check_stays(ret, err);
}

/* ---- what it is doing ---- */

enum phased { PHASED_NEW, PHASED_RUNNING, PHASED_STOPPED, PHASED_LOST };

/* The container stays empty where there is none. */
static int look(const struct lifecycle *lc, const struct provisioned *sandbox, struct container *container, enum phased *ret,
		struct err **err)
{
	cleanup_err struct err *absent = NULL;
	int r = container_open(lc, sandbox->name, STORE_UNLOCKED, container, &absent);

	if (r < 0 && err_root_code(absent) == E_NOT_FOUND) {
		*ret = provisioned_was_started(sandbox) ? PHASED_LOST : PHASED_NEW;
		return 0;
	}
	if (r < 0 && err)
		*err = take_ptr(absent);
	if (r < 0)
		return r;
	if (container->status != CONTAINER_RUNNING && container->status != CONTAINER_PAUSED)
		*ret = PHASED_LOST;
	else
		*ret = pid_has_name(container->record.pid, ENGINE_STOPPED_NAME) ? PHASED_STOPPED : PHASED_RUNNING;
	return 0;
}

static int fail_lost(struct phase_call *call, const struct provisioned *sandbox, struct err **err)
{
	return fail(call, "stale_id", sandbox, "was running, and has ended without being stopped", err);
}

/* One that runs; otherwise is the word for one that does not. */
static int look_running(const struct lifecycle *lc, struct phase_call *call, const struct provisioned *sandbox,
			struct container *container, const char *otherwise, struct err **err)
{
	enum phased phased;
	int r = look(lc, sandbox, container, &phased, err);

	if (r < 0)
		return r;
	if (phased == PHASED_LOST)
		return fail_lost(call, sandbox, err);
	return phased == PHASED_RUNNING ? 0 : fail(call, otherwise, sandbox, "is not running", err);
}

/* Its init answers by another name. A frozen one doesn't. */
static int signal_init(const struct container *container, int signal, const char *name, struct err **err)
{
	const struct record *record = &container->record;
	cleanup_close int pidfd = pid_open_verified(record->pid, record->start_ticks);

	if (pidfd < 0 || sys_pidfd_send_signal(pidfd, signal) < 0)
		return err_sys(err, E_PROCESS, pidfd < 0 ? -pidfd : errno, "pidfd_send_signal", "the sandbox's init", NULL);
	for (int round = 0; round < NAME_ROUNDS; round++) {
		if (pid_has_name(record->pid, name))
			return 0;
		if (pid_wait_end(pidfd, NAME_ROUND_MS) == 0)
			return err_set(err, E_PROCESS, ESRCH, NULL, "the sandbox's init has ended");
	}
	err_set(err, E_TIMEOUT, 0, NULL, "the sandbox's init did not answer within %d s", NAME_ROUNDS * NAME_ROUND_MS / 1000);
	if (container->status == CONTAINER_PAUSED)
		err_hint(err, "it is paused: mxcrun resume %s", container->entry.id);
	return -ETIMEDOUT;
}

/* ---- the phases ---- */

static int provision(const struct lifecycle *lc, struct phase_call *call, struct err **err)
{
	cleanup_provisioned struct provisioned sandbox = PROVISIONED_INIT;
	cleanup_prepared struct prepared prepared = PREPARED_INIT;
	struct policy_document document = { .arena = arena_new(), .config = call->request->config };
	char name[SANDBOX_ID_SIZE];
	int r;

	if (!provisioned_takes(call->request->containment)) {
		call->code = "unsupported_containment";
		r = err_set(err, E_UNSUPPORTED, 0, NULL, "containment '%s' has no sandboxes that live across calls",
			    mxc_containment_words[call->request->containment]);
	} else {
		r = document.arena ? sandbox_new_id(name, err) : err_nomem(err);
	}
	/* what can't be enforced is told now, and not at the start */
	if (r == 0)
		r = plan_sandbox(lc, call, name, &document, &prepared, err);
	arena_free_ptr(&document.arena);
	if (r < 0 || call->is_dry_run)
		return r;
	r = provisioned_make(lc->store, call->request->containment, call->text, call->len, &sandbox, err);
	if (r == 0)
		memcpy(call->sandbox_id, sandbox.id, sizeof(call->sandbox_id));
	return r;
}

struct starter {
	struct phase_call *call;
	struct provisioned *sandbox;
};

/* In the process that becomes the supervisor. */
static int supervise_sandbox(const struct lifecycle *lc, void *data, void (*on_running)(void *), void *told, struct err **err)
{
	const struct starter *starter = data;
	const struct sandbox_options options = { .report = starter->call->report, .on_running = on_running, .data = told };
	cleanup_policy struct policy policy = POLICY_INIT;
	cleanup_prepared struct prepared prepared = PREPARED_INIT;
	struct supervised end;
	int r = read_policy(lc, starter->sandbox, &policy, err);

	/* a lock is one of all copies of the descriptor */
	provisioned_close(starter->sandbox);
	if (r == 0)
		r = plan_sandbox(lc, starter->call, starter->sandbox->name, &policy.document, &prepared, err);
	return r < 0 ? r : lifecycle_sandbox(lc, &prepared, &options, &end, err);
}

static int start(const struct lifecycle *lc, struct phase_call *call, struct provisioned *sandbox, struct err **err)
{
	cleanup_container struct container container = CONTAINER_INIT;
	struct starter starter = { call, sandbox };
	enum phased phased;
	int r = look(lc, sandbox, &container, &phased, err);

	if (r < 0)
		return r;
	if (phased == PHASED_RUNNING)
		return fail(call, "already_started", sandbox, "is running", err);
	if (phased == PHASED_LOST)
		return fail_lost(call, sandbox, err);
	if (call->is_dry_run)
		return 0;
	if (phased == PHASED_STOPPED)
		return signal_init(&container, ENGINE_GO_SIGNAL, ENGINE_HELD_NAME, err);
	r = background_start(lc, supervise_sandbox, &starter, err);
	return r < 0 ? r : provisioned_mark_started(sandbox, err);
}

struct joiner {
	const struct lifecycle *lc;
	const struct phase_call *call;
	struct provisioned *sandbox;
	struct policy_document document;
	bool has_started;
};

static int plan_joiner(void *data, const struct record *record, struct prepared *ret, struct err **err)
{
	struct joiner *joiner = data;
	struct plan_policy_request plan = joiner->call->plan;

	plan.id = record->id;
	plan.target = record->pid;
	return prepare_policy(joiner->lc->facts, joiner->lc->log, &joiner->document, &plan, ret, err);
}

/* It is one of those that `stop` ends from now on. */
static void on_joined(void *data)
{
	struct joiner *joiner = data;

	joiner->has_started = true;
	provisioned_close(joiner->sandbox);
}

static int join(const struct lifecycle *lc, struct phase_call *call, struct provisioned *sandbox, struct err **err)
{
	cleanup_policy struct policy policy = POLICY_INIT;
	struct joiner joiner = { .lc = lc, .call = call, .sandbox = sandbox };
	struct exec_request request = {
		.plan = { .id = sandbox->name }, .prepare = plan_joiner, .on_started = on_joined, .data = &joiner,
	};
	int r = read_policy(lc, sandbox, &policy, err);

	if (r < 0)
		return r;
	joiner.document = (struct policy_document){
		.arena = policy.document.arena,
		.config = mxc_with_process(policy.document.arena, policy.document.config, call->request->config),
	};
	if (!joiner.document.config)
		return err_nomem(err);
	r = lifecycle_exec(lc, &request, &call->end, err);
	call->has_run = joiner.has_started;
	return r;
}

static int execute(const struct lifecycle *lc, struct phase_call *call, struct provisioned *sandbox, struct err **err)
{
	cleanup_container struct container container = CONTAINER_INIT;
	int r = look_running(lc, call, sandbox, &container, "not_started", err);

	return r < 0 || call->is_dry_run ? r : join(lc, call, sandbox, err);
}

static int stop(const struct lifecycle *lc, struct phase_call *call, struct provisioned *sandbox, struct err **err)
{
	cleanup_container struct container container = CONTAINER_INIT;
	int r = look_running(lc, call, sandbox, &container, "already_stopped", err);

	return r < 0 || call->is_dry_run ? r : signal_init(&container, ENGINE_STOP_SIGNAL, ENGINE_STOPPED_NAME, err);
}

static int deprovision(const struct lifecycle *lc, struct phase_call *call, struct provisioned *sandbox, struct err **err)
{
	int r = call->is_dry_run ? 0 : lifecycle_delete(lc, sandbox->name, true, err);

	return r < 0 || call->is_dry_run ? r : provisioned_remove(lc->store, sandbox, err);
}

int lifecycle_phase(const struct lifecycle *lc, struct phase_call *call, struct err **err)
{
	static int (*const phases[])(const struct lifecycle *, struct phase_call *, struct provisioned *, struct err **) = {
		[MXC_START] = start, [MXC_EXEC] = execute, [MXC_STOP] = stop, [MXC_DEPROVISION] = deprovision,
	};
	cleanup_provisioned struct provisioned sandbox = PROVISIONED_INIT;
	enum mxc_phase phase = call->request->phase;
	int r;

	call->code = NULL;
	if (phase == MXC_PROVISION)
		return provision(lc, call, err);
	r = provisioned_open(lc->store, call->request->sandbox_id, phase == MXC_EXEC ? LOCK_SH : LOCK_EX, &sandbox, &call->code, err);
	return r < 0 ? r : phases[phase](lc, call, &sandbox, err);
}

/* run.c - create and start in one command: handed over (--detach), or supervised to the end.
 *
 * In the foreground the supervisor passes signals on, relays the terminal that it made itself, and
 * removes the container when its process has ended. If the supervisor is killed the container lives
 * on, as with other runtimes; it then is an ordinary container of the store, and a time limit still holds.
 */

#include "lifecycle/lifecycle.h"

#include <errno.h>

#include "base/fd.h"
#include "lifecycle/console.h"
#include "lifecycle/create.h"
#include "lifecycle/destroy.h"
#include "lifecycle/limit.h"
#include "lifecycle/report.h"
#include "lifecycle/supervise.h"

/* Where there is a supervisor it is he who ends the container in time, and says so. */
#define WATCHER_SLACK_MS 1000

/* Nobody asks for it between its set-up and its start, no time counts from there, and no rules come from outside before it. */
static bool goes_at_once(const struct prepared *prepared, const struct create_request *request)
{
	const struct plan *plan = prepared->plan;

	for (size_t i = 0; i < HOOK_MAX; i++)
		if (plan->hooks[i].count)
			return false;
	return prepared->engine == &native_engine && !plan_carries_network(plan) && !plan->net_device_count &&
	       !plan->lifecycle.timeout_ms && !plan->process.terminal && !plan->process.seccomp.use_notify && !request->report &&
	       !request->announcement.pid_file && !request->announcement.pidfd_socket;
}

/* The workload goes, if it hasn't; afterwards the poststart hooks run beside it. */
static int let_go(const struct lifecycle *lc, struct instance *instance, unsigned int slack_ms, struct err **err)
{
	int r = limit_watch(&instance->entry, &instance->record, slack_ms, err);

	if (r == 0 && !engine_start_is_open(&instance->child))
		r = engine_release(&instance->child, err);
	return r < 0 ? r : poststart(lc, &instance->entry, &instance->record, err);
}

static int run_detached(const struct lifecycle *lc, const struct create_request *request,
			struct err **err)
{
	cleanup_instance struct instance instance = INSTANCE_INIT;
	cleanup_prepared struct prepared prepared = PREPARED_INIT;
	int r = instance_create_detached(lc, request, false, &prepared, &instance, err);

	if (r < 0)
		return r;
	r = let_go(lc, &instance, 0, err);
	if (r == 0)
		r = report_write(request->report, &prepared, "running", instance.child.pid, err);
	if (r < 0)
		instance_abandon(lc, &instance);
	return r;
}

/* The container exists and is ours; whatever happens here, the caller takes it away. */
static int run_to_end(const struct lifecycle *lc, const struct prepared *prepared, const struct create_request *told,
		      const struct supervisor *supervisor, struct console *console,
		      struct instance *instance, struct supervised *ret, struct err **err)
{
	struct supervise_request request = {
		.child = &instance->child,
		.caller_pidfd = -1,
		.timeout_ms = prepared->plan->lifecycle.timeout_ms,
		.console = prepared->plan->process.terminal ? console : NULL,
	};
	cleanup_net_namespace struct net_namespace namespaces = NET_NAMESPACE_INIT;
	int r = announce(&told->announcement, &instance->child, err);

	if (r == 0)
		r = report_watch(told->report, prepared->plan, &instance->child, &namespaces, err);
	if (r == 0 && request.console)
		r = console_attach(console, err);
	if (r == 0)
		r = let_go(lc, instance, WATCHER_SLACK_MS, err);
	if (r == 0)
		r = report_write(told->report, prepared, "running", instance->child.pid, err);
	if (r == 0)
		r = supervise(supervisor, &request, ret, err);
	return r < 0 ? r : report_write_end(told->report, prepared, instance->child.pid, &namespaces, err);
}

static int run_in_foreground(const struct lifecycle *lc, const struct create_request *request,
			     bool keep, struct supervised *ret, struct err **err)
{
	cleanup_prepared struct prepared prepared = PREPARED_INIT;
	cleanup_supervisor struct supervisor supervisor = SUPERVISOR_INIT;
	cleanup_console struct console console = CONSOLE_INIT;
	cleanup_instance struct instance instance = INSTANCE_INIT;
	struct instance_options options = { .console_socket_fd = -1, .waiting = request->waiting };
	cleanup_close int console_fd = -1;
	int r = prepare_bundle(lc->facts, lc->log, &request->plan, &prepared, err);

	if (r == 0)
		r = report_check(request->report, err);
	if (r == 0)
		r = check_no_console_socket(request->console_socket, err);
	if (r == 0)
		r = supervisor_prepare(&supervisor, SIGNALS_FORWARD, err);
	if (r == 0 && prepared.plan->process.terminal)
		r = console_prepare(&console, &console_fd, err);
	if (r < 0)
		return r;
	options.console_socket_fd = console_fd;
	options.goes_at_once = goes_at_once(&prepared, request);
	r = instance_create(lc, &prepared, &options, &instance, err);
	if (r < 0)
		return r;
	fd_close_ptr(&console_fd);
	r = run_to_end(lc, &prepared, request, &supervisor, &console, &instance, ret,
		       err);
	if (r < 0)
		instance_abandon(lc, &instance);
	else if (!keep)
		destroy_or_defer(lc, &instance.entry, &instance.record);
	return r;
}

int lifecycle_run(const struct lifecycle *lc, const struct create_request *request,
		  const struct run_options *options, int *ret_exit_code, struct err **err)
{
	struct supervised end = { .cause = ENDED_BY_ITSELF };
	int r;

	*ret_exit_code = 0;
	if (options->detach)
		return run_detached(lc, request, err);
	r = run_in_foreground(lc, request, options->keep, &end, err);
	if (r < 0)
		return r;
	if (end.cause == ENDED_BY_TIMEOUT)
		return err_set(err, E_TIMEOUT, 0, NULL, "container timed out");
	*ret_exit_code = supervised_exit_code(end.status);
	return 0;
}

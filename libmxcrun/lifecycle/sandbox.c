/* sandbox.c - an MXC sandbox from its plan to its end, supervised all the time.
 *
 * It has no life of its own: its init holds the read end of a pipe of ours and dies when we do, and
 * a record whose lock is free is gc's. Standard I/O is the caller's own, untouched.
 */

#include "lifecycle/lifecycle.h"

#include <errno.h>
#include <stdio.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/sys.h"
#include "lifecycle/create.h"
#include "lifecycle/destroy.h"
#include "lifecycle/images.h"
#include "lifecycle/report.h"

int sandbox_new_id(char id[SANDBOX_ID_SIZE], struct err **err)
{
	unsigned long long number;

	if (getrandom(&number, sizeof(number), 0) != (ssize_t)sizeof(number))
		return err_sys(err, E_INTERNAL, errno, "getrandom", NULL, NULL);
	snprintf(id, SANDBOX_ID_SIZE, "sandbox-%016llx", number);
	return 0;
}

/* By a descriptor, which unlike the parent death signal does not mind which thread of the caller ends. -1: not asked for. */
static int open_caller(const struct plan *plan, int *ret, struct err **err)
{
	*ret = plan->lifecycle.dies_with_caller ? sys_pidfd_open(getppid(), 0) : -1;
	return *ret < 0 && plan->lifecycle.dies_with_caller
		       ? err_sys(err, E_PROCESS, errno, "pidfd_open", "the caller", "/bubblewrap/dieWithParent")
		       : 0;
}

static int run_to_end(const struct prepared *prepared, const struct sandbox_options *options, const struct supervisor *supervisor,
		      int caller, struct instance *instance, struct supervised *ret, struct err **err)
{
	const char *report = options->report;
	struct supervise_request request = {
		.child = &instance->child,
		.caller_pidfd = caller,
		.timeout_ms = prepared->plan->lifecycle.timeout_ms,
		.shares_terminal = !prepared->plan->process.new_session,
	};
	cleanup_net_namespace struct net_namespace namespaces = NET_NAMESPACE_INIT;
	int r = report_watch(report, prepared->plan, &instance->child, &namespaces, err);

	/* where no time counts from its start on, whoever waits for the end looks for that too: to hear of it would wake us twice */
	if (r == 0 && (request.timeout_ms || options->on_running || !engine_start_is_open(&instance->child)))
		r = engine_release(&instance->child, err);
	if (r == 0)
		r = report_write(report, prepared, "running", instance->child.pid, err);
	if (r == 0 && options->on_running)
		options->on_running(options->data);
	if (r == 0)
		r = supervise(supervisor, &request, ret, err);
	return r < 0 ? r : report_write_end(report, prepared, instance->child.pid, &namespaces, err);
}

int lifecycle_sandbox(const struct lifecycle *lc, const struct prepared *prepared, const struct sandbox_options *wanted,
		      struct supervised *ret, struct err **err)
{
	cleanup_supervisor struct supervisor supervisor = SUPERVISOR_INIT;
	cleanup_instance struct instance instance = INSTANCE_INIT;
	/* a record that is complete later than the start says all that the journal doesn't; a network and a report come first */
	struct instance_options options = {
		.waiting = wanted->waiting,
		.console_socket_fd = -1,
		.goes_at_once = prepared->engine == &native_engine && !plan_carries_network(prepared->plan) && !wanted->report,
	};
	const struct plan_root *root = &prepared->plan->root;
	cleanup_close int image = root->kind == ROOT_IMAGE ? image_hold(root->path, err) : -1;
	cleanup_close int caller = -1;
	int r = root->kind == ROOT_IMAGE && image < 0 ? image : report_check(wanted->report, err);

	if (r == 0)
		r = supervisor_prepare(&supervisor, SIGNALS_END, err);
	if (r == 0)
		r = open_caller(prepared->plan, &caller, err);
	if (r == 0)
		r = instance_create(lc, prepared, &options, &instance, err);
	if (r < 0)
		return r;
	r = run_to_end(prepared, wanted, &supervisor, caller, &instance, ret, err);
	if (r < 0)
		instance_abandon(lc, &instance);
	else
		destroy_or_defer(lc, &instance.entry, &instance.record);
	return r;
}

/* create.c - make a container up to the point where its program could be executed.
 *
 * Order, so that a crash between any two steps leaves only what the entry can name: entry and lock,
 * record, journal of the cgroups to come, cgroups, start FIFO, the process (journalled by the
 * engine's call back before it goes on), the record as complete, and only then init is told that it
 * may outlive us.
 */

#include "lifecycle/create.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/fd.h"
#include "base/strbuf.h"
#include "base/unix.h"
#include "lifecycle/console.h"
#include "lifecycle/destroy.h"
#include "lifecycle/report.h"

void instance_done(struct instance *instance)
{
	network_stop(&instance->network);
	engine_child_done(&instance->child);
	cgroup_done(&instance->cgroup);
	record_done(&instance->record);
	entry_close(&instance->entry);
}

static int on_child(void *data, pid_t pid, uint64_t start_ticks, struct err **err)
{
	struct instance *instance = data;

	instance->record.pid = pid;
	instance->record.start_ticks = start_ticks;
	return journal_add_process(&instance->entry, pid, start_ticks, err);
}

/* All that there is to say of it is known. */
static int complete_record(struct instance *instance, struct err **err)
{
	instance->record.cgroup = cgroup_view(&instance->cgroup);
	instance->record.is_complete = true;
	return record_write(&instance->entry, &instance->record, err);
}

static int on_made(void *data, struct err **err)
{
	struct instance *instance = data;

	instance->record.went_at_once = true;
	return complete_record(instance, err);
}

static char *on_state(void *data, const char *status, pid_t pid)
{
	const struct instance *instance = data;

	return state_for_hook(&instance->record, status, pid);
}

static int make_start_fifo(const struct entry *entry, int *ret_fd, struct err **err)
{
	if (mkfifoat(entry->dir_fd, STORE_START_FIFO, 0600) < 0)
		return store_fail(err, errno, "mkfifo", entry->dir_fd, STORE_START_FIFO);
	*ret_fd = openat(entry->dir_fd, STORE_START_FIFO, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
	if (*ret_fd < 0)
		return store_fail(err, errno, "open", entry->dir_fd, STORE_START_FIFO);
	return 0;
}

static int start_engine(const struct lifecycle *lc, const struct prepared *prepared,
			const struct instance_options *options, struct instance *instance,
			struct err **err)
{
	cleanup_close int start_fd = -1;
	struct engine_request request = {
		.plan = prepared->plan,
		.plan_arena = prepared->plan_arena,
		.facts = prepared->facts,
		.log = lc->log,
		.cgroup = &instance->cgroup,
		.console_socket_fd = options->console_socket_fd,
		.goes_at_once = options->goes_at_once,
		.on_made = on_made,
		.waiting = options->waiting,
		.target_pidfd = -1,
		.on_child = on_child,
		.state_json = on_state,
		.data = instance,
	};
	int r = 0;

	if (options->waits_for_start)
		r = make_start_fifo(&instance->entry, &start_fd, err);
	if (r < 0)
		return r;
	request.start_fd = start_fd;
	return prepared->engine->start(&request, &instance->child, err);
}

static int on_helper(void *data, pid_t pid, uint64_t start_ticks, struct err **err)
{
	struct instance *instance = data;

	return journal_add_process(&instance->entry, pid, start_ticks, err);
}

static int on_table(void *data, const char *path, dev_t device, ino_t inode, struct err **err)
{
	struct instance *instance = data;

	return journal_add_table(&instance->entry, path, device, inode, err);
}

/* init waits meanwhile, so nothing of the workload runs before the rules do. */
static int start_network(const struct prepared *prepared, struct instance *instance, struct err **err)
{
	const struct net_journal journal = { .add = on_helper, .add_table = on_table, .data = instance };

	return network_start(prepared->plan, instance->child.pid, instance->child.net_fd, &journal, &instance->network, err);
}

/* From here on init outlives us; its startContainer hooks get the state as it now is. */
static int tell_recorded(const struct plan *plan, struct instance *instance, struct err **err)
{
	cleanup_free char *state = NULL;

	if (plan->hooks[HOOK_START_CONTAINER].count) {
		state = state_for_hook(&instance->record, container_status_name(CONTAINER_CREATED), instance->child.pid);
		if (!state)
			return err_nomem(err);
	}
	return engine_recorded(&instance->child, state, err);
}

static int build(const struct lifecycle *lc, const struct prepared *prepared,
		 const struct instance_options *options, struct instance *instance,
		 struct err **err)
{
	int r = record_write(&instance->entry, &instance->record, err);

	if (r == 0)
		r = journal_add_cgroup(&instance->entry, &instance->cgroup, err);
	if (r == 0)
		r = cgroup_create(&instance->cgroup, prepared->plan, prepared->facts, lc->log, err);
	if (r == 0)
		r = start_engine(lc, prepared, options, instance, err);
	if (r == 0)
		r = start_network(prepared, instance, err);
	if (r < 0 || instance->record.is_complete)
		return r;
	/* A joined pid or user namespace makes init another process than the first child was. */
	instance->record.pid = instance->child.pid;
	instance->record.start_ticks = instance->child.start_ticks;
	r = complete_record(instance, err);
	return r < 0 ? r : tell_recorded(prepared->plan, instance, err);
}

void instance_abandon(const struct lifecycle *lc, struct instance *instance)
{
	pid_t pid = instance->child.pid;

	engine_child_done(&instance->child);
	destroy_or_defer(lc, &instance->entry, &instance->record);
	if (pid > 0)
		waitpid(pid, NULL, __WALL | WNOHANG);
}

int instance_create(const struct lifecycle *lc, const struct prepared *prepared,
		    const struct instance_options *options, struct instance *ret, struct err **err)
{
	const struct plan *plan = prepared->plan;
	int r;

	r = store_create(lc->store, plan->id, &ret->entry, err);
	if (r < 0)
		return r;
	r = cgroup_resolve(plan, prepared->facts, &ret->cgroup, err);
	if (r < 0) {
		store_remove(lc->store, &ret->entry, NULL);
		return r;
	}
	clock_now_rfc3339(true, ret->created);
	record_from_plan(&ret->record, plan, &ret->cgroup, ret->created);
	r = build(lc, prepared, options, ret, err);
	if (r < 0)
		instance_abandon(lc, ret);
	return r;
}

static bool may_be_native(const char *engine)
{
	return !engine || !strcmp(engine, native_engine.name);
}

struct engine_child *wait_for_plan(const struct plan_request *request, struct engine_child *ret)
{
	if (may_be_native(request->engine))
		(void)engine_wait_for_plan(request->preserve_fds, false, ret, NULL);
	return ret;
}

void wait_for_sandbox(const char *engine, struct engine_child *ret)
{
	if (may_be_native(engine))
		(void)engine_wait_for_plan(0, true, ret, NULL);
}

static int write_pid_file(const char *path, pid_t pid, struct err **err)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%d", (int)pid);
	int r = fd_replace_file(AT_FDCWD, path, text, (size_t)len, 0644);

	return r < 0 ? err_sys(err, E_PROCESS, -r, "write", path, NULL) : 0;
}

static int send_pidfd(const char *path, int pidfd, struct err **err)
{
	static const char name[] = "pidfd"; /* as runc calls it */
	cleanup_close int fd = unix_connect(path);
	int r = fd < 0 ? fd : unix_send_fd(fd, name, strlen(name), pidfd);

	return r < 0 ? err_sys(err, E_PROCESS, -r, fd < 0 ? "connect" : "sendmsg", path, NULL) : 0;
}

int announce(const struct announcement *announcement, const struct engine_child *child, struct err **err)
{
	int r = announcement->pid_file ? write_pid_file(announcement->pid_file, child->pid, err) : 0;

	if (r == 0 && announcement->pidfd_socket)
		r = send_pidfd(announcement->pidfd_socket, child->pidfd, err);
	return r;
}

int check_console(const struct plan *plan, const char *console_socket, struct err **err)
{
	if (!plan->process.terminal || console_socket)
		return 0;
	return err_set(err, E_TERMINAL, 0, "/process/terminal",
		       "cannot allocate tty if mxcrun will detach without setting console socket");
}

int check_no_console_socket(const char *console_socket, struct err **err)
{
	if (!console_socket)
		return 0;
	return err_set(err, E_TERMINAL, 0, NULL, "cannot use console socket if mxcrun will not detach or allocate tty");
}

int instance_create_detached(const struct lifecycle *lc, const struct create_request *request,
			     bool waits_for_start, struct prepared *prepared, struct instance *ret, struct err **err)
{
	cleanup_close int console_fd = -1;
	struct instance_options options = { .waits_for_start = waits_for_start, .waiting = request->waiting };
	int r = prepare_bundle(lc->facts, lc->log, &request->plan, prepared, err);

	if (r == 0)
		r = report_check(request->report, err);
	if (r == 0)
		r = check_console(prepared->plan, request->console_socket, err);
	if (r == 0 && request->console_socket)
		r = console_fd = console_connect(request->console_socket, err);
	if (r < 0)
		return r;
	options.console_socket_fd = console_fd;
	r = instance_create(lc, prepared, &options, ret, err);
	if (r < 0)
		return r;
	r = announce(&request->announcement, &ret->child, err);
	if (r == 0 && waits_for_start)
		r = report_write(request->report, prepared, "created", ret->child.pid, err);
	if (r < 0)
		instance_abandon(lc, ret);
	return r;
}

int lifecycle_create(const struct lifecycle *lc, const struct create_request *request,
		     struct err **err)
{
	cleanup_instance struct instance instance = INSTANCE_INIT;
	cleanup_prepared struct prepared prepared = PREPARED_INIT;

	return instance_create_detached(lc, request, true, &prepared, &instance, err);
}

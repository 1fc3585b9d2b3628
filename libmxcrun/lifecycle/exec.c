/* exec.c - one more process in a container that runs.
 *
 * What it is comes from the bundle's own configuration, changed by the command line, or from a process file; the rules that
 * a container's first process lives under (seccomp, ids, masks of its namespaces) hold for it as well. It is born in the
 * container's cgroup, so that limits and `kill --all` reach it, and dies with the container.
 */

#include "lifecycle/lifecycle.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/pid.h"
#include "base/strbuf.h"
#include "engine/engine.h"
#include "lifecycle/console.h"
#include "lifecycle/create.h"
#include "lifecycle/supervise.h"

#define CGROUP_FILE_MAX 65536u

/* A process that is being put into a container. */
struct execution {
	const struct lifecycle *lc;
	const struct exec_request *request;
	struct container container;
	struct prepared prepared;
	struct cgroup cgroup; /* a view, in the arena of the record */
	struct supervisor supervisor;
	struct console console;
	struct engine_child child;
	int pidfd, console_fd;
};
#define EXECUTION_INIT                                                    \
	{                                                                 \
		.container = CONTAINER_INIT, .prepared = PREPARED_INIT,   \
		.supervisor = SUPERVISOR_INIT, .console = CONSOLE_INIT,   \
		.child = ENGINE_CHILD_INIT, .pidfd = -1, .console_fd = -1 \
	}

static void execution_done(struct execution *e)
{
	engine_child_done(&e->child);
	fd_close_ptr(&e->console_fd);
	fd_close_ptr(&e->pidfd);
	console_done(&e->console);
	supervisor_done(&e->supervisor);
	prepared_done(&e->prepared);
	container_done(&e->container);
}
#define cleanup_execution __attribute__((cleanup(execution_done)))

static int check_status(const struct execution *e, struct err **err)
{
	/* Its view may still be the host's. A workload that takes this name keeps nothing away but exec. */
	if (e->container.record.went_at_once && pid_has_name(e->container.record.pid, ENGINE_SETUP_NAME))
		return err_set(err, E_STATE, EAGAIN, NULL, "cannot exec in a container that is being set up");
	switch (e->container.status) {
	case CONTAINER_RUNNING:
	case CONTAINER_CREATED:
		return 0;
	case CONTAINER_PAUSED:
		if (e->request->ignore_paused)
			return 0;
		err_set(err, E_STATE, 0, NULL, "cannot exec in a paused container");
		err_hint(err, "`resume` it, or use --ignore-paused");
		return -EBUSY;
	default:
		return err_set(err, E_STATE, 0, NULL, "cannot exec in a %s container",
			       container_status_name(e->container.status));
	}
}

/* Is that word one of a list with commas? */
static bool has_word(const char *list, size_t len, const char *word, size_t word_len)
{
	for (const char *at = list; at < list + len; at += strcspn(at, ",:") + 1)
		if (strcspn(at, ",:") == word_len && strncmp(at, word, word_len) == 0)
			return true;
	return false;
}

/* Does the hierarchy have one of the controllers in the list? A host may mount apart what the list names together. */
static bool has_controller(const struct cgroup_dir *dir, const char *list, size_t len)
{
	for (const char *at = dir->controllers; *at; at += strspn(at, ",")) {
		size_t word_len = strcspn(at, ",");

		if (has_word(list, len, at, word_len))
			return true;
		at += word_len;
	}
	return false;
}

static int enter_one(struct execution *e, struct cgroup_dir *dir, const char *path, size_t len, struct err **err)
{
	dir->path = arena_printf(e->container.record.arena, "%s/%.*s", dir->path, (int)len, path);
	if (!dir->path)
		return err_nomem(err);
	if (access(dir->path, F_OK) < 0)
		return err_sys(err, E_CGROUP, errno, "open", dir->path, "--cgroup");
	return 0;
}

/* "PATH" in all hierarchies, or "CONTROLLER[,CONTROLLER]:PATH" in some; below the container's own group, which "/" is. */
static int enter_subgroup(struct execution *e, const char *text, struct err **err)
{
	const char *colon = strchr(text, ':'), *path = colon ? colon + 1 : text;
	size_t changed = 0, len;
	int r = 0;

	path += strspn(path, "/");
	for (len = strlen(path); len && path[len - 1] == '/'; len--)
		;
	if (strstr(path, ".."))
		return err_set(err, E_USAGE, 0, NULL, "--cgroup: \"%.256s\" leads out of the container's group", text);
	for (size_t i = 0; i < e->cgroup.count && r == 0; i++) {
		struct cgroup_dir *dir = &e->cgroup.dirs[i];

		if (colon && !has_controller(dir, text, (size_t)(colon - text)))
			continue;
		r = len ? enter_one(e, dir, path, len, err) : 0;
		changed++;
	}
	if (r < 0 || changed)
		return r;
	return err_set(err, E_USAGE, 0, NULL, "--cgroup: the container has no group for \"%.256s\"", text);
}

/* A copy, because sub-groups change the paths. */
static int prepare_cgroup(struct execution *e, struct err **err)
{
	const struct cgroup *own = &e->container.record.cgroup;

	e->cgroup.resctrl = own->resctrl;
	e->cgroup.count = own->count;
	e->cgroup.dirs = arena_memdup(e->container.record.arena, own->dirs, own->count * sizeof(*own->dirs));
	if (own->count && !e->cgroup.dirs)
		return err_nomem(err);
	for (size_t i = 0; i < e->request->cgroups.count; i++) {
		int r = enter_subgroup(e, e->request->cgroups.items[i], err);

		if (r < 0)
			return r;
	}
	return 0;
}

static int open_target(struct execution *e, struct err **err)
{
	const struct record *record;
	int r = container_open(e->lc, e->request->plan.id, STORE_UNLOCKED, &e->container, err);

	if (r == 0)
		r = check_status(e, err);
	if (r < 0)
		return r;
	record = &e->container.record;
	e->pidfd = pid_open_verified(record->pid, record->start_ticks);
	if (e->pidfd < 0)
		return err_set(err, E_STATE, ESRCH, NULL, "cannot exec in a stopped container");
	return prepare_cgroup(e, err);
}

/* Only where nothing else would find the process when the container is deleted. */
static bool wants_journal(const struct execution *e)
{
	return !e->container.record.has_pid_namespace && e->cgroup.count == 0;
}

static int on_child(void *data, pid_t pid, uint64_t start_ticks, struct err **err)
{
	struct execution *e = data;

	return journal_add_process(&e->container.entry, pid, start_ticks, err);
}

/* The container's, whoever is asked about. */
static char *on_state(void *data, const char *status, pid_t pid)
{
	const struct execution *e = data;

	(void)status;
	(void)pid;
	return state_for_hook(&e->container.record, container_status_name(e->container.status), e->container.pid);
}

/* Path of the v2 group that a process is in, as that hierarchy names it; malloc'd, or NULL. */
static char *v2_group_of(pid_t pid)
{
	cleanup_free char *text = NULL;
	const char *line;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/cgroup", (int)pid);
	if (fd_read_file(AT_FDCWD, path, CGROUP_FILE_MAX, &text, NULL) < 0)
		return NULL;
	line = strncmp(text, "0::", 3) ? strstr(text, "\n0::") : text - 1;
	return line ? strndup(line + 4, strcspn(line + 4, "\n")) : NULL;
}

/* A workload that makes sub-groups with controllers (systemd, for one) takes its own group out of use for processes. Then the
 * new one goes where the container's init is, which must be below. False where there is no such place. */
static bool move_to_group_of_init(struct execution *e)
{
	cleanup_free char *group = v2_group_of(e->container.record.pid);

	for (size_t i = 0; group && i < e->cgroup.count; i++) {
		struct cgroup_dir *dir = &e->cgroup.dirs[i];
		/* what both have in common tells where the hierarchy is mounted */
		const char *below = dir->is_v2 ? strstr(group, strrchr(dir->path, '/')) : NULL;

		if (!below || strstr(below, ".."))
			continue;
		below += strlen(strrchr(dir->path, '/'));
		if (*below != '/')
			return false;
		dir->path = arena_printf(e->container.record.arena, "%s%s", dir->path, below);
		return dir->path != NULL;
	}
	return false;
}

/* Nobody is told of the process before it runs, no terminal is to be taken over, no supervisor of a filter to be answered. */
static bool goes_at_once(const struct execution *e)
{
	const struct announcement *told = &e->request->announcement;

	return !told->pid_file && !told->pidfd_socket && e->console_fd < 0 && e->console.socket_fd < 0 &&
	       !e->prepared.plan->process.seccomp.use_notify;
}

static int start_process(struct execution *e, struct err **err)
{
	const struct engine_request request = {
		.plan = e->prepared.plan,
		.plan_arena = e->prepared.plan_arena,
		.facts = e->prepared.facts,
		.log = e->lc->log,
		.cgroup = &e->cgroup,
		.start_fd = -1,
		.console_socket_fd = e->console_fd,
		.waiting = e->request->waiting,
		.target_pidfd = e->pidfd,
		.goes_at_once = goes_at_once(e),
		.on_child = wants_journal(e) ? on_child : NULL,
		.state_json = on_state,
		.data = e,
	};
	cleanup_err struct err *busy = NULL;
	int r = e->prepared.engine->start(&request, &e->child, &busy);

	if (r == -EBUSY && !e->request->cgroups.count && move_to_group_of_init(e))
		r = e->prepared.engine->start(&request, &e->child, err);
	else if (r < 0 && err)
		*err = take_ptr(busy);

	if (r == 0)
		r = engine_recorded(&e->child, NULL, err);
	fd_close_ptr(&e->console_fd);
	return r;
}

static int let_go(struct execution *e, struct err **err)
{
	int r = announce(&e->request->announcement, &e->child, err);

	if (r == 0 && e->console.socket_fd >= 0)
		r = console_attach(&e->console, err);
	if (r == 0 && (e->request->detach || e->request->on_started || !engine_start_is_open(&e->child)))
		r = engine_release(&e->child, err);
	return r;
}

/* With a console socket the terminal is the caller's affair; else it is relayed, which takes a supervisor. */
static int prepare_terminal(struct execution *e, struct err **err)
{
	const struct exec_request *request = e->request;

	if (!e->prepared.plan->process.terminal)
		return 0;
	if (request->console_socket) {
		e->console_fd = console_connect(request->console_socket, err);
		return e->console_fd < 0 ? e->console_fd : 0;
	}
	if (request->detach)
		return err_set(err, E_TERMINAL, 0, "/process/terminal",
			       "cannot allocate tty if mxcrun will detach without setting console socket");
	return console_prepare(&e->console, &e->console_fd, err);
}

static int wait_for_end(struct execution *e, struct supervised *ret, struct err **err)
{
	const struct plan *plan = e->prepared.plan;
	bool in_sandbox = plan->lifecycle.is_sandbox;
	const struct supervise_request request = {
		.child = &e->child,
		.caller_pidfd = -1,
		.console = e->console.master_fd >= 0 ? &e->console : NULL,
		.timeout_ms = in_sandbox ? plan->lifecycle.timeout_ms : 0,
		.leads_session = in_sandbox && plan->process.new_session,
		.shares_terminal = in_sandbox && !plan->process.new_session,
	};

	return supervise(&e->supervisor, &request, ret, err);
}

static int execute(struct execution *e, struct supervised *ret, struct err **err)
{
	const struct exec_request *request = e->request;
	enum signal_policy policy = e->prepared.plan->lifecycle.is_sandbox ? SIGNALS_END : SIGNALS_FORWARD;
	int r = request->detach ? 0 : supervisor_prepare(&e->supervisor, policy, err);

	if (r == 0)
		r = prepare_terminal(e, err);
	if (r == 0)
		r = start_process(e, err);
	if (r == 0)
		r = let_go(e, err);
	if (r == 0 && request->on_started)
		request->on_started(request->data);
	if (r == 0 && !request->detach)
		r = wait_for_end(e, ret, err);
	if (r < 0)
		engine_abandon(&e->child);
	return r;
}

int lifecycle_exec(const struct lifecycle *lc, const struct exec_request *request,
		   struct supervised *ret, struct err **err)
{
	cleanup_execution struct execution e = EXECUTION_INIT;
	int r;

	*ret = (struct supervised){ .cause = ENDED_BY_ITSELF };
	e.lc = lc;
	e.request = request;
	r = open_target(&e, err);
	if (r == 0 && request->prepare)
		r = request->prepare(request->data, &e.container.record, &e.prepared, err);
	else if (r == 0)
		r = prepare_exec(lc->facts, lc->log, request, &e.container.record, &e.prepared, err);
	return r < 0 ? r : execute(&e, ret, err);
}

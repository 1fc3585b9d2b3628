/* launch.c - the parent: make the child, put it where it belongs, talk it through to READY.
 *
 * launch.h is the theory of operation. Parent and child work at the same time: while the child
 * executes init and makes mounts, the parent journals it, and the gate is the only place where one
 * waits for the other. Whatever fails, the child is killed and reaped before the error is returned.
 * What is said meanwhile is in converse.c, the way by another program in carried.c.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/pid.h"
#include "base/strbuf.h"
#include "base/sys.h"
#include "engine/engine.h"
#include "engine/native/launching.h"
#include "engine/native/netns.h"
#include "host/explain.h"

void launch_list_fd(struct fd_list *list, const char *name, int fd)
{
	if (fd < 0)
		return;
	strbuf_printf(&list->text, "%s%s=%d", list->text.len ? "," : "", name, list->fds ? (int)list->count : fd);
	if (list->fds)
		list->fds[list->count++] = fd;
}

void launch_list_fds(const struct launch *l, struct fd_list *list)
{
	const struct { const char *name; int fd; } rows[] = {
		{ "plan", l->fds.plan }, { "start", l->fds.start }, { "console", l->fds.console }, { "life", l->fds.life },
		{ "listener", l->fds.listener }, { "target", l->fds.target }, { "proc", l->fds.proc }, { "input", l->fds.input },
		{ "output", l->fds.output }, { "errors", l->fds.errors },
	};

	for (size_t i = 0; i < array_size(rows); i++)
		launch_list_fd(list, rows[i].name, rows[i].fd);
	for (size_t i = 0; i < l->fds.idmapped_count; i++)
		launch_list_fd(list, "mount", l->fds.idmapped[i]);
	if (l->fds.net_is_late)
		strbuf_puts(&list->text, ",late=net");
}

/* All of it at once to the process that waits for it. */
static int send_launch(const struct launch *l, const struct engine_child *child, struct err **err)
{
	cleanup_free int *fds = calloc(l->tasks.count + l->fds.idmapped_count + LAUNCH_FDS_NAMED, sizeof(*fds));
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	struct fd_list list = { .text = STRBUF_INIT, .fds = fds };
	size_t sent = 0;
	int r = 0;

	if (!fds)
		return err_nomem(err);
	launch_list_fds(l, &list);
	launch_list_fd(&list, "cgroup", l->cgroup_fd);
	for (size_t i = 0; i < l->tasks.count; i++)
		launch_list_fd(&list, "task", l->tasks.fds[i]);
	if (l->request->facts->is_privileged)
		strbuf_puts(&list.text, ",by=root");
	if (l->request->facts->ignored_signals)
		strbuf_printf(&list.text, ",signals=%" PRIu64, l->request->facts->ignored_signals);
	text = list.text;
	if (text.failed)
		return err_nomem(err);
	for (; list.count - sent > SYNC_FDS_MAX && r == 0; sent += SYNC_FDS_MAX)
		r = sync_send_fds(child->sync_fd, SYNC_MORE, NULL, 0, fds + sent, SYNC_FDS_MAX);
	if (r == 0)
		r = sync_send_fds(child->sync_fd, SYNC_LAUNCH, text.data, (uint32_t)text.len, fds + sent, list.count - sent);
	/* one that has ended already answers for itself */
	return r < 0 && r != -EPIPE ? err_sys(err, E_PROCESS, -r, "sendmsg", "sync socket", NULL) : 0;
}

static int make_life(struct launch *l, struct engine_child *child, struct err **err)
{
	int pair[2];

	if (!l->request->plan->process.keep_init)
		return 0;
	if (pipe2(pair, O_CLOEXEC) < 0)
		return err_sys(err, E_PROCESS, errno, "pipe2", "life pipe", NULL);
	l->fds.life = l->life_end = pair[0];
	child->life_fd = l->parent_life = pair[1];
	return 0;
}

int launch_clone_failed(const struct launch *l, int errnum, struct err **err)
{
	int r = err_sys(err, E_PROCESS, errnum, "clone3", "a process in new namespaces", "/linux/namespaces");

	/* one that parted has its user namespace: another limit struck */
	if (l->is_userns_new && !l->is_apart)
		explain_userns(l->request->facts, errnum, err);
	return r;
}

int launch_register(struct launch *l, struct engine_child *child, struct err **err)
{
	int r;

	if (!l->request->on_child)
		return 0;
	r = pid_start_time(child->pid, &child->start_ticks, NULL);
	if (r < 0)
		return err_sys(err, E_PROCESS, -r, "read", "start time of init", NULL);
	return l->request->on_child(l->request->data, child->pid, child->start_ticks, err);
}

int launch_let_go(const struct engine_child *child, struct err **err)
{
	const char byte = SYNC_WORD;

	return send(child->sync_fd, &byte, 1, MSG_NOSIGNAL) == 1 ? 0 : err_sys(err, E_PROCESS, errno, "send", "sync socket", NULL);
}

static bool needs_maps(const struct launch *l)
{
	return l->is_userns_new && !l->is_apart &&
	       (l->carrier || !launch_maps_at_once(l->request->plan, l->request->facts->is_privileged, l->is_apart));
}

int launch_write_maps(struct launch *l, const struct engine_child *child, struct err **err)
{
	int r;

	if (l->carrier && (!l->carrier->go_on || !l->is_userns_new))
		return 0;
	if (l->carrier && l->carrier->userns == CARRIER_HAS_NO_RIGHTS)
		r = idmap_write_below(l->request->plan, child->pid, err);
	else
		r = needs_maps(l) ? idmap_write(l->request->plan, l->request->facts, child->pid, err) : 0;
	if (r < 0)
		return r;
	if (l->carrier)
		return l->carrier->go_on(l->carrier, err);
	return launch_needs_word(l->request->plan, l->request->facts->is_privileged, l->is_apart) ? launch_let_go(child, err) : 0;
}

/* Does it make the plan's namespaces, and nothing that the plan has not? */
static bool makes_namespaces(const struct plan *plan)
{
	static const enum plan_ns_kind kinds[] = { NS_USER, NS_MOUNT, NS_IPC, NS_UTS, NS_NET };
	bool has_all = plan->namespaces[NS_TIME].mode == NS_HOST && plan->namespaces[NS_PID].mode == NS_NEW;

	for (size_t i = 0; i < array_size(kinds); i++)
		has_all &= plan->namespaces[kinds[i]].mode == NS_NEW;
	return has_all;
}

/* The word of one that was to make a sandbox's namespaces. What failed there will be tried again with the container's process. */
static int hear_first(struct launch *l, struct engine_child *child, struct err **err)
{
	char buf[ERR_PACK_MAX];
	uint32_t len = 0, number = 0;
	int kind = sync_receive(child->sync_fd, buf, sizeof(buf), &len, SETUP_TIMEOUT_MS);

	if (kind == 0)
		return converse_vanished(child, err);
	if (kind == SYNC_ERROR)
		return converse_take_error(buf, len, err);
	if (kind != SYNC_APART || len != sizeof(number))
		return err_set(err, E_INTERNAL, kind < 0 ? -kind : EPROTO, NULL, "waiting for the sandbox's namespaces");
	memcpy(&number, buf, sizeof(number));
	l->is_apart = number == 0;
	return 0;
}

/* The process that waits for the plan: from before there was one, or from now. */
static int find_first(struct launch *l, struct engine_child *child, struct err **err)
{
	struct engine_child *waiting = l->request->waiting;
	int life_fd = child->life_fd, r = 0;

	if (waiting && waiting->is_apart && !makes_namespaces(l->request->plan))
		engine_abandon(waiting);
	if (waiting && waiting->pid > 0) {
		*child = *waiting;
		*waiting = (struct engine_child)ENGINE_CHILD_INIT;
	} else {
		r = engine_wait_for_plan(l->request->plan->process.preserve_fds, false, child, err);
	}
	child->life_fd = life_fd;
	child->plan = l->request->plan;
	child->cgroup = l->request->cgroup;
	return r == 0 && child->is_apart ? hear_first(l, child, err) : r;
}

/* Is nothing to be done at the gate that the process must be known for? */
static bool has_open_gate(const struct launch *l)
{
	const struct plan *plan = l->request->plan;

	return !launch_changes_process(plan, l->request->facts->is_privileged) && !plan->net_device_count &&
	       !plan->hooks[HOOK_PRESTART].count && !plan->hooks[HOOK_CREATE_RUNTIME].count && !plan->hooks[HOOK_CREATE_CONTAINER].count;
}

/* Nothing is left for us but to wait; each word of the child's would have us run in its place, in the middle of its set-up. Who is for
 * batches does not preempt (sched(7)). Whoever we make after a failure is not to inherit that. */
static bool change_policy(int from, int to)
{
	const struct sched_param none = { 0 };

	/* the raw calls: musl has none */
	return syscall(SYS_sched_getscheduler, 0) == from && syscall(SYS_sched_setscheduler, 0, to, &none) == 0;
}

/* What the child needs no answer for is said before it asks. One that ended already answers for itself: its error, not our
 * broken pipe. */
static int go_early(struct launch *l, struct engine_child *child, struct err **err)
{
	int r = has_open_gate(l) && !l->has_gone ? converse_go(l, child, err) : 0;

	/* else not before the process is in the journal and the devices are guarded */
	if (r == 0 && l->has_gone && l->request->plan->lifecycle.is_exec && !l->request->on_child) {
		r = converse_go_at_once(l, child, err);
		l->stands_back = l->stands_back || change_policy(SCHED_OTHER, SCHED_BATCH);
	}
	if (r == -EPIPE && err)
		err_free_ptr(err);
	return r == -EPIPE ? 0 : r;
}

/* Until the container's process is known, which may have said something before the one that made it did. Where that is its
 * failure we must know it all the same. */
static int meet_container(struct launch *l, struct engine_child *child, struct err **err)
{
	char buf[ERR_PACK_MAX];
	uint32_t len, number;
	int failure = 0;

	for (;;) {
		int kind = sync_receive(child->sync_fd, buf, sizeof(buf), &len, SETUP_TIMEOUT_MS);

		if (kind == SYNC_ERROR && !failure) {
			failure = converse_take_error(buf, len, err);
		} else if (kind == SYNC_READY) {
			child->is_ready = true;
		} else if ((kind == SYNC_BORN || kind == SYNC_UNBORN) && len == sizeof(number)) {
			memcpy(&number, buf, sizeof(number));
			if (kind == SYNC_UNBORN)
				return launch_clone_failed(l, (int)number, err);
			break;
		} else {
			return failure ? failure : converse_handle(l, child, kind, buf, len, err);
		}
	}
	l->first_pidfd = take_fd(child->pidfd);
	child->pid = (pid_t)number;
	child->pidfd = sys_pidfd_open(child->pid, 0);
	if (child->pidfd < 0)
		return failure ? failure : err_sys(err, E_PROCESS, errno, "pidfd_open", "init", NULL);
	return failure;
}

static int guard_devices(const struct launch *l, struct err **err)
{
	return cgroup_guard_devices(l->request->cgroup, l->request->plan, l->cgroup_fd, err);
}

/* An ordinary user may look at init's namespaces only until it has its id there: its memory belongs to the user namespace in which
 * it was executed, and is not dumpable from then on (ptrace(2), "Ptrace access mode checking"). */
static int keep_network(const struct launch *l, struct engine_child *child, struct err **err)
{
	char path[sizeof("/proc/2147483647/ns/net")];

	if (!l->is_userns_new || !plan_carries_network(l->request->plan))
		return 0;
	snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)child->pid);
	child->net_fd = open(path, O_RDONLY | O_CLOEXEC);
	return child->net_fd < 0 ? err_sys(err, E_NETWORK, errno, "open", path, NULL) : 0;
}

/* The filter of devices lets everybody make nodes (plan/from_oci_devices.c), so that init may do so meanwhile; but lists of v1
 * are empty while they are written. */
static int start_native(struct launch *l, struct engine_child *child, struct err **err)
{
	int r = find_first(l, child, err);

	if (r == 0 && l->is_apart)
		r = idmap_write(l->request->plan, l->request->facts, child->pid, err);
	if (r == 0 && !cgroup_guards_at_once(l->request->cgroup, l->request->plan))
		r = guard_devices(l, err);
	if (r == 0)
		r = send_launch(l, child, err);
	fd_close_ptr(&l->life_end);
	if (r == 0 && !launch_needs_word(l->request->plan, l->request->facts->is_privileged, l->is_apart))
		r = go_early(l, child, err);
	if (r == 0)
		r = meet_container(l, child, err);
	if (r == 0)
		r = launch_register(l, child, err);
	if (r == 0)
		r = keep_network(l, child, err);
	if (r == 0)
		r = launch_write_maps(l, child, err);
	if (r == 0)
		r = go_early(l, child, err);
	return r == 0 && cgroup_guards_at_once(l->request->cgroup, l->request->plan) ? guard_devices(l, err) : r;
}

static int send_notify_message(const struct launch *l, const struct engine_child *child, struct err **err)
{
	cleanup_free char *state = NULL, *message = NULL;
	int r;

	if (!l->request->plan->process.seccomp.use_notify)
		return 0;
	state = l->request->state_json(l->request->data, "creating", child->pid);
	message = notify_message(l->request->plan, state, child->pid);
	if (!message)
		return err_nomem(err);
	r = sync_send_text(child->sync_fd, SYNC_LISTENER, message);
	return r < 0 ? err_sys(err, E_PROCESS, -r, "sendmsg", "sync socket", NULL) : 0;
}

static int start(struct launch *l, struct engine_child *child, struct err **err)
{
	cleanup_close int container_net = -1;
	int r = idmapped_open(l->request->plan, l->request->facts, &l->fds, err);

	if (r == 0)
		r = notify_open(l->request->plan, &l->fds, err);
	if (r == 0)
		r = cgroup_open_tasks(l->request->cgroup, &l->tasks, err);
	if (r == 0)
		r = cgroup_clone_fd(l->request->cgroup, &l->cgroup_fd, err);
	if (r == 0)
		r = make_life(l, child, err);
	if (r == 0)
		r = l->carrier ? carrier_make_container(l, child, err) : start_native(l, child, err);
	if (r == 0)
		r = netdevices_move(l->request->plan, child->pid, &container_net, err);
	if (r < 0)
		return r;
	r = converse(l, child, err);
	if (r == 0)
		r = send_notify_message(l, child, err);
	if (r < 0)
		netdevices_return(l->request->plan, container_net);
	else
		cgroup_joined(l->request->cgroup);
	return r;
}

/* ---- the interface ---- */

void engine_abandon(struct engine_child *child)
{
	if (child->pidfd < 0)
		return;
	(void)sys_pidfd_send_signal(child->pidfd, SIGKILL);
	pid_reap(child->pidfd);
	engine_child_done(child);
	child->pid = -1;
}

int launch_start(const struct engine_request *request, struct carrier *carrier, struct engine_child *ret, struct err **err)
{
	struct engine_child child = ENGINE_CHILD_INIT;
	_Alignas(16) char stack[CHILD_STACK_SIZE]; /* not zeroed: only pages that it needs are touched */
	struct launch l = {
		.request = request,
		.carrier = carrier,
		.carrier_pidfd = -1,
		.first_pidfd = -1,
		.stack = stack,
		.fds = LAUNCH_FDS_NONE,
		.own_namespaces = JOINED_OWN_NONE,
		.image_fd = -1,
		.cgroup_fd = -1,
		.sync_end = -1,
		.parent_sync = -1,
		.parent_life = -1,
		.life_end = -1,
		.is_userns_new = request->plan->namespaces[NS_USER].mode == NS_NEW,
		.own_ids = launch_own_ids(request->plan),
		.lacks_setgid = carrier && carrier->userns == CARRIER_HAS_RIGHTS && idmap_denies_setgroups(request->plan, request->facts),
	};
	int r;

	/* others make it themselves */
	l.fds.net_is_late = !carrier && netns_can_be_late(request->plan, request->facts);
	l.fds.plan = arena_fd(request->plan_arena);
	l.fds.start = request->start_fd;
	l.fds.target = request->target_pidfd;
	l.fds.console = request->console_socket_fd;
	r = carrier ? carrier_open_fds(carrier, &l.fds, err) : 0;
	if (r == 0)
		r = start(&l, &child, err);
	carrier_end(&l.carrier_pidfd);
	if (r < 0)
		engine_abandon(&child);
	if (r < 0 && l.stands_back)
		(void)change_policy(SCHED_BATCH, SCHED_OTHER);
	if (l.first_pidfd >= 0)
		pid_reap(l.first_pidfd);
	fd_close_ptr(&l.first_pidfd);
	fd_close_ptr(&l.sync_end);
	fd_close_ptr(&l.life_end);
	fd_close_ptr(&l.image_fd);
	fd_close_ptr(&l.cgroup_fd);
	fd_close_ptr(&l.fds.listener);
	fd_close_ptr(&l.fds.proc);
	fd_close_ptr(&l.fds.input);
	fd_close_ptr(&l.fds.output);
	fd_close_ptr(&l.fds.errors);
	free(l.argument);
	(void)joined_return(&l.own_namespaces, NULL);
	idmapped_close(&l.fds);
	joined_close(&l.fds);
	cgroup_tasks_done(&l.tasks);
	if (r < 0) {
		engine_child_done(&child);
		return r;
	}
	*ret = child;
	return 0;
}

static int native_start(const struct engine_request *request, struct engine_child *ret, struct err **err)
{
	return launch_start(request, NULL, ret, err);
}

void engine_child_done(struct engine_child *child)
{
	fd_close_ptr(&child->pidfd);
	fd_close_ptr(&child->sync_fd);
	fd_close_ptr(&child->life_fd);
	fd_close_ptr(&child->net_fd);
}

/* The plan builders refuse what is not lowered; what is left is what this host's user may do. */
static int native_unsupported(const struct plan *plan, const struct host_facts *facts, struct err **err)
{
	if (plan->namespaces[NS_MOUNT].mode == NS_HOST)
		return err_set(err, E_UNSUPPORTED, EOPNOTSUPP, "/linux/namespaces", "a mount namespace is needed");
	if (!facts->is_privileged && plan->namespaces[NS_USER].mode == NS_HOST && facts->euid != 0) {
		int r = err_set(err, E_UNSUPPORTED, EOPNOTSUPP, "/linux/namespaces",
				"an ordinary user needs a user namespace for a container");

		err_hint(err, "add {\"type\": \"user\"} with uidMappings and gidMappings, as `mxcrun spec --rootless` does");
		return r;
	}
	return 0;
}

const struct engine native_engine = { .name = "native", .unsupported = native_unsupported, .start = native_start };

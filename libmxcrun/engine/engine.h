/* engine.h - whoever carries out a plan. An engine reads the plan and nothing else.
 *
 * The life of one container: start() brings it to "ready, waiting for start" and returns the running
 * object; the caller writes its record and calls engine_recorded(); then either hands over (create) or
 * calls engine_release() to let the workload run (run). From READY on all engines are alike: the first process is our
 * init, whoever has started it, and is our child. So signals, waiting, limits and clean-up are the life cycle's own, and
 * one more process for a container (exec) is always the native engine's.
 */
#ifndef MXCRUN_ENGINE_ENGINE_H
#define MXCRUN_ENGINE_ENGINE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/log.h"
#include "cgroup/cgroup.h"
#include "engine/native/hooks.h"
#include "host/facts.h"
#include "plan/plan.h"

struct engine_request {
	const struct plan *plan;
	struct arena *plan_arena;	/* the sealed, shared arena that holds the plan */
	const struct host_facts *facts;
	const struct log *log;
	const struct cgroup *cgroup;	/* made already */
	int start_fd;			/* FIFO for `start` (create), -1 for run; stays the caller's */
	int console_socket_fd;		/* connected; -1: none; stays the caller's */
	struct engine_child *waiting;	/* of engine_wait_for_plan(): taken over by start() of the native engine; NULL or none: it makes one */
	int target_pidfd;		/* exec: the container's init, so that its number still means it; else -1 */
	bool goes_at_once;		/* nothing but on_made() is to be done before the workload runs: init does not wait for a word after
					 * the gate, engine_recorded() and engine_release() don't send one, and start() may return before
					 * READY: what fails then is told by engine_release() */
	int (*on_made)(void *data, struct err **err);	/* with that: write down "created", for init may then outlive us; NULL: no need */
	/* Called when the child exists and before anything in it goes on: the journal entry of the process. NULL: it needs none,
	 * and its start time is not asked for. */
	int (*on_child)(void *data, pid_t pid, uint64_t start_ticks, struct err **err);
	/* Gives the OCI state JSON for hooks; malloc'd. */
	char *(*state_json)(void *data, const char *status, pid_t pid);
	void *data;
};

struct engine_child {
	pid_t pid;			/* init (= the workload unless plan.process.keep_init) in our pid namespace */
	uint64_t start_ticks;
	int pidfd;
	int sync_fd;			/* parent's end */
	int life_fd;			/* write end; keep_init only */
	int net_fd;			/* its network namespace, where plan_carries_network() and it has a new user namespace; else -1 */
	const struct plan *plan;	/* of the engine_request, which both outlive the child: what it was born to; NULL while it waits */
	const struct cgroup *cgroup;
	bool is_released;		/* goes_at_once: all has been said */
	bool is_ready;			/* READY has come */
	bool has_started;		/* its execve is known to have succeeded */
	bool is_apart;			/* waits for a sandbox's plan, in namespaces made for that */
};
#define ENGINE_CHILD_INIT { .pid = -1, .pidfd = -1, .sync_fd = -1, .life_fd = -1, .net_fd = -1 }
void engine_child_done(struct engine_child *child);	/* closes descriptors, kills nothing */

struct engine {
	const char *name;
	/* What it can't enforce of this plan on this host, and what it lacks itself: 0, or -errno with E_UNSUPPORTED naming the
	 * field, or E_HOST with what to install. Called before anything is made. */
	int (*unsupported)(const struct plan *plan, const struct host_facts *facts, struct err **err);
	/* Start up to READY. On failure the child is dead and reaped, and nothing of it is left. */
	int (*start)(const struct engine_request *request, struct engine_child *ret, struct err **err);
};

extern const struct engine native_engine, bwrap_engine, lxc_engine;

/* By its name; NULL: there is none of that name. */
const struct engine *engine_find(const char *name);

/* waiting.c: let a process execute init while the plan is made; preserve_fds is what the plan will say. That of a sandbox makes its
 * namespaces, too. Whoever ends up without a plan for it abandons it. */
int engine_wait_for_plan(uint32_t preserve_fds, bool is_sandbox, struct engine_child *ret, struct err **err);

/* ---- whoever started it ---- */

/* Kill and reap a child whose later steps failed; nothing for one that never was. */
void engine_abandon(struct engine_child *child);
#define cleanup_waiting __attribute__((cleanup(engine_abandon)))

/* The record says "created". state: the OCI state for startContainer hooks from now on; NULL without such. */
int engine_recorded(struct engine_child *child, const char *state, struct err **err);

/* run: let the workload go; returns when execve succeeded, or the error. Once more: 0. */
int engine_release(struct engine_child *child, struct err **err);

/* It has ended, and is not reaped: an error where the kernel killed it for want of memory while it was still init. */
int engine_check_executed(const struct engine_child *child, struct err **err);

/* Init was killed; plan: NULL if it is not known. An error in words where it was for want of memory, else 0. */
#define ENGINE_BEFORE_PROGRAM "before it executed the program"
int engine_check_memory(const struct cgroup *cgroup, const struct plan *plan, const char *when, struct err **err);

/* It went at once, and nobody has looked whether it has arrived. */
static inline bool engine_start_is_open(const struct engine_child *child)
{
	return child->is_released && !child->has_started;
}

/* The name of a process whose container is being set up (pid_has_name()). A program's own never looks like that. */
#define ENGINE_SETUP_NAME "mxcrun: set-up"
/* And of a sandbox that has no workload of its own: running, and stopped. */
#define ENGINE_HELD_NAME "mxcrun-init"
#define ENGINE_STOPPED_NAME "mxcrun-stopped"
/* What it does at these, from outside: end all that has joined it and be stopped; be running again. */
#define ENGINE_STOP_SIGNAL SIGUSR1
#define ENGINE_GO_SIGNAL SIGUSR2

#endif

/* lifecycle.h - what can be done with containers and sandboxes: one function an operation, each in
 * a file of its name. The command line is a thin layer above this header.
 *
 * A container's status is never stored: it is read off the kernel each time (state.c).
 */
#ifndef MXCRUN_LIFECYCLE_LIFECYCLE_H
#define MXCRUN_LIFECYCLE_LIFECYCLE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/json.h"
#include "base/log.h"
#include "lifecycle/prepare.h"
#include "lifecycle/store.h"
#include "lifecycle/supervise.h"

/* Where an operation works, what it knows of the host, and where its warnings go. */
struct lifecycle {
	const struct store *store;
	struct host_facts *facts; /* the user part is read; others when an operation needs them */
	const struct log *log;
};

/* ---- state.c: one container, looked at ---- */

enum container_status {
	CONTAINER_CREATING,
	CONTAINER_CREATED,
	CONTAINER_RUNNING,
	CONTAINER_PAUSED,
	CONTAINER_STOPPED,
	CONTAINER_STATUS_MAX
};
const char *container_status_name(enum container_status status);

struct container {
	struct entry entry;
	struct record record;
	enum container_status status;
	pid_t pid; /* 0 when it has no process */
};
#define CONTAINER_INIT                                     \
	{                                                  \
		.entry = ENTRY_INIT, .record = RECORD_INIT \
	}
void container_done(struct container *container);
#define cleanup_container __attribute__((cleanup(container_done)))

/* E_NOT_FOUND, or E_RECORD when its record can't be read. */
int container_open(const struct lifecycle *lc, const char *id, enum store_lock lock,
		   struct container *ret, struct err **err);

/* is_locked: by the caller, so that nobody can be at work on it. */
enum container_status container_status(const struct entry *entry, const struct record *record,
				       bool is_locked);

/* End it when it runs without who was to end it in time (limit.h). 1: *status has changed, 0, -errno. */
int container_hold_to_limit(const struct lifecycle *lc, const struct entry *entry, const struct record *record, bool is_locked,
			    enum container_status *status, struct err **err);

/* The members of the OCI state object, for hooks; the runtime's own ones as well, for people. */
enum state_form { STATE_FOR_HOOK, STATE_FOR_USER };
void state_put(struct json_writer *w, const struct record *record, const char *status, pid_t pid,
	       enum state_form form);
/* The compact object that hooks get on stdin; malloc'd, NULL when out of memory. */
char *state_for_hook(const struct record *record, const char *status, pid_t pid);

/* ---- the operations ---- */

/* To be called first of all, with what the plan will be made from: while that is read, init starts. What fails here the engine
 * tries again, and reports. Returns ret, which stays the caller's to abandon. */
struct engine_child *wait_for_plan(const struct plan_request *request, struct engine_child *ret);

struct create_request {
	struct plan_request plan;
	const char *console_socket; /* NULL: none */
	const char *report;	    /* file for the enforcement record; NULL: none */
	struct announcement announcement;
	struct engine_child *waiting; /* of wait_for_plan(); NULL: none */
};
int lifecycle_create(const struct lifecycle *lc, const struct create_request *request,
		     struct err **err);

struct run_options {
	bool detach; /* leave it running */
	bool keep;   /* leave it in the store when it has ended */
};
/* *ret_exit_code: the workload's, 128 + N for a signal; 0 when detached. */
int lifecycle_run(const struct lifecycle *lc, const struct create_request *request,
		  const struct run_options *options, int *ret_exit_code, struct err **err);

/* A name that no other sandbox has: "sandbox-" and 16 random hex digits. */
#define SANDBOX_ID_SIZE 32u
int sandbox_new_id(char id[SANDBOX_ID_SIZE], struct err **err);

/* To be called before its plan is made, and when nothing else is waited for any more: init starts meanwhile. What fails here the
 * engine tries again, and reports. engine: the one asked for; NULL: none. */
void wait_for_sandbox(const char *engine, struct engine_child *ret);

struct sandbox_options {
	struct engine_child *waiting;	 /* of wait_for_sandbox(); NULL: none */
	const char *report;		 /* file for the enforcement record; NULL: none */
	void (*on_running)(void *data);	 /* NULL: nobody is told */
	void *data;
};

/* Run a sandbox from its plan to its end and take it away; SIGINT, SIGTERM, SIGHUP and SIGQUIT end
 * it. */
int lifecycle_sandbox(const struct lifecycle *lc, const struct prepared *prepared, const struct sandbox_options *options,
		      struct supervised *ret, struct err **err);

/* One more process. Its bundle is the record's; *ret says how it ended, and nothing of one that was detached. */
int lifecycle_exec(const struct lifecycle *lc, const struct exec_request *request,
		   struct supervised *ret, struct err **err);

int lifecycle_start(const struct lifecycle *lc, const char *id, struct err **err);

/* all: every process of its cgroup, also after init has died. */
int lifecycle_kill(const struct lifecycle *lc, const char *id, int signal, bool all,
		   struct err **err);

/* is_forced: a running one too, and an absent one is no error. */
int lifecycle_delete(const struct lifecycle *lc, const char *id, bool is_forced, struct err **err);

/* For checkpoint and restore by the criu program; NULL: its own default. Paths are absolute. */
struct checkpoint_options {
	const char *image_path; /* never NULL */
	const char *work_path, *parent_path, *manage_cgroups;
	const char *criu_program; /* a name to be looked up in PATH, or a path; NULL: criu */
	const char *criu_config; /* a file of criu's own options; filled in from the annotation org.criu.config */
	const char *lsm_profile, *lsm_mount_context;
	const char *page_server; /* "ADDRESS:PORT": where the pages go */
	const char *status_fd;	 /* number of a descriptor of the caller's, which criu writes to */
	bool leave_running, pre_dump, tcp_established, tcp_skip_in_flight, ext_unix_sk, shell_job, file_locks,
		link_remap, auto_dedup, lazy_pages, empty_network;
};

/* Save a running container; it is gone then, poststop hooks included, unless it is left running. */
int lifecycle_checkpoint(const struct lifecycle *lc, const char *id, const struct checkpoint_options *options,
			 struct err **err);

/* Make a container from a bundle and a saved image. *ret_exit_code as for lifecycle_run(). */
int lifecycle_restore(const struct lifecycle *lc, const struct create_request *request,
		      const struct checkpoint_options *options, bool detach, int *ret_exit_code, struct err **err);

/* The same as forced for one that exists; E_NOT_FOUND for one that does not. */
int lifecycle_delete_existing(const struct lifecycle *lc, const char *id, struct err **err);

int lifecycle_pause(const struct lifecycle *lc, const char *id, struct err **err);
int lifecycle_resume(const struct lifecycle *lc, const char *id, struct err **err);

/* Other limits for what the resources name, and other schemata when rdt is given; the rest stays as it is. */
int lifecycle_update(const struct lifecycle *lc, const char *id,
		     const struct oci_resources *resources, const struct oci_intel_rdt *rdt, struct err **err);

/* The processes in its cgroup, as we number them, none of one that is stopped; malloc'd. */
int lifecycle_pids(const struct lifecycle *lc, const char *id, pid_t **ret, size_t *ret_count,
		   struct err **err);

/* Report what it uses now (interval_ms 0), or again and again until its end and each out-of-memory kill: emit gets compact
 * objects as runc's `events` has them. */
int lifecycle_events(const struct lifecycle *lc, const char *id, int interval_ms,
		     int (*emit)(void *data, const char *event, struct err **err), void *data,
		     struct err **err);

/* What its network policy has let through and refused so far: one object of the type "network". E_STATE when none is in
 * force. */
int lifecycle_network_events(const struct lifecycle *lc, const char *id,
			     int (*emit)(void *data, const char *event, struct err **err), void *data,
			     struct err **err);

/* Calls visit for every container whose record can be read, sorted by id; others are warnings. */
int lifecycle_list(const struct lifecycle *lc,
		   int (*visit)(void *data, const struct container *container, struct err **err),
		   void *data, struct err **err);

/* Take away what crashes have left: entries whose creator died, sandboxes whose supervisor is gone.
 * reason NULL: reclaimed; else it has to wait, and why. Returns the number of deferred ones. */
int lifecycle_gc(const struct lifecycle *lc,
		 void (*report)(void *data, const char *id, const struct err *reason), void *data,
		 struct err **err);

/* Signal number of "TERM", "SIGTERM", "sigterm", "15", "RTMIN+1"; -EINVAL. */
int signal_parse(const char *text);

#endif

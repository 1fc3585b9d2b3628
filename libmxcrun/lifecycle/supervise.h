/* supervise.h - stay with a container until it ends: signals, time limit, terminal.
 *
 * Used by `run` and `mxc run`, which differ in what a signal to the supervisor means. */
#ifndef MXCRUN_LIFECYCLE_SUPERVISE_H
#define MXCRUN_LIFECYCLE_SUPERVISE_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "engine/engine.h"
#include "lifecycle/console.h"

/* What SIGINT, SIGTERM, SIGHUP and SIGQUIT do when they reach us. */
enum signal_policy {
	SIGNALS_FORWARD, /* the container gets them, like every other signal */
	SIGNALS_END,	 /* the sandbox is killed */
};

struct supervisor {
	enum signal_policy policy;
	int signal_fd;
	sigset_t saved_mask;
	bool is_blocking;
};
#define SUPERVISOR_INIT         \
	{                       \
		.signal_fd = -1 \
	}

/* Before the container is made: from here on signals wait until supervise() can act on them, so
 * that none can end us in the middle. */
int supervisor_prepare(struct supervisor *supervisor, enum signal_policy policy, struct err **err);
void supervisor_done(struct supervisor *supervisor);
#define cleanup_supervisor __attribute__((cleanup(supervisor_done)))

enum end_cause { ENDED_BY_ITSELF, ENDED_BY_TIMEOUT, ENDED_BY_SIGNAL };

struct supervised {
	enum end_cause cause;
	int status; /* as wait(2) gives it */
	int signal; /* ENDED_BY_SIGNAL: ours */
};

struct supervise_request {
	struct engine_child *child;	  /* our own child process; it may have to start yet, engine_start_is_open() */
	uint32_t timeout_ms;		  /* 0: none; counts from now */
	int caller_pidfd;		  /* whose end is a SIGTERM to us; -1: nobody's */
	struct console *console;	  /* NULL: its standard I/O is its own */
	bool leads_session;		  /* of its own: when it is killed, so is its process group */
	bool shares_terminal; /* the workload is in our foreground group: the terminal's own
			       * SIGINT reaches it without us */
};

/* Until the child has ended and is reaped; or what kept it from starting is the error. After a timeout or a fatal signal it is killed with its
 * pid namespace; what else is in its cgroup is the caller's to destroy. */
int supervise(const struct supervisor *supervisor, const struct supervise_request *request,
	      struct supervised *ret, struct err **err);

/* 0..255, or 128 + N. */
int supervised_exit_code(int status);

#endif

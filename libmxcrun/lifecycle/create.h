/* create.h - from a plan to a container that is ready and recorded; the one way for create, run and
 * mxc run. */
#ifndef MXCRUN_LIFECYCLE_CREATE_H
#define MXCRUN_LIFECYCLE_CREATE_H

#include "base/clock.h"
#include "engine/engine.h"
#include "lifecycle/lifecycle.h"
#include "lifecycle/prepare.h"
#include "net/network.h"

/* A container that this process has made. Closing it frees the lock and descriptors, and leaves the
 * container as it is. */
struct instance {
	struct entry entry;
	struct record record;
	struct cgroup cgroup;
	struct engine_child child;
	struct network network;
	char created[CLOCK_TEXT_SIZE];
};
#define INSTANCE_INIT                                                                  \
	{                                                                              \
		.entry = ENTRY_INIT, .record = RECORD_INIT, .child = ENGINE_CHILD_INIT, .network = NETWORK_INIT \
	}
void instance_done(struct instance *instance);
#define cleanup_instance __attribute__((cleanup(instance_done)))

struct instance_options {
	struct engine_child *waiting; /* for the plan; NULL or none: the engine makes one itself */
	bool waits_for_start;  /* on the start FIFO: `create` */
	bool goes_at_once;     /* the workload need not wait until it is known to be set up */
	int console_socket_fd; /* -1: none */
};

/* On failure nothing is left. On success the record is durable, init waits, and survives us if it
 * is not a sandbox. */
int instance_create(const struct lifecycle *lc, const struct prepared *prepared,
		    const struct instance_options *options, struct instance *ret, struct err **err);

/* The bundle's way up to there for create and run --detach: with its console socket and pid file. *prepared is the caller's
 * to close, for the plan's texts are the record's. */
int instance_create_detached(const struct lifecycle *lc, const struct create_request *request,
			     bool waits_for_start, struct prepared *prepared, struct instance *ret, struct err **err);

/* Undo a creation whose later steps failed; what can't be undone is a warning and is gc's. */
void instance_abandon(const struct lifecycle *lc, struct instance *instance);

/* Who detaches needs a console socket for a terminal: nobody would be there to relay it. (A socket without a terminal is the
 * planner's to find.) Who stays relays it, and takes none. */
int check_console(const struct plan *plan, const char *console_socket, struct err **err);
int check_no_console_socket(const char *console_socket, struct err **err);

int announce(const struct announcement *announcement, const struct engine_child *child, struct err **err);

#endif

/* launching.h - a launch while it is made: between launch.c, carried.c and converse.c.
 */
#ifndef MXCRUN_ENGINE_NATIVE_LAUNCHING_H
#define MXCRUN_ENGINE_NATIVE_LAUNCHING_H

#include <stdbool.h>
#include <stdint.h>

#include "base/strbuf.h"
#include "engine/engine.h"
#include "engine/native/parent.h"

#define CHILD_STACK_SIZE 4096	/* raw calls from one small frame */
#define SETUP_TIMEOUT_MS 120000		/* mounts may wait for a network file system; hooks have limits of their own */

/* Of all that a carrier's child needs nothing is made after it exists: it may not allocate or format. */
struct launch {
	const struct engine_request *request;
	struct carrier *carrier;	/* NULL: we make the container ourselves */
	int carrier_pidfd;		/* its process, from when init is known */
	int first_pidfd;		/* the process that waited for the plan, from when the container's is known */
	struct launch_fds fds;		/* the child's ends; read by the child, so fixed once it exists */
	int sync_end, life_end;		/* our copies of the same, closed while the child may still read the above */
	int parent_sync, parent_life;	/* our own ends, of which the child is born with copies */
	int image_fd;
	int cgroup_fd;	/* of v2, or -1 */
	char *argument;
	struct joined_own own_namespaces;
	struct cgroup_tasks tasks;
	struct own_ids own_ids;		/* of a carrier in the new user namespace */
	bool lacks_setgid;		/* a carrier there that would call setgroups, which is denied, with the capability for it */
	bool is_userns_new;
	bool is_apart;		/* the process that waited has made the namespaces */
	bool has_gone;		/* SYNC_GO has been sent */
	bool stands_back;	/* we were SCHED_OTHER and are SCHED_BATCH */
	char *stack;		/* the carrier's until it executes its program, so it lives as long as we talk */
};

/* Descriptors by name, for init: by their numbers, which a carrier's init inherits, or, with an array, by their places in it. */
struct fd_list {
	struct strbuf text;
	int *fds;
	size_t count;
};

/* launch.c: one, where there is it (fd >= 0), and all that a container has by either way. */
void launch_list_fd(struct fd_list *list, const char *name, int fd);
void launch_list_fds(const struct launch *l, struct fd_list *list);

/* launch.c: the process is known: into the journal with it, before it goes on. */
int launch_register(struct launch *l, struct engine_child *child, struct err **err);

/* launch.c: the maps of its new user namespace, and the word to go on, where it waits for that. */
int launch_write_maps(struct launch *l, const struct engine_child *child, struct err **err);
int launch_let_go(const struct engine_child *child, struct err **err);

/* launch.c: why there is no process, always < 0. */
int launch_clone_failed(const struct launch *l, int errnum, struct err **err);

/* carried.c: what init needs, and then the program up to an init that waits for its maps. */
int carrier_open_fds(const struct carrier *carrier, struct launch_fds *fds, struct err **err);
int carrier_make_container(struct launch *l, struct engine_child *child, struct err **err);

/* converse.c: talk with init until it is ready, or has all it needs. */
int converse(struct launch *l, struct engine_child *child, struct err **err);

/* converse.c, in pieces for a launch that knows sooner what to say: SYNC_GO; the last word, where init needn't wait for it; one
 * message of init's, 0 or its failure. -EPIPE: it has ended, and its own words tell why. */
int converse_go(struct launch *l, struct engine_child *child, struct err **err);
int converse_go_at_once(struct launch *l, struct engine_child *child, struct err **err);
int converse_handle(struct launch *l, struct engine_child *child, int kind, const char *buf, uint32_t len, struct err **err);

/* converse.c: always < 0: the error of a packed record; that of an end without one. */
int converse_take_error(const char *buf, uint32_t len, struct err **err);
int converse_vanished(const struct engine_child *child, struct err **err);

#endif

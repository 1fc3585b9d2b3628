/* parent.h - the parent's side of a launch: launch.c uses what idmap.c, image.c and joined.c provide. */
#ifndef MXCRUN_ENGINE_NATIVE_PARENT_H
#define MXCRUN_ENGINE_NATIVE_PARENT_H

#include <stdbool.h>

#include "base/err.h"
#include "engine/engine.h"
#include "engine/native/joined.h"
#include "engine/native/launch.h"
#include "host/facts.h"
#include "plan/plan.h"

/* idmap.c: uid_map, gid_map and setgroups of a fresh child. */
int idmap_write(const struct plan *plan, const struct host_facts *facts, pid_t pid, struct err **err);

/* Those of a process in a user namespace below the one that has them already: the kernel takes them only from a member of that. */
int idmap_write_below(const struct plan *plan, pid_t pid, struct err **err);

bool idmap_denies_setgroups(const struct plan *plan, const struct host_facts *facts);

/* The same for a user namespace that is the map of a mount. */
int idmap_write_mount(const struct plan_mount *mount, const struct host_facts *facts, pid_t pid, struct err **err);

/* idmapped.c: the idmapped mounts of the plan, in its order, as detached trees in fds->idmapped. */
int idmapped_open(const struct plan *plan, const struct host_facts *facts, struct launch_fds *fds, struct err **err);
void idmapped_close(struct launch_fds *fds);

/* netdevices.c: move the plan's interfaces into the network namespace of the child, all or none, and hold that namespace
 * in *ret_container_ns (unchanged without devices), so that they can come back from it when the child is gone. */
int netdevices_move(const struct plan *plan, pid_t pid, int *ret_container_ns, struct err **err);
void netdevices_return(const struct plan *plan, int container_ns);

/* notify.c: the supervisor's socket into fds->listener, when the filter notifies one; and the message for it, malloc'd, of the
 * OCI state (NULL: no memory) and the process. NULL on failure. */
int notify_open(const struct plan *plan, struct launch_fds *fds, struct err **err);
char *notify_message(const struct plan *plan, const char *state, pid_t pid);

/* Who makes the plan's new user namespace, or one above it. */
enum carrier_userns {
	CARRIER_MAKES_ITS_OWN,	/* the program alone */
	CARRIER_HAS_RIGHTS,	/* we, with the plan's maps; the program makes none, and has all rights in it */
	CARRIER_HAS_NO_RIGHTS,	/* we, for the place; the program has no rights in it, and makes the plan's below */
};

/* Another program that makes the container in our place, up to executing our init (engine/bwrap/run.c). launch.c starts it
 * where it would execute init, and talks to that init as ever. Once init is ready the program is ended, and init becomes
 * our own child. */
struct carrier {
	const char *name;	/* for people */
	const char *program;	/* absolute path */
	char *const *argv;	/* by prepare() */
	char *const *envp;	/* NULL: none */
	enum carrier_userns userns;
	int *fds;		/* what it inherits beside what init inherits; by prepare() */
	size_t fd_count;
	int errors_fd;		/* a memfd in place of its standard error */
	int streams_fd;		/* in place of the other two, which init gets back; -1: it has the caller's */
	bool is_lxc;		/* init tells its number itself, and is left what LXC doesn't do */
	void *data;
	/* argument is init's, to be executed from image_fd. */
	int (*prepare)(struct carrier *carrier, int image_fd, const char *argument, struct err **err);
	/* Wait until init's process exists; it must not go on before its id maps are written and go_on() says so. go_on NULL: it writes
	 * them itself. */
	int (*find_init)(struct carrier *carrier, int sync_fd, pid_t *ret, struct err **err);
	int (*go_on)(struct carrier *carrier, struct err **err);
	struct calls *place;	/* what the child does before it executes the program; NULL: nothing; by prepare() */
};

/* launch.c: start() of an engine, with a carrier or, NULL, without. */
int launch_start(const struct engine_request *request, struct carrier *carrier, struct engine_child *ret, struct err **err);

/* carried.c: the program's last words as an error, once it has ended or can't be waited for any longer. pidfd is its own. */
int carrier_failed(const struct carrier *carrier, int pidfd, struct err **err);
/* End the program and reap it; init, where it lives, is our child then. */
void carrier_end(int *pidfd);
/* Is that process a child of the other? */
bool carrier_is_child(pid_t pid, pid_t parent);

/* image.c: a sealed memfd with the init program, close-on-exec. Descriptor or -errno; the first by raw calls (clone.h). */
int raw_image_open(void);
int image_open(struct err **err);

#endif

/* parts.h - what the files of engine/lxc share. */
#ifndef MXCRUN_ENGINE_LXC_PARTS_H
#define MXCRUN_ENGINE_LXC_PARTS_H

#include "engine/lxc/emit.h"

struct lxc_emitter {
	struct arena *arena;
	const struct plan *plan;
	const struct lxc_use *use;
	struct lxc_container *out;
	const char *unfit;	/* a key whose value its configuration can't hold */
};

static inline bool lxc_is_run(const struct lxc_emitter *e)
{
	return e->use->target == TARGET_LXC_RUN;
}

/* A line of the configuration. */
void lxc_put(struct lxc_emitter *e, const char *key, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* mounts.c: the root and all that is mounted in it. */
int lxc_put_mounts(struct lxc_emitter *e, struct err **err);

/* seccomp.c: the filter's rules as a policy of version 2. */
int lxc_put_seccomp(struct lxc_emitter *e, struct err **err);

#endif

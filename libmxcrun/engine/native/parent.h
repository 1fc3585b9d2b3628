/* parent.h - the parent's side of a launch: launch.c uses what idmap.c, image.c and joined.c provide. */
#ifndef MXCRUN_ENGINE_NATIVE_PARENT_H
#define MXCRUN_ENGINE_NATIVE_PARENT_H

#include "base/err.h"
#include "engine/native/launch.h"
#include "host/facts.h"
#include "plan/plan.h"

/* idmap.c: uid_map, gid_map and setgroups of a fresh child. */
int idmap_write(const struct plan *plan, const struct host_facts *facts, pid_t pid, struct err **err);

/* image.c: a sealed memfd with the init program, close-on-exec. Descriptor or -errno. */
int image_open(struct err **err);

/* joined.c: open and type-check (NS_GET_NSTYPE) every namespace file of the plan into fds->ns. */
int joined_open(const struct plan *plan, struct launch_fds *fds, struct err **err);
void joined_close(struct launch_fds *fds);

/* clone3 flag of a kind, e.g. CLONE_NEWNS. */
int joined_flag(enum plan_ns_kind kind);

#endif

/* emit.h - a plan as a container of LXC 5: its configuration, what it stands on, and the command that runs it. A pure function
 * of the plan, and of which files there are in the kernel's /proc and /sys. What LXC has no key for is refused or named
 * (engine/items.h). */
#ifndef MXCRUN_ENGINE_LXC_EMIT_H
#define MXCRUN_ENGINE_LXC_EMIT_H

#include "engine/items.h"
#include "engine/oci/emit.h"

#define LXC_MOUNT_PLACE "mount"	/* in the folder: where LXC builds the root */
#define LXC_SECCOMP_FILE "seccomp"
#define LXC_CONFIG_FILE "config"

/* What makes the difference between a text and a run of ours. */
struct lxc_use {
	enum engine_target target;	/* TARGET_LXC or TARGET_LXC_RUN */
	const char *folder;	/* absolute: all files lie in it */
	const char *root;	/* a run: where the root is ready */
	const char *trees;	/* a run: here lies, named by the number of the step, what is bound; else NULL */
	const char *const *ready;	/* a run: for each step, not NULL where it is done when LXC starts */
	bool userns_is_there;	/* a run: LXC starts in the container's user namespace */
	bool is_unified;	/* the host has cgroup v2 alone */
	enum kernel_object (*look)(const char *path);	/* what is at a path below /proc or /sys; not of a run */
};

struct lxc_container {
	struct strbuf config, seccomp;	/* seccomp is empty without a filter */
	struct oci_files files;		/* beside them, in the folder */
	const char **argv;		/* NULL-terminated */
	size_t count;
};
#define LXC_CONTAINER_INIT { .config = STRBUF_INIT, .seccomp = STRBUF_INIT }
#define cleanup_lxc_container __attribute__((cleanup(lxc_container_done)))
void lxc_container_done(struct lxc_container *container);

/* E_UNSUPPORTED names what can't be said. */
int lxc_emit(struct arena *arena, const struct plan *plan, const struct lxc_use *use, struct lxc_container *ret, struct err **err);

/* {"config", "seccomp", "argv"} */
void lxc_print_json(struct lxc_container *container, struct strbuf *out);

#endif

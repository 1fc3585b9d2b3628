/* items.h - all that a plan can ask of an engine, item by item, and what each engine does about it.
 *
 * One table (items.c) says it. Engines refuse by it, `emit` names by it what its text doesn't carry, and
 * docs/engines-matrix.md is printed from it. tests/unit/test_plan_print.c prints a plan that has everything and fails
 * when a member of it belongs to no item: a new member of plan.h needs its place in the table.
 */
#ifndef MXCRUN_ENGINE_ITEMS_H
#define MXCRUN_ENGINE_ITEMS_H

#include <string.h>

#include "base/err.h"
#include "base/image.h"
#include "base/path.h"
#include "base/sys.h"
#include "base/strbuf.h"
#include "plan/plan.h"

/* Who can be given a plan beside the native engine, which does all that is in one. */
enum engine_target {
	TARGET_OCI,	/* `emit oci` */
	TARGET_BWRAP,	/* `emit bwrap` */
	TARGET_BWRAP_RUN,	/* --engine bwrap */
	TARGET_LXC,	/* `emit lxc` */
	TARGET_LXC_RUN,	/* --engine lxc */
	TARGET_MAX
};

/* The N of bubblewrap 0.N: the oldest that serves; and since when it has what only some plans need. */
enum bwrap_version { BWRAP_OLDEST = 5, BWRAP_SIZE = 7, BWRAP_ARGV0 = 9, BWRAP_OVERLAY = 11 };
#define BWRAP_VERSION BWRAP_SIZE	/* for which a text is written where nobody says */

/* What the kernel of this host has at a path of /proc or /sys, for a text that masks it. */
enum kernel_object { OBJECT_ABSENT, OBJECT_FILE, OBJECT_DIRECTORY };

enum item_how {
	ITEM_UNKNOWN,	/* the table has no entry: refused */
	ITEM_REFUSED,	/* what: why */
	ITEM_CARRIED,	/* what: by which field or option */
	ITEM_DIFFERS,	/* carried out with a difference that `emit` names; what: which */
	ITEM_OUTSIDE,	/* not carried: whoever runs it has to see to it; what: to what */
	ITEM_NOTHING,	/* says nothing that could be enforced */
};

struct item_support {
	enum item_how how;
	image_pointer(const char *) what;
	unsigned int since;	/* ITEM_NEWER_BWRAP: the N of bubblewrap 0.N; 0: a newer one is no better */
};

/* Beside the targets: what `emit bwrap` does for a bubblewrap that has more than the oldest. */
enum { ITEM_NEWER_BWRAP = TARGET_MAX, ITEM_COLUMNS };

typedef const char *item_asker(const struct plan *plan);

struct engine_item {
	image_pointer(const char *) name;
	image_pointer(const char *) members;	/* of the printed plan, separated by spaces; all below a name are meant with it */
	/* NULL: this plan does not ask for it; else the pointer of the field that does, "" where none is known. items.c adds
	 * where among several. */
	image_pointer(item_asker *) asked;
	struct item_support by[ITEM_COLUMNS];
};

extern const struct engine_item engine_items[];
extern const size_t engine_item_count;

/* What the target does about the item; bwrap is the N of bubblewrap 0.N for which TARGET_BWRAP writes, else not used. A run does by the
 * same means what the text says, unless the table has something else for it. But what the text only tells its reader of is nothing
 * that a run may leave undone: the table has to speak of that. */
struct item_support items_support(const struct engine_item *item, enum engine_target target, unsigned int bwrap);

/* 0, or E_UNSUPPORTED with the first item that is refused. */
int items_check(const struct plan *plan, enum engine_target target, unsigned int bwrap, struct err **err);

/* The items of this plan that the target carries with a difference or not at all: visited in order. */
void items_visit_notes(const struct plan *plan, enum engine_target target, unsigned int bwrap,
		       void (*visit)(void *data, const struct engine_item *item, const struct item_support *support), void *data);

/* Is this member of the printed plan ("process.umask") spoken of? */
bool items_cover(const char *member);

/* The table as docs/engines-matrix.md. */
void items_print_matrix(struct strbuf *out);

/* Of the flags for the tree below a bind, those that bwrap's bind doesn't give it: its only recursive ones are nosuid, and
 * with nodev also read-only. init sets the rest. */
static inline uint64_t mount_flags_left(const struct plan_mount *mount)
{
	uint64_t flags = mount->attr_set_recursive;

	return flags & ~(flags & SYS_ATTR_NODEV ? SYS_ATTR_RDONLY | SYS_ATTR_NOSUID | SYS_ATTR_NODEV : SYS_ATTR_NOSUID);
}

/* A file system that bwrap has no option for; init mounts it. What is at /dev/pts comes with bwrap's own /dev. */
static inline bool mount_is_left(const struct plan_mount *mount)
{
	return mount->kind == MOUNT_CGROUP ||
	       (mount->kind == MOUNT_FILESYSTEM && strcmp(mount->fstype, "tmpfs") != 0 && strcmp(mount->fstype, "proc") != 0 &&
		strcmp(mount->fstype, "mqueue") != 0 && strcmp(mount->destination, "/dev/pts") != 0);
}

/* What LXC has no key for, or takes away again; init makes it. */
static inline bool mount_is_left_by_lxc(const struct plan_mount *mount)
{
	return mount->kind == MOUNT_CGROUP || mount->kind == MOUNT_SYMLINK || mount->kind == MOUNT_DIRECTORY ||
	       (mount->kind == MOUNT_FILESYSTEM && !strcmp(mount->fstype, "devpts") && !strcmp(mount->destination, "/dev/pts"));
}

/* The last step that reaches the path, or all that lies around it; NULL: none does. */
static inline const struct plan_mount *mount_last_at(const struct plan *plan, const char *path)
{
	for (size_t i = plan->mount_count; i > 0; i--)
		if (path_is_within(path, plan->mounts[i - 1].destination) && plan->mounts[i - 1].kind != MOUNT_REMOUNT)
			return &plan->mounts[i - 1];
	return NULL;
}

/* The plan's first mount step that is of the policy's mount point "/": the attributes of a whole root. */
static inline bool mount_is_root_remount(const struct plan_mount *mount)
{
	return mount->kind == MOUNT_REMOUNT && mount->destination[0] == '/' && !mount->destination[1];
}

#endif

/* mounts.h - what the files of the mount stage share. */
#ifndef MXCRUN_ENGINE_NATIVE_MOUNTS_H
#define MXCRUN_ENGINE_NATIVE_MOUNTS_H

#include <sys/stat.h>

#include "engine/native/init.h"

/* mount.c: which mount a descriptor lies on, and whether it is that mount's root. False before Linux 5.8. */
struct mount_identity {
	uint64_t id;
	bool is_root;
};
bool mount_identify(int fd, struct mount_identity *ret);

/* The object itself, or the one of that name in a directory, whatever is mounted there, without following a link. */
int mount_look_at(int dir_fd, const char *name, struct mount_object *ret);

/* mount_legacy.c: the primitives of init.h by mount(2). */
int legacy_new_filesystem(struct init *init, const char *fstype, const char *source,
			  const struct plan_option *options, size_t option_count, unsigned int attrs);
int legacy_clone(struct init *init, int dir_fd, const char *path, unsigned int flags);
int legacy_attach(struct init *init, int tree_fd, int target_fd);
int legacy_bind(struct init *init, int source_fd, int target_fd);
int legacy_set(struct init *init, int fd, unsigned int flags, const struct sys_mount_attr *attr);

/* Before Linux 6.15 only an attached mount can be cloned. This place is in the old root, goes with it, and hides nothing
 * that a policy can grant: host paths below /proc are refused. */
#define MOUNT_WORK_PLACE "/proc"

#define PROCFS_ATTRS (SYS_ATTR_NOSUID | SYS_ATTR_NODEV | SYS_ATTR_NOEXEC)	/* of init's own */
#define ROOTFS_VIEW_SIZE "16m"	/* of the tmpfs that is the root of a view */

/* deny.c: after the last mount step. */
#define DENY_COVER_ATTRS (SYS_ATTR_NOSUID | SYS_ATTR_NODEV | SYS_ATTR_NOEXEC)
int deny_finish(struct init *init, struct err **err);
/* A cover that later steps have opened needs no more mount points. */
int deny_close_reopened(struct init *init, const struct plan_mount *mount, struct err **err);

/* mounts.c: attach and prove that the destination shows it. */
int mounts_attach_verified(struct init *init, const struct plan_mount *mount, int tree_fd, int target_fd,
			   struct err **err);

/* mounts.c: the error for what is found to be something else than what was mounted there. */
int mounts_changed(const struct plan_mount *mount, struct err **err);

/* mounts_place.c: put the tree of a bind in its place, if that is one of several in one directory; else *ret_is_done is false, and
 * the caller does it. Before any other step, and after the last, the directory is to be left. */
int place_attach(struct init *init, const struct plan_mount *mount, int tree_fd, const struct mount_object *tree,
		 bool *ret_is_done, struct err **err);
int place_leave(struct init *init, struct err **err);
/* Takes the descriptor of a tree that is in its place over, to be closed when that is left, with others. */
void place_keep(struct init *init, int *tree_fd);
/* Make a link in that directory, or in the root itself. False: it has another place, or something is there. */
bool place_symlink(const struct init *init, const struct plan_mount *mount, const char *text);

/* mounts.c: what lies behind a descriptor. 0 or -errno. */
int mounts_look_at(const struct init *init, int fd, struct mount_object *ret);
/* Is the object of a bind the one that the plan was made for? */
int mounts_check_identity(const struct plan_mount *mount, const struct mount_object *found, struct err **err);
/* Flags of the mount and of the tree below it. */
int mounts_set_flags(struct init *init, int fd, const struct plan_mount *mount, struct err **err);

/* One step. After a bind the directory of its place may have to be left. */
int mounts_apply_step(struct init *init, const struct plan_mount *mount, struct err **err);

/* mounts_cgroup.c: MOUNT_CGROUP. */
int mounts_apply_cgroup(struct init *init, const struct plan_mount *mount, struct err **err);

/* copyup.c: copy directories, regular files and symlinks of one directory (O_PATH) into another, with
 * mode and owner; of the directories themselves the owner alone, and of that what is asked for. 0 or -errno. */
int copyup_tree(int from_fd, int to_fd, bool with_uid, bool with_gid);

#endif

/* init.h - the stages of the container's init, in the order in which init.c calls them.
 *
 * Each stage is one file and one function: it takes what the plan lists and decides nothing. All
 * return 0 or -errno with *err set; init.c sends the error to the parent and exits.
 */
#ifndef MXCRUN_ENGINE_NATIVE_INIT_H
#define MXCRUN_ENGINE_NATIVE_INIT_H

#include "base/err.h"
#include "base/sys.h"
#include "engine/native/hooks.h"
#include "engine/native/launch.h"
#include "plan/plan.h"

/* mount_legacy.c: what stands in for the mount API where the kernel has none. */
struct mount_legacy {
	bool is_used;
	int fds_fd;		/* /proc/self/fd of the host's procfs: names for descriptors */
	int stage_fd;		/* where mounts wait that have no place yet */
	unsigned int count;	/* of names used there */
};

/* mount.c: what an object is and which mount it is seen through. */
struct mount_object {
	uint64_t mount_id;	/* 0: before Linux 5.8 */
	uint64_t dev, ino;
	mode_t mode;
};

/* mounts_place.c: the directory of the last binds. */
struct mount_place {
	const struct plan_mount *mount;	/* one of them; NULL: no directory is open */
	int dir_fd;
	struct mount_object dir;
	int kept[64];			/* descriptors that are closed together, of the 1024 or more that a process may have */
	size_t kept_count;
};

struct init {
	const struct plan *plan;
	struct launch_fds fds;
	int root_fd;		/* O_PATH of the new root, once it is a mount of our namespace; -1 before */
	int proc_fd;		/* private detached procfs of the container's pid namespace (invariant 7); -1 where the
				 * kernel allows none: then the host's, opened before pivot_root and checked */
	bool proc_is_own;	/* and of an instance made here */
	int apart_errno;	/* why the namespaces of LAUNCH_APART can't be had; 0: they can */
	bool net_is_beside;	/* birth.c: the process before this one makes the network namespace, fds.net_is_late; and its result: */
	int beside_net;		/* 1 + descriptor; 0: not yet; -1: none */
	bool has_passed;	/* the gate */
	bool has_all_cpus;	/* scheduling_take_all_cpus() */
	bool root_is_entered;	/* by another engine, before any mount of ours */
	char *state_json;	/* OCI state for hooks that run in here, from the GO message; NULL without such hooks */
	char *program;		/* found by exec_look_up */
	const char **env;	/* the plan's with HOME added; NULL: the plan's as it is */
	char *listener_message;	/* for the supervisor of a notifying filter; NULL: none */
	int label_proc_fd;	/* the host's procfs, for label.c; -1 without a profile */
	int covers_fd;		/* deny.c: the shared covers, made when first needed; -1 before */
	int map_fd;		/* deny.c: a user namespace that maps no owner of a cover; -1 before it is needed */
	uid_t euid;		/* deny.c: outside of that namespace */
	gid_t egid;
	struct mount_legacy legacy;
	struct mount_place place;
	struct readonly_later {
		int *fds;	/* malloc'd, as many as the plan has mounts */
		size_t count;
		int dev_fd;
	} readonly_later;	/* mounts_readonly.c: mounts, by their roots */
};

/* birth.c, of the process that waits: enter LAUNCH_APART, and tell the parent; where there is no user namespace for it fds.is_apart
 * becomes false, what else fails is apart_errno. Later, take the message with the plan and the other descriptors; then make the container's process, which
 * goes on with run() and reports its own errors. Returns only on failure. */
void birth_part(struct init *init);
int birth_receive(struct init *init, char *buf, uint32_t size, struct err **err);
int birth_give(struct init *init, int (*run)(struct init *init, struct err **err), struct err **err);

/* Later, of the container's process: wait for the network namespace that the other makes, into fds.ns; -1 there: it could not be made. */
int birth_take_net(struct init *init, struct err **err);

/* init.c: "name=N,name=N": written by launch.c, so anything odd is a bug, not input. N is a descriptor, or a place among those
 * received. 0 or -errno. */
int launch_fds_parse(const char *text, const int *received, size_t count, struct launch_fds *fds);

/* namespaces.c: enter joined namespaces; when a second process is needed (joined pid or user
 * namespace) the first one does not return. Then loopback, host name, domain name. */
int namespaces_join(struct init *init, struct err **err);
int namespaces_configure(struct init *init, struct err **err);
int namespaces_late_net(struct init *init, struct err **err);
int namespaces_new_cgroup(struct init *init, struct err **err);
int namespaces_new_ipc(const struct init *init, struct err **err);

/* rootfs.c: propagation of "/", init->root_fd; later pivot_root (or MS_MOVE and chroot) and the root's
 * own flags and propagation. After rootfs_enter the process stands in "/" of the new root. */
int rootfs_prepare(struct init *init, struct err **err);
int rootfs_enter(struct init *init, struct err **err);

/* The last of the two alone. */
int rootfs_finish(struct init *init, struct err **err);

/* sources.c: open them all, in a joined user namespace; take the one of a bind, or of the root (NULL): -1 when init has to
 * open it for itself, whose failure then is the one to report. */
int sources_open(struct init *init, struct err **err);
int source_take(struct init *init, const struct plan_mount *mount);

/* mounts.c: all mount steps in order (deny.c does MOUNT_DENY). */
int mounts_apply(struct init *init, struct err **err);

/* mounts_readonly.c: a file system that is made writable, and read-only later. remember() once it is attached; apply() when
 * mounts and devices are there, apply_dev() when the console is. */
bool readonly_is_late(const struct plan_mount *mount);
int readonly_remember(struct init *init, const struct plan_mount *mount, struct err **err);
int readonly_apply(struct init *init, struct err **err);
int readonly_apply_dev(struct init *init, struct err **err);

/* mount.c: how mounts are made, given flags and put in place, all by descriptors (invariant 3); by the mount API or,
 * where init->legacy says so, by mount(2). Without struct err, because callers know the field.
 *
 * A detached mount of a new file system, or -errno. *ret_refused, where wanted, is set to the option that
 * the file system refused. */
int mount_new_filesystem(struct init *init, const char *fstype, const char *source,
			 const struct plan_option *options, size_t option_count, unsigned int attrs,
			 const char **ret_refused);
/* As open_tree(2) with OPEN_TREE_CLONE, move_mount(2) and mount_setattr(2) by descriptors: -1 with errno. mount_bind()
 * is the first two at once, and the only one that makes a mount after pivot_root. */
int mount_clone(struct init *init, int dir_fd, const char *path, unsigned int flags);
int mount_attach(struct init *init, int tree_fd, int target_fd);
int mount_bind(struct init *init, int source_fd, int target_fd);
int mount_set(struct init *init, int fd, unsigned int flags, const struct sys_mount_attr *attr);

/* mount_legacy.c: look whether the kernel lacks the mount API, and make ready for it then; after the propagation of "/". */
int mount_legacy_open(struct init *init, struct err **err);

/* deny.c */
int deny_apply(struct init *init, const struct plan_mount *mount, struct err **err);

/* adjust.c: bring the mounts that another engine has made to what the plan says of them. */
int adjust_mounts(struct init *init, struct err **err);

/* devices.c: nodes and links of /dev. masks.c: masked and read-only paths. */
int devices_make(struct init *init, struct err **err);
int devices_reopen_null(struct init *init, struct err **err);
int masks_apply(struct init *init, struct err **err);

/* regions.c: what the policy restricts of the finished tree. */
int regions_apply(struct init *init, struct err **err);

/* procfs.c: open init->proc_fd when a later stage writes there; later sysctls, oom_score_adj, and its
 * end unless the workload's own user namespace still needs it. */
int procfs_open(struct init *init, struct err **err);
/* Instead, where another engine has made the mounts: the host's, as we were given it. */
int procfs_take(struct init *init, struct err **err);
/* For a process that joins a container and makes a user namespace in it. */
int procfs_open_joined(struct init *init, struct err **err);
int procfs_apply(struct init *init, struct err **err);
/* The host's /proc, proven to be the root of a procfs: descriptor (O_PATH) or -errno. And is fd on a procfs? 0 or -errno. */
int procfs_open_host(void);
int procfs_check(int fd);
/* This process' own files on init->proc_fd, whatever its ids are by now. Descriptor or 0, or -errno. */
int procfs_open_self(const struct init *init, const char *name, int flags);
int procfs_write_self(const struct init *init, const char *name, const char *text);

/* time.c: offsets of the clocks in a new time namespace; procfs.c calls it while it can write there. */
int time_set_offsets(struct init *init, struct err **err);

/* label.c: open what it takes while the host's /proc is in sight; then set the profile for the coming execve. */
int label_open(struct init *init, struct err **err);
int label_apply(struct init *init, struct err **err);

/* terminal.c: the pty of process.terminal: becomes stdio and controlling terminal, /dev/console;
 * its master goes over fds.console. Runs after rootfs_enter. */
int terminal_setup(struct init *init, struct err **err);

/* scheduling.c: scheduler, io priority, personality, memory policy, cpus. The first of them sooner, where the process is in its cgroup
 * and was put on one CPU: where the plan says so it may run on all that the group has; once more: nothing. */
int scheduling_take_all_cpus(struct init *init, struct err **err);
int scheduling_apply(struct init *init, struct err **err);

/* limits.c: rlimits, umask, session keyring. */
int limits_apply(struct init *init, struct err **err);

/* credentials.c: ids, groups, capabilities, no_new_privs, inner user namespace; last before execve. */
int credentials_apply(struct init *init, struct err **err);

/* landlock.c: what the workload may use of the file system; after no_new_privs, before the filter. */
int landlock_apply(struct init *init, struct err **err);

/* listener.c: load the filter, and hand on its listener when it has one. */
int seccomp_load(struct init *init, struct err **err);

/* exec.c: chdir with checks and the program's path as the container's user (no side effects but cwd),
 * and the last step, which returns only on failure (seccomp is loaded in it). */
int exec_look_up(struct init *init, char **ret_program, struct err **err);
int exec_workload(struct init *init, const char *program, struct err **err);

/* home.c: init->env, where the plan asks for HOME. */
int home_add(struct init *init, struct err **err);

/* reaper.c: be pid 1 of a sandbox: fork the workload (which runs `run` and reports its own errors on the sync socket), reap, exit
 * with its code. Does not return on success. */
int reaper_run(struct init *init, int (*run)(struct init *init, struct err **err), struct err **err);
/* The same without a workload. */
int reaper_stay(struct init *init, struct err **err);

/* init.c: wait at the gate, once; the network namespace is ours then. */
int init_pass_gate(struct init *init, struct err **err);

/* init.c: send an error to whoever listens, and exit with its code. */
int init_fail(const struct init *init, struct err *err) __attribute__((noreturn));

#endif

/* plan.h - everything that will be done, in order, as data.
 *
 * Built once by plan_from_oci() or plan_from_policy() out of configuration, decisions and host facts;
 * printed by plan_print(); carried out by an engine, which reads nothing else. The whole plan
 * lives in one arena. For the native engine that arena is shared with the container's init (see base/mem.h),
 * so the plan holds only plain data: no descriptors, no function pointers, nothing outside the arena.
 *
 * If an item is not in here it does not happen; if it is, every engine enforces it or refuses it by
 * name before anything starts. `pointer` members name the config field an item came from, for errors.
 */
#ifndef MXCRUN_PLAN_PLAN_H
#define MXCRUN_PLAN_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/types.h>

#include "base/mem.h"
#include "base/sys.h"
#include "host/facts.h"
#include "policy/net_policy.h"

#define PLAN_UNSET_ID UINT32_MAX

/* ---- namespaces and id maps ---- */

enum plan_ns_kind { NS_USER, NS_CGROUP, NS_IPC, NS_UTS, NS_NET, NS_PID, NS_MOUNT, NS_TIME, NS_MAX };

/* Its file in /proc/PID/ns. */
static inline const char *plan_ns_file(enum plan_ns_kind kind)
{
	static const char *const files[NS_MAX] = {
		[NS_USER] = "user", [NS_CGROUP] = "cgroup", [NS_IPC] = "ipc", [NS_UTS] = "uts",
		[NS_NET] = "net", [NS_PID] = "pid", [NS_MOUNT] = "mnt", [NS_TIME] = "time",
	};

	return files[kind];
}
enum plan_ns_mode { NS_HOST, NS_NEW, NS_JOIN };

struct plan_ns {
	enum plan_ns_mode mode;
	const char *path;		/* NS_JOIN: absolute path of the namespace file */
	const char *pointer;
};

struct plan_idmap {
	uint32_t inside, outside, count;
};

struct plan_idmaps {
	struct plan_idmap *items;
	size_t count;
};

/* Of a clock in a new time namespace, time_namespaces(7). */
struct plan_time_offset {
	bool is_set;
	int64_t seconds;
	uint32_t nanoseconds;
};

/* ---- cgroup ---- */

enum plan_cgroup_manager { CGROUP_MANAGER_CGROUPFS, CGROUP_MANAGER_SYSTEMD, CGROUP_MANAGER_DISABLED };

/* One value as the kernel file takes it. The builder lowers every limit for the host's layout, so that
 * a cgroup backend only writes: controller names the v1 hierarchy or the v2 controller. */
struct plan_cgroup_write {
	const char *controller;		/* "memory", "cpu", "pids", ... */
	const char *file;		/* "memory.max", "cpu.cfs_quota_us", ... */
	const char *value;
	bool is_optional;		/* an absent file is fine: the kernel has nothing then that this would limit (swap) */
	const char *usage_file;		/* an update is refused when the number in this file is above value; NULL: not looked at */
	const char *pointer;
};

struct plan_device_rule {
	bool allow;
	char type;			/* 'a', 'b', 'c' */
	int64_t major, minor;		/* -1: any */
	bool read, write, mknod;
};

/* As systemd's StartTransientUnit takes it: signature is "s", "b", "i", "u", "x", "t" or "as". */
struct plan_unit_property {
	const char *name;
	char signature[sizeof("as")];
	const char *const *values;	/* NULL-terminated: one, or the list's */
};

struct plan_cgroup {
	enum plan_cgroup_manager manager;
	const char *path;		/* below the cgroup root(s), starts with "/", cleaned; NULL when disabled */
	const char *slice, *scope;	/* systemd manager only */
	struct plan_unit_property *unit_properties;	/* likewise, beside those of the limits */
	size_t unit_property_count;
	struct plan_cgroup_write *writes;
	size_t write_count;
	struct plan_device_rule *device_rules;	/* in order, last match wins; default deny */
	size_t device_rule_count;
	bool wants_devices;		/* false: no device filter (rootless, where the kernel refuses it) */
	bool required;			/* false: a group that can't be made is only a warning and the container runs in the caller's (no limit
					 * was asked for, rootless) */
	/* the same limits for humans and other engines; printed by `plan` */
	int64_t memory_bytes, cpu_quota_us, cpu_period_us, pids;	/* 0 when not limited */
};

/* A class of the resctrl file system: shares of caches and of memory bandwidth. */
struct plan_rdt {
	bool is_set;
	bool is_named;			/* by closID: may exist already; else it is the container's own */
	bool is_monitored;		/* by a group of the container's own within the class */
	bool needs_occupancy, needs_bandwidth;	/* what that has to count */
	const char *class_name;		/* one component; "": the root class, which always exists */
	const char *schemata;		/* lines as its file takes them, each with a newline; NULL: left as it is */
};

/* ---- root and mounts ---- */

enum plan_root_kind {
	ROOT_BUNDLE,			/* a directory of the host */
	ROOT_VIEW,			/* an empty tmpfs that the mount steps fill from the host */
	ROOT_IMAGE,			/* a directory of the host below a tmpfs that takes what is written */
};

#define PLAN_PROPAGATION_UNSET 0u	/* else MS_SHARED, MS_SLAVE, MS_PRIVATE, MS_UNBINDABLE, with MS_REC */

struct plan_root {
	enum plan_root_kind kind;
	const char *path;		/* ROOT_BUNDLE, ROOT_IMAGE: absolute */
	bool is_readonly;		/* made read-only after the last mount step */
	unsigned long propagation;
	bool use_chroot;		/* --no-pivot: MS_MOVE + chroot */
};

enum plan_mount_kind {
	MOUNT_BIND,			/* source is a host path */
	MOUNT_FILESYSTEM,		/* fstype: proc, sysfs, tmpfs, devpts, mqueue, overlay, ... */
	MOUNT_CGROUP,			/* the container's view of its own cgroup (v1: one mount per hierarchy) */
	MOUNT_DENY,			/* cover the target with a mode-000 placeholder: visible, EACCES */
	MOUNT_SYMLINK,			/* make a symlink: destination -> source (views only) */
	MOUNT_DIRECTORY,		/* make a directory (views only) */
	MOUNT_REMOUNT,			/* change the attributes of what is mounted at destination */
	MOUNT_FILE,			/* a read-only file of the sandbox's own, in place of the one that is there */
};

struct plan_option { const char *key, *value; };	/* value NULL: a flag */

/* bind: ids of the file system appear through these; "inside" is the id on the file system. Without any they are those of the user
 * namespace that the container joins. */
struct plan_mount_maps { struct plan_idmaps uids, gids; };

/* A bundle may have hundreds, and both processes pay for each page that they fill: what few mounts have is behind a pointer. */
struct plan_mount {
	enum plan_mount_kind kind;
	bool is_recursive;		/* rbind */
	bool is_directory;		/* bind, deny: what the object is, so what to make when the target is missing */
	bool is_reopened;		/* deny: deeper grants follow, so the cover is a mode-0555 directory */
	bool copy_up;			/* tmpcopyup. A tmpfs without the option "mode" takes that of the folder that it covers. */
	bool copy_symlink;		/* the source symlink itself is copied */
	bool is_idmapped, idmap_is_recursive;	/* by maps */
	bool is_exact;			/* bind: of the flags of its source only those in attr_set stay; see plan_mount_cleared() */
	uint32_t option_count;
	const char *destination;	/* absolute inside the root, cleaned */
	const char *source;		/* bind: absolute host path; filesystem: source string; symlink: its target */
	const char *fstype;
	const char *content;		/* file: what is in it */
	uint32_t attr_set, attr_clear;	/* SYS_ATTR_*, the mount itself */
	uint32_t attr_set_recursive, attr_clear_recursive;	/* rro, rnosuid, ...: the whole tree */
	uint32_t propagation;		/* MS_* of one mount, or PLAN_PROPAGATION_UNSET */
	uint32_t propagation2;		/* a second one (e.g. "rslave,shared"), applied after */
	struct plan_option *options;	/* filesystem: in order */
	const struct plan_mount_maps *maps;	/* NULL unless is_idmapped */
	/* identity of a bind source as the policy resolved it, 0/0 when not checked: the engine refuses when the
	 * object behind the path is another one by the time it is opened (DESIGN section 6) */
	uint64_t source_dev, source_ino;
	const char *pointer;
};

struct plan_device {
	const char *path;		/* inside the root */
	char type;			/* 'c', 'b', 'p' */
	uint32_t major, minor, mode, uid, gid;
	bool is_default;		/* one of the specification's default devices */
	const char *pointer;
};

struct plan_symlink { const char *path, *target; };

struct plan_path { const char *path, *pointer; };
struct plan_paths {
	struct plan_path *items;
	size_t count;
};

struct plan_sysctl {
	const char *path, *value, *pointer;	/* path with slashes, below /proc/sys */
	enum plan_ns_kind ns;			/* whose it is */
};

/* ---- network ---- */

enum plan_network_mode {
	NETWORK_HOST,
	NETWORK_JOINED,
	NETWORK_NONE,			/* a namespace with loopback up, and nothing else until an engine connects it */
	NETWORK_PROXY,			/* the same, and network_policy.proxy answers at its addresses */
	NETWORK_FILTERED,		/* a way out by network_helper, and network_policy.egress says where to */
};

/* An interface of the host that becomes the container's. */
struct plan_net_device { const char *host_name, *name, *pointer; };

/* ---- policy ---- */

/* What a policy says of a part of the finished tree. */
enum plan_region_kind {
	REGION_OPEN,			/* as it was before the regions around it were restricted */
	REGION_READONLY,		/* with everything mounted below */
	REGION_DENIED,			/* covered: visible, EACCES */
};

struct plan_region {
	enum plan_region_kind kind;
	const char *path;		/* absolute inside the root, cleaned */
	bool is_reopened;		/* denied, and regions that are not lie below */
	const char *pointer;
};

/* One thing that a policy asks for: for people, `plan` and the enforcement record. */
struct plan_item {
	const char *carrier;		/* whose policy */
	const char *pointer;
	const char *subject;		/* "path", "memoryBytes", ... */
	const char *object;		/* the path; NULL for other subjects */
	const char *requested, *enforced;
	const char *decided_by;		/* the carrier that was strictest */
	const char *mechanism;
};

struct plan_seccomp {
	const void *program;		/* struct sock_filter[], or NULL */
	uint32_t instruction_count;
	uint32_t flags;			/* SECCOMP_FILTER_FLAG_* */
	bool use_notify;
	const char *listener_path, *listener_metadata;
	const char *rules;		/* what the program was compiled from: an OCI seccomp section, as compact JSON */
};

struct plan_policy {
	struct plan_region *regions;	/* what contains comes before what is in it */
	size_t region_count;
	struct plan_region *by_link;	/* within a region that is as strict; they count where a link in the container leads elsewhere */
	size_t by_link_count;
	bool covers_are_idmapped;	/* covers of denied paths belong to an id that nobody has, by an idmapped mount */
	/* For processes that come later: capabilities that would undo a restriction are refused, or left out */
	uint64_t refused_capabilities, withheld_capabilities;
	int64_t memory_bytes, pids;	/* no later limit may be higher; 0: none */
	uint32_t cpus;
	struct plan_seccomp *filters;	/* beside the process's own, for later processes too */
	size_t filter_count;
	const char *process_pointer;	/* the first that restricts system calls or capabilities; NULL: none does */
	struct plan_item *items;
	size_t item_count;
};

/* ---- process ---- */

struct plan_capabilities { uint64_t bounding, effective, inheritable, permitted, ambient; };

struct plan_rlimit { int resource; uint64_t soft, hard; const char *name, *pointer; };

/* As sched_setattr(2) takes it. */
struct plan_scheduler {
	bool is_set;
	uint32_t policy, priority;
	int32_t nice;
	uint64_t flags, runtime, deadline, period;	/* nanoseconds */
};

/* A bit a cpu or a memory node; count 0: none was given. */
struct plan_mask {
	const unsigned long *words;
	size_t count;			/* of words */
};

/* As set_mempolicy(2) takes it: mode with its flags. */
struct plan_memory_policy {
	bool is_set;
	int mode;
	struct plan_mask nodes;
};

struct plan_process {
	const char *program;		/* absolute path of what is executed; NULL: argv[0] is looked up */
	const char *const *argv;	/* NULL-terminated; argv[0] looked up in PATH of env when it has no "/" */
	const char *const *env;		/* NULL-terminated, complete */
	const char *cwd;
	bool cwd_fallback_root;		/* MXC default cwd: "/" when cwd does not exist in the view */
	bool home_from_passwd;		/* env has no HOME: the container's /etc/passwd tells it */
	uint32_t uid, gid;
	const uint32_t *groups;
	size_t group_count;
	bool keep_groups;		/* the caller's supplementary groups stay, and no others are given */
	uint32_t umask;			/* PLAN_UNSET_ID: leave as it is */
	struct plan_capabilities capabilities;
	struct plan_rlimit *rlimits;
	size_t rlimit_count;
	bool no_new_privileges;
	bool has_oom_score_adj;
	int oom_score_adj;
	struct plan_scheduler scheduler;
	uint32_t io_priority;		/* class and level as ioprio_set(2) takes them; PLAN_UNSET_ID: leave */
	struct plan_memory_policy memory_policy;
	struct plan_mask initial_cpus, final_cpus;	/* exec: before and after it is in the container's cgroup */
	bool all_cpus;			/* of its cgroup, however the caller was pinned; false: as the masks say, or as the caller is */
	uint32_t personality;		/* as personality(2) takes it; PLAN_UNSET_ID: leave */
	struct plan_seccomp seccomp;	/* loaded last */
	const char *apparmor_profile, *selinux_label;
	bool terminal;
	uint16_t console_rows, console_columns;	/* 0: leave */
	bool new_keyring;
	bool new_session;		/* setsid: always, but for MXC on the caller's own terminal */
	/* Sandboxes: the workload lives in a user namespace below the one that owns its mounts and network
	 * (invariant 47). Ids inside equal ids outside. */
	bool inner_userns;
	unsigned int landlock_abi;	/* sandboxes: a Landlock domain, by this version of its interface; 0: none */
	/* Sandboxes: init stays as pid 1, reaps, and the workload is its child (MXC.md 15) */
	bool keep_init;
	unsigned int preserve_fds;	/* descriptors 3 .. 2+n go to the workload */
	const char *notify_socket;	/* host path of NOTIFY_SOCKET, bound for the workload; NULL */
};

/* ---- hooks ---- */

enum plan_hook_kind {
	HOOK_PRESTART, HOOK_CREATE_RUNTIME, HOOK_CREATE_CONTAINER, HOOK_START_CONTAINER, HOOK_POSTSTART,
	HOOK_POSTSTOP, HOOK_MAX
};

struct plan_hook {
	const char *path;
	const char *const *argv;
	const char *const *env;		/* NULL: that of the runtime, or in the container that of the workload, as runc and crun do */
	int timeout_ms;			/* 0: none given */
	const char *pointer;
	const char *output_path, *errors_path;	/* of the host, appended to; NULL: where the caller's go */
};

struct plan_hooks { struct plan_hook *items; size_t count; };

/* ---- lifecycle ---- */

struct plan_lifecycle {
	bool is_sandbox;		/* an MXC sandbox: gone with its supervisor */
	bool stays;			/* it has no workload: processes join it until its supervisor ends it */
	bool is_exec;			/* a process for a container that exists: nothing but the process is made */
	uint32_t timeout_ms;		/* 0: none */
	const char *timeout_pointer;
	bool die_with_parent;
	bool dies_with_caller;		/* ends as well when whoever started the supervisor does */
};

struct plan {
	const char *id;
	const char *bundle;		/* absolute; NULL for a stand-alone policy */
	const char *config;		/* absolute path; NULL: the bundle's config.json */
	const char *oci_version;	/* for state and hooks */
	const char *hostname, *domainname;	/* NULL: leave */
	struct plan_option *annotations;
	size_t annotation_count;

	struct plan_ns namespaces[NS_MAX];
	struct plan_idmaps uid_maps, gid_maps;	/* of a new user namespace; what a joined one must have, when given */
	bool deny_setgroups;
	struct plan_time_offset monotonic, boottime;
	struct plan_cgroup cgroup;
	struct plan_rdt rdt;
	struct plan_root root;
	struct plan_mount *mounts;
	size_t mount_count;
	struct plan_device *devices;
	size_t device_count;
	struct plan_symlink *dev_symlinks;	/* /dev/fd and friends, ptmx */
	size_t dev_symlink_count;
	bool dev_is_prepared;		/* false: /dev is a bind of the host's, nothing is made in it */
	struct plan_paths masked, readonly;
	struct plan_sysctl *sysctls;
	size_t sysctl_count;
	enum plan_network_mode network;
	struct net_policy network_policy;	/* sandboxes: of NETWORK_PROXY and NETWORK_FILTERED; bundles: what rules there are */
	const char *network_helper;	/* absolute path of the program that carries packets; NULL: none is needed */
	enum network_helper_kind network_helper_kind;
	struct plan_net_device *net_devices;
	size_t net_device_count;
	struct plan_policy policy;
	struct plan_process process;
	struct plan_hooks hooks[HOOK_MAX];
	struct plan_lifecycle lifecycle;
};

/* The option of that name, the last, which counts for the kernel; NULL: none. */
static inline const struct plan_option *plan_mount_option(const struct plan_mount *mount, const char *key)
{
	for (size_t i = mount->option_count; i > 0; i--)
		if (!strcmp(mount->options[i - 1].key, key))
			return &mount->options[i - 1];
	return NULL;
}

/* The flags that the mount itself loses. Of an exact one that is all that attr_set lacks; the ways to keep access times, which no other
 * flag says anything about, only where one of them is named. The engine leaves it those that are locked. */
static inline uint32_t plan_mount_cleared(const struct plan_mount *mount)
{
	const uint32_t times = SYS_ATTR_ATIME_MASK | SYS_ATTR_NODIRATIME;
	uint32_t flags = SYS_ATTR_RDONLY | SYS_ATTR_NOSUID | SYS_ATTR_NODEV | SYS_ATTR_NOEXEC | SYS_ATTR_NOSYMFOLLOW;

	if (!mount->is_exact)
		return mount->attr_clear;
	if ((mount->attr_set & times) || (mount->attr_clear & SYS_ATTR_ATIME_MASK))
		flags |= times;
	return mount->attr_clear | (flags & ~mount->attr_set);
}

/* What is written to a file; NULL: nothing. */
static inline const char *plan_cgroup_value(const struct plan_cgroup *cgroup, const char *file)
{
	for (size_t i = 0; i < cgroup->write_count; i++)
		if (!strcmp(cgroup->writes[i].file, file))
			return cgroup->writes[i].value;
	return NULL;
}

/* The range that an id of the container belongs to, and that of an id outside; NULL: the maps have it not. */
static inline const struct plan_idmap *plan_idmap_inside(const struct plan_idmaps *maps, uint32_t id)
{
	for (size_t i = 0; i < maps->count; i++)
		if (id >= maps->items[i].inside && id - maps->items[i].inside < maps->items[i].count)
			return &maps->items[i];
	return NULL;
}

static inline const struct plan_idmap *plan_idmap_outside(const struct plan_idmaps *maps, uint32_t id)
{
	for (size_t i = 0; i < maps->count; i++)
		if (id >= maps->items[i].outside && id - maps->items[i].outside < maps->items[i].count)
			return &maps->items[i];
	return NULL;
}

/* Then the new time namespace can't come from clone3 (engine/native/time.c). */
static inline bool plan_has_time_offsets(const struct plan *plan)
{
	return plan->monotonic.is_set || plan->boottime.is_set;
}

/* A sandbox on the host's network, where Landlock has them in its scope (version 6, Linux 6.12). */
static inline bool plan_keeps_abstract_sockets_out(const struct plan *plan)
{
	return plan->network == NETWORK_HOST && plan->process.landlock_abi >= 6;
}

/* Is there something to be done in the container's network namespace from outside (net/network.h)? */
static inline bool plan_carries_network(const struct plan *plan)
{
	return plan->network == NETWORK_PROXY || plan->network_policy.egress.count > 0;
}

#endif

/* facts.h - what this machine, kernel and user allow: the only input of plan/ that is not configuration.
 *
 * Reads only. Filled once per command, and only the parts that the command needs: facts_read_cgroups()
 * and friends are separate because each costs system calls on the path to exec.
 */
#ifndef MXCRUN_HOST_FACTS_H
#define MXCRUN_HOST_FACTS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/mem.h"
#include "host/names.h"

enum cgroup_layout {
	CGROUP_LAYOUT_NONE,		/* nothing mounted */
	CGROUP_LAYOUT_V1,		/* v1 controllers only */
	CGROUP_LAYOUT_HYBRID,		/* v1 controllers and a cgroup2 mount beside them */
	CGROUP_LAYOUT_V2,		/* pure cgroup2 */
};

/* One mounted hierarchy. */
struct cgroup_mount {
	const char *controllers;	/* v1: "memory", "cpu,cpuacct", "name=systemd"; v2: "" */
	const char *mountpoint;		/* absolute */
	const char *mount_root;		/* root of the mount inside the hierarchy (mountinfo field 4) */
	const char *own_path;		/* this process's group in it, from /proc/self/cgroup */
	const char *visible_path;	/* the same as a path below mountpoint; NULL when it lies outside of what is mounted */
	bool is_v2;
};

struct id_range { uint32_t first, count; };

/* Programs that carry packets between a network namespace and the host's sockets. */
enum network_helper_kind { HELPER_SLIRP, HELPER_PASTA };

struct host_facts {
	struct arena *arena;
	/* user */
	uid_t uid, euid;
	gid_t gid, egid;
	bool is_privileged;		/* CAP_SYS_ADMIN in the initial user namespace's eyes: euid 0 and an identity uid_map of full range */
	bool in_user_namespace;		/* /proc/self/uid_map is not the full identity */
	uint64_t capabilities;		/* our permitted set */
	uint64_t bounding;
	uint64_t ignored_signals;	/* bit N-1: signal N */
	unsigned int cap_last;		/* highest capability of the kernel */
	const uint32_t *groups;		/* supplementary, of the caller */
	size_t group_count;
	const char *cwd;
	/* cgroups: facts_read_cgroups */
	enum cgroup_layout layout;
	struct cgroup_mount *cgroups;
	size_t cgroup_count;
	/* v2: the group (a path below the mountpoint) that this user may make groups in. Privileged: "/". Else the group
	 * that holds the caller's own, or the caller's own, or NULL when neither is delegated. */
	const char *v2_base;
	const char *v2_controllers;	/* what groups in it can have: "cpuset cpu io memory pids"; never NULL once read */
	bool has_systemd;		/* /run/systemd/system exists */
	/* facts_read_resctrl: where that file system is mounted, NULL when it is not */
	const char *resctrl;
	/* subordinate ids: facts_read_subids */
	struct id_range subuid, subgid;	/* count 0: none */
	bool has_newuidmap;
	const char *newuidmap, *newgidmap;	/* absolute paths */
	/* kernel: facts_read_kernel */
	unsigned int kernel_major, kernel_minor;
	bool has_user_namespaces;	/* and not none of them is allowed */
	unsigned int landlock_abi;	/* facts_read_landlock: 0: none that a sandbox can use */
	/* packets: facts_read_network */
	const char *network_helper;	/* absolute path of pasta or slirp4netns; NULL: there is none */
	enum network_helper_kind network_helper_kind;
	struct host_names names;	/* of a policy's proxy or hosts, looked up; /etc/hosts, where there are any */
	const char *resolv_conf;	/* where /etc/resolv.conf leads, every link followed; NULL: nowhere */
};

/* tmpfs takes idmapped mounts since Linux 6.3; a map is a user namespace. */
static inline bool facts_has_idmapped_tmpfs(const struct host_facts *facts)
{
	return facts->has_user_namespaces &&
	       (facts->kernel_major > 6 || (facts->kernel_major == 6 && facts->kernel_minor >= 3));
}

/* The user part; always first. The arena owns all strings. */
int facts_read_user(struct arena *arena, struct host_facts *facts, struct err **err);
int facts_read_cgroups(struct host_facts *facts, struct err **err);
int facts_read_kernel(struct host_facts *facts, struct err **err);
void facts_read_landlock(struct host_facts *facts);
int facts_read_subids(struct host_facts *facts, struct err **err);
int facts_read_resctrl(struct host_facts *facts, struct err **err);
int facts_read_network(struct arena *arena, struct host_facts *facts, struct err **err);

/* Is this process in the machine's own user namespace? One stat: the kernel gives that one a fixed number. */
bool facts_in_initial_user_namespace(void);

#endif

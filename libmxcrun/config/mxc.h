/* mxc.h - an MXC configuration as C structs, as written (MXC.md, MXC-1.0.md); policy/ gives it
 * meaning.
 *
 * One table maps the version string to its reader: the rolling reader (absent version, 0.6 to 0.8
 * with lenient/strict gating) or an exact contract (0.9.0-alpha, 1.0.0, 1.1.0-alpha). Strings are
 * those of the JSON tree, which has to live as long.
 */
#ifndef MXCRUN_CONFIG_MXC_H
#define MXCRUN_CONFIG_MXC_H

#include "config/fields.h"

/* Gates of struct field: which readers know a key. */
#define MXC_READER_ROLLING 0x1u
#define MXC_READER_090 0x2u
#define MXC_READER_100 0x4u
#define MXC_READER_110 0x8u
#define MXC_READER_EXACT (MXC_READER_090 | MXC_READER_100 | MXC_READER_110)

enum mxc_containment {
	MXC_PROCESS,
	MXC_BUBBLEWRAP,
	MXC_LXC, /* Linux */
	MXC_PROCESSCONTAINER,
	MXC_SEATBELT,
	MXC_WSLC,
	MXC_ISOLATION_SESSION, /* others: refused by name */
	MXC_WINDOWS_SANDBOX,
	MXC_VM,
	MXC_MICROVM,
	MXC_HYPERLIGHT,
	MXC_CONTAINMENT_MAX
};
extern const char *const mxc_containment_words[]; /* by enum; NULL-terminated */

struct mxc_process {
	const char *command_line, *cwd; /* cwd NULL: none given */
	struct string_list env;		/* .set tells absent from [] */
	struct opt_bool inherit_default_env;
	struct opt_u32 timeout; /* ms, 0 = none */
};

/* What a denied path is said to be. Our own, in every contract: an entry of deniedPaths may be an
 * object {path, type}. */
enum mxc_path_type { MXC_TYPE_ANY, MXC_TYPE_FILE, MXC_TYPE_DIRECTORY };

struct mxc_filesystem {
	struct string_list readwrite_paths, readonly_paths, denied_paths;
	const enum mxc_path_type *denied_types; /* for each of denied_paths; NULL when there is none */
};

/* ---- network, the directional shape ---- */

enum mxc_verdict { MXC_ALLOW, MXC_DENY }; /* -1 in the structs: absent, which means deny */
enum mxc_protocol { MXC_TCP, MXC_UDP, MXC_ICMP, MXC_ANY }; /* -1: absent, which means any */

struct mxc_peer {
	const char *cidr;
	struct string_list except;
	const struct json *element;
};

struct mxc_port {
	int protocol;
	struct opt_u32 port, end_port;
	const struct json *element;
};

struct mxc_rule {
	struct {
		struct mxc_peer *items;
		size_t count;
	} to; /* count 0: any destination */
	struct {
		struct mxc_port *items;
		size_t count;
	} ports; /* count 0: every protocol and port */
	const struct json *element;
};
struct mxc_rules {
	struct mxc_rule *items;
	size_t count;
};

struct mxc_egress {
	int verdict; /* "default" */
	struct mxc_rules allow, deny;
	const struct json *element;
};

struct mxc_ingress {
	int verdict, host_loopback;
	const struct json *element;
};

/* ---- network, the legacy shape ---- */

enum mxc_enforcement {
	MXC_CAPABILITIES,
	MXC_FIREWALL,
	MXC_BOTH
}; /* -1: absent, which means capabilities */

/* Checked: exactly one way of naming a proxy; localhost wins over url. */
struct mxc_proxy {
	struct opt_u32 localhost;
	const char *url;
	struct opt_bool builtin_test_server;
	const struct json *element;
};

struct mxc_network {
	bool is_directional;		 /* which of the two shapes counts */
	const struct mxc_egress *egress; /* NULL: absent */
	const struct mxc_ingress *ingress;
	int default_policy; /* enum mxc_verdict ("block" is MXC_DENY), -1: absent */
	int enforcement_mode;
	struct opt_bool allow_local_network;
	struct string_list allowed_hosts, blocked_hosts;
	const struct mxc_proxy *proxy;
	const struct json *element; /* NULL: the section is absent */
};

/* Our own, in every contract: MXC has no list for what ingress lets in. */
struct mxc_port_mapping {
	struct opt_u32 host_port, container_port;
	int protocol;		  /* MXC_TCP or MXC_UDP; -1: absent, which means the first */
	const char *host_address; /* NULL: 127.0.0.1 */
	const struct json *element;
};

#define MXC_PORT_MAPPINGS_MAX 256u

struct mxc_runtime_config {
	const char *network_proxy; /* NULL: none */
	struct {
		struct mxc_port_mapping *items;
		size_t count;
	} port_mappings;
	const struct json *element;
};

struct mxc_lxc {
	const char *distribution, *release;
};

/* Our own section, in every contract: MXC has none for this back end. */
struct mxc_io_device {
	const char *device; /* "MAJOR:MINOR" */
	struct opt_u64 read_bps, write_bps, read_iops, write_iops;
};

struct mxc_io {
	struct opt_u32 weight;
	struct {
		struct mxc_io_device *items;
		size_t count;
	} devices;
};

struct mxc_resources {
	struct opt_u64 memory_mb;	/* MiB */
	struct opt_u32 cpu_count, pids;
	const struct mxc_io *io; /* NULL when absent */
};

/* Checked: each path is absolute. */
struct mxc_bind {
	const char *source, *destination; /* destination NULL: the same */
	struct opt_bool is_readonly;	  /* absent: it is */
	const struct json *element;
};

struct mxc_tmpfs {
	const char *path;
	struct opt_u64 size_mb; /* MiB */
	const struct json *element;
};

struct mxc_symlink {
	const char *path, *target;
	const struct json *element;
};

#define MXC_PLACED_MAX 1024u /* of each of the three */

/* false: the host's, where a sandbox can do with it; true: its own. Absent: its own, but for time. */
struct mxc_namespaces {
	struct opt_bool cgroup, ipc, mount, network, pid, time, user, uts;
};

struct mxc_bubblewrap {
	const struct mxc_resources *resources; /* NULL when absent */
	const char *seccomp_profile;	       /* a name, or the path of a file; NULL when absent */
	struct string_list keep_caps, drop_caps;
	struct mxc_namespaces namespaces;
	struct opt_bool new_session, die_with_parent;
	const char *argv0; /* NULL when absent */
	const char *engine; /* of config/engine_words.h: who makes the sandbox; NULL when absent */
	struct {
		struct mxc_bind *items;
		size_t count;
	} custom_binds;
	struct {
		struct mxc_tmpfs *items;
		size_t count;
	} tmpfs_mounts;
	struct {
		struct mxc_symlink *items;
		size_t count;
	} symlinks;
};

struct mxc_config {
	const char *version; /* NULL when absent */
	unsigned int reader; /* one MXC_READER_ bit */
	bool strict;	     /* 0.8 and later, and all exact contracts */
	const char *container_id;
	enum mxc_containment containment;
	const struct mxc_process *process;
	struct mxc_filesystem filesystem;
	struct mxc_network network;
	const struct mxc_runtime_config *runtime_config; /* NULL when absent */
	struct mxc_lifecycle {
		struct opt_bool destroy_on_exit, preserve_policy;
	} lifecycle;
	/* clipboard and injection are other platforms' */
	struct mxc_ui {
		struct opt_bool disable, injection;
		int clipboard;
	} ui;
	const struct mxc_lxc *lxc; /* NULL when absent */
	const struct mxc_bubblewrap *bubblewrap; /* NULL when absent */
	const char *exec_proxy; /* of a process that joins a sandbox (mxc_phase.h): its variables name it, and that is all; else NULL */
	const struct json *document;
};

/* Parse MXC text: JSON, then mxc_parse(). name is how the text is called in messages. */
int mxc_read(struct arena *arena, const char *text, size_t len, const char *name,
	     const struct log *log, const struct mxc_config **ret, struct err **err);

/* Parse MXC text that is already a JSON tree. Does steps 3 to 11 of MXC.md 2.5, which need no host:
 * shape, version, gating, process, one back-end section, strings, network shape. Everything that
 * fails here is E_CONFIG; error texts use the fragments that the specification names. 0 or -errno.
 */
int mxc_parse(struct arena *arena, const struct json *document, const struct log *log,
	      const struct mxc_config **ret, struct err **err);

/* Annotations of a bundle that carry such a policy: its text, and the name of one of the host owner's. */
#define MXC_POLICY_ANNOTATION "mxc.policy"
#define MXC_POLICY_NAME_ANNOTATION "mxc.policy-name"
#define MXC_ENGINE_ANNOTATION "mxc.engine"	/* who carries the container out, where nobody above its author says so */

/* The part of MXC that restricts a container made from a bundle (mxc_fragment.c): filesystem, network,
 * process.timeout and bubblewrap.resources, in a document whose version is 0.8 or later, or absent.
 * All else is refused by name. Absent sections restrict nothing; such a configuration has no command
 * line, and process may be NULL. E_CONFIG; 0 or -errno. */
int mxc_parse_fragment(struct arena *arena, const struct json *document, const struct log *log,
		       const struct mxc_config **ret, struct err **err);

#endif

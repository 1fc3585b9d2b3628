/* decisions.h - what an MXC policy comes to on this host: the data between policy/ and plan/.
 *
 * Pure data in the arena of policy_resolve(); nothing of it names JSON any more but the pointers
 * that errors show.
 */
#ifndef MXCRUN_POLICY_DECISIONS_H
#define MXCRUN_POLICY_DECISIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/mxc.h"
#include "policy/net_policy.h"

/* Strictest first: of two intents for one object or one path the smaller one wins. */
enum policy_intent { INTENT_DENIED, INTENT_READONLY, INTENT_READWRITE, INTENT_MAX };

/* One mount, in the order of the list. */
struct policy_entry {
	enum policy_intent intent;
	const char *destination; /* inside the sandbox; absolute, without "." and ".." */
	const char *source; /* on the host, every symlink followed; what is behind a denied one */
	uint64_t dev, ino;  /* of the object; 0/0 for a denied path that does not exist */
	bool is_directory;
	bool is_reopened; /* denied, and entries further on lie inside it */
	bool is_bind;	  /* a custom bind, at a place of the author's choice */
	bool is_own;	  /* nobody asked for it: a restriction of what is the runtime's own */
	enum policy_intent requested; /* before others tightened it */
	const char *pointer;
};

/* A file system of the sandbox's own. */
struct policy_tmpfs {
	const char *path;
	uint64_t size_mb;
	const char *pointer;
};

struct policy_symlink {
	const char *path, *target;
	const char *pointer;
};

/* Number of components of a clean path. */
static inline unsigned int policy_depth(const char *path)
{
	unsigned int depth = 0;

	for (; *path; path++)
		depth += path[0] == '/' && path[1];
	return depth;
}

/* One of the system's folders, read-only. */
struct policy_folder {
	const char *path;
	const char *source; /* bound from there; NULL: a symlink to... */
	const char *link;
	bool is_directory;
};

/* One directory as the sandbox's root: the host's own, or an image's, above which lies what the sandbox writes. */
enum policy_whole_root { WHOLE_ROOT_NO, WHOLE_ROOT_READONLY, WHOLE_ROOT_READWRITE, WHOLE_ROOT_IMAGE };

struct policy_filesystem {
	enum policy_whole_root whole_root; /* not NO: folders is empty */
	const char *whole_root_pointer;
	enum policy_intent whole_root_requested;
	const char *image; /* WHOLE_ROOT_IMAGE: its directory on the host; else NULL */
	struct policy_folder *folders;
	size_t folder_count;
	bool covers_sysfs;	      /* whole root: /sys has to be made read-only */
	bool wants_tmp;		      /* the sandbox's own /tmp */
	struct policy_entry *entries; /* shallow to deep */
	size_t entry_count;
	struct policy_tmpfs *tmpfs; /* likewise */
	size_t tmpfs_count;
	struct policy_symlink *symlinks; /* made when all else is there */
	size_t symlink_count;
};

enum policy_network_mode {
	POLICY_NETWORK_ISOLATED, /* loopback only */
	POLICY_NETWORK_PROXY,	 /* loopback, and the proxy at its address */
	POLICY_NETWORK_FILTERED, /* a way out, and rules */
	POLICY_NETWORK_HOST,	 /* the host's own; rules that let all pass, for others to add to */
};

struct policy_network {
	enum policy_network_mode mode;
	struct net_policy policy; /* of all modes but the first */
	const char *hosts;	  /* what /etc/hosts has to say; NULL: what the host's says */
};

struct policy_process {
	const char *command_line;
	const char *cwd;
	bool cwd_is_default;	/* the caller's: "/" will do when the sandbox doesn't have it */
	const char *const *env; /* NULL-terminated, each name once */
	uint32_t timeout_ms;	/* 0: none */
	bool has_terminal;	/* standard input is the caller's terminal */
	const char *terminal;	/* its path on the host; NULL when it has none here */
};

enum policy_io_rate { POLICY_IO_READ_BPS, POLICY_IO_WRITE_BPS, POLICY_IO_READ_IOPS, POLICY_IO_WRITE_IOPS, POLICY_IO_MAX };

struct policy_io_device {
	uint32_t major, minor;
	uint64_t rates[POLICY_IO_MAX]; /* a second; 0: not limited */
	const char *pointer;
};

struct policy_io {
	uint32_t weight; /* 0: as it is */
	struct policy_io_device *devices;
	size_t device_count;
};

/* 0: not limited. */
struct policy_resources {
	uint64_t memory_bytes;
	uint32_t cpus, pids;
	const struct policy_io *io; /* NULL: nothing is said of it */
};

struct policy_decisions {
	struct policy_filesystem filesystem;
	struct policy_network network;
	struct policy_process process;
	struct policy_resources resources;
	bool ui_is_disabled; /* no display, clipboard or session bus: for the record, the paths are among the denied ones */
	const struct mxc_bubblewrap *backend; /* what it says beside these; NULL: nothing */
};

#endif

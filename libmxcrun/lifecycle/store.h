/* store.h - one directory per container or sandbox: its lock, its record, its journal.
 *
 * Layout below the root directory (mode 0700; files 0600 whatever the umask):
 *   ID/            made by exclusive mkdir: exactly one creator of an id (invariant 38)
 *   ID/record      JSON: who and what; written before anything is made, replaced by rename
 * afterwards ID/journal     one line per host object, appended before the object is made, or, where
 * the kernel chooses the name, before the object can do anything: cgroup DIR | unit NAME | class own|used PATH | monitor PATH | process
 * PID START | watcher PID START | table DEVICE INODE NAMESPACE
 *   ID/start       FIFO that init waits on; gone once started flock on the directory itself
 * is the lock: held by a command while it changes the container, and for the whole life of a
 * supervisor (run, mxc run); a crash frees it by itself.
 *
 * Readers survive empty, truncated, random or foreign files (invariant 40): names that derive from
 * the id are tried as well as what the journal says.
 */
#ifndef MXCRUN_LIFECYCLE_STORE_H
#define MXCRUN_LIFECYCLE_STORE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "cgroup/cgroup.h"
#include "config/fields.h"
#include "net/enter.h"
#include "plan/plan.h"

#define STORE_ID_MAX 255u /* NAME_MAX: an id is the name of a directory */
#define STORE_START_FIFO "start"

struct store {
	char *root_path; /* absolute */
	int root_fd;	 /* -1: the directory does not exist (and was not to be made) */
};
#define STORE_INIT            \
	{                     \
		.root_fd = -1 \
	}

enum store_open_mode { STORE_READ, STORE_MAKE };

/* Open the root directory; STORE_MAKE makes it (mode 0700). path NULL: /run/mxcrun for a privileged
 * user, else $XDG_RUNTIME_DIR/mxcrun, else /tmp/mxcrun-UID verified to be ours. */
int store_open(const char *path, bool is_privileged, enum store_open_mode mode, struct store *ret,
	       struct err **err);
/* The places that commands without --root take, or took in another session: of a user with another environment, too. -ENOMEM or 0. */
int store_default_paths(struct arena *arena, bool is_privileged, struct string_list *ret);
/* mkdir -p with mode 0700. */
int store_make_directories(const char *path, struct err **err);
void store_close(struct store *store);
#define cleanup_store __attribute__((cleanup(store_close)))

/* The error of an operation on something in one of the store's directories: E_RECORD, with its whole path. -errnum. */
int store_fail(struct err **err, int errnum, const char *operation, int dir_fd, const char *name);

/* [A-Za-z0-9_+-][A-Za-z0-9_+.-]*, not longer than STORE_ID_MAX (invariant 36): checked by every
 * command. */
int store_check_id(const char *id, struct err **err);

struct entry {
	char *id;
	int dir_fd;	/* also carries the lock */
	int journal_fd; /* open for appending once something was added; else -1 */
};
void entry_close(struct entry *entry);
#define ENTRY_INIT                             \
	{                                      \
		.dir_fd = -1, .journal_fd = -1 \
	}
#define cleanup_entry __attribute__((cleanup(entry_close)))

/* Exclusive creation, locked. E_EXISTS when taken. */
int store_create(const struct store *store, const char *id, struct entry *ret, struct err **err);

enum store_lock { STORE_UNLOCKED, STORE_LOCK_TRY, STORE_LOCK_WAIT };
/* Open an existing one. E_NOT_FOUND ("container does not exist"). LOCK_TRY: -EWOULDBLOCK when held.
 * LOCK_WAIT is bounded (10 s). */
int store_get(const struct store *store, const char *id, enum store_lock lock, struct entry *ret,
	      struct err **err);

/* The lock of an entry that was opened STORE_UNLOCKED; errors as store_get(). */
int entry_lock(const struct store *store, const struct entry *entry, enum store_lock lock,
	       struct err **err);

/* Does somebody hold the entry's lock now? For an entry opened STORE_UNLOCKED. */
bool entry_is_locked(const struct entry *entry);

/* Remove the files and the directory, last of all; idempotent. */
int store_remove(const struct store *store, struct entry *entry, struct err **err);

/* All ids, sorted. */
struct store_ids {
	struct arena *arena; /* of the strings */
	const char **items;  /* malloc'd */
	size_t count;
};
int store_ids(const struct store *store, struct store_ids *ret, struct err **err);
void store_ids_done(struct store_ids *ids);
#define cleanup_store_ids __attribute__((cleanup(store_ids_done)))

/* ---- record ---- */

/* Strings belong to the plan while a container is created, and to the record's own arena when it
 * was read; nothing in it is freed singly. */
struct record {
	struct arena *arena;
	const char *id, *bundle, *rootfs, *oci_version, *created; /* created: RFC 3339 */
	const char *config; /* absolute path; "": the bundle's config.json */
	uint32_t owner;						  /* uid of the creator */
	bool is_sandbox;
	bool is_complete;	/* "created" was reached; false: a creator died or is at work */
	bool went_at_once;	/* it was let go before it was set up, so both may still be at work */
	bool has_pid_namespace; /* killing init kills all of it */
	pid_t pid;		/* -1 before the process exists */
	uint64_t start_ticks;
	uint32_t timeout_ms;  /* of its policy: how long it may run; 0: for ever */
	int start_timeout_ms; /* how long `start` waits for startContainer hooks; -1: no limit */
	struct cgroup cgroup; /* a view: not to be given to cgroup_done() */
	/* Of its policy, for exec and update; 0: nothing */
	uint64_t refused_capabilities, withheld_capabilities;
	int64_t memory_most, pids_most;
	uint32_t cpus_most;
	const struct plan_seccomp *filters;
	size_t filter_count;
	const struct plan_option *annotations;
	size_t annotation_count;
	struct plan_hooks poststart,
		poststop; /* saved from the plan, so that delete needs no bundle */
};
#define RECORD_INIT       \
	{                 \
		.pid = -1 \
	}
void record_done(struct record *record);
#define cleanup_record __attribute__((cleanup(record_done)))

/* The groups of another owner, for a record. */
struct cgroup cgroup_view(const struct cgroup *cgroup);

/* What is known before anything is made; created must outlive the record. */
void record_from_plan(struct record *record, const struct plan *plan, const struct cgroup *cgroup,
		      const char *created);

/* First: a plain new file, for it is trusted by nobody until it says complete. Later ones: durable
 * replacement (invariant 39). */
int record_write(const struct entry *entry, const struct record *record, struct err **err);
/* -ENOENT / -EBADMSG with E_RECORD for an absent or broken record; *ret is then empty but valid. */
int record_read(const struct entry *entry, struct record *ret, struct err **err);

/* A policy's filter as one word, "FLAGS:INSTRUCTIONS", the latter sixteen hex digits each, and back. */
char *filter_format(const struct plan_seccomp *filter);
int filter_parse(struct arena *arena, const char *text, struct plan_seccomp *ret);

/* ---- journal ---- */

/* Appended in one write; control characters in the text are refused. */
int journal_add_cgroup(struct entry *entry, const struct cgroup *cgroup, struct err **err);
int journal_add_process(struct entry *entry, pid_t pid, uint64_t start_ticks, struct err **err);
/* Who ends it in time. */
int journal_add_watcher(struct entry *entry, pid_t pid, uint64_t start_ticks, struct err **err);
/* A packet filter's table in that network namespace, whose file may mean another one later. */
int journal_add_table(struct entry *entry, const char *path, dev_t device, ino_t inode, struct err **err);

/* What of a container may exist on the host. */
struct remains {
	struct arena *arena;
	struct cgroup cgroup; /* memory in the arena: not to be given to cgroup_done() */
	struct remains_process {
		pid_t pid;
		uint64_t start_ticks;
		int pidfd; /* once it was signalled: to wait on; else -1 */
		bool is_watcher;
	} * processes;
	size_t process_count;
	struct remains_table {
		const char *path;
		dev_t device;
		ino_t inode;
		struct net_namespace namespaces; /* opened while its processes still live */
	} * tables;
	size_t table_count;
};
void remains_done(struct remains *remains);
#define cleanup_remains __attribute__((cleanup(remains_done)))

/* All that the journal says; lines that make no sense are passed over. 0 or -errno. */
int journal_read(const struct entry *entry, struct remains *ret);

/* A cgroup's directory as one word for the record and the journal, "v2:own:CONTROLLERS:PATH", and
 * back. */
char *cgroup_dir_format(const struct cgroup_dir *dir);
int cgroup_dir_parse(struct arena *arena, const char *text, struct cgroup_dir *ret);

#endif

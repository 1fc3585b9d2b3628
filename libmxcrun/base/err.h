/* err.h - the one way in which anything below src/ reports failure.
 *
 * A function that can fail returns 0 or more on success and a negative errno on failure, and takes
 * `struct err **err` last. On failure it sets *err exactly once; on success it leaves it alone.
 * A caller that passes NULL for err wants the number only (err_wrap, which has no number of its
 * own, then returns -EINVAL). An error that is set over another one replaces and frees it.
 * Nothing here prints or exits.
 *
 * Used by the runtime and by the container's init: init packs its error into bytes, sends it to the
 * parent over the sync socket, and the parent unpacks it, so that a failure inside the
 * container reads exactly like one outside.
 */
#ifndef MXCRUN_BASE_ERR_H
#define MXCRUN_BASE_ERR_H

#include <stddef.h>
#include <stdint.h>

/* Stable codes; the names are printed in JSON logs and never change their meaning. */
enum err_code {
	E_INTERNAL,		/* a bug of ours, or out of memory */
	E_USAGE,		/* the command line */
	E_ID,			/* a container id that breaks the rules */
	E_EXISTS,		/* the id is taken */
	E_NOT_FOUND,		/* no such container */
	E_STATE,		/* the container is not in a state that allows this */
	E_RECORD,		/* the store's own files */
	E_JSON,			/* not JSON, or outside the bounds that we read */
	E_CONFIG,		/* JSON that does not mean a valid configuration */
	E_UNSUPPORTED,		/* a field, engine or host feature that can't be enforced: refused by name */
	E_POLICY,		/* a policy that is refused as such */
	E_DELEGATION,		/* a grant beyond what the invoking user may do */
	E_HOST,			/* the host lacks something */
	E_USERNS_BLOCKED,	/* user namespaces are refused on this host */
	E_NAMESPACE,		/* creating or joining a namespace */
	E_IDMAP,		/* uid and gid maps */
	E_CGROUP,
	E_ROOTFS,
	E_MOUNT,
	E_MOUNT_MASK,
	E_DEVICE,
	E_SYSCTL,
	E_CREDENTIALS,		/* ids, groups, capabilities, no_new_privs */
	E_SECCOMP,
	E_LSM,
	E_RLIMIT,
	E_TERMINAL,
	E_HOOK,
	E_EXEC_NOT_FOUND,	/* the workload's program does not exist: exit code 127 */
	E_EXEC,			/* it exists and can't be run: exit code 126 */
	E_NETWORK,
	E_TIMEOUT,
	E_PROCESS,		/* clone, wait, signal */
	E_MAX
};

struct err {
	enum err_code code;
	int errnum;		/* positive errno, 0 where none applies */
	char *operation;	/* failed call, e.g. "move_mount"; NULL when none */
	char *object;		/* what it was done to: a path or a name; NULL when none */
	char *pointer;		/* JSON pointer of the config field concerned, e.g. "/linux/mounts/3" */
	char *text;		/* what was attempted or expected, in words; no final full stop */
	char *hint;		/* how to get out of it; NULL when we don't know */
	struct err *cause;	/* the error below this one */
};

/* Failures are rare: what leads to one is kept away from the instructions that are executed, so that these fill fewer pages. */
#define err_rare __attribute__((cold))

/* A failed system call: operation on object, for the config field at pointer. Any of the three
 * strings may be NULL. errnum is positive. Returns -errnum. */
int err_sys(struct err **err, enum err_code code, int errnum, const char *operation,
	    const char *object, const char *pointer) err_rare;

/* A failure in words. errnum may be 0 (then -EINVAL is returned), else returns -errnum.
 * When errnum is 0 no strerror text is shown. */
int err_set(struct err **err, enum err_code code, int errnum, const char *pointer,
	    const char *format, ...) __attribute__((format(printf, 5, 6))) err_rare;

/* Out of memory as a normal error. Returns -ENOMEM. Never allocates. */
int err_nomem(struct err **err) err_rare;

#ifdef __clang_analyzer__
/* What an analyser can't see from another file: the result is negative, so what comes after a failure is not reached. */
#define err_sys(...) (err_sys(__VA_ARGS__), -1)
#define err_set(...) (err_set(__VA_ARGS__), -1)
#define err_nomem(...) (err_nomem(__VA_ARGS__), -1)
#endif

/* Put words above an existing error; the text below is not rewritten. Returns -(errno of the cause). */
int err_wrap(struct err **err, const char *format, ...) __attribute__((format(printf, 2, 3))) err_rare;

/* Add a remedy to the newest level, unless it has one. */
void err_hint(struct err **err, const char *format, ...) __attribute__((format(printf, 2, 3))) err_rare;

/* Another name for the field, where the error has one: for who has translated the user's configuration. */
void err_replace_pointer(struct err *err, const char *pointer);

/* Frees a whole chain; NULL is fine. */
void err_free(struct err *err);
static inline void err_free_ptr(struct err **err)
{
	err_free(*err);
	*err = NULL;
}
#define cleanup_err __attribute__((cleanup(err_free_ptr)))

/* Stable word of a code, e.g. "userns_blocked". */
const char *err_code_name(enum err_code code);

/* One line for people, without the program's name, control characters escaped. Malloc'd; NULL when
 * out of memory. */
char *err_format(const struct err *err);

/* Innermost code of the chain: that decides exit codes. */
enum err_code err_root_code(const struct err *err);

/* Flat form for the sync socket. pack returns a malloc'd buffer and its length (at most ERR_PACK_MAX,
 * long strings are shortened with "..."), NULL when out of memory. unpack always gives an error
 * object, also for garbage (then code E_INTERNAL). */
#define ERR_PACK_MAX 8192u
void *err_pack(const struct err *err, size_t *ret_len);
struct err *err_unpack(const void *data, size_t len);

#endif

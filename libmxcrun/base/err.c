/* err.c - build, chain, print and pack error records.
 *
 * Everything here must work when memory is short: an error that can't be recorded becomes the
 * static out-of-memory record, and an error that can only be recorded in part keeps its code and
 * errno.
 */
#include "base/err.h"
#undef err_sys
#undef err_set
#undef err_nomem

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/mem.h"
#include "base/strbuf.h"

/* Bounds for one printed line; a path of PATH_MAX bytes is shown in part. */
#define OBJECT_SHOWN_MAX 1024u
#define TEXT_SHOWN_MAX 4096u
#define LEVELS_MAX 16u

static char nomem_text[] = "out of memory";
static const struct err nomem = {
	.code = E_INTERNAL,
	.errnum = ENOMEM,
	.text = nomem_text,
};

static const char *const code_names[] = {
	[E_INTERNAL] = "internal",
	[E_USAGE] = "usage",
	[E_ID] = "id",
	[E_EXISTS] = "exists",
	[E_NOT_FOUND] = "not_found",
	[E_STATE] = "state",
	[E_RECORD] = "record",
	[E_JSON] = "json",
	[E_CONFIG] = "config",
	[E_UNSUPPORTED] = "unsupported",
	[E_POLICY] = "policy",
	[E_DELEGATION] = "delegation",
	[E_HOST] = "host",
	[E_USERNS_BLOCKED] = "userns_blocked",
	[E_NAMESPACE] = "namespace",
	[E_IDMAP] = "idmap",
	[E_CGROUP] = "cgroup",
	[E_ROOTFS] = "rootfs",
	[E_MOUNT] = "mount",
	[E_MOUNT_MASK] = "mount_mask",
	[E_DEVICE] = "device",
	[E_SYSCTL] = "sysctl",
	[E_CREDENTIALS] = "credentials",
	[E_SECCOMP] = "seccomp",
	[E_LSM] = "lsm",
	[E_RLIMIT] = "rlimit",
	[E_TERMINAL] = "terminal",
	[E_HOOK] = "hook",
	[E_EXEC_NOT_FOUND] = "exec_not_found",
	[E_EXEC] = "exec",
	[E_NETWORK] = "network",
	[E_TIMEOUT] = "timeout",
	[E_PROCESS] = "process",
};
_Static_assert(array_size(code_names) == E_MAX, "every error code has a name");

const char *err_code_name(enum err_code code)
{
	return (unsigned int)code < E_MAX ? code_names[code] : code_names[E_INTERNAL];
}

/* The out-of-memory record is shared and read-only: callers get it through the same pointer type as
 * all others, and the functions below never write to it. */
static struct err *nomem_record(void)
{
	union {
		const struct err *shared;
		struct err *record;
	} u = { .shared = &nomem };

	return u.record;
}

static char *dup_or_null(const char *s)
{
	return s ? strdup(s) : NULL;
}

static void store(struct err **err, struct err *record)
{
	err_free(*err);
	*err = record;
}

int err_nomem(struct err **err)
{
	if (err)
		store(err, nomem_record());
	return -ENOMEM;
}

int err_sys(struct err **err, enum err_code code, int errnum, const char *operation,
	    const char *object, const char *pointer)
{
	struct err *record;

	if (errnum <= 0)
		errnum = errnum < 0 ? -errnum : EINVAL;
	if (!err)
		return -errnum;

	record = calloc(1, sizeof(*record));
	if (!record) {
		err_nomem(err);
		return -errnum;
	}
	record->code = code;
	record->errnum = errnum;
	record->operation = dup_or_null(operation);
	record->object = dup_or_null(object);
	record->pointer = dup_or_null(pointer);
	store(err, record);
	return -errnum;
}

int err_set(struct err **err, enum err_code code, int errnum, const char *pointer,
	    const char *format, ...)
{
	struct err *record;
	va_list ap;

	if (errnum < 0)
		errnum = -errnum;
	if (!err)
		return errnum ? -errnum : -EINVAL;

	record = calloc(1, sizeof(*record));
	if (!record) {
		err_nomem(err);
		return errnum ? -errnum : -EINVAL;
	}
	record->code = code;
	record->errnum = errnum;
	record->pointer = dup_or_null(pointer);
	va_start(ap, format);
	if (vasprintf(&record->text, format, ap) < 0)
		record->text = NULL;
	va_end(ap);
	store(err, record);
	return errnum ? -errnum : -EINVAL;
}

/* The newest errno of a chain: what a caller that only looks at numbers gets. */
static int chain_errnum(const struct err *err)
{
	for (; err; err = err->cause)
		if (err->errnum)
			return err->errnum;
	return EINVAL;
}

int err_wrap(struct err **err, const char *format, ...)
{
	struct err *record;
	va_list ap;
	int errnum;

	if (!err || !*err)
		return -EINVAL;

	errnum = chain_errnum(*err);
	record = calloc(1, sizeof(*record));
	if (!record)
		return -errnum;
	va_start(ap, format);
	if (vasprintf(&record->text, format, ap) < 0)
		record->text = NULL;
	va_end(ap);
	if (!record->text) {
		free(record);
		return -errnum;
	}
	record->code = (*err)->code;
	record->cause = *err;
	*err = record;
	return -errnum;
}

void err_hint(struct err **err, const char *format, ...)
{
	va_list ap;

	if (!err || !*err || *err == &nomem || (*err)->hint)
		return;
	va_start(ap, format);
	if (vasprintf(&(*err)->hint, format, ap) < 0)
		(*err)->hint = NULL;
	va_end(ap);
}

void err_replace_pointer(struct err *err, const char *pointer)
{
	for (; err && err != &nomem; err = err->cause) {
		if (!err->pointer)
			continue;
		free(err->pointer);
		err->pointer = dup_or_null(pointer);
	}
}

void err_free(struct err *err)
{
	while (err && err != &nomem) {
		struct err *cause = err->cause;

		free(err->operation);
		free(err->object);
		free(err->pointer);
		free(err->text);
		free(err->hint);
		free(err);
		err = cause;
	}
}

enum err_code err_root_code(const struct err *err)
{
	if (!err)
		return E_INTERNAL;
	while (err->cause)
		err = err->cause;
	return err->code;
}

static void put_bounded(struct strbuf *sb, const char *s, size_t max)
{
	strbuf_put_escaped(sb, s, strlen(s), max);
}

/* What a call does, for those who don't know it; logs as JSON keep its name. Sorted by it. Others are said as they are. */
static const struct {
	const char *operation, *words;
} deeds[] = {
	{ "bind mount", "show" }, { "capset", "set the capabilities of" }, { "chdir", "enter" }, { "chmod", "set the mode of" },
	{ "chown", "set the owner of" }, { "chroot", "change the root to" }, { "clone", "start" }, { "clone3", "start" },
	{ "close_range", "close the descriptors of" }, { "connect", "connect to" }, { "execveat", "execute" }, { "fchdir", "enter" },
	{ "fchmodat", "set the mode of" }, { "fchown", "set the owner of" }, { "fcntl", "get a descriptor of" },
	{ "fdopendir", "list" }, { "flock", "lock" }, { "fork", "start a process for" }, { "fsconfig", "set up" },
	{ "fsmount", "make the file system of" }, { "fspick", "set up" }, { "fstat", "look at" }, { "fstatat", "look at" },
	{ "fstatfs", "look at the file system of" }, { "futex", "wait for" }, { "getcwd", "find out" },
	{ "getrandom", "get random bytes" }, { "ioprio_set", "set the I/O priority" }, { "keyctl", "set up the session keyring by" },
	{ "memfd_create", "get memory for the" }, { "mkdir", "make the folder" }, { "mkfifo", "make" }, { "mknod", "make" },
	{ "mmap", "get memory for the" }, { "mount", "mount" }, { "mount_setattr", "set the flags of the mount of" },
	{ "move_mount", "mount" }, { "open", "open" }, { "open_tree", "take the mount of" }, { "openat", "open" },
	{ "openat2", "open" }, { "opendir", "list" }, { "personality", "set the execution domain" }, { "pidfd_open", "watch" },
	{ "pidfd_send_signal", "send a signal to" }, { "pipe2", "make a pipe for" }, { "pivot_root", "change the root to" },
	{ "poll", "wait for" }, { "posix_spawn", "start" }, { "prctl", "set" }, { "prlimit", "set the limit" }, { "read", "read" },
	{ "readdir", "list" }, { "readlink", "read the link" }, { "realpath", "find" }, { "recvmsg", "receive from" },
	{ "rename", "rename" }, { "rmdir", "remove" }, { "rtnetlink", "set up" }, { "sched_setaffinity", "set the CPUs" },
	{ "sched_setattr", "set the scheduling policy" }, { "seal", "keep the" }, { "seccomp", "load the system call filter" },
	{ "send", "send to" }, { "sendmsg", "send to" }, { "set_mempolicy", "set the memory policy" },
	{ "setdomainname", "set the domain name" }, { "setgroups", "set the groups" }, { "sethostname", "set the host name" },
	{ "setns", "enter the namespace" }, { "setresgid", "change to group" }, { "setresuid", "change to user" },
	{ "setsid", "begin a session" }, { "sigaction", "set up the signals of" }, { "signalfd", "receive the signals of" },
	{ "sigprocmask", "block the signals of" }, { "socketpair", "make a socket for" }, { "stat", "look at" },
	{ "statx", "look at" }, { "symlink", "make the link" }, { "tcsetattr", "set the terminal of" },
	{ "tmpcopyup", "copy the files below" }, { "umount2", "unmount" }, { "unlink", "remove" }, { "unshare", "make a" },
	{ "waitid", "wait for" }, { "waitpid", "wait for" }, { "write", "write" },
};

static int compare_deed(const void *operation, const void *row)
{
	return strcmp(operation, *(const char *const *)row);
}

static const char *deed_of(const char *operation)
{
	const char *const *row = bsearch(operation, deeds, array_size(deeds), sizeof(*deeds), compare_deed);

	return row ? row[1] : operation;
}

/* Else it is the machine's, of which there is nothing to say. */
static bool has_address_limit(void)
{
	struct rlimit limit;

	return getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY;
}

/* What the C library's words for an errno don't say, where nobody has said more. */
static const char *remedy_of(int errnum)
{
	switch (errnum) {
	case EMFILE:
		return "this process may have no more descriptors: raise ulimit -n";
	case ENFILE:
		return "the system has no more open files to give: raise the sysctl fs.file-max";
	case EFBIG:
		return "files may not be that large here: see ulimit -f";
	case ENOMEM:
		return has_address_limit() ? "the address space of this process is limited: raise ulimit -v" : NULL;
	case ENOSPC:
		return "a file system is full, or a limit of the kernel's is reached: see df, df -i, and the sysctls fs.mount-max and user.max_*";
	case EXDEV:
		return "something else is mounted there, or a link leads out";
	case EPERM:
		return "the caller lacks the right, or a security module or a system call filter around mxcrun refuses it";
	case ENOSYS:
		return "this kernel lacks the call, or a system call filter around mxcrun refuses it";
	default:
		return NULL;
	}
}

static void format_call(struct strbuf *sb, const struct err *err)
{
	strbuf_puts(sb, "cannot ");
	put_bounded(sb, err->operation ? deed_of(err->operation) : "use", OBJECT_SHOWN_MAX);
	if (!err->object)
		return;
	strbuf_putc(sb, ' ');
	put_bounded(sb, *err->object ? err->object : "\"\"", OBJECT_SHOWN_MAX);
}

static void format_level(struct strbuf *sb, const struct err *err)
{
	if (err->text) {
		put_bounded(sb, err->text, TEXT_SHOWN_MAX);
	} else if (err->operation || err->object) {
		format_call(sb, err);
	} else {
		strbuf_puts(sb, err_code_name(err->code));
	}
	/* The static record's text says it already. */
	if (err->errnum && err != &nomem) {
		strbuf_puts(sb, ": ");
		strbuf_puts(sb, strerror(err->errnum));
	}
}

char *err_format(const struct err *err)
{
	cleanup_strbuf struct strbuf sb = STRBUF_INIT;
	const char *pointer = NULL, *remedy = NULL;
	const struct err *level;
	bool has_hint = false;

	if (!err)
		return strdup("no error");

	for (level = err; level; level = level->cause) {
		if (level != err)
			strbuf_puts(&sb, ": ");
		if (level->pointer && level->pointer[0] &&
		    (!pointer || strcmp(pointer, level->pointer) != 0)) {
			pointer = level->pointer;
			put_bounded(&sb, pointer, OBJECT_SHOWN_MAX);
			strbuf_puts(&sb, ": ");
		}
		format_level(&sb, level);
		remedy = level->text && level != &nomem ? NULL : remedy_of(level->errnum);
	}
	for (level = err; level; level = level->cause) {
		if (!level->hint)
			continue;
		strbuf_puts(&sb, has_hint ? "; " : " (");
		put_bounded(&sb, level->hint, TEXT_SHOWN_MAX);
		has_hint = true;
	}
	if (has_hint)
		strbuf_putc(&sb, ')');
	else if (remedy)
		strbuf_printf(&sb, " (%s)", remedy);
	return strbuf_take(&sb);
}

/* The flat form: "MXE1", a byte with the number of levels, and for each level, newest first, code
 * (u16), errno (u16) and five strings (u16 length, 0xffff for NULL, then the bytes). Native byte
 * order: both ends run on one machine. */
static const char pack_magic[4] = { 'M', 'X', 'E', '1' };
#define PACK_NULL 0xffffu
#define PACK_STRINGS 5u
#define PACK_LEVEL_SIZE (2u + 2u + PACK_STRINGS * 2u)
/* With this limit for each string the largest chain fits. */
#define PACK_STRING_MIN 64u
_Static_assert(5u + LEVELS_MAX * (PACK_LEVEL_SIZE + PACK_STRINGS * PACK_STRING_MIN) <= ERR_PACK_MAX,
	       "a chain of the most levels fits when its strings are shortened");

static void level_strings(const struct err *err, const char *strings[PACK_STRINGS])
{
	strings[0] = err->operation;
	strings[1] = err->object;
	strings[2] = err->pointer;
	strings[3] = err->text;
	strings[4] = err->hint;
}

/* The levels that are sent: all, or the newest and the root of a very long chain. */
static size_t pack_levels(const struct err *err, const struct err *levels[LEVELS_MAX])
{
	size_t count = 0;

	for (; err; err = err->cause) {
		if (count < LEVELS_MAX)
			levels[count++] = err;
		else
			levels[LEVELS_MAX - 1] = err;
	}
	return count;
}

static size_t pack_size(const struct err *const *levels, size_t count, size_t limit)
{
	const char *strings[PACK_STRINGS];
	size_t size = sizeof(pack_magic) + 1;
	size_t i, j;

	for (i = 0; i < count; i++) {
		size += PACK_LEVEL_SIZE;
		level_strings(levels[i], strings);
		for (j = 0; j < PACK_STRINGS; j++) {
			size_t len = strings[j] ? strlen(strings[j]) : 0;

			size += len < limit ? len : limit;
		}
	}
	return size;
}

static void pack_u16(struct strbuf *sb, unsigned int value)
{
	uint16_t v = (uint16_t)value;

	strbuf_add(sb, &v, sizeof(v));
}

static void pack_string(struct strbuf *sb, const char *s, size_t limit)
{
	size_t len;

	if (!s) {
		pack_u16(sb, PACK_NULL);
		return;
	}
	len = strlen(s);
	if (len <= limit) {
		pack_u16(sb, (unsigned int)len);
		strbuf_add(sb, s, len);
		return;
	}
	pack_u16(sb, (unsigned int)limit);
	strbuf_add(sb, s, limit - 3);
	strbuf_add(sb, "...", 3);
}

void *err_pack(const struct err *err, size_t *ret_len)
{
	cleanup_strbuf struct strbuf sb = STRBUF_INIT;
	const struct err *levels[LEVELS_MAX];
	const char *strings[PACK_STRINGS];
	size_t count, i, j, limit = ERR_PACK_MAX;
	void *data;

	count = pack_levels(err, levels);
	while (limit > PACK_STRING_MIN && pack_size(levels, count, limit) > ERR_PACK_MAX)
		limit /= 2;

	strbuf_add(&sb, pack_magic, sizeof(pack_magic));
	strbuf_putc(&sb, (char)count);
	for (i = 0; i < count; i++) {
		pack_u16(&sb, (unsigned int)levels[i]->code);
		pack_u16(&sb, (unsigned int)levels[i]->errnum);
		level_strings(levels[i], strings);
		for (j = 0; j < PACK_STRINGS; j++)
			pack_string(&sb, strings[j], limit);
	}
	*ret_len = sb.len;
	data = strbuf_take(&sb);
	if (!data)
		*ret_len = 0;
	return data;
}

struct reader {
	const unsigned char *data;
	size_t len;
};

static bool read_u16(struct reader *r, unsigned int *ret)
{
	uint16_t v;

	if (r->len < sizeof(v))
		return false;
	memcpy(&v, r->data, sizeof(v));
	r->data += sizeof(v);
	r->len -= sizeof(v);
	*ret = v;
	return true;
}

static bool read_string(struct reader *r, char **ret)
{
	unsigned int len;

	if (!read_u16(r, &len))
		return false;
	if (len == PACK_NULL)
		return true;
	if (len > r->len || memchr(r->data, 0, len))
		return false;
	*ret = strndup((const char *)r->data, len);
	r->data += len;
	r->len -= len;
	return true;
}

static bool read_level(struct reader *r, struct err *level)
{
	unsigned int code, errnum;

	if (!read_u16(r, &code) || code >= E_MAX || !read_u16(r, &errnum) || errnum > 4095)
		return false;
	level->code = (enum err_code)code;
	level->errnum = (int)errnum;
	return read_string(r, &level->operation) && read_string(r, &level->object) &&
	       read_string(r, &level->pointer) && read_string(r, &level->text) &&
	       read_string(r, &level->hint);
}

struct err *err_unpack(const void *data, size_t len)
{
	struct reader r = { .data = data, .len = len };
	struct err *err = NULL, **tail = &err;
	unsigned int count;

	if (!data || len < sizeof(pack_magic) + 1 || len > ERR_PACK_MAX ||
	    memcmp(data, pack_magic, sizeof(pack_magic)) != 0)
		goto garbled;
	count = r.data[sizeof(pack_magic)];
	r.data += sizeof(pack_magic) + 1;
	r.len -= sizeof(pack_magic) + 1;
	if (count == 0 || count > LEVELS_MAX)
		goto garbled;

	while (count-- > 0) {
		*tail = calloc(1, sizeof(**tail));
		if (!*tail) {
			*tail = nomem_record();
			return err;
		}
		if (!read_level(&r, *tail))
			goto garbled;
		tail = &(*tail)->cause;
	}
	if (r.len == 0)
		return err;
garbled:
	err_set(&err, E_INTERNAL, EPROTO, NULL,
		"the error report of the container's init is garbled");
	return err;
}

/* store.c - the root directory and its entries: names, exclusive creation, locks, removal.
 *
 * Everything is reached by *at calls from one descriptor of the root directory and without
 * following links; an id is checked before it becomes a file name. What is in an entry is the
 * subject of record.c and journal.c.
 */

#include "lifecycle/store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/strbuf.h"

#define LOCK_WAIT_MS 10000u
#define CREATE_ATTEMPTS 100

int store_fail(struct err **err, int errnum, const char *operation, int dir_fd, const char *name)
{
	cleanup_strbuf struct strbuf path = STRBUF_INIT;
	char dir[PATH_MAX];

	if (fd_name(dir_fd, dir, sizeof(dir)) == 0)
		strbuf_printf(&path, "%s/", dir);
	strbuf_puts(&path, name);
	return err_sys(err, E_RECORD, errnum, operation, path.failed ? name : strbuf_str(&path), NULL);
}

/* ---- the root directory ---- */

enum default_root { ROOT_OF_THE_MACHINE, ROOT_OF_THE_ENVIRONMENT, ROOT_OF_THE_SESSION, ROOT_OF_A_USER, DEFAULT_ROOTS };

/* NULL: out of memory, or there is none. */
static char *default_root_path(enum default_root which)
{
	cleanup_strbuf struct strbuf path = STRBUF_INIT;
	const char *runtime_dir = getenv("XDG_RUNTIME_DIR");

	switch (which) {
	case ROOT_OF_THE_MACHINE:
		strbuf_puts(&path, "/run/mxcrun");
		break;
	case ROOT_OF_THE_ENVIRONMENT:
		if (!runtime_dir || runtime_dir[0] != '/')
			return NULL;
		strbuf_printf(&path, "%s/mxcrun", runtime_dir);
		break;
	case ROOT_OF_THE_SESSION:
		strbuf_printf(&path, "/run/user/%u/mxcrun", geteuid());
		break;
	case ROOT_OF_A_USER:
	case DEFAULT_ROOTS:
		strbuf_printf(&path, "/tmp/mxcrun-%u", geteuid());
		break;
	}
	return strbuf_take(&path);
}

static char *choose_root_path(bool is_privileged, bool *ret_is_shared)
{
	char *path = is_privileged ? default_root_path(ROOT_OF_THE_MACHINE) : default_root_path(ROOT_OF_THE_ENVIRONMENT);

	*ret_is_shared = !is_privileged && !path;
	return *ret_is_shared ? default_root_path(ROOT_OF_A_USER) : path;
}

int store_default_paths(struct arena *arena, bool is_privileged, struct string_list *ret)
{
	const char **items = arena_array(arena, DEFAULT_ROOTS, sizeof(*items));
	size_t first = is_privileged ? ROOT_OF_THE_MACHINE : ROOT_OF_THE_ENVIRONMENT;
	size_t end = is_privileged ? ROOT_OF_THE_ENVIRONMENT : DEFAULT_ROOTS;

	*ret = (struct string_list){ .items = items };
	for (size_t i = first; items && i < end; i++) {
		cleanup_free char *path = default_root_path((enum default_root)i);

		if (path)
			items[ret->count++] = arena_strdup(arena, path);
		if (path && !items[ret->count - 1])
			return -ENOMEM;
	}
	return items ? 0 : -ENOMEM;
}

static char *absolute_path(const char *path)
{
	cleanup_strbuf struct strbuf absolute = STRBUF_INIT;
	cleanup_free char *cwd = NULL;

	if (path[0] != '/') {
		cwd = getcwd(NULL, 0);
		if (!cwd)
			return NULL;
		strbuf_printf(&absolute, "%s/", cwd);
	}
	strbuf_puts(&absolute, path);
	return strbuf_take(&absolute);
}

int store_make_directories(const char *path, struct err **err)
{
	cleanup_free char *partial = strdup(path);

	if (!partial)
		return err_nomem(err);
	for (char *slash = partial + 1;; slash++) {
		char saved = *slash;

		if (saved != '/' && saved != '\0')
			continue;
		*slash = '\0';
		if (mkdir(partial, 0700) < 0 && errno != EEXIST)
			return err_sys(err, E_RECORD, errno, "mkdir", partial, NULL);
		*slash = saved;
		if (saved == '\0')
			return 0;
	}
}

/* A directory of ours in a place where everybody may make names. */
static int check_is_ours(int fd, const char *path, struct err **err)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_sys(err, E_RECORD, errno, "fstat", path, NULL);
	if (st.st_uid != geteuid() || (st.st_mode & 077) != 0)
		return err_set(
			err, E_RECORD, 0, NULL,
			"the state directory %s belongs to somebody else or is open to others",
			path);
	return 0;
}

int store_open(const char *path, bool is_privileged, enum store_open_mode mode, struct store *ret,
	       struct err **err)
{
	cleanup_close int root_fd = -1;
	cleanup_free char *root_path = NULL;
	bool is_shared = false;
	int r;

	if (path && path[0] == '\0')
		return err_set(err, E_USAGE, 0, NULL, "the state directory's name is empty");
	root_path = path ? absolute_path(path) : choose_root_path(is_privileged, &is_shared);
	if (!root_path)
		return err_nomem(err);

	root_fd =
		open(root_path, O_DIRECTORY | O_RDONLY | O_CLOEXEC | (is_shared ? O_NOFOLLOW : 0));
	if (root_fd < 0 && errno == ENOENT && mode == STORE_MAKE) {
		r = store_make_directories(root_path, err);
		if (r < 0)
			return r;
		root_fd = open(root_path, O_DIRECTORY | O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	}
	if (root_fd < 0 && (errno != ENOENT || mode == STORE_MAKE))
		return err_sys(err, E_RECORD, errno, "open", root_path, NULL);
	if (root_fd >= 0 && is_shared) {
		r = check_is_ours(root_fd, root_path, err);
		if (r < 0)
			return r;
	}
	ret->root_path = take_ptr(root_path);
	ret->root_fd = take_fd(root_fd);
	return 0;
}

void store_close(struct store *store)
{
	free_ptr(&store->root_path);
	store->root_path = NULL;
	fd_close_ptr(&store->root_fd);
	store->root_fd = -1;
}

/* ---- ids ---- */

static bool is_id_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_' || c == '+' || c == '-' || c == '.';
}

static bool is_id(const char *id, size_t len)
{
	if (len == 0 || id[0] == '.')
		return false;
	for (size_t i = 0; i < len; i++)
		if (!is_id_char(id[i]))
			return false;
	return true;
}

int store_check_id(const char *id, struct err **err)
{
	size_t len = strlen(id);
	cleanup_strbuf struct strbuf shown = STRBUF_INIT;

	if (len > STORE_ID_MAX)
		return err_set(err, E_ID, 0, NULL,
			       "invalid container id: %zu characters are too many (at most %u)",
			       len, STORE_ID_MAX);
	if (is_id(id, len))
		return 0;
	strbuf_put_escaped(&shown, id, len, 64);
	err_set(err, E_ID, 0, NULL, "invalid container id format: \"%s\"", strbuf_str(&shown));
	err_hint(err, "letters, digits, \"_\", \"+\", \"-\" and, not in front, \".\" are allowed");
	return -EINVAL;
}

/* ---- names in a directory ---- */

void store_ids_done(struct store_ids *ids)
{
	free_ptr(&ids->items);
	arena_free_ptr(&ids->arena);
	*ids = (struct store_ids){ 0 };
}

static void closedir_ptr(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

static int make_room(struct store_ids *names, size_t *capacity)
{
	size_t larger = *capacity ? *capacity * 2 : 16;
	const char **items;

	if (names->count < *capacity)
		return 0;
	items = reallocarray(names->items, larger, sizeof(*items));
	if (!items)
		return -ENOMEM;
	names->items = items;
	*capacity = larger;
	return 0;
}

static int add_name(struct store_ids *names, size_t *capacity, const char *name)
{
	const char *copy = arena_strdup(names->arena, name);

	if (!copy || make_room(names, capacity) < 0)
		return -ENOMEM;
	names->items[names->count++] = copy;
	return 0;
}

static int read_names(DIR *dir, struct store_ids *names, bool only_ids, struct err **err)
{
	size_t capacity = 0;
	const struct dirent *item;

	while ((errno = 0, item = readdir(dir))) {
		size_t len = strlen(item->d_name);

		if (only_ids && (!is_id(item->d_name, len) ||
				 (item->d_type != DT_DIR && item->d_type != DT_UNKNOWN)))
			continue;
		if (!strcmp(item->d_name, ".") || !strcmp(item->d_name, ".."))
			continue;
		if (add_name(names, &capacity, item->d_name) < 0)
			return err_nomem(err);
	}
	if (errno != 0)
		return err_sys(err, E_RECORD, errno, "readdir", "state directory", NULL);
	return 0;
}

/* ret is empty; on failure it is again. */
static int list_names(int dir_fd, struct store_ids *ret, struct err **err, bool only_ids)
{
	__attribute__((cleanup(closedir_ptr))) DIR *dir = NULL;
	cleanup_close int fd = openat(dir_fd, ".", O_DIRECTORY | O_RDONLY | O_CLOEXEC);
	int r;

	dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir)
		return err_sys(err, E_RECORD, errno, "opendir", "state directory", NULL);
	(void)take_fd(fd); /* dir owns it */
	ret->arena = arena_new();
	r = ret->arena ? read_names(dir, ret, only_ids, err) : err_nomem(err);
	if (r < 0)
		store_ids_done(ret);
	return r;
}

/* ---- entries ---- */

void entry_close(struct entry *entry)
{
	free_ptr(&entry->id);
	entry->id = NULL;
	fd_close_ptr(&entry->journal_fd);
	entry->journal_fd = -1;
	fd_close_ptr(&entry->dir_fd);
	entry->dir_fd = -1;
}

static int open_entry_dir(const struct store *store, const char *id)
{
	int fd;

	if (store->root_fd < 0)
		return -ENOENT;
	fd = openat(store->root_fd, id, O_DIRECTORY | O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static int lock_try(int fd)
{
	return flock(fd, LOCK_EX | LOCK_NB) < 0 ? -errno : 0;
}

static int lock_wait(int fd)
{
	unsigned int waited_ms = 0, step_ms = 1;
	int r;

	for (;;) {
		r = lock_try(fd);
		if (r != -EWOULDBLOCK && r != -EINTR)
			return r;
		if (waited_ms >= LOCK_WAIT_MS)
			return -ETIMEDOUT;
		nanosleep(&(struct timespec){ .tv_nsec = (long)step_ms * 1000000 }, NULL);
		waited_ms += step_ms;
		if (step_ms < 32)
			step_ms *= 2;
	}
}

/* A directory that was removed while we waited for its lock has no name any more, or another one
 * has it. Also makes the mode exact, whatever the umask was. */
static int check_entry_dir(const struct store *store, const char *id, int fd)
{
	struct stat opened, named;

	if (fstat(fd, &opened) < 0 || fstatat(store->root_fd, id, &named, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if (opened.st_dev != named.st_dev || opened.st_ino != named.st_ino)
		return -ENOENT;
	if ((opened.st_mode & 07777) != 0700 && fchmod(fd, 0700) < 0)
		return -errno;
	return 0;
}

int store_create(const struct store *store, const char *id, struct entry *ret, struct err **err)
{
	int r = store_check_id(id, err);

	if (r < 0)
		return r;
	/* Between mkdir and lock a gc may see an empty entry that nobody holds, and remove it. Then
	 * the name is free and we make it again. */
	for (int attempt = 0; attempt < CREATE_ATTEMPTS; attempt++) {
		cleanup_close int dir_fd = -1;

		if (mkdirat(store->root_fd, id, 0700) < 0) {
			if (errno == EEXIST)
				return err_set(err, E_EXISTS, 0, NULL,
					       "container with given ID already exists: %s", id);
			return store_fail(err, errno, "mkdir", store->root_fd, id);
		}
		dir_fd = open_entry_dir(store, id);
		r = dir_fd < 0 ? dir_fd : lock_wait(dir_fd);
		if (r == 0)
			r = check_entry_dir(store, id, dir_fd);
		if (r == -ENOENT)
			continue;
		/* one that is locked for so long is somebody else's, who has the name by now */
		if (r < 0 && r != -ETIMEDOUT)
			unlinkat(store->root_fd, id, AT_REMOVEDIR);
		if (r < 0)
			return store_fail(err, -r, dir_fd < 0 ? "open" : "flock", store->root_fd, id);
		ret->id = strdup(id);
		if (!ret->id) {
			unlinkat(store->root_fd, id, AT_REMOVEDIR);
			return err_nomem(err);
		}
		ret->dir_fd = take_fd(dir_fd);
		ret->journal_fd = -1;
		return 0;
	}
	return err_set(err, E_RECORD, 0, NULL,
		       "the entry of container %s is removed as often as it is made", id);
}

static int not_found(const char *id, struct err **err)
{
	err_set(err, E_NOT_FOUND, 0, NULL, "container does not exist: %s", id);
	return -ENOENT;
}

static int lock_entry_dir(const struct store *store, const char *id, int dir_fd,
			  enum store_lock lock, struct err **err)
{
	int r;

	if (lock == STORE_UNLOCKED)
		return 0;
	r = lock == STORE_LOCK_TRY ? lock_try(dir_fd) : lock_wait(dir_fd);
	if (r == -EWOULDBLOCK || r == -ETIMEDOUT) {
		err_set(err, E_STATE, 0, NULL,
			"container %s is in use by another process of the runtime", id);
		return r;
	}
	if (r == 0)
		r = check_entry_dir(store, id, dir_fd);
	if (r == -ENOENT)
		return not_found(id, err);
	if (r < 0)
		return store_fail(err, -r, "flock", store->root_fd, id);
	return 0;
}

int entry_lock(const struct store *store, const struct entry *entry, enum store_lock lock,
	       struct err **err)
{
	return lock_entry_dir(store, entry->id, entry->dir_fd, lock, err);
}

int store_get(const struct store *store, const char *id, enum store_lock lock, struct entry *ret,
	      struct err **err)
{
	cleanup_close int dir_fd = -1;
	int r = store_check_id(id, err);

	if (r < 0)
		return r;
	dir_fd = open_entry_dir(store, id);
	if (dir_fd == -ENOENT)
		return not_found(id, err);
	if (dir_fd < 0)
		return store_fail(err, -dir_fd, "open", store->root_fd, id);
	r = lock_entry_dir(store, id, dir_fd, lock, err);
	if (r < 0)
		return r;
	ret->id = strdup(id);
	if (!ret->id)
		return err_nomem(err);
	ret->dir_fd = take_fd(dir_fd);
	ret->journal_fd = -1;
	return 0;
}

bool entry_is_locked(const struct entry *entry)
{
	/* Shared, so that two who ask at once don't see each other. */
	if (flock(entry->dir_fd, LOCK_SH | LOCK_NB) < 0)
		return true;
	flock(entry->dir_fd, LOCK_UN);
	return false;
}

static int remove_name(int dir_fd, const char *name)
{
	if (unlinkat(dir_fd, name, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno != EISDIR)
		return -errno;
	return unlinkat(dir_fd, name, AT_REMOVEDIR) < 0 ? -errno : 0;
}

/* Also temporary files of a writer that was killed, and whatever else lies there. */
static int remove_all_names(const struct entry *entry, struct err **err)
{
	cleanup_store_ids struct store_ids names = { 0 };
	int r = list_names(entry->dir_fd, &names, err, false);

	if (r < 0)
		return r;
	for (size_t i = 0; i < names.count; i++) {
		r = remove_name(entry->dir_fd, names.items[i]);
		if (r < 0)
			return store_fail(err, -r, "unlink", entry->dir_fd, names.items[i]);
	}
	return 0;
}

int store_remove(const struct store *store, struct entry *entry, struct err **err)
{
	static const char *const usual[] = { STORE_START_FIFO, "journal", "record" };
	int r;

	/* What this leaves behind shows when the directory can't be removed. */
	for (size_t i = 0; i < array_size(usual); i++)
		unlinkat(entry->dir_fd, usual[i], 0);
	if (unlinkat(store->root_fd, entry->id, AT_REMOVEDIR) == 0 || errno == ENOENT)
		return 0;
	if (errno != ENOTEMPTY && errno != EEXIST)
		return store_fail(err, errno, "rmdir", store->root_fd, entry->id);
	r = remove_all_names(entry, err);
	if (r < 0)
		return r;
	if (unlinkat(store->root_fd, entry->id, AT_REMOVEDIR) < 0 && errno != ENOENT)
		return store_fail(err, errno, "rmdir", store->root_fd, entry->id);
	return 0;
}

/* ---- all entries ---- */

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

int store_ids(const struct store *store, struct store_ids *ret, struct err **err)
{
	int r;

	*ret = (struct store_ids){ 0 };
	if (store->root_fd < 0)
		return 0;
	r = list_names(store->root_fd, ret, err, true);
	if (r < 0)
		return r;
	if (ret->count > 1)
		qsort(ret->items, ret->count, sizeof(*ret->items), compare_names);
	return 0;
}

/* directory.c - see directory.h. */
#include "cgroup/directory.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "base/sys.h"

#define CGROUP_MAGIC 0x27e0eb
#define CGROUP2_MAGIC 0x63677270
#define OPEN_FLAGS (O_RDONLY | O_DIRECTORY | O_CLOEXEC)
#define FILE_SIZE_MAX (64u << 20)
#define FLAGS_SIZE_MAX 512u	/* cgroup.events has two short lines */
#define STEP_MAX_MS 32u

/* ---- opening ---- */

/* Without openat2: component by component, never through a symlink; within one file system if
 * asked. */
static int walk_components(int dir_fd, const char *path, bool stays)
{
	cleanup_close int fd = openat(dir_fd, path[0] == '/' ? "/" : ".", OPEN_FLAGS);
	struct stat st, start;

	if (fd < 0 || fstat(fd, &start) < 0)
		return -errno;
	for (;;) {
		char name[NAME_MAX + 1];
		size_t len;
		int next;

		path += strspn(path, "/");
		len = strcspn(path, "/");
		if (len == 0)
			return take_fd(fd);
		if (len > NAME_MAX)
			return -ENAMETOOLONG;
		memcpy(name, path, len);
		name[len] = '\0';
		if (strcmp(name, "..") == 0)
			return -EINVAL;
		next = openat(fd, name, OPEN_FLAGS | O_NOFOLLOW);
		if (next < 0)
			return -errno;
		close(fd);
		fd = next;
		if (stays && (fstat(fd, &st) < 0 || st.st_dev != start.st_dev))
			return -EXDEV;
		path += len;
	}
}

static int open_no_symlinks(int dir_fd, const char *path, uint64_t resolve)
{
	int fd, retries = 64;

	do
		fd = sys_openat2(dir_fd, path, OPEN_FLAGS, 0, resolve | SYS_RESOLVE_NO_SYMLINKS);
	while (fd < 0 && (errno == EAGAIN || errno == EINTR) && --retries > 0);
	if (fd >= 0)
		return fd;
	/* EPERM is also what seccomp filters of older engines answer to unknown calls. */
	if (errno == ENOSYS || errno == EPERM)
		return walk_components(dir_fd, path, resolve & SYS_RESOLVE_NO_XDEV);
	return -errno;
}

int directory_open(const char *path, bool is_v2)
{
	cleanup_close int fd = -1;
	struct statfs fs;

	if (path[0] != '/')
		return -EINVAL;
	fd = open_no_symlinks(AT_FDCWD, path, 0);
	if (fd < 0)
		return fd;
	if (fstatfs(fd, &fs) < 0)
		return -errno;
	if ((unsigned long)fs.f_type != (is_v2 ? CGROUP2_MAGIC : CGROUP_MAGIC))
		return -EXDEV;
	return take_fd(fd);
}

int directory_open_below(int dir_fd, const char *path)
{
	path += strspn(path, "/");
	return open_no_symlinks(dir_fd, *path ? path : ".",
				SYS_RESOLVE_BENEATH | SYS_RESOLVE_NO_XDEV);
}

int directory_open_group(const char *path, bool is_v2, int *ret_parent_fd)
{
	cleanup_close int parent_fd = -1;
	cleanup_free char *parent = NULL;
	const char *name = directory_name(path);
	int fd;

	if (!*name || strcmp(name, "..") == 0 || strcmp(name, ".") == 0)
		return -EINVAL;
	parent = strndup(path, (size_t)(name - path));
	if (!parent)
		return -ENOMEM;
	parent_fd = directory_open(parent, is_v2);
	if (parent_fd < 0)
		return parent_fd;
	fd = directory_open_below(parent_fd, name);
	if (fd >= 0 && ret_parent_fd)
		*ret_parent_fd = take_fd(parent_fd);
	return fd;
}

const char *directory_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* ---- reading ---- */

int directory_read(int dir_fd, const char *file, char **ret)
{
	return fd_read_file(dir_fd, file, FILE_SIZE_MAX, ret, NULL);
}

bool directory_has_word(const char *words, const char *word)
{
	static const char separators[] = " ,\n";
	size_t len = strlen(word);

	while (*words) {
		size_t n = strcspn(words, separators);

		if (n == len && memcmp(words, word, len) == 0)
			return true;
		words += n;
		words += strspn(words, separators);
	}
	return false;
}

int directory_find_flag(const char *text, const char *key)
{
	size_t len = strlen(key);
	const char *line;

	for (line = text; line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL)
		if (strncmp(line, key, len) == 0 && line[len] == ' ')
			return line[len + 1] == '1';
	return -ENODATA;
}

int directory_read_flag(int dir_fd, const char *file, const char *key)
{
	char text[FLAGS_SIZE_MAX];
	int r = fd_read_kernel(dir_fd, file, text, sizeof(text));

	return r < 0 ? r : directory_find_flag(text, key);
}

/* ---- walking ---- */

/* The names of the groups directly below one, each with its NUL; at: the next to be looked at. */
struct children {
	struct strbuf names;
	size_t at;
};

static void children_done(struct children *children)
{
	strbuf_done(&children->names);
}
#define cleanup_children __attribute__((cleanup(children_done)))

static const char *next_child(struct children *children)
{
	const char *name = children->names.data + children->at;

	if (children->at >= children->names.len)
		return NULL;
	children->at += strlen(name) + 1;
	return name;
}

static void closedir_ptr(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

/* A directory that vanished has no children. */
static int list_children(int dir_fd, struct children *ret)
{
	__attribute__((cleanup(closedir_ptr))) DIR *dir = NULL;
	const struct dirent *entry;
	int fd = openat(dir_fd, ".", OPEN_FLAGS);

	*ret = (struct children){ 0 };
	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	dir = fdopendir(fd);
	if (!dir) {
		close(fd);
		return -ENOMEM;
	}
	while ((errno = 0, entry = readdir(dir)))
		if (entry->d_type == DT_DIR && strcmp(entry->d_name, ".") != 0 &&
		    strcmp(entry->d_name, "..") != 0)
			strbuf_add(&ret->names, entry->d_name, strlen(entry->d_name) + 1);
	if (errno && errno != ENOENT)
		return -errno;
	return ret->names.failed ? -ENOMEM : 0;
}

/* One descriptor and a stack on the heap: a workload that owns its group can nest groups deeper
 * than descriptors or the stack would last. */
struct walk {
	int fd;
	struct children *levels;
	size_t depth;
};

static void walk_done(struct walk *walk)
{
	while (walk->depth > 0)
		children_done(&walk->levels[--walk->depth]);
	free(walk->levels);
	fd_close_ptr(&walk->fd);
}

static int walk_down(struct walk *walk, int fd)
{
	struct children *levels;

	fd_close_ptr(&walk->fd);
	walk->fd = fd;
	if (walk->depth % 16 == 0) {
		levels = reallocarray(walk->levels, walk->depth + 16, sizeof(*levels));
		if (!levels)
			return -ENOMEM;
		walk->levels = levels;
	}
	return list_children(fd, &walk->levels[walk->depth++]);
}

static int walk_up(struct walk *walk)
{
	int fd;

	children_done(&walk->levels[--walk->depth]);
	if (walk->depth == 0)
		return 0;
	fd = openat(walk->fd, "..", OPEN_FLAGS);
	if (fd < 0)
		return -errno;
	close(walk->fd);
	walk->fd = fd;
	return 0;
}

int directory_walk(int dir_fd, directory_fn fn, void *data)
{
	__attribute__((cleanup(walk_done))) struct walk walk = { .fd = -1 };
	int fd = directory_open_below(dir_fd, ".");
	int r = fd < 0 ? fd : walk_down(&walk, fd);

	while (r == 0 && walk.depth > 0) {
		const char *name = next_child(&walk.levels[walk.depth - 1]);

		if (name) {
			fd = directory_open_below(walk.fd, name);
			if (fd != -ENOENT)
				r = fd < 0 ? fd : walk_down(&walk, fd);
			continue;
		}
		r = fn(walk.fd, data);
		if (r == 0)
			r = walk_up(&walk);
	}
	return r;
}

/* ---- removing ---- */

static int remove_children(int dir_fd, void *data)
{
	cleanup_children struct children children = { 0 };
	const char *name;
	int r = list_children(dir_fd, &children);

	(void)data;
	while (r == 0 && (name = next_child(&children)))
		if (unlinkat(dir_fd, name, AT_REMOVEDIR) < 0 && errno != ENOENT)
			r = -errno;
	return r;
}

int directory_remove_below(int dir_fd)
{
	return directory_walk(dir_fd, remove_children, NULL);
}

/* ---- processes ---- */

void pid_list_done(struct pid_list *list)
{
	free(list->items);
	*list = (struct pid_list){ 0 };
}

bool pid_list_has(const struct pid_list *list, pid_t pid)
{
	size_t i;

	for (i = 0; i < list->count; i++)
		if (list->items[i] == pid)
			return true;
	return false;
}

static int pid_list_add(struct pid_list *list, pid_t pid)
{
	if (list->count == list->capacity) {
		size_t capacity = list->capacity ? list->capacity * 2 : 64;
		pid_t *items = reallocarray(list->items, capacity, sizeof(*items));

		if (!items)
			return -ENOMEM;
		list->items = items;
		list->capacity = capacity;
	}
	list->items[list->count++] = pid;
	return 0;
}

static int add_pids(int dir_fd, void *data)
{
	struct pid_list *list = data;
	cleanup_free char *text = NULL;
	char *p, *end;
	int r = directory_read(dir_fd, "cgroup.procs", &text);

	/* ENOENT, ENODEV: removed meanwhile. EOPNOTSUPP: a threaded group, whose processes the
	 * group above lists. */
	if (r == -ENOENT || r == -ENODEV || r == -EOPNOTSUPP)
		return 0;
	if (r < 0)
		return r;
	for (p = text; *p; p = *end ? end + 1 : end) {
		long pid = strtol(p, &end, 10);

		if (end == p)
			return -EBADMSG;
		if (pid > 0 && (r = pid_list_add(list, (pid_t)pid)) < 0)
			return r;
	}
	return 0;
}

int directory_pids(int dir_fd, struct pid_list *list)
{
	return directory_walk(dir_fd, add_pids, list);
}

/* ---- waiting ---- */

struct backoff backoff_start(int timeout_ms)
{
	return (struct backoff){ .deadline_ms = sys_monotonic_ms() + timeout_ms, .step_ms = 1 };
}

bool backoff_sleep(struct backoff *backoff)
{
	struct timespec ts = { .tv_nsec = (long)backoff->step_ms * 1000000 };

	if (sys_monotonic_ms() >= backoff->deadline_ms)
		return false;
	nanosleep(&ts, NULL);
	if (backoff->step_ms < STEP_MAX_MS)
		backoff->step_ms *= 2;
	return true;
}

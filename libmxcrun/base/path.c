/* path.c - resolve, open and make paths inside a root that somebody else controls.
 *
 * openat2(2) does the plain opens. The walk below does two more jobs: it makes what is missing, and
 * it stands in where openat2 is absent. It never lets the kernel follow a link or a "..": each
 * component is opened O_PATH | O_NOFOLLOW, links are read and put in front of the rest of the path,
 * and ".." goes back to the descriptor that we came from. So nothing that is renamed or replaced
 * while we walk can lead out of the root.
 */
#include "base/path.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/strbuf.h"
#include "base/sys.h"

#define RETRIES_MAX 64
#define LINKS_MAX 40
#define REST_MAX ((size_t)64 << 10)
#define DEPTH_MAX 2048u
#define PROC_MAGIC 0x9fa0
#define FLAGS_WITH_PATH (O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

static bool openat2_is_absent;
static bool has_no_umask;
static bool test_without_openat2;

void path_test_without_openat2(bool without)
{
	test_without_openat2 = without;
}

void path_umask_is_zero(bool is_zero)
{
	has_no_umask = is_zero;
}

struct walk {
	int root_fd; /* not owned */
	int *fds;    /* the directories between the root and where we are, owned */
	size_t depth;
	char *rest; /* what is still to be resolved */
	int flags;  /* for the last component */
	bool wants_make;
	enum path_make make;
	int links, retries;
};

static void walk_done(struct walk *walk)
{
	while (walk->depth > 0)
		fd_close_ptr(&walk->fds[--walk->depth]);
	free(walk->fds);
	free(walk->rest);
}

static int walk_top(const struct walk *walk)
{
	return walk->depth ? walk->fds[walk->depth - 1] : walk->root_fd;
}

static void walk_pop(struct walk *walk)
{
	if (walk->depth > 0)
		fd_close_ptr(&walk->fds[--walk->depth]);
}

/* Takes the descriptor over, also on failure. */
static int walk_push(struct walk *walk, int fd)
{
	int *fds;

	if (walk->depth >= DEPTH_MAX) {
		close(fd);
		return -ENAMETOOLONG;
	}
	if (walk->depth % 16 == 0) {
		fds = realloc(walk->fds, (walk->depth + 16) * sizeof(*fds));
		if (!fds) {
			close(fd);
			return -ENOMEM;
		}
		walk->fds = fds;
	}
	walk->fds[walk->depth++] = fd;
	return 0;
}

/* Make one missing component and open it anew. The mode is exact: umask is out of the way for just
 * the call that makes the name, since a chmod afterwards could hit something else. */
static int make_component(int dir_fd, const char *name, enum path_make make, struct stat *ret_st)
{
	cleanup_close int made_fd = -1, fd = -1;
	mode_t mask = has_no_umask ? 0 : umask(0);
	struct stat made, st;
	int saved;

	if (make == PATH_MAKE_DIR)
		saved = mkdirat(dir_fd, name, 0755) < 0 ? errno : 0;
	else {
		made_fd = openat(dir_fd, name,
				 O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_NOCTTY | O_CLOEXEC,
				 0644);
		saved = made_fd < 0 ? errno : 0;
	}
	if (!has_no_umask)
		umask(mask);
	if (saved)
		return -saved;

	fd = openat(dir_fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0)
		return -errno;
	*ret_st = st;
	if (make == PATH_MAKE_DIR)
		return S_ISDIR(st.st_mode) ? take_fd(fd) : -ENOTDIR;
	if (fstat(made_fd, &made) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || made.st_dev != st.st_dev || made.st_ino != st.st_ino)
		return -EEXIST;
	return take_fd(fd);
}

/* Put the link's target in front of the rest. rest is "" or starts with "/". */
static int follow_link(struct walk *walk, int link_fd, const char *rest)
{
	cleanup_strbuf struct strbuf sb = STRBUF_INIT;
	char target[PATH_MAX];
	struct statfs fs;
	ssize_t len;
	char *joined;

	if (++walk->links > LINKS_MAX)
		return -ELOOP;
	/* The text of a magic link is not where it leads to. */
	if (fstatfs(link_fd, &fs) < 0)
		return -errno;
	if ((unsigned long)fs.f_type == PROC_MAGIC)
		return -ELOOP;
	len = readlinkat(link_fd, "", target, sizeof(target));
	if (len < 0)
		return -errno;
	if (len == 0)
		return -ENOENT;
	if ((size_t)len == sizeof(target) || (size_t)len + strlen(rest) > REST_MAX)
		return -ENAMETOOLONG;

	if (target[0] == '/')
		while (walk->depth > 0)
			walk_pop(walk);
	strbuf_add(&sb, target, (size_t)len);
	strbuf_puts(&sb, rest);
	joined = strbuf_take(&sb);
	if (!joined)
		return -ENOMEM;
	free(walk->rest);
	walk->rest = joined;
	return 0;
}

/* The path ended in a directory that we already hold: "/", "." or "..". */
static int finish_at_top(const struct walk *walk)
{
	int fd;

	if (walk->wants_make && walk->make == PATH_MAKE_FILE)
		return -EISDIR;
	fd = openat(walk_top(walk), ".", walk->flags | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static int finish_at(const struct walk *walk, int *fd, const char *name, const struct stat *st)
{
	int opened;

	if (walk->wants_make) {
		if (walk->make == PATH_MAKE_DIR && !S_ISDIR(st->st_mode))
			return -ENOTDIR;
		if (walk->make == PATH_MAKE_FILE && S_ISDIR(st->st_mode))
			return -EISDIR;
		return take_fd(*fd);
	}
	if ((walk->flags & O_DIRECTORY) && !S_ISDIR(st->st_mode))
		return -ENOTDIR;
	if (walk->flags & O_PATH)
		return take_fd(*fd);
	/* The name may be another object by now: as good an answer, but no link is followed. */
	opened = openat(walk_top(walk), name, walk->flags | O_NOFOLLOW | O_CLOEXEC);
	return opened < 0 ? -errno : opened;
}

/* Resolve one component, of the given length, at the start of walk->rest. Returns 1 when there is
 * more to do, 0 when *ret_fd is the result, -errno. */
static int walk_component(struct walk *walk, size_t len, int *ret_fd)
{
	cleanup_free char *name = strndup(walk->rest, len);
	cleanup_close int fd = -1;
	const char *rest = walk->rest + len;
	bool is_last = rest[strspn(rest, "/")] == '\0';
	bool wants_dir = rest[0] == '/';
	enum path_make make = is_last && walk->wants_make ? walk->make : PATH_MAKE_DIR;
	struct stat st;
	int r;

	if (!name)
		return -ENOMEM;
	fd = openat(walk_top(walk), name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd >= 0 && fstat(fd, &st) < 0)
		return -errno;
	if (fd < 0 && errno == ENOENT && walk->wants_make) {
		if (make == PATH_MAKE_FILE && wants_dir)
			return -EISDIR;
		fd = make_component(walk_top(walk), name, make, &st);
		/* Somebody made it meanwhile: look again, a bounded number of times. */
		if (fd == -EEXIST && ++walk->retries <= RETRIES_MAX)
			return 1;
		if (fd < 0)
			return fd;
	}
	if (fd < 0)
		return -errno;

	if (S_ISLNK(st.st_mode)) {
		bool is_wanted =
			is_last && !wants_dir && !walk->wants_make && (walk->flags & O_NOFOLLOW);

		if (is_wanted && !(walk->flags & O_PATH))
			return -ELOOP;
		if (!is_wanted) {
			r = follow_link(walk, fd, rest);
			return r < 0 ? r : 1;
		}
	}
	if (!is_last) {
		if (!S_ISDIR(st.st_mode))
			return -ENOTDIR;
		r = walk_push(walk, take_fd(fd));
		if (r < 0)
			return r;
		memmove(walk->rest, rest, strlen(rest) + 1);
		return 1;
	}
	if (wants_dir && !S_ISDIR(st.st_mode))
		return -ENOTDIR;
	r = finish_at(walk, &fd, name, &st);
	if (r < 0)
		return r;
	*ret_fd = r;
	return 0;
}

static int walk_run(struct walk *walk)
{
	for (;;) {
		size_t slashes = strspn(walk->rest, "/");
		size_t len;
		int fd = -1, r;

		if (slashes)
			memmove(walk->rest, walk->rest + slashes, strlen(walk->rest + slashes) + 1);
		len = strcspn(walk->rest, "/");
		if (len == 0)
			return finish_at_top(walk);
		if (len <= 2 && strncmp(walk->rest, "..", len) == 0) {
			if (len == 2)
				walk_pop(walk);
			memmove(walk->rest, walk->rest + len, strlen(walk->rest + len) + 1);
			continue;
		}
		r = walk_component(walk, len, &fd);
		if (r < 0)
			return r;
		if (r == 0)
			return fd;
	}
}

static int walk_in_root(int root_fd, const char *path, int flags, const enum path_make *make)
{
	struct walk walk = { .root_fd = root_fd, .flags = flags };
	int r;

	if (!path[0])
		return -ENOENT;
	if (strlen(path) >= PATH_MAX)
		return -ENAMETOOLONG;
	if (make) {
		walk.wants_make = true;
		walk.make = *make;
	}
	walk.rest = strdup(path);
	if (!walk.rest)
		return -ENOMEM;
	r = walk_run(&walk);
	walk_done(&walk);
	return r;
}

int path_open_in_root(int root_fd, const char *path, int flags)
{
	int retries, fd;

	if (flags & (O_CREAT | (O_TMPFILE & ~O_DIRECTORY)))
		return -EINVAL;
	/* open(2) ignores other flags beside O_PATH, openat2 refuses them. */
	if (flags & O_PATH)
		flags &= FLAGS_WITH_PATH;
	flags |= O_CLOEXEC;

	if (test_without_openat2 || openat2_is_absent)
		return walk_in_root(root_fd, path, flags, NULL);

	for (retries = 0; retries < RETRIES_MAX; retries++) {
		fd = sys_openat2(root_fd, path, (uint64_t)(unsigned int)flags, 0,
				 SYS_RESOLVE_IN_ROOT | SYS_RESOLVE_NO_MAGICLINKS);
		if (fd >= 0)
			return fd;
		/* EAGAIN: something was renamed while the kernel looked at a "..". */
		if (errno != EAGAIN && errno != EINTR)
			break;
	}
	if (errno == ENOSYS)
		openat2_is_absent = true;
	/* EPERM is also what seccomp filters of older engines answer to unknown calls. */
	if (errno == ENOSYS || errno == EPERM)
		return walk_in_root(root_fd, path, flags, NULL);
	return -errno;
}

int path_make_in_root(int root_fd, const char *path, enum path_make make)
{
	bool is_one_name = !strchr(path + strspn(path, "/"), '/');
	cleanup_close int fd = -1;
	struct stat st;

	/* the walk is as short then, and need not be told first that nothing is there */
	fd = is_one_name ? -ENOENT : path_open_in_root(root_fd, path, O_PATH);
	if (fd == -ENOENT)
		return walk_in_root(root_fd, path, O_PATH, &make);
	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (make == PATH_MAKE_DIR && !S_ISDIR(st.st_mode))
		return -ENOTDIR;
	if (make == PATH_MAKE_FILE && S_ISDIR(st.st_mode))
		return -EISDIR;
	return take_fd(fd);
}

int path_make_parent_in_root(int root_fd, const char *path, char **ret_name)
{
	cleanup_free char *parent = NULL, *name = NULL;
	size_t end = strlen(path), start;
	int fd;

	while (end > 0 && path[end - 1] == '/')
		end--;
	start = end;
	while (start > 0 && path[start - 1] != '/')
		start--;
	name = strndup(path + start, end - start);
	parent = start ? strndup(path, start) : strdup("/");
	if (!name || !parent)
		return -ENOMEM;
	if (!name[0] || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return -EINVAL;
	fd = path_make_in_root(root_fd, parent, PATH_MAKE_DIR);
	if (fd < 0)
		return fd;
	*ret_name = take_ptr(name);
	return fd;
}

char *path_clean(const char *path)
{
	char *clean = malloc(strlen(path) + 2);
	size_t len = 0;

	if (!clean)
		return NULL;
	while (*path) {
		size_t n;

		path += strspn(path, "/");
		n = strcspn(path, "/");
		if (n == 2 && path[0] == '.' && path[1] == '.') {
			while (len > 0 && clean[--len] != '/')
				;
		} else if (n > 0 && !(n == 1 && path[0] == '.')) {
			clean[len++] = '/';
			memcpy(clean + len, path, n);
			len += n;
		}
		path += n;
	}
	if (len == 0)
		clean[len++] = '/';
	clean[len] = '\0';
	return clean;
}

bool path_is_within(const char *path, const char *ancestor)
{
	size_t len = strlen(ancestor);

	if (len == 1 && ancestor[0] == '/')
		return path[0] == '/';
	return strncmp(path, ancestor, len) == 0 && (path[len] == '\0' || path[len] == '/');
}

/* objects.c - see objects.h.
 *
 * Each path is opened once, O_PATH, and everything about it is asked of that descriptor. The
 * kernel's own name for the descriptor is the canonical path: one readlink instead of a walk. Only
 * of paths that do not exist more is opened, to find how far they do.
 */
#include "host/objects.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"
#include "base/strbuf.h"
#include "base/sys.h"
#include "host/aliases.h"
#include "host/mountinfo.h"

/* More symlinks than the kernel follows in one walk. */
#define LINKS_MAX 40u

static bool is_absence(int error)
{
	return error == ENOENT || error == ENOTDIR;
}

/* The path of an open object as this process sees it. -ENOENT when it was removed meanwhile. */
static int name_of(struct arena *arena, int fd, const struct stat *st, const char **ret)
{
	char name[PATH_MAX];
	int r = fd_name(fd, name, sizeof(name));

	if (r < 0)
		return r;
	if (name[0] != '/' || st->st_nlink == 0)
		return -ENOENT;
	*ret = arena_strdup(arena, name);
	return *ret ? 0 : -ENOMEM;
}

static int name_of_folder(struct arena *arena, int fd, const char **ret)
{
	struct stat st;

	return fstat(fd, &st) < 0 ? -errno : name_of(arena, fd, &st, ret);
}

/* ---- access of the invoking user ---- */

/* access(2) of the object itself: by the real user, whoever we are running as. We found it with the
 * effective user's rights; when that is another one, the real one has to be able to reach it as
 * well. */
static int check_access(int fd, const char *path, int access_mode, const struct host_facts *facts)
{
	char link[sizeof("/proc/self/fd/") + 12];

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	if (access(link, access_mode) < 0 ||
	    (facts->uid != facts->euid && access(path, access_mode) < 0))
		return errno;
	return 0;
}

/* Root is always satisfied (MXC.md 6.8): a writable view of what is mounted read-only gives him no
 * more than there is. */
static void examine_access(int fd, int access_mode, const struct host_facts *facts,
			   struct host_object *object)
{
	if (access_mode == F_OK || (facts->uid == 0 && facts->is_privileged) ||
	    check_access(fd, object->absolute, access_mode, facts) == 0)
		return;
	if (access_mode & R_OK)
		object->read_error = check_access(fd, object->absolute, R_OK, facts);
	if (access_mode & W_OK)
		object->write_error = check_access(fd, object->absolute, W_OK, facts);
}

/* ---- paths that do not exist ---- */

struct absent {
	struct arena *arena;
	char *path;
	size_t existing;    /* as far as it exists: the first bytes, or all of it; 0 is "/" */
	unsigned int links; /* followed so far */
};

static void strip_slashes(char *path)
{
	size_t len = strlen(path);

	while (len && path[len - 1] == '/')
		path[--len] = '\0';
}

static const char *rest_of(const struct absent *a)
{
	const char *rest = a->path + a->existing;

	return rest + strspn(rest, "/");
}

/* What the first bytes name. An O_PATH descriptor or -errno. */
static int open_first(const struct absent *a, size_t len)
{
	char saved = a->path[len];
	int fd;

	a->path[len] = '\0';
	fd = open(len ? a->path : "/", O_PATH | O_CLOEXEC);
	if (fd < 0)
		fd = -errno;
	a->path[len] = saved;
	return fd;
}

/* A slash between the two, about in the middle; 0: there is none. */
static size_t middle_slash(const char *path, size_t low, size_t high)
{
	size_t middle = low + (high - low) / 2, at;

	for (at = middle; at > low; at--)
		if (path[at] == '/')
			return at;
	for (at = middle + 1; at < high; at++)
		if (path[at] == '/')
			return at;
	return 0;
}

/* Finds how far the path exists, by halves: what is above something that exists does so, too. What is there, or -errno. */
static int open_existing(struct absent *a)
{
	size_t absent = strlen(a->path), at;
	int fd = open_first(a, absent);

	a->existing = fd >= 0 ? absent : 0;
	if (fd >= 0 || !is_absence(-fd))
		return fd;
	fd = open_first(a, 0);
	while (fd >= 0 && (at = middle_slash(a->path, a->existing, absent)) > 0) {
		int other = open_first(a, at);

		if (other < 0 && is_absence(-other)) {
			absent = at;
			continue;
		}
		fd_close_ptr(&fd);
		fd = other;
		a->existing = at;
	}
	return fd;
}

/* The first component of the rest may be a dangling symlink: go on with what it points to. 1 when
 * so. */
static int follow_dangling(struct absent *a, int dir_fd)
{
	const char *rest = rest_of(a), *dir = "", *tail = rest + strcspn(rest, "/");
	char *first = arena_strndup(a->arena, rest, (size_t)(tail - rest)), target[PATH_MAX];
	ssize_t len;
	int r;

	if (!first)
		return -ENOMEM;
	len = readlinkat(dir_fd, first, target, sizeof(target) - 1);
	if (len < 0)
		return errno == ENOENT || errno == EINVAL || errno == ENOTDIR ? 0 : -errno;
	if (++a->links > LINKS_MAX)
		return -ELOOP;
	target[len] = '\0';
	r = name_of_folder(a->arena, dir_fd, &dir);
	if (r < 0)
		return r;
	a->path = target[0] == '/' ? arena_printf(a->arena, "%s%s", target, tail)
				   : arena_printf(a->arena, "%s/%s%s", dir, target, tail);
	if (!a->path)
		return -ENOMEM;
	strip_slashes(a->path);
	return 1;
}

/* How far the path exists, every link followed. A dangling link starts over at its target. */
static int find_existing(struct absent *a, const char **ret)
{
	for (;;) {
		cleanup_close int fd = open_existing(a);
		int r;

		if (fd < 0)
			return fd;
		r = *rest_of(a) ? follow_dangling(a, fd) : 0;
		if (r < 0)
			return r;
		if (r == 0)
			return name_of_folder(a->arena, fd, ret);
	}
}

/* The canonical form of a path that is absent: MXC.md 6.5, steps 1 and 2. */
static int resolve_absent(struct arena *arena, const char *absolute, const char **ret,
			  bool *ret_folded)
{
	struct absent a = { .arena = arena, .path = arena_strdup(arena, absolute) };
	cleanup_free char *clean = NULL;
	const char *folder = "";
	char *joined;
	int r = a.path ? find_existing(&a, &folder) : -ENOMEM;

	if (r < 0)
		return r;
	joined = arena_printf(arena, "%s/%s", strcmp(folder, "/") ? folder : "", rest_of(&a));
	clean = joined ? path_clean(joined) : NULL;
	*ret = clean ? arena_strdup(arena, clean) : NULL;
	*ret_folded = clean && strcmp(clean, joined) != 0;
	return *ret ? 0 : -ENOMEM;
}

/* ---- one object ---- */

static int make_absolute(struct arena *arena, const char *path, const struct host_facts *facts,
			 const char **ret, struct err **err)
{
	char *absolute;

	if (path[0] != '/' && !facts->cwd)
		return err_set(
			err, E_HOST, 0, NULL,
			"the path \"%.256s\" is relative to a directory that is gone or out of reach",
			path);
	absolute = path[0] == '/' ? arena_strdup(arena, path)
				  : arena_printf(arena, "%s/%s", facts->cwd, path);
	if (!absolute)
		return err_nomem(err);
	/* "/file/" is the file, as "/folder/" is the folder. */
	strip_slashes(absolute + 1);
	*ret = absolute;
	return 0;
}

/* 0, -ENOMEM, or another error when it can't be said where the object would be. */
static int examine_existing(struct arena *arena, int fd, int access_mode,
			    const struct host_facts *facts, struct host_object *object)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	object->dev = st.st_dev;
	object->ino = st.st_ino;
	object->mode = st.st_mode;
	examine_access(fd, access_mode, facts, object);
	return name_of(arena, fd, &st, &object->canonical);
}

/* may_fold: "missing/../x" is absent for whoever grants it, and x for whoever denies it. */
static int examine(struct arena *arena, int access_mode, const struct host_facts *facts,
		   bool may_fold, struct host_object *object)
{
	cleanup_close int fd = open(object->absolute, O_PATH | O_CLOEXEC);
	bool is_folded = false;
	int r;

	if (fd >= 0) {
		r = examine_existing(arena, fd, access_mode, facts, object);
		return r == -ENOENT ? -ESTALE : r;
	}
	object->error = errno;
	if (!is_absence(object->error))
		return 0;
	r = resolve_absent(arena, object->absolute, &object->canonical, &is_folded);
	if (r < 0 || !is_folded || !may_fold)
		return r;
	object->absolute = object->canonical;
	object->error = 0;
	return examine(arena, access_mode, facts, false, object);
}

static int look_up(struct arena *arena, const struct object_request *request,
		   const struct host_facts *facts, struct host_object *object, struct err **err)
{
	int r;

	object->path = request->path;
	r = make_absolute(arena, request->path, facts, &object->absolute, err);
	if (r < 0)
		return r;
	r = examine(arena, request->access, facts, request->access == F_OK && request->role == OBJECT_LISTED, object);
	if (r == -ENOMEM)
		return err_nomem(err);
	if (r < 0) {
		object->error = r == -ENOENT ? ESTALE : -r;
		object->canonical = NULL;
	}
	return 0;
}

int object_look_up(struct arena *arena, const char *path, const struct host_facts *facts, struct host_object *ret,
		   struct err **err)
{
	const struct object_request request = { .path = path, .access = F_OK, .role = OBJECT_PLACE };

	*ret = (struct host_object){ 0 };
	return look_up(arena, &request, facts, ret, err);
}

static int compare_object_path(const void *path, const void *item)
{
	return strcmp(path, ((const struct host_object *)item)->path);
}

const struct host_object *objects_held_folder(const struct host_objects *objects, const char *path)
{
	return objects->held_folder_count ? bsearch(path, objects->held_folders, objects->held_folder_count, sizeof(*objects->held_folders),
						    compare_object_path) :
					    NULL;
}

/* ---- the system's folders ---- */

/* Those below /usr first: the others may be links to them. */
static const char *const folder_paths[] = {
	"/usr/bin",
	"/usr/sbin",
	"/bin",
	"/sbin",
	"/usr/lib",
	"/usr/lib32",
	"/usr/lib64",
	"/usr/libexec",
	"/lib",
	"/lib32",
	"/lib64",
	"/libx32",
	"/usr/share",
	"/etc",
	/* Where links in /etc lead to for name resolution. */
	"/run/systemd/resolve",
	"/run/NetworkManager",
	"/run/resolvconf",
	"/mnt/wsl/resolv.conf",
};

/* Of the folders that were looked at before: the one that is at this very path. */
static const struct host_folder *find_folder(const struct host_objects *objects, const char *path)
{
	size_t i;

	for (i = 0; i < objects->folder_count; i++)
		if (strcmp(objects->folders[i].path, path) == 0 &&
		    strcmp(objects->folders[i].canonical, path) == 0)
			return &objects->folders[i];
	return NULL;
}

static int examine_target(struct arena *arena, struct host_folder *folder)
{
	cleanup_close int fd = open(folder->path, O_PATH | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -ENOENT;
	folder->is_directory = S_ISDIR(st.st_mode);
	return name_of(arena, fd, &st, &folder->canonical);
}

/* On a merged /usr the text of the link says it all; others are followed. */
static int examine_link(struct arena *arena, const struct host_objects *objects,
			struct host_folder *folder)
{
	cleanup_free char *clean = NULL;
	const struct host_folder *target;
	char text[PATH_MAX];
	ssize_t len = readlink(folder->path, text, sizeof(text));

	if (len < 0 || (size_t)len >= sizeof(text))
		return -ENOENT;
	folder->link = arena_strndup(arena, text, (size_t)len);
	if (!folder->link)
		return -ENOMEM;
	if (strrchr(folder->path, '/') != folder->path || strstr(folder->link, ".."))
		return examine_target(arena, folder);
	clean = path_clean(folder->link);
	target = clean ? find_folder(objects, clean) : NULL;
	if (!target)
		return clean ? examine_target(arena, folder) : -ENOMEM;
	folder->canonical = target->path;
	folder->is_directory = target->is_directory;
	return 0;
}

/* Is one of the folders above it a link, so that the path isn't where it says? */
static bool is_behind_link(const char *path)
{
	char parent[64];
	struct stat st;
	const char *slash;

	for (slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		snprintf(parent, sizeof(parent), "%.*s", (int)(slash - path), path);
		if (lstat(parent, &st) == 0 && S_ISLNK(st.st_mode))
			return true;
	}
	return false;
}

/* 0, -ENOENT when the folder is not there, -ENOMEM. */
static int examine_folder(struct arena *arena, const struct host_objects *objects,
			  bool is_usr_plain, struct host_folder *folder)
{
	struct stat st;

	if (lstat(folder->path, &st) < 0)
		return -ENOENT;
	folder->canonical = folder->path;
	folder->is_directory = S_ISDIR(st.st_mode);
	if (S_ISLNK(st.st_mode))
		return examine_link(arena, objects, folder);
	if (is_usr_plain && path_is_within(folder->path, "/usr"))
		return 0;
	return is_behind_link(folder->path) ? examine_target(arena, folder) : 0;
}

static int look_up_folders(struct arena *arena, struct host_objects *objects, struct err **err)
{
	bool is_usr_plain = !is_behind_link("/usr/");
	size_t i;
	int r;

	objects->folders = arena_array(arena, array_size(folder_paths), sizeof(*objects->folders));
	if (!objects->folders)
		return err_nomem(err);
	for (i = 0; i < array_size(folder_paths); i++) {
		struct host_folder *folder = &objects->folders[objects->folder_count];

		*folder = (struct host_folder){ .path = folder_paths[i] };
		r = examine_folder(arena, objects, is_usr_plain, folder);
		if (r == -ENOMEM)
			return err_nomem(err);
		objects->folder_count += r == 0;
	}
	objects->has_sysfs = access("/sys", F_OK) == 0;
	return 0;
}

static int look_up_terminal(struct arena *arena, struct host_objects *objects, struct err **err)
{
	char path[PATH_MAX];

	objects->has_terminal = isatty(STDIN_FILENO);
	if (!objects->has_terminal || ttyname_r(STDIN_FILENO, path, sizeof(path)) != 0)
		return 0;
	objects->terminal = arena_strdup(arena, path);
	return objects->terminal ? 0 : err_nomem(err);
}

/* Only what is restricted can have a name too many. */
int objects_find_aliases(struct arena *arena, const struct object_request *requests, struct host_objects *objects,
			 struct err **err)
{
	cleanup_free char *mountinfo = NULL;
	bool is_restricted = false;
	size_t i;
	int r;

	for (i = 0; i < objects->count; i++)
		is_restricted |= requests[i].role == OBJECT_LISTED && !objects->items[i].error && !(requests[i].access & W_OK);
	if (!is_restricted)
		return 0;
	r = fd_read_file(AT_FDCWD, "/proc/self/mountinfo", MOUNTINFO_SIZE_MAX, &mountinfo, NULL);
	if (r < 0)
		return err_sys(err, E_HOST, -r, "read", "/proc/self/mountinfo", NULL);
	return aliases_find(arena, requests, mountinfo, LINK_SEARCH_MAX, objects, err);
}

int objects_look_up(struct arena *arena, const struct object_request *requests, size_t count,
		    const struct host_facts *facts, const struct host_image *image, struct host_objects **ret,
		    struct err **err)
{
	struct host_objects *objects = arena_alloc(arena, sizeof(*objects));
	size_t i;
	int r;

	if (!objects)
		return err_nomem(err);
	objects->items = arena_array(arena, count, sizeof(*objects->items));
	if (!objects->items)
		return err_nomem(err);
	objects->count = count;
	objects->image = image;
	for (i = 0; i < count; i++) {
		r = look_up(arena, &requests[i], facts, &objects->items[i], err);
		if (r < 0)
			return r;
	}
	r = image ? 0 : look_up_folders(arena, objects, err);
	if (r == 0)
		r = look_up_terminal(arena, objects, err);
	if (r == 0)
		*ret = objects;
	return r;
}

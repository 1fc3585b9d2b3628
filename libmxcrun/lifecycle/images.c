/* images.c - see images.h.
 *
 * Copying and unpacking are cp's and tar's: this is off the path to exec, and they know more about file systems and about hostile
 * archives than we would. What comes out of them is not trusted: an image may come from anywhere, and lies where others than its
 * owner can reach it, so it keeps no device node and no set-id bit (a sandbox has no use for either).
 */
#include "lifecycle/images.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"
#include "lifecycle/images_download.h"
#include "lifecycle/tool.h"

#define LOCK_FILE ".lock"
#define WORK ".work"
#define LEVELS 3u /* distribution, release, architecture */

struct images {
	const char *store, *work; /* paths */
	int lock_fd;
};
#define IMAGES_INIT { .lock_fd = -1 }

static void images_close(struct images *images)
{
	fd_close_ptr(&images->lock_fd);
}
#define cleanup_images __attribute__((cleanup(images_close)))

/* ---- directories ---- */

/* What is there already keeps its mode; what is new has this one, whatever the umask is. */
static int make_directory(const char *path, mode_t mode, struct err **err)
{
	if (mkdir(path, mode) < 0)
		return errno == EEXIST ? 0 : err_sys(err, E_HOST, errno, "mkdir", path, NULL);
	return chmod(path, mode) < 0 ? err_sys(err, E_HOST, errno, "chmod", path, NULL) : 0;
}

static int make_parents(struct arena *arena, const char *path, struct err **err)
{
	char *partial = arena_strdup(arena, path);
	int r = 0;

	if (!partial)
		return err_nomem(err);
	for (char *slash = strchr(partial + 1, '/'); slash && r == 0; slash = strchr(slash + 1, '/')) {
		*slash = 0;
		r = make_directory(partial, 0755, err);
		*slash = '/';
	}
	return r;
}

/* What works for us holds the lock with us, so that nobody clears away under its hands what we, being killed, leave to it. */
static int run(const struct images *images, const char *const argv[], struct err **err)
{
	const struct tool_use use = { .argv = argv, .held_fd = images->lock_fd, .output_fd = -1 };

	return tool_run(&use, err);
}

static int remove_tree(const struct images *images, const char *path, struct err **err)
{
	const char *const argv[] = { "rm", "-rf", "--", path, NULL };

	return run(images, argv, err);
}

/* ---- the store ---- */

/* wait: 0, or LOCK_NB: then -EBUSY, without words, when another command is at work. */
static int images_open(struct arena *arena, const struct host_facts *facts, int wait, struct images *ret, struct err **err)
{
	char *lock;
	int r = image_store(arena, facts, &ret->store, err);

	if (r < 0)
		return r;
	ret->work = arena_printf(arena, "%s/" WORK, ret->store);
	lock = arena_printf(arena, "%s/" LOCK_FILE, ret->store);
	if (!ret->work || !lock)
		return err_nomem(err);
	r = make_parents(arena, lock, err);
	if (r < 0)
		return r;
	ret->lock_fd = open(lock, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (ret->lock_fd < 0)
		return err_sys(err, E_HOST, errno, "open", lock, NULL);
	if (flock(ret->lock_fd, LOCK_EX | wait) < 0)
		return errno == EWOULDBLOCK ? -EBUSY : err_sys(err, E_STATE, errno, "flock", lock, NULL);
	return 0;
}

/* Nobody else is at work here: what lies there was left by somebody who was killed. */
static int clear_work(const struct images *images, struct err **err)
{
	return access(images->work, F_OK) == 0 ? remove_tree(images, images->work, err) : 0;
}

static char *path_of(struct arena *arena, const struct images *images, const struct image_name *name)
{
	return arena_printf(arena, "%s/%s/%s/%s", images->store, name->distribution, name->release, image_architecture());
}

/* ---- import ---- */

static int copy_directory(const struct images *images, const char *source, const char *root, struct err **err)
{
	cleanup_free char *contents = NULL;
	const char *argv[] = { "cp", "-R", "--no-dereference", "--preserve=mode,ownership,timestamps,links", "--one-file-system",
			       "--", NULL, root, NULL };

	if (asprintf(&contents, "%s/.", source) < 0)
		return err_nomem(err);
	argv[6] = contents;
	return run(images, argv, err);
}

/* GNU tar itself takes no member out of the directory, neither by ".." nor by a symlink that it has just made. */
static int unpack(const struct images *images, const char *source, const char *root, struct err **err)
{
	const char *const argv[] = { "tar", "--extract", "--file", source, "--directory", root, "--numeric-owner",
				     "--same-permissions", "--exclude=./dev/*", "--exclude=dev/*", NULL };

	return run(images, argv, err);
}

static int disarm(const struct images *images, const char *root, struct err **err)
{
	const char *const argv[] = { "find", root, "(", "-type", "b", "-o", "-type", "c", ")", "-delete", "-o",
				     "-type", "f", "-perm", "/6000", "-exec", "chmod", "ug-s", "{}", "+", NULL };

	return run(images, argv, err);
}

static int check_root(const char *root, const char *source, struct err **err)
{
	cleanup_close int root_fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	cleanup_close int shell = root_fd < 0 ? -errno : path_open_in_root(root_fd, "/bin/sh", O_PATH);

	if (shell >= 0)
		return 0;
	return err_set(err, E_USAGE, -shell, NULL, "%.512s is no root file system: it has no /bin/sh", source);
}

static int fill(struct arena *arena, const struct images *images, const char *source, struct err **err)
{
	char *root = arena_printf(arena, "%s/" IMAGE_ROOT, images->work);
	struct stat st;
	int r;

	if (!root)
		return err_nomem(err);
	if (stat(source, &st) < 0)
		return err_sys(err, E_USAGE, errno, "open", source, NULL);
	if (!S_ISDIR(st.st_mode) && !S_ISREG(st.st_mode))
		return err_set(err, E_USAGE, 0, NULL, "%.512s is neither a directory nor a file", source);
	r = make_directory(root, 0755, err);
	if (r == 0)
		r = S_ISDIR(st.st_mode) ? copy_directory(images, source, root, err) : unpack(images, source, root, err);
	if (r == 0)
		r = disarm(images, root, err);
	return r == 0 ? check_root(root, source, err) : r;
}

/* Nobody else looks into the work folder before it is disarmed. */
static int fetch_and_fill(struct arena *arena, const struct images *images, const struct image_name *name, const char *source,
			  const struct image_download *from, struct image_origin *origin, struct err **err)
{
	const char *folder = arena_printf(arena, "%s/download", images->work);
	int r = folder ? make_directory(images->work, 0700, err) : err_nomem(err);

	if (r < 0 || source)
		return r < 0 ? r : fill(arena, images, source, err);
	r = images_download(arena, name, from, folder, images->lock_fd, &source, origin, err);
	if (r == 0)
		r = fill(arena, images, source, err);
	return r < 0 ? r : remove_tree(images, folder, err);
}

static int publish(struct arena *arena, const struct images *images, const char *target, struct err **err)
{
	int r = make_parents(arena, target, err);

	if (r < 0)
		return r;
	if (chmod(images->work, 0755) < 0)
		return err_sys(err, E_HOST, errno, "chmod", images->work, NULL);
	return rename(images->work, target) < 0 ? err_sys(err, E_HOST, errno, "rename", target, NULL) : 0;
}

int images_import(struct arena *arena, const struct host_facts *facts, const struct image_name *name, const char *source,
		  const struct image_download *from, struct image_origin *origin, struct err **err)
{
	cleanup_images struct images images = IMAGES_INIT;
	const char *target;
	int r = images_open(arena, facts, 0, &images, err);

	if (r < 0)
		return r;
	target = path_of(arena, &images, name);
	if (!target)
		return err_nomem(err);
	if (access(target, F_OK) == 0) {
		err_set(err, E_EXISTS, EEXIST, NULL, "there is an image of %s %s already", name->distribution, name->release);
		err_hint(err, "mxcrun image remove %s %s", name->distribution, name->release);
		return -EEXIST;
	}
	r = clear_work(&images, err);
	if (r == 0)
		r = fetch_and_fill(arena, &images, name, source, from, origin, err);
	if (r == 0)
		r = publish(arena, &images, target, err);
	if (r < 0)
		(void)clear_work(&images, NULL);
	return r;
}

/* ---- in use ---- */

int image_hold(const char *path, struct err **err)
{
	cleanup_close int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return err_sys(err, E_ROOTFS, errno, "open", path, "/lxc");
	if (flock(fd, LOCK_SH | LOCK_NB) < 0)
		return err_set(err, E_STATE, errno, "/lxc", "the image is being removed: %.512s", path);
	return take_fd(fd);
}

/* Taken for good: an image that goes is not held any more. */
static int claim(const char *root, const struct image_name *name, struct err **err)
{
	cleanup_close int fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return err_set(err, E_NOT_FOUND, errno, NULL, "there is no image of %s %s", name->distribution, name->release);
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return err_set(err, E_STATE, errno, NULL, "the image of %s %s is in use by a sandbox", name->distribution,
			       name->release);
	return take_fd(fd);
}

/* ---- remove ---- */

/* Of the directories above only empty ones go. */
static void remove_parents(char *path)
{
	for (unsigned int level = 1; level < LEVELS; level++) {
		*strrchr(path, '/') = 0;
		if (rmdir(path) < 0)
			return;
	}
}

int images_remove(struct arena *arena, const struct host_facts *facts, const struct image_name *name, struct err **err)
{
	cleanup_images struct images images = IMAGES_INIT;
	cleanup_close int held = -1;
	char *target, *root;
	int r = images_open(arena, facts, 0, &images, err);

	if (r < 0)
		return r;
	target = path_of(arena, &images, name);
	root = target ? arena_printf(arena, "%s/" IMAGE_ROOT, target) : NULL;
	if (!root)
		return err_nomem(err);
	held = claim(root, name, err);
	if (held < 0)
		return held;
	r = clear_work(&images, err);
	if (r < 0)
		return r;
	if (rename(target, images.work) < 0)
		return err_sys(err, E_HOST, errno, "rename", target, NULL);
	remove_parents(target);
	return remove_tree(&images, images.work, err);
}

/* ---- what was left ---- */

int images_sweep(struct arena *arena, const struct host_facts *facts, bool *ret_swept, struct err **err)
{
	cleanup_images struct images images = IMAGES_INIT;
	const char *store;
	char *work;
	int r;

	*ret_swept = false;
	/* a user without a home has no store */
	if (image_store(arena, facts, &store, NULL) < 0)
		return 0;
	work = arena_printf(arena, "%s/" WORK, store);
	if (!work)
		return err_nomem(err);
	if (access(work, F_OK) < 0)
		return 0;
	r = images_open(arena, facts, LOCK_NB, &images, err);
	if (r < 0)
		return r == -EBUSY ? 0 : r;
	*ret_swept = true;
	return clear_work(&images, err);
}

/* ---- list ---- */

struct walk {
	struct arena *arena;
	struct image_listed *items;
	size_t count, capacity;
	const char *words[LEVELS];
};

static int add_listed(struct walk *walk, const char *path)
{
	const struct image_listed item = { walk->words[0], walk->words[1], walk->words[2],
					   arena_printf(walk->arena, "%s/" IMAGE_ROOT, path) };

	if (!item.path)
		return -ENOMEM;
	if (access(item.path, F_OK) < 0)
		return 0;
	if (walk->count == walk->capacity) {
		struct image_listed *more;

		walk->capacity = walk->capacity ? walk->capacity * 2 : 16;
		more = arena_array(walk->arena, walk->capacity, sizeof(*more));
		if (!more)
			return -ENOMEM;
		if (walk->count)
			memcpy(more, walk->items, walk->count * sizeof(*more));
		walk->items = more;
	}
	walk->items[walk->count++] = item;
	return 0;
}

static int list_level(struct walk *walk, const char *path, unsigned int level)
{
	struct dirent **names = NULL;
	int count, r = 0;

	if (level == LEVELS)
		return add_listed(walk, path);
	count = scandir(path, &names, NULL, alphasort);
	if (count < 0)
		return errno == ENOENT || errno == ENOTDIR ? 0 : -errno;
	for (int i = 0; i < count; i++) {
		if (r == 0 && names[i]->d_name[0] != '.') {
			char *below = arena_printf(walk->arena, "%s/%s", path, names[i]->d_name);

			walk->words[level] = arena_strdup(walk->arena, names[i]->d_name);
			r = below && walk->words[level] ? list_level(walk, below, level + 1) : -ENOMEM;
		}
		free(names[i]);
	}
	free(names);
	return r;
}

int images_list(struct arena *arena, const struct host_facts *facts, struct image_listed **ret, size_t *ret_count,
		struct err **err)
{
	struct walk walk = { .arena = arena };
	const char *store;
	int r = image_store(arena, facts, &store, err);

	if (r < 0)
		return r;
	r = list_level(&walk, store, 0);
	if (r < 0)
		return err_sys(err, E_HOST, -r, "read", store, NULL);
	*ret = walk.items;
	*ret_count = walk.count;
	return 0;
}

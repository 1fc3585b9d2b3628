/* mounts_place.c - many binds into one directory, which is opened once.
 *
 * An engine binds files into /etc one beside the other, and volumes likewise. The target then is one name in a directory that we
 * hold, never a link that anybody follows, so there is nothing to resolve for each; the mount is proven by
 * its id at that name (invariant 3), and the directory, before any other step, by a second walk from the root. What isn't that
 * plain is left to mounts.c.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"
#include "base/sys.h"
#include "engine/native/mounts.h"

#define PROC_MAGIC 0x9fa0

static size_t parent_length(const char *path)
{
	return (size_t)(strrchr(path, '/') - path);
}

static bool is_same_parent(const char *a, const char *b)
{
	size_t len = parent_length(a);

	return parent_length(b) == len && !memcmp(a, b, len);
}

/* Opening the directory pays from the second bind on. Straight below the root are /proc and /sys, which have rules of their own. */
static bool is_worth_it(const struct init *init, const struct plan_mount *mount)
{
	const struct plan_mount *first = init->plan->mounts, *end = first + init->plan->mount_count;

	if (init->legacy.is_used || mount->fstype || !parent_length(mount->destination))
		return false;
	return (mount > first && mount[-1].kind == MOUNT_BIND && is_same_parent(mount[-1].destination, mount->destination)) ||
	       (mount + 1 < end && mount[1].kind == MOUNT_BIND && is_same_parent(mount[1].destination, mount->destination));
}

static bool is_same_object(const struct mount_object *a, const struct mount_object *b)
{
	return a->mount_id == b->mount_id && a->ino == b->ino && a->dev == b->dev;
}

static int open_parent(const struct init *init, const char *path, bool is_made)
{
	cleanup_free char *parent = strndup(path, parent_length(path));

	if (!parent)
		return -ENOMEM;
	return is_made ? path_make_in_root(init->root_fd, parent, PATH_MAKE_DIR) :
			 path_open_in_root(init->root_fd, parent, O_PATH | O_DIRECTORY);
}

/* One by one where a filter of an older engine refuses the call. */
static void close_run(int first, int last)
{
	if (last > first && sys_close_range((unsigned int)first, (unsigned int)last, 0) == 0)
		return;
	for (int fd = first; fd <= last; fd++)
		close(fd);
}

static void close_kept(struct mount_place *place)
{
	const int *kept = place->kept;
	size_t first = 0;

	for (size_t i = 1; i <= place->kept_count; i++) {
		if (i < place->kept_count && kept[i] == kept[i - 1] + 1)
			continue;
		close_run(kept[first], kept[i - 1]);
		first = i;
	}
	place->kept_count = 0;
}

void place_keep(struct init *init, int *tree_fd)
{
	struct mount_place *place = &init->place;

	if (place->kept_count == array_size(place->kept))
		close_kept(place);
	place->kept[place->kept_count++] = take_fd(*tree_fd);
}

int place_leave(struct init *init, struct err **err)
{
	struct mount_place *place = &init->place;
	cleanup_close int held = take_fd(place->dir_fd), found = -1;
	const struct plan_mount *mount = place->mount;
	struct mount_object shown;

	close_kept(place);
	place->mount = NULL;
	if (held < 0 || !mount)
		return 0;
	found = open_parent(init, mount->destination, false);
	if (found < 0)
		return err_sys(err, E_MOUNT, -found, "openat2", mount->destination, mount->pointer);
	if (mount_look_at(found, "", &shown) == 0 && is_same_object(&shown, &place->dir))
		return 0;
	return err_set(err, E_MOUNT, EXDEV, mount->pointer,
		       "the directory of %s is another one than what was mounted there: the root was changed meanwhile",
		       mount->destination);
}

/* False: the long way. */
static int enter(struct init *init, const struct plan_mount *mount, bool *ret_is_there, struct err **err)
{
	struct mount_place *place = &init->place;
	struct statfs fs;
	int r;

	*ret_is_there = place->mount && is_same_parent(place->mount->destination, mount->destination);
	if (*ret_is_there)
		return 0;
	r = place_leave(init, err);
	if (r < 0)
		return r;
	place->dir_fd = open_parent(init, mount->destination, true);
	if (place->dir_fd < 0 || mount_look_at(place->dir_fd, "", &place->dir) < 0 || !place->dir.mount_id ||
	    fstatfs(place->dir_fd, &fs) < 0 || fs.f_type == PROC_MAGIC) {
		fd_close_ptr(&place->dir_fd);
		return 0;
	}
	place->mount = mount;
	*ret_is_there = true;
	return 0;
}

/* With the mode that path.c gives: init's umask lets all of it through. None of the two calls follows a link or takes what is there. */
static bool make_target(const struct mount_place *place, const char *name, mode_t mode)
{
	return S_ISDIR(mode) ? mkdirat(place->dir_fd, name, 0755) == 0 :
			       mknodat(place->dir_fd, name, S_IFREG | 0644, 0) == 0;
}

/* An object of the tree's kind, on the directory's own file system: nothing is mounted on it, and it is no link. What was made
 * just now needs no look: whatever somebody puts in its place, no link is followed. */
static bool has_plain_target(const struct init *init, const char *name, const struct mount_object *tree)
{
	const struct mount_place *place = &init->place;
	bool is_empty = init->plan->root.kind == ROOT_VIEW;	/* most likely */
	struct mount_object target;
	int r;

	if (is_empty && make_target(place, name, tree->mode))
		return true;
	r = mount_look_at(place->dir_fd, name, &target);
	if (r == -ENOENT)
		return make_target(place, name, tree->mode);
	return r == 0 && target.mount_id == place->dir.mount_id && !S_ISLNK(target.mode) &&
	       S_ISDIR(target.mode) == S_ISDIR(tree->mode);
}

bool place_symlink(const struct init *init, const struct plan_mount *mount, const char *text)
{
	const struct mount_place *place = &init->place;
	const char *name = mount->destination + parent_length(mount->destination) + 1;
	int dir_fd = parent_length(mount->destination) ? -1 : init->root_fd;

	if (place->mount && is_same_parent(place->mount->destination, mount->destination))
		dir_fd = place->dir_fd;
	return dir_fd >= 0 && symlinkat(text, dir_fd, name) == 0;
}

int place_attach(struct init *init, const struct plan_mount *mount, int tree_fd, const struct mount_object *tree,
		 bool *ret_is_done, struct err **err)
{
	const char *name = mount->destination + parent_length(mount->destination) + 1;
	struct mount_object shown;
	int r;

	*ret_is_done = false;
	if (!tree->mount_id || !is_worth_it(init, mount))
		return place_leave(init, err);
	r = enter(init, mount, ret_is_done, err);
	if (r < 0 || !*ret_is_done)
		return r;
	*ret_is_done = has_plain_target(init, name, tree);
	if (!*ret_is_done)
		return place_leave(init, err);
	if (sys_move_mount(tree_fd, "", init->place.dir_fd, name, SYS_MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return err_sys(err, E_MOUNT, errno, "move_mount", mount->destination, mount->pointer);
	r = mount_look_at(init->place.dir_fd, name, &shown);
	if (r < 0)
		return err_sys(err, E_MOUNT, -r, "statx", mount->destination, mount->pointer);
	return shown.mount_id == tree->mount_id ? 0 : mounts_changed(mount, err);
}

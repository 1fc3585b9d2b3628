/* regions.c - what a policy restricts of the finished tree: read-only and denied regions, and what stays open inside.
 *
 * After all mounts, devices, masks and hooks, so that nothing is made on top. First every region is looked up, and
 * what is to show through a restriction around it is taken aside as a detached copy, which that restriction doesn't reach. Then
 * from the root downwards: a read-only region is a copy of itself on top of itself, a denied one gets a cover, what was taken
 * aside is put back.
 *
 * Which region lies in which was decided by names. A link in the container could make two names one place, so the order here
 * is that of the places, the stricter last; and where a link makes a restriction reach over something
 * that its name left open, the policy is refused. A path inside of what is restricted as much is no region by its name, but is
 * looked up all the same: where a link leads out of that, the restriction is at the place that it leads to.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"
#include "base/sys.h"
#include "engine/native/mounts.h"

struct place {
	const struct plan_region *region;
	char *real;		/* inside the root, every link followed */
	unsigned int depth;
	int tree_fd;		/* taken aside; else -1 */
	bool is_directory;
	bool is_by_link;	/* no region by its name, but by that of a link in it */
	bool is_contained;
	bool is_kept;		/* what is there now shows there again: it stays open, or is read-only inside of a denied region */
};

struct places {
	struct place *items;
	size_t count;
};

static void places_done(struct places *places)
{
	for (size_t i = 0; i < places->count; i++) {
		free(places->items[i].real);
		fd_close_ptr(&places->items[i].tree_fd);
	}
	free(places->items);
}
#define cleanup_places __attribute__((cleanup(places_done)))

/* ---- looking up ---- */

static unsigned int depth_of(const char *path)
{
	unsigned int depth = 0;

	for (; *path; path++)
		depth += path[0] == '/' && path[1];
	return depth;
}

/* The kernel's name of an open object. 0 or -errno. */
static int name_of(int proc_fd, int fd, char *buf, size_t size)
{
	char link[32];
	ssize_t len;

	snprintf(link, sizeof(link), "self/fd/%d", fd);
	len = readlinkat(proc_fd, link, buf, size);
	if (len < 0)
		return -errno;
	if ((size_t)len >= size)
		return -ENAMETOOLONG;
	buf[len] = 0;
	return buf[0] == '/' ? 0 : -ENOENT;
}

static int find_real(struct init *init, int fd, char **ret)
{
	char root[PATH_MAX], path[PATH_MAX];
	size_t len;
	int r = name_of(init->proc_fd, init->root_fd, root, sizeof(root));

	if (r == 0)
		r = name_of(init->proc_fd, fd, path, sizeof(path));
	if (r < 0)
		return r;
	if (!path_is_within(path, root))
		return -EXDEV;
	len = strlen(root);
	*ret = strdup(path[len] ? path + (len > 1 ? len : 0) : "/");
	return *ret ? 0 : -ENOMEM;
}

/* What does not exist is made where its name has to be held, so that it can't appear; what would stay open needs no
 * more. Returns a descriptor, or 0 when there is nothing to do: no descriptor of ours is 0. */
static int open_region(struct init *init, const struct plan_region *region, struct err **err)
{
	int fd = path_open_in_root(init->root_fd, region->path, O_PATH);

	if (fd == -ENOENT && region->kind == REGION_OPEN)
		return 0;
	if (fd == -ENOENT)
		fd = path_make_in_root(init->root_fd, region->path, PATH_MAKE_DIR);
	if (fd >= 0)
		return fd;
	err_sys(err, E_POLICY, -fd, "open", region->path, region->pointer);
	if (fd == -EROFS || fd == -EPERM || fd == -EACCES)
		err_hint(err, "it does not exist in the container, and can't be kept from appearing there");
	return fd;
}

static int add_place(struct init *init, const struct plan_region *region, bool is_by_link, struct places *places, struct err **err)
{
	struct place *place = &places->items[places->count];
	cleanup_close int fd = open_region(init, region, err);
	struct stat st;
	int r;

	if (fd <= 0)
		return take_fd(fd);
	*place = (struct place){ .region = region, .tree_fd = -1, .is_by_link = is_by_link };
	places->count++;
	if (fstat(fd, &st) < 0)
		return err_sys(err, E_POLICY, errno, "fstat", region->path, region->pointer);
	place->is_directory = S_ISDIR(st.st_mode);
	r = find_real(init, fd, &place->real);
	if (r < 0)
		return err_sys(err, E_POLICY, -r, "readlink", region->path, region->pointer);
	place->depth = depth_of(place->real);
	return 0;
}

/* Is one of the parts of the name a link? Where a part can't be looked at: as if it were. */
static bool has_link(struct init *init, const char *name)
{
	cleanup_free char *path = strdup(name);
	char *end = path;

	while (end && *end) {
		cleanup_close int fd = -1;
		char next;
		struct stat st;

		end += strcspn(end + 1, "/") + 1;
		next = *end;
		*end = '\0';
		fd = path_open_in_root(init->root_fd, path, O_PATH | O_NOFOLLOW);
		*end = next;
		if (fd < 0)
			return fd != -ENOENT && fd != -ENOTDIR;
		if (fstat(fd, &st) < 0 || S_ISLNK(st.st_mode))
			return true;
	}
	return !path;
}

static int look_up(struct init *init, struct places *places, struct err **err)
{
	const struct plan_policy *policy = &init->plan->policy;
	int r = 0;

	places->items = calloc(policy->region_count + policy->by_link_count, sizeof(*places->items));
	if (!places->items)
		return err_nomem(err);
	for (size_t i = 0; i < policy->region_count && r == 0; i++)
		r = add_place(init, &policy->regions[i], false, places, err);
	for (size_t i = 0; i < policy->by_link_count && r == 0; i++)
		if (has_link(init, policy->by_link[i].path))
			r = add_place(init, &policy->by_link[i], true, places, err);
	return r;
}

static void mark_kept(struct places *places)
{
	for (size_t i = 0; i < places->count; i++) {
		struct place *place = &places->items[i];

		place->is_kept = place->region->kind == REGION_OPEN;
		for (size_t j = 0; j < places->count && place->region->kind == REGION_READONLY && !place->is_by_link; j++)
			place->is_kept |= places->items[j].region->kind == REGION_DENIED &&
					  path_is_within(place->real, places->items[j].real) &&
					  strcmp(place->real, places->items[j].real) != 0;
	}
}

/* ---- links ---- */

static bool is_alias(const struct place *place)
{
	return strcmp(place->real, place->region->path) != 0;
}

/* Does the second lie in the first, and not the other way round? Of two at one place the stricter is the outer one, or else the first. */
static bool is_around(const struct place *outer, const struct place *inner)
{
	if (!path_is_within(inner->real, outer->real))
		return false;
	if (inner->depth != outer->depth)
		return true;
	return outer->region->kind != inner->region->kind ? outer->region->kind > inner->region->kind : outer < inner;
}

static const struct place *innermost_around(const struct places *places, const struct place *place)
{
	const struct place *found = NULL;

	for (size_t i = 0; i < places->count; i++)
		if (&places->items[i] != place && is_around(&places->items[i], place) && (!found || is_around(found, &places->items[i])))
			found = &places->items[i];
	return found;
}

static bool holds_less_strict(const struct places *places, const struct place *place)
{
	for (size_t i = 0; i < places->count; i++)
		if (!places->items[i].is_by_link && places->items[i].region->kind < place->region->kind &&
		    path_is_within(places->items[i].real, place->real))
			return true;
	return false;
}

/* Is it restricted as much by what a link makes the place around it? What is read-only by its name in a denied region is so on purpose. */
static bool is_contained(const struct places *places, const struct place *place)
{
	const struct place *around = innermost_around(places, place);

	if (!around || holds_less_strict(places, place) || (!is_alias(place) && !is_alias(around)))
		return false;
	return place->is_by_link ? around->region->kind >= place->region->kind : around->region->kind == place->region->kind;
}

static void drop_contained(struct places *places)
{
	size_t kept = 0;

	for (size_t i = 0; i < places->count; i++)
		places->items[i].is_contained = is_contained(places, &places->items[i]);
	for (size_t i = 0; i < places->count; i++) {
		if (places->items[i].is_contained)
			free(places->items[i].real);
		else
			places->items[kept++] = places->items[i];
	}
	places->count = kept;
}

static bool has_aliases(const struct places *places)
{
	for (size_t i = 0; i < places->count; i++)
		if (is_alias(&places->items[i]))
			return true;
	return false;
}

static int check_aliases(const struct places *places, struct err **err)
{
	for (size_t i = 0; i < places->count; i++) {
		const struct place *kept = &places->items[i];

		if (!kept->is_kept)
			continue;
		if (is_alias(kept))
			return err_set(err, E_POLICY, 0, kept->region->pointer,
				       "%s can't stay open under this name: it leads to %s by a link", kept->region->path,
				       kept->real);
		for (size_t j = 0; j < places->count; j++)
			if (is_alias(&places->items[j]) && path_is_within(kept->real, places->items[j].real))
				return err_set(err, E_POLICY, 0, places->items[j].region->pointer,
					       "%s leads to %s by a link, which holds what another name leaves open: %s",
					       places->items[j].region->path, places->items[j].real, kept->real);
	}
	return 0;
}

static int compare_places(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	if (x->depth != y->depth)
		return x->depth < y->depth ? -1 : 1;
	return (int)x->region->kind - (int)y->region->kind;
}

/* ---- copies of what is there ---- */

static bool is_of_root(struct init *init, int fd)
{
	struct mount_identity root, own;

	/* before Linux 5.8 it can't be told: then as if it were */
	return !mount_identify(init->root_fd, &root) || !mount_identify(fd, &own) || root.id == own.id;
}

/* The root becomes read-only later, as a mount; a copy of a part of it has to learn of that now. */
static int copy_tree(struct init *init, int fd, const char *path, const char *pointer, struct err **err)
{
	struct sys_mount_attr readonly = { .attr_set = SYS_ATTR_RDONLY };
	cleanup_close int tree = mount_clone(init, fd, "", SYS_AT_RECURSIVE);

	if (tree < 0)
		return err_sys(err, E_MOUNT, errno, "open_tree", path, pointer);
	if (init->plan->root.is_readonly && is_of_root(init, fd) && mount_set(init, tree, 0, &readonly) < 0)
		return err_sys(err, E_MOUNT, errno, "mount_setattr", path, pointer);
	return take_fd(tree);
}

/* ---- the folders above ---- */

/* 1: it can't be moved, for it is where a mount is, or nothing can be moved there. */
static int is_fixed(int fd)
{
	struct mount_identity identity;
	struct statvfs st;

	if (mount_identify(fd, &identity) && identity.is_root)
		return 1;
	return fstatvfs(fd, &st) < 0 ? -errno : (st.f_flag & ST_RDONLY) != 0;
}

/* Binds the folder on itself. */
static int pin(struct init *init, const char *path, const char *pointer, struct err **err)
{
	const struct plan_mount step = { .kind = MOUNT_BIND, .destination = path, .pointer = pointer };
	cleanup_close int target = path_open_in_root(init->root_fd, path, O_PATH | O_DIRECTORY), tree = -1;
	int r = target < 0 ? target : is_fixed(target);

	if (r < 0)
		return err_sys(err, E_POLICY, -r, "open", path, pointer);
	if (r)
		return 0;
	tree = copy_tree(init, target, path, pointer, err);
	return tree < 0 ? tree : mounts_attach_verified(init, &step, tree, target, err);
}

/* From the root downwards, so that each lies in the one before. */
static int pin_above(struct init *init, const struct place *place, struct err **err)
{
	cleanup_free char *path = strdup(place->real);
	int r = 0;

	if (!path)
		return err_nomem(err);
	for (char *slash = strchr(path + 1, '/'); slash && r == 0; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		r = pin(init, path, place->region->pointer, err);
		*slash = '/';
	}
	return r;
}

static bool has_same_folder(const struct place *a, const struct place *b)
{
	size_t a_len = (size_t)(strrchr(a->real, '/') - a->real), b_len = (size_t)(strrchr(b->real, '/') - b->real);

	return a_len == b_len && !strncmp(a->real, b->real, a_len);
}

/* A mount holds an object, not its name. A folder above it that can be written to could be moved away, and the next start would restrict
 * what was put in its place; a mount point is neither renamed nor removed. Before anything is taken aside, which then has its part of
 * these. */
static int pin_all(struct init *init, const struct places *places, struct err **err)
{
	const struct place *last = NULL;
	int r = 0;

	for (size_t i = 0; i < places->count && r == 0; i++) {
		const struct place *place = &places->items[i];

		if (place->region->kind == REGION_OPEN || (last && has_same_folder(last, place)))
			continue;
		r = pin_above(init, place, err);
		last = place;
	}
	return r;
}

/* ---- taking aside ---- */

static int take_aside(struct init *init, struct place *place, struct err **err)
{
	cleanup_close int fd = path_open_in_root(init->root_fd, place->region->path, O_PATH);

	if (fd < 0)
		return err_sys(err, E_POLICY, -fd, "openat2", place->region->path, place->region->pointer);
	place->tree_fd = copy_tree(init, fd, place->region->path, place->region->pointer, err);
	return place->tree_fd < 0 ? place->tree_fd : 0;
}

static int take_all_aside(struct init *init, struct places *places, struct err **err)
{
	int r = 0;

	for (size_t i = 0; i < places->count && r == 0; i++)
		if (places->items[i].is_kept)
			r = take_aside(init, &places->items[i], err);
	return r;
}

/* ---- restricting ---- */

static struct plan_mount step_of(const struct places *places, size_t index)
{
	const struct place *place = &places->items[index];
	struct plan_mount step = {
		.kind = MOUNT_DENY,
		.destination = place->real,
		.is_directory = place->is_directory,
		.pointer = place->region->pointer,
	};

	/* what is absent inside opens nothing */
	for (size_t i = 0; i < places->count && place->region->is_reopened; i++)
		step.is_reopened |= places->items[i].region->kind != REGION_DENIED && i != index &&
				    path_is_within(places->items[i].real, place->real);
	return step;
}

/* Private as well: what the host mounts there later would not be read-only. */
static int set_readonly(struct init *init, int tree_fd, const struct plan_mount *step, struct err **err)
{
	struct sys_mount_attr attr = { .attr_set = SYS_ATTR_RDONLY, .propagation = MS_PRIVATE };

	if (mount_set(init, tree_fd, SYS_AT_RECURSIVE, &attr) < 0)
		return err_sys(err, E_MOUNT, errno, "mount_setattr", step->destination, step->pointer);
	return 0;
}

static int make_readonly(struct init *init, const struct place *place, const struct plan_mount *step, struct err **err)
{
	cleanup_close int target = path_open_in_root(init->root_fd, place->real, O_PATH);
	cleanup_close int tree = -1;
	int r;

	/* the root itself stays where it is */
	if (!place->real[1])
		return set_readonly(init, init->root_fd, step, err);
	if (target < 0)
		return err_sys(err, E_POLICY, -target, "openat2", place->real, step->pointer);
	tree = mount_clone(init, target, "", SYS_AT_RECURSIVE);
	if (tree < 0)
		return err_sys(err, E_MOUNT, errno, "open_tree", place->real, step->pointer);
	r = set_readonly(init, tree, step, err);
	return r < 0 ? r : mounts_attach_verified(init, step, tree, target, err);
}

static int put_back(struct init *init, const struct place *place, const struct plan_mount *step, struct err **err)
{
	cleanup_close int target = path_make_in_root(init->root_fd, place->real,
						     place->is_directory ? PATH_MAKE_DIR : PATH_MAKE_FILE);
	int r = 0;

	if (target < 0)
		return err_sys(err, E_POLICY, -target, "open", place->real, step->pointer);
	if (place->region->kind == REGION_READONLY)
		r = set_readonly(init, place->tree_fd, step, err);
	return r < 0 ? r : mounts_attach_verified(init, step, place->tree_fd, target, err);
}

static int apply(struct init *init, const struct places *places, size_t index, struct err **err)
{
	const struct place *place = &places->items[index];
	struct plan_mount step = step_of(places, index);

	if (place->is_kept)
		return put_back(init, place, &step, err);
	if (place->region->kind == REGION_READONLY)
		return make_readonly(init, place, &step, err);
	return deny_apply(init, &step, err);
}

int regions_apply(struct init *init, struct err **err)
{
	cleanup_places struct places places = { 0 };
	int r;

	if (!init->plan->policy.region_count)
		return 0;
	r = look_up(init, &places, err);
	if (r < 0)
		return r;
	if (has_aliases(&places))
		drop_contained(&places);
	mark_kept(&places);
	r = check_aliases(&places, err);
	if (r == 0)
		r = pin_all(init, &places, err);
	if (r < 0)
		return r;
	qsort(places.items, places.count, sizeof(*places.items), compare_places);
	r = take_all_aside(init, &places, err);
	for (size_t i = 0; i < places.count && r == 0; i++)
		r = apply(init, &places, i, err);
	for (size_t i = 0; i < places.count && r == 0; i++) {
		struct plan_mount step = step_of(&places, i);

		if (places.items[i].region->kind == REGION_DENIED && step.is_reopened)
			r = deny_close_reopened(init, &step, err);
	}
	return r;
}

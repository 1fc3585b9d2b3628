/* aliases.c - see aliases.h.
 *
 * A mount is known by its file system and by which part of it it shows (mountinfo). From the mount
 * that an object lies in follows where the object is in its file system, and from that each other
 * mount that shows it, or shows a part of it. A denied folder covers what is mounted below it (D8),
 * so these mounts are looked for as well.
 */
#include "host/aliases.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"
#include "host/hardlinks.h"
#include "host/mountinfo.h"

struct mount_entry {
	unsigned int major, minor;
	const char *root, *mountpoint;
	bool has_grants; /* something that is granted is seen in it */
};

struct search {
	struct arena *arena;
	struct listing listing;
	struct mount_entry *mounts; /* as mounted: of two at one place the later one is seen */
	size_t mount_count;
	struct host_objects *objects;
	size_t capacity; /* of the aliases */
};

/* ---- mounts ---- */

static int add_mount(const struct mountinfo *mount, void *data)
{
	struct search *s = data;

	s->mounts[s->mount_count++] = (struct mount_entry){ .major = mount->major,
							    .minor = mount->minor,
							    .root = mount->root,
							    .mountpoint = mount->mountpoint };
	return 0;
}

static int read_mounts(struct search *s, char *mountinfo)
{
	size_t lines = 1;

	for (const char *c = mountinfo; *c; c++)
		lines += *c == '\n';
	s->mounts = arena_array(s->arena, lines, sizeof(*s->mounts));
	return s->mounts ? mountinfo_parse(mountinfo, add_mount, s) : -ENOMEM;
}

/* The mount that a path is seen in. */
static struct mount_entry *mount_of(const struct search *s, const char *path)
{
	struct mount_entry *best = NULL;
	size_t best_len = 0, i;

	for (i = 0; i < s->mount_count; i++) {
		size_t len = strlen(s->mounts[i].mountpoint);

		if (len >= best_len && path_is_within(path, s->mounts[i].mountpoint)) {
			best = &s->mounts[i];
			best_len = len;
		}
	}
	return best;
}

/* What is behind the first folder in a path within it, to be put behind another folder. */
static const char *behind(const char *path, const char *folder)
{
	return folder[1] ? path + strlen(folder) : path[1] ? path : "";
}

/* ---- what is found ---- */

static int add_alias(void *data, size_t object, const char *path)
{
	struct search *s = data;
	struct host_objects *objects = s->objects;
	struct host_alias *items;
	struct stat st;

	if (lstat(path, &st) < 0)
		return 0; /* gone, or out of the caller's reach and so of the sandbox's */
	items = arena_grow(s->arena, objects->aliases, objects->alias_count, &s->capacity, sizeof(*items));
	if (!items)
		return -ENOMEM;
	objects->aliases = items;
	objects->aliases[objects->alias_count] = (struct host_alias){
		.object = object,
		.path = arena_strdup(s->arena, path),
		.is_directory = S_ISDIR(st.st_mode),
	};
	return objects->aliases[objects->alias_count++].path ? 0 : -ENOMEM;
}

/* ---- other mounts of one place ---- */

static bool is_same_object(const char *path, const char *other)
{
	struct stat a, b;

	return lstat(path, &a) == 0 && lstat(other, &b) == 0 && a.st_dev == b.st_dev &&
	       a.st_ino == b.st_ino;
}

static int check_mount(struct search *s, const struct listed *listed, const char *place,
		       const char *location, const struct mount_entry *mount)
{
	cleanup_free char *path = NULL;
	int r = 0;

	if (path_is_within(location, mount->root)) {
		path = listing_join(mount->mountpoint, behind(location, mount->root));
		if (!path)
			return -ENOMEM;
		if (!path_is_within(path, listed->path) && is_same_object(place, path))
			r = add_alias(s, listed->object, path);
	} else if (listed->is_denied && path_is_within(mount->root, location) &&
		   !path_is_within(mount->mountpoint, listed->path) &&
		   mount_of(s, mount->mountpoint) == mount) {
		r = add_alias(s, listed->object, mount->mountpoint);
	}
	return r;
}

/* place is what is listed, or a mount below it. */
static int find_mounts(struct search *s, const struct listed *listed, const char *place)
{
	const struct mount_entry *own = mount_of(s, place);
	cleanup_free char *location = NULL;
	int r = 0;

	if (!own)
		return 0;
	location = listing_join(own->root, behind(place, own->mountpoint));
	if (!location)
		return -ENOMEM;
	for (size_t i = 0; i < s->mount_count && r == 0; i++)
		if (s->mounts[i].major == own->major && s->mounts[i].minor == own->minor)
			r = check_mount(s, listed, place, location, &s->mounts[i]);
	return r;
}

/* ---- file systems ---- */

static bool is_shown(const struct listed *listed)
{
	return !listed->is_denied && !listed->is_unseen;
}

static void mark_grants(struct search *s)
{
	for (size_t i = 0; i < s->mount_count; i++) {
		const struct listed *above = listing_above(&s->listing, s->mounts[i].mountpoint);

		s->mounts[i].has_grants = above && is_shown(above);
	}
	for (size_t i = 0; i < s->listing.count; i++) {
		struct mount_entry *mount = is_shown(&s->listing.items[i]) ? mount_of(s, s->listing.items[i].path) : NULL;

		if (mount)
			mount->has_grants = true;
	}
}

/* A hard link is of the file system that its file is of: where nothing granted is of that one there is nothing to search for.
 * By the mounts, because a file system may have several numbers in stat(2). */
static bool may_have_links(const struct search *s, const char *path)
{
	const struct mount_entry *own = mount_of(s, path);

	for (size_t i = 0; i < s->mount_count && own; i++)
		if (s->mounts[i].has_grants && s->mounts[i].major == own->major && s->mounts[i].minor == own->minor)
			return true;
	return !own;
}

/* ---- all places ---- */

static int compare_strings(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int sort_mountpoints(const struct search *s, const char ***ret)
{
	*ret = arena_array(s->arena, s->mount_count, sizeof(**ret));
	if (!*ret)
		return -ENOMEM;
	for (size_t i = 0; i < s->mount_count; i++)
		(*ret)[i] = s->mounts[i].mountpoint;
	qsort(*ret, s->mount_count, sizeof(**ret), compare_strings);
	return 0;
}

/* The denied entry that a mount lies below, with nothing listed in between. */
static const struct listed *denial_of(const struct search *s, const char *mountpoint)
{
	const struct listed *above = listing_above(&s->listing, mountpoint);

	return above && above->is_denied && strcmp(above->path, mountpoint) != 0 ? above : NULL;
}

/* Finds other mounts on the way. */
static int list_places(struct search *s, struct denied_place *places, size_t *ret_count)
{
	size_t i, count = 0;
	int r = 0;

	mark_grants(s);
	for (i = 0; i < s->listing.count && r == 0; i++) {
		const struct listed *listed = &s->listing.items[i];

		if (listed->object == SIZE_MAX || !(listed->is_denied || listed->is_readonly))
			continue;
		if (listed->is_denied && !listed->has_no_links && may_have_links(s, listed->path))
			places[count++] = (struct denied_place){ listed->path, listed->object,
								 listed->is_directory };
		r = find_mounts(s, listed, listed->path);
	}
	for (i = 0; i < s->mount_count && r == 0; i++) {
		const char *mountpoint = s->mounts[i].mountpoint;
		const struct listed *listed = denial_of(s, mountpoint);
		struct stat st;

		if (!listed || mount_of(s, mountpoint) != &s->mounts[i] || lstat(mountpoint, &st) < 0)
			continue;
		if (!listed->has_no_links && may_have_links(s, mountpoint))
			places[count++] = (struct denied_place){ mountpoint, listed->object, S_ISDIR(st.st_mode) };
		r = find_mounts(s, listed, mountpoint);
	}
	*ret_count = count;
	return r;
}

static int find_all(struct search *s, size_t search_max)
{
	struct link_search links = { .arena = s->arena,
				     .listing = &s->listing,
				     .mountpoint_count = s->mount_count,
				     .entries_max = search_max };
	struct denied_place *places =
		arena_array(s->arena, s->listing.count + s->mount_count, sizeof(*places));
	const char **mountpoints = NULL;
	int r = places ? list_places(s, places, &links.place_count) : -ENOMEM;

	if (r == 0)
		r = sort_mountpoints(s, &mountpoints);
	links.places = places;
	links.mountpoints = mountpoints;
	if (r < 0 || !links.place_count)
		return r;
	return hardlinks_find(&links, add_alias, s, &s->objects->unsearched);
}

int aliases_find(struct arena *arena, const struct object_request *requests, char *mountinfo,
		 size_t search_max, struct host_objects *objects, struct err **err)
{
	struct search s = { .arena = arena, .objects = objects };
	int r = listing_make(arena, requests, objects, &s.listing);

	if (r == 0)
		r = read_mounts(&s, mountinfo);
	if (r == 0)
		r = find_all(&s, search_max);
	if (r == -ENOMEM)
		return err_nomem(err);
	return r < 0 ? err_sys(err, E_HOST, -r, "read", "/proc/self/mountinfo", NULL) : 0;
}

/* hardlinks.c - see hardlinks.h.
 *
 * First what is denied is walked, for files with more links than were met there. Mostly there are
 * none, and that is all. Else what is granted is walked for the links that are missing.
 *
 * When the first walk can't be finished (a folder that the caller may not read, too many entries),
 * the second one is turned round: a file of what is granted all of whose links were met there can't
 * have one in what is denied. One of the same file system that has others is suspect, and the policy
 * has to be refused. In a folder that the caller may not read only files of others that he grants
 * count: his own he can't have put there, and the system's folders are open to everybody anyway.
 */
#include "host/hardlinks.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"

/* ---- a table by inode ---- */

struct node {
	uint64_t dev, ino; /* ino 0: empty slot */
	uint64_t links, met;
	size_t object;
	uid_t owner;
	char *name; /* malloc'd: one of its names; NULL when none is needed */
};

struct nodes {
	struct node *slots;
	size_t capacity, count; /* capacity: a power of two */
};

static void nodes_done(struct nodes *nodes)
{
	for (size_t i = 0; i < nodes->capacity; i++)
		free(nodes->slots[i].name);
	free(nodes->slots);
}
#define cleanup_nodes __attribute__((cleanup(nodes_done)))

static struct node *slot_of(const struct nodes *nodes, uint64_t dev, uint64_t ino)
{
	size_t i = (size_t)((ino ^ dev << 40) * 0x9e3779b97f4a7c15u >> 20);

	for (;; i++) {
		struct node *slot = &nodes->slots[i & (nodes->capacity - 1)];

		if (!slot->ino || (slot->dev == dev && slot->ino == ino))
			return slot;
	}
}

static const struct node *nodes_get(const struct nodes *nodes, const struct stat *st)
{
	const struct node *slot = nodes->capacity ? slot_of(nodes, st->st_dev, st->st_ino) : NULL;

	return slot && slot->ino ? slot : NULL;
}

static int nodes_grow(struct nodes *nodes)
{
	struct nodes bigger = { .capacity = nodes->capacity ? nodes->capacity * 2 : 64 };

	bigger.slots = calloc(bigger.capacity, sizeof(*bigger.slots));
	if (!bigger.slots)
		return -ENOMEM;
	for (size_t i = 0; i < nodes->capacity; i++)
		if (nodes->slots[i].ino)
			*slot_of(&bigger, nodes->slots[i].dev, nodes->slots[i].ino) = nodes->slots[i];
	bigger.count = nodes->count;
	free(nodes->slots);
	*nodes = bigger;
	return 0;
}

/* The node of a file, made when it is new. NULL when out of memory. */
static struct node *nodes_add(struct nodes *nodes, const struct stat *st, bool *ret_is_new)
{
	struct node *slot;

	if (nodes->count * 2 >= nodes->capacity && nodes_grow(nodes) < 0)
		return NULL;
	slot = slot_of(nodes, st->st_dev, st->st_ino);
	*ret_is_new = !slot->ino;
	if (slot->ino)
		return slot;
	*slot = (struct node){ .dev = st->st_dev,
			       .ino = st->st_ino,
			       .links = st->st_nlink,
			       .owner = st->st_uid };
	nodes->count++;
	return slot;
}

/* ---- a walk over a tree ---- */

struct walk {
	const struct link_search *search;
	bool crosses_mounts;
	/* Each entry that is no folder. is_counted: its folder was not met before by another name. */
	int (*visit)(struct walk *walk, const char *path, const struct stat *st, bool is_counted);
	size_t left; /* entries */
	struct nodes folders;
	char **stack; /* folders to come, malloc'd */
	size_t depth, capacity;
	char *stopped_at;   /* malloc'd: the first place that was not searched */
	size_t stopped_object;
	struct nodes stopped; /* all of them */
	bool is_device_unknown; /* of one of them */
	bool is_unreadable; /* there, and everywhere: by lack of rights */
	/* of the two kinds of walk */
	struct nodes *nodes;
	const struct nodes *wanted;
	const struct denied_place *place;
	int (*found)(void *data, size_t object, const char *path);
	void *data;
};

static void walk_done(struct walk *walk)
{
	while (walk->depth)
		free(walk->stack[--walk->depth]);
	free(walk->stack);
	free(walk->stopped_at);
	nodes_done(&walk->folders);
	nodes_done(&walk->stopped);
}
#define cleanup_walk __attribute__((cleanup(walk_done)))

static int push(struct walk *walk, char *path)
{
	if (walk->depth == walk->capacity) {
		size_t capacity = walk->capacity ? walk->capacity * 2 : 64;
		char **stack = reallocarray(walk->stack, capacity, sizeof(*stack));

		if (!stack) {
			free(path);
			return -ENOMEM;
		}
		walk->stack = stack;
		walk->capacity = capacity;
	}
	walk->stack[walk->depth++] = path;
	return 0;
}

static int note_stop(struct walk *walk, const char *path, int error)
{
	bool is_unreadable = error == EACCES || error == EPERM, is_new;
	struct stat st;

	if (error == ENOENT || error == ENOTDIR)
		return 0; /* gone meanwhile */
	if (lstat(path, &st) < 0)
		walk->is_device_unknown = true;
	else if (!nodes_add(&walk->stopped, &st, &is_new))
		return -ENOMEM;
	if (!walk->stopped_at && walk->place)
		walk->stopped_object = walk->place->object;
	walk->is_unreadable = is_unreadable && (walk->is_unreadable || !walk->stopped_at);
	if (!walk->stopped_at)
		walk->stopped_at = strdup(path);
	return walk->stopped_at ? 0 : -ENOMEM;
}

static int compare_names(const void *path, const void *item)
{
	return strcmp(path, *(const char *const *)item);
}

static bool is_mountpoint(const struct link_search *search, const char *path)
{
	return search->mountpoint_count &&
	       bsearch(path, search->mountpoints, search->mountpoint_count,
		       sizeof(*search->mountpoints), compare_names);
}

/* The kernel's own: nothing of the disk is there. */
static bool is_kernels(const char *path)
{
	return !strcmp(path, "/proc") || !strcmp(path, "/sys") || !strcmp(path, "/dev");
}

/* What is listed is a tree of its own, or of the other side. */
static bool is_outside(const struct walk *walk, const char *path)
{
	return is_kernels(path) || listing_at(walk->search->listing, path) ||
	       (!walk->crosses_mounts && is_mountpoint(walk->search, path));
}

static int walk_entry(struct walk *walk, int dir_fd, const char *dir, const struct dirent *entry,
		      bool is_counted)
{
	cleanup_free char *path = NULL;
	struct stat st;

	if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
		return 0;
	path = listing_join(dir, entry->d_name);
	if (!path)
		return -ENOMEM;
	if (is_outside(walk, path))
		return 0;
	if (entry->d_type == DT_DIR)
		return push(walk, take_ptr(path));
	if (fstatat(dir_fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT) < 0)
		return note_stop(walk, path, errno);
	if (S_ISDIR(st.st_mode))
		return push(walk, take_ptr(path));
	return st.st_nlink > 1 ? walk->visit(walk, path, &st, is_counted) : 0;
}

static int walk_folder(struct walk *walk, const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;
	bool is_new = false;
	struct stat st;
	int r = 0;

	if (!dir) {
		r = note_stop(walk, path, errno);
		fd_close_ptr(&fd);
		return r;
	}
	if (fstat(fd, &st) < 0 || !nodes_add(&walk->folders, &st, &is_new))
		r = -ENOMEM;
	errno = 0;
	/* A part that is shown twice has no more names in it, but more places where they are seen. */
	while (r == 0 && (is_new || walk->crosses_mounts) && (errno = 0, entry = readdir(dir))) {
		if (!walk->left) {
			errno = E2BIG;
			break;
		}
		walk->left--;
		r = walk_entry(walk, fd, path, entry, is_new);
	}
	if (r == 0 && errno)
		r = note_stop(walk, path, errno);
	closedir(dir);
	return r;
}

static int walk_tree(struct walk *walk, const char *root)
{
	char *path = strdup(root);
	int r = path ? push(walk, path) : -ENOMEM;

	while (r == 0 && walk->depth) {
		path = walk->stack[--walk->depth];
		r = walk_folder(walk, path);
		free(path);
	}
	return r;
}

static int walk_single(struct walk *walk, const char *path)
{
	struct stat st;

	if (lstat(path, &st) < 0)
		return note_stop(walk, path, errno);
	return st.st_nlink > 1 ? walk->visit(walk, path, &st, !is_mountpoint(walk->search, path)) : 0;
}

/* ---- what is denied ---- */

static int visit_denied(struct walk *walk, const char *path, const struct stat *st, bool is_counted)
{
	bool is_new;
	struct node *node = nodes_add(walk->nodes, st, &is_new);

	(void)path;
	if (!node)
		return -ENOMEM;
	if (is_new)
		node->object = walk->place->object;
	node->met += is_counted;
	return 0;
}

static int walk_denied(struct walk *walk)
{
	const struct link_search *search = walk->search;
	int r = 0;

	for (size_t i = 0; i < search->place_count && r == 0; i++) {
		walk->place = &search->places[i];
		if (is_kernels(walk->place->path))
			continue;
		r = walk->place->is_directory ? walk_tree(walk, walk->place->path)
					      : walk_single(walk, walk->place->path);
	}
	return r;
}

/* ---- what is granted ---- */

static int visit_granted(struct walk *walk, const char *path, const struct stat *st, bool is_counted)
{
	const struct node *wanted = nodes_get(walk->wanted, st);
	struct node *node;
	bool is_new;

	if (wanted)
		return walk->found(walk->data, wanted->object, path);
	if (!walk->nodes)
		return 0;
	node = nodes_add(walk->nodes, st, &is_new);
	if (!node)
		return -ENOMEM;
	if (is_new)
		node->name = strdup(path);
	node->met += is_counted;
	return node->name ? 0 : -ENOMEM;
}

static int walk_granted(struct walk *walk, bool with_folders)
{
	const struct listing *listing = walk->search->listing;
	int r = 0;

	for (size_t i = 0; i < listing->count && r == 0; i++) {
		const struct listed *listed = &listing->items[i];

		if (listed->is_denied || listed->is_unseen || (listed->object == SIZE_MAX && !with_folders))
			continue;
		r = listed->is_directory ? walk_tree(walk, listed->path)
					 : walk_single(walk, listed->path);
	}
	return r;
}

/* ---- both ---- */

static bool has_missing(const struct nodes *nodes)
{
	for (size_t i = 0; i < nodes->capacity; i++)
		if (nodes->slots[i].met < nodes->slots[i].links)
			return true;
	return false;
}

static bool has_stopped_in(const struct walk *walk, uint64_t dev)
{
	for (size_t i = 0; i < walk->stopped.capacity; i++)
		if (walk->stopped.slots[i].ino && walk->stopped.slots[i].dev == dev)
			return true;
	return walk->is_device_unknown;
}

static const struct node *find_suspect(const struct nodes *nodes, const struct walk *denied)
{
	for (size_t i = 0; i < nodes->capacity; i++) {
		const struct node *node = &nodes->slots[i];

		if (node->ino && node->met < node->links && has_stopped_in(denied, node->dev) &&
		    !(denied->is_unreadable && node->owner == getuid()))
			return node;
	}
	return NULL;
}

static int judge(const struct walk *denied, const struct walk *granted,
		 struct host_unsearched *ret)
{
	struct arena *arena = denied->search->arena;
	const struct node *suspect = NULL;

	if (denied->stopped_at)
		suspect = find_suspect(granted->nodes, denied);
	/* What the caller can't read himself in what is granted, the sandbox can't either. */
	if (!suspect && (!granted->stopped_at || granted->is_unreadable))
		return 0;
	ret->object = denied->stopped_at ? denied->stopped_object : denied->search->places[0].object;
	ret->place = arena_strdup(arena, denied->stopped_at ? denied->stopped_at
							    : granted->stopped_at);
	ret->suspect = suspect ? arena_strdup(arena, suspect->name) : NULL;
	return ret->place && (!suspect || ret->suspect) ? 0 : -ENOMEM;
}

int hardlinks_find(const struct link_search *search,
		   int (*found)(void *data, size_t object, const char *path), void *data,
		   struct host_unsearched *ret_unsearched)
{
	cleanup_nodes struct nodes wanted = { 0 }, others = { 0 };
	cleanup_walk struct walk denied = {
		.search = search,
		.visit = visit_denied,
		.left = search->entries_max,
		.nodes = &wanted,
	};
	cleanup_walk struct walk granted = {
		.search = search,
		.crosses_mounts = true,
		.visit = visit_granted,
		.left = search->entries_max,
		.wanted = &wanted,
		.found = found,
		.data = data,
	};
	int r = walk_denied(&denied);
	bool is_missing = r == 0 && has_missing(&wanted);

	if (r < 0 || (!denied.stopped_at && !is_missing))
		return r;
	if (denied.stopped_at)
		granted.nodes = &others;
	r = walk_granted(&granted, is_missing || !denied.is_unreadable);
	return r < 0 ? r : judge(&denied, &granted, ret_unsearched);
}

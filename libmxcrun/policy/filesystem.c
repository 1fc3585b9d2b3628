/* filesystem.c - the path lists of a policy: what they name, what is one object, what may be
 * granted.
 *
 * Everything about the host comes in with the looked-up objects. A grant names a place and the
 * object behind it; a denial is about the object, so its place is where every symlink has been
 * followed (MXC.md 6.5).
 */
#include "policy/filesystem.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/path.h"
#include "policy/resolve.h"

static const char *const intent_words[] = {
	[INTENT_DENIED] = "denied", [INTENT_READONLY] = "readonly", [INTENT_READWRITE] = "readwrite"
};
_Static_assert(array_size(intent_words) == INTENT_MAX, "a word for each intent");

/* ---- the lists, in the order that decides between equals (MXC.md 6.4) ---- */

struct list {
	const struct string_list *paths;
	const char *pointer;
	enum policy_intent intent;
	int access;
};
#define LISTS 3u

static void lists_of(const struct mxc_config *config, struct list lists[LISTS])
{
	const struct mxc_filesystem *fs = &config->filesystem;

	lists[0] = (struct list){ &fs->readwrite_paths, "/filesystem/readwritePaths",
				  INTENT_READWRITE, R_OK | W_OK };
	lists[1] = (struct list){ &fs->readonly_paths, "/filesystem/readonlyPaths", INTENT_READONLY,
				  R_OK };
	lists[2] =
		(struct list){ &fs->denied_paths, "/filesystem/deniedPaths", INTENT_DENIED, F_OK };
}

static size_t count_paths(const struct list lists[LISTS])
{
	return lists[0].paths->count + lists[1].paths->count + lists[2].paths->count;
}

int policy_requests(struct arena *arena, const struct mxc_config *config, const struct host_image *image,
		    struct object_request **ret, size_t *ret_count, struct err **err)
{
	struct object_request *requests;
	struct list lists[LISTS];
	size_t i, j, count = placed_bind_count(config);
	int r;

	lists_of(config, lists);
	*ret_count = count + count_paths(lists) + image_request_count(image) + placed_count(config);
	requests = arena_array(arena, *ret_count, sizeof(*requests));
	if (!requests)
		return err_nomem(err);
	placed_request_binds(config, requests);
	for (i = 0; i < LISTS; i++)
		for (j = 0; j < lists[i].paths->count; j++)
			requests[count++] = (struct object_request){ .path = lists[i].paths->items[j],
								     .access = lists[i].access };
	*ret = requests;
	r = image ? image_requests(arena, image, requests + count, err) : 0;
	return r < 0 ? r : placed_request_places(arena, config, requests + count + image_request_count(image), err);
}

static bool is_absent(const struct host_object *object)
{
	return object->error == ENOENT || object->error == ENOTDIR;
}

static int collect(struct view *view, const struct mxc_config *config, struct err **err)
{
	struct list lists[LISTS];
	size_t i, j;
	int r;

	lists_of(config, lists);
	if (placed_bind_count(config) + count_paths(lists) + image_request_count(view->objects->image) + placed_count(config) !=
	    view->objects->count)
		return err_set(err, E_INTERNAL, 0, NULL,
			       "the objects looked up are not those of the policy");
	view->capacity = view->objects->count;
	view->items = arena_array(view->arena, view->capacity, sizeof(*view->items));
	if (!view->items)
		return err_nomem(err);
	r = placed_collect(view, config, err);
	if (r < 0)
		return r;
	for (i = 0; i < LISTS; i++) {
		for (j = 0; j < lists[i].paths->count; j++) {
			struct candidate *c = &view->items[view->count];

			c->object = &view->objects->items[view->count];
			c->order = view->count++;
			c->exists = !c->object->error;
			c->entry.intent = c->entry.requested = lists[i].intent;
			if (config->filesystem.denied_types && lists[i].intent == INTENT_DENIED)
				c->is_file = config->filesystem.denied_types[j] == MXC_TYPE_FILE;
			c->entry.pointer = arena_printf(view->arena, "%s/%zu", lists[i].pointer, j);
			if (!c->entry.pointer)
				return err_nomem(err);
			if (is_absent(c->object) && !(view->objects->image && lists[i].intent == INTENT_DENIED))
				log_warning(view->log,
					    "filesystem path '%s' does not exist on the host",
					    c->object->path);
		}
	}
	return image_collect(view, view->count - lists[2].paths->count, err);
}

/* ---- objects that could not be found ---- */

/* What can't be looked up could be another name of something denied, or, denied itself, be
 * anywhere. */
static int check_found(const struct view *view, struct err **err)
{
	size_t i;

	for (i = 0; i < view->count; i++) {
		const struct candidate *c = &view->items[i];
		int error = c->object->error;

		if (c->exists || (is_absent(c->object) && c->entry.intent == INTENT_DENIED))
			continue;
		if (is_absent(c->object))
			return err_set(err, E_POLICY, 0, c->entry.pointer,
				       "filesystem path '%.512s' does not exist on the host",
				       c->object->path);
		if (c->entry.intent != INTENT_DENIED && (error == EACCES || error == EPERM))
			return err_set(
				err, E_DELEGATION, error, c->entry.pointer,
				"a grant of '%.512s' exceeds your own rights: the path is out of reach",
				c->object->path);
		return err_set(
			err, E_POLICY, error, c->entry.pointer,
			"filesystem path '%.512s' can't be resolved, so nothing can be said of the object behind it",
			c->object->path);
	}
	return 0;
}

/* ---- what a denied path is said to be ---- */

/* A path that does not exist is taken for what it is said to be, and for a folder without a word. Where the root is an image
 * what is said is about the image. */
static int check_types(const struct view *view, const struct mxc_config *config, struct err **err)
{
	const enum mxc_path_type *types = config->filesystem.denied_types;
	size_t count = config->filesystem.denied_paths.count, first = view->count - count, i;

	for (i = 0; i < count && types; i++) {
		const struct candidate *c = &view->items[first + i];

		if (types[i] != MXC_TYPE_ANY && c->exists && S_ISDIR(c->object->mode) != !c->is_file)
			return err_set(err, E_POLICY, 0, c->entry.pointer,
				       "filesystem path '%.512s' is denied as a %s, but it is a %s",
				       c->object->path, c->is_file ? "file" : "directory",
				       c->is_file ? "directory" : "file");
	}
	return 0;
}

/* ---- one object by several names (MXC.md 6.7) ---- */

struct identity {
	uint64_t dev, ino;
	size_t item;
};

static int compare_identities(const void *a, const void *b)
{
	const struct identity *x = a, *y = b;

	if (x->dev != y->dev)
		return x->dev < y->dev ? -1 : 1;
	return (x->ino > y->ino) - (x->ino < y->ino);
}

static void tighten(const struct view *view, struct candidate *c, enum policy_intent intent)
{
	if (c->entry.intent <= intent)
		return;
	log_line(view->log, LOG_LEVEL_INFO,
		 "filesystem path '%s' is listed as %s and, by this or another name, as %s: "
		 "applying most-restrictive intent",
		 c->object->path, intent_words[c->entry.intent], intent_words[intent]);
	c->entry.intent = intent;
}

static int unite_objects(struct view *view, struct err **err)
{
	struct identity *sorted = arena_array(view->arena, view->count, sizeof(*sorted));
	size_t i, j, count = 0, next;

	if (!sorted)
		return err_nomem(err);
	for (i = 0; i < view->count; i++) {
		const struct host_object *object = view->items[i].object;

		if (view->items[i].exists)
			sorted[count++] = (struct identity){ object->dev, object->ino, i };
	}
	qsort(sorted, count, sizeof(*sorted), compare_identities);
	for (i = 0; i < count; i = next) {
		enum policy_intent strictest = INTENT_READWRITE;

		for (next = i; next < count && compare_identities(&sorted[i], &sorted[next]) == 0;
		     next++)
			if (!view->items[sorted[next].item].bound_at &&
			    view->items[sorted[next].item].entry.intent < strictest)
				strictest = view->items[sorted[next].item].entry.intent;
		for (j = i; j < next; j++)
			tighten(view, &view->items[sorted[j].item], strictest);
	}
	return 0;
}

/* ---- names that nobody listed (D6) ---- */

int policy_refuse_unsearched(const struct host_unsearched *unsearched, const char *path, const char *pointer, struct err **err)
{
	if (unsearched->suspect)
		err_set(err, E_POLICY, 0, pointer,
			"filesystem path '%.512s' is denied, and the granted '%.512s' may be a hard link of one of its "
			"files: '%.512s' could not be searched",
			path, unsearched->suspect, unsearched->place);
	else
		err_set(err, E_POLICY, 0, pointer,
			"filesystem path '%.512s' is denied, and its files have hard links that could not be looked for in "
			"the granted '%.512s'",
			path, unsearched->place);
	err_hint(err, "deny less, or grant less: both are searched, up to a million entries each");
	return -EINVAL;
}

static int check_searched(const struct view *view, struct err **err)
{
	const struct host_unsearched *unsearched = &view->objects->unsearched;
	const struct candidate *c;

	if (!unsearched->place)
		return 0;
	c = &view->items[unsearched->object];
	return policy_refuse_unsearched(unsearched, c->object->path, c->entry.pointer, err);
}

/* Each other name of a restricted object becomes a restriction of its own. Where no region shows it,
 * view_arrange() drops it. */
static int add_aliases(struct view *view, struct err **err)
{
	const struct host_objects *objects = view->objects;

	if (view_grow(view, objects->alias_count, err) < 0)
		return -ENOMEM;
	for (size_t i = 0; i < objects->alias_count; i++) {
		const struct host_alias *alias = &objects->aliases[i];
		struct candidate *c = &view->items[view->count];

		*c = view->items[alias->object];
		c->is_alias = true;
		c->order = view->count++;
		c->entry.source = c->entry.destination = alias->path;
		c->entry.is_directory = alias->is_directory;
		log_line(view->log, LOG_LEVEL_INFO,
			 "filesystem path '%s' is another name of '%s' and %s as well", alias->path,
			 c->object->path, intent_words[c->entry.intent]);
	}
	return 0;
}

/* ---- delegation (MXC.md 6.8) ---- */

static int check_delegation(const struct view *view, struct err **err)
{
	size_t i;

	for (i = 0; i < view->count; i++) {
		const struct candidate *c = &view->items[i];
		int error = c->entry.intent == INTENT_DENIED ? 0 : c->object->read_error;
		const char *right = "read";

		if (!error && c->entry.intent == INTENT_READWRITE && c->object->write_error) {
			error = c->object->write_error;
			right = "write";
		}
		if (error)
			return err_set(
				err, E_DELEGATION, error, c->entry.pointer,
				"a grant of '%.512s' exceeds your own rights: you have no %s access to it",
				c->object->path, right);
	}
	return 0;
}

/* ---- what is never granted ---- */

bool policy_is_own_device(const char *path)
{
	static const char *const names[] = { "null", "zero", "full", "random", "urandom", "tty" };
	size_t i;

	if (strncmp(path, "/dev/", 5) != 0)
		return false;
	for (i = 0; i < array_size(names); i++)
		if (strcmp(names[i], path + 5) == 0)
			return true;
	return false;
}

/* The sandbox has /proc and /dev of its own, and the kernel's settings are nobody's to hand out. */
static int check_grant(struct candidate *c, struct err **err)
{
	const char *path = c->object->canonical, *words = NULL;

	if (c->is_image)
		return 0;
	if (S_ISCHR(c->object->mode) || S_ISBLK(c->object->mode)) {
		c->is_dropped = policy_is_own_device(path) && !c->bound_at;
		if (!c->is_dropped)
			words = "device nodes can't be granted yet";
	} else if (path_is_within(path, "/proc")) {
		words = "the sandbox has its own /proc, and the host's is not granted";
	} else if (strcmp(path, "/dev") == 0 || path_is_within(path, "/dev/pts")) {
		words = "the sandbox has its own /dev, and the host's is not granted";
	} else if (c->entry.intent == INTENT_READWRITE && path_is_within(path, "/sys")) {
		words = "/sys is not granted for writing";
	}
	if (!words)
		return 0;
	return err_set(err, E_UNSUPPORTED, 0, c->entry.pointer, "filesystem path '%.512s': %s",
		       c->object->path, words);
}

/* A name in /proc that leads to a process is another one in the sandbox; one that is absent there
 * can't be held free. */
static int check_denial(const struct candidate *c, struct err **err)
{
	const char *path = c->object->canonical;

	if (!path[1])
		return err_set(
			err, E_POLICY, 0, c->entry.pointer,
			"filesystem path '%.512s' is denied: that leaves nothing that could run",
			c->object->path);
	if (!path_is_within(path, "/proc") || !path[5])
		return 0;
	if (c->exists && (path[6] < '0' || path[6] > '9'))
		return 0;
	return err_set(
		err, E_POLICY, 0, c->entry.pointer,
		"filesystem path '%.512s' can't be denied: the sandbox's /proc has other processes than the host's",
		c->object->path);
}

static int check_places(struct view *view, struct err **err)
{
	size_t i;
	int r = 0;

	for (i = 0; i < view->count && r == 0; i++) {
		struct candidate *c = &view->items[i];

		r = c->entry.intent == INTENT_DENIED ? check_denial(c, err) : check_grant(c, err);
	}
	return r;
}

/* ---- where things are put ---- */

static bool has_dots(const char *path)
{
	while (*path) {
		size_t len = strcspn(path, "/");

		if ((len == 1 && path[0] == '.') || (len == 2 && path[0] == '.' && path[1] == '.'))
			return true;
		path += len;
		path += strspn(path, "/");
	}
	return false;
}

/* A grant keeps its spelling, unless the spelling can't be read without knowing the links in it. */
static int place(struct view *view, struct candidate *c, struct err **err)
{
	const struct host_object *object = c->object;
	struct policy_entry *entry = &c->entry;
	cleanup_free char *clean = NULL;

	entry->source = object->canonical;
	entry->dev = object->dev;
	entry->ino = object->ino;
	entry->is_directory = c->exists ? S_ISDIR(object->mode) : !c->is_file;
	if (!c->is_inside)
		entry->destination = object->canonical;
	image_place(view, c);
	if (c->is_image)
		return 0;
	if (c->bound_at) {
		entry->destination = c->bound_at;
		return 0;
	}
	if (entry->intent == INTENT_DENIED || has_dots(object->absolute))
		return 0;
	clean = path_clean(object->absolute);
	entry->destination = clean ? arena_strdup(view->arena, clean) : NULL;
	return entry->destination ? 0 : err_nomem(err);
}

static int place_all(struct view *view, struct err **err)
{
	size_t i;
	int r = 0;

	for (i = 0; i < view->count && r == 0; i++)
		r = place(view, &view->items[i], err);
	return r;
}

int policy_filesystem_check(struct view *view, const struct mxc_config *config, struct err **err)
{
	int r = collect(view, config, err);

	if (r == 0)
		r = check_found(view, err);
	if (r == 0)
		r = check_types(view, config, err);
	if (r == 0)
		r = unite_objects(view, err);
	if (r == 0)
		r = image_check(view, err);
	if (r == 0)
		r = check_delegation(view, err);
	if (r == 0)
		r = own_check(view, err);
	if (r == 0)
		r = check_places(view, err);
	return r == 0 ? place_all(view, err) : r;
}

int policy_filesystem(struct view *view, struct err **err)
{
	int r = check_searched(view, err);

	if (r == 0)
		r = add_aliases(view, err);
	if (r == 0)
		r = own_add(view, err);
	if (r == 0)
		r = placed_tighten(view, err);
	return r == 0 ? view_arrange(view, err) : r;
}

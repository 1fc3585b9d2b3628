/* view.c - from candidates to the sandbox's tree: the system's folders, and the mounts above them
 * in order.
 *
 * A region is a piece of the host that the sandbox sees: a grant, one of the system's folders, or
 * the whole root. Rules, in the order in which they are applied:
 *  - a denied path that does not exist is held free where that leaves no trace (hold_free);
 *  - a restriction holds in every region that shows its object, also when a symlink brought the
 * region somewhere else than where its object is, or the object has other names (extend_restrictions);
 *  - one entry for each place, the strictest; nothing below a denial but what re-opens it;
 *  - shallow before deep (MXC.md 6.4), so that the most specific entry is the one that is seen.
 */
#include "policy/filesystem.h"

#include <errno.h>
#include <string.h>

#include "base/path.h"
#include "policy/path_index.h"

/* The kernel allows 100000 mounts in a mount namespace (fs.mount-max). */
#define ENTRIES_MAX 65536u

/* Items of an index of regions: candidates by their number, then the folders, then the whole root.
 */
struct region {
	const char *destination;
	enum policy_intent intent;
};

static struct region region_of(const struct view *view, const struct place *place)
{
	if (place->item < view->count)
		return (struct region){ view->items[place->item].entry.destination,
					view->items[place->item].entry.intent };
	if (place->item < view->count + view->ret->folder_count)
		return (struct region){ view->ret->folders[place->item - view->count].path,
					INTENT_READONLY };
	return (struct region){ "/", view->ret->whole_root == WHOLE_ROOT_READONLY
					     ? INTENT_READONLY
					     : INTENT_READWRITE };
}

int view_grow(struct view *view, size_t more, struct err **err)
{
	struct candidate *items;

	if (view->capacity - view->count >= more)
		return 0;
	items = arena_array(view->arena, view->count + more, sizeof(*items));
	if (!items)
		return err_nomem(err);
	if (view->count)
		memcpy(items, view->items, view->count * sizeof(*items));
	view->items = items;
	view->capacity = view->count + more;
	return 0;
}

/* ---- the system's folders ---- */

static bool is_own_folder(const struct host_objects *objects, const char *path)
{
	size_t i;

	for (i = 0; i < objects->folder_count; i++)
		if (strcmp(objects->folders[i].path, path) == 0 &&
		    strcmp(objects->folders[i].canonical, path) == 0)
			return true;
	return false;
}

/* Does the link lead to its target by one step, so that it means the same in a view without what
 * lies between? */
static int leads_directly(const struct host_folder *folder, bool *ret)
{
	cleanup_strbuf struct strbuf path = STRBUF_INIT;
	cleanup_free char *clean = NULL;

	if (folder->link[0] != '/')
		strbuf_printf(&path, "%.*s", (int)(strrchr(folder->path, '/') + 1 - folder->path),
			      folder->path);
	strbuf_puts(&path, folder->link);
	clean = path.failed ? NULL : path_clean(strbuf_str(&path));
	if (!clean)
		return -ENOMEM;
	*ret = strcmp(clean, folder->canonical) == 0;
	return 0;
}

/* A folder that is a link to another one (/bin on a merged /usr) stays a link: one mount less, and
 * no second name for what a policy denies by the first. Any other link is replaced by what it leads
 * to. */
static int add_folder(struct view *view, const struct host_folder *folder, struct err **err)
{
	struct policy_folder *ret = &view->ret->folders[view->ret->folder_count++];
	bool is_direct;

	*ret = (struct policy_folder){ .path = folder->path,
				       .source = folder->canonical,
				       .is_directory = folder->is_directory };
	if (!folder->link || !is_own_folder(view->objects, folder->canonical))
		return 0;
	if (leads_directly(folder, &is_direct) < 0)
		return err_nomem(err);
	ret->source = NULL;
	ret->link = is_direct ? folder->link : folder->canonical;
	return 0;
}

static int add_folders(struct view *view, struct err **err)
{
	struct policy_filesystem *fs = view->ret;
	size_t i;
	int r = 0;

	if (fs->whole_root != WHOLE_ROOT_NO)
		return 0;
	fs->folders = arena_array(view->arena, view->objects->folder_count, sizeof(*fs->folders));
	if (!fs->folders)
		return err_nomem(err);
	for (i = 0; i < view->objects->folder_count && r == 0; i++)
		r = add_folder(view, &view->objects->folders[i], err);
	return r;
}

/* ---- the whole root ---- */

static void take_image(struct view *view, struct candidate *c)
{
	c->is_dropped = true;
	view->ret->whole_root = WHOLE_ROOT_IMAGE;
	view->ret->image = c->entry.source;
	view->ret->whole_root_pointer = c->entry.pointer;
}

static int take_whole_root(struct view *view, struct err **err)
{
	struct policy_filesystem *fs = view->ret;
	size_t i;

	for (i = 0; i < view->count; i++) {
		struct candidate *c = &view->items[i];

		if (c->is_image)
			take_image(view, c);
		if (!candidate_is_grant(c) || c->entry.source[1])
			continue;
		/* Elsewhere it would bring the host's /proc and /dev along. */
		if (c->entry.destination[1])
			return err_set(
				err, E_UNSUPPORTED, 0, c->entry.pointer,
				"filesystem path '%.512s' leads to /, which can be granted as / only",
				c->object->path);
		c->is_dropped = true;
		fs->whole_root = c->entry.intent == INTENT_READWRITE ? WHOLE_ROOT_READWRITE
								     : WHOLE_ROOT_READONLY;
		fs->whole_root_pointer = c->entry.pointer;
		fs->whole_root_requested = c->entry.requested;
	}
	fs->covers_sysfs = fs->whole_root == WHOLE_ROOT_READWRITE && view->objects->has_sysfs;
	return 0;
}

/* The sandbox has an own /tmp unless the host's is granted in its place. */
static void decide_tmp(struct view *view)
{
	size_t i;

	view->ret->wants_tmp = !placed_is_own(view, "/tmp", strlen("/tmp"));
	for (i = 0; i < view->count; i++)
		if (candidate_is_grant(&view->items[i]) &&
		    strcmp(view->items[i].entry.destination, "/tmp") == 0)
			view->ret->wants_tmp = false;
}

/* ---- regions by where they are on the host ---- */

static int index_regions(const struct view *view, struct path_index *ret, struct err **err)
{
	const struct policy_filesystem *fs = view->ret;
	size_t i;

	if (!path_index_init(ret, view->arena, view->count + fs->folder_count + 1))
		return err_nomem(err);
	for (i = 0; i < view->count; i++)
		if (candidate_is_grant(&view->items[i]))
			path_index_add(ret, view->items[i].entry.source, i);
	for (i = 0; i < fs->folder_count; i++)
		if (fs->folders[i].source)
			path_index_add(ret, fs->folders[i].source, view->count + i);
	if (fs->whole_root != WHOLE_ROOT_NO)
		path_index_add(ret, fs->image ? fs->image : "/", view->count + fs->folder_count);
	path_index_sort(ret);
	return 0;
}

static int index_entries(const struct view *view, bool (*is_wanted)(const struct candidate *),
			 bool by_source, struct path_index *ret, struct err **err)
{
	size_t i;

	if (!path_index_init(ret, view->arena, view->count))
		return err_nomem(err);
	for (i = 0; i < view->count; i++) {
		const struct policy_entry *entry = &view->items[i].entry;

		if (is_wanted(&view->items[i]))
			path_index_add(ret, by_source ? entry->source : entry->destination, i);
	}
	path_index_sort(ret);
	return 0;
}

/* ---- denied paths that do not exist ---- */

static bool is_own_place(const struct view *view, const char *path, size_t len)
{
	return (len == 4 && strncmp(path, "/dev", len) == 0) ||
	       (len == 4 && strncmp(path, "/tmp", len) == 0 && view->ret->wants_tmp);
}

/* What becomes of the denial of a path that does not exist (invariant 46). The nearest thing above
 * it decides:
 *  - nothing, or a file system of the sandbox's own, as what lies above an image is: a covered folder is put there, and the
 * name is taken;
 *  - a denial: it is out of reach already, and dropped;
 *  - a region of the host: refused. A mount needs something to be mounted on, and making that would
 * leave a trace on the host; without it the path could be made by the sandbox (read-write) or
 * appear from outside (read-only), and would not be denied.
 */
static int hold_free(const struct view *view, struct candidate *c, const struct path_index *regions,
		     const struct path_index *denials, struct err **err)
{
	const char *path = c->entry.destination;
	size_t denied = path_index_above(denials, path), shown = path_index_above(regions, path);
	const struct place *place;
	size_t len;

	if (c->is_inside)
		return 0;
	for (len = path_parent_len(path, strlen(path)); len; len = path_parent_len(path, len)) {
		if (len == denied) {
			c->is_dropped = true;
			return 0;
		}
		if (len == shown && path_index_find(regions, path, len, &place))
			return err_set(
				err, E_POLICY, 0, c->entry.pointer,
				"filesystem path '%.512s' is denied but does not exist, and lies in the granted "
				"'%.512s': it can't be kept from appearing there without leaving a trace on the host",
				c->object->path, region_of(view, place).destination);
		if (is_own_place(view, path, len) || placed_is_own(view, path, len))
			return 0;
	}
	return 0;
}

static int hold_all_free(struct view *view, const struct path_index *regions, struct err **err)
{
	struct path_index denials;
	size_t i;
	int r = index_entries(view, candidate_is_denial, false, &denials, err);

	for (i = 0; i < view->count && r == 0; i++)
		if (candidate_is_denial(&view->items[i]) && !view->items[i].exists)
			r = hold_free(view, &view->items[i], regions, &denials, err);
	return r;
}

/* ---- restrictions in every region that shows the object ---- */

/* New entries are collected aside: the indices name candidates by their number. */
struct additions {
	struct candidate *items;
	size_t count, capacity;
};

static int add_copy(const struct view *view, struct additions *additions,
		    const struct candidate *restriction, const char *destination, struct err **err)
{
	struct candidate *items, *copy;

	if (view->count + additions->count >= ENTRIES_MAX)
		return err_set(err, E_POLICY, 0, restriction->entry.pointer,
			       "the path lists come to more than %u mounts", ENTRIES_MAX);
	items = arena_grow(view->arena, additions->items, additions->count, &additions->capacity, sizeof(*items));
	if (!items)
		return err_nomem(err);
	additions->items = items;
	copy = &additions->items[additions->count++];
	*copy = *restriction;
	copy->entry.destination = destination;
	copy->order = view->count + additions->count;
	return 0;
}

static int extend_into(const struct view *view, struct additions *additions,
		       const struct candidate *restriction, const struct region *region, size_t len,
		       struct err **err)
{
	const struct policy_entry *entry = &restriction->entry;
	char *destination;

	if (region->intent <= entry->intent)
		return 0;
	destination =
		arena_printf(view->arena, "%s%s", region->destination[1] ? region->destination : "",
			     path_below(entry->source, len));
	if (!destination)
		return err_nomem(err);
	if (!*destination || strcmp(destination, entry->destination) == 0)
		return 0;
	return add_copy(view, additions, restriction, destination, err);
}

static int extend_restriction(const struct view *view, struct additions *additions,
			      const struct candidate *restriction, const struct path_index *regions,
			      struct err **err)
{
	const char *source = restriction->entry.source;
	const struct place *place;
	size_t len, count;
	int r = 0;

	for (len = strlen(source); len && r == 0; len = path_parent_len(source, len)) {
		for (count = path_index_find(regions, source, len, &place); count && r == 0;
		     count--, place++) {
			struct region region = region_of(view, place);

			r = extend_into(view, additions, restriction, &region, len, err);
		}
	}
	return r;
}

/* Does a region that allows more than the entry show its very place? */
static int is_seen(const struct view *view, const struct candidate *c,
		   const struct path_index *regions, bool *ret)
{
	const char *source = c->entry.source;
	const struct place *place;
	size_t len, count;

	*ret = false;
	for (len = strlen(source); len && !*ret; len = path_parent_len(source, len)) {
		for (count = path_index_find(regions, source, len, &place); count && !*ret;
		     count--, place++) {
			struct region region = region_of(view, place);
			const char *below = path_below(source, len);
			char *destination = arena_printf(view->arena, "%s%s",
							 region.destination[1] || !*below ? region.destination : "",
							 below);

			if (!destination)
				return -ENOMEM;
			*ret = region.intent > c->entry.intent &&
			       strcmp(destination, c->entry.destination) == 0;
		}
	}
	return 0;
}

/* Another name of something is of no interest at a place that the sandbox doesn't have. Regions that
 * show it elsewhere get a copy of it first. */
static int drop_unseen_aliases(struct view *view, const struct path_index *regions, struct err **err)
{
	bool is_wanted;
	size_t i;

	for (i = 0; i < view->count; i++) {
		struct candidate *c = &view->items[i];

		if (!c->is_alias || c->is_dropped)
			continue;
		if (is_seen(view, c, regions, &is_wanted) < 0)
			return err_nomem(err);
		c->is_dropped = !is_wanted;
	}
	return 0;
}

static int extend_restrictions(struct view *view, const struct path_index *regions,
			       struct err **err)
{
	struct additions additions = { 0 };
	size_t i;
	int r = 0;

	for (i = 0; i < view->count && r == 0; i++)
		if (!view->items[i].is_dropped && !view->items[i].bound_at && view->items[i].entry.intent != INTENT_READWRITE)
			r = extend_restriction(view, &additions, &view->items[i], regions, err);
	if (r == 0)
		r = drop_unseen_aliases(view, regions, err);
	if (r < 0 || !additions.count)
		return r;
	if (view_grow(view, additions.count, err) < 0)
		return -ENOMEM;
	memcpy(view->items + view->count, additions.items, additions.count * sizeof(*view->items));
	view->count += additions.count;
	return 0;
}

/* ---- one entry for each place ---- */

static bool is_live(const struct candidate *candidate)
{
	return !candidate->is_dropped;
}

/* Of the entries of one place the strictest stays, the first of several. */
static void keep_strictest(struct view *view, const struct place *places, size_t count)
{
	struct candidate *best = &view->items[places[0].item];
	size_t i;

	for (i = 1; i < count; i++) {
		struct candidate *other = &view->items[places[i].item];
		bool is_stricter = other->entry.intent < best->entry.intent;

		if (other->entry.intent != best->entry.intent)
			log_line(
				view->log, LOG_LEVEL_INFO,
				"filesystem path '%s' has several intents: applying most-restrictive intent",
				other->entry.destination);
		(is_stricter ? best : other)->is_dropped = true;
		best = is_stricter ? other : best;
	}
}

/* Is the nearest entry above a denial? Then nothing more has to be said below it but grants. */
static bool is_below_denial(const struct view *view, const struct path_index *index,
			    const char *path)
{
	const struct place *place;
	const char *above = path;
	size_t len, count, i;

	while ((len = path_index_above(index, above)) > 0) {
		count = path_index_find(index, path, len, &place);
		for (i = 0; i < count; i++)
			if (is_live(&view->items[place[i].item]))
				return view->items[place[i].item].entry.intent == INTENT_DENIED;
		above = place->path;
	}
	return false;
}

static int drop_superfluous(struct view *view, struct err **err)
{
	struct path_index index;
	size_t i, count;
	int r = index_entries(view, is_live, false, &index, err);

	if (r < 0)
		return r;
	for (i = 0; i < index.count; i += count) {
		const struct place *place;
		const char *path = index.places[i].path;

		count = path_index_find(&index, path, strlen(path), &place);
		keep_strictest(view, place, count);
	}
	/* In order: what is above is decided before what is below. */
	for (i = 0; i < index.count; i++) {
		struct candidate *c = &view->items[index.places[i].item];

		if ((candidate_is_denial(c) || c->is_alias) && is_live(c) &&
		    is_below_denial(view, &index, c->entry.destination))
			c->is_dropped = true;
	}
	return 0;
}

/* A denied folder that has grants inside has to be passed through (D7). One whose spelling leads
 * there by a link of the view may come to lie inside as well. */
static int mark_reopened(struct view *view, struct err **err)
{
	struct path_index destinations, sources;
	size_t i;
	int r = index_entries(view, candidate_is_grant, false, &destinations, err);

	if (r == 0)
		r = index_entries(view, candidate_is_grant, true, &sources, err);
	for (i = 0; i < view->count && r == 0; i++) {
		struct candidate *c = &view->items[i];

		if (candidate_is_denial(c) && c->entry.is_directory)
			c->entry.is_reopened =
				path_index_has_below(&destinations, c->entry.destination) ||
				path_index_has_below(&sources, c->entry.destination);
	}
	return r;
}

/* ---- order ---- */

static int compare_candidates(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;

	if (x->depth != y->depth)
		return x->depth < y->depth ? -1 : 1;
	if (x->entry.intent != y->entry.intent)
		return x->entry.intent > y->entry.intent ? -1 : 1;
	return (x->order > y->order) - (x->order < y->order);
}

static int sort_entries(struct view *view, struct err **err)
{
	struct policy_filesystem *fs = view->ret;
	size_t i, count = 0;

	for (i = 0; i < view->count; i++) {
		struct candidate *c = &view->items[i];

		c->depth = policy_depth(c->entry.destination);
		if (is_live(c))
			view->items[count++] = *c;
	}
	view->count = count;
	fs->entries = arena_array(view->arena, count, sizeof(*fs->entries));
	if (!fs->entries)
		return err_nomem(err);
	qsort(view->items, count, sizeof(*view->items), compare_candidates);
	for (i = 0; i < count; i++)
		fs->entries[i] = view->items[i].entry;
	fs->entry_count = count;
	return 0;
}

int view_arrange(struct view *view, struct err **err)
{
	struct path_index regions;
	int r = take_whole_root(view, err);

	if (r == 0)
		r = add_folders(view, err);
	if (r < 0)
		return r;
	decide_tmp(view);
	r = placed_check(view, err);
	if (r == 0)
		r = image_drop_covered(view, err);
	if (r == 0)
		r = index_regions(view, &regions, err);
	if (r == 0)
		r = hold_all_free(view, &regions, err);
	if (r == 0)
		r = extend_restrictions(view, &regions, err);
	if (r == 0)
		r = drop_superfluous(view, err);
	if (r == 0)
		r = mark_reopened(view, err);
	if (r == 0)
		r = view_pin(view, err);
	return r == 0 ? sort_entries(view, err) : r;
}

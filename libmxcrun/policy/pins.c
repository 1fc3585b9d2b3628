/* pins.c - the folders above what is restricted stay where they are.
 *
 * A mount on a thing holds for the object. Its name is another matter: in what is granted for writing a folder above it could be moved
 * away, and another with the same name put in its place. In this sandbox that changes nothing, but the next run restricts by
 * name, and would have the substitute. So each folder between what is restricted and the grant is bound on itself: the kernel
 * neither renames nor removes a mount point. Renames into and out of such a folder fail with EXDEV.
 */
#include <errno.h>
#include <string.h>

#include "base/path.h"
#include "policy/filesystem.h"
#include "policy/path_index.h"

#define POINTER "/filesystem"

struct pins {
	struct view *view;
	struct path_index seen; /* what is live, by destination */
	struct candidate *items;
	size_t count, capacity;
};

/* What this sandbox alone has is gone with it; what has no name of its own is found by its object again. */
static bool needs_pins(const struct candidate *c)
{
	return !c->is_dropped && c->exists && c->entry.intent != INTENT_READWRITE && !c->is_image && !c->is_inside &&
	       (!c->is_alias || c->entry.is_own);
}

static bool is_own_place(const struct view *view, const char *path, size_t len)
{
	static const char *const places[] = { "/tmp", "/dev", "/proc" };

	for (size_t i = 0; i < array_size(places); i++)
		if (strlen(places[i]) == len && !strncmp(path, places[i], len))
			return true;
	return placed_is_own(view, path, len);
}

/* Does it lie in a file system of the sandbox's own, which covers that part of the region? The region ends at the first end bytes. */
static bool is_of_the_sandbox(const struct view *view, const char *path, size_t end)
{
	for (size_t len = strlen(path); len > end; len = path_parent_len(path, len))
		if (is_own_place(view, path, len))
			return true;
	return false;
}

static int add(struct pins *pins, const struct candidate *held, const char *destination, const char *source, struct err **err)
{
	const struct host_object *folder = objects_held_folder(pins->view->objects, source);
	struct candidate *items;

	if (!folder)
		return err_set(err, E_INTERNAL, 0, POINTER, "'%.512s' was not looked up", source);
	items = arena_grow(pins->view->arena, pins->items, pins->count, &pins->capacity, sizeof(*items));
	if (!items)
		return err_nomem(err);
	pins->items = items;
	pins->items[pins->count++] = (struct candidate){
		.object = held->object,
		.exists = true,
		.is_alias = true,
		.entry = { .intent = INTENT_READWRITE, .requested = INTENT_READWRITE, .source = source, .destination = destination,
			   .dev = folder->dev, .ino = folder->ino, .is_directory = true, .is_own = true, .pointer = POINTER },
	};
	return 0;
}

/* Of the first len bytes of a destination: a pin for the folder, which the region shows. */
static int add_folder(struct pins *pins, const struct candidate *held, const char *destination, size_t len, const char *region,
		      const char *region_source, struct err **err)
{
	struct arena *arena = pins->view->arena;
	size_t region_len = region[1] ? strlen(region) : 0;
	char *folder = arena_strndup(arena, destination, len);
	char *source = folder ? arena_printf(arena, "%s%s", region_source[1] ? region_source : "", folder + region_len) : NULL;

	return source ? add(pins, held, folder, source, err) : err_nomem(err);
}

/* From what is held up to the region around it, by the folders that are really there: a link on the way is none. What the region
 * doesn't hold is only put there. 1: the region is one to go on from. */
static int pin_in_region(struct pins *pins, const struct candidate *held, const struct candidate *region, struct err **err)
{
	const char *around = region ? region->entry.destination : "/", *source = region ? region->entry.source : "/", *place;
	size_t end = strlen(around), len;
	int r = 0;

	if (!path_is_within(held->entry.source, source))
		return 0;
	place = arena_printf(pins->view->arena, "%s%s", around[1] ? around : "", path_below(held->entry.source, source[1] ? strlen(source) : 0));
	if (!place)
		return err_nomem(err);
	if (is_of_the_sandbox(pins->view, place, end))
		return 0;
	for (len = path_parent_len(place, strlen(place)); len > end && r == 0; len = path_parent_len(place, len)) {
		const struct place *other;

		if (!path_index_find(&pins->seen, place, len, &other))
			r = add_folder(pins, held, place, len, around, source, err);
	}
	return r < 0 ? r : region != NULL;
}

static const struct candidate *region_above(const struct pins *pins, const char *path, bool *ret_is_writable)
{
	size_t len = path_index_above(&pins->seen, path);
	const struct candidate *region = NULL;
	const struct place *place;

	if (len && path_index_find(&pins->seen, path, len, &place))
		region = &pins->view->items[place->item];
	*ret_is_writable = region ? region->entry.intent == INTENT_READWRITE :
				    pins->view->ret->whole_root == WHOLE_ROOT_READWRITE && !pins->view->ret->image;
	return region;
}

/* A region may lie in another one, in which the folders above it could be moved. */
static int pin_above(struct pins *pins, const struct candidate *held, struct err **err)
{
	int r = 1;

	while (r > 0) {
		bool is_writable;
		const struct candidate *region = region_above(pins, held->entry.destination, &is_writable);

		if (!is_writable)
			return 0;
		r = pin_in_region(pins, held, region, err);
		held = region;
	}
	return r;
}

/* Folders that lead to several things are bound once. */
static int append(struct pins *pins, struct err **err)
{
	struct view *view = pins->view;
	struct path_index index;

	if (!path_index_init(&index, view->arena, pins->count) || view_grow(view, pins->count, err) < 0)
		return err_nomem(err);
	for (size_t i = 0; i < pins->count; i++)
		path_index_add(&index, pins->items[i].entry.destination, i);
	path_index_sort(&index);
	for (size_t i = 0; i < index.count; i++) {
		if (i && !strcmp(index.places[i - 1].path, index.places[i].path))
			continue;
		view->items[view->count] = pins->items[index.places[i].item];
		view->items[view->count].order = view->count;
		view->count++;
	}
	return 0;
}

int view_pin(struct view *view, struct err **err)
{
	struct pins pins = { .view = view };
	size_t restrictions = 0;
	int r = 0;

	for (size_t i = 0; i < view->count; i++)
		restrictions += needs_pins(&view->items[i]);
	if (!restrictions)
		return 0;
	if (!path_index_init(&pins.seen, view->arena, view->count))
		return err_nomem(err);
	for (size_t i = 0; i < view->count; i++)
		if (!view->items[i].is_dropped)
			path_index_add(&pins.seen, view->items[i].entry.destination, i);
	path_index_sort(&pins.seen);
	for (size_t i = 0; i < view->count && r == 0; i++)
		if (needs_pins(&view->items[i]))
			r = pin_above(&pins, &view->items[i], err);
	return r == 0 && pins.count ? append(&pins, err) : r;
}

/* filesystem_own.c - what is the runtime's own, in a sandbox whose grants would show it (invariant 50).
 *
 * It is listed by nobody, and what is listed isn't changed: own_look_up() (lifecycle/) says what there is, and here it becomes
 * restrictions like those of other names. What is refused is a grant of the thing itself.
 *
 * A mount on the thing holds for the object. Its name is another matter: a folder above it could be moved away, and another
 * with the same name put in its place, for the next run to read. So each folder between it and the grant is bound on itself: the
 * kernel neither renames nor removes a mount point. Renames into and out of such a folder fail with EXDEV.
 */
#include "policy/filesystem.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/path.h"
#include "policy/path_index.h"

#define POINTER "/filesystem"

static int check_grants(const struct view *view, const struct host_own *own, struct err **err)
{
	for (size_t i = 0; i < view->count; i++) {
		const struct candidate *c = &view->items[i];

		if (c->is_image || c->is_alias || c->entry.intent == INTENT_DENIED || !c->object->canonical ||
		    (!own->is_denied && c->entry.intent != INTENT_READWRITE) ||
		    !path_is_within(c->object->canonical, own->object.canonical))
			continue;
		return err_set(err, E_POLICY, 0, c->entry.pointer, "'%.512s' is of %s, which no sandbox %s", c->object->path, own->words,
			       own->is_denied ? "sees" : "writes to");
	}
	return 0;
}

int own_check(const struct view *view, struct err **err)
{
	int r = 0;

	for (size_t i = 0; i < view->objects->own_count && r == 0; i++)
		r = check_grants(view, &view->objects->own[i], err);
	return r;
}

/* On the whole root of the host, too, a sandbox has these of its own. */
static bool is_of_the_sandbox(const char *path)
{
	return path_is_within(path, "/tmp") || path_is_within(path, "/dev") || path_is_within(path, "/proc");
}

static bool is_granted(const struct view *view, const char *path)
{
	for (size_t i = 0; i < view->count; i++) {
		const struct candidate *c = &view->items[i];

		if (candidate_is_grant(c) && path_is_within(path, c->entry.source) &&
		    (c->entry.source[1] || !is_of_the_sandbox(path)))
			return true;
	}
	return false;
}

/* As other names are: of interest only where a grant shows it. */
int own_add(struct view *view, struct err **err)
{
	const struct host_objects *objects = view->objects;
	int r = own_check(view, err); /* more of its names are known by now */

	if (r == 0)
		r = view_grow(view, objects->own_count, err);
	for (size_t i = 0; i < objects->own_count && r == 0; i++) {
		const struct host_own *own = &objects->own[i];
		enum policy_intent intent = own->is_denied ? INTENT_DENIED : INTENT_READONLY;

		if (!is_granted(view, own->object.canonical))
			continue;
		view->items[view->count] = (struct candidate){
			.object = &own->object,
			.exists = true,
			.is_alias = true,
			.order = view->count,
			.entry = { .intent = intent, .requested = intent, .source = own->object.canonical,
				   .destination = own->object.canonical, .dev = own->object.dev, .ino = own->object.ino,
				   .is_directory = S_ISDIR(own->object.mode), .is_own = true, .pointer = POINTER },
		};
		view->count++;
	}
	return r;
}

/* ---- the folders above ---- */

/* The last live entry at the place, or around it: what is seen there. NULL: the whole root, or nothing. */
static const struct candidate *seen_at(const struct view *view, const char *path, size_t len)
{
	const struct candidate *best = NULL;

	for (size_t i = 0; i < view->count; i++) {
		const struct candidate *c = &view->items[i];
		size_t own_len = strlen(c->entry.destination);

		if (!c->is_dropped && own_len <= len && strncmp(c->entry.destination, path, own_len) == 0 &&
		    (path[own_len] == '/' || own_len == len || own_len == 1) &&
		    (!best || own_len > strlen(best->entry.destination)))
			best = c;
	}
	return best;
}

static bool is_writable_at(const struct view *view, const struct candidate *seen)
{
	return seen ? seen->entry.intent == INTENT_READWRITE : view->ret->whole_root == WHOLE_ROOT_READWRITE;
}

static size_t count_pins(const struct view *view)
{
	size_t count = 0;

	for (size_t i = 0; i < view->count; i++)
		if (view->items[i].entry.is_own && !view->items[i].is_dropped)
			count += policy_depth(view->items[i].entry.destination);
	return count;
}

/* From the thing up to the entry that shows it. Two of them may have folders in common: the second finds those pinned. */
static int pin_above(struct view *view, const struct candidate *own, struct err **err)
{
	const char *destination = own->entry.destination, *source = own->entry.source;
	size_t len = path_parent_len(destination, strlen(destination));
	size_t source_len = path_parent_len(source, strlen(source));
	struct policy_entry pin = own->entry;

	pin.intent = pin.requested = INTENT_READWRITE;
	pin.is_directory = true;
	for (; len > 1 && source_len > 1; len = path_parent_len(destination, len), source_len = path_parent_len(source, source_len)) {
		const struct candidate *seen = seen_at(view, destination, len);
		const struct host_object *folder;

		if (!is_writable_at(view, seen) || (seen && strlen(seen->entry.destination) == len))
			return 0;
		pin.destination = arena_strndup(view->arena, destination, len);
		pin.source = arena_strndup(view->arena, source, source_len);
		if (!pin.destination || !pin.source)
			return err_nomem(err);
		folder = own_folder(view->objects, pin.source);
		if (!folder)
			return err_set(err, E_INTERNAL, 0, POINTER, "'%.512s' was not looked up", pin.source);
		pin.dev = folder->dev;
		pin.ino = folder->ino;
		view->items[view->count] = (struct candidate){
			.object = own->object, .exists = true, .is_alias = true, .order = view->count, .entry = pin
		};
		view->count++;
	}
	return 0;
}

int own_pin(struct view *view, struct err **err)
{
	size_t before = view->count;
	int r = view_grow(view, count_pins(view), err);

	for (size_t i = 0; i < before && r == 0; i++)
		if (view->items[i].entry.is_own && !view->items[i].is_dropped)
			r = pin_above(view, &view->items[i], err);
	return r;
}

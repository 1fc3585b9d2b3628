/* filesystem_own.c - what is the runtime's own, in a sandbox whose grants would show it (invariant 50).
 *
 * It is listed by nobody, and what is listed isn't changed: own_look_up() (lifecycle/) says what there is, and here it becomes
 * restrictions like those of other names. What is refused is a grant of the thing itself.
 * The folders above it are held as those above any restriction are (pins.c).
 */
#include "policy/filesystem.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/path.h"

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

/* Names that the search finds stand behind those that were known before it, and the grants don't change. */
int own_check(struct view *view, struct err **err)
{
	while (view->own_checked < view->objects->own_count) {
		int r = check_grants(view, &view->objects->own[view->own_checked], err);

		if (r < 0)
			return r;
		view->own_checked++;
	}
	return 0;
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
	int r = own_check(view, err);

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

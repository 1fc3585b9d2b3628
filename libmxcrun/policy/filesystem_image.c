/* filesystem_image.c - the path lists where the root is an image: what they mean inside it.
 *
 * Grants are of the host, as everywhere. A denied path names two things: an object of the host, which a grant may show, and one
 * of the image. So each is looked up twice, and its place in the image gets a candidate of its own. The image as a whole is a
 * grant of its directory at "/": whatever else is denied of the host is denied in it as well, by whatever name it is there.
 * It is not written to: what the sandbox writes lies above it and goes with the sandbox.
 */
#include "policy/filesystem.h"

#include <string.h>
#include <unistd.h>

#include "base/path.h"
#include "policy/path_index.h"
#include "policy/resolve.h"

#define POINTER "/lxc"

int policy_image_name(const struct mxc_config *config, struct image_name *ret, struct err **err)
{
	const struct mxc_lxc *lxc = config->lxc;

	if (!lxc || !lxc->distribution || !*lxc->distribution || !lxc->release || !*lxc->release)
		return err_set(err, E_POLICY, 0, POINTER, "LXC distribution and release are required");
	*ret = (struct image_name){ lxc->distribution, lxc->release };
	return image_check_name(ret, POINTER, err);
}

size_t image_request_count(const struct host_image *image)
{
	return image ? 1 + image->denied_count : 0;
}

int image_requests(struct arena *arena, const struct host_image *image, struct object_request *requests, struct err **err)
{
	requests[0] = (struct object_request){ .path = image->path, .access = R_OK };
	for (size_t i = 0; i < image->denied_count; i++) {
		char *path = arena_printf(arena, "%s%s", image->path, image->denied[i].error ? "" : image->denied[i].inside);

		if (!path)
			return err_nomem(err);
		requests[1 + i] = (struct object_request){ .path = path, .access = F_OK };
	}
	return 0;
}

static struct candidate *next_candidate(struct view *view)
{
	struct candidate *c = &view->items[view->count];

	c->object = &view->objects->items[view->count];
	c->order = view->count++;
	c->exists = !c->object->error;
	return c;
}

static int collect_denied(struct view *view, size_t index, const struct candidate *listed, struct err **err)
{
	const struct image_path *path = &view->objects->image->denied[index];
	struct candidate *c = next_candidate(view);

	c->is_inside = true;
	c->is_file = listed->is_file;
	c->entry.intent = INTENT_DENIED;
	c->entry.pointer = listed->entry.pointer;
	c->entry.destination = path->inside;
	if (path->error)
		return err_set(err, E_POLICY, path->error, listed->entry.pointer,
			       "filesystem path '%.512s' can't be resolved in the image, so nothing can be said of what is behind it",
			       listed->object->path);
	if (!path->inside[1])
		return err_set(err, E_POLICY, 0, listed->entry.pointer,
			       "filesystem path '%.512s' is denied, and leads to the image's root: that leaves nothing that could run",
			       listed->object->path);
	return 0;
}

int image_collect(struct view *view, size_t first_denied, struct err **err)
{
	const struct host_image *image = view->objects->image;
	struct candidate *c;
	int r = 0;

	if (!image)
		return 0;
	c = next_candidate(view);
	c->is_image = true;
	c->entry.intent = INTENT_READWRITE;
	c->entry.pointer = POINTER;
	for (size_t i = 0; i < image->denied_count && r == 0; i++)
		r = collect_denied(view, i, &view->items[first_denied + i], err);
	return r;
}

int image_check(const struct view *view, struct err **err)
{
	for (size_t i = 0; i < view->count; i++) {
		const struct candidate *c = &view->items[i];

		if (c->is_image && view->objects->image && c->entry.intent != INTENT_READWRITE)
			return err_set(err, E_POLICY, 0, POINTER, "the image's directory, '%.512s', is listed itself",
				       view->objects->image->path);
		if (view->objects->image && !c->is_image && candidate_is_grant(c) && !c->object->canonical[1])
			return err_set(err, E_POLICY, 0, c->entry.pointer,
				       "filesystem path '%.512s' is the host's root, and the sandbox's is an image",
				       c->object->path);
	}
	return 0;
}

/* The sandbox's own: no part of the image is ever seen there. */
static bool is_own(const char *path)
{
	return path_is_within(path, "/proc") || path_is_within(path, "/dev");
}

void image_place(const struct view *view, struct candidate *c)
{
	if (!view->objects->image)
		return;
	if (c->is_image)
		c->entry.destination = "/";
	else if (c->is_inside)
		c->is_dropped = is_own(c->entry.destination);
	else if (c->entry.intent == INTENT_DENIED && !is_own(c->entry.source))
		/* of interest only where a grant shows it, as another name is */
		c->is_alias = true;
}

/* Above a grant nothing of the image is seen. */
int image_drop_covered(struct view *view, struct err **err)
{
	struct path_index grants;
	const struct place *place;

	if (!view->objects->image)
		return 0;
	if (!path_index_init(&grants, view->arena, view->count))
		return err_nomem(err);
	for (size_t i = 0; i < view->count; i++)
		if (candidate_is_grant(&view->items[i]) && !view->items[i].is_image)
			path_index_add(&grants, view->items[i].entry.destination, i);
	path_index_sort(&grants);
	for (size_t i = 0; i < view->count; i++) {
		const char *path = view->items[i].entry.destination;

		for (size_t len = strlen(path); view->items[i].is_inside && len; len = path_parent_len(path, len))
			view->items[i].is_dropped |= path_index_find(&grants, path, len, &place) > 0;
	}
	return 0;
}

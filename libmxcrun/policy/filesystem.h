/* filesystem.h - the steps from the three path lists to the sandbox's tree; for the files of this
 * floor.
 *
 * filesystem.c turns the lists into candidates and refuses what may not be granted; filesystem_image.c has what
 * an image as the root changes; view.c arranges the candidates. */
#ifndef MXCRUN_POLICY_FILESYSTEM_H
#define MXCRUN_POLICY_FILESYSTEM_H

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "config/mxc.h"
#include "host/objects.h"
#include "policy/decisions.h"

/* One listed path on its way to becoming an entry, or one that follows from others. */
struct candidate {
	struct policy_entry entry;
	const struct host_object *object;
	bool exists;
	bool is_file;  /* denied, and said to be one */
	bool is_alias; /* nobody listed it: another name of what somebody did */
	bool is_image;	/* the root's own directory on the host */
	bool is_inside; /* denied, as a place in the image */
	const char *bound_at; /* granted by a custom bind, at this place; NULL: by a list, at its own */
	bool is_dropped;
	unsigned int depth; /* number of components of the destination */
	size_t order;	    /* among those of equal depth and intent */
};

struct view {
	struct arena *arena;
	const struct host_objects *objects;
	const struct log *log;
	size_t own_checked; /* names of what is the runtime's own that no candidate grants */
	struct candidate *items;
	size_t count, capacity;
	struct policy_filesystem *ret;
};

/* Steps 16 to 18 of MXC.md 2.5: all that is refused without a look at the objects' other names. */
int policy_filesystem_check(struct view *view, const struct mxc_config *config, struct err **err);

/* The rest, and the order of 6.4. */
int policy_filesystem(struct view *view, struct err **err);

/* filesystem_image.c; without an image they do nothing. The root's own candidate is behind the listed ones, then one for each
 * denied path. */
size_t image_request_count(const struct host_image *image);
int image_requests(struct arena *arena, const struct host_image *image, struct object_request *requests, struct err **err);
int image_collect(struct view *view, size_t first_denied, struct err **err);
int image_check(const struct view *view, struct err **err);
void image_place(const struct view *view, struct candidate *c);
int image_drop_covered(struct view *view, struct err **err);

/* placed.c: custom binds, file systems and links of the sandbox's own. The objects of the binds come before the listed ones,
 * those of places behind all others. */
size_t placed_bind_count(const struct mxc_config *config);
size_t placed_count(const struct mxc_config *config);
void placed_request_binds(const struct mxc_config *config, struct object_request *requests);
int placed_request_places(struct arena *arena, const struct mxc_config *config, struct object_request *requests,
			  struct err **err);
int placed_collect(struct view *view, const struct mxc_config *config, struct err **err);
/* What the lists say of a bind's source holds for the bind. */
int placed_tighten(struct view *view, struct err **err);
/* All regions are known. */
int placed_check(const struct view *view, struct err **err);
bool placed_is_own(const struct view *view, const char *path, size_t len);

/* filesystem_own.c: what is the runtime's own is not granted itself, by any name that is known by now; all are, and restrictions of it
 * come behind the candidates. */
int own_check(struct view *view, struct err **err);
int own_add(struct view *view, struct err **err);

/* pins.c: where all is arranged, what keeps the folders above what is restricted in their places. */
int view_pin(struct view *view, struct err **err);

/* Room for so many more candidates; pointers to those there are become invalid. */
int view_grow(struct view *view, size_t more, struct err **err);

/* view.c: destinations are set, forbidden grants are gone; fills view->ret. */
int view_arrange(struct view *view, struct err **err);

/* Is the object one of the device nodes that every sandbox has? */
bool policy_is_own_device(const char *path);

static inline bool candidate_is_grant(const struct candidate *candidate)
{
	return !candidate->is_dropped && !candidate->is_alias &&
	       candidate->entry.intent != INTENT_DENIED;
}

static inline bool candidate_is_denial(const struct candidate *candidate)
{
	return !candidate->is_dropped && candidate->entry.intent == INTENT_DENIED;
}

#endif

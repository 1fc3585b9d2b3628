/* images.h - filling the store of images, and emptying it. host/images.h has the layout, and finds what is there.
 *
 * One store at a time is changed by one command at a time, which holds a lock on STORE/.lock. An image appears whole, by rename; what
 * a killed import left lies in STORE/.work and goes with the next change or with gc.
 */
#ifndef MXCRUN_LIFECYCLE_IMAGES_H
#define MXCRUN_LIFECYCLE_IMAGES_H

#include <stdbool.h>

#include "base/err.h"
#include "base/mem.h"
#include "host/images.h"

/* What is asked of an image server; each member but the first may be NULL. */
struct image_download {
	bool is_asked;
	const char *server, *variant;
	const char *sha256;	/* of the tarball, in hexadecimal */
};

/* What came from there. */
struct image_origin {
	const char *server, *build, *sha256;
};

/* Copy a directory, or unpack a tarball (whatever tar(1) reads), into the caller's store; with source NULL it is downloaded, and
 * origin tells what it was. Device nodes are left out and set-id bits taken off. E_USAGE for what is no root file system,
 * E_EXISTS for an image that is there already. */
int images_import(struct arena *arena, const struct host_facts *facts, const struct image_name *name, const char *source,
		  const struct image_download *from, struct image_origin *origin, struct err **err);

/* E_NOT_FOUND; E_STATE while a sandbox uses it. */
int images_remove(struct arena *arena, const struct host_facts *facts, const struct image_name *name, struct err **err);

struct image_listed {
	const char *distribution, *release, *architecture;
	const char *path; /* of its root */
};

/* The caller's store, sorted. No store is an empty one. */
int images_list(struct arena *arena, const struct host_facts *facts, struct image_listed **ret, size_t *ret_count,
		struct err **err);

/* Remove what a killed import or removal left, unless another one is at work; *ret_swept says whether there was something. */
int images_sweep(struct arena *arena, const struct host_facts *facts, bool *ret_swept, struct err **err);

/* Keep the image from being removed as long as the descriptor is open; path is its root's. The descriptor, or -errno. */
int image_hold(const char *path, struct err **err);

#endif

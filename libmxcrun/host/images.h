/* images.h - root file systems by distribution and release, from a store on this machine.
 *
 * An image is the directory STORE/DISTRIBUTION/RELEASE/ARCHITECTURE/rootfs. The caller's own store is looked into first, then
 * the machine's; nothing is ever fetched. Reads only: lifecycle/images.c fills a store.
 */
#ifndef MXCRUN_HOST_IMAGES_H
#define MXCRUN_HOST_IMAGES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/mem.h"
#include "host/facts.h"

#define IMAGE_ROOT "rootfs" /* in the image's directory */

struct image_name {
	const char *distribution, *release;
};

/* Both become directories of the store: letters, digits, '.', '_' and '-', a letter or digit first, at most 64. pointer is of
 * the object that has them as members (NULL: a command line). E_POLICY. */
int image_check_name(const struct image_name *name, const char *pointer, struct err **err);

/* This machine's, as Debian and LXC call it: "amd64", "arm64"; others by uname(2)'s word. Static storage. */
const char *image_architecture(void);

/* $MXCRUN_IMAGES; else for root /var/lib/mxcrun/images, for others $XDG_DATA_HOME/mxcrun/images or that below
 * ~/.local/share. E_HOST when a user has none of these. */
int image_store(struct arena *arena, const struct host_facts *facts, const char **ret, struct err **err);

/* A path that a policy denies, where the image has it. */
struct image_path {
	const char *inside; /* from the image's root, every symlink followed; what is absent as far as it exists */
	int error;	    /* 0: it exists or is absent; else why that can't be said */
};

struct host_image {
	const char *path; /* of the root directory, on the host, every symlink followed */
	struct image_path *denied;
	size_t denied_count;
};

/* The directory that $MXCRUN_ROOTFS names if that is set, else the image; with the denied paths (as written) looked up in it.
 * E_HOST with the remedy when there is no such image. All in the arena. */
int image_look_up(struct arena *arena, const struct host_facts *facts, const struct image_name *name, const char *const *denied,
		  size_t denied_count, const struct host_image **ret, struct err **err);

#endif

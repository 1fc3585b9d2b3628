/* images_download.h - a tarball of a distribution's release from an image server, by LXC's own download template. */
#ifndef MXCRUN_LIFECYCLE_IMAGES_DOWNLOAD_H
#define MXCRUN_LIFECYCLE_IMAGES_DOWNLOAD_H

#include "lifecycle/images.h"

/* Everything lies in folder, which must not exist. held_fd: the store's lock. *ret is the tarball's path in it; origin gets
 * what it is, in the arena. E_USAGE for a server or a variant that can't be one, E_HOST with what to install without the
 * template, or with what it says; E_POLICY when the tarball is another one than the caller wants. */
int images_download(struct arena *arena, const struct image_name *name, const struct image_download *from, const char *folder,
		    int held_fd, const char **ret, struct image_origin *origin, struct err **err);

#endif

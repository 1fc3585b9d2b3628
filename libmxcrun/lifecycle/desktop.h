/* desktop.h - /ui/disable: no display, no clipboard, no session bus. */
#ifndef MXCRUN_LIFECYCLE_DESKTOP_H
#define MXCRUN_LIFECYCLE_DESKTOP_H

#include "base/err.h"
#include "config/mxc.h"

/* The configuration with the desktop's sockets among its denied paths, as far as it grants something that holds them; itself
 * when it doesn't ask for that. E_POLICY: it grants one of them by name. 0 or -errno. */
int desktop_deny(struct arena *arena, const struct mxc_config *config, const struct mxc_config **ret, struct err **err);

#endif

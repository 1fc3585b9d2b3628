/* own.h - denials that no document names. */
#ifndef MXCRUN_LIFECYCLE_OWN_H
#define MXCRUN_LIFECYCLE_OWN_H

#include "base/err.h"
#include "config/mxc.h"
#include "host/objects.h"

/* A copy of the configuration with these paths behind its denied ones. 0 or -ENOMEM. */
int own_deny(struct arena *arena, const struct mxc_config *config, const char *const *paths, size_t count,
	     const struct mxc_config **ret, struct err **err);

/* The records of all sandboxes and containers lie in the folder `state`, which has to be canonical: who writes them has the
 * runtime kill, unmount and delete what he likes. 1 with the configuration that denies it when something that the
 * configuration lists holds it, 0: nothing does. E_POLICY: something in there is listed. */
int own_state_deny(struct arena *arena, const struct mxc_config *config, const char *state, const struct host_objects *objects,
		   const struct mxc_config **ret, struct err **err);

#endif

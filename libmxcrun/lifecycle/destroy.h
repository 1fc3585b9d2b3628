/* destroy.h - the end of a container, the same for delete, gc, the supervisors and failed
 * creations; and the hooks of the runtime's namespace that are run from a record. */
#ifndef MXCRUN_LIFECYCLE_DESTROY_H
#define MXCRUN_LIFECYCLE_DESTROY_H

#include "lifecycle/lifecycle.h"

/* Kill what lives, remove what was made, run the poststop hooks (their failures are warnings), free
 * the id. The caller has the lock. The record may be empty. On failure the entry stays, to be tried
 * again. */
int destroy_entry(const struct lifecycle *lc, struct entry *entry, const struct record *record,
		  struct err **err);

/* The same where a failure can't change the outcome any more: it is a warning, and the rest is
 * gc's. */
void destroy_or_defer(const struct lifecycle *lc, struct entry *entry, const struct record *record);

/* Run the poststart hooks. A failing one stops the container, as the specification demands; its
 * entry stays for `delete`. */
int poststart(const struct lifecycle *lc, const struct entry *entry, const struct record *record,
	      struct err **err);

#endif

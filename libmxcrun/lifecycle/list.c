/* list.c - every container of the state directory, one at a time: descriptors and memory of one
 * are given back before the next is opened. */

#include "lifecycle/lifecycle.h"

static void warn_unreadable(const struct log *log, const char *id, const struct err *failure)
{
	cleanup_free char *text = NULL;

	/* It went away between the listing and the look. */
	if (err_root_code(failure) == E_NOT_FOUND)
		return;
	text = err_format(failure);
	log_warning(log, "%s: %s", id, text ? text : "out of memory");
}

int lifecycle_list(const struct lifecycle *lc,
		   int (*visit)(void *data, const struct container *container, struct err **err),
		   void *data, struct err **err)
{
	cleanup_store_ids struct store_ids ids = { 0 };
	int r = store_ids(lc->store, &ids, err);

	for (size_t i = 0; r == 0 && i < ids.count; i++) {
		cleanup_container struct container container = CONTAINER_INIT;
		cleanup_err struct err *failure = NULL;

		if (container_open(lc, ids.items[i], STORE_UNLOCKED, &container, &failure) < 0)
			warn_unreadable(lc->log, ids.items[i], failure);
		else
			r = visit(data, &container, err);
	}
	return r;
}

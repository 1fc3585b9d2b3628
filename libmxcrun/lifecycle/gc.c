/* gc.c - reclaim what crashes have left behind.
 *
 * Whoever works on an entry, or supervises it, holds its lock, and a crash frees the lock: so a
 * free lock on an unfinished entry, or on a sandbox, means that nobody will ever come back for it.
 * Containers of the OCI life cycle belong to their engines in every finished state and are left
 * alone, but for one that runs on without the watcher of its time limit, which is ended.
 */

#include "lifecycle/lifecycle.h"

#include <errno.h>

#include "lifecycle/destroy.h"
#include "lifecycle/provisioned.h"

static int hold_to_limit(const struct lifecycle *lc, const struct entry *entry, const struct record *record, struct err **err)
{
	enum container_status status = container_status(entry, record, true);

	return container_hold_to_limit(lc, entry, record, true, &status, err);
}

/* 1: reclaimed or ended, 0: nothing to do, -errno: has to wait. */
static int collect(const struct lifecycle *lc, const char *id, struct err **err)
{
	cleanup_entry struct entry entry = ENTRY_INIT;
	cleanup_record struct record record = RECORD_INIT;
	cleanup_err struct err *failure = NULL;
	int r = store_get(lc->store, id, STORE_LOCK_TRY, &entry, &failure);

	if (r == -EWOULDBLOCK || r == -ENOENT)
		return 0;
	if (r < 0) {
		if (err)
			*err = take_ptr(failure);
		return r;
	}
	if (record_read(&entry, &record, NULL) == 0 && record.is_complete && !record.is_sandbox)
		return hold_to_limit(lc, &entry, &record, err);
	r = destroy_entry(lc, &entry, &record, err);
	return r < 0 ? r : 1;
}

int lifecycle_gc(const struct lifecycle *lc,
		 void (*report)(void *data, const char *id, const struct err *reason), void *data,
		 struct err **err)
{
	cleanup_store_ids struct store_ids ids = { 0 };
	int deferred = 0, r = store_ids(lc->store, &ids, err);

	if (r < 0)
		return r;
	provisioned_sweep(lc->store);
	for (size_t i = 0; i < ids.count; i++) {
		cleanup_err struct err *reason = NULL;

		r = collect(lc, ids.items[i], &reason);
		if (r != 0)
			report(data, ids.items[i], reason);
		deferred += r < 0;
	}
	return deferred;
}

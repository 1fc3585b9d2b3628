/* delete.c - remove a container that has ended, or with force any container at all.
 *
 * A container that some supervisor holds the lock of (run in the foreground) is ended from outside:
 * the supervisor sees its process die and removes everything itself; we wait for the lock and find
 * either nothing or what a dead supervisor left.
 */

#include "lifecycle/lifecycle.h"

#include <errno.h>

#include "lifecycle/destroy.h"
#include "lifecycle/reclaim.h"

/* The lock's holder is at work on the container, or watches it. */
static int end_under_holder(const struct lifecycle *lc, const struct entry *entry, struct err **err)
{
	cleanup_record struct record record = RECORD_INIT;
	cleanup_remains struct remains remains = { 0 };
	int r;

	record_read(entry, &record, NULL); /* a broken one leaves the journal to go by */
	r = remains_find(entry, &record, lc->log, &remains, err);
	if (r == 0)
		r = remains_kill(&remains, err);
	return r < 0 ? r : entry_lock(lc->store, entry, STORE_LOCK_WAIT, err);
}

/* Without force: only what has ended may go, and, as runc does it, what never ran. */
static int check_may_go(const struct entry *entry, const struct record *record, bool is_locked,
			struct err **err)
{
	enum container_status status = container_status(entry, record, is_locked);

	if (status == CONTAINER_STOPPED || status == CONTAINER_CREATED)
		return 0;
	err_set(err, E_STATE, 0, NULL, "cannot delete container %s that is not stopped: %s",
		entry->id, container_status_name(status));
	err_hint(err, "`delete --force` kills it first");
	return -EBUSY;
}

/* A supervisor whose container has just ended is about to remove it: that is waited for. */
static int wait_for_holder(const struct lifecycle *lc, const struct entry *entry, struct err **err)
{
	cleanup_record struct record record = RECORD_INIT;
	int r = record_read(entry, &record, err);

	if (r == 0)
		r = check_may_go(entry, &record, false, err);
	return r < 0 ? r : entry_lock(lc->store, entry, STORE_LOCK_WAIT, err);
}

/* Get the entry and its lock. */
static int take_over(const struct lifecycle *lc, const char *id, bool is_forced,
		     struct entry *entry, struct err **err)
{
	cleanup_err struct err *held = NULL;
	int r = store_get(lc->store, id, STORE_UNLOCKED, entry, err);

	if (r < 0)
		return r;
	r = entry_lock(lc->store, entry, STORE_LOCK_TRY, &held);
	if (r == -EWOULDBLOCK)
		return is_forced ? end_under_holder(lc, entry, err)
				 : wait_for_holder(lc, entry, err);
	if (r < 0 && err)
		*err = take_ptr(held);
	return r;
}

static int delete_entry(const struct lifecycle *lc, const char *id, bool is_forced,
			struct err **err)
{
	cleanup_entry struct entry entry = ENTRY_INIT;
	cleanup_record struct record record = RECORD_INIT;
	int r = take_over(lc, id, is_forced, &entry, err);

	if (r < 0)
		return r;
	if (is_forced) {
		record_read(&entry, &record, NULL); /* broken: the journal has to do */
	} else {
		r = record_read(&entry, &record, err);
		if (r == 0)
			r = check_may_go(&entry, &record, true, err);
		if (r < 0)
			return r;
	}
	return destroy_entry(lc, &entry, &record, err);
}

int lifecycle_delete(const struct lifecycle *lc, const char *id, bool is_forced, struct err **err)
{
	cleanup_err struct err *failure = NULL;
	int r = delete_entry(lc, id, is_forced, &failure);

	/* Absent is what force wants; a supervisor may also have been faster than we. */
	if (r == 0 || (is_forced && err_root_code(failure) == E_NOT_FOUND))
		return 0;
	if (err)
		*err = take_ptr(failure);
	return r;
}

int lifecycle_delete_existing(const struct lifecycle *lc, const char *id, struct err **err)
{
	return delete_entry(lc, id, true, err);
}

/* destroy.c - take a container away, whatever state it is in.
 *
 * Order: processes and cgroups by the journal; when the journal can't tell, by what the record
 * says; then the poststop hooks, which the specification wants after the container is gone; the
 * entry last, since it is what a second attempt starts from. Every step may be repeated.
 */

#include "lifecycle/destroy.h"

#include "engine/engine.h"
#include "lifecycle/reclaim.h"

static int run_hooks(const struct plan_hooks *hooks, const char *kind, const struct record *record,
		     enum container_status status, struct err **err)
{
	cleanup_free char *state = NULL;

	if (hooks->count == 0)
		return 0;
	state = state_for_hook(record, container_status_name(status),
			       status == CONTAINER_STOPPED ? 0 : record->pid);
	if (!state)
		return err_nomem(err);
	return hooks_run_outside(hooks, kind, state, record->bundle, err);
}

static void warn(const struct log *log, const char *what, const char *id, const struct err *failure)
{
	cleanup_free char *text = err_format(failure);

	log_warning(log, "%s of %s: %s", what, id, text ? text : "out of memory");
}

/* Each hook on its own: a failure must not keep the ones after it from cleaning up. */
static void poststop(const struct lifecycle *lc, const struct record *record)
{
	for (size_t i = 0; i < record->poststop.count; i++) {
		struct plan_hooks one = { .items = &record->poststop.items[i], .count = 1 };
		cleanup_err struct err *failure = NULL;

		if (run_hooks(&one, "poststop", record, CONTAINER_STOPPED, &failure) < 0)
			warn(lc->log, "poststop hook", record->id, failure);
	}
}

/* 1: it had a process, 0: its creation never got that far, -errno. */
static int end_remains(const struct lifecycle *lc, const struct entry *entry,
		       const struct record *record, struct err **err)
{
	cleanup_remains struct remains remains = { 0 };
	int r = remains_find(entry, record, lc->log, &remains, err);

	if (r == 0)
		r = remains_reclaim(&remains, entry->id, err);
	return r < 0 ? r : remains.process_count > 0;
}

int destroy_entry(const struct lifecycle *lc, struct entry *entry, const struct record *record,
		  struct err **err)
{
	int r = end_remains(lc, entry, record, err);

	if (r < 0)
		return r;
	/* Without a process no other hook has run, so there is nothing to undo. */
	if (r > 0)
		poststop(lc, record);
	return store_remove(lc->store, entry, err);
}

void destroy_or_defer(const struct lifecycle *lc, struct entry *entry, const struct record *record)
{
	cleanup_err struct err *failure = NULL;

	if (destroy_entry(lc, entry, record, &failure) < 0)
		warn(lc->log, "deferred to gc: removal", entry->id, failure);
}

int poststart(const struct lifecycle *lc, const struct entry *entry, const struct record *record,
	      struct err **err)
{
	cleanup_err struct err *failure = NULL;
	int r = run_hooks(&record->poststart, "poststart", record, CONTAINER_RUNNING, err);

	if (r < 0 && end_remains(lc, entry, record, &failure) < 0)
		warn(lc->log, "stopping", record->id, failure);
	return r;
}

/* state.c - what a container is doing now, according to the kernel.
 *
 * The record says which process is meant (pid and start time); whether it lives, whether it waits
 * for its start (init has the start FIFO open) and whether it is frozen are questions to the
 * kernel, so that no crash can leave a status behind that is not true.
 */

#include "lifecycle/lifecycle.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/fd.h"
#include "lifecycle/limit.h"
#include "lifecycle/process.h"

const char *container_status_name(enum container_status status)
{
	static const char *const names[CONTAINER_STATUS_MAX] = {
		[CONTAINER_CREATING] = "creating", [CONTAINER_CREATED] = "created",
		[CONTAINER_RUNNING] = "running",   [CONTAINER_PAUSED] = "paused",
		[CONTAINER_STOPPED] = "stopped",
	};

	return names[status];
}

void container_done(struct container *container)
{
	entry_close(&container->entry);
	record_done(&container->record);
	container->pid = 0;
}

static bool waits_for_start(const struct entry *entry)
{
	cleanup_close int fifo_fd = openat(entry->dir_fd, STORE_START_FIFO,
					   O_WRONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);

	return fifo_fd >= 0;
}

enum container_status container_status(const struct entry *entry, const struct record *record,
				       bool is_locked)
{
	/* The creator keeps the lock: without it nobody is at work, and init ends with its creator.
	 */
	if (!record->is_complete && !is_locked && entry_is_locked(entry))
		return CONTAINER_CREATING;
	if (!record->is_complete || !process_lives(record->pid, record->start_ticks))
		return CONTAINER_STOPPED;
	if (record->cgroup.count > 0 && cgroup_is_frozen(&record->cgroup))
		return CONTAINER_PAUSED;
	return waits_for_start(entry) ? CONTAINER_CREATED : CONTAINER_RUNNING;
}

int container_hold_to_limit(const struct lifecycle *lc, const struct entry *entry, const struct record *record, bool is_locked,
			    enum container_status *status, struct err **err)
{
	int r;

	/* One that was paused before its start has no time to keep yet. */
	if (!record->timeout_ms || waits_for_start(entry))
		return 0;
	r = limit_enforce(lc, entry, record, is_locked, *status, err);
	if (r > 0)
		*status = container_status(entry, record, is_locked);
	return r;
}

/* A creator that is still at work has not finished its record; any other cause is damage. */
static int read_record(const struct entry *entry, enum store_lock lock, struct record *ret,
		       struct err **err)
{
	cleanup_err struct err *failure = NULL;
	int r = record_read(entry, ret, &failure);

	if (r == 0)
		return 0;
	if (lock == STORE_UNLOCKED && entry_is_locked(entry))
		return err_set(err, E_NOT_FOUND, 0, NULL,
			       "container does not exist: %s is being made or removed", entry->id);
	if (r == -ENOENT) {
		err_set(err, E_NOT_FOUND, 0, NULL,
			"container does not exist: the creation of %s broke off early", entry->id);
		err_hint(err, "`gc` clears what is left of it");
		return r;
	}
	if (err)
		*err = take_ptr(failure);
	return r;
}

static int look_at(const struct lifecycle *lc, const char *id, enum store_lock lock,
		   struct container *container, struct err **err)
{
	int r = store_get(lc->store, id, lock, &container->entry, err);

	if (r == 0)
		r = read_record(&container->entry, lock, &container->record, err);
	if (r < 0)
		return r;
	container->status =
		container_status(&container->entry, &container->record, lock != STORE_UNLOCKED);
	r = container_hold_to_limit(lc, &container->entry, &container->record, lock != STORE_UNLOCKED, &container->status, err);
	if (r < 0)
		return r;
	if (container->status != CONTAINER_STOPPED && container->record.pid > 0)
		container->pid = container->record.pid;
	return 0;
}

int container_open(const struct lifecycle *lc, const char *id, enum store_lock lock,
		   struct container *ret, struct err **err)
{
	int r = look_at(lc, id, lock, ret, err);

	if (r < 0)
		container_done(ret);
	return r;
}

void state_put(struct json_writer *w, const struct record *record, const char *status, pid_t pid,
	       enum state_form form)
{
	json_put_string(w, "ociVersion", record->oci_version);
	json_put_string(w, "id", record->id);
	json_put_i64(w, "pid", pid);
	json_put_string(w, "status", status);
	json_put_string(w, "bundle", record->bundle);
	if (form == STATE_FOR_USER) {
		json_put_string(w, "rootfs", record->rootfs);
		json_put_string(w, "created", record->created);
	}
	if (record->annotation_count > 0) {
		json_open(w, "annotations", '{');
		for (size_t i = 0; i < record->annotation_count; i++)
			json_put_string(w, record->annotations[i].key,
					record->annotations[i].value);
		json_close(w, '}');
	}
}

char *state_for_hook(const struct record *record, const char *status, pid_t pid)
{
	cleanup_json_writer struct json_writer w = JSON_WRITER_INIT;

	w.compact = true;
	json_open(&w, NULL, '{');
	state_put(&w, record, status, pid, STATE_FOR_HOOK);
	json_close(&w, '}');
	return strbuf_take(&w.out);
}

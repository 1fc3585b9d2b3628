/* events.c - what a container uses, once or again and again, and its out-of-memory kills as they happen. */

#include "lifecycle/lifecycle.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

#include "base/fd.h"
#include "base/pid.h"
#include "cgroup/stats.h"

#define KILL_ROUNDS 20
#define KILL_ROUND_MS 10

struct watch {
	const struct record *record;
	int pidfd, oom_fd;
	uint64_t oom_kills; /* reported so far */
	int (*emit)(void *data, const char *event, struct err **err);
	void *data;
};

static void watch_done(struct watch *watch)
{
	fd_close_ptr(&watch->pidfd);
	fd_close_ptr(&watch->oom_fd);
}

static int emit_event(const struct watch *watch, const char *type, struct err **err)
{
	cleanup_json_writer struct json_writer w = JSON_WRITER_INIT;

	w.compact = true;
	json_open(&w, NULL, '{');
	json_put_string(&w, "type", type);
	json_put_string(&w, "id", watch->record->id);
	if (!strcmp(type, "stats")) {
		json_open(&w, "data", '{');
		cgroup_put_stats(&watch->record->cgroup, &w);
		json_close(&w, '}');
	}
	json_close(&w, '}');
	return w.out.failed ? err_nomem(err) : watch->emit(watch->data, strbuf_str(&w.out), err);
}

/* v1 tells that memory is short before it counts the kill. */
static uint64_t wait_for_kill(const struct watch *watch)
{
	uint64_t now = cgroup_oom_kills(&watch->record->cgroup);

	for (int round = 0; round < KILL_ROUNDS && now == watch->oom_kills; round++) {
		poll(NULL, 0, KILL_ROUND_MS);
		now = cgroup_oom_kills(&watch->record->cgroup);
	}
	return now;
}

static int emit_oom(struct watch *watch, struct err **err)
{
	uint64_t now;
	int r = 0;

	cgroup_oom_drain(watch->oom_fd);
	now = wait_for_kill(watch);
	for (; watch->oom_kills < now && r == 0; watch->oom_kills++)
		r = emit_event(watch, "oom", err);
	return r;
}

/* To the container's end. */
static int follow(struct watch *watch, int interval_ms, struct err **err)
{
	struct pollfd fds[] = { { .fd = watch->pidfd, .events = POLLIN }, { .fd = watch->oom_fd, .events = POLLIN } };
	int r = 0;

	watch->oom_kills = cgroup_oom_kills(&watch->record->cgroup);
	while (r == 0) {
		int ready = poll(fds, array_size(fds), interval_ms);

		if (ready < 0 && errno != EINTR)
			return err_sys(err, E_PROCESS, errno, "poll", "container", NULL);
		if (ready > 0 && fds[1].revents)
			r = emit_oom(watch, err);
		if (ready > 0 && fds[0].revents)
			return r;
		if (ready == 0)
			r = emit_event(watch, "stats", err);
	}
	return r;
}

int lifecycle_events(const struct lifecycle *lc, const char *id, int interval_ms,
		     int (*emit)(void *data, const char *event, struct err **err), void *data,
		     struct err **err)
{
	cleanup_container struct container container = CONTAINER_INIT;
	__attribute__((cleanup(watch_done))) struct watch watch = {
		.record = &container.record, .pidfd = -1, .oom_fd = -1, .emit = emit, .data = data
	};
	int r = container_open(lc, id, STORE_UNLOCKED, &container, err);

	if (r < 0)
		return r;
	if (container.status == CONTAINER_STOPPED || container.status == CONTAINER_CREATING)
		return err_set(err, E_STATE, 0, NULL, "container not running: %s",
			       container_status_name(container.status));
	if (container.record.cgroup.count == 0)
		return err_set(err, E_UNSUPPORTED, 0, NULL, "container %s has no cgroup that counts", id);
	if (interval_ms == 0)
		return emit_event(&watch, "stats", err);
	watch.pidfd = pid_open_verified(container.record.pid, container.record.start_ticks);
	if (watch.pidfd < 0)
		return err_set(err, E_STATE, ESRCH, NULL, "container not running");
	watch.oom_fd = cgroup_oom_watch(&container.record.cgroup);
	return follow(&watch, interval_ms, err);
}

/* events_network.c - what a container's network policy has let through and refused. */

#include "lifecycle/lifecycle.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/fd.h"
#include "base/pid.h"
#include "net/trace.h"

/* 0: none. */
static pid_t first_child(pid_t pid)
{
	char path[64], text[16] = "";
	int r;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)pid, (int)pid);
	r = fd_read_kernel(AT_FDCWD, path, text, sizeof(text));
	text[sizeof(text) - 1] = '\0';
	return r == 0 || r == -EFBIG ? (pid_t)strtol(text, NULL, 10) : 0; /* the first of many fits */
}

/* The init of an ordinary user's sandbox keeps its namespaces to itself (engine/native/launch.c); its workload, which was executed
 * in the new user namespace, does not. */
static int open_of_workload(pid_t init, struct net_namespace *ret, struct err **err)
{
	pid_t workload = first_child(init);
	int r = workload > 0 ? net_namespace_open(workload, ret, err)
			     : err_set(err, E_STATE, ESRCH, NULL, "container not running: it has no workload");

	/* still the same, so the number was not another's meanwhile */
	if (r == 0 && first_child(init) != workload)
		r = err_set(err, E_STATE, ESRCH, NULL, "container not running: its workload has ended");
	return r;
}

/* The number means the process as long as its pidfd says so: looked at after the namespaces are open. */
static int open_namespaces(const struct record *record, struct net_namespace *ret, struct err **err)
{
	cleanup_close int pidfd = -1;
	int r = net_namespace_open(record->pid, ret, err);

	if (r == -EACCES) {
		err_free_ptr(err);
		r = open_of_workload(record->pid, ret, err);
	}
	if (r < 0)
		return r;
	pidfd = pid_open_verified(record->pid, record->start_ticks);
	return pidfd < 0 ? err_set(err, E_STATE, ESRCH, NULL, "container not running") : 0;
}

int lifecycle_network_events(const struct lifecycle *lc, const char *id,
			     int (*emit)(void *data, const char *event, struct err **err), void *data, struct err **err)
{
	cleanup_container struct container container = CONTAINER_INIT;
	cleanup_net_namespace struct net_namespace namespaces = NET_NAMESPACE_INIT;
	cleanup_json_writer struct json_writer w = JSON_WRITER_INIT;
	int r = container_open(lc, id, STORE_UNLOCKED, &container, err);

	if (r < 0)
		return r;
	if (container.status == CONTAINER_STOPPED || container.status == CONTAINER_CREATING)
		return err_set(err, E_STATE, 0, NULL, "container not running: %s", container_status_name(container.status));
	w.compact = true;
	json_open(&w, NULL, '{');
	json_put_string(&w, "type", "network");
	json_put_string(&w, "id", id);
	json_open(&w, "data", '{');
	r = open_namespaces(&container.record, &namespaces, err);
	if (r == 0)
		r = network_trace(&namespaces, id, &w, err);
	if (r < 0)
		return r;
	json_close(&w, '}');
	json_close(&w, '}');
	return w.out.failed ? err_nomem(err) : emit(data, strbuf_str(&w.out), err);
}

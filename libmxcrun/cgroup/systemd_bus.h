/* systemd_bus.h - a connection to the systemd that makes our groups.
 *
 * root talks to the machine's manager, everybody else to his own; through the manager's private
 * socket where that is open to us, since this needs no bus daemon, and no subscription to hear that
 * a job is done.
 */
#ifndef MXCRUN_CGROUP_SYSTEMD_BUS_H
#define MXCRUN_CGROUP_SYSTEMD_BUS_H

#include "base/err.h"
#include "cgroup/dbus.h"

#define SYSTEMD_NAME "org.freedesktop.systemd1"
#define SYSTEMD_PATH "/org/freedesktop/systemd1"
#define SYSTEMD_MANAGER SYSTEMD_NAME ".Manager"

/* -ENOENT or -ECONNREFUSED: there is no systemd for us. The connection has a deadline for all that
 * follows. */
int systemd_connect(struct dbus *ret, struct err **err);

/* A call that queues a job for the unit, and the wait for the job's end. -ENOENT when there is no
 * such unit. what: "starting", for messages. */
int systemd_run_job(struct dbus *bus, const struct dbus_call *call, const struct dbus_body *body,
		    const char *what, const char *unit, struct err **err);

#endif

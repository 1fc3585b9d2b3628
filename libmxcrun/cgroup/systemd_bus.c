/* systemd_bus.c - reaching systemd, and jobs from their call to their end, see systemd_bus.h. */
#include "cgroup/systemd_bus.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "cgroup/backend.h"
#include "cgroup/directory.h"

#define DEADLINE_MS 25000

/* ---- connecting ---- */

static bool is_system(void)
{
	return geteuid() == 0 && facts_in_initial_user_namespace();
}

/* The path of "unix:path=PATH,guid=..."; other kinds of addresses are not tried. malloc'd. */
static char *path_of_address(const char *address)
{
	static const char prefix[] = "unix:path=";

	if (!address || strncmp(address, prefix, sizeof(prefix) - 1) != 0)
		return NULL;
	address += sizeof(prefix) - 1;
	return strndup(address, strcspn(address, ",;"));
}

static char *user_socket(const char *name)
{
	const char *dir = getenv("XDG_RUNTIME_DIR");
	char *path;
	int len;

	if (dir && dir[0] == '/')
		len = asprintf(&path, "%s/%s", dir, name);
	else
		len = asprintf(&path, "/run/user/%u/%s", (unsigned int)geteuid(), name);
	return len < 0 ? NULL : path;
}

static int call_plainly(struct dbus *bus, const struct dbus_call *call,
			const struct dbus_body *body)
{
	cleanup_dbus_message struct dbus_message reply = DBUS_MESSAGE_INIT;

	return dbus_call(bus, call, body, &reply);
}

/* What a bus daemon and a manager behind it want to be told before we hear of jobs. */
static int introduce(struct dbus *bus)
{
	static const struct dbus_call hello = { "org.freedesktop.DBus", "/org/freedesktop/DBus",
						"org.freedesktop.DBus", "Hello", NULL };
	static const struct dbus_call add_match = { "org.freedesktop.DBus", "/org/freedesktop/DBus",
						    "org.freedesktop.DBus", "AddMatch", "s" };
	static const struct dbus_call subscribe = { SYSTEMD_NAME, SYSTEMD_PATH, SYSTEMD_MANAGER,
						    "Subscribe", NULL };
	cleanup_dbus_body struct dbus_body rule = DBUS_BODY_INIT;
	int r = call_plainly(bus, &hello, NULL);

	dbus_put_string(&rule, "type='signal',sender='" SYSTEMD_NAME "',path='" SYSTEMD_PATH
			       "',interface='" SYSTEMD_MANAGER "',member='JobRemoved'");
	if (r == 0)
		r = call_plainly(bus, &add_match, &rule);
	return r < 0 ? r : call_plainly(bus, &subscribe, NULL);
}

static int try_socket(const char *path, bool is_bus, struct dbus *ret)
{
	cleanup_dbus struct dbus bus = DBUS_INIT;
	int r;

	if (!path)
		return -ENOENT;
	r = dbus_connect(path, DEADLINE_MS, &bus);
	if (r == 0 && is_bus)
		r = introduce(&bus);
	if (r < 0)
		return r;
	*ret = bus;
	bus = (struct dbus)DBUS_INIT;
	return 0;
}

static int connect_any(struct dbus *ret)
{
	bool system = is_system();
	cleanup_free char *private =
		system ? strdup("/run/systemd/private") : user_socket("systemd/private");
	cleanup_free char *named =
		system ? NULL : path_of_address(getenv("DBUS_SESSION_BUS_ADDRESS"));
	cleanup_free char *bus =
		system ? strdup("/run/dbus/system_bus_socket") : user_socket("bus");
	int r = try_socket(private, false, ret);

	if (r < 0 && named)
		r = try_socket(named, true, ret);
	return r < 0 ? try_socket(bus, true, ret) : r;
}

int systemd_connect(struct dbus *ret, struct err **err)
{
	int r = connect_any(ret);

	if (r == 0)
		return 0;
	err_set(err, E_CGROUP, -r, NULL, "can't talk to %s systemd",
		is_system() ? "the machine's" : "the user's own");
	if (is_system())
		err_hint(
			err,
			"the systemd cgroup manager needs systemd as the init process; without it use"
			" --cgroup-manager cgroupfs");
	else
		err_hint(
			err,
			"it runs for logged-in users (or after `loginctl enable-linger`) and is found by"
			" XDG_RUNTIME_DIR or DBUS_SESSION_BUS_ADDRESS; without it use --cgroup-manager cgroupfs");
	return r;
}

/* ---- jobs ---- */

static int report_refusal(int r, struct dbus_message *reply, const char *what, const char *unit,
			  struct err **err)
{
	const char *text = "";

	if (r != -EREMOTEIO)
		return err_set(err, E_CGROUP, -r, CGROUP_PATH_POINTER,
			       "%s the unit %s through systemd", what, unit);
	dbus_get_string(reply, &text);
	err_set(err, E_CGROUP, 0, CGROUP_PATH_POINTER, "systemd refuses %s the unit %s: %s (%s)",
		what, unit, text, reply->error ? reply->error : "no name");
	if (reply->error && strcmp(reply->error, SYSTEMD_NAME ".NoSuchUnit") == 0)
		return -ENOENT;
	if (!reply->error || strcmp(reply->error, SYSTEMD_NAME ".UnitExists") != 0)
		return -EINVAL;
	err_hint(err, "another container may use it; else: systemctl stop %s; systemctl reset-failed %s", unit, unit);
	return -EEXIST;
}

/* Wait for the signal that the job is done; its result is "done" when it went well. */
static int wait_for_job(struct dbus *bus, const char *job, char *result, size_t size)
{
	for (;;) {
		cleanup_dbus_message struct dbus_message message = DBUS_MESSAGE_INIT;
		const char *path, *unit, *outcome;
		uint32_t id;
		int r = dbus_receive(bus, &message);

		if (r < 0)
			return r;
		if (message.type != DBUS_SIGNAL || !message.member ||
		    strcmp(message.member, "JobRemoved") != 0 || !dbus_get_u32(&message, &id) ||
		    !dbus_get_string(&message, &path) || !dbus_get_string(&message, &unit) ||
		    !dbus_get_string(&message, &outcome))
			continue;
		if (strcmp(path, job) == 0) {
			snprintf(result, size, "%s", outcome);
			return 0;
		}
	}
}

int systemd_run_job(struct dbus *bus, const struct dbus_call *call, const struct dbus_body *body,
		    const char *what, const char *unit, struct err **err)
{
	cleanup_dbus_message struct dbus_message reply = DBUS_MESSAGE_INIT;
	const char *job;
	char result[32];
	int r = dbus_call(bus, call, body, &reply);

	if (r == 0 && !dbus_get_string(&reply, &job))
		r = -EBADMSG;
	if (r == 0)
		r = wait_for_job(bus, job, result, sizeof(result));
	if (r < 0)
		return report_refusal(r, &reply, what, unit, err);
	if (strcmp(result, "done") != 0)
		return err_set(err, E_CGROUP, 0, CGROUP_PATH_POINTER,
			       "%s the unit %s ended with \"%s\"; see journalctl -u %s", what, unit,
			       result, unit);
	return 0;
}

/* systemd.c - the systemd manager: one transient scope a container.
 *
 * systemd owns the top of the hierarchy and gives us a scope with Delegate=yes, in which we do as
 * we like; limits are written into its files by us, and told to systemd as properties besides. A
 * scope can't be started empty, and the container should be born in it, so a holder process that
 * only sleeps goes in first and is ended once the container is there.
 */
#include "cgroup/backend.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "base/sys.h"
#include "cgroup/directory.h"
#include "cgroup/systemd_bus.h"
#include "cgroup/systemd_limits.h"
#include "host/cgroups.h"

#define PROC_CGROUP_SIZE_MAX 65536u

/* ---- the holder ---- */

void holder_release(struct cgroup_holder *holder)
{
	if (!holder || holder->pid <= 0)
		return;
	kill(holder->pid, SIGKILL);
	while (waitpid(holder->pid, NULL, 0) < 0 && errno == EINTR)
		;
	holder->pid = 0;
}

/* Nothing of ours stays open in it, above all not the container's lock; it ends with us. */
static void hold(pid_t parent)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGTERM, SIG_DFL);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(0);
	sys_close_range(0, ~0u, 0);
	for (;;)
		pause();
}

static int holder_start(struct cgroup *cgroup, struct err **err)
{
	pid_t parent = getpid();

	cgroup->holder = arena_alloc(cgroup->arena, sizeof(*cgroup->holder));
	if (!cgroup->holder)
		return err_nomem(err);
	cgroup->holder->pid = fork();
	if (cgroup->holder->pid == 0)
		hold(parent);
	if (cgroup->holder->pid < 0)
		return err_sys(err, E_PROCESS, errno, "fork", "systemd's unit", NULL);
	return 0;
}

/* ---- the scope ---- */

/* Of the annotations: the plan has checked that values and signatures fit. */
static void put_own_property(struct dbus_body *body, const struct plan_unit_property *property)
{
	const char *value = property->values[0];
	size_t mark;

	systemd_put_property(body, property->name, property->signature);
	switch (property->signature[0]) {
	case 's':
		dbus_put_string(body, value);
		break;
	case 'b':
		dbus_put_bool(body, value[0] == 't');
		break;
	case 'i':
	case 'u':
		dbus_put_u32(body, (uint32_t)strtoll(value, NULL, 10));
		break;
	case 'x':
	case 't':
		dbus_put_u64(body, value[0] == '-' ? (uint64_t)strtoll(value, NULL, 10) : strtoull(value, NULL, 10));
		break;
	default:
		mark = dbus_open_array(body, 4);
		for (const char *const *item = property->values; *item; item++)
			dbus_put_string(body, *item);
		dbus_close_array(body, mark, 4);
	}
}

static void put_properties(struct dbus_body *body, const struct plan *plan, unsigned int version, pid_t pid)
{
	cleanup_strbuf struct strbuf description = STRBUF_INIT;
	size_t mark;

	strbuf_printf(&description, "mxcrun container %s", plan->id);
	systemd_put_property(body, "Description", "s");
	dbus_put_string(body, strbuf_str(&description));
	systemd_put_property(body, "Slice", "s");
	dbus_put_string(body, plan->cgroup.slice);
	systemd_put_property(body, "PIDs", "au");
	mark = dbus_open_array(body, 4);
	dbus_put_u32(body, (uint32_t)pid);
	dbus_close_array(body, mark, 4);
	systemd_put_property(body, "Delegate", "b");
	dbus_put_bool(body, true);
	systemd_put_property(body, "DefaultDependencies", "b");
	dbus_put_bool(body, false);
	/* Or a failed scope would keep its name until somebody resets it. */
	systemd_put_property(body, "CollectMode", "s");
	dbus_put_string(body, "inactive-or-failed");
	systemd_put_limits(body, &plan->cgroup, version, true);
	for (size_t i = 0; i < plan->cgroup.unit_property_count; i++)
		put_own_property(body, &plan->cgroup.unit_properties[i]);
}

/* The signature of StartTransientUnit: name, mode, properties, auxiliary units (none). */
static void put_scope(struct dbus_body *body, const struct plan *plan, unsigned int version, pid_t pid)
{
	size_t mark;

	dbus_put_string(body, plan->cgroup.scope);
	dbus_put_string(body, "fail");
	mark = dbus_open_array(body, 8);
	put_properties(body, plan, version, pid);
	dbus_close_array(body, mark, 8);
	mark = dbus_open_array(body, 8);
	dbus_close_array(body, mark, 8);
}

/* systemd keeps its tree in v2, or on v1 and hybrid hosts in the hierarchy that bears its name. */
static const struct cgroup_mount *find_systemd_mount(const struct host_facts *facts)
{
	size_t i;

	for (i = 0; i < facts->cgroup_count; i++)
		if (facts->layout == CGROUP_LAYOUT_V2
			    ? facts->cgroups[i].is_v2
			    : strcmp(facts->cgroups[i].controllers, "name=systemd") == 0)
			return &facts->cgroups[i];
	return NULL;
}

/* Where systemd has put the holder is where the container's groups are, in every hierarchy. */
static int take_place(struct cgroup *cgroup, const struct host_facts *facts, struct err **err)
{
	const struct cgroup_mount *mount = find_systemd_mount(facts);
	cleanup_arena struct arena *arena = arena_new();
	cleanup_free char *text = NULL;
	const char *path = NULL;
	char file[32];
	size_t i, j;
	int r;

	if (!arena)
		return err_nomem(err);
	snprintf(file, sizeof(file), "/proc/%d/cgroup", (int)cgroup->holder->pid);
	r = fd_read_file(AT_FDCWD, file, PROC_CGROUP_SIZE_MAX, &text, NULL);
	if (r < 0)
		return err_sys(err, E_CGROUP, -r, "read", file, NULL);
	if (mount)
		path = cgroups_find_path(arena, text, mount);
	if (!path || strcmp(directory_name(path), cgroup->unit) != 0)
		return err_set(err, E_CGROUP, ENOENT, CGROUP_PATH_POINTER,
			       "the cgroup of the unit %s is not visible here", cgroup->unit);
	for (i = 0; i < cgroup->count; i++)
		for (j = 0; j < facts->cgroup_count; j++) {
			char *full;

			if (strcmp(facts->cgroups[j].controllers, cgroup->dirs[i].controllers) != 0)
				continue;
			full = arena_printf(cgroup->arena, "%s%s", facts->cgroups[j].mountpoint,
					    path);
			if (!full)
				return err_nomem(err);
			cgroup->dirs[i].path = full;
		}
	return 0;
}

/* ---- other limits ---- */

/* "/org/freedesktop/systemd1/unit/" and the name with "_xx" for all but letters and digits. */
static void put_unit_path(struct strbuf *path, const char *unit)
{
	strbuf_puts(path, SYSTEMD_PATH "/unit/");
	for (; *unit; unit++) {
		bool is_plain = (*unit >= 'a' && *unit <= 'z') || (*unit >= 'A' && *unit <= 'Z') ||
				(*unit >= '0' && *unit <= '9');

		if (is_plain)
			strbuf_putc(path, *unit);
		else
			strbuf_printf(path, "_%02x", (unsigned int)(unsigned char)*unit);
	}
}

/* A property that is a text, malloc'd; "" when there is no such object, or it has none. */
static int read_text(struct dbus *bus, const char *path, const char *interface, const char *property, char **ret)
{
	const struct dbus_call call = { SYSTEMD_NAME, path, "org.freedesktop.DBus.Properties", "Get", "ss" };
	cleanup_dbus_body struct dbus_body body = DBUS_BODY_INIT;
	cleanup_dbus_message struct dbus_message reply = DBUS_MESSAGE_INIT;
	const char *text = "";
	int r;

	dbus_put_string(&body, interface);
	dbus_put_string(&body, property);
	r = dbus_call(bus, &call, &body, &reply);
	if (r == 0 && (!dbus_get_variant(&reply, "s") || !dbus_get_string(&reply, &text)))
		return -EBADMSG;
	if (r < 0 && r != -EREMOTEIO)
		return r;
	*ret = strdup(text);
	return *ret ? 0 : -ENOMEM;
}

/* The cgroup that systemd has for the unit, "" when it has none. */
static int read_control_group(struct dbus *bus, const char *unit, char **ret)
{
	cleanup_strbuf struct strbuf path = STRBUF_INIT;

	put_unit_path(&path, unit);
	return path.failed ? -ENOMEM : read_text(bus, strbuf_str(&path), SYSTEMD_NAME ".Scope", "ControlGroup", ret);
}

/* Asked only where it matters; 0: it matters not, or isn't known. */
static unsigned int read_version(struct dbus *bus, const struct plan_cgroup *limits)
{
	cleanup_free char *text = NULL;

	if (!systemd_limits_depend_on_version(limits) || read_text(bus, SYSTEMD_PATH, SYSTEMD_MANAGER, "Version", &text) < 0)
		return 0;
	return (unsigned int)strtoul(text[0] == 'v' ? text + 1 : text, NULL, 10);
}

int systemd_update_scope(const struct cgroup *cgroup, const struct plan_cgroup *limits, struct err **err)
{
	static const struct dbus_call call = { SYSTEMD_NAME, SYSTEMD_PATH, SYSTEMD_MANAGER,
					       "SetUnitProperties", "sba(sv)" };
	cleanup_dbus struct dbus bus = DBUS_INIT;
	cleanup_dbus_body struct dbus_body body = DBUS_BODY_INIT;
	cleanup_dbus_message struct dbus_message reply = DBUS_MESSAGE_INIT;
	cleanup_free char *group = NULL;
	size_t mark;
	int r = systemd_connect(&bus, err);

	if (r < 0)
		return r;
	dbus_put_string(&body, cgroup->unit);
	dbus_put_bool(&body, true);
	mark = dbus_open_array(&body, 8);
	systemd_put_limits(&body, limits, read_version(&bus, limits), false);
	dbus_close_array(&body, mark, 8);
	r = dbus_call(&bus, &call, &body, &reply);
	/* it writes its own, rounded values once it has answered: after another answer it is done with that */
	if (r == 0)
		r = read_control_group(&bus, cgroup->unit, &group);
	return r < 0 ? err_set(err, E_CGROUP, -r, NULL, "telling systemd the new limits of %s", cgroup->unit) : 0;
}

/* ---- stopping ---- */

/* Our paths are longer by the mountpoint. */
static bool is_of_container(const struct cgroup *cgroup, const char *control_group)
{
	size_t len = strlen(control_group), i;

	for (i = 0; len > 1 && i < cgroup->count; i++) {
		size_t path_len = strlen(cgroup->dirs[i].path);

		if (path_len > len &&
		    strcmp(cgroup->dirs[i].path + path_len - len, control_group) == 0)
			return true;
	}
	return false;
}

static int stop_unit(struct dbus *bus, const char *unit, struct err **err)
{
	static const struct dbus_call call = { SYSTEMD_NAME, SYSTEMD_PATH, SYSTEMD_MANAGER,
					       "StopUnit", "ss" };
	cleanup_dbus_body struct dbus_body body = DBUS_BODY_INIT;
	cleanup_err struct err *failure = NULL;
	int r;

	dbus_put_string(&body, unit);
	dbus_put_string(&body, "replace");
	r = systemd_run_job(bus, &call, &body, "stopping", unit, &failure);
	if (r == -ENOENT)
		return 0;
	if (err)
		*err = take_ptr(failure);
	return r;
}

static int stop_scope(struct dbus *bus, const struct cgroup *cgroup, struct err **err)
{
	cleanup_free char *group = NULL;
	int r = read_control_group(bus, cgroup->unit, &group);

	if (r < 0 || !group)
		return err_set(err, E_CGROUP, -r, NULL, "asking systemd for the unit %s",
			       cgroup->unit);
	return is_of_container(cgroup, group) ? stop_unit(bus, cgroup->unit, err) : 0;
}

int systemd_stop_scope(const struct cgroup *cgroup, struct err **err)
{
	cleanup_dbus struct dbus bus = DBUS_INIT;
	cleanup_err struct err *failure = NULL;
	int r = systemd_connect(&bus, &failure);

	if (r == -ENOENT || r == -ECONNREFUSED)
		return 0; /* no systemd, no unit */
	if (r == 0)
		return stop_scope(&bus, cgroup, err);
	if (err)
		*err = take_ptr(failure);
	return r;
}

/* ---- starting ---- */

static int start_unit(struct dbus *bus, const struct cgroup *cgroup, const struct plan *plan, struct err **err)
{
	static const struct dbus_call call = { SYSTEMD_NAME, SYSTEMD_PATH, SYSTEMD_MANAGER,
					       "StartTransientUnit", "ssa(sv)a(sa(sv))" };
	cleanup_dbus_body struct dbus_body body = DBUS_BODY_INIT;

	put_scope(&body, plan, read_version(bus, &plan->cgroup), cgroup->holder->pid);
	return systemd_run_job(bus, &call, &body, "starting", plan->cgroup.scope, err);
}

static int forget_failure(struct dbus *bus, const char *unit)
{
	static const struct dbus_call call = { SYSTEMD_NAME, SYSTEMD_PATH, SYSTEMD_MANAGER, "ResetFailedUnit", "s" };
	cleanup_dbus_body struct dbus_body body = DBUS_BODY_INIT;
	cleanup_dbus_message struct dbus_message reply = DBUS_MESSAGE_INIT;
	int r;

	dbus_put_string(&body, unit);
	r = dbus_call(bus, &call, &body, &reply);
	return r == -EREMOTEIO ? 0 : r; /* it has not failed */
}

/* systemd learns of the end of a scope when it gets to it, and keeps one that has failed. A unit whose group is gone
 * has no process, and is nobody's: it is dropped. True: the name is free. */
static bool drop_dead_unit(struct dbus *bus, const char *unit, const struct host_facts *facts)
{
	const struct cgroup_mount *mount = find_systemd_mount(facts);
	cleanup_strbuf struct strbuf path = STRBUF_INIT;
	cleanup_free char *group = NULL;
	cleanup_err struct err *ignored = NULL;

	if (!mount || read_control_group(bus, unit, &group) < 0 || !group)
		return false;
	strbuf_printf(&path, "%s%s", mount->mountpoint, group);
	if (path.failed || (group[0] && (access(strbuf_str(&path), F_OK) == 0 || errno != ENOENT)))
		return false;
	return stop_unit(bus, unit, &ignored) == 0 && forget_failure(bus, unit) == 0;
}

int systemd_start_scope(struct cgroup *cgroup, const struct plan *plan,
			const struct host_facts *facts, struct err **err)
{
	cleanup_dbus struct dbus bus = DBUS_INIT;
	cleanup_err struct err *failure = NULL;
	int r;

	if (!plan->cgroup.slice)
		return err_set(err, E_CGROUP, 0, CGROUP_PATH_POINTER,
			       "the systemd cgroup manager needs a slice");
	r = systemd_connect(&bus, err);
	if (r < 0)
		return r;
	r = holder_start(cgroup, err);
	if (r < 0)
		return r;
	r = start_unit(&bus, cgroup, plan, &failure);
	if (r == -EEXIST && drop_dead_unit(&bus, plan->cgroup.scope, facts)) {
		err_free_ptr(&failure);
		r = start_unit(&bus, cgroup, plan, &failure);
	}
	if (r == 0)
		return take_place(cgroup, facts, err);
	if (err)
		*err = take_ptr(failure);
	return r;
}

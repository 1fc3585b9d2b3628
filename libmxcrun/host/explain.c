/* explain.c - causes and remedies of refusals, see explain.h. */
#include "host/explain.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "host/mountinfo.h"

#define SETTING_SIZE_MAX 64u
#define TEXT_SIZE_MAX 65536u

/* ---- user namespaces ---- */

const char *explain_userns_settings(const struct userns_settings *settings, int errnum,
				    const char **ret_remedy)
{
	*ret_remedy = NULL;
	if (!settings->has_user_namespaces) {
		*ret_remedy =
			"use a kernel built with CONFIG_USER_NS, or run as root without a user namespace";
		return "this kernel has no user namespaces";
	}
	if (settings->max_user_namespaces == 0) {
		*ret_remedy = "sysctl -w user.max_user_namespaces=15000";
		return "user namespaces are switched off by the sysctl user.max_user_namespaces=0";
	}
	if (errnum == ENOSPC || errnum == EUSERS) {
		*ret_remedy = "raise the sysctl user.max_user_namespaces; at most 32 can be nested";
		return "too many user namespaces exist, or are nested too deeply";
	}
	if (!settings->is_privileged && settings->unprivileged_clone == 0) {
		*ret_remedy = "sysctl -w kernel.unprivileged_userns_clone=1, or run as root";
		return "ordinary users may not make user namespaces: the sysctl"
		       " kernel.unprivileged_userns_clone is 0";
	}
	if (!settings->is_privileged && settings->apparmor_restrict > 0) {
		*ret_remedy =
			"load an AppArmor profile for mxcrun that has the rule \"userns,\" (see"
			" /etc/apparmor.d), or: sysctl -w kernel.apparmor_restrict_unprivileged_userns=0";
		return "AppArmor restricts user namespaces of ordinary users: the sysctl"
		       " kernel.apparmor_restrict_unprivileged_userns is 1";
	}
	if (settings->is_chroot && errnum == EPERM) {
		*ret_remedy =
			"leave the chroot, or enter it by pivot_root in a mount namespace of its own";
		return "the kernel makes no user namespace inside a chroot";
	}
	if (settings->seccomp == 2 && (errnum == EPERM || errnum == ENOSYS)) {
		*ret_remedy =
			"allow clone, clone3, unshare and setns in the seccomp profile of the enclosing container";
		return "this process runs under a seccomp filter, probably in a container, that refuses"
		       " user namespaces";
	}
	/* one that is a mount point can't be told from the real root (create_user_ns() in the kernel) */
	if (settings->is_privileged && errnum == EPERM) {
		*ret_remedy =
			"leave the chroot, or enter it by pivot_root in a mount namespace of its own; else see the security module's log";
		return "root is refused a user namespace inside a chroot, or by a security module";
	}
	return NULL;
}

static long read_setting(const char *path)
{
	cleanup_free char *text = NULL;
	char *end;
	long n;

	if (fd_read_file(AT_FDCWD, path, SETTING_SIZE_MAX, &text, NULL) < 0)
		return -1;
	n = strtol(text, &end, 10);
	return end == text ? -1 : n;
}

static long read_seccomp_mode(void)
{
	static const char name[] = "\nSeccomp:\t";
	cleanup_free char *status = NULL;
	const char *line;

	if (fd_read_file(AT_FDCWD, "/proc/self/status", TEXT_SIZE_MAX, &status, NULL) < 0)
		return -1;
	line = strstr(status, name);
	return line ? strtol(line + sizeof(name) - 1, NULL, 10) : -1;
}

static int is_root_mount(const struct mountinfo *mount, void *data)
{
	(void)data;
	return strcmp(mount->mountpoint, "/") == 0;
}

/* mountinfo shows what lies below our root; a directory that a chroot chose is no mount itself. */
static bool is_chroot(void)
{
	cleanup_free char *text = NULL;

	if (fd_read_file(AT_FDCWD, "/proc/self/mountinfo", MOUNTINFO_SIZE_MAX, &text, NULL) < 0)
		return false;
	return mountinfo_parse(text, is_root_mount, NULL) == 0;
}

void explain_userns(const struct host_facts *facts, int errnum, struct err **err)
{
	const struct userns_settings settings = {
		.max_user_namespaces = read_setting("/proc/sys/user/max_user_namespaces"),
		.unprivileged_clone = read_setting("/proc/sys/kernel/unprivileged_userns_clone"),
		.apparmor_restrict =
			read_setting("/proc/sys/kernel/apparmor_restrict_unprivileged_userns"),
		.seccomp = read_seccomp_mode(),
		.has_user_namespaces = access("/proc/self/ns/user", F_OK) == 0,
		.is_chroot = is_chroot(),
		.is_privileged = facts->is_privileged,
	};
	const char *remedy, *cause = explain_userns_settings(&settings, errnum, &remedy);

	if (!err || !*err || !cause)
		return;
	err_wrap(err, "%s", cause);
	(*err)->code = E_USERNS_BLOCKED;
	err_hint(err, "%s", remedy);
}

/* ---- cgroups ---- */

enum kernel_controller { KERNEL_UNKNOWN, KERNEL_HAS, KERNEL_DISABLED, KERNEL_LACKS };

/* /proc/cgroups: "#subsys_name hierarchy num_cgroups enabled", tabs between. v2 calls v1's blkio
 * "io". */
static enum kernel_controller find_in_kernel(const char *proc_cgroups, const char *controller)
{
	const char *line = proc_cgroups;

	if (!proc_cgroups)
		return KERNEL_UNKNOWN;
	if (strcmp(controller, "io") == 0)
		controller = "blkio";
	for (; line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
		char name[64];
		int enabled;

		if (sscanf(line, "%63s %*d %*d %d", name, &enabled) == 2 &&
		    strcmp(name, controller) == 0)
			return enabled ? KERNEL_HAS : KERNEL_DISABLED;
	}
	return KERNEL_LACKS;
}

static void explain_not_delegated(const char *controller, struct err **err)
{
	err_hint(
		err,
		"have it delegated: as root, `systemctl edit user@.service` with the lines \"[Service]\" and"
		" \"Delegate=cpu cpuset io memory pids\", then log in again; or let the user's systemd make the"
		" group: mxcrun --systemd-cgroup; or start mxcrun as `systemd-run --user --scope -p Delegate=%s"
		" -- mxcrun ...`",
		controller);
}

void explain_controller_text(const struct host_facts *facts, const char *controller,
			     const char *proc_cgroups, struct err **err)
{
	switch (find_in_kernel(proc_cgroups, controller)) {
	case KERNEL_DISABLED:
		err_hint(
			err,
			"the kernel was booted with cgroup_disable=%s: remove that from its command line",
			controller);
		return;
	case KERNEL_LACKS:
		/* Newer kernels list only what has a v1 form. */
		if (facts->layout != CGROUP_LAYOUT_V2) {
			err_hint(err, "this kernel was built without the controller");
			return;
		}
		break;
	case KERNEL_HAS:
		if (facts->layout != CGROUP_LAYOUT_V2) {
			err_hint(
				err,
				"it is not mounted: mkdir -p /sys/fs/cgroup/%s && mount -t cgroup -o %s cgroup"
				" /sys/fs/cgroup/%s",
				controller, controller, controller);
			return;
		}
		break;
	case KERNEL_UNKNOWN:
		break;
	}
	if (!facts->is_privileged)
		explain_not_delegated(controller, err);
	else
		err_hint(err, "a v1 hierarchy may hold it, or the group above was not given it: see"
			      " cgroup.controllers and cgroup.subtree_control of the groups above");
}

void explain_controller(const struct host_facts *facts, const char *controller, struct err **err)
{
	cleanup_free char *text = NULL;

	if (fd_read_file(AT_FDCWD, "/proc/cgroups", TEXT_SIZE_MAX, &text, NULL) < 0)
		text = NULL;
	explain_controller_text(facts, controller, text, err);
}

void explain_cgroup_refused(const struct host_facts *facts, struct err **err)
{
	if (facts->is_privileged)
		err_hint(
			err,
			"the cgroup file system must be mounted writable: see the mounts on /sys/fs/cgroup");
	else if (facts->layout == CGROUP_LAYOUT_V2 && facts->has_systemd)
		err_hint(
			err,
			"let the user's systemd make the group: mxcrun --systemd-cgroup; or start mxcrun as"
			" `systemd-run --user --scope -p Delegate=yes -- mxcrun ...`");
	else if (facts->layout == CGROUP_LAYOUT_V2)
		err_hint(
			err,
			"root can delegate a group: mkdir it below /sys/fs/cgroup, chown it with its"
			" cgroup.procs and cgroup.subtree_control to the user, and move the user's shell into it");
	else
		err_hint(err, "ordinary users get limits on cgroup v2 only: boot with"
			      " systemd.unified_cgroup_hierarchy=1, or run as root");
}

/* oci_default.c - the default config.json, from tables; the rootless one differs in a few rows.
 *
 * An unprivileged user can't mount sysfs outside a network namespace of his own (so /sys is bound),
 * can't name group 5 (so /dev/pts has no gid) and can't set limits (so there are no resources).
 */
#include "config/oci_default.h"

#include <errno.h>
#include <string.h>

#include "base/mem.h"

enum variant { ALWAYS, ROOT_ONLY, ROOTLESS_ONLY };

struct default_mount {
	enum variant variant;
	const char *destination, *type, *source;
	const char *options[8];
};

static const struct default_mount mounts[] = {
	{ ALWAYS, "/proc", "proc", "proc", { NULL } },
	{ ALWAYS,
	  "/dev",
	  "tmpfs",
	  "tmpfs",
	  { "nosuid", "strictatime", "mode=755", "size=65536k" } },
	{ ROOT_ONLY,
	  "/dev/pts",
	  "devpts",
	  "devpts",
	  { "nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5" } },
	{ ROOTLESS_ONLY,
	  "/dev/pts",
	  "devpts",
	  "devpts",
	  { "nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620" } },
	{ ALWAYS,
	  "/dev/shm",
	  "tmpfs",
	  "shm",
	  { "nosuid", "noexec", "nodev", "mode=1777", "size=65536k" } },
	{ ALWAYS, "/dev/mqueue", "mqueue", "mqueue", { "nosuid", "noexec", "nodev" } },
	{ ROOT_ONLY, "/sys", "sysfs", "sysfs", { "nosuid", "noexec", "nodev", "ro" } },
	{ ROOTLESS_ONLY, "/sys", "none", "/sys", { "rbind", "nosuid", "noexec", "nodev", "ro" } },
	{ ALWAYS,
	  "/sys/fs/cgroup",
	  "cgroup",
	  "cgroup",
	  { "nosuid", "noexec", "nodev", "relatime", "ro" } },
};

static const char *const capabilities[] = { "CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE",
					    NULL };

static const char *const environment[] = {
	"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
	"TERM=xterm",
	NULL,
};

static const char *const arguments[] = { "sh", NULL };

static const char *const masked_paths[] = {
	"/proc/acpi",
	"/proc/asound",
	"/proc/kcore",
	"/proc/keys",
	"/proc/latency_stats",
	"/proc/timer_list",
	"/proc/timer_stats",
	"/proc/sched_debug",
	"/sys/firmware",
	"/proc/scsi",
	NULL,
};

static const char *const readonly_paths[] = {
	"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger", NULL,
};

static void put_strings(struct json_writer *w, const char *key, const char *const *items)
{
	json_open(w, key, '[');
	for (; *items; items++)
		json_put_string(w, NULL, *items);
	json_close(w, ']');
}

static void put_process(struct json_writer *w)
{
	static const char *const sets[] = { "bounding", "effective", "permitted", "ambient" };
	size_t i;

	json_open(w, "process", '{');
	json_put_bool(w, "terminal", true);
	json_open(w, "user", '{');
	json_put_u64(w, "uid", 0);
	json_put_u64(w, "gid", 0);
	json_close(w, '}');
	put_strings(w, "args", arguments);
	put_strings(w, "env", environment);
	json_put_string(w, "cwd", "/");
	json_open(w, "capabilities", '{');
	for (i = 0; i < array_size(sets); i++)
		put_strings(w, sets[i], capabilities);
	json_close(w, '}');
	json_open(w, "rlimits", '[');
	json_open(w, NULL, '{');
	json_put_string(w, "type", "RLIMIT_NOFILE");
	json_put_u64(w, "hard", 1024);
	json_put_u64(w, "soft", 1024);
	json_close(w, '}');
	json_close(w, ']');
	json_put_bool(w, "noNewPrivileges", true);
	json_close(w, '}');
}

static void put_mounts(const struct oci_default *want, struct json_writer *w)
{
	size_t i;

	json_open(w, "mounts", '[');
	for (i = 0; i < array_size(mounts); i++) {
		if (mounts[i].variant == (want->is_rootless ? ROOT_ONLY : ROOTLESS_ONLY))
			continue;
		json_open(w, NULL, '{');
		json_put_string(w, "destination", mounts[i].destination);
		json_put_string(w, "type", mounts[i].type);
		json_put_string(w, "source", mounts[i].source);
		if (mounts[i].options[0])
			put_strings(w, "options", mounts[i].options);
		json_close(w, '}');
	}
	json_close(w, ']');
}

static void put_mapping(struct json_writer *w, const char *key, uint32_t id)
{
	json_open(w, key, '[');
	json_open(w, NULL, '{');
	json_put_u64(w, "containerID", 0);
	json_put_u64(w, "hostID", id);
	json_put_u64(w, "size", 1);
	json_close(w, '}');
	json_close(w, ']');
}

/* The device filter starts closed; the runtime opens what every container needs. */
static void put_resources(struct json_writer *w)
{
	json_open(w, "resources", '{');
	json_open(w, "devices", '[');
	json_open(w, NULL, '{');
	json_put_bool(w, "allow", false);
	json_put_string(w, "access", "rwm");
	json_close(w, '}');
	json_close(w, ']');
	json_close(w, '}');
}

static void put_namespaces(const struct oci_default *want, struct json_writer *w)
{
	static const struct {
		enum variant variant;
		const char *type;
	} namespaces[] = {
		{ ALWAYS, "pid" }, { ROOT_ONLY, "network" }, { ALWAYS, "ipc" },
		{ ALWAYS, "uts" }, { ALWAYS, "mount" },
	};
	const char *types[array_size(namespaces) + 2];
	size_t count = 0, i;

	for (i = 0; i < array_size(namespaces); i++)
		if (namespaces[i].variant != ROOT_ONLY || !want->is_rootless)
			types[count++] = namespaces[i].type;
	if (want->has_cgroup_namespace)
		types[count++] = "cgroup";
	if (want->is_rootless)
		types[count++] = "user";

	json_open(w, "namespaces", '[');
	for (i = 0; i < count; i++) {
		json_open(w, NULL, '{');
		json_put_string(w, "type", types[i]);
		json_close(w, '}');
	}
	json_close(w, ']');
}

int oci_default_write(const struct oci_default *want, struct json_writer *out)
{
	json_open(out, NULL, '{');
	json_put_string(out, "ociVersion", "1.3.0");
	put_process(out);
	json_open(out, "root", '{');
	json_put_string(out, "path", "rootfs");
	json_put_bool(out, "readonly", true);
	json_close(out, '}');
	json_put_string(out, "hostname", "mxcrun");
	put_mounts(want, out);
	json_open(out, "linux", '{');
	if (want->is_rootless) {
		put_mapping(out, "uidMappings", want->uid);
		put_mapping(out, "gidMappings", want->gid);
	} else {
		put_resources(out);
	}
	put_namespaces(want, out);
	put_strings(out, "maskedPaths", masked_paths);
	put_strings(out, "readonlyPaths", readonly_paths);
	json_close(out, '}');
	json_close(out, '}');
	return out->out.failed ? -ENOMEM : 0;
}

/* from_oci_mounts.c - the mounts of the configuration, in its order, each as one step of the plan.
 *
 * What kind of mount an entry is follows from its options first, as everywhere: "bind" and "rbind"
 * make the type meaningless. The shape of a bind's source is not known here; the engine looks at
 * the object that it opened.
 */
#include <string.h>

#include "base/path.h"
#include "plan/from_oci.h"
#include "plan/options.h"

/* Single files below /proc that others provide better than the kernel does (lxcfs): they inform,
 * they don't protect anything. Nothing else may be mounted in there (invariant 8). */
static const char *const proc_files[] = {
	"/proc/cpuinfo",
	"/proc/diskstats",
	"/proc/loadavg",
	"/proc/meminfo",
	"/proc/net/dev",
	"/proc/slabinfo",
	"/proc/stat",
	"/proc/swaps",
	"/proc/sys/crypto/fips_enabled",
	"/proc/uptime",
	"/proc/sys/kernel/ns_last_pid",
};

static bool is_proc_file(const char *path)
{
	size_t i;

	for (i = 0; i < array_size(proc_files); i++)
		if (strcmp(path, proc_files[i]) == 0)
			return true;
	return false;
}

/* Does the mount put the file system at its own place: a new one, or the host's as a bind? */
static bool is_own_filesystem(const struct plan_mount *mount, const char *fstype, const char *path)
{
	if (mount->kind == MOUNT_BIND)
		return strcmp(mount->source, path) == 0;
	return mount->kind == MOUNT_REMOUNT ||
	       (mount->kind == MOUNT_FILESYSTEM && strcmp(mount->fstype, fstype) == 0);
}

/* /proc and /sys have to be what they claim to be, because the runtime and its masks rely on them.
 */
static int check_destination(const struct plan_mount *mount, struct err **err)
{
	const char *path = mount->destination;

	if (!path[1] && mount->kind != MOUNT_BIND && mount->kind != MOUNT_FILESYSTEM)
		return err_set(err, E_CONFIG, 0, mount->pointer,
			       "only a bind or a new file system can take the place of the root");
	if (strcmp(path, "/proc") == 0 && !is_own_filesystem(mount, "proc", "/proc"))
		return err_set(err, E_CONFIG, 0, mount->pointer,
			       "only procfs may be mounted at /proc");
	if (strcmp(path, "/sys") == 0 && !is_own_filesystem(mount, "sysfs", "/sys"))
		return err_set(err, E_CONFIG, 0, mount->pointer,
			       "only sysfs may be mounted at /sys");
	if (path_is_within(path, "/proc") && path[5] && mount->kind != MOUNT_REMOUNT &&
	    !(mount->kind == MOUNT_BIND && is_proc_file(path)))
		return err_set(err, E_CONFIG, 0, mount->pointer,
			       "%.128s can't be mounted inside /proc", path);
	return 0;
}

static int find_kind(const struct oci_mount *entry, const struct mount_option_marks *marks,
		     enum plan_mount_kind *ret, const char *pointer, struct err **err)
{
	const char *type = entry->type && *entry->type ? entry->type : NULL;

	if (marks->is_remount)
		*ret = MOUNT_REMOUNT;
	else if (marks->is_bind || (type && strcmp(type, "bind") == 0))
		*ret = MOUNT_BIND;
	else if (!type || strcmp(type, "none") == 0)
		return err_set(err, E_CONFIG, 0, pointer,
			       "needs a file system type, or one of the options bind and rbind");
	else if (strcmp(type, "cgroup") == 0 || strcmp(type, "cgroup2") == 0)
		*ret = MOUNT_CGROUP;
	else
		*ret = MOUNT_FILESYSTEM;
	return 0;
}

/* Options that have no effect on this kind of mount would be dropped by the kernel without a word.
 */
static int check_options(struct builder *b, const struct plan_mount *mount,
			 const struct mount_option_marks *marks, const struct oci_mount *entry,
			 struct err **err)
{
	const char *pointer;

	if (mount->kind != MOUNT_FILESYSTEM && marks->has_superblock) {
		pointer = arena_printf(b->arena, "%s/options/%zu", mount->pointer,
				       marks->superblock_index);
		return err_set(err, E_UNSUPPORTED, 0, pointer, "\"%.64s\" has no effect on %s",
			       entry->options.items[marks->superblock_index],
			       mount->kind == MOUNT_BIND     ? "a bind mount"
			       : mount->kind == MOUNT_CGROUP ? "a cgroup mount"
							     : "a remount");
	}
	if (mount->copy_up &&
	    (mount->kind != MOUNT_FILESYSTEM || strcmp(mount->fstype, "tmpfs") != 0))
		return err_set(err, E_CONFIG, 0, mount->pointer, "tmpcopyup is for tmpfs only");
	if (mount->copy_symlink && mount->kind != MOUNT_BIND)
		return err_set(err, E_CONFIG, 0, mount->pointer,
			       "copy-symlink is for bind mounts only");
	if (marks->is_volume && mount->kind != MOUNT_BIND)
		return err_set(err, E_CONFIG, 0, mount->pointer,
			       "copy and nocopy are for bind mounts only");
	return 0;
}

static int build_source(struct builder *b, const struct oci_mount *entry, struct plan_mount *mount,
			struct err **err)
{
	const char *source = entry->source && *entry->source ? entry->source : NULL;

	switch (mount->kind) {
	case MOUNT_BIND:
		if (!source)
			return err_set(err, E_CONFIG, 0, mount->pointer,
				       "a bind mount needs a source");
		mount->is_directory = true;
		return copy_host_path(b, source, &mount->source, err);
	case MOUNT_FILESYSTEM:
	case MOUNT_CGROUP:
		return copy_string(b, source ? source : entry->type, &mount->source, err);
	default:
		return 0;
	}
}

/* linux.mountLabel: an option of each new file system, but for those whose files have labels of their own. */
static int add_label(struct builder *b, struct plan_mount *mount, struct err **err)
{
	const char *label = b->linux_->mount_label;
	struct plan_option *options;

	if (!label || !*label || mount->kind != MOUNT_FILESYSTEM || !strcmp(mount->fstype, "proc") ||
	    !strcmp(mount->fstype, "sysfs"))
		return 0;
	options = arena_array(b->arena, mount->option_count + 1, sizeof(*options));
	if (!options)
		return err_nomem(err);
	if (mount->option_count)
		memcpy(options, mount->options, mount->option_count * sizeof(*options));
	options[mount->option_count].key = arena_strdup(b->arena, "context");
	mount->options = options;
	return copy_string(b, label, &options[mount->option_count++].value, err);
}

static int build_mount(struct builder *b, const struct oci_mount *entry, struct plan_mount *mount,
		       struct err **err)
{
	struct mount_option_marks marks = { 0 };
	int r;

	if (!*entry->destination)
		return err_set(err, E_CONFIG, 0, mount->pointer, "the destination is empty");
	r = copy_clean_path(b, entry->destination, &mount->destination, err);
	if (r == 0)
		r = mount_options_apply(b->arena, &entry->options, mount, &marks, mount->pointer,
					err);
	if (r == 0)
		r = find_kind(entry, &marks, &mount->kind, mount->pointer, err);
	/* as mount(8) has it for "bind,ro", and runc also for "bind,rw" */
	mount->is_exact = mount->kind == MOUNT_BIND && (mount->attr_set || mount->attr_clear);
	if (r == 0)
		r = build_source(b, entry, mount, err);
	if (r == 0 && (mount->kind == MOUNT_FILESYSTEM || mount->kind == MOUNT_CGROUP))
		r = copy_string(b, entry->type, &mount->fstype, err);
	if (r == 0)
		r = check_options(b, mount, &marks, entry, err);
	if (r == 0)
		r = add_label(b, mount, err);
	if (r == 0)
		r = build_mount_maps(b, entry, &marks, mount, err);
	return r == 0 ? check_destination(mount, err) : r;
}

int build_mounts(struct builder *b, struct err **err)
{
	size_t count = b->config->mounts.count, i;
	int r;

	b->plan->mounts = arena_array(b->arena, count, sizeof(*b->plan->mounts));
	if (!b->plan->mounts)
		return err_nomem(err);
	for (i = 0; i < count; i++) {
		struct plan_mount *mount = &b->plan->mounts[i];

		mount->pointer = item_pointer(b, "/mounts", i);
		if (!mount->pointer)
			return err_nomem(err);
		r = build_mount(b, &b->config->mounts.items[i], mount, err);
		if (r < 0)
			return r;
		b->plan->mount_count++;
	}
	return 0;
}

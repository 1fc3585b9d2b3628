/* from_policy_view.c - the mounts of a sandbox, in order.
 *
 * First the root: an empty tmpfs, the host's whole root where that is granted, or an image. On the first the
 * system's folders; then what every sandbox has of its own: /dev, /proc, /tmp, which lie above a
 * granted root; last the entries of the policy, shallow to deep. Everything but the sandbox's own
 * device nodes is nosuid and nodev.
 */
#include "plan/from_policy_view.h"

#include <inttypes.h>
#include <string.h>

#include "base/path.h"
#include "base/sys.h"

#define SAFE (SYS_ATTR_NOSUID | SYS_ATTR_NODEV)
#define READ_ONLY (SAFE | SYS_ATTR_RDONLY)

/* ---- what every sandbox has of its own ---- */

struct own_mount {
	enum plan_mount_kind kind;
	const char *destination, *source, *fstype;
	uint64_t attributes;
	struct plan_option options[4]; /* ended by a NULL key */
};

/* Read-only is the mount, which leaves the device to be written to: root's sandbox would be the owner of the host's node. */
#define DEVICE(path_)                                                          \
	{                                                                      \
		.kind = MOUNT_BIND, .destination = (path_), .source = (path_), \
		.attributes = SYS_ATTR_RDONLY | SYS_ATTR_NOSUID | SYS_ATTR_NOEXEC, \
	}
#define LINK(path_, target_)                                                        \
	{                                                                           \
		.kind = MOUNT_SYMLINK, .destination = (path_), .source = (target_), \
	}

static const struct own_mount own_mounts[] = {
	{ MOUNT_FILESYSTEM,
	  "/dev",
	  "tmpfs",
	  "tmpfs",
	  SYS_ATTR_NOSUID | SYS_ATTR_NOEXEC,
	  { { "mode", "0755" }, { "size", "1m" }, { "nr_inodes", "1k" } } },
	/* Nodes can't be made in a user namespace: the host's are bound one by one. */
	DEVICE("/dev/null"),
	DEVICE("/dev/zero"),
	DEVICE("/dev/full"),
	DEVICE("/dev/random"),
	DEVICE("/dev/urandom"),
	DEVICE("/dev/tty"),
	LINK("/dev/fd", "/proc/self/fd"),
	LINK("/dev/stdin", "/proc/self/fd/0"),
	LINK("/dev/stdout", "/proc/self/fd/1"),
	LINK("/dev/stderr", "/proc/self/fd/2"),
	LINK("/dev/ptmx", "pts/ptmx"),
	{ MOUNT_FILESYSTEM,
	  "/dev/pts",
	  "devpts",
	  "devpts",
	  SYS_ATTR_NOSUID | SYS_ATTR_NOEXEC,
	  { { "newinstance", NULL }, { "ptmxmode", "0666" }, { "mode", "0620" } } },
	{ MOUNT_FILESYSTEM,
	  "/dev/shm",
	  "shm",
	  "tmpfs",
	  SAFE,
	  { { "mode", "1777" }, { "size", "1g" }, { "nr_inodes", "1m" } } },
	{ MOUNT_FILESYSTEM, "/proc", "proc", "proc", SAFE | SYS_ATTR_NOEXEC, { { NULL, NULL } } },
};

static const struct own_mount own_tmp = {
	MOUNT_FILESYSTEM, "/tmp", "tmpfs",
	"tmpfs",	  SAFE,	  { { "mode", "1777" }, { "size", "2g" }, { "nr_inodes", "1m" } }
};

static const struct own_mount own_run_link = LINK("/var/run", "/run");

/* The kernel takes id 0 of the machine for the owner of these, without asking for a capability; a
 * sandbox that root starts has that id. */
static const char *const kernel_settings[] = {
	"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger",
};
static const char *const kernel_memory[] = {
	"/proc/acpi",	     "/proc/asound",	    "/proc/kcore",
	"/proc/keys",	     "/proc/latency_stats", "/proc/timer_list",
	"/proc/timer_stats", "/proc/sched_debug",   "/proc/scsi",
};

/* Mounts beside folders, entries and own_mounts: the root's attributes, /var/run, /tmp, /sys, the
 * terminal, the resolver, names of hosts. */
#define SINGLE_MOUNTS 7u

static int copy_options(struct builder *b, const struct plan_option *options,
			struct plan_mount *mount, struct err **err)
{
	struct plan_option *copy;
	size_t count = 0, i;
	int r = 0;

	while (options[count].key)
		count++;
	if (!count)
		return 0;
	copy = arena_array(b->arena, count, sizeof(*copy));
	if (!copy)
		return err_nomem(err);
	for (i = 0; i < count && r == 0; i++) {
		r = copy_string(b, options[i].key, &copy[i].key, err);
		if (r == 0)
			r = copy_string(b, options[i].value, &copy[i].value, err);
	}
	mount->options = copy;
	mount->option_count = count;
	return r;
}

/* Append a mount; what it does not say yet is the caller's to fill in. The slot is filled member by
 * member: a copied struct would bring the stack's bytes between its members into the shared plan.
 */
static int add_mount(struct builder *b, enum plan_mount_kind kind, const char *destination,
		     const char *source, const char *pointer, struct plan_mount **ret,
		     struct err **err)
{
	struct plan_mount *mount = &b->plan->mounts[b->plan->mount_count++];
	int r;

	mount->kind = kind;
	r = copy_string(b, destination, &mount->destination, err);
	if (r == 0)
		r = copy_string(b, source, &mount->source, err);
	if (r == 0)
		r = copy_string(b, pointer, &mount->pointer, err);
	*ret = mount;
	return r;
}

static int add_own(struct builder *b, const struct own_mount *own, struct err **err)
{
	struct plan_mount *mount;
	int r = add_mount(b, own->kind, own->destination, own->source, NULL, &mount, err);

	if (r == 0)
		r = copy_string(b, own->fstype, &mount->fstype, err);
	mount->is_directory = own->kind == MOUNT_FILESYSTEM;
	mount->attr_set = own->attributes;
	return r == 0 ? copy_options(b, own->options, mount, err) : r;
}

static int add_console(struct builder *b, const char *terminal, struct err **err)
{
	struct plan_mount *mount;
	int r = add_mount(b, MOUNT_BIND, "/dev/console", terminal, NULL, &mount, err);

	mount->attr_set = SYS_ATTR_NOSUID | SYS_ATTR_NOEXEC;
	return r;
}

static int add_own_mounts(struct builder *b, const struct policy_decisions *decisions,
			  struct err **err)
{
	size_t i;
	int r = 0;

	for (i = 0; i < array_size(own_mounts) && r == 0; i++)
		r = add_own(b, &own_mounts[i], err);
	if (r == 0 && decisions->process.terminal)
		r = add_console(b, decisions->process.terminal, err);
	if (r == 0 && decisions->filesystem.wants_tmp)
		r = add_own(b, &own_tmp, err);
	return r;
}

/* ---- the host's part ---- */

/* With everything mounted below it: attributes hold for the whole tree. */
static int add_bind(struct builder *b, const char *destination, const char *source,
		    uint64_t attributes, const char *pointer, struct plan_mount **ret,
		    struct err **err)
{
	struct plan_mount *mount;
	int r = add_mount(b, MOUNT_BIND, destination, source, pointer, &mount, err);

	mount->is_recursive = true;
	mount->is_directory = true;
	mount->attr_set_recursive = attributes;
	*ret = mount;
	return r;
}

static int add_folder(struct builder *b, const struct policy_folder *folder, struct err **err)
{
	struct plan_mount *mount;
	int r;

	if (!folder->source)
		return add_mount(b, MOUNT_SYMLINK, folder->path, folder->link, NULL, &mount, err);
	r = add_bind(b, folder->path, folder->source, READ_ONLY, NULL, &mount, err);
	mount->is_directory = folder->is_directory;
	return r;
}

static int add_folders(struct builder *b, const struct policy_filesystem *fs, struct err **err)
{
	size_t i;
	int r = 0;

	/* an engine that has the directory of the last bind open makes the next one there at less cost */
	for (i = 0; i < fs->folder_count && r == 0; i++)
		if (fs->folders[i].source)
			r = add_folder(b, &fs->folders[i], err);
	for (i = 0; i < fs->folder_count && r == 0; i++)
		if (!fs->folders[i].source)
			r = add_folder(b, &fs->folders[i], err);
	return r == 0 ? add_own(b, &own_run_link, err) : r;
}

/* The host's root, with everything mounted below it. Its /sys is never writable: it has settings of
 * the kernel, and the control groups, as files. */
static int add_whole_root(struct builder *b, const struct policy_filesystem *fs, struct err **err)
{
	struct plan_mount *mount;
	int r = add_mount(b, MOUNT_REMOUNT, "/", NULL, fs->whole_root_pointer, &mount, err);

	mount->is_directory = true;
	mount->is_recursive = true;
	mount->attr_set_recursive = fs->whole_root == WHOLE_ROOT_READONLY ? READ_ONLY : SAFE;
	if (r < 0 || !fs->covers_sysfs)
		return r;
	return add_bind(b, "/sys", "/sys", READ_ONLY, fs->whole_root_pointer, &mount, err);
}

static int add_entry(struct builder *b, const struct policy_entry *entry, struct err **err)
{
	struct plan_mount *mount;
	int r;

	if (entry->intent == INTENT_DENIED) {
		r = add_mount(b, MOUNT_DENY, entry->destination, NULL, entry->pointer, &mount, err);
		mount->is_reopened = entry->is_reopened;
	} else {
		r = add_bind(b, entry->destination, entry->source,
			     entry->intent == INTENT_READONLY ? READ_ONLY : SAFE, entry->pointer,
			     &mount, err);
		mount->source_dev = entry->dev;
		mount->source_ino = entry->ino;
	}
	mount->is_directory = entry->is_directory;
	return r;
}

/* ---- what the section of the back end puts there ---- */

static int add_tmpfs(struct builder *b, const struct policy_tmpfs *tmpfs, struct err **err)
{
	const char *size = arena_printf(b->arena, "%" PRIu64 "m", tmpfs->size_mb);
	const struct plan_option options[] = { { "mode", "1777" }, { "size", size }, { "nr_inodes", "1m" }, { NULL, NULL } };
	struct plan_mount *mount;
	int r = size ? add_mount(b, MOUNT_FILESYSTEM, tmpfs->path, "tmpfs", tmpfs->pointer, &mount, err) : err_nomem(err);

	if (r == 0)
		r = copy_string(b, "tmpfs", &mount->fstype, err);
	if (r < 0)
		return r;
	mount->is_directory = true;
	mount->attr_set = SAFE;
	return copy_options(b, options, mount, err);
}

static int add_symlinks(struct builder *b, const struct policy_filesystem *fs, struct err **err)
{
	struct plan_mount *mount;
	int r = 0;

	for (size_t i = 0; i < fs->symlink_count && r == 0; i++)
		r = add_mount(b, MOUNT_SYMLINK, fs->symlinks[i].path, fs->symlinks[i].target, fs->symlinks[i].pointer, &mount,
			      err);
	return r;
}

/* Both are in order, shallow before deep, and so is what they become. */
static int add_entries(struct builder *b, const struct policy_filesystem *fs, struct err **err)
{
	size_t next = 0;
	int r = 0;

	for (size_t i = 0; i < fs->entry_count && r == 0; i++) {
		for (; next < fs->tmpfs_count && r == 0 &&
		       policy_depth(fs->tmpfs[next].path) <= policy_depth(fs->entries[i].destination); next++)
			r = add_tmpfs(b, &fs->tmpfs[next], err);
		if (r == 0)
			r = add_entry(b, &fs->entries[i], err);
	}
	for (; next < fs->tmpfs_count && r == 0; next++)
		r = add_tmpfs(b, &fs->tmpfs[next], err);
	return r;
}

/* ---- names of hosts ---- */

/* Has the policy denied the place, or what it lies in? The last entry around it is the one that is seen. */
static bool is_denied(const struct policy_filesystem *fs, const char *path)
{
	bool is_denied = false;

	for (size_t i = 0; i < fs->entry_count; i++)
		if (path_is_within(path, fs->entries[i].destination))
			is_denied = fs->entries[i].intent == INTENT_DENIED;
	return is_denied;
}

/* Does a custom bind show something of the author's choice there? */
static bool is_bound(const struct policy_filesystem *fs, const char *path)
{
	for (size_t i = 0; i < fs->entry_count; i++)
		if (fs->entries[i].is_bind && path_is_within(path, fs->entries[i].destination))
			return true;
	return false;
}

static int add_file(struct builder *b, const char *path, const char *content, const char *pointer, struct err **err)
{
	struct plan_mount *mount;
	int r = add_mount(b, MOUNT_FILE, path, NULL, pointer, &mount, err);

	return r == 0 ? copy_string(b, content, &mount->content, err) : r;
}

/* The host's resolver is not in a network of the sandbox's own; its carrier forwards what comes to this address. */
static int add_resolver(struct builder *b, const struct policy_filesystem *fs, struct err **err)
{
	const char *path = b->facts->resolv_conf;

	if (b->plan->network != NETWORK_FILTERED || !path || is_denied(fs, path) || is_denied(fs, "/etc/resolv.conf") ||
	    is_bound(fs, path) || is_bound(fs, "/etc/resolv.conf"))
		return 0;
	return add_file(b, path, "nameserver 10.0.2.3\n", b->plan->network_policy.pointer, err);
}

/* Without it a program could not find the proxy or the host, or would find another. */
static int add_hosts(struct builder *b, const struct policy_decisions *decisions, struct err **err)
{
	const char *path = b->facts->names.hosts_path, *pointer = b->plan->network_policy.pointer;
	const struct policy_filesystem *fs = &decisions->filesystem;

	if (!decisions->network.hosts || !path)
		return 0;
	if (b->plan->network == NETWORK_PROXY)
		pointer = b->plan->network_policy.proxy.pointer;
	if (is_denied(fs, path) || is_denied(fs, "/etc/hosts"))
		return err_set(err, E_POLICY, 0, pointer,
			       "a host by name needs /etc/hosts, which filesystem.deniedPaths hides");
	if (is_bound(fs, path) || is_bound(fs, "/etc/hosts"))
		return err_set(err, E_POLICY, 0, pointer,
			       "a host by name needs /etc/hosts, in whose place bubblewrap.customBinds puts another");
	return add_file(b, path, decisions->network.hosts, pointer, err);
}

/* ---- /proc ---- */

static int add_paths(struct builder *b, const char *const *list, size_t count,
		     struct plan_paths *ret, struct err **err)
{
	int r = 0;

	ret->items = arena_array(b->arena, count, sizeof(*ret->items));
	if (!ret->items)
		return err_nomem(err);
	for (ret->count = 0; ret->count < count && r == 0; ret->count++)
		r = copy_string(b, list[ret->count], &ret->items[ret->count].path, err);
	return r;
}

static bool is_proc_denied(const struct policy_filesystem *fs)
{
	size_t i;

	for (i = 0; i < fs->entry_count; i++)
		if (strcmp(fs->entries[i].destination, "/proc") == 0)
			return true;
	return false;
}

static int cover_kernel_files(struct builder *b, const struct policy_filesystem *fs,
			      struct err **err)
{
	int r;

	if (b->facts->euid != 0 || is_proc_denied(fs))
		return 0;
	r = add_paths(b, kernel_memory, array_size(kernel_memory), &b->plan->masked, err);
	return r == 0 ? add_paths(b, kernel_settings, array_size(kernel_settings),
				  &b->plan->readonly, err)
		      : r;
}

/* ---- all of it ---- */

static int build_view_root(struct builder *b, const struct policy_filesystem *fs, struct err **err)
{
	static const enum plan_root_kind kinds[] = {
		[WHOLE_ROOT_NO] = ROOT_VIEW,
		[WHOLE_ROOT_READONLY] = ROOT_BUNDLE,
		[WHOLE_ROOT_READWRITE] = ROOT_BUNDLE,
		[WHOLE_ROOT_IMAGE] = ROOT_IMAGE,
	};

	b->plan->root.kind = kinds[fs->whole_root];
	b->plan->root.is_readonly = fs->whole_root == WHOLE_ROOT_READONLY;
	return fs->whole_root == WHOLE_ROOT_NO ? 0 : copy_string(b, fs->image ? fs->image : "/", &b->plan->root.path, err);
}

static int fill_root(struct builder *b, const struct policy_filesystem *fs, struct err **err)
{
	if (fs->whole_root == WHOLE_ROOT_NO)
		return add_folders(b, fs, err);
	return fs->image ? 0 : add_whole_root(b, fs, err);
}

int build_view(struct builder *b, const struct policy_decisions *decisions, struct err **err)
{
	const struct policy_filesystem *fs = &decisions->filesystem;
	int r = build_view_root(b, fs, err);

	b->plan->mounts = arena_array(b->arena,
				      fs->folder_count + fs->entry_count + fs->tmpfs_count + fs->symlink_count +
					      array_size(own_mounts) + SINGLE_MOUNTS,
				      sizeof(*b->plan->mounts));
	if (!b->plan->mounts)
		return err_nomem(err);
	if (r == 0)
		r = fill_root(b, fs, err);
	if (r == 0)
		r = add_own_mounts(b, decisions, err);
	if (r == 0)
		r = add_entries(b, fs, err);
	if (r == 0)
		r = add_resolver(b, fs, err);
	if (r == 0)
		r = add_hosts(b, decisions, err);
	if (r == 0)
		r = add_symlinks(b, fs, err);
	return r == 0 ? cover_kernel_files(b, fs, err) : r;
}

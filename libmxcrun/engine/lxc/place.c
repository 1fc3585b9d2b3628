/* place.c - the mount namespace in which lxc-start runs: see place.h.
 *
 * LXC binds a tree with the flags that it has, gives flags of its own to the topmost mount only and to what is
 * read-only, and makes cgroups wherever it sees some. So each tree is cloned and gets its flags here, as the native engine
 * does, and LXC binds the clone; and both /run, where it has its folder, and the cgroup file systems are covered, after the trees were
 * taken, which may contain those.
 */
#include "engine/lxc/place.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "base/path.h"
#include "base/sys.h"
#include "engine/lxc/emit.h"
#include "engine/native/mounts.h"

#define CGROUP_PLACE "/sys/fs/cgroup"
#define COVER_OWNER 65534u
#define UNCHANGED UINT32_MAX	/* to chown(2) */
#define CALLS_PER_STEP 8
#define CALLS_BESIDE 32

/* ---- what is on it ---- */

static bool is_bind(const struct plan_mount *mount)
{
	return mount->kind == MOUNT_BIND;
}

/* Those of the whole tree last, as natively. What an exact bind loses is locked in a user namespace, all of it or nothing. */
static void add_flags(struct calls *place, int slot, const char *object, const struct plan_mount *mount)
{
	uint32_t unnamed = plan_mount_cleared(mount) & ~mount->attr_clear;

	calls_add_flags(place, slot, object, mount->pointer, 0, unnamed, 0);
	if (unnamed)
		place->items[place->count - 1].tolerated = EPERM;
	calls_add_flags(place, slot, object, mount->pointer, mount->attr_set, mount->attr_clear, 0);
	calls_add_flags(place, slot, object, mount->pointer, mount->attr_set_recursive, mount->attr_clear_recursive,
			SYS_AT_RECURSIVE);
}

/* Before anything is covered. The slots of the binds come in their order, then the root's. */
static void take_trees(struct calls *place, const struct plan *plan)
{
	const struct plan_root *root = &plan->root;
	const struct plan_mount *first = plan->mount_count ? &plan->mounts[0] : NULL;

	for (size_t i = 0; i < plan->mount_count; i++) {
		const struct plan_mount *mount = &plan->mounts[i];
		int slot;

		if (!is_bind(mount))
			continue;
		slot = calls_add_clone(place, mount->source, mount->pointer, mount->is_recursive);
		add_flags(place, slot, mount->source, mount);
	}
	if (root->kind == ROOT_VIEW)
		return;
	(void)calls_add_clone(place, root->path, "/root/path", true);
	if (first && mount_is_root_remount(first))
		add_flags(place, place->slot_count - 1, root->path, first);
}

/* The folder need not be there, and an ordinary user could not make it. */
static void cover(struct calls *place)
{
	calls_add_tmpfs(place, LXC_PLACE_ABOVE, MS_NOSUID | MS_NODEV, "mode=0755");
	calls_add_folder(place, LXC_PLACE, 0755);
	calls_add_tmpfs(place, CGROUP_PLACE, MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0555,size=4k");
	place->items[place->count - 1].tolerated = ENOENT;
	calls_add_folder(place, LXC_PLACE_STATE, 0755);
	calls_add_folder(place, LXC_PLACE "/" LXC_MOUNT_PLACE, 0755);
}

static void make_root(struct calls *place, const struct plan *plan)
{
	calls_add_folder(place, LXC_PLACE_ROOT, 0755);
	switch (plan->root.kind) {
	case ROOT_VIEW:
		calls_add_tmpfs(place, LXC_PLACE_ROOT, MS_NOSUID | MS_NODEV, "mode=0755,size=" ROOTFS_VIEW_SIZE);
		return;
	case ROOT_IMAGE:
		calls_lay_over_image(place, place->slot_count - 1, LXC_PLACE_ROOT);
		return;
	case ROOT_BUNDLE:
		calls_add_attach(place, place->slot_count - 1, LXC_PLACE_ROOT);
		return;
	}
}

static const char *tree_path(struct calls *place, size_t step)
{
	const char *path = arena_printf(place->arena, LXC_PLACE_TREE "/%zu", step);

	place->failed |= !path;
	return path ? path : "";
}

static void add_content(struct calls *place, const char *path, const struct plan_mount *mount)
{
	int slot = place->slot_count++;

	calls_add(place, (struct call){ CALL(openat, AT_FDCWD, TEXT(path), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0444),
					.object = path, .pointer = mount->pointer, .gives = slot });
	calls_add(place, (struct call){ CALL(write, 0, TEXT(mount->content), (long)strlen(mount->content)),
					.object = path, .pointer = mount->pointer, .takes = slot });
}

/* The latest step before it that it lies in; NULL: the root. */
static const struct plan_mount *mount_below(const struct plan *plan, const struct plan_mount *mount)
{
	for (const struct plan_mount *before = mount; before-- > plan->mounts;)
		if (before->kind != MOUNT_SYMLINK && before->kind != MOUNT_DIRECTORY && before->kind != MOUNT_REMOUNT &&
		    path_is_within(mount->destination, before->destination))
			return before;
	return NULL;
}

static bool is_special(const char *path)
{
	struct stat st;

	return path && lstat(path, &st) == 0 && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode) && !S_ISLNK(st.st_mode);
}

/* NULL: LXC can do it, or (in *failed) there is no memory. */
static const char *find_special(struct arena *arena, const struct plan *plan, const struct plan_mount *mount, bool *failed)
{
	const struct plan_mount *below = mount_below(plan, mount);
	const char *rest = mount->destination, *host, *here;

	if ((mount->kind != MOUNT_DENY && !is_bind(mount)) || mount->is_directory || (below && !(is_bind(below) && below->is_recursive)) ||
	    (!below && plan->root.kind == ROOT_VIEW))
		return NULL;
	if (below && strcmp(below->destination, "/") != 0)
		rest += strlen(below->destination);
	host = arena_printf(arena, "%s%s", below ? below->source : plan->root.path, rest);
	if (below)
		here = arena_printf(arena, LXC_PLACE_TREE "/%zu%s", (size_t)(below - plan->mounts), rest);
	else
		here = arena_printf(arena, "%s%s", plan->root.kind == ROOT_IMAGE ? LXC_PLACE_ROOT CALLS_ROOT : LXC_PLACE_ROOT, rest);
	*failed |= !host || !here;
	return is_special(host) ? here : NULL;
}

const char *const *lxc_place_ready(struct arena *arena, const struct plan *plan)
{
	const char **ready = arena_array(arena, plan->mount_count + 1, sizeof(*ready));
	bool failed = !ready;

	for (size_t i = 0; i < plan->mount_count && ready; i++)
		ready[i] = find_special(arena, plan, &plan->mounts[i], &failed);
	return failed ? NULL : ready;
}

/* In the order of the plan, each upon what it lies in. */
static void put_ready(struct calls *place, const struct plan *plan, const char *const *ready)
{
	for (size_t i = 0; i < plan->mount_count; i++) {
		int slot;

		if (!ready[i])
			continue;
		slot = calls_add_clone(place, is_bind(&plan->mounts[i]) ? tree_path(place, i) : LXC_PLACE "/" OCI_COVER_FILE, plan->mounts[i].pointer,
				       true);
		calls_add_attach(place, slot, ready[i]);
	}
}

static void put_trees(struct calls *place, const struct plan *plan)
{
	int slot = CALLS_NO_SLOT + 1;

	calls_add_folder(place, LXC_PLACE_TREE, 0755);
	for (size_t i = 0; i < plan->mount_count; i++) {
		const struct plan_mount *mount = &plan->mounts[i];
		const char *path = is_bind(mount) || mount->kind == MOUNT_FILE ? tree_path(place, i) : NULL;

		if (mount->kind == MOUNT_FILE)
			add_content(place, path, mount);
		if (!is_bind(mount))
			continue;
		if (mount->is_directory)
			calls_add_folder(place, path, 0755);
		else
			calls_add_file(place, path);
		calls_add_attach(place, slot++, path);
	}
}

/* As the process that makes the cover has to say it; what the maps don't have is the process' own. */
static uint32_t owner_of_covers(const struct plan *plan, const struct plan_idmaps *maps, bool userns_is_ours)
{
	const struct plan_idmap *map = plan_idmap_inside(maps, COVER_OWNER);

	if (plan->namespaces[NS_USER].mode != NS_NEW || (map && userns_is_ours))
		return COVER_OWNER;
	return map ? map->outside + (COVER_OWNER - map->inside) : UNCHANGED;
}

static void make_covers(struct calls *place, const struct plan *plan, bool userns_is_ours)
{
	const char *const paths[] = { LXC_PLACE "/" OCI_COVER_DIR, LXC_PLACE "/" OCI_COVER_FILE };
	uint32_t uid = owner_of_covers(plan, &plan->uid_maps, userns_is_ours);
	uint32_t gid = owner_of_covers(plan, &plan->gid_maps, userns_is_ours);

	calls_add_folder(place, LXC_PLACE "/denied", 0755);
	calls_add_folder(place, paths[0], 0);
	calls_add_file(place, paths[1]);
	for (size_t i = 0; i < array_size(paths); i++)
		calls_add(place, (struct call){ CALL(fchownat, AT_FDCWD, TEXT(paths[i]), uid, gid, AT_SYMLINK_NOFOLLOW),
						.object = paths[i] });
}

struct calls *lxc_place_prepare(struct arena *arena, const struct plan *plan, const char *const *ready, bool userns_is_ours)
{
	struct calls *place = calls_new(arena, "lxc", CALLS_PER_STEP * plan->mount_count + CALLS_BESIDE, 2 * plan->mount_count + 1);

	if (!place)
		return NULL;
	calls_begin(place);
	take_trees(place, plan);
	cover(place);
	make_root(place, plan);
	put_trees(place, plan);
	make_covers(place, plan, userns_is_ours);
	put_ready(place, plan, ready);
	return place->failed ? NULL : place;
}

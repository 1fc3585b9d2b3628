/* place.c - the mount namespace in which lxc-start runs: see place.h.
 *
 * LXC binds a tree with the flags that it has, gives flags of its own to the topmost mount only and to what is
 * read-only, and makes cgroups wherever it sees some. So each tree is cloned and gets its flags here, as the native engine
 * does, and LXC binds the clone; and both its folder in /run and the cgroup file systems are covered, after the trees were
 * taken, which may contain those. Everything is a list of system calls, made by the parent: the child, which shares its memory
 * until it executes lxc-start, only carries it out.
 */
#include "engine/lxc/place.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base/sys.h"
#include "engine/lxc/emit.h"
#include "engine/native/clone.h"
#include "engine/native/mounts.h"

#define CGROUP_PLACE "/sys/fs/cgroup"
#define IMAGE_PLACE LXC_PLACE "/image"
#define LAYERS_PLACE LXC_PLACE "/layers"
#define ROOT_PLACE LXC_PLACE "/" OCI_ROOT
#define COVER_OWNER 65534u
#define CALLS_PER_STEP 6
#define CALLS_BESIDE 32
#define NO_SLOT 0

struct call {
	const char *operation, *object, *pointer;
	long number, arguments[5];
	int tolerated;		/* an errno that is none */
	int gives, takes;	/* slots of descriptors, or NO_SLOT: of the result; of the first argument */
};

struct lxc_place {
	struct arena *arena;
	struct call *calls;
	size_t count;
	long *slots;
	int slot_count;
	bool failed;		/* out of memory */
	const struct call *failed_call;		/* by the child */
	int failed_errno;
};

/* ---- the list ---- */

static void add(struct lxc_place *place, struct call call)
{
	place->calls[place->count++] = call;
}

#define CALL(name, ...) .operation = #name, .number = SYS_##name, .arguments = { __VA_ARGS__ }
#define TEXT(text) ((long)(uintptr_t)(text))

static void add_folder(struct lxc_place *place, const char *path, mode_t mode)
{
	add(place, (struct call){ CALL(mkdirat, AT_FDCWD, TEXT(path), mode), .object = path });
}

static void add_file(struct lxc_place *place, const char *path)
{
	add(place, (struct call){ CALL(mknodat, AT_FDCWD, TEXT(path), S_IFREG, 0), .object = path });
}

static void add_tmpfs(struct lxc_place *place, const char *path, unsigned long flags, const char *options)
{
	add(place, (struct call){ CALL(mount, TEXT("mxcrun"), TEXT(path), TEXT("tmpfs"), (long)flags, TEXT(options)), .object = path });
}

static void add_flags(struct lxc_place *place, int slot, const char *object, const char *pointer, uint64_t set, uint64_t clear,
		      unsigned int how)
{
	const struct sys_mount_attr value = {
		.attr_set = set, .attr_clr = clear | (set & SYS_ATTR_ATIME_MASK ? SYS_ATTR_ATIME_MASK : 0),
	};
	const struct sys_mount_attr *attr = arena_memdup(place->arena, &value, sizeof(value));

	if (!set && !clear)
		return;
	place->failed |= !attr;
	add(place, (struct call){ CALL(mount_setattr, 0, TEXT(""), (long)(SYS_AT_EMPTY_PATH | how), TEXT(attr), sizeof(value)),
				  .object = object, .pointer = pointer, .takes = slot });
}

/* A clone of a tree of the host, in a slot. */
static int add_clone(struct lxc_place *place, const char *path, const char *pointer, bool is_recursive)
{
	int slot = place->slot_count++;

	add(place, (struct call){ CALL(open_tree, AT_FDCWD, TEXT(path),
				       (long)(SYS_OPEN_TREE_CLONE | SYS_OPEN_TREE_CLOEXEC | (is_recursive ? SYS_AT_RECURSIVE : 0))),
				  .object = path, .pointer = pointer, .gives = slot });
	return slot;
}

static void add_attach(struct lxc_place *place, int slot, const char *path)
{
	add(place, (struct call){ CALL(move_mount, 0, TEXT(""), AT_FDCWD, TEXT(path), SYS_MOVE_MOUNT_F_EMPTY_PATH), .object = path,
				  .takes = slot });
}

/* ---- what is on it ---- */

static bool is_bind(const struct plan_mount *mount)
{
	return mount->kind == MOUNT_BIND;
}

/* Before anything is covered. The slots of the binds come in their order, then the root's. */
static void take_trees(struct lxc_place *place, const struct plan *plan)
{
	const struct plan_root *root = &plan->root;
	const struct plan_mount *first = plan->mount_count ? &plan->mounts[0] : NULL;

	for (size_t i = 0; i < plan->mount_count; i++) {
		const struct plan_mount *mount = &plan->mounts[i];
		int slot;

		if (!is_bind(mount))
			continue;
		slot = add_clone(place, mount->source, mount->pointer, mount->is_recursive);
		add_flags(place, slot, mount->source, mount->pointer, mount->attr_set_recursive, mount->attr_clear_recursive,
			  SYS_AT_RECURSIVE);
		add_flags(place, slot, mount->source, mount->pointer, mount->attr_set, mount->attr_clear, 0);
	}
	if (root->kind == ROOT_VIEW)
		return;
	(void)add_clone(place, root->path, "/root/path", true);
	if (first && mount_is_root_remount(first)) {
		add_flags(place, place->slot_count - 1, root->path, first->pointer, first->attr_set_recursive,
			  first->attr_clear_recursive, SYS_AT_RECURSIVE);
		add_flags(place, place->slot_count - 1, root->path, first->pointer, first->attr_set, first->attr_clear, 0);
	}
}

static void cover(struct lxc_place *place)
{
	add_tmpfs(place, LXC_PLACE, MS_NOSUID | MS_NODEV, "mode=0755");
	add_tmpfs(place, CGROUP_PLACE, MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0555,size=4k");
	place->calls[place->count - 1].tolerated = ENOENT;
	add_folder(place, LXC_PLACE_STATE, 0755);
	add_folder(place, LXC_PLACE "/" LXC_MOUNT_PLACE, 0755);
	add_folder(place, ROOT_PLACE, 0755);
}

/* The image stays as it is: what is written lies in a tmpfs and ends with the container. */
static void lay_over_image(struct lxc_place *place, int slot)
{
	add_folder(place, IMAGE_PLACE, 0755);
	add_attach(place, slot, IMAGE_PLACE);
	add_folder(place, LAYERS_PLACE, 0755);
	add_tmpfs(place, LAYERS_PLACE, MS_NOSUID | MS_NODEV, "size=2g,mode=0755");
	add_folder(place, LAYERS_PLACE "/upper", 0755);
	add_folder(place, LAYERS_PLACE "/work", 0755);
	add(place, (struct call){ CALL(mount, TEXT("mxcrun"), TEXT(ROOT_PLACE), TEXT("overlay"), MS_NOSUID | MS_NODEV,
				       TEXT("lowerdir=" IMAGE_PLACE ",upperdir=" LAYERS_PLACE "/upper,workdir=" LAYERS_PLACE "/work")),
				  .object = "overlay of the image", .pointer = "/lxc" });
}

static void make_root(struct lxc_place *place, const struct plan *plan)
{
	switch (plan->root.kind) {
	case ROOT_VIEW:
		add_tmpfs(place, ROOT_PLACE, MS_NOSUID | MS_NODEV, "mode=0755,size=" ROOTFS_VIEW_SIZE);
		return;
	case ROOT_IMAGE:
		lay_over_image(place, place->slot_count - 1);
		return;
	case ROOT_BUNDLE:
		add_attach(place, place->slot_count - 1, ROOT_PLACE);
		return;
	}
}

static const char *tree_path(struct lxc_place *place, size_t step)
{
	const char *path = arena_printf(place->arena, LXC_PLACE_TREE "/%zu", step);

	place->failed |= !path;
	return path ? path : "";
}

static void add_content(struct lxc_place *place, const char *path, const struct plan_mount *mount)
{
	int slot = place->slot_count++;

	add(place, (struct call){ CALL(openat, AT_FDCWD, TEXT(path), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0444), .object = path,
				  .pointer = mount->pointer, .gives = slot });
	add(place, (struct call){ CALL(write, 0, TEXT(mount->content), (long)strlen(mount->content)), .object = path,
				  .pointer = mount->pointer, .takes = slot });
}

static void put_trees(struct lxc_place *place, const struct plan *plan)
{
	int slot = NO_SLOT + 1;

	add_folder(place, LXC_PLACE_TREE, 0755);
	for (size_t i = 0; i < plan->mount_count; i++) {
		const struct plan_mount *mount = &plan->mounts[i];
		const char *path = is_bind(mount) || mount->kind == MOUNT_FILE ? tree_path(place, i) : NULL;

		if (mount->kind == MOUNT_FILE)
			add_content(place, path, mount);
		if (!is_bind(mount))
			continue;
		if (mount->is_directory)
			add_folder(place, path, 0755);
		else
			add_file(place, path);
		add_attach(place, slot++, path);
	}
}

/* The id outside for one inside; the owner of the cover where the maps have none. */
static uint32_t id_outside(const struct plan *plan, const struct plan_idmaps *maps, uint32_t id)
{
	for (size_t i = 0; i < maps->count; i++)
		if (id - maps->items[i].inside < maps->items[i].count)
			return maps->items[i].outside + (id - maps->items[i].inside);
	return plan->namespaces[NS_USER].mode == NS_NEW ? 0 : id;
}

static void make_covers(struct lxc_place *place, const struct plan *plan)
{
	const char *const paths[] = { LXC_PLACE "/" OCI_COVER_DIR, LXC_PLACE "/" OCI_COVER_FILE };

	add_folder(place, LXC_PLACE "/denied", 0755);
	add_folder(place, paths[0], 0);
	add_file(place, paths[1]);
	for (size_t i = 0; i < array_size(paths); i++)
		add(place, (struct call){ CALL(fchownat, AT_FDCWD, TEXT(paths[i]), id_outside(plan, &plan->uid_maps, COVER_OWNER),
					       id_outside(plan, &plan->gid_maps, COVER_OWNER), AT_SYMLINK_NOFOLLOW),
					  .object = paths[i] });
}

int lxc_place_prepare(struct arena *arena, const struct plan *plan, struct lxc_place **ret, struct err **err)
{
	struct lxc_place *place = arena_alloc(arena, sizeof(*place));

	if (!place)
		return err_nomem(err);
	*place = (struct lxc_place){
		.arena = arena,
		.calls = arena_array(arena, CALLS_PER_STEP * plan->mount_count + CALLS_BESIDE, sizeof(*place->calls)),
		.slots = arena_array(arena, plan->mount_count + 2, sizeof(*place->slots)),
		.slot_count = NO_SLOT + 1,
	};
	if (!place->calls || !place->slots)
		return err_nomem(err);
	add(place, (struct call){ CALL(umask, 0) });
	add(place, (struct call){ CALL(unshare, CLONE_NEWNS), .object = "mount namespace of lxc-start" });
	add(place, (struct call){ CALL(mount, 0, TEXT("/"), 0, MS_REC | MS_SLAVE, 0), .object = "propagation of /" });
	take_trees(place, plan);
	cover(place);
	make_root(place, plan);
	put_trees(place, plan);
	make_covers(place, plan);
	*ret = place;
	return place->failed ? err_nomem(err) : 0;
}

/* ---- in the child ---- */

int lxc_place_make(void *data)
{
	struct lxc_place *place = data;

	for (size_t i = 0; i < place->count; i++) {
		const struct call *call = &place->calls[i];
		const long *a = call->arguments;
		long r = raw_call(call->number, call->takes == NO_SLOT ? a[0] : place->slots[call->takes], a[1], a[2], a[3], a[4]);

		if (r < 0 && -r != call->tolerated) {
			place->failed_call = call;
			place->failed_errno = (int)-r;
			return place->failed_errno;
		}
		if (call->gives != NO_SLOT)
			place->slots[call->gives] = r;
	}
	return 0;
}

int lxc_place_explain(const struct lxc_place *place, struct err **err)
{
	const struct call *call = place->failed_call;
	int r;

	if (!call)
		return 0;
	r = err_sys(err, E_MOUNT, place->failed_errno, call->operation, call->object, call->pointer);
	if (place->failed_errno == ENOSYS)
		err_hint(err, "the engine lxc needs Linux 5.12");
	return r;
}

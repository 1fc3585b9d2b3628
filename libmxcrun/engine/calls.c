/* calls.c - see calls.h. */
#include "engine/calls.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>

#include "base/sys.h"
#include "engine/native/clone.h"

struct calls *calls_new(struct arena *arena, const char *engine, size_t most_calls, size_t most_slots)
{
	struct calls *calls = arena_alloc(arena, sizeof(*calls));

	if (!calls)
		return NULL;
	*calls = (struct calls){
		.arena = arena,
		.engine = engine,
		.items = arena_array(arena, most_calls, sizeof(*calls->items)),
		.slots = arena_array(arena, most_slots + 1, sizeof(*calls->slots)),
		.slot_count = CALLS_NO_SLOT + 1,
	};
	return calls->items && calls->slots ? calls : NULL;
}

void calls_add(struct calls *calls, struct call call)
{
	calls->items[calls->count++] = call;
}

void calls_add_folder(struct calls *calls, const char *path, mode_t mode)
{
	calls_add(calls, (struct call){ CALL(mkdirat, AT_FDCWD, TEXT(path), mode), .object = path });
}

void calls_add_file(struct calls *calls, const char *path)
{
	calls_add(calls, (struct call){ CALL(mknodat, AT_FDCWD, TEXT(path), S_IFREG, 0), .object = path });
}

void calls_add_tmpfs(struct calls *calls, const char *path, unsigned long flags, const char *options)
{
	calls_add(calls, (struct call){ CALL(mount, TEXT("mxcrun"), TEXT(path), TEXT("tmpfs"), (long)flags, TEXT(options)),
					.object = path });
}

void calls_begin(struct calls *calls)
{
	calls_add(calls, (struct call){ CALL(umask, 0) });
	calls_add(calls, (struct call){ CALL(unshare, CLONE_NEWNS), .object = "mount namespace of the engine's program" });
	calls_add(calls, (struct call){ CALL(mount, 0, TEXT("/"), 0, MS_REC | MS_SLAVE, 0), .object = "propagation of /" });
}

int calls_add_clone(struct calls *calls, const char *path, const char *pointer, bool is_recursive)
{
	int slot = calls->slot_count++;

	calls_add(calls, (struct call){ CALL(open_tree, AT_FDCWD, TEXT(path),
					     (long)(SYS_OPEN_TREE_CLONE | SYS_OPEN_TREE_CLOEXEC | (is_recursive ? SYS_AT_RECURSIVE : 0))),
					.object = path, .pointer = pointer, .gives = slot });
	return slot;
}

void calls_add_flags(struct calls *calls, int slot, const char *object, const char *pointer, uint64_t set, uint64_t clear,
		     unsigned int how)
{
	const struct sys_mount_attr value = {
		.attr_set = set, .attr_clr = clear | (set & SYS_ATTR_ATIME_MASK ? SYS_ATTR_ATIME_MASK : 0),
	};
	const struct sys_mount_attr *attr;

	if (!set && !clear)
		return;
	attr = arena_memdup(calls->arena, &value, sizeof(value));
	calls->failed |= !attr;
	calls_add(calls, (struct call){ CALL(mount_setattr, 0, TEXT(""), (long)(SYS_AT_EMPTY_PATH | how), TEXT(attr), sizeof(value)),
					.object = object, .pointer = pointer, .takes = slot });
}

void calls_add_attach(struct calls *calls, int slot, const char *path)
{
	calls_add(calls, (struct call){ CALL(move_mount, 0, TEXT(""), AT_FDCWD, TEXT(path), SYS_MOVE_MOUNT_F_EMPTY_PATH),
					.object = path, .takes = slot });
}

static void add_chdir(struct calls *calls, const char *path)
{
	calls_add(calls, (struct call){ CALL(chdir, TEXT(path)), .object = path });
}

/* The layers are named from their folder: no character of its path means anything to overlayfs then. userxattr as in
 * native/rootfs.c, which tells why. */
void calls_lay_over_image(struct calls *calls, int slot, const char *folder)
{
	static const char name[] = CALLS_ROOT;
	const char *root = name + 1;

	calls_add_tmpfs(calls, folder, MS_NOSUID | MS_NODEV, "size=2g,mode=0755");
	add_chdir(calls, folder);
	calls_add_folder(calls, "image", 0755);
	calls_add_attach(calls, slot, "image");
	calls_add_folder(calls, "upper", 0755);
	calls_add_folder(calls, "work", 0755);
	calls_add_folder(calls, root, 0755);
	calls_add(calls, (struct call){ CALL(mount, TEXT("mxcrun"), TEXT(root), TEXT("overlay"), MS_NOSUID | MS_NODEV,
					     TEXT("lowerdir=image,upperdir=upper,workdir=work,userxattr")),
					.object = "overlay of the image", .pointer = "/lxc" });
	add_chdir(calls, "/");
}

int calls_make(void *data)
{
	struct calls *calls = data;

	for (size_t i = 0; i < calls->count; i++) {
		const struct call *call = &calls->items[i];
		const long *a = call->arguments;
		long r = raw_call(call->number, call->takes == CALLS_NO_SLOT ? a[0] : calls->slots[call->takes], a[1], a[2], a[3], a[4]);

		if (r < 0 && -r != call->tolerated) {
			calls->failed_call = call;
			calls->failed_errno = (int)-r;
			return calls->failed_errno;
		}
		if (call->gives != CALLS_NO_SLOT)
			calls->slots[call->gives] = r;
	}
	return 0;
}

int calls_explain(const struct calls *calls, struct err **err)
{
	const struct call *call = calls->failed_call;
	int r;

	if (!call)
		return 0;
	r = err_sys(err, E_MOUNT, calls->failed_errno, call->operation, call->object, call->pointer);
	if (calls->failed_errno == ENOSYS)
		err_hint(err, "the engine %s needs Linux 5.12 here", calls->engine);
	return r;
}

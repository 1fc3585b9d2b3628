/* emit.c - see emit.h. The options are in the order in which bwrap acts: namespaces, root, mount steps, masks, process. */
#include "engine/bwrap/emit.h"

#include <errno.h>
#include <linux/filter.h>
#include <stdlib.h>
#include <string.h>

#include "base/path.h"
#include "base/sys.h"
#include "engine/items.h"
#include "plan/caps.h"

#define WORDS_PER_STEP 8
#define WORDS_BESIDE (64 + 2 * CAPS_KNOWN)

struct emitter {
	struct arena *arena;
	const struct plan *plan;
	const struct bwrap_use *use;
	struct bwrap_command *out;
	bool failed;		/* out of memory or of descriptors */
};

static void add(struct emitter *e, const char *word)
{
	if (!word)
		e->failed = true;
	else
		e->out->argv[e->out->count++] = word;
}

static void add2(struct emitter *e, const char *option, const char *value)
{
	add(e, option);
	add(e, value);
}

static void add3(struct emitter *e, const char *option, const char *first, const char *second)
{
	add2(e, option, first);
	add(e, second);
}

static void add_number(struct emitter *e, const char *option, int64_t number)
{
	add2(e, option, arena_printf(e->arena, "%lld", (long long)number));
}

/* The number of a new descriptor, as a word. */
static const char *add_descriptor(struct emitter *e, const void *data, size_t length)
{
	int number = e->use->make_file ? e->use->make_file(e->use->data, data, length)
				       : BWRAP_FIRST_DESCRIPTOR + (int)e->out->descriptor_count;

	if (number < 0)
		return NULL;
	e->out->descriptors[e->out->descriptor_count++] = (struct bwrap_descriptor){ number, data, length };
	return arena_printf(e->arena, "%d", number);
}

static bool is_run(const struct emitter *e)
{
	return e->use->target == TARGET_BWRAP_RUN;
}

static void add_all(struct emitter *e, const char *const *words)
{
	for (; *words; words++)
		add(e, *words);
}

/* ---- namespaces ---- */

static void add_namespaces(struct emitter *e)
{
	static const char *const options[NS_MAX] = {
		[NS_USER] = "--unshare-user", [NS_CGROUP] = "--unshare-cgroup", [NS_IPC] = "--unshare-ipc",
		[NS_UTS] = "--unshare-uts", [NS_NET] = "--unshare-net", [NS_PID] = "--unshare-pid",
	};

	for (int kind = 0; kind < NS_MAX; kind++)
		if (options[kind] && e->plan->namespaces[kind].mode == NS_NEW)
			add(e, options[kind]);
	/* in a run the maps are ours to write */
	if (e->plan->namespaces[NS_USER].mode == NS_NEW && !is_run(e)) {
		add_number(e, "--uid", e->plan->process.uid);
		add_number(e, "--gid", e->plan->process.gid);
	}
	if (e->plan->hostname)
		add2(e, "--hostname", e->plan->hostname);
}

/* ---- mounts ---- */

/* "2g" in bytes, as tmpfs(5) counts; -1: not a number of bytes. */
static int64_t bytes_of(const char *size)
{
	static const char units[] = "kmg";
	char *end;
	long long number = strtoll(size, &end, 10);
	const char *unit = *end ? strchr(units, *end | 0x20) : NULL;

	if (end == size || number <= 0 || number > INT64_MAX >> 30 || (*end && (!unit || end[1])))
		return -1;
	return unit ? number << 10 * (unit - units + 1) : number;
}

static int add_tmpfs(struct emitter *e, const struct plan_mount *mount, struct err **err)
{
	const struct plan_option *mode = plan_mount_option(mount, "mode"), *size = plan_mount_option(mount, "size");
	int64_t bytes = size && size->value ? bytes_of(size->value) : 0;

	if ((mode && !mode->value) || (size && !size->value))
		return err_set(err, E_UNSUPPORTED, EOPNOTSUPP, mount->pointer, "bwrap: a size or mode of a tmpfs without its value");
	if (bytes < 0)
		return err_set(err, E_UNSUPPORTED, EOPNOTSUPP, mount->pointer, "bwrap: a tmpfs of size \"%.32s\"", size->value);
	if (mode)
		add2(e, "--perms", mode->value);
	/* in a run it is for init, which sets what bwrap has no option for as well */
	if (size && !is_run(e))
		add_number(e, "--size", bytes);
	add2(e, "--tmpfs", mount->destination);
	return 0;
}

static bool is_readonly(const struct plan_mount *mount)
{
	return (mount->attr_set | mount->attr_set_recursive) & SYS_ATTR_RDONLY;
}

/* A run: what holds for the whole tree; the flags of the mount alone, and mount_flags_left(), are set by init. */
static void add_run_bind(struct emitter *e, const struct plan_mount *mount)
{
	uint64_t flags = mount->attr_set_recursive;

	add3(e, !(flags & SYS_ATTR_NODEV) ? "--dev-bind" : flags & SYS_ATTR_RDONLY ? "--ro-bind" : "--bind", mount->source,
	     mount->destination);
}

static void add_bind(struct emitter *e, const struct plan_mount *mount)
{
	bool has_devices = !((mount->attr_set | mount->attr_set_recursive) & SYS_ATTR_NODEV);

	add3(e, has_devices ? "--dev-bind" : is_readonly(mount) ? "--ro-bind" : "--bind", mount->source, mount->destination);
	if (has_devices && is_readonly(mount))
		add2(e, "--remount-ro", mount->destination);
}

static void add_deny(struct emitter *e, const struct plan_mount *mount)
{
	add2(e, "--perms", mount->is_reopened ? "0555" : "0000");
	if (!mount->is_directory && !mount->is_reopened) {
		add3(e, "--ro-bind-data", add_descriptor(e, NULL, 0), mount->destination);
		return;
	}
	add2(e, "--tmpfs", mount->destination);
	if (!mount->is_reopened)	/* else when all that lies in it is there */
		add2(e, "--remount-ro", mount->destination);
}

static bool has_own_dev(const struct plan *plan)
{
	for (size_t i = 0; i < plan->mount_count; i++)
		if (plan->mounts[i].kind == MOUNT_FILESYSTEM && !strcmp(plan->mounts[i].destination, "/dev"))
			return !strcmp(plan->mounts[i].fstype, "tmpfs");
	return false;
}

/* bwrap's --dev is a tmpfs with these in it. */
static bool is_part_of_dev(const struct plan *plan, const struct plan_mount *mount)
{
	static const char *const parts[] = {
		"/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty", "/dev/fd", "/dev/stdin",
		"/dev/stdout", "/dev/stderr", "/dev/ptmx", "/dev/pts",
	};

	if (!has_own_dev(plan) || mount->kind == MOUNT_DENY ||
	    (mount->kind == MOUNT_BIND && strcmp(mount->source, mount->destination) != 0))
		return false;
	for (size_t i = 0; i < array_size(parts); i++)
		if (!strcmp(mount->destination, parts[i]))
			return true;
	return false;
}

static int add_filesystem(struct emitter *e, const struct plan_mount *mount, struct err **err)
{
	if (!strcmp(mount->destination, "/dev") && !strcmp(mount->fstype, "tmpfs"))
		add2(e, "--dev", "/dev");
	else if (!strcmp(mount->fstype, "proc"))
		add2(e, "--proc", mount->destination);
	else if (!strcmp(mount->fstype, "mqueue"))
		add2(e, "--mqueue", mount->destination);
	else if (!strcmp(mount->fstype, "tmpfs"))
		return add_tmpfs(e, mount, err);
	else
		return err_set(err, E_UNSUPPORTED, EOPNOTSUPP, mount->pointer, "bwrap: it mounts no %.32s, as asked for at %s",
			       mount->fstype, mount->destination);
	return 0;
}

static int add_step(struct emitter *e, const struct plan_mount *mount, struct err **err)
{
	switch (mount->kind) {
	case MOUNT_BIND:
		(is_run(e) ? add_run_bind : add_bind)(e, mount);
		return 0;
	case MOUNT_FILESYSTEM:
		return add_filesystem(e, mount, err);
	case MOUNT_DENY:
		add_deny(e, mount);
		return 0;
	case MOUNT_FILE:
		add2(e, "--perms", "0444");
		add3(e, "--ro-bind-data", add_descriptor(e, mount->content, strlen(mount->content)), mount->destination);
		return 0;
	case MOUNT_SYMLINK:
		add3(e, "--symlink", mount->source, mount->destination);
		return 0;
	case MOUNT_DIRECTORY:
		add2(e, "--dir", mount->destination);
		return 0;
	default:
		break;
	}
	/* of the whole root: part of the root's own bind */
	if (mount_is_root_remount(mount))
		return 0;
	return err_set(err, E_UNSUPPORTED, EOPNOTSUPP, mount->pointer, "bwrap: the step at %s has no option", mount->destination);
}

static int add_steps(struct emitter *e, struct err **err)
{
	const struct plan *plan = e->plan;
	int r = 0;

	for (size_t i = 0; i < plan->mount_count && r == 0; i++)
		if (!is_part_of_dev(plan, &plan->mounts[i]) && !(is_run(e) && mount_is_left(&plan->mounts[i])))
			r = add_step(e, &plan->mounts[i], err);
	for (size_t i = 0; i < plan->mount_count; i++)
		if (plan->mounts[i].kind == MOUNT_DENY && plan->mounts[i].is_reopened)
			add2(e, "--remount-ro", plan->mounts[i].destination);
	return r;
}

/* Without one bwrap starts from an empty tmpfs. */
static void add_root(struct emitter *e)
{
	const struct plan *plan = e->plan;
	const struct plan_mount *first = plan->mount_count ? &plan->mounts[0] : NULL;
	bool is_whole = first && mount_is_root_remount(first);

	if (plan->root.kind == ROOT_BUNDLE)
		add3(e, !is_whole ? "--dev-bind" : is_readonly(first) ? "--ro-bind" : "--bind", plan->root.path, "/");
	if (plan->root.kind == ROOT_IMAGE && is_run(e))
		add3(e, "--bind", e->use->image_root, "/");
	else if (plan->root.kind == ROOT_IMAGE) {
		add2(e, "--overlay-src", plan->root.path);
		add2(e, "--tmp-overlay", "/");
	}
}

/* ---- /proc ---- */

static int check_mask(const struct plan_path *path, struct err **err)
{
	if (path_is_within(path->path, "/proc"))
		return 0;
	return err_set(err, E_UNSUPPORTED, EOPNOTSUPP, path->pointer,
		       "bwrap: whether %s exists is known only when it runs, and it skips nothing", path->path);
}

static int add_masks(struct emitter *e, struct err **err)
{
	enum kernel_object (*const look)(const char *path) = e->use->look;
	const struct plan *plan = e->plan;
	int r = 0;

	if (is_run(e))
		return 0;
	for (size_t i = 0; i < plan->readonly.count && r == 0; i++) {
		r = check_mask(&plan->readonly.items[i], err);
		if (r == 0 && look(plan->readonly.items[i].path) != OBJECT_ABSENT)
			add3(e, "--ro-bind", plan->readonly.items[i].path, plan->readonly.items[i].path);
	}
	for (size_t i = 0; i < plan->masked.count && r == 0; i++) {
		const char *path = plan->masked.items[i].path;
		enum kernel_object object;

		r = check_mask(&plan->masked.items[i], err);
		object = r == 0 ? look(path) : OBJECT_ABSENT;
		if (object == OBJECT_FILE)
			add3(e, "--ro-bind", "/dev/null", path);
		else if (object == OBJECT_DIRECTORY) {
			add3(e, "--perms", "0555", "--tmpfs");
			add3(e, path, "--remount-ro", path);
		}
	}
	return r;
}

/* ---- the process ---- */

static int add_environment(struct emitter *e, struct err **err)
{
	add(e, "--clearenv");
	for (const char *const *env = e->plan->process.env; env && *env; env++) {
		const char *equals = strchr(*env, '=');

		if (!equals || equals == *env)
			return err_set(err, E_UNSUPPORTED, EOPNOTSUPP, "/process/env", "bwrap: a variable without a name or a value");
		add3(e, "--setenv", arena_strndup(e->arena, *env, (size_t)(equals - *env)), equals + 1);
	}
	return 0;
}

/* It gives itself what the plan says, and needs all rights for that. */
static void add_init(struct emitter *e)
{
	add2(e, "--cap-add", "ALL");
	add2(e, "--chdir", "/");
	if (e->plan->namespaces[NS_PID].mode == NS_NEW)
		add(e, "--as-pid-1");
	add(e, "--");
	add_all(e, e->use->command);
}

static void add_command(struct emitter *e)
{
	const struct plan_process *process = &e->plan->process;
	const char *program = process->program ? process->program : process->argv[0];

	if (e->use->version >= BWRAP_ARGV0 && strcmp(program, process->argv[0]) != 0)
		add2(e, "--argv0", process->argv[0]);
	add2(e, "--", program);
	add_all(e, process->argv + 1);
}

static int add_process(struct emitter *e, struct err **err)
{
	const struct plan_process *process = &e->plan->process;
	const struct plan_seccomp *seccomp = &process->seccomp;
	int r = add_environment(e, err);

	add2(e, "--cap-drop", "ALL");
	for (unsigned int i = 0; i < CAPS_KNOWN; i++)
		if (process->capabilities.effective & caps_bit(i))
			add2(e, "--cap-add", caps_name(i));
	if (!process->cwd_fallback_root)
		add2(e, "--chdir", process->cwd);
	if (process->new_session)
		add(e, "--new-session");
	if (e->plan->lifecycle.die_with_parent)
		add(e, "--die-with-parent");
	if (!process->keep_init && e->plan->namespaces[NS_PID].mode == NS_NEW)
		add(e, "--as-pid-1");
	if (seccomp->program)
		add2(e, "--seccomp", add_descriptor(e, seccomp->program, seccomp->instruction_count * sizeof(struct sock_filter)));
	add_command(e);
	return r;
}

static size_t count_words(const struct plan *plan)
{
	size_t count = WORDS_BESIDE + WORDS_PER_STEP * (plan->mount_count + plan->masked.count + plan->readonly.count);

	for (const char *const *env = plan->process.env; env && *env; env++)
		count += 3;
	for (const char *const *arg = plan->process.argv; arg && *arg; arg++)
		count++;
	return count;
}

int bwrap_emit(struct arena *arena, const struct plan *plan, const struct bwrap_use *use, struct bwrap_command *ret,
	       struct err **err)
{
	struct emitter e = { .arena = arena, .plan = plan, .use = use, .out = ret };
	int r = items_check(plan, use->target, use->version, err);

	if (r < 0)
		return r;
	*ret = (struct bwrap_command){
		.argv = arena_array(arena, count_words(plan), sizeof(*ret->argv)),
		.descriptors = arena_array(arena, plan->mount_count + 1, sizeof(*ret->descriptors)),
	};
	if (!ret->argv || !ret->descriptors)
		return err_nomem(err);
	add(&e, "bwrap");
	if (use->options)
		add_all(&e, use->options);
	add_namespaces(&e);
	add_root(&e);
	r = add_steps(&e, err);
	if (r == 0)
		r = add_masks(&e, err);
	if (r == 0 && plan->root.is_readonly && !use->command)
		add2(&e, "--remount-ro", "/");
	if (r == 0 && use->command)
		add_init(&e);
	else if (r == 0)
		r = add_process(&e, err);
	return r < 0 ? r : e.failed ? err_nomem(err) : 0;
}

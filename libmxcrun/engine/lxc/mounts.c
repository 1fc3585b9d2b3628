/* mounts.c - the root, and the mount steps as lines of fstab(5), which is what lxc.mount.entry takes. */
#include <errno.h>
#include <string.h>

#include "base/path.h"
#include "base/sys.h"
#include "engine/lxc/parts.h"
#include "plan/options.h"

#define TERMINALS 1024
#define COVER_FLAGS "ro,nosuid,nodev,noexec"

/* ---- one line ---- */

/* What separates fields, and what says so, as fstab(5) writes it. */
static void put_field(struct strbuf *out, const char *text)
{
	for (; *text; text++) {
		if (strchr(" \t\n\\", *text))
			strbuf_printf(out, "\\%03o", (unsigned int)(unsigned char)*text);
		else
			strbuf_putc(out, *text);
	}
	strbuf_putc(out, ' ');
}

/* destination is absolute in the root, and "/" itself is none. */
static void put_entry(struct lxc_emitter *e, const char *source, const char *destination, const char *fstype, const char *options)
{
	cleanup_strbuf struct strbuf line = STRBUF_INIT;

	put_field(&line, source);
	put_field(&line, destination + 1);
	put_field(&line, fstype);
	put_field(&line, options);
	strbuf_puts(&line, "0 0");
	e->out->config.failed |= line.failed;
	lxc_put(e, "lxc.mount.entry", "%s", strbuf_str(&line));
}

/* A path of the folder. */
static const char *beside(struct lxc_emitter *e, const char *name)
{
	const char *path = arena_printf(e->arena, "%s/%s", e->use->folder, name);

	e->out->config.failed |= !path;
	return path ? path : "";
}

/* Where a path of the container is while LXC builds it. */
static const char *in_building(struct lxc_emitter *e, const char *path)
{
	const char *name = arena_printf(e->arena, LXC_MOUNT_PLACE "%s", path);

	e->out->config.failed |= !name;
	return name ? beside(e, name) : "";
}

static void add_word(struct strbuf *out, const char *word)
{
	if (out->len)
		strbuf_putc(out, ',');
	strbuf_puts(out, word);
}

static void add_flags(struct strbuf *out, uint64_t attributes)
{
	const char *word;

	for (unsigned int i = 0; (word = mount_attribute_word(attributes, i)); i++)
		add_word(out, word);
}

/* ---- steps ---- */

/* What place.c has made of the step. */
static const char *tree_of(struct lxc_emitter *e, const struct plan_mount *mount)
{
	const char *path = arena_printf(e->arena, "%s/%zu", e->use->trees, (size_t)(mount - e->plan->mounts));

	e->out->config.failed |= !path;
	return path ? path : "";
}

static int put_bind(struct lxc_emitter *e, const struct plan_mount *mount)
{
	cleanup_strbuf struct strbuf options = STRBUF_INIT;

	add_word(&options, mount->is_recursive ? "rbind" : "bind");
	if (!lxc_is_run(e))
		add_flags(&options, mount->attr_set | mount->attr_set_recursive);
	add_word(&options, mount->is_directory ? "create=dir" : "create=file");
	e->out->config.failed |= options.failed;
	put_entry(e, lxc_is_run(e) ? tree_of(e, mount) : mount->source, mount->destination, "none", strbuf_str(&options));
	return 0;
}

static int put_filesystem(struct lxc_emitter *e, const struct plan_mount *mount, struct err **err)
{
	cleanup_strbuf struct strbuf options = STRBUF_INIT;

	/* in a run init makes it read-only when all is in it; LXC would do so with the file system itself */
	add_flags(&options, mount->attr_set & ~(uint64_t)(lxc_is_run(e) ? SYS_ATTR_RDONLY : 0));
	for (size_t i = 0; i < mount->option_count; i++) {
		const struct plan_option *option = &mount->options[i];

		if (option->value && strchr(option->value, ','))
			return err_set(err, E_UNSUPPORTED, EOPNOTSUPP, mount->pointer,
				       "lxc: the option %s of %s has a comma", option->key, mount->destination);
		add_word(&options, option->key);
		if (option->value)
			strbuf_printf(&options, "=%s", option->value);
	}
	add_word(&options, "create=dir");
	e->out->config.failed |= options.failed;
	put_entry(e, mount->source ? mount->source : mount->fstype, mount->destination, mount->fstype, strbuf_str(&options));
	return 0;
}

static int put_deny(struct lxc_emitter *e, const struct plan_mount *mount, struct err **err)
{
	const char *cover;
	int r;

	if (mount->is_reopened) {	/* read-only when all that lies in it is there */
		put_entry(e, "tmpfs", mount->destination, "tmpfs", "nosuid,nodev,noexec,size=64k,mode=0555,create=dir");
		return 0;
	}
	r = oci_files_add_cover(e->arena, &e->out->files, mount, &cover, err);
	if (r == 0)
		put_entry(e, beside(e, cover), mount->destination, "none",
			  mount->is_directory ? "bind," COVER_FLAGS ",create=dir" : "bind," COVER_FLAGS ",create=file");
	return r;
}

/* What else is mounted there it would take away. */
static bool is_own_terminals(const struct plan_mount *mount)
{
	return mount->kind == MOUNT_FILESYSTEM && !strcmp(mount->fstype, "devpts") && !strcmp(mount->destination, "/dev/pts");
}

static bool has_own_terminals(const struct plan *plan)
{
	for (size_t i = 0; i < plan->mount_count; i++)
		if (is_own_terminals(&plan->mounts[i]))
			return true;
	return false;
}

/* It makes these, and with terminals of its own also /dev/ptmx. */
static bool is_own_link(const struct plan *plan, const char *path)
{
	static const char *const links[] = { "/dev/fd", "/dev/stdin", "/dev/stdout", "/dev/stderr" };

	for (size_t i = 0; i < array_size(links); i++)
		if (!strcmp(path, links[i]))
			return true;
	return !strcmp(path, "/dev/ptmx") && has_own_terminals(plan);
}

static int put_step(struct lxc_emitter *e, const struct plan_mount *mount, struct err **err)
{
	switch (mount->kind) {
	case MOUNT_BIND:
		return put_bind(e, mount);
	case MOUNT_FILESYSTEM:
		return is_own_terminals(mount) ? 0 : put_filesystem(e, mount, err);
	case MOUNT_DENY:
		return put_deny(e, mount, err);
	case MOUNT_SYMLINK:
	case MOUNT_DIRECTORY:
		return is_own_link(e->plan, mount->destination) ? 0
			       : oci_files_add_step(e->arena, &e->out->files, e->plan, mount, "lxc", err);
	case MOUNT_FILE:
		put_entry(e, tree_of(e, mount), mount->destination, "none", "bind," COVER_FLAGS ",create=file");
		return 0;
	default:
		break;
	}
	/* of the whole root: part of what place.c makes */
	if (mount_is_root_remount(mount))
		return 0;
	return err_set(err, E_UNSUPPORTED, EOPNOTSUPP, mount->pointer, "lxc: the step at %s has no key", mount->destination);
}

/* ---- /dev, /proc, /sys ---- */

static bool has_own_dev(const struct plan *plan)
{
	for (size_t i = 0; i < plan->mount_count; i++)
		if (!strcmp(plan->mounts[i].destination, "/dev"))
			return true;
	return false;
}

static void put_devices(struct lxc_emitter *e)
{
	for (size_t i = 0; i < e->plan->device_count; i++) {
		const char *path = e->plan->devices[i].path;

		put_entry(e, path, path, "none", "bind,create=file");
	}
}

static int check_mask(const struct plan_path *path, struct err **err)
{
	if (path_is_within(path->path, "/proc") || path_is_within(path->path, "/sys"))
		return 0;
	return err_set(err, E_UNSUPPORTED, EOPNOTSUPP, path->pointer, "lxc: whether %s exists is known only when it runs", path->path);
}

static int put_masks(struct lxc_emitter *e, struct err **err)
{
	const struct plan *plan = e->plan;
	int r = 0;

	for (size_t i = 0; i < plan->readonly.count && r == 0; i++) {
		const char *path = plan->readonly.items[i].path;

		r = check_mask(&plan->readonly.items[i], err);
		if (r == 0 && e->use->look(path) != OBJECT_ABSENT)
			put_entry(e, in_building(e, path), path, "none", "rbind,ro");
	}
	for (size_t i = 0; i < plan->masked.count && r == 0; i++) {
		const char *path = plan->masked.items[i].path;
		enum kernel_object object;

		r = check_mask(&plan->masked.items[i], err);
		object = r == 0 ? e->use->look(path) : OBJECT_ABSENT;
		if (object == OBJECT_FILE)
			put_entry(e, "/dev/null", path, "none", "bind,ro");
		else if (object == OBJECT_DIRECTORY)
			put_entry(e, "tmpfs", path, "tmpfs", COVER_FLAGS ",size=0k,mode=0555");
	}
	return r;
}

static void close_reopened(struct lxc_emitter *e)
{
	for (size_t i = 0; i < e->plan->mount_count; i++) {
		const struct plan_mount *mount = &e->plan->mounts[i];

		if (mount->kind == MOUNT_DENY && mount->is_reopened)
			put_entry(e, in_building(e, mount->destination), mount->destination, "none", "rbind," COVER_FLAGS);
	}
}

int lxc_put_mounts(struct lxc_emitter *e, struct err **err)
{
	const struct plan *plan = e->plan;
	int r = oci_files_begin(e->arena, plan, &e->out->files, err);

	if (r == 0 && !has_own_dev(plan))
		return err_set(err, E_UNSUPPORTED, EOPNOTSUPP, NULL, "lxc: it makes links in /dev, where the plan mounts nothing");
	if (r == 0)
		r = oci_files_add(e->arena, &e->out->files,
				  (struct oci_file){ .path = LXC_MOUNT_PLACE, .is_directory = true, .mode = 0755 }, err);
	if (r < 0)
		return r;
	lxc_put(e, "lxc.rootfs.path", "dir:%s",
		lxc_is_run(e) ? e->use->root : plan->root.kind == ROOT_VIEW ? beside(e, OCI_ROOT) : plan->root.path);
	lxc_put(e, "lxc.rootfs.mount", "%s", beside(e, LXC_MOUNT_PLACE));
	lxc_put(e, "lxc.pty.max", "%d", has_own_terminals(plan) && !lxc_is_run(e) ? TERMINALS : 0);
	for (size_t i = 0; i < plan->mount_count && r == 0; i++)
		if (!lxc_is_run(e) || !(e->use->ready[i] || mount_is_left_by_lxc(&plan->mounts[i])))
			r = put_step(e, &plan->mounts[i], err);
	/* without one init can make nodes */
	if (!lxc_is_run(e) || plan->namespaces[NS_USER].mode == NS_NEW)
		put_devices(e);
	if (r < 0 || lxc_is_run(e))
		return r;
	close_reopened(e);
	return put_masks(e, err);
}

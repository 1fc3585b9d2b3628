/* mounts.c - the mount steps as OCI mounts, and the covers and links in the bundle that stand for the others. */
#include <stdio.h>
#include <string.h>

#include "base/path.h"
#include "base/sys.h"
#include "engine/oci/parts.h"
#include "plan/options.h"

/* Runtimes make these by themselves, wherever /dev is a tmpfs (config-linux.md, default devices and symbolic links). */
static const char *const made_by_runtimes[] = {
	"/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty",
	"/dev/fd", "/dev/stdin", "/dev/stdout", "/dev/stderr", "/dev/ptmx",
};

static bool is_made_by_runtimes(const struct plan_mount *mount)
{
	if (mount->kind == MOUNT_BIND && strcmp(mount->source, mount->destination) != 0)
		return false;
	for (size_t i = 0; i < array_size(made_by_runtimes); i++)
		if (!strcmp(mount->destination, made_by_runtimes[i]))
			return true;
	return false;
}

/* ---- options ---- */

static void put_word(struct oci_emitter *e, const char *prefix, const char *word)
{
	char text[32];

	snprintf(text, sizeof(text), "%s%s", prefix, word);
	json_put_string(e->out, NULL, text);
}

static void put_cleared(struct oci_emitter *e, enum mount_option_kind kind, uint64_t clear, uint64_t set)
{
	for (const struct mount_option *row = mount_options; row->name; row++)
		if (row->kind == kind && !row->set && row->clear && !(row->clear & SYS_ATTR_ATIME_MASK) &&
		    (clear & row->clear) == row->clear)
			json_put_string(e->out, NULL, row->name);
	if ((clear & SYS_ATTR_ATIME_MASK) && !(set & SYS_ATTR_ATIME_MASK))
		json_put_string(e->out, NULL, kind == OPTION_RECURSIVE ? "rrelatime" : "relatime");
}

static void put_attributes(struct oci_emitter *e, const struct plan_mount *mount)
{
	const char *word;

	for (unsigned int i = 0; (word = mount_attribute_word(mount->attr_set, i)); i++)
		put_word(e, "", word);
	put_cleared(e, OPTION_ATTRIBUTE, mount->attr_clear, mount->attr_set);
	for (unsigned int i = 0; (word = mount_attribute_word(mount->attr_set_recursive, i)); i++)
		put_word(e, "r", word);
	put_cleared(e, OPTION_RECURSIVE, mount->attr_clear_recursive, mount->attr_set_recursive);
}

static void put_propagation(struct oci_emitter *e, unsigned long propagation)
{
	const char *word = mount_propagation_word(propagation);

	if (word)
		json_put_string(e->out, NULL, word);
}

static int put_own_options(struct oci_emitter *e, const struct plan_mount *mount, struct err **err)
{
	for (size_t i = 0; i < mount->option_count; i++) {
		const struct plan_option *option = &mount->options[i];
		const char *text = option->value ? arena_printf(e->arena, "%s=%s", option->key, option->value) : option->key;

		if (!text)
			return err_nomem(err);
		json_put_string(e->out, NULL, text);
	}
	return 0;
}

/* ---- the kinds ---- */

static int put_mount(struct oci_emitter *e, const struct plan_mount *mount, struct err **err)
{
	bool is_bind = mount->kind == MOUNT_BIND;
	int r;

	json_open(e->out, NULL, '{');
	json_put_string(e->out, "destination", mount->destination);
	json_put_string(e->out, "type", is_bind ? "bind" : mount->kind == MOUNT_REMOUNT ? "none" : mount->fstype);
	if (mount->source)
		json_put_string(e->out, "source", mount->source);
	json_open(e->out, "options", '[');
	if (is_bind)
		json_put_string(e->out, NULL, mount->is_recursive ? "rbind" : "bind");
	if (mount->kind == MOUNT_REMOUNT)
		json_put_string(e->out, NULL, "remount");
	put_attributes(e, mount);
	put_propagation(e, mount->propagation);
	put_propagation(e, mount->propagation2);
	if (mount->copy_up)
		json_put_string(e->out, NULL, "tmpcopyup");
	if (mount->copy_symlink)
		json_put_string(e->out, NULL, "copy-symlink");
	if (mount->is_idmapped)
		json_put_string(e->out, NULL, mount->idmap_is_recursive ? "ridmap" : "idmap");
	r = put_own_options(e, mount, err);
	json_close(e->out, ']');
	if (mount->maps && mount->maps->uids.count) {
		oci_put_maps(e, "uidMappings", &mount->maps->uids);
		oci_put_maps(e, "gidMappings", &mount->maps->gids);
	}
	json_close(e->out, '}');
	return r;
}

/* Below it later steps make their mount points; runtimes make a read-only tmpfs read-only after the last of them. */
static int put_reopened(struct oci_emitter *e, const struct plan_mount *mount, struct err **err)
{
	struct plan_option options[] = { { "size", "64k" }, { "mode", "0555" } };
	const struct plan_mount cover = {
		.kind = MOUNT_FILESYSTEM, .destination = mount->destination, .source = "tmpfs", .fstype = "tmpfs",
		.attr_set = SYS_ATTR_RDONLY | SYS_ATTR_NOSUID | SYS_ATTR_NODEV | SYS_ATTR_NOEXEC,
		.options = options, .option_count = array_size(options),
	};

	return put_mount(e, &cover, err);
}

static int put_deny(struct oci_emitter *e, const struct plan_mount *mount, struct err **err)
{
	struct plan_mount cover = {
		.kind = MOUNT_BIND, .destination = mount->destination,
		.attr_set = SYS_ATTR_RDONLY | SYS_ATTR_NOSUID | SYS_ATTR_NODEV | SYS_ATTR_NOEXEC,
	};
	int r;

	if (mount->is_reopened)
		return put_reopened(e, mount, err);
	r = oci_files_add_cover(e->arena, e->files, mount, &cover.source, err);
	return r < 0 ? r : put_mount(e, &cover, err);
}

int oci_put_mounts(struct oci_emitter *e, struct err **err)
{
	int r = 0;

	json_open(e->out, "mounts", '[');
	for (size_t i = 0; i < e->plan->mount_count && r == 0; i++) {
		const struct plan_mount *mount = &e->plan->mounts[i];

		if ((mount->kind == MOUNT_BIND || mount->kind == MOUNT_SYMLINK) && is_made_by_runtimes(mount))
			continue;
		if (mount->kind == MOUNT_DENY)
			r = put_deny(e, mount, err);
		else if (mount->kind == MOUNT_SYMLINK || mount->kind == MOUNT_DIRECTORY)
			r = oci_files_add_step(e->arena, e->files, e->plan, mount, "oci", err);
		else
			r = put_mount(e, mount, err);
	}
	json_close(e->out, ']');
	return r;
}

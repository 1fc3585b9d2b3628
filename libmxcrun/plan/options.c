/* options.c - the table of mount options, and sorting a mount's options by it.
 *
 * Attributes belong to the mount, superblock options to the file system behind it, propagation to
 * the mount after it is attached; the kernel wants each in another call, so they are told apart
 * here once. What an option means when it comes twice or is taken back follows mount(8): the last
 * one wins.
 */
#include "plan/options.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>

#include "base/sys.h"

#define SUPERBLOCK_SYNC 0x01u
#define SUPERBLOCK_DIRSYNC 0x02u
#define SUPERBLOCK_MAND 0x04u
#define SUPERBLOCK_IVERSION 0x08u
#define SUPERBLOCK_LAZYTIME 0x10u
#define SUPERBLOCK_ACL 0x20u

/* Parameter names of fsconfig(2), by bit. */
static const char *const superblock_words[] = {
	"sync", "dirsync", "mand", "iversion", "lazytime", "posixacl",
};

#define SET(flag) .set = SYS_ATTR_##flag
#define CLEAR(flag) .clear = SYS_ATTR_##flag
#define ATIME(mode) .set = SYS_ATTR_##mode, .clear = SYS_ATTR_ATIME_MASK

const struct mount_option mount_options[] = {
	{ "acl", .kind = OPTION_SUPERBLOCK, .set = SUPERBLOCK_ACL },
	{ "async", .kind = OPTION_SUPERBLOCK, .clear = SUPERBLOCK_SYNC },
	{ "atime", .kind = OPTION_ATIME_UNDO, .set = SYS_ATTR_NOATIME },
	{ "bind", .kind = OPTION_BIND },
	{ "copy", .kind = OPTION_VOLUME },
	{ "copy-symlink", .kind = OPTION_COPY_SYMLINK },
	{ "defaults", .kind = OPTION_NOTHING },
	{ "dev", .kind = OPTION_ATTRIBUTE, CLEAR(NODEV) },
	{ "diratime", .kind = OPTION_ATTRIBUTE, CLEAR(NODIRATIME) },
	{ "dirsync", .kind = OPTION_SUPERBLOCK, .set = SUPERBLOCK_DIRSYNC },
	{ "exec", .kind = OPTION_ATTRIBUTE, CLEAR(NOEXEC) },
	{ "idmap", .kind = OPTION_IDMAP },
	{ "iversion", .kind = OPTION_SUPERBLOCK, .set = SUPERBLOCK_IVERSION },
	{ "lazytime", .kind = OPTION_SUPERBLOCK, .set = SUPERBLOCK_LAZYTIME },
	{ "loud", .kind = OPTION_NOTHING }, /* how much the kernel logs */
	{ "mand", .kind = OPTION_SUPERBLOCK, .set = SUPERBLOCK_MAND },
	{ "noacl", .kind = OPTION_SUPERBLOCK, .clear = SUPERBLOCK_ACL },
	{ "noatime", .kind = OPTION_ATTRIBUTE, ATIME(NOATIME) },
	{ "nocopy", .kind = OPTION_VOLUME },
	{ "nodev", .kind = OPTION_ATTRIBUTE, SET(NODEV) },
	{ "nodiratime", .kind = OPTION_ATTRIBUTE, SET(NODIRATIME) },
	{ "noexec", .kind = OPTION_ATTRIBUTE, SET(NOEXEC) },
	{ "noiversion", .kind = OPTION_SUPERBLOCK, .clear = SUPERBLOCK_IVERSION },
	{ "nolazytime", .kind = OPTION_SUPERBLOCK, .clear = SUPERBLOCK_LAZYTIME },
	{ "nomand", .kind = OPTION_SUPERBLOCK, .clear = SUPERBLOCK_MAND },
	{ "norelatime", .kind = OPTION_NOTHING }, /* relatime is the default since 2.6.30 */
	{ "nostrictatime", .kind = OPTION_ATIME_UNDO, .set = SYS_ATTR_STRICTATIME },
	{ "nosuid", .kind = OPTION_ATTRIBUTE, SET(NOSUID) },
	{ "nosymfollow", .kind = OPTION_ATTRIBUTE, SET(NOSYMFOLLOW) },
	{ "private", .kind = OPTION_PROPAGATION, .set = MS_PRIVATE },
	{ "ratime", .kind = OPTION_ATIME_UNDO, .set = SYS_ATTR_NOATIME, .clear = 1 },
	{ "rbind", .kind = OPTION_BIND, .set = 1 },
	{ "rdev", .kind = OPTION_RECURSIVE, CLEAR(NODEV) },
	{ "rdiratime", .kind = OPTION_RECURSIVE, CLEAR(NODIRATIME) },
	{ "relatime", .kind = OPTION_ATTRIBUTE, ATIME(RELATIME) },
	{ "remount", .kind = OPTION_REMOUNT },
	{ "rexec", .kind = OPTION_RECURSIVE, CLEAR(NOEXEC) },
	{ "ridmap", .kind = OPTION_IDMAP, .set = 1 },
	{ "rnoatime", .kind = OPTION_RECURSIVE, ATIME(NOATIME) },
	{ "rnodev", .kind = OPTION_RECURSIVE, SET(NODEV) },
	{ "rnodiratime", .kind = OPTION_RECURSIVE, SET(NODIRATIME) },
	{ "rnoexec", .kind = OPTION_RECURSIVE, SET(NOEXEC) },
	{ "rnorelatime", .kind = OPTION_NOTHING },
	{ "rnostrictatime", .kind = OPTION_ATIME_UNDO, .set = SYS_ATTR_STRICTATIME, .clear = 1 },
	{ "rnosuid", .kind = OPTION_RECURSIVE, SET(NOSUID) },
	{ "rnosymfollow", .kind = OPTION_RECURSIVE, SET(NOSYMFOLLOW) },
	{ "ro", .kind = OPTION_ATTRIBUTE, SET(RDONLY) },
	{ "rprivate", .kind = OPTION_PROPAGATION, .set = MS_PRIVATE | MS_REC },
	{ "rrelatime", .kind = OPTION_RECURSIVE, ATIME(RELATIME) },
	{ "rro", .kind = OPTION_RECURSIVE, SET(RDONLY) },
	{ "rrw", .kind = OPTION_RECURSIVE, CLEAR(RDONLY) },
	{ "rshared", .kind = OPTION_PROPAGATION, .set = MS_SHARED | MS_REC },
	{ "rslave", .kind = OPTION_PROPAGATION, .set = MS_SLAVE | MS_REC },
	{ "rstrictatime", .kind = OPTION_RECURSIVE, ATIME(STRICTATIME) },
	{ "rsuid", .kind = OPTION_RECURSIVE, CLEAR(NOSUID) },
	{ "rsymfollow", .kind = OPTION_RECURSIVE, CLEAR(NOSYMFOLLOW) },
	{ "runbindable", .kind = OPTION_PROPAGATION, .set = MS_UNBINDABLE | MS_REC },
	{ "rw", .kind = OPTION_ATTRIBUTE, CLEAR(RDONLY) },
	{ "shared", .kind = OPTION_PROPAGATION, .set = MS_SHARED },
	{ "silent", .kind = OPTION_NOTHING },
	{ "slave", .kind = OPTION_PROPAGATION, .set = MS_SLAVE },
	{ "strictatime", .kind = OPTION_ATTRIBUTE, ATIME(STRICTATIME) },
	{ "suid", .kind = OPTION_ATTRIBUTE, CLEAR(NOSUID) },
	{ "symfollow", .kind = OPTION_ATTRIBUTE, CLEAR(NOSYMFOLLOW) },
	{ "sync", .kind = OPTION_SUPERBLOCK, .set = SUPERBLOCK_SYNC },
	{ "tmpcopyup", .kind = OPTION_COPY_UP },
	{ "unbindable", .kind = OPTION_PROPAGATION, .set = MS_UNBINDABLE },
	{ .name = NULL },
};

/* What is looked for: the first len bytes of a string. */
struct option_name { const char *first; size_t len; };

static int compare_name(const void *name, const void *row)
{
	const struct option_name *wanted = name;
	const char *there = ((const struct mount_option *)row)->name;
	int order = strncmp(wanted->first, there, wanted->len);

	return order ? order : -(there[wanted->len] != '\0');
}

/* Of those with a value, which stands behind a "=", only the id maps of a mount are ours. */
static const struct mount_option *find_option(const char *text)
{
	const char *equals = strchr(text, '=');
	const struct option_name name = { text, equals ? (size_t)(equals - text) : strlen(text) };
	const struct mount_option *row = bsearch(&name, mount_options, array_size(mount_options) - 1, sizeof(mount_options[0]),
						 compare_name);

	return row && equals && row->kind != OPTION_IDMAP ? NULL : row;
}

static void apply_attribute(const struct mount_option *row, uint32_t *set, uint32_t *clear)
{
	*set = (*set & ~row->clear) | row->set;
	*clear = (*clear & ~row->set) | row->clear;
}

/* mount_setattr(2) takes only the whole mask: back to an atime mode means to relatime, the default.
 * A different mode that was asked for stays. */
static void undo_atime(uint32_t mode, uint32_t *set, uint32_t *clear)
{
	uint32_t now = *set & SYS_ATTR_ATIME_MASK;

	if (now != 0 && now != mode)
		return;
	*set &= ~(uint32_t)SYS_ATTR_ATIME_MASK;
	*clear |= SYS_ATTR_ATIME_MASK;
}

static int apply_propagation(uint32_t propagation, struct plan_mount *mount,
			     const char *pointer, struct err **err)
{
	if (mount->propagation == PLAN_PROPAGATION_UNSET || mount->propagation == propagation)
		mount->propagation = propagation;
	else if (mount->propagation2 == PLAN_PROPAGATION_UNSET ||
		 mount->propagation2 == propagation)
		mount->propagation2 = propagation;
	else
		return err_set(err, E_UNSUPPORTED, 0, pointer,
			       "more than two propagation options for one mount");
	return 0;
}

struct sorting {
	struct arena *arena;
	struct plan_mount *mount;
	struct mount_option_marks *marks;
	unsigned int superblock;
	size_t count; /* of the words: there are no more options */
};

/* The next, not counted yet; most mounts have none. NULL when out of memory. */
static struct plan_option *next_option(const struct sorting *s)
{
	struct plan_mount *mount = s->mount;

	if (!mount->options)
		mount->options = arena_array(s->arena, s->count, sizeof(*mount->options));
	return mount->options ? &mount->options[mount->option_count] : NULL;
}

static int add_filesystem_option(struct sorting *s, const char *text, size_t index,
				 struct err **err)
{
	struct plan_option *option = next_option(s);
	const char *equals = strchr(text, '=');

	if (!option)
		return err_nomem(err);
	option->key = equals ? arena_strndup(s->arena, text, (size_t)(equals - text))
			     : arena_strdup(s->arena, text);
	option->value = equals ? arena_strdup(s->arena, equals + 1) : NULL;
	if (!option->key || (equals && !option->value))
		return err_nomem(err);
	s->mount->option_count++;
	s->marks->has_superblock = true;
	s->marks->superblock_index = index;
	return 0;
}

/* text: the whole option, which may have maps. */
static int apply_idmap(struct sorting *s, bool is_recursive, const char *text, size_t index, const char *pointer, struct err **err)
{
	const char *equals = strchr(text, '=');

	s->mount->is_idmapped = true;
	s->mount->idmap_is_recursive = is_recursive;
	if (!equals)
		return 0;
	if (s->marks->idmap)
		return err_set(err, E_CONFIG, 0, arena_printf(s->arena, "%s/options/%zu", pointer, index),
			       "expected one option with id maps, found a second \"%.64s\"", text);
	s->marks->idmap = equals + 1;
	s->marks->idmap_index = index;
	return 0;
}

static int apply_option(struct sorting *s, const struct mount_option *row, const char *text, size_t index,
			const char *pointer, struct err **err)
{
	struct plan_mount *mount = s->mount;

	switch (row->kind) {
	case OPTION_NOTHING:
		break;
	case OPTION_ATTRIBUTE:
		apply_attribute(row, &mount->attr_set, &mount->attr_clear);
		break;
	case OPTION_RECURSIVE:
		apply_attribute(row, &mount->attr_set_recursive, &mount->attr_clear_recursive);
		break;
	case OPTION_ATIME_UNDO:
		if (row->clear)
			undo_atime(row->set, &mount->attr_set_recursive,
				   &mount->attr_clear_recursive);
		else
			undo_atime(row->set, &mount->attr_set, &mount->attr_clear);
		break;
	case OPTION_SUPERBLOCK:
		s->superblock =
			(s->superblock & ~row->clear) | row->set;
		if (row->set) {
			s->marks->has_superblock = true;
			s->marks->superblock_index = index;
		}
		break;
	case OPTION_PROPAGATION:
		return apply_propagation(row->set, mount, pointer, err);
	case OPTION_BIND:
		s->marks->is_bind = true;
		mount->is_recursive |= row->set != 0;
		break;
	case OPTION_REMOUNT:
		s->marks->is_remount = true;
		break;
	case OPTION_COPY_UP:
		mount->copy_up = true;
		break;
	case OPTION_COPY_SYMLINK:
		mount->copy_symlink = true;
		break;
	case OPTION_VOLUME:
		s->marks->is_volume = true;
		break;
	case OPTION_IDMAP:
		return apply_idmap(s, row->set != 0, text, index, pointer, err);
	}
	return 0;
}

static int add_superblock_options(struct sorting *s, struct err **err)
{
	unsigned int i;

	for (i = 0; i < array_size(superblock_words); i++) {
		struct plan_option *option;

		if (!(s->superblock & 1u << i))
			continue;
		option = next_option(s);
		if (option)
			option->key = arena_strdup(s->arena, superblock_words[i]);
		if (!option || !option->key)
			return err_nomem(err);
		s->mount->option_count++;
	}
	return 0;
}

int mount_options_apply(struct arena *arena, const struct string_list *list,
			struct plan_mount *mount, struct mount_option_marks *ret,
			const char *pointer, struct err **err)
{
	struct sorting s = { .arena = arena, .mount = mount, .marks = ret, .count = list->count };
	size_t i;
	int r;

	for (i = 0; i < list->count; i++) {
		const struct mount_option *row = find_option(list->items[i]);

		/* what splitting an empty string at its commas gives */
		if (list->items[i][0] == '\0')
			continue;
		if (list->items[i][0] == '=')
			return err_set(err, E_CONFIG, 0,
				       arena_printf(arena, "%s/options/%zu", pointer, i),
				       "expected a mount option, found \"%.64s\"", list->items[i]);
		r = row ? apply_option(&s, row, list->items[i], i, pointer, err)
			: add_filesystem_option(&s, list->items[i], i, err);
		if (r < 0)
			return r;
	}
	return add_superblock_options(&s, err);
}

const char *mount_attribute_word(uint64_t flags, unsigned int index)
{
	static const struct {
		uint64_t mask, value;
		const char *word;
	} words[] = {
		{ SYS_ATTR_RDONLY, SYS_ATTR_RDONLY, "ro" },
		{ SYS_ATTR_NOSUID, SYS_ATTR_NOSUID, "nosuid" },
		{ SYS_ATTR_NODEV, SYS_ATTR_NODEV, "nodev" },
		{ SYS_ATTR_NOEXEC, SYS_ATTR_NOEXEC, "noexec" },
		{ SYS_ATTR_ATIME_MASK, SYS_ATTR_NOATIME, "noatime" },
		{ SYS_ATTR_ATIME_MASK, SYS_ATTR_STRICTATIME, "strictatime" },
		{ SYS_ATTR_ATIME_MASK, SYS_ATTR_ATIME_MASK, "atime" },
		{ SYS_ATTR_NODIRATIME, SYS_ATTR_NODIRATIME, "nodiratime" },
		{ SYS_ATTR_NOSYMFOLLOW, SYS_ATTR_NOSYMFOLLOW, "nosymfollow" },
		{ SYS_ATTR_IDMAP, SYS_ATTR_IDMAP, "idmap" },
	};
	size_t i;

	for (i = 0; i < array_size(words); i++)
		if ((flags & words[i].mask) == words[i].value && index-- == 0)
			return words[i].word;
	return NULL;
}

const char *mount_propagation_word(unsigned long propagation)
{
	const struct mount_option *row;

	for (row = mount_options; row->name; row++)
		if (row->kind == OPTION_PROPAGATION && row->set == propagation)
			return row->name;
	return NULL;
}

unsigned long mount_propagation_from_word(const char *word)
{
	const struct mount_option *row = find_option(word);

	return row && row->kind == OPTION_PROPAGATION ? (unsigned long)row->set : 0;
}

/* placed.c - what the section of the back end puts into the view: parts of the host at other places, file systems and links
 * of the sandbox's own.
 *
 * A custom bind is a grant, and its source has to be one that the lists leave open: what they say of it, or of what it lies in,
 * holds for the bind as well, and what they restrict inside of it is restricted there too, as in every region (view.c). The
 * reverse is not so: a read-only bind makes nothing else read-only.
 *
 * A place is the author's choice, so nothing may be made for it on the host: in a region of the host a mount goes on what
 * exists there under that very name, and a link can't be made at all. No place lies in what is denied, or on what is listed.
 */
#include "policy/filesystem.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/path.h"

#define TMPFS_MB 2048u /* as the sandbox's /tmp */
#define TMPFS_MB_MOST (INT64_MAX >> 20)

static const struct mxc_bubblewrap nothing;

static const struct mxc_bubblewrap *section_of(const struct mxc_config *config)
{
	return config->bubblewrap ? config->bubblewrap : &nothing;
}

/* ---- looking up ---- */

size_t placed_bind_count(const struct mxc_config *config)
{
	return section_of(config)->custom_binds.count;
}

size_t placed_count(const struct mxc_config *config)
{
	const struct mxc_bubblewrap *section = section_of(config);

	return section->custom_binds.count + section->tmpfs_mounts.count;
}

static bool is_readonly(const struct mxc_bind *bind)
{
	return !bind->is_readonly.set || bind->is_readonly.value;
}

void placed_request_binds(const struct mxc_config *config, struct object_request *requests)
{
	const struct mxc_bubblewrap *section = section_of(config);

	for (size_t i = 0; i < section->custom_binds.count; i++)
		requests[i] = (struct object_request){
			.path = section->custom_binds.items[i].source,
			.access = is_readonly(&section->custom_binds.items[i]) ? R_OK : R_OK | W_OK,
			.role = OBJECT_BOUND,
		};
}

static int clean(struct arena *arena, const char *path, const char **ret, struct err **err)
{
	cleanup_free char *cleaned = path_clean(path);

	*ret = cleaned ? arena_strdup(arena, cleaned) : NULL;
	return *ret ? 0 : err_nomem(err);
}

static const char *destination_of(const struct mxc_bind *bind)
{
	return bind->destination ? bind->destination : bind->source;
}

int placed_request_places(struct arena *arena, const struct mxc_config *config, struct object_request *requests,
			  struct err **err)
{
	const struct mxc_bubblewrap *section = section_of(config);
	size_t binds = section->custom_binds.count;
	int r = 0;

	for (size_t i = 0; i < placed_count(config) && r == 0; i++) {
		requests[i] = (struct object_request){ .access = F_OK, .role = OBJECT_PLACE };
		r = clean(arena, i < binds ? destination_of(&section->custom_binds.items[i]) :
					     section->tmpfs_mounts.items[i - binds].path, &requests[i].path, err);
	}
	return r;
}

/* ---- collecting ---- */

static int collect_binds(struct view *view, const struct mxc_bubblewrap *section, struct err **err)
{
	int r = 0;

	for (size_t i = 0; i < section->custom_binds.count && r == 0; i++) {
		const struct mxc_bind *bind = &section->custom_binds.items[i];
		struct candidate *c = &view->items[view->count];

		c->object = &view->objects->items[view->count];
		c->order = view->count++;
		c->exists = !c->object->error;
		c->entry.is_bind = true;
		c->entry.intent = c->entry.requested = is_readonly(bind) ? INTENT_READONLY : INTENT_READWRITE;
		c->entry.pointer = arena_printf(view->arena, "/bubblewrap/customBinds/%zu", i);
		r = c->entry.pointer ? clean(view->arena, destination_of(bind), &c->bound_at, err) : err_nomem(err);
	}
	return r;
}

static int compare_tmpfs(const void *a, const void *b)
{
	const struct policy_tmpfs *x = a, *y = b;
	unsigned int depth_x = policy_depth(x->path), depth_y = policy_depth(y->path);

	return depth_x != depth_y ? (depth_x < depth_y ? -1 : 1) : strcmp(x->path, y->path);
}

static int collect_tmpfs(struct view *view, const struct mxc_bubblewrap *section, struct err **err)
{
	struct policy_filesystem *fs = view->ret;
	int r = 0;

	fs->tmpfs = arena_array(view->arena, section->tmpfs_mounts.count, sizeof(*fs->tmpfs));
	if (!fs->tmpfs)
		return err_nomem(err);
	for (size_t i = 0; i < section->tmpfs_mounts.count && r == 0; i++) {
		const struct mxc_tmpfs *from = &section->tmpfs_mounts.items[i];
		struct policy_tmpfs *tmpfs = &fs->tmpfs[fs->tmpfs_count++];

		tmpfs->pointer = arena_printf(view->arena, "/bubblewrap/tmpfsMounts/%zu", i);
		tmpfs->size_mb = from->size_mb.set ? from->size_mb.value : TMPFS_MB;
		r = tmpfs->pointer ? clean(view->arena, from->path, &tmpfs->path, err) : err_nomem(err);
		if (r == 0 && (!tmpfs->size_mb || tmpfs->size_mb > TMPFS_MB_MOST))
			r = err_set(err, E_POLICY, 0, tmpfs->pointer, "sizeMb: expected 1 or more, found %llu",
				    (unsigned long long)tmpfs->size_mb);
	}
	if (r == 0)
		qsort(fs->tmpfs, fs->tmpfs_count, sizeof(*fs->tmpfs), compare_tmpfs);
	return r;
}

static int collect_symlinks(struct view *view, const struct mxc_bubblewrap *section, struct err **err)
{
	struct policy_filesystem *fs = view->ret;
	int r = 0;

	fs->symlinks = arena_array(view->arena, section->symlinks.count, sizeof(*fs->symlinks));
	if (!fs->symlinks)
		return err_nomem(err);
	for (size_t i = 0; i < section->symlinks.count && r == 0; i++) {
		struct policy_symlink *symlink = &fs->symlinks[fs->symlink_count++];

		symlink->target = section->symlinks.items[i].target;
		symlink->pointer = arena_printf(view->arena, "/bubblewrap/symlinks/%zu", i);
		r = symlink->pointer ? clean(view->arena, section->symlinks.items[i].path, &symlink->path, err) : err_nomem(err);
	}
	return r;
}

int placed_collect(struct view *view, const struct mxc_config *config, struct err **err)
{
	const struct mxc_bubblewrap *section = section_of(config);
	int r = collect_binds(view, section, err);

	if (r == 0)
		r = collect_tmpfs(view, section, err);
	return r < 0 ? r : collect_symlinks(view, section, err);
}

bool placed_is_own(const struct view *view, const char *path, size_t len)
{
	for (size_t i = 0; i < view->ret->tmpfs_count; i++)
		if (strlen(view->ret->tmpfs[i].path) == len && !strncmp(view->ret->tmpfs[i].path, path, len))
			return true;
	return false;
}

/* ---- what the lists say of a source ---- */

/* The deepest of what is listed, or another name of it, that the source is or lies in; of two the stricter. */
static const struct candidate *listing_around(const struct view *view, const char *source)
{
	const struct candidate *found = NULL;

	for (size_t i = 0; i < view->count; i++) {
		const struct candidate *c = &view->items[i];
		size_t len = c->entry.source ? strlen(c->entry.source) : 0;

		if (c->bound_at || c->is_image || !len || !path_is_within(source, c->entry.source))
			continue;
		if (!found || len > strlen(found->entry.source) ||
		    (len == strlen(found->entry.source) && c->entry.intent < found->entry.intent))
			found = c;
	}
	return found;
}

int placed_tighten(struct view *view, struct err **err)
{
	for (size_t i = 0; i < view->count; i++) {
		struct candidate *c = &view->items[i];
		const struct candidate *around = c->bound_at ? listing_around(view, c->object->canonical) : NULL;

		if (around && around->entry.intent < c->entry.intent)
			c->entry.intent = around->entry.intent;
		if (c->bound_at && c->entry.intent == INTENT_DENIED)
			return err_set(err, E_POLICY, 0, c->entry.pointer,
				       "'%.512s' is denied, by this or another name, or lies in what is: a bind doesn't open it",
				       c->object->path);
	}
	return 0;
}

/* ---- where things may be put ---- */

enum placed_kind { PLACED_BIND, PLACED_TMPFS, PLACED_SYMLINK };

struct placed {
	enum placed_kind kind;
	const char *path, *pointer;
	const struct host_object *object; /* what the host has there; not of a link */
	bool is_directory;		  /* what is put there */
};

static int check_own_parts(const struct placed *p, struct err **err)
{
	static const char *const parts[] = { "/proc", "/sys", "/dev", "/var/run" };

	if (!p->path[1])
		return err_set(err, E_POLICY, 0, p->pointer, "nothing can be put in place of the sandbox's root");
	if (p->kind == PLACED_TMPFS && !strcmp(p->path, "/dev/shm"))
		return 0;
	for (size_t i = 0; i < array_size(parts); i++)
		if (path_is_within(p->path, parts[i]))
			return err_set(err, E_POLICY, 0, p->pointer, "'%.512s': nothing can be put into %s, which is the sandbox's own",
				       p->path, parts[i]);
	return 0;
}

static int refuse_neighbour(const struct placed *p, const char *what, const char *path, struct err **err)
{
	return err_set(err, E_POLICY, 0, p->pointer, "'%.512s' %s '%.512s'", p->path, what, path);
}

/* Below a link, and below a bind, places would have to be made in what it leads to. */
static int check_against(const struct placed *p, const char *path, struct err **err)
{
	if (!strcmp(path, p->path))
		return refuse_neighbour(p, "has two things put there, the other one as", path, err);
	if (p->kind != PLACED_TMPFS && path_is_within(path, p->path))
		return refuse_neighbour(p, "has another thing put into it, at", path, err);
	return 0;
}

static int check_candidates(const struct view *view, const struct placed *p, struct err **err)
{
	int r = 0;

	for (size_t i = 0; i < view->count && r == 0; i++) {
		const struct candidate *c = &view->items[i];

		if (c->is_dropped || (p->kind == PLACED_BIND && c->entry.pointer == p->pointer))
			continue;
		if (candidate_is_denial(c) && path_is_within(p->path, c->entry.destination))
			return refuse_neighbour(p, "lies in what is denied:", c->entry.destination, err);
		if (!c->is_alias)
			r = check_against(p, c->entry.destination, err);
	}
	return r;
}

static int check_placed(const struct view *view, const struct placed *p, struct err **err)
{
	const struct policy_filesystem *fs = view->ret;
	int r = 0;

	for (size_t i = 0; i < fs->tmpfs_count && r == 0; i++)
		if (fs->tmpfs[i].pointer != p->pointer)
			r = check_against(p, fs->tmpfs[i].path, err);
	for (size_t i = 0; i < fs->symlink_count && r == 0; i++)
		if (fs->symlinks[i].pointer != p->pointer)
			r = check_against(p, fs->symlinks[i].path, err);
	for (size_t i = 0; i < fs->folder_count && r == 0 && p->kind == PLACED_SYMLINK; i++)
		r = check_against(p, fs->folders[i].path, err);
	if (r == 0 && p->kind == PLACED_SYMLINK && fs->wants_tmp && !strcmp(p->path, "/tmp"))
		r = err_set(err, E_POLICY, 0, p->pointer, "'/tmp' is the sandbox's own, and no link is put in its place");
	return r;
}

/* The deepest region of the host that the place is or lies in; NULL: it is in a file system of the sandbox's own. */
static const char *host_region(const struct view *view, const char *path)
{
	const struct policy_filesystem *fs = view->ret;
	const char *found = fs->whole_root == WHOLE_ROOT_READONLY || fs->whole_root == WHOLE_ROOT_READWRITE ? "/" : NULL;
	size_t own = fs->wants_tmp && path_is_within(path, "/tmp") ? strlen("/tmp") : 0;

	for (size_t i = 0; i < fs->folder_count; i++)
		if (path_is_within(path, fs->folders[i].path) && (!found || strlen(fs->folders[i].path) > strlen(found)))
			found = fs->folders[i].path;
	for (size_t i = 0; i < view->count; i++) {
		const struct candidate *c = &view->items[i];

		if (candidate_is_grant(c) && !c->is_image && strcmp(c->entry.destination, path) != 0 &&
		    path_is_within(path, c->entry.destination) && (!found || strlen(c->entry.destination) > strlen(found)))
			found = c->entry.destination;
	}
	for (size_t i = 0; i < fs->tmpfs_count; i++)
		if (strcmp(fs->tmpfs[i].path, path) != 0 && path_is_within(path, fs->tmpfs[i].path) && strlen(fs->tmpfs[i].path) > own)
			own = strlen(fs->tmpfs[i].path);
	return found && strlen(found) > own ? found : NULL;
}

static int check_region(const struct view *view, const struct placed *p, struct err **err)
{
	const char *region = host_region(view, p->path);

	if (!region)
		return 0;
	if (p->kind == PLACED_SYMLINK)
		return refuse_neighbour(p, "can't be made without leaving a trace on the host, in", region, err);
	if (p->object->error || strcmp(p->object->canonical, p->path) != 0)
		return refuse_neighbour(p, "does not exist under this very name, and can't be made without leaving a trace on the host, in",
					region, err);
	if (S_ISDIR(p->object->mode) != p->is_directory)
		return err_set(err, E_POLICY, 0, p->pointer, "'%.512s' is %s directory on the host, and what is put there is not",
			       p->path, S_ISDIR(p->object->mode) ? "a" : "no");
	return 0;
}

static int check(const struct view *view, const struct placed *p, struct err **err)
{
	int r = check_own_parts(p, err);

	if (r == 0)
		r = check_candidates(view, p, err);
	if (r == 0)
		r = check_placed(view, p, err);
	return r < 0 ? r : check_region(view, p, err);
}

/* Of the places that were looked up, behind all other objects. */
static const struct host_object *place_object(const struct view *view, const char *path)
{
	const struct host_object *object = view->objects->items + view->objects->count;

	do
		object--;
	while (strcmp(object->path, path) != 0);
	return object;
}

int placed_check(const struct view *view, struct err **err)
{
	const struct policy_filesystem *fs = view->ret;
	int r = 0;

	for (size_t i = 0; i < view->count && r == 0; i++) {
		const struct candidate *c = &view->items[i];

		if (c->bound_at)
			r = check(view, &(struct placed){ PLACED_BIND, c->bound_at, c->entry.pointer, place_object(view, c->bound_at),
							  c->entry.is_directory }, err);
	}
	for (size_t i = 0; i < fs->tmpfs_count && r == 0; i++)
		r = check(view, &(struct placed){ PLACED_TMPFS, fs->tmpfs[i].path, fs->tmpfs[i].pointer,
						  place_object(view, fs->tmpfs[i].path), true }, err);
	for (size_t i = 0; i < fs->symlink_count && r == 0; i++)
		r = check(view, &(struct placed){ PLACED_SYMLINK, fs->symlinks[i].path, fs->symlinks[i].pointer, NULL, false }, err);
	return r;
}

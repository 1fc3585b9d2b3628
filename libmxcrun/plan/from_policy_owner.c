/* from_policy_owner.c - what the host's owner restricts, at the places where a sandbox shows it.
 *
 * His paths are the host's. A sandbox shows parts of the host, mostly at the same place, but a grant may be spelled with a
 * link or lead to the same object by another name; so each region goes to wherever a mount of the view
 * brings its path, and to each mount that brings something from inside of it.
 */
#include "plan/from_policy_owner.h"

#include <string.h>

#include "base/path.h"

#define REGIONS_MAX 65536u

struct mapping {
	struct builder *b;
	const struct plan_owner *owner;
	struct plan_region *regions;
	size_t count, capacity;
};

/* What the view shows at a path is the mount with the longest destination above it, the last of equals. */
static const struct plan_mount *mount_at(const struct plan *plan, const char *path)
{
	const struct plan_mount *best = NULL;

	for (size_t i = 0; i < plan->mount_count; i++) {
		const struct plan_mount *mount = &plan->mounts[i];

		if (mount->kind != MOUNT_SYMLINK && mount->kind != MOUNT_REMOUNT && path_is_within(path, mount->destination) &&
		    (!best || strlen(mount->destination) >= strlen(best->destination)))
			best = mount;
	}
	return best;
}

static enum plan_region_kind kind_of(const struct combined_region *region)
{
	return region->intent == INTENT_DENIED	   ? REGION_DENIED
	       : region->intent == INTENT_READONLY ? REGION_READONLY
						   : REGION_OPEN;
}

static int add(struct mapping *m, const struct combined_region *from, const char *path, struct err **err)
{
	struct plan_region *region = m->regions;

	while (region < m->regions + m->count && strcmp(region->path, path) != 0)
		region++;
	if (region == m->regions + m->count) {
		if (m->count == m->capacity)
			return err_set(err, E_POLICY, 0, from->pointer, "the owner's policies come to more than %zu regions",
				       m->capacity);
		m->count++;
	} else if (region->kind >= kind_of(from)) {
		return 0;
	}
	region->kind = kind_of(from);
	if (copy_string(m->b, from->pointer, &region->pointer, err) < 0)
		return -1;
	return copy_string(m->b, path, &region->path, err);
}

/* The region's path, where this mount (NULL: the root) brings it. */
static int map_into(struct mapping *m, size_t index, const struct plan_mount *mount, struct err **err)
{
	const struct combined_region *region = &m->owner->combined->regions[index];
	const struct host_object *object = &m->owner->objects->items[index];
	const char *source = mount ? mount->source : m->b->plan->root.path, *rest, *path;

	if (!path_is_within(region->path, source))
		return 0;
	rest = region->path + (source[1] ? strlen(source) : 0);
	path = arena_printf(m->b->arena, "%s%s", mount && mount->destination[1] ? mount->destination : "", rest);
	if (!path)
		return err_nomem(err);
	if (!*path || mount_at(m->b->plan, path) != mount)
		return 0;
	if (!object->error)
		return add(m, region, path, err);
	if (region->intent == INTENT_READWRITE)
		return 0;
	return err_set(err, E_POLICY, 0, region->pointer,
		       "filesystem path '%.512s' does not exist, and lies in the granted '%.512s': it can't be kept from "
		       "appearing there without leaving a trace on the host",
		       region->path, source);
}

/* Does the mount bring the very object, or something from inside of the region? */
static bool is_brought(const struct mapping *m, size_t index, const struct plan_mount *mount)
{
	const struct combined_region *region = &m->owner->combined->regions[index];
	const struct host_object *object = &m->owner->objects->items[index];

	if (!object->error && mount->source_ino && mount->source_dev == object->dev && mount->source_ino == object->ino)
		return true;
	return path_is_within(mount->source, region->path);
}

/* The innermost region around the mount's source decides: the last, because outer ones come first. */
static int map_around(struct mapping *m, const struct plan_mount *mount, struct err **err)
{
	const struct combined_region *found = NULL;

	for (size_t i = 0; i < m->owner->combined->region_count; i++)
		if (is_brought(m, i, mount))
			found = &m->owner->combined->regions[i];
	return found && found->intent != INTENT_READWRITE ? add(m, found, mount->destination, err) : 0;
}

/* The sandbox's own /proc has the same names. */
static int map_proc(struct mapping *m, size_t index, struct err **err)
{
	const struct combined_region *region = &m->owner->combined->regions[index];
	const struct plan_mount *mount = mount_at(m->b->plan, region->path);

	if (!path_is_within(region->path, "/proc") || !mount || !mount->fstype || strcmp(mount->fstype, "proc") != 0 ||
	    m->owner->objects->items[index].error)
		return 0;
	return add(m, region, region->path, err);
}

static int map_mount(struct mapping *m, const struct plan_mount *mount, struct err **err)
{
	int r = mount ? map_around(m, mount, err) : 0;

	for (size_t i = 0; i < m->owner->combined->region_count && r == 0; i++)
		r = map_into(m, i, mount, err);
	return r;
}

/* An image that lies in what the owner denies isn't opened by being the root. */
static int check_image(const struct mapping *m, struct err **err)
{
	const struct combined_region *found = NULL;

	for (size_t i = 0; i < m->owner->combined->region_count; i++)
		if (path_is_within(m->b->plan->root.path, m->owner->combined->regions[i].path))
			found = &m->owner->combined->regions[i];
	if (!found || found->intent != INTENT_DENIED)
		return 0;
	return err_set(err, E_POLICY, 0, found->pointer, "the image, %.512s, lies in what the host's owner denies: %.512s",
		       m->b->plan->root.path, found->path);
}

static void mark_reopened(struct mapping *m)
{
	for (size_t i = 0; i < m->count; i++)
		for (size_t j = 0; j < m->count; j++)
			m->regions[i].is_reopened |= i != j && m->regions[i].kind == REGION_DENIED &&
						     m->regions[j].kind != REGION_DENIED &&
						     path_is_within(m->regions[j].path, m->regions[i].path);
}

static int compare_regions(const void *a, const void *b)
{
	const struct plan_region *x = a, *y = b;

	return strcmp(x->path, y->path);
}

int build_owner_regions(struct builder *b, const struct plan_owner *owner, struct err **err)
{
	struct plan *plan = b->plan;
	struct mapping m = { .b = b, .owner = owner };
	int r = 0;

	if (!owner || !owner->combined->region_count)
		return 0;
	m.capacity = (plan->mount_count + 2) * (owner->combined->region_count + 1);
	if (m.capacity > REGIONS_MAX)
		m.capacity = REGIONS_MAX;
	m.regions = arena_array(b->arena, m.capacity, sizeof(*m.regions));
	if (!m.regions)
		return err_nomem(err);
	if (plan->root.kind == ROOT_IMAGE)
		r = check_image(&m, err);
	if (r == 0 && plan->root.kind != ROOT_VIEW)
		r = map_mount(&m, NULL, err);
	for (size_t i = 0; i < plan->mount_count && r == 0; i++)
		if (plan->mounts[i].kind == MOUNT_BIND)
			r = map_mount(&m, &plan->mounts[i], err);
	for (size_t i = 0; i < owner->combined->region_count && r == 0; i++)
		r = map_proc(&m, i, err);
	mark_reopened(&m);
	qsort(m.regions, m.count, sizeof(*m.regions), compare_regions);
	plan->policy.regions = m.regions;
	plan->policy.region_count = m.count;
	return r;
}

/* from_oci_idmaps.c - uid and gid maps, checked for everything that the kernel would refuse later
 * or, worse, read differently (invariant 29): empty ranges, overflow, overlap on either side, too
 * many lines. */
#include "plan/caps.h"
#include "plan/from_oci.h"

#define IDMAP_LINES_MAX 340u /* UID_GID_MAP_MAX_EXTENTS, Linux 4.15 */

static bool overlaps(uint32_t a, uint32_t a_count, uint32_t b, uint32_t b_count)
{
	return (uint64_t)a < (uint64_t)b + b_count && (uint64_t)b < (uint64_t)a + a_count;
}

static int check_range(const struct plan_idmaps *maps, const struct plan_idmap *map,
		       const char *pointer, struct err **err)
{
	size_t i;

	if (map->count == 0)
		return err_set(err, E_CONFIG, 0, pointer, "a mapping of no ids, found %u-%u-0", map->inside, map->outside);
	/* The last id of either side must be at most 2^32-2, because 2^32-1 is no id. */
	if ((uint64_t)map->inside + map->count > UINT32_MAX ||
	    (uint64_t)map->outside + map->count > UINT32_MAX)
		return err_set(err, E_CONFIG, 0, pointer,
			       "the mapping goes beyond the highest id, 4294967294: found %u-%u-%u", map->inside, map->outside, map->count);
	for (i = 0; i < maps->count; i++) {
		const struct plan_idmap *other = &maps->items[i];

		if (overlaps(map->inside, map->count, other->inside, other->count))
			return err_set(err, E_CONFIG, 0, pointer,
				       "overlaps mapping %zu inside the container: found %u-%u-%u", i, map->inside, map->outside, map->count);
		if (overlaps(map->outside, map->count, other->outside, other->count))
			return err_set(err, E_CONFIG, 0, pointer,
				       "overlaps mapping %zu on the host: found %u-%u-%u", i, map->inside, map->outside, map->count);
	}
	return 0;
}

int add_id_range(struct plan_idmaps *maps, const struct plan_idmap *range, const char *pointer, struct err **err)
{
	int r = check_range(maps, range, pointer, err);

	if (r < 0)
		return r;
	if (maps->count == IDMAP_LINES_MAX)
		return err_set(err, E_CONFIG, 0, pointer, "more than %u mappings", IDMAP_LINES_MAX);
	maps->items[maps->count++] = *range;
	return 0;
}

int build_id_map(struct builder *b, const struct oci_id_mappings *list, const char *name,
	      struct plan_idmaps *ret, struct err **err)
{
	size_t i;
	int r;

	if (list->count > IDMAP_LINES_MAX)
		return err_set(err, E_CONFIG, 0, name, "more than %u mappings", IDMAP_LINES_MAX);
	ret->items = arena_array(b->arena, list->count, sizeof(*ret->items));
	if (!ret->items)
		return err_nomem(err);
	for (i = 0; i < list->count; i++) {
		const struct oci_id_mapping *entry = &list->items[i];
		struct plan_idmap map = { entry->container_id, entry->host_id, entry->size.value };
		const char *pointer = item_pointer(b, name, i);

		if (!pointer)
			return err_nomem(err);
		r = add_id_range(ret, &map, pointer, err);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Without CAP_SETGID the kernel takes a gid map only after setgroups(2) is denied, and then only
 * our own group. A longer map is written by newgidmap, which has the capability. */
static bool must_deny_setgroups(const struct builder *b)
{
	const struct plan_idmaps *maps = &b->plan->gid_maps;

	return !(b->facts->capabilities & caps_bit(CAP_BIT_SETGID)) && maps->count == 1 &&
	       maps->items[0].count == 1 && maps->items[0].outside == b->facts->egid;
}

int build_idmaps(struct builder *b, struct err **err)
{
	const struct oci_id_mappings *uids = &b->linux_->uid_mappings,
				     *gids = &b->linux_->gid_mappings;
	enum plan_ns_mode mode = b->plan->namespaces[NS_USER].mode;
	int r;

	if (mode == NS_HOST && (uids->count || gids->count))
		return err_set(err, E_CONFIG, 0,
			       uids->count ? "/linux/uidMappings" : "/linux/gidMappings",
			       "id mappings without a user namespace");
	if (mode == NS_NEW && (!uids->count || !gids->count))
		return err_set(err, E_CONFIG, 0,
			       uids->count ? "/linux/gidMappings" : "/linux/uidMappings",
			       "a new user namespace needs id mappings");
	r = build_id_map(b, uids, "/linux/uidMappings", &b->plan->uid_maps, err);
	if (r == 0)
		r = build_id_map(b, gids, "/linux/gidMappings", &b->plan->gid_maps, err);
	if (r < 0)
		return r;
	b->plan->deny_setgroups = mode == NS_NEW && must_deny_setgroups(b);
	return 0;
}

bool is_mapped(const struct builder *b, const struct plan_idmaps *maps, uint32_t id)
{
	return b->plan->namespaces[NS_USER].mode == NS_HOST || !maps->count || plan_idmap_inside(maps, id);
}

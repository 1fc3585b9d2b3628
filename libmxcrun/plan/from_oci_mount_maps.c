/* from_oci_mount_maps.c - whose ids a mount shows: its own uidMappings and gidMappings, the maps in its option idmap or ridmap as crun has
 * them (crun(1), "idmap mount options"), or those of the container's user namespace. Without any of them there is nothing that the
 * mount could mean.
 *
 *     idmap=uids=0-1-10#10-11-10;gids=@0-100-10
 *
 * A range is the first id on the file system, the id that it appears as on the host, and how many. Behind an @ the second one is an
 * id of the container.
 */
#include <string.h>

#include "plan/from_oci.h"

/* Its mappings where it has none of its own. */
static int take_container_maps(struct builder *b, const struct plan_mount *mount, struct plan_mount_maps *maps, struct err **err)
{
	*maps = (struct plan_mount_maps){ b->plan->uid_maps, b->plan->gid_maps };
	if (b->plan->namespaces[NS_USER].mode == NS_JOIN || (maps->uids.count && maps->gids.count))
		return 0;
	return err_set(err, E_CONFIG, 0, mount->pointer,
		       "an idmapped mount needs mappings, of its own or of the container's user namespace");
}

static int build_own_maps(struct builder *b, const struct oci_mount *entry, const struct plan_mount *mount,
			  struct plan_mount_maps *maps, struct err **err)
{
	const char *uids = arena_printf(b->arena, "%s/uidMappings", mount->pointer);
	const char *gids = arena_printf(b->arena, "%s/gidMappings", mount->pointer);
	int r;

	if (!uids || !gids)
		return err_nomem(err);
	if (!entry->uid_mappings.count || !entry->gid_mappings.count)
		return err_set(err, E_CONFIG, 0, entry->uid_mappings.count ? gids : uids,
			       "both, uidMappings and gidMappings, are needed");
	r = build_id_map(b, &entry->uid_mappings, uids, &maps->uids, err);
	return r == 0 ? build_id_map(b, &entry->gid_mappings, gids, &maps->gids, err) : r;
}

/* ---- the maps in an option ---- */

static bool take_number(const char **at, uint32_t *ret)
{
	const char *first = *at;
	uint64_t number = 0;

	for (; **at >= '0' && **at <= '9' && number <= UINT32_MAX; (*at)++)
		number = number * 10 + (uint64_t)(**at - '0');
	*ret = (uint32_t)number;
	return *at > first && number <= UINT32_MAX;
}

static bool take_dash(const char **at)
{
	return **at == '-' && (*at)++;
}

/* around: the map that an @ refers to. The range in it where ours begins moves all of ours, as under crun. */
static int read_range(const char *text, const struct plan_idmaps *around, struct plan_idmap *ret, const char *pointer, struct err **err)
{
	bool is_relative = *text == '@';
	const char *at = text + is_relative;
	const struct plan_idmap *range;

	if (!take_number(&at, &ret->inside) || !take_dash(&at) || !take_number(&at, &ret->outside) || !take_dash(&at) ||
	    !take_number(&at, &ret->count) || *at)
		return err_set(err, E_CONFIG, 0, pointer,
			       "expected a range FIRST-HOST-COUNT or @FIRST-CONTAINER-COUNT, found \"%.64s\"", text);
	if (!is_relative)
		return 0;
	range = plan_idmap_inside(around, ret->outside);
	if (!range)
		return err_set(err, E_CONFIG, 0, pointer,
			       "expected an id that the mappings of the container's user namespace have, found %u in \"%.64s\"",
			       ret->outside, text);
	ret->outside += range->outside - range->inside;
	return 0;
}

static int read_ranges(struct builder *b, char *text, const struct plan_idmaps *around, struct plan_idmaps *ret, const char *pointer,
		       struct err **err)
{
	size_t room = 1;
	char *word;

	for (const char *at = text; (at = strchr(at, '#')); at++)
		room++;
	ret->items = arena_array(b->arena, room, sizeof(*ret->items));
	if (!ret->items)
		return err_nomem(err);
	while ((word = strsep(&text, "#"))) {
		struct plan_idmap range;
		int r = read_range(word, around, &range, pointer, err);

		if (r == 0)
			r = add_id_range(ret, &range, pointer, err);
		if (r < 0)
			return r;
	}
	return 0;
}

/* "uids=RANGES" or "gids=RANGES" */
static int read_section(struct builder *b, char *section, struct plan_mount_maps *maps, const char *pointer, struct err **err)
{
	bool is_uids = !strncmp(section, "uids=", 5);
	struct plan_idmaps *ret = is_uids ? &maps->uids : &maps->gids;

	if (!is_uids && strncmp(section, "gids=", 5) != 0)
		return err_set(err, E_CONFIG, 0, pointer, "expected uids=RANGES or gids=RANGES, found \"%.64s\"", section);
	if (ret->count)
		return err_set(err, E_CONFIG, 0, pointer, "expected %.4s once, found a second \"%.64s\"", section, section);
	return read_ranges(b, section + 5, is_uids ? &b->plan->uid_maps : &b->plan->gid_maps, ret, pointer, err);
}

static int build_option_maps(struct builder *b, const struct mount_option_marks *marks, const struct plan_mount *mount,
			     struct plan_mount_maps *maps, struct err **err)
{
	const char *pointer = arena_printf(b->arena, "%s/options/%zu", mount->pointer, marks->idmap_index);
	char *rest = arena_strdup(b->arena, marks->idmap), *section;
	int r = 0;

	if (!pointer || !rest)
		return err_nomem(err);
	while (r == 0 && (section = strsep(&rest, ";")))
		r = read_section(b, section, maps, pointer, err);
	if (r == 0 && (!maps->uids.count || !maps->gids.count))
		r = err_set(err, E_CONFIG, 0, pointer, "expected uids=RANGES;gids=RANGES, found \"%.64s\" alone", marks->idmap);
	return r;
}

int build_mount_maps(struct builder *b, const struct oci_mount *entry, const struct mount_option_marks *marks,
		     struct plan_mount *mount, struct err **err)
{
	bool has_own = entry->uid_mappings.count || entry->gid_mappings.count;
	struct plan_mount_maps *maps;

	if (!has_own && !mount->is_idmapped)
		return 0;
	mount->is_idmapped = true;
	if (mount->kind != MOUNT_BIND)
		return err_set(err, E_UNSUPPORTED, 0, mount->pointer, "only bind mounts can be idmapped");
	if (has_own && marks->idmap)
		return err_set(err, E_CONFIG, 0, mount->pointer, "expected one of uidMappings with gidMappings and the option idmap=%.64s, found both",
			       marks->idmap);
	mount->maps = maps = arena_alloc(b->arena, sizeof(*maps));
	if (!maps)
		return err_nomem(err);
	if (marks->idmap)
		return build_option_maps(b, marks, mount, maps, err);
	return has_own ? build_own_maps(b, entry, mount, maps, err) : take_container_maps(b, mount, maps, err);
}

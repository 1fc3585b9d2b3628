/* host_paths.c - see host_paths.h.
 *
 * The search for other names is that of a sandbox's own policy (host/aliases.c), by a list in which these policies' regions
 * stand beside what is granted, and without what of that they deny anyway. It comes on top of the sandbox's own search: there
 * a path may be open that is denied here, and the other way round.
 */
#include "lifecycle/host_paths.h"

#include <errno.h>
#include <unistd.h>

#include "base/path.h"
#include "policy/resolve.h"

/* ---- links ---- */

static int follow_path(const struct host_object *object, const char *pointer, const char **ret, struct err **err)
{
	*ret = object->canonical;
	if (*ret)
		return 0;
	if (!pointer)
		return err_nomem(err);
	err_set(err, E_POLICY, object->error, pointer, "filesystem path '%.512s' can't be resolved", object->path);
	err_hint(err, "where it leads is not known, and so not what has to be restricted: for the host's owner it is to name the "
		      "folder that is out of reach instead");
	return -EINVAL;
}

static int follow_list(struct arena *arena, const struct host_facts *facts, const struct policy_carrier *carrier,
		       const char *key, struct string_list *list, struct err **err)
{
	struct object_request *requests = arena_array(arena, list->count, sizeof(*requests));
	const char **paths = arena_array(arena, list->count + 1, sizeof(*paths));
	struct host_objects *objects = NULL;
	int r;

	if (!list->count)
		return 0;
	if (!requests || !paths)
		return err_nomem(err);
	for (size_t i = 0; i < list->count; i++) {
		if (list->items[i][0] != '/')
			return err_set(err, E_POLICY, 0, arena_printf(arena, "%s/filesystem/%s/%zu", carrier->prefix, key, i),
				       "filesystem path '%.512s' has to be absolute", list->items[i]);
		requests[i] = (struct object_request){ .path = list->items[i], .access = F_OK };
	}
	r = objects_look_up(arena, requests, list->count, facts, NULL, &objects, err);
	for (size_t i = 0; i < list->count && r == 0; i++)
		r = follow_path(&objects->items[i], arena_printf(arena, "%s/filesystem/%s/%zu", carrier->prefix, key, i), &paths[i], err);
	list->items = paths;
	return r;
}

int host_paths_follow(struct arena *arena, const struct host_facts *facts, struct policy_carrier *carrier, struct err **err)
{
	struct mxc_config *config = arena_memdup(arena, carrier->config, sizeof(*config));
	int r;

	if (!config)
		return err_nomem(err);
	r = follow_list(arena, facts, carrier, "deniedPaths", &config->filesystem.denied_paths, err);
	if (r == 0)
		r = follow_list(arena, facts, carrier, "readonlyPaths", &config->filesystem.readonly_paths, err);
	if (r == 0)
		r = follow_list(arena, facts, carrier, "readwritePaths", &config->filesystem.readwrite_paths, err);
	carrier->config = config;
	return r;
}

int host_paths_look_up(struct arena *arena, const struct host_facts *facts, struct plan_owner *owner, struct err **err)
{
	const struct policy_combined *combined = owner->combined;
	struct object_request *requests = arena_array(arena, combined->region_count, sizeof(*requests));
	struct host_objects *objects = NULL;
	int r;

	if (!requests)
		return err_nomem(err);
	for (size_t i = 0; i < combined->region_count; i++)
		requests[i] = (struct object_request){ .path = combined->regions[i].path, .access = F_OK };
	r = objects_look_up(arena, requests, combined->region_count, facts, NULL, &objects, err);
	owner->objects = objects;
	return r;
}

/* ---- other names ---- */

struct names {
	const struct plan_owner *owner;
	const struct object_request *shown_requests;
	const struct host_objects *shown;
	struct object_request *requests;
	struct host_objects all; /* the regions first */
};

static bool is_denied(const struct plan_owner *owner, const char *path)
{
	const struct policy_combined *combined = owner->combined;
	enum policy_intent intent = INTENT_READWRITE;

	/* outer regions come first */
	for (size_t i = 0; i < combined->region_count; i++)
		if (path_is_within(path, combined->regions[i].path))
			intent = combined->regions[i].intent;
	return intent == INTENT_DENIED;
}

static bool is_grant(const struct names *names, size_t index)
{
	return object_is_granted(&names->shown_requests[index], &names->shown->items[index]);
}

static bool is_shown(const struct names *names, const char *path)
{
	for (size_t i = 0; i < names->shown->count; i++)
		if (is_grant(names, i) && path_is_within(path, names->shown->items[i].canonical))
			return true;
	for (size_t i = 0; i < names->shown->folder_count; i++)
		if (path_is_within(path, names->shown->folders[i].canonical))
			return true;
	return false;
}

static void add_regions(struct names *names)
{
	static const int access_of[INTENT_MAX] = { [INTENT_DENIED] = F_OK, [INTENT_READONLY] = R_OK, [INTENT_READWRITE] = R_OK | W_OK };
	const struct policy_combined *combined = names->owner->combined;

	for (size_t i = 0; i < combined->region_count; i++) {
		const struct combined_region *region = &combined->regions[i];

		names->all.items[i] = names->owner->objects->items[i];
		names->requests[i] = (struct object_request){
			.path = region->path,
			.access = access_of[region->intent],
			.is_unseen = region->intent != INTENT_DENIED && !is_shown(names, region->path),
		};
	}
	names->all.count = combined->region_count;
}

/* These restrict nothing here. */
static void add_shown(struct names *names)
{
	for (size_t i = 0; i < names->shown->count; i++) {
		const struct host_object *object = &names->shown->items[i];

		if (!is_grant(names, i) || is_denied(names->owner, object->canonical))
			continue;
		names->requests[names->all.count] = names->shown_requests[i];
		names->requests[names->all.count].role = OBJECT_BOUND;
		names->all.items[names->all.count++] = *object;
	}
	for (size_t i = 0; i < names->shown->folder_count; i++)
		if (!is_denied(names->owner, names->shown->folders[i].canonical))
			names->all.folders[names->all.folder_count++] = names->shown->folders[i];
}

int host_paths_find_names(struct arena *arena, const struct object_request *requests, const struct host_objects *shown,
			  struct plan_owner *owner, struct err **err)
{
	size_t count = owner->combined->region_count + shown->count;
	struct names names = {
		.owner = owner,
		.shown_requests = requests,
		.shown = shown,
		.requests = arena_array(arena, count, sizeof(*names.requests)),
		.all.items = arena_array(arena, count, sizeof(*names.all.items)),
		.all.folders = arena_array(arena, shown->folder_count, sizeof(*names.all.folders)),
	};
	int r;

	if (!owner->combined->region_count)
		return 0;
	if (!names.requests || !names.all.items || !names.all.folders)
		return err_nomem(err);
	add_regions(&names);
	add_shown(&names);
	r = objects_find_aliases(arena, names.requests, &names.all, err);
	if (r == 0 && names.all.unsearched.place) {
		const struct combined_region *region = &owner->combined->regions[names.all.unsearched.object];

		r = policy_refuse_unsearched(&names.all.unsearched, region->path, region->pointer, err);
	}
	owner->aliases = names.all.aliases;
	owner->alias_count = names.all.alias_count;
	return r;
}

/* own.c - see own.h. */
#include "lifecycle/own.h"

#include <string.h>

#include "base/path.h"

int own_deny(struct arena *arena, const struct mxc_config *config, const char *const *paths, size_t count,
	     const struct mxc_config **ret, struct err **err)
{
	struct mxc_config *changed = arena_memdup(arena, config, sizeof(*config));
	size_t listed = config->filesystem.denied_paths.count;
	const char **items = arena_array(arena, listed + count + 1, sizeof(*items));
	enum mxc_path_type *types = arena_array(arena, listed + count + 1, sizeof(*types));

	if (!changed || !items || !types)
		return err_nomem(err);
	for (size_t i = 0; i < listed; i++) {
		items[i] = config->filesystem.denied_paths.items[i];
		types[i] = config->filesystem.denied_types ? config->filesystem.denied_types[i] : MXC_TYPE_ANY;
	}
	for (size_t i = 0; i < count; i++)
		items[listed + i] = paths[i];
	changed->filesystem.denied_paths.items = items;
	changed->filesystem.denied_paths.count = listed + count;
	changed->filesystem.denied_types = types;
	*ret = changed;
	return 0;
}

static bool is_denied(const struct string_list *denied, const char *path)
{
	for (size_t i = 0; i < denied->count; i++)
		if (strcmp(denied->items[i], path) == 0)
			return true;
	return false;
}

/* On the whole root of the host, too, a sandbox has these of its own. */
static bool is_of_the_sandbox(const char *path)
{
	return path_is_within(path, "/tmp") || path_is_within(path, "/dev") || path_is_within(path, "/proc");
}

static bool shows(const char *granted, const char *state)
{
	return path_is_within(state, granted) && (granted[1] || !is_of_the_sandbox(state));
}

int own_state_deny(struct arena *arena, const struct mxc_config *config, const char *state, const struct host_objects *objects,
		   const struct mxc_config **ret, struct err **err)
{
	bool is_shown = false;
	int r;

	for (size_t i = 0; i < objects->count; i++) {
		const char *path = objects->items[i].canonical;

		if (path && path_is_within(path, state) && !is_denied(&config->filesystem.denied_paths, objects->items[i].path))
			return err_set(err, E_POLICY, 0, "/filesystem", "'%.512s' is of the runtime's own records, which no sandbox sees",
				       objects->items[i].path);
		is_shown |= path && shows(path, state);
	}
	if (!is_shown)
		return 0;
	r = own_deny(arena, config, &state, 1, ret, err);
	return r < 0 ? r : 1;
}

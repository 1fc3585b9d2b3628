/* desktop.c - see desktop.h.
 *
 * A display and its clipboard, a session bus: each is a socket that has a name in the file system, or an abstract one, which
 * a network namespace of one's own doesn't have. By default a sandbox sees none of the folders they lie in; here is
 * what happens when a policy grants one of them, or something around it. They are looked for once, before the start. The
 * variables that lead to them are left out by policy/process.c.
 */
#include "lifecycle/desktop.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/path.h"
#include "lifecycle/own.h"

#define ADDRESS_KEY "unix:path="

static const char *const usual[] = { "/tmp/.X11-unix", "/tmp/.ICE-unix", "/run/user" };

/* The value is a path, or the address of a bus. */
static const char *const telling[] = {
	"XDG_RUNTIME_DIR", "WAYLAND_DISPLAY", "XAUTHORITY", "ICEAUTHORITY", "DBUS_SESSION_BUS_ADDRESS", "AT_SPI_BUS_ADDRESS",
};
#define PLACES_MAX (array_size(usual) + array_size(telling) + 1)

struct places {
	struct arena *arena;
	const char *items[PLACES_MAX];	/* canonical */
	size_t count;
};

/* What doesn't exist, or is out of our reach, can't be granted either. */
static const char *canonical(struct arena *arena, const char *path)
{
	char resolved[PATH_MAX];

	return realpath(path, resolved) ? arena_strdup(arena, resolved) : NULL;
}

static void add_place(struct places *places, const char *path)
{
	const char *found = path && path[0] == '/' && path[1] ? canonical(places->arena, path) : NULL;

	if (found && found[1])
		places->items[places->count++] = found;
}

static void find_places(struct places *places)
{
	const char *home = getenv("HOME");

	for (size_t i = 0; i < array_size(usual); i++)
		add_place(places, usual[i]);
	for (size_t i = 0; i < array_size(telling); i++) {
		const char *value = getenv(telling[i]);
		size_t skip = value && strncmp(value, ADDRESS_KEY, strlen(ADDRESS_KEY)) == 0 ? strlen(ADDRESS_KEY) : 0;

		if (value)
			add_place(places, arena_strndup(places->arena, value + skip, skip ? strcspn(value + skip, ",;") : strlen(value)));
	}
	if (home)
		add_place(places, arena_printf(places->arena, "%s/.Xauthority", home));
}

/* Is the place in what the list grants? E_POLICY when the list grants the place, or a part of it. */
static int look_at(struct places *places, const char *place, const struct string_list *list, const char *pointer, bool *is_granted,
		   struct err **err)
{
	for (size_t i = 0; i < list->count; i++) {
		const char *grant = canonical(places->arena, list->items[i]);

		if (grant && path_is_within(grant, place))
			return err_set(err, E_POLICY, 0, arena_printf(places->arena, "%s/%zu", pointer, i),
				       "a grant of '%.512s' gives the desktop that /ui/disable shuts off", list->items[i]);
		*is_granted |= grant && path_is_within(place, grant);
	}
	return 0;
}

/* What custom binds grant. */
static int list_bound(struct arena *arena, const struct mxc_bubblewrap *section, struct string_list *ret, struct err **err)
{
	size_t count = section ? section->custom_binds.count : 0;

	ret->items = arena_array(arena, count + 1, sizeof(*ret->items));
	if (!ret->items)
		return err_nomem(err);
	for (ret->count = 0; ret->count < count; ret->count++)
		ret->items[ret->count] = section->custom_binds.items[ret->count].source;
	return 0;
}

int desktop_deny(struct arena *arena, const struct mxc_config *config, const struct mxc_config **ret, struct err **err)
{
	struct places places = { .arena = arena };
	struct string_list bound = { 0 };
	size_t kept = 0;
	int r = 0;

	*ret = config;
	if (!config->ui.disable.value)
		return 0;
	find_places(&places);
	r = list_bound(arena, config->bubblewrap, &bound, err);
	for (size_t i = 0; i < places.count && r == 0; i++) {
		const struct mxc_filesystem *fs = &config->filesystem;
		bool is_granted = false;

		r = look_at(&places, places.items[i], &fs->readwrite_paths, "/filesystem/readwritePaths", &is_granted, err);
		if (r == 0)
			r = look_at(&places, places.items[i], &fs->readonly_paths, "/filesystem/readonlyPaths", &is_granted, err);
		if (r == 0)
			r = look_at(&places, places.items[i], &bound, "/bubblewrap/customBinds", &is_granted, err);
		if (is_granted)
			places.items[kept++] = places.items[i];
	}
	places.count = kept;
	if (r < 0 || !kept)
		return r;
	return own_deny(arena, config, places.items, places.count, ret, err);
}

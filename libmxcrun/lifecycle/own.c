/* own.c - see own.h. */
#include "lifecycle/own.h"

#include <string.h>
#include <sys/stat.h>

#include "host/images.h"
#include "lifecycle/admin.h"

#define OWNERS_WORDS "the host owner's configuration"

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

/* ---- what a grant may hold ---- */

#define OWN_MAX 8u

struct list {
	struct arena *arena;
	const struct host_facts *facts;
	struct host_own *items;
	size_t count;
};

/* What isn't there is nobody's to write to. NULL: there is none. */
static int add(struct list *list, const char *path, const char *words, struct err **err)
{
	struct host_own *own = &list->items[list->count];
	int r = path ? object_look_up(list->arena, path, list->facts, &own->object, err) : 0;

	if (!path || r < 0 || own->object.error || !own->object.canonical)
		return r;
	own->words = words;
	list->count++;
	return 0;
}

/* A run makes the folder before anything is granted. */
static int add_records(struct list *list, const struct own_places *places, struct err **err)
{
	struct host_own *own = &list->items[list->count];
	int r = 0;

	own->object = (struct host_object){ .path = places->state, .canonical = places->state };
	if (!places->state_exists)
		r = object_look_up(list->arena, places->state, list->facts, &own->object, err);
	if (r < 0 || !own->object.canonical || (own->object.error && places->is_text))
		return r;
	own->object.mode = S_IFDIR;
	own->words = "the runtime's own records";
	own->is_denied = true;
	list->count++;
	return 0;
}

/* A folder that isn't absolute lies beside the file. */
static int add_folder(struct list *list, const char *beside, const char *folder, struct err **err)
{
	const char *path = folder[0] == '/' ? folder : arena_printf(list->arena, "%s/%s", beside, folder);

	return path ? add(list, path, OWNERS_WORDS, err) : err_nomem(err);
}

static int add_owners(struct list *list, const struct own_places *places, struct err **err)
{
	const char *file = places->admin_config, *folder = file ? "." : ADMIN_FOLDER, *slash = file ? strrchr(file, '/') : NULL;
	int r = add(list, file ? file : folder, OWNERS_WORDS, err);

	if (slash)
		folder = arena_strndup(list->arena, file, (size_t)(slash - file) + 1);
	if (!folder)
		return err_nomem(err);
	if (r == 0)
		r = add_folder(list, folder, places->owners->policy_folder, err);
	return r == 0 ? add_folder(list, folder, places->owners->named_folder, err) : r;
}

static int add_images(struct list *list, struct err **err)
{
	const char *store;

	/* a user without a home has no store */
	return image_store(list->arena, list->facts, &store, NULL) < 0 ? 0 : add(list, store, "the image store", err);
}

static const char *absolute(const char *path)
{
	return path && path[0] == '/' ? path : NULL;
}

static bool grants_writing(const struct mxc_config *config)
{
	return config->filesystem.readwrite_paths.count || (config->bubblewrap && config->bubblewrap->custom_binds.count);
}

static bool grants_anything(const struct mxc_config *config)
{
	return config->filesystem.readonly_paths.count || grants_writing(config);
}

/* The program itself matters to whoever runs it next, and may be its owner's to write to. */
static int add_writable(struct list *list, const struct mxc_config *config, const struct own_places *places, struct err **err)
{
	int r = add(list, places->policy, "the policy itself", err);

	if (r == 0)
		r = add(list, config->bubblewrap ? absolute(config->bubblewrap->seccomp_profile) : NULL, "the policy itself", err);
	if (r == 0)
		r = add(list, "/proc/self/exe", "the runtime's own program", err);
	if (r == 0)
		r = add_owners(list, places, err);
	return r == 0 ? add_images(list, err) : r;
}

int own_look_up(struct arena *arena, const struct mxc_config *config, const struct host_facts *facts,
		const struct own_places *places, struct host_objects *objects, struct err **err)
{
	struct list list = { .arena = arena, .facts = facts };
	int r = 0;

	if (!grants_anything(config))
		return 0;
	list.items = arena_array(arena, OWN_MAX, sizeof(*list.items));
	if (!list.items)
		return err_nomem(err);
	if (places->state)
		r = add_records(&list, places, err);
	if (r == 0 && grants_writing(config))
		r = add_writable(&list, config, places, err);
	objects->own = list.items;
	objects->own_count = list.count;
	return r;
}

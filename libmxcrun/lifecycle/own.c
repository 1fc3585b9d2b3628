/* own.c - see own.h. */
#include "lifecycle/own.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"
#include "host/images.h"
#include "lifecycle/admin.h"
#include "lifecycle/store.h"
#include "policy/path_index.h"

#define OWNERS_WORDS "the host owner's configuration"
#define RECORDS_WORDS "the runtime's own records"
#define IMAGES_WORDS "the image store"
#define LINKS_MAX 40u /* more than the kernel follows in one walk */

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

struct list {
	struct arena *arena;
	const struct host_facts *facts;
	const struct own_places *places;
	const struct object_request *requests;
	const struct host_objects *objects; /* of these */
	struct host_own *items;
	size_t count, capacity;
	const char *absent; /* the last folder that isn't there and can't be made: nor is what would lie in it. NULL: none yet */
};

static int push(struct list *list, const struct host_own *own, struct err **err)
{
	struct host_own *items = arena_grow(list->arena, list->items, list->count, &list->capacity, sizeof(*items));

	if (!items)
		return err_nomem(err);
	list->items = items;
	list->items[list->count++] = *own;
	return 0;
}

/* Can the sandbox make or replace this name? By the deepest of the lists' paths above it, or by any bind of one; and only in a
 * folder in which the caller can. */
static bool is_in_reach(const struct list *list, const char *path)
{
	const struct object_request *best = NULL;
	size_t best_len = 0;
	bool is_bound = false;

	for (size_t i = 0; i < list->objects->count; i++) {
		const struct object_request *request = &list->requests[i];
		const char *canonical = list->objects->items[i].canonical;

		if (list->objects->items[i].error || !canonical || request->role == OBJECT_PLACE || !path_is_within(path, canonical))
			continue;
		is_bound |= request->role == OBJECT_BOUND && request->access & W_OK;
		if (request->role == OBJECT_LISTED && (!best || strlen(canonical) > best_len ||
						       (strlen(canonical) == best_len && request->access < best->access))) {
			best = request;
			best_len = strlen(canonical);
		}
	}
	return is_bound || (best && best->access & W_OK);
}

static bool is_callers_folder(const char *path)
{
	return access(path, W_OK | X_OK) == 0;
}

/* ---- names that lead on ---- */

/* The first link of a path, and the path with what it leads to in its place. NULL: there is none. -ENOMEM or 0. */
static int follow_first(struct arena *arena, const char *path, const char **ret_link, const char **ret_path)
{
	char target[PATH_MAX];

	*ret_link = NULL;
	for (const char *end = strchrnul(path + 1, '/');; end = strchrnul(end + 1, '/')) {
		const char *link = arena_strndup(arena, path, (size_t)(end - path));
		ssize_t len = link ? readlink(link, target, sizeof(target)) : -1;

		if (!link)
			return -ENOMEM;
		if (len > 0 && (size_t)len < sizeof(target)) {
			const char *folder = target[0] == '/' ? "" : link;
			int folder_len = *folder ? (int)(strrchr(link, '/') + 1 - link) : 0;
			const char *joined = arena_printf(arena, "%.*s%.*s%s", folder_len, folder, (int)len, target, end);
			cleanup_free char *clean = joined ? path_clean(joined) : NULL;

			*ret_link = link;
			*ret_path = clean ? arena_strdup(arena, clean) : NULL;
			return *ret_path ? 0 : -ENOMEM;
		}
		if (!*end)
			return 0;
	}
}

static bool is_behind_link(const struct host_object *object)
{
	return object->canonical && object->absolute && strcmp(object->absolute, object->canonical) != 0 &&
	       !path_is_within(object->absolute, "/proc");
}

/* A link on the way to an object that a sandbox of this policy can replace, or one before it could. NULL: there is none. */
static int find_loose_link(const struct list *list, const struct host_object *object, const char **ret, struct err **err)
{
	const char *path = object->absolute, *link = "";

	*ret = NULL;
	if (!is_behind_link(object))
		return 0;
	for (unsigned int links = 0; links < LINKS_MAX && link; links++) {
		const char *folder;

		if (follow_first(list->arena, path, &link, &path) < 0)
			return err_nomem(err);
		if (!link || !is_in_reach(list, link))
			continue;
		folder = arena_strndup(list->arena, link, path_parent_len(link, strlen(link)));
		if (!folder)
			return err_nomem(err);
		if (!is_callers_folder(folder))
			continue;
		*ret = link;
		return 0;
	}
	return 0;
}

/* What a link leads to can be held, the link can't: a sandbox that may replace it says what the next run takes. */
static int check_links(const struct list *list, const struct host_own *own, struct err **err)
{
	const char *link;
	int r = find_loose_link(list, &own->object, &link, err);

	if (r < 0 || !link)
		return r;
	err_set(err, E_POLICY, 0, "/filesystem",
		"the link '%.512s' leads to %s, and lies in what is granted for writing: the sandbox could replace it", link, own->words);
	err_hint(err, "grant less, or have the thing itself in the link's place");
	return -EINVAL;
}

/* Without its link it would be granted all the same. */
static bool is_granted_anyhow(const struct list *list, size_t index)
{
	const struct object_request *request = &list->requests[index];
	const char *path = list->objects->items[index].canonical;

	for (size_t i = 0; i < list->objects->count; i++)
		if (i != index && object_is_granted(&list->requests[i], &list->objects->items[i]) &&
		    (list->requests[i].access & request->access) == request->access &&
		    path_is_within(path, list->objects->items[i].canonical))
			return true;
	return false;
}

/* Else a sandbox that may write to a folder had whatever it likes granted, by a link in place of what the next policy names in
 * there: one that makes a part of the folder read-only, say. */
static int check_granted_links(const struct list *list, struct err **err)
{
	for (size_t i = 0; i < list->objects->count; i++) {
		const struct host_object *object = &list->objects->items[i];
		const char *link = NULL;
		int r;

		if (!object_is_granted(&list->requests[i], object) || !is_behind_link(object) || is_granted_anyhow(list, i))
			continue;
		r = find_loose_link(list, object, &link, err);
		if (r < 0)
			return r;
		if (!link)
			continue;
		err_set(err, E_POLICY, 0, "/filesystem",
			"'%.512s' leads to '%.512s' by the link '%.512s', which lies in what is granted for writing: a sandbox could have made it",
			object->path, object->canonical, link);
		err_hint(err, "grant what it leads to by its own path");
		return -EINVAL;
	}
	return 0;
}

/* ---- what there is ---- */

/* The nearest folder that there is. NULL: out of memory. */
static const char *existing_above(const struct list *list, const char *path)
{
	size_t len = path_parent_len(path, strlen(path));
	const char *folder = NULL;

	for (; len; len = path_parent_len(path, len)) {
		folder = arena_strndup(list->arena, path, len);
		if (!folder || access(folder, F_OK) == 0)
			return folder;
	}
	return folder;
}

static int make_public_folder(const char *path, struct err **err)
{
	cleanup_close int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	cleanup_close int fd = root < 0 ? -errno : path_make_in_root(root, path, PATH_MAKE_DIR);

	return fd < 0 ? err_sys(err, E_POLICY, -fd, "mkdir", path, "/filesystem") : 0;
}

static int make_folder(struct list *list, struct host_own *own, struct err **err)
{
	const char *path = own->object.canonical;
	int r = own->is_denied ? store_make_directories(path, err) : make_public_folder(path, err);

	if (r < 0)
		return err_wrap(err, "%s isn't there, and would lie in what is granted for writing, so that the sandbox could make it",
				own->words);
	return object_look_up(list->arena, path, list->facts, &own->object, err);
}

/* A folder that the sandbox could make would say as much as one that is there. A denied path that is absent can't be held, but
 * this is ours to have: it is made, empty, as the folder of the records is. */
static int hold_absent(struct list *list, struct host_own *own, struct err **err)
{
	const char *above;

	if (list->places->is_text || !is_in_reach(list, own->object.canonical))
		return 0;
	/* read-only with what is around it */
	for (size_t i = 0; i < list->count; i++)
		if (path_is_within(own->object.canonical, list->items[i].object.canonical))
			return 0;
	above = existing_above(list, own->object.canonical);
	if (!above)
		return err_nomem(err);
	if (!is_callers_folder(above))
		return 0;
	if (list->places->makes_folders)
		return make_folder(list, own, err);
	own->object.error = 0;
	own->object.mode = S_IFDIR;
	return 0;
}

enum own_kind {
	OWN_FILE,
	OWN_FOLDER,
	OWN_TREE,    /* too large to be searched for files that have other names */
	OWN_RECORDS, /* nobody's to see */
};

static bool is_known(const struct list *list, const struct host_own *own)
{
	for (size_t i = 0; i < list->count; i++)
		if (strcmp(list->items[i].object.canonical, own->object.canonical) == 0)
			return true;
	return false;
}

/* NULL: there is none. */
static int add(struct list *list, const char *path, enum own_kind kind, const char *words, struct err **err)
{
	struct host_own own = { .words = words, .is_denied = kind == OWN_RECORDS, .has_no_links = kind == OWN_TREE };
	int r;

	if (!path || (list->absent && path_is_within(path, list->absent)))
		return 0;
	r = object_look_up(list->arena, path, list->facts, &own.object, err);
	if (r == 0)
		r = check_links(list, &own, err);
	if (r == 0 && kind != OWN_FILE && own.object.error == ENOENT && own.object.canonical)
		r = hold_absent(list, &own, err);
	if (r == 0 && own.object.error == ENOENT && own.object.canonical && !strcmp(own.object.canonical, path))
		list->absent = path;
	if (r < 0 || own.object.error || !own.object.canonical || is_known(list, &own))
		return r;
	return push(list, &own, err);
}

/* A run makes the folder before anything is granted. */
static int add_given_records(struct list *list, struct err **err)
{
	const struct own_places *places = list->places;
	struct host_own own = {
		.object = { .path = places->state, .canonical = places->state },
		.words = RECORDS_WORDS,
		.is_denied = true,
	};
	int r = 0;

	if (!places->state_exists)
		r = object_look_up(list->arena, places->state, list->facts, &own.object, err);
	if (r < 0 || !own.object.canonical || (own.object.error && places->is_text))
		return r;
	own.object.mode = S_IFDIR;
	return push(list, &own, err);
}

/* What runs with another --root, or ran before, has its records where those are that nothing is said of. */
static int add_records(struct list *list, struct err **err)
{
	struct string_list paths;
	int r = add_given_records(list, err);

	if (r == 0 && store_default_paths(list->arena, list->facts->is_privileged, &paths) < 0)
		return err_nomem(err);
	for (size_t i = 0; r == 0 && i < paths.count; i++)
		if (!list->places->state_exists || strcmp(paths.items[i], list->places->state) != 0)
			r = add(list, paths.items[i], OWN_RECORDS, RECORDS_WORDS, err);
	return r;
}

/* A folder that isn't absolute lies beside the file. */
static int add_folder(struct list *list, const char *beside, const char *folder, struct err **err)
{
	const char *path = folder[0] == '/' ? folder : arena_printf(list->arena, "%s/%s", beside, folder);

	return path ? add(list, path, OWN_FOLDER, OWNERS_WORDS, err) : err_nomem(err);
}

static int add_owners(struct list *list, struct err **err)
{
	const struct own_places *places = list->places;
	const char *file = places->admin_config, *folder = file ? "." : ADMIN_FOLDER, *slash = file ? strrchr(file, '/') : NULL;
	int r = file ? add(list, file, OWN_FILE, OWNERS_WORDS, err) : 0;

	/* what the next run goes by, if that is told nothing */
	if (r == 0)
		r = add(list, ADMIN_FOLDER, OWN_FOLDER, OWNERS_WORDS, err);
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
	return image_store(list->arena, list->facts, &store, NULL) < 0 ? 0 : add(list, store, OWN_TREE, IMAGES_WORDS, err);
}

/* It is replaced, by renames that a mount on it would not outlive. */
static int check_report(const struct list *list, struct err **err)
{
	struct host_object report;
	int r = list->places->report ? object_look_up(list->arena, list->places->report, list->facts, &report, err) : 0;

	if (!list->places->report || r < 0 || !report.canonical || !is_in_reach(list, report.canonical))
		return r;
	err_set(err, E_POLICY, 0, "/filesystem",
		"the report %.512s would lie in what is granted for writing: the sandbox could put another in its place", report.path);
	err_hint(err, "have it written elsewhere");
	return -EINVAL;
}

/* Devices and pipes of the caller's are no files that a sandbox could get hold of. */
static int add_log(struct list *list, struct err **err)
{
	const char *path = list->places->log_file;

	if (path && (path_is_within(path, "/dev") || path_is_within(path, "/proc")))
		return 0;
	return add(list, path, OWN_FILE, "the log", err);
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
static int add_writable(struct list *list, const struct mxc_config *config, struct err **err)
{
	int r = check_granted_links(list, err);

	if (r == 0)
		r = check_report(list, err);
	if (r == 0)
		r = add(list, list->places->policy, OWN_FILE, "the policy itself", err);
	if (r == 0)
		r = add_log(list, err);
	if (r == 0)
		r = add(list, config->bubblewrap ? absolute(config->bubblewrap->seccomp_profile) : NULL, OWN_FILE, "the policy itself", err);
	if (r == 0)
		r = add(list, "/proc/self/exe", OWN_FILE, "the runtime's own program", err);
	if (r == 0)
		r = add_owners(list, err);
	return r == 0 ? add_images(list, err) : r;
}

int own_look_up(struct arena *arena, const struct mxc_config *config, const struct host_facts *facts,
		const struct own_places *places, const struct object_request *requests, struct host_objects *objects, struct err **err)
{
	struct list list = { .arena = arena, .facts = facts, .places = places, .requests = requests, .objects = objects };
	int r = 0;

	if (!grants_anything(config))
		return 0;
	if (places->state)
		r = add_records(&list, err);
	if (r == 0 && grants_writing(config))
		r = add_writable(&list, config, err);
	objects->own = list.items;
	objects->own_count = list.count;
	return r;
}

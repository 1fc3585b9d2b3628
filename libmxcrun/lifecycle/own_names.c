/* own_names.c - the other names of what is the runtime's own, and the folders that lead to it and to what a policy restricts.
 *
 * The search is that of a policy's denials (host/aliases.c). What is found stands beside what is known already: for policy/ there is
 * no difference. All of it lies in folders that another sandbox may be changing: each is looked up once, and by the name
 * that the kernel has for it, so that the engine can tell when something else is in its place.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/path.h"
#include "lifecycle/own.h"
#include "policy/path_index.h"

struct names {
	struct arena *arena;
	const struct host_facts *facts;
	const struct object_request *requests;
	struct host_objects *objects;
};

/* ---- the search ---- */

static int refuse_unsearched(const struct host_unsearched *unsearched, const struct host_own *own, struct err **err)
{
	const char *path = own->object.canonical;

	if (unsearched->suspect)
		err_set(err, E_POLICY, 0, "/filesystem",
			"the granted '%.512s' may be a hard link of one of the files of %s, '%.512s': '%.512s' could not be searched",
			unsearched->suspect, own->words, path, unsearched->place);
	else
		err_set(err, E_POLICY, 0, "/filesystem",
			"'%.512s', of %s, has hard links that could not be looked for in the granted '%.512s'", path, own->words,
			unsearched->place);
	err_hint(err, "grant less: up to a million entries are searched");
	return -EINVAL;
}

/* Here all that is the runtime's own is denied. Nobody writes to the system's folders: of them only mounts count, which are found
 * wherever they are. */
static int search(const struct names *names, struct host_objects *ret, struct err **err)
{
	const struct host_objects *objects = names->objects;
	size_t count = objects->own_count + objects->count;
	struct object_request *requests = arena_array(names->arena, count, sizeof(*requests));
	int r;

	*ret = (struct host_objects){ .items = arena_array(names->arena, count, sizeof(*ret->items)) };
	if (!requests || !ret->items)
		return err_nomem(err);
	for (; ret->count < objects->own_count; ret->count++) {
		const struct host_own *own = &objects->own[ret->count];

		ret->items[ret->count] = own->object;
		requests[ret->count] = (struct object_request){ .access = F_OK, .has_no_links = own->has_no_links };
	}
	for (size_t i = 0; i < objects->count; i++) {
		if (!object_is_granted(&names->requests[i], &objects->items[i]))
			continue;
		requests[ret->count] = names->requests[i];
		requests[ret->count].role = OBJECT_BOUND;
		ret->items[ret->count++] = objects->items[i];
	}
	r = objects_find_aliases(names->arena, requests, ret, err);
	return r == 0 && ret->unsearched.place ?
		       refuse_unsearched(&ret->unsearched, &objects->own[ret->unsearched.object], err) : r;
}

/* ---- what is found ---- */

static int look_up_exactly(const struct names *names, const char *path, const char *words, struct host_object *ret, struct err **err)
{
	int r = object_look_up(names->arena, path, names->facts, ret, err);

	if (r < 0 || (!ret->error && ret->canonical && !strcmp(ret->canonical, path)))
		return r;
	return err_set(err, E_POLICY, ESTALE, "/filesystem", "'%.512s', which leads to %s, was changed while the policy was read", path,
		       words);
}

static int add_found(const struct names *names, const struct host_objects *found, struct err **err)
{
	struct host_objects *objects = names->objects;
	size_t known = objects->own_count;
	struct host_own *all;
	int r = 0;

	if (!found->alias_count)
		return 0;
	all = arena_array(names->arena, known + found->alias_count, sizeof(*all));
	if (!all)
		return err_nomem(err);
	memcpy(all, objects->own, known * sizeof(*all));
	for (size_t i = 0; i < found->alias_count && r == 0; i++) {
		struct host_own *own = &all[known + i];

		*own = objects->own[found->aliases[i].object];
		r = look_up_exactly(names, found->aliases[i].path, own->words, &own->object, err);
	}
	objects->own = all;
	objects->own_count = known + found->alias_count;
	return r;
}

/* ---- the folders above ---- */

/* Of ten thousand paths that a policy lists most have their folders in common. */
struct folder {
	const char *path;
	const char *words; /* of what it leads to */
	bool is_to_come; /* what it leads to isn't there yet: a run makes it with its folders, who only looks takes it for made */
};

struct folders {
	struct path_index writable; /* what is granted so */
	struct folder *items;
	size_t count, capacity;
};

static int index_writable(const struct names *names, struct path_index *ret, struct err **err)
{
	const struct host_objects *objects = names->objects;

	if (!path_index_init(ret, names->arena, objects->count))
		return err_nomem(err);
	for (size_t i = 0; i < objects->count; i++)
		if (object_is_granted(&names->requests[i], &objects->items[i]) && names->requests[i].access & W_OK)
			path_index_add(ret, objects->items[i].canonical, i);
	path_index_sort(ret);
	return 0;
}

static bool is_writable(const struct folders *folders, const char *path)
{
	const struct place *place;

	return path_index_above(&folders->writable, path) || path_index_find(&folders->writable, path, strlen(path), &place);
}

/* Those of what has that path. */
static int add_folders(const struct names *names, struct folders *folders, const char *path, struct folder folder, struct err **err)
{
	for (size_t len = path_parent_len(path, strlen(path)); len > 1; len = path_parent_len(path, len)) {
		const struct folder *last = folders->count ? &folders->items[folders->count - 1] : NULL;
		struct folder *items;

		folder.path = arena_strndup(names->arena, path, len);
		if (!folder.path)
			return err_nomem(err);
		if (!is_writable(folders, folder.path) || (last && !strcmp(last->path, folder.path)))
			break;
		items = arena_grow(names->arena, folders->items, folders->count, &folders->capacity, sizeof(*items));
		if (!items)
			return err_nomem(err);
		folders->items = items;
		folders->items[folders->count++] = folder;
	}
	return 0;
}

static int compare_folders(const void *a, const void *b)
{
	return strcmp(((const struct folder *)a)->path, ((const struct folder *)b)->path);
}

static int look_up_folder(const struct names *names, const struct folder *folder, struct host_object *ret, struct err **err)
{
	if (folder->is_to_come && access(folder->path, F_OK) < 0 && errno == ENOENT) {
		*ret = (struct host_object){ .path = folder->path, .absolute = folder->path, .canonical = folder->path, .mode = S_IFDIR };
		return 0;
	}
	return look_up_exactly(names, folder->path, folder->words, ret, err);
}

static int look_up_folders(const struct names *names, const struct folders *folders, struct err **err)
{
	struct host_objects *objects = names->objects;
	struct host_object *found = arena_array(names->arena, folders->count, sizeof(*found));
	int r = 0;

	if (!found)
		return err_nomem(err);
	qsort(folders->items, folders->count, sizeof(*folders->items), compare_folders);
	for (size_t i = 0; i < folders->count && r == 0; i++)
		if (!i || compare_folders(&folders->items[i - 1], &folders->items[i]) != 0)
			r = look_up_folder(names, &folders->items[i], &found[objects->held_folder_count++], err);
	objects->held_folders = found;
	return r;
}

static int find_folders(const struct names *names, struct err **err)
{
	const struct host_objects *objects = names->objects;
	struct folders folders = { 0 };
	int r = index_writable(names, &folders.writable, err);

	if (r < 0 || !folders.writable.count)
		return r;
	for (size_t i = 0; i < objects->count && r == 0; i++) {
		const struct object_request *request = &names->requests[i];

		if (!objects->items[i].error && request->role == OBJECT_LISTED && !(request->access & W_OK))
			r = add_folders(names, &folders, objects->items[i].canonical,
					(struct folder){ .words = "what the policy restricts" }, err);
	}
	for (size_t i = 0; i < objects->own_count && r == 0; i++) {
		const struct host_own *own = &objects->own[i];

		r = add_folders(names, &folders, own->object.canonical,
				(struct folder){ .words = own->words, .is_to_come = !own->object.ino }, err);
	}
	return r == 0 && folders.count ? look_up_folders(names, &folders, err) : r;
}

int own_find_names(struct arena *arena, const struct object_request *requests, const struct host_facts *facts,
		   struct host_objects *objects, struct err **err)
{
	struct names names = { .arena = arena, .facts = facts, .requests = requests, .objects = objects };
	struct host_objects found;
	int r = 0;

	if (objects->own_count) {
		r = search(&names, &found, err);
		if (r == 0)
			r = add_found(&names, &found, err);
	}
	return r == 0 ? find_folders(&names, err) : r;
}

/* own_names.c - the other names of what is the runtime's own, and the folders that lead to it.
 *
 * The search is that of a policy's denials (host/aliases.c). What is found stands beside what is known already: for policy/ there is
 * no difference. All of it lies in folders that another sandbox may be changing: each is looked up once, and by the name
 * that the kernel has for it, so that the engine can tell when something else is in its place.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/path.h"
#include "lifecycle/own.h"
#include "policy/path_index.h"

struct names {
	struct arena *arena;
	const struct host_facts *facts;
	const struct object_request *requests;
	struct host_objects *objects;
	struct host_own *own; /* those of the objects, and more */
	struct host_object *folders;
	size_t folder_capacity;
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

static int add_found(struct names *names, const struct host_objects *found, struct err **err)
{
	struct host_objects *objects = names->objects;
	size_t known = objects->own_count;
	int r = 0;

	if (!found->alias_count)
		return 0;
	names->own = arena_array(names->arena, known + found->alias_count, sizeof(*names->own));
	if (!names->own)
		return err_nomem(err);
	memcpy(names->own, objects->own, known * sizeof(*names->own));
	for (size_t i = 0; i < found->alias_count && r == 0; i++) {
		struct host_own *own = &names->own[known + i];

		*own = objects->own[found->aliases[i].object];
		r = look_up_exactly(names, found->aliases[i].path, own->words, &own->object, err);
	}
	objects->own = names->own;
	objects->own_count = known + found->alias_count;
	return r;
}

/* ---- the folders above ---- */

static bool is_in_a_grant(const struct names *names, const char *path)
{
	for (size_t i = 0; i < names->objects->count; i++)
		if (object_is_granted(&names->requests[i], &names->objects->items[i]) && names->requests[i].access & W_OK &&
		    path_is_within(path, names->objects->items[i].canonical))
			return true;
	return false;
}

static int add_folder(struct names *names, const char *path, const char *words, struct err **err)
{
	struct host_objects *objects = names->objects;
	struct host_object *folders;

	if (own_folder(objects, path))
		return 0;
	folders = arena_grow(names->arena, names->folders, objects->own_folder_count, &names->folder_capacity, sizeof(*folders));
	if (!folders)
		return err_nomem(err);
	objects->own_folders = names->folders = folders;
	return look_up_exactly(names, path, words, &folders[objects->own_folder_count++], err);
}

static int add_folders(struct names *names, const struct host_own *own, struct err **err)
{
	const char *path = own->object.canonical;
	size_t len = path_parent_len(path, strlen(path));
	int r = 0;

	for (; len > 1 && r == 0; len = path_parent_len(path, len)) {
		const char *folder = arena_strndup(names->arena, path, len);

		if (!folder)
			return err_nomem(err);
		if (!is_in_a_grant(names, folder))
			break;
		r = add_folder(names, folder, own->words, err);
	}
	return r;
}

int own_find_names(struct arena *arena, const struct object_request *requests, const struct host_facts *facts,
		   struct host_objects *objects, struct err **err)
{
	struct names names = { .arena = arena, .facts = facts, .requests = requests, .objects = objects };
	struct host_objects found;
	int r;

	if (!objects->own_count)
		return 0;
	r = search(&names, &found, err);
	if (r == 0)
		r = add_found(&names, &found, err);
	for (size_t i = 0; i < objects->own_count && r == 0; i++)
		r = add_folders(&names, &objects->own[i], err);
	return r;
}

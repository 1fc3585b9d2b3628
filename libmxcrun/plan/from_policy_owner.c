/* from_policy_owner.c - what is restricted by paths of the host, at the places where a sandbox or a container shows it.
 *
 * A view shows parts of the host, mostly at the same place, but a grant may be spelled with a link or lead to the same object by
 * another name; so each region goes to wherever a mount brings its path, and to each mount that brings something from inside of
 * it. The same goes for the other names of what is restricted.
 *
 * Of several words about a place the strictest counts: those by its path, those by another name of its object and, in a container,
 * those about the container's own paths, of each kind the most specific.
 */
#include "plan/from_policy_owner.h"

#include <string.h>

#include "base/path.h"
#include "policy/path_index.h"

#define REGIONS_MAX 65536u

enum words { WORDS_OF_THE_CONTAINER, WORDS_BY_PATH, WORDS_BY_NAME, WORDS_MAX };

/* What is restricted on the host. */
struct restriction {
	const struct combined_region *region;
	const struct host_object *object; /* NULL: it is another name of it */
	const char *path;
};

/* Somebody's word about a place in the view. */
struct word {
	enum words kind;
	enum plan_region_kind region;
	const char *path, *pointer;
};

struct mapping {
	struct arena *scratch;
	struct builder *b;
	struct restriction *from;
	size_t from_count;
	struct word *words;
	size_t count, capacity;
	struct path_index index; /* of the words */
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

static int add_word(struct mapping *m, const struct word *word, struct err **err)
{
	struct word *all;

	if (m->count == REGIONS_MAX)
		return err_set(err, E_POLICY, 0, word->pointer, "the policies come to more than %u regions", REGIONS_MAX);
	all = arena_grow(m->scratch, m->words, m->count, &m->capacity, sizeof(*all));
	if (!all)
		return err_nomem(err);
	m->words = all;
	m->words[m->count++] = *word;
	return 0;
}

static int add(struct mapping *m, const struct restriction *from, const char *path, struct err **err)
{
	const struct word word = {
		.kind = from->object ? WORDS_BY_PATH : WORDS_BY_NAME,
		.region = kind_of(from->region),
		.path = path,
		.pointer = from->region->pointer,
	};

	return add_word(m, &word, err);
}

/* The restriction's path, where this mount (NULL: the root) brings it. */
static int map_into(struct mapping *m, const struct restriction *from, const struct plan_mount *mount, struct err **err)
{
	const char *source = mount ? mount->source : m->b->plan->root.path, *rest, *path;

	if (!path_is_within(from->path, source))
		return 0;
	rest = from->path + (source[1] ? strlen(source) : 0);
	path = arena_printf(m->scratch, "%s%s", mount && mount->destination[1] ? mount->destination : "", rest);
	if (!path)
		return err_nomem(err);
	if (!*path || mount_at(m->b->plan, path) != mount)
		return 0;
	if (!from->object || !from->object->error)
		return add(m, from, path, err);
	/* of a container's own the place is held where its paths are looked at */
	if (from->region->intent == INTENT_READWRITE || !m->b->plan->lifecycle.is_sandbox)
		return 0;
	return err_set(err, E_POLICY, 0, from->region->pointer,
		       "filesystem path '%.512s' does not exist, and lies in the granted '%.512s': it can't be kept from "
		       "appearing there without leaving a trace on the host",
		       from->path, source);
}

/* Does the mount bring the very object, or something from inside of it? */
static bool is_brought(const struct restriction *from, const struct plan_mount *mount)
{
	const struct host_object *object = from->object;

	if (object && !object->error && mount->source_ino && mount->source_dev == object->dev && mount->source_ino == object->ino)
		return true;
	return path_is_within(mount->source, from->path);
}

/* The innermost region around the mount's source decides: the last, because outer ones come first. Another name only adds. */
static int map_around(struct mapping *m, const struct plan_mount *mount, struct err **err)
{
	const struct restriction *found = NULL;

	for (size_t i = 0; i < m->from_count; i++) {
		const struct restriction *from = &m->from[i];

		if (is_brought(from, mount) && (from->object || !found || from->region->intent < found->region->intent))
			found = from;
	}
	return found && found->region->intent != INTENT_READWRITE ? add(m, found, mount->destination, err) : 0;
}

/* The sandbox's own /proc has the same names. */
static int map_proc(struct mapping *m, const struct restriction *from, struct err **err)
{
	const struct plan_mount *mount = mount_at(m->b->plan, from->path);

	if (!path_is_within(from->path, "/proc") || !mount || !mount->fstype || strcmp(mount->fstype, "proc") != 0 ||
	    !from->object || from->object->error)
		return 0;
	return add(m, from, from->path, err);
}

static int map_mount(struct mapping *m, const struct plan_mount *mount, struct err **err)
{
	int r = mount ? map_around(m, mount, err) : 0;

	for (size_t i = 0; i < m->from_count && r == 0; i++)
		r = map_into(m, &m->from[i], mount, err);
	return r;
}

/* An image that lies in what the owner denies isn't opened by being the root. */
static int check_image(const struct mapping *m, struct err **err)
{
	const struct combined_region *found = NULL;

	for (size_t i = 0; i < m->from_count; i++)
		if (m->from[i].object && path_is_within(m->b->plan->root.path, m->from[i].path))
			found = m->from[i].region;
	if (!found || found->intent != INTENT_DENIED)
		return 0;
	return err_set(err, E_POLICY, 0, found->pointer, "the image, %.512s, lies in what the host's owner denies: %.512s",
		       m->b->plan->root.path, found->path);
}

static int collect(struct mapping *m, const struct plan_owner *owner, struct err **err)
{
	const struct policy_combined *combined = owner->combined;

	m->from = arena_array(m->scratch, combined->region_count + owner->alias_count, sizeof(*m->from));
	if (!m->from)
		return err_nomem(err);
	for (size_t i = 0; i < combined->region_count; i++)
		m->from[m->from_count++] = (struct restriction){ &combined->regions[i], &owner->objects->items[i], combined->regions[i].path };
	for (size_t i = 0; i < owner->alias_count; i++)
		m->from[m->from_count++] = (struct restriction){ &combined->regions[owner->aliases[i].object], NULL, owner->aliases[i].path };
	return 0;
}

/* ---- what it comes to ---- */

/* The strictest word of the kind at exactly this path; NULL: none. */
static const struct word *word_at(const struct mapping *m, enum words kind, const char *path, size_t len)
{
	const struct word *best = NULL;
	const struct place *place;

	for (size_t count = path_index_find(&m->index, path, len, &place); count; count--, place++) {
		const struct word *word = &m->words[place->item];

		if (word->kind == kind && (!best || word->region > best->region))
			best = word;
	}
	return best;
}

/* The word that counts at a path, given its own and that of any folder above it. NULL: it is open. */
static const struct word *judge(const struct mapping *m, const char *path, size_t len)
{
	const struct word *strictest = NULL;

	for (int kind = 0; kind < WORDS_MAX; kind++) {
		const struct word *word = NULL;

		for (size_t l = len; l && !word; l = path_parent_len(path, l))
			word = word_at(m, (enum words)kind, path, l);
		if (word && (!strictest || word->region > strictest->region))
			strictest = word;
	}
	return strictest;
}

static enum plan_region_kind region_of(const struct word *word)
{
	return word ? word->region : REGION_OPEN;
}

static int add_region(struct mapping *m, const struct word *word, const char *path, struct err **err)
{
	struct plan_policy *policy = &m->b->plan->policy;
	struct plan_region *region = &policy->regions[policy->region_count++];

	region->kind = word->region;
	if (copy_string(m->b, word->pointer, &region->pointer, err) < 0)
		return -1;
	return copy_string(m->b, path, &region->path, err);
}

/* What contains comes before what is in it. */
static void mark_reopened(struct plan_policy *policy)
{
	for (size_t i = 0; i < policy->region_count; i++)
		for (size_t j = i + 1; j < policy->region_count && path_is_within(policy->regions[j].path, policy->regions[i].path); j++)
			policy->regions[i].is_reopened |= policy->regions[i].kind == REGION_DENIED && policy->regions[j].kind != REGION_DENIED;
}

/* A region for each place where what counts is another thing than around it. */
static int build_regions(struct mapping *m, struct err **err)
{
	struct plan_policy *policy = &m->b->plan->policy;
	size_t count;
	int r = 0;

	policy->regions = arena_array(m->b->arena, m->count, sizeof(*policy->regions));
	policy->region_count = 0;
	if (!policy->regions || !path_index_init(&m->index, m->scratch, m->count))
		return err_nomem(err);
	for (size_t i = 0; i < m->count; i++)
		path_index_add(&m->index, m->words[i].path, i);
	path_index_sort(&m->index);
	for (size_t i = 0; i < m->index.count && r == 0; i += count) {
		const char *path = m->index.places[i].path;
		const struct place *place;
		size_t len = strlen(path);
		const struct word *here = judge(m, path, len);

		count = path_index_find(&m->index, path, len, &place);
		if (region_of(here) != region_of(judge(m, path, path_parent_len(path, len))))
			r = add_region(m, here, path, err);
	}
	mark_reopened(policy);
	return r;
}

/* ---- the two kinds of view ---- */

static int map_sandbox(struct mapping *m, struct err **err)
{
	const struct plan *plan = m->b->plan;
	int r = plan->root.kind == ROOT_IMAGE ? check_image(m, err) : 0;

	if (r == 0 && plan->root.kind != ROOT_VIEW)
		r = map_mount(m, NULL, err);
	for (size_t i = 0; i < plan->mount_count && r == 0; i++)
		if (plan->mounts[i].kind == MOUNT_BIND)
			r = map_mount(m, &plan->mounts[i], err);
	for (size_t i = 0; i < m->from_count && r == 0; i++)
		r = map_proc(m, &m->from[i], err);
	return r;
}

int build_owner_regions(struct builder *b, const struct plan_owner *owner, struct err **err)
{
	cleanup_arena struct arena *scratch = NULL;
	struct mapping m = { .b = b };
	int r;

	if (!owner || !owner->combined->region_count)
		return 0;
	m.scratch = scratch = arena_new();
	r = scratch ? collect(&m, owner, err) : err_nomem(err);
	if (r == 0)
		r = map_sandbox(&m, err);
	return r == 0 ? build_regions(&m, err) : r;
}

static int add_containers(struct mapping *m, struct err **err)
{
	const struct plan_policy *policy = &m->b->plan->policy;
	int r = 0;

	for (size_t i = 0; i < policy->region_count && r == 0; i++) {
		const struct plan_region *region = &policy->regions[i];
		const struct word word = { WORDS_OF_THE_CONTAINER, region->kind, region->path, region->pointer };

		r = add_word(m, &word, err);
	}
	return r;
}

int build_granted_regions(struct builder *b, const struct plan_owner *owner, struct err **err)
{
	cleanup_arena struct arena *scratch = NULL;
	struct mapping m = { .b = b };
	size_t own_count;
	int r;

	if (!owner || !b->grant_count)
		return 0;
	m.scratch = scratch = arena_new();
	r = scratch ? collect(&m, owner, err) : err_nomem(err);
	if (r == 0)
		r = add_containers(&m, err);
	own_count = m.count;
	for (size_t i = 0; i < b->grant_count && r == 0; i++)
		r = map_mount(&m, &b->plan->mounts[b->grant_first + i], err);
	return r == 0 && m.count > own_count ? build_regions(&m, err) : r;
}

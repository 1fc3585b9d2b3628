/* combine_paths.c - the path lists of several carriers: regions and grants.
 *
 * Every path that any carrier lists is a node. Below a node and above the next one no carrier's word
 * changes, so it is enough to decide at the nodes; a node that changes nothing is left out.
 */
#include "policy/combine.h"

#include <errno.h>
#include <string.h>

#include "base/path.h"
#include "policy/path_index.h"

#define NODES_MAX 16384u /* as many mounts are possible at all (fs.mount-max is 100000) */

const char *const policy_intent_words[INTENT_MAX] = {
	[INTENT_DENIED] = "denied", [INTENT_READONLY] = "readonly", [INTENT_READWRITE] = "readwrite"
};

/* One listed path of one carrier. */
struct node {
	const char *path, *pointer;
	enum policy_intent intent;
	size_t carrier; /* number of it */
	bool is_implied;
};

/* What is in force at a path, and whose word that is: NULL when nobody says anything. */
struct verdict {
	enum policy_intent intent;
	const struct node *node;
};

struct combination {
	struct arena *arena;
	const struct policy_carrier *carriers;
	size_t carrier_count;
	struct node *nodes;
	size_t node_count;
	struct path_index index; /* of the nodes */
	struct policy_combined *ret;
};

/* ---- the lists ---- */

static const struct string_list *list_of(const struct mxc_config *config, enum policy_intent intent)
{
	const struct mxc_filesystem *fs = &config->filesystem;

	return intent == INTENT_DENIED	 ? &fs->denied_paths
	       : intent == INTENT_READONLY ? &fs->readonly_paths
					     : &fs->readwrite_paths;
}

static const char *list_key(enum policy_intent intent)
{
	return intent == INTENT_DENIED	 ? "deniedPaths"
	       : intent == INTENT_READONLY ? "readonlyPaths"
					     : "readwritePaths";
}

static bool has_parent_step(const char *path)
{
	for (; *path; path += strspn(path, "/")) {
		size_t len = strcspn(path, "/");

		if (len == 2 && path[0] == '.' && path[1] == '.')
			return true;
		path += len;
	}
	return false;
}

/* A folder of /proc that belongs to a process is another one for each process that looks. */
static bool is_process_folder(const char *path)
{
	const char *name = path + strlen("/proc/");

	if (!path_is_within(path, "/proc") || !path[5])
		return false;
	return (*name >= '0' && *name <= '9') || path_is_within(path, "/proc/self") ||
	       path_is_within(path, "/proc/thread-self");
}

static int check_path(const struct node *node, const char *text, struct err **err)
{
	const char *words = NULL;

	if (text[0] != '/')
		words = "a path of the container has to be absolute";
	else if (has_parent_step(text))
		words = "\"..\" would depend on the links in the container";
	else if (!node->path[1] && node->intent == INTENT_DENIED)
		words = "denying / leaves nothing that could run";
	else if (is_process_folder(node->path))
		words = "the folder of a process can't be meant by name";
	return words ? err_set(err, E_POLICY, 0, node->pointer, "filesystem path '%.512s': %s", text, words) : 0;
}

/* A read-only / is about files: what the container has of its own to talk to the kernel stays as it is, unless it
 * is listed as well. */
static const char *const own_folders[] = { "/dev", "/proc" };

static void add_implied(struct combination *c, const struct node *root)
{
	for (size_t i = 0; i < array_size(own_folders) && !root->path[1] && root->intent == INTENT_READONLY; i++)
		c->nodes[c->node_count++] = (struct node){
			.path = own_folders[i],
			.pointer = root->pointer,
			.intent = INTENT_READWRITE,
			.carrier = root->carrier,
			.is_implied = true,
		};
}

static int add_node(struct combination *c, size_t carrier, enum policy_intent intent, size_t index, struct err **err)
{
	const char *text = list_of(c->carriers[carrier].config, intent)->items[index];
	struct node *node = &c->nodes[c->node_count++];
	cleanup_free char *clean = path_clean(text);

	node->carrier = carrier;
	node->intent = intent;
	node->path = clean ? arena_strdup(c->arena, clean) : NULL;
	node->pointer = arena_printf(c->arena, "%s/filesystem/%s/%zu", c->carriers[carrier].prefix, list_key(intent),
				     index);
	if (!node->path || !node->pointer)
		return err_nomem(err);
	add_implied(c, node);
	return check_path(node, text, err);
}

static size_t count_nodes(const struct combination *c)
{
	size_t count = 0;

	for (size_t i = 0; i < c->carrier_count; i++)
		for (int intent = 0; intent < INTENT_MAX; intent++)
			count += list_of(c->carriers[i].config, intent)->count;
	return count;
}

static int collect(struct combination *c, struct err **err)
{
	size_t count = count_nodes(c);
	int r = 0;

	if (count > NODES_MAX)
		return err_set(err, E_POLICY, 0, NULL, "the policies list %zu paths, more than %u", count, NODES_MAX);
	count *= 1 + array_size(own_folders);
	c->nodes = arena_array(c->arena, count, sizeof(*c->nodes));
	if (!c->nodes || !path_index_init(&c->index, c->arena, count))
		return err_nomem(err);
	for (size_t i = 0; i < c->carrier_count; i++)
		for (int intent = 0; intent < INTENT_MAX; intent++)
			for (size_t j = 0; j < list_of(c->carriers[i].config, intent)->count && r == 0; j++)
				r = add_node(c, i, intent, j, err);
	for (size_t i = 0; i < c->node_count; i++)
		path_index_add(&c->index, c->nodes[i].path, i);
	path_index_sort(&c->index);
	return r;
}

/* ---- what is in force ---- */

/* The strictest node of a carrier at exactly this path; NULL: it has none. */
static const struct node *node_at(const struct combination *c, size_t carrier, const char *path, size_t len)
{
	const struct node *best = NULL;
	const struct place *place;

	for (size_t count = path_index_find(&c->index, path, len, &place); count; count--, place++) {
		const struct node *node = &c->nodes[place->item];

		if (node->carrier == carrier && (!best || node->intent < best->intent))
			best = node;
	}
	return best;
}

/* The most specific node of a carrier at the first len bytes of a path or above. */
static const struct node *node_above(const struct combination *c, size_t carrier, const char *path, size_t len)
{
	const struct node *node = NULL;

	for (; len && !node; len = path_parent_len(path, len))
		node = node_at(c, carrier, path, len);
	return node;
}

static struct verdict judge(const struct combination *c, const char *path, size_t len)
{
	struct verdict verdict = { .intent = INTENT_READWRITE };

	for (size_t i = 0; i < c->carrier_count && len; i++) {
		const struct node *node = node_above(c, i, path, len);

		if (node && (!verdict.node || node->intent < verdict.intent))
			verdict = (struct verdict){ node->intent, node };
	}
	return verdict;
}

/* ---- grants ---- */

static bool is_listed(const struct string_list *list, const char *path)
{
	for (size_t i = 0; list && i < list->count; i++) {
		cleanup_free char *clean = path_clean(list->items[i]);

		if (clean && path_is_within(path, clean))
			return true;
	}
	return false;
}

static bool may_grant(const struct combination *c, const struct node *node)
{
	const struct policy_carrier *carrier = &c->carriers[node->carrier];

	if (carrier->grants != GRANTS_LISTED)
		return carrier->grants == GRANTS_ALL;
	return is_listed(carrier->readwrite_grants, node->path) ||
	       (node->intent == INTENT_READONLY && is_listed(carrier->readonly_grants, node->path));
}

/* A writable path inside of what the same carrier restricts only takes back a part of that. */
static bool is_hole(const struct combination *c, const struct node *node)
{
	size_t len = path_parent_len(node->path, strlen(node->path));

	for (; len; len = path_parent_len(node->path, len)) {
		const struct node *above = node_at(c, node->carrier, node->path, len);

		if (above && above->intent != INTENT_READWRITE)
			return true;
	}
	return false;
}

static int refuse_grant(const struct combination *c, const struct node *node, struct err **err)
{
	const struct policy_carrier *carrier = &c->carriers[node->carrier];

	err_set(err, E_POLICY, 0, node->pointer, "%s may only restrict, and '%.512s' is a grant", carrier->name,
		node->path);
	err_hint(err, carrier->grants == GRANTS_LISTED ?
			      "inside a read-only or denied path of the same policy it would be none; else the host's"
			      " owner can list it in annotationGrants.readwritePaths of the admin configuration" :
			      "inside a read-only or denied path of the same policy it would be none");
	return -EINVAL;
}

/* Of what is no restriction: is it a grant, and may it be? */
static int look_at_grant(struct combination *c, const struct node *node, struct err **err)
{
	struct policy_combined *ret = c->ret;
	bool hole = node->intent == INTENT_READWRITE && is_hole(c, node);

	if (node->intent == INTENT_DENIED || node->is_implied)
		return 0;
	if (!may_grant(c, node))
		return node->intent == INTENT_READWRITE && !hole ? refuse_grant(c, node, err) : 0;
	if (judge(c, node->path, strlen(node->path)).intent != INTENT_DENIED)
		ret->grants[ret->grant_count++] = (struct combined_grant){
			.path = node->path,
			.intent = node->intent,
			.is_hole = hole,
			.pointer = node->pointer,
			.carrier = &c->carriers[node->carrier],
		};
	return 0;
}

static int collect_grants(struct combination *c, struct err **err)
{
	int r = 0;

	c->ret->grants = arena_array(c->arena, c->node_count, sizeof(*c->ret->grants));
	if (!c->ret->grants)
		return err_nomem(err);
	for (size_t i = 0; i < c->index.count && r == 0; i++)
		r = look_at_grant(c, &c->nodes[c->index.places[i].item], err);
	return r;
}

/* ---- regions ---- */

static struct combined_region region_of(const struct combination *c, const char *path, enum policy_intent intent,
					const struct node *node)
{
	return (struct combined_region){
		.intent = intent,
		.path = path,
		.pointer = node->pointer,
		.carrier = &c->carriers[node->carrier],
	};
}

/* What is restricted around a place says nothing of the one that a link there leads to; what this very path is listed as does. */
static void add_by_link(struct combination *c, const struct place *place, size_t count)
{
	const struct node *strictest = &c->nodes[place->item];

	for (size_t i = 1; i < count; i++)
		if (c->nodes[place[i].item].intent < strictest->intent)
			strictest = &c->nodes[place[i].item];
	if (strictest->intent != INTENT_READWRITE)
		c->ret->by_link[c->ret->by_link_count++] = region_of(c, place->path, strictest->intent, strictest);
}

/* A denied folder with something open inside has to be passed through. */
static void mark_reopened(struct policy_combined *ret)
{
	for (size_t i = 0; i < ret->region_count; i++) {
		struct combined_region *denied = &ret->regions[i];

		for (size_t j = i + 1; j < ret->region_count && denied->intent == INTENT_DENIED; j++) {
			if (!path_is_within(ret->regions[j].path, denied->path))
				break;
			denied->is_reopened |= ret->regions[j].intent != INTENT_DENIED;
		}
	}
}

static int collect_regions(struct combination *c, struct err **err)
{
	size_t count;

	c->ret->regions = arena_array(c->arena, c->node_count, sizeof(*c->ret->regions));
	c->ret->by_link = arena_array(c->arena, c->node_count, sizeof(*c->ret->by_link));
	if (!c->ret->regions || !c->ret->by_link)
		return err_nomem(err);
	for (size_t i = 0; i < c->index.count; i += count) {
		const char *path = c->index.places[i].path;
		const struct place *place;
		size_t len = strlen(path);
		struct verdict here = judge(c, path, len), around = judge(c, path, path_parent_len(path, len));

		count = path_index_find(&c->index, path, len, &place);
		if (!here.node)
			continue;
		if (here.intent != around.intent)
			c->ret->regions[c->ret->region_count++] = region_of(c, path, here.intent, here.node);
		else
			add_by_link(c, place, count);
	}
	mark_reopened(c->ret);
	return 0;
}

/* ---- who asked for what ---- */

/* Whose word is in force at a node's path: its own carrier's, unless another one's is stricter. */
static size_t decider_of(const struct combination *c, const struct node *node, const struct verdict *verdict)
{
	const struct node *own = node_above(c, node->carrier, node->path, strlen(node->path));

	return verdict->node && verdict->intent != own->intent ? verdict->node->carrier : node->carrier;
}

static void collect_items(struct combination *c)
{
	for (size_t i = 0; i < c->node_count; i++) {
		const struct node *node = &c->nodes[i];
		struct verdict verdict = judge(c, node->path, strlen(node->path));

		if (node->is_implied)
			continue;
		c->ret->items[c->ret->item_count++] = (struct combined_item){
			.subject = SUBJECT_PATH,
			.path = node->path,
			.requested_intent = node->intent,
			.intent = verdict.intent,
			.pointer = node->pointer,
			.carrier = &c->carriers[node->carrier],
			.decided_by = &c->carriers[decider_of(c, node, &verdict)],
		};
	}
}

#define LIMITS_PER_CARRIER 5u /* memory, cpus, pids, timeout, network: combine.c adds them */

int combine_paths(struct arena *arena, const struct policy_carrier *carriers, size_t count,
		  struct policy_combined *ret, struct err **err)
{
	struct combination c = { .arena = arena, .carriers = carriers, .carrier_count = count, .ret = ret };
	int r = collect(&c, err);

	if (r == 0)
		r = collect_grants(&c, err);
	if (r == 0)
		r = collect_regions(&c, err);
	if (r < 0)
		return r;
	ret->items = arena_array(arena, c.node_count + count * LIMITS_PER_CARRIER, sizeof(*ret->items));
	if (!ret->items)
		return err_nomem(err);
	collect_items(&c);
	return 0;
}

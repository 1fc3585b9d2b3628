/* from_oci.c - an OCI configuration to a plan: the list of steps, identity, root, and what is
 * refused.
 *
 * The steps run in the order in which they depend on each other: namespaces first, because id maps,
 * sysctls and host names are questions about them; the process after the id maps that its ids have
 * to be in. Fields that the engines can't enforce yet are refused by name before anything else is
 * decided; they are the rows of refuse_unenforceable().
 */
#include "plan/build.h"

#include <string.h>
#include <sys/mount.h>

#include "plan/from_oci.h"
#include "plan/options.h"

static int refuse_unenforceable(struct builder *b, struct err **err)
{
	return refuse_json(b, b->request->carriers ? NULL : b->config->mxc, err);
}

/* Annotations that would change what a container may do, by crun's rules, and that nothing here carries out. Others that nobody
 * knows pass through, as the specification wants. */
static int refuse_annotation(const struct builder *b, const char *key, struct err **err)
{
	static const char *const refused[] = {
		"run.oci.handler", "run.oci.seccomp_bpf_data", "run.oci.seccomp.plugins", "run.oci.timens_offset",
		"run.oci.mount_context_type",
	};
	bool is_engine = !strcmp(key, MXC_ENGINE_ANNOTATION);	/* lifecycle/prepare.c reads it */
	bool is_carrier = !strcmp(key, MXC_POLICY_ANNOTATION) || !strcmp(key, MXC_POLICY_NAME_ANNOTATION);
	bool is_refused = strncmp(key, "mxc.", 4) == 0 && !is_engine && !(is_carrier && b->request->carriers);

	for (size_t i = 0; i < array_size(refused); i++)
		is_refused |= strcmp(key, refused[i]) == 0;
	if (!is_refused)
		return 0;
	return err_set(err, E_UNSUPPORTED, 0, "/annotations", "%.64s is not supported, and is not ignored", key);
}

static int build_annotations(struct builder *b, struct err **err)
{
	const struct string_map *map = &b->config->annotations;
	struct plan_option *copy;
	size_t i;
	int r = 0;

	copy = arena_array(b->arena, map->count, sizeof(*copy));
	if (map->count && !copy)
		return err_nomem(err);
	for (i = 0; i < map->count && r == 0; i++) {
		r = refuse_annotation(b, map->items[i].key, err);
		if (r == 0)
			r = copy_string(b, map->items[i].key, &copy[i].key, err);
		if (r == 0)
			r = copy_string(b, map->items[i].value, &copy[i].value, err);
	}
	b->plan->annotations = copy;
	b->plan->annotation_count = map->count;
	return r;
}

int build_bundle_identity(struct builder *b, struct err **err)
{
	int r;

	r = copy_string(b, b->request->id, &b->plan->id, err);
	if (r == 0)
		r = copy_string(b, b->request->bundle, &b->plan->bundle, err);
	if (r == 0)
		r = copy_string(b, b->request->config, &b->plan->config, err);
	if (r == 0)
		r = copy_string(b, b->config->oci_version, &b->plan->oci_version, err);
	return r;
}

int build_root(struct builder *b, struct err **err)
{
	const struct oci_root *root = b->config->root;
	const char *word = b->linux_->rootfs_propagation;

	if (!root)
		return err_set(err, E_CONFIG, 0, "/root", "a container needs a root");
	if (!*root->path)
		return err_set(err, E_CONFIG, 0, "/root/path", "expected a path, found \"\"");
	b->plan->root.kind = ROOT_BUNDLE;
	b->plan->root.is_readonly = root->readonly;
	b->plan->root.use_chroot = b->request->no_pivot;
	if (word && *word) {
		b->plan->root.propagation = mount_propagation_from_word(word);
		if (!b->plan->root.propagation)
			return err_set(
				err, E_CONFIG, 0, "/linux/rootfsPropagation",
				"expected shared, slave, private or unbindable, found \"%.64s\"",
				word);
	}
	return copy_host_path(b, root->path, &b->plan->root.path, err);
}

static int build_mask_list(struct builder *b, const struct string_list *list, const char *pointer,
			   struct plan_paths *ret, struct err **err)
{
	size_t i;
	int r;

	ret->items = arena_array(b->arena, list->count, sizeof(*ret->items));
	if (list->count && !ret->items)
		return err_nomem(err);
	for (i = 0; i < list->count; i++) {
		struct plan_path *item = &ret->items[i];

		item->pointer = item_pointer(b, pointer, i);
		if (!item->pointer)
			return err_nomem(err);
		if (list->items[i][0] != '/')
			return err_set(err, E_CONFIG, 0, item->pointer,
				       "expected an absolute path, found \"%.64s\"",
				       list->items[i]);
		r = copy_clean_path(b, list->items[i], &item->path, err);
		if (r < 0)
			return r;
		if (!item->path[1])
			return err_set(err, E_CONFIG, 0, item->pointer,
				       "the root itself can't be covered");
	}
	ret->count = list->count;
	return 0;
}

int build_masks(struct builder *b, struct err **err)
{
	int r;

	r = build_mask_list(b, &b->linux_->masked_paths, "/linux/maskedPaths", &b->plan->masked,
			    err);
	if (r == 0)
		r = build_mask_list(b, &b->linux_->readonly_paths, "/linux/readonlyPaths",
				    &b->plan->readonly, err);
	return r;
}

int builder_init(struct builder *b, struct arena *plan_arena, const struct oci_config *config,
		 const struct plan_request *request, const struct host_facts *facts,
		 const struct log *log, struct err **err)
{
	static const struct oci_linux no_linux;

	*b = (struct builder){
		.arena = plan_arena,
		.config = config,
		.linux_ = config->linux_ ? config->linux_ : &no_linux,
		.request = request,
		.facts = facts,
		.log = log,
		.plan = arena_alloc(plan_arena, sizeof(*b->plan)),
	};
	return b->plan ? 0 : err_nomem(err);
}

/* Without a cgroup of the plan's own: that of the container is changed. */
static int build_manager(struct builder *b, struct err **err)
{
	(void)err;
	b->plan->cgroup.manager = b->request->manager;
	return 0;
}

static int take_steps(struct builder *b, int (*const *steps)(struct builder *, struct err **),
		      size_t count, const struct plan **ret, struct err **err)
{
	int r = 0;

	for (size_t i = 0; i < count && r == 0; i++)
		r = steps[i](b, err);
	if (r == 0)
		*ret = b->plan;
	return r;
}

int plan_limits_from_oci(struct arena *plan_arena, const struct oci_config *config,
			 const struct plan_request *request, const struct host_facts *facts,
			 const struct log *log, const struct plan **ret, struct err **err)
{
	static int (*const steps[])(struct builder *, struct err **) = {
		refuse_unenforceable, build_manager, build_limits, build_rdt,
	};
	struct builder b;
	int r = builder_init(&b, plan_arena, config, request, facts, log, err);

	return r < 0 ? r : take_steps(&b, steps, array_size(steps), ret, err);
}

int plan_from_oci(struct arena *plan_arena, const struct oci_config *config,
		  const struct plan_request *request, const struct host_facts *facts,
		  const struct log *log, const struct plan **ret, struct err **err)
{
	static int (*const steps[])(struct builder *, struct err **) = {
		refuse_unenforceable, build_bundle_identity, build_annotations,  build_namespaces,
		build_idmaps,	      build_net_devices, build_sysctls,  build_carrier_limits, build_cgroup,	  build_unit_properties,	  build_limits,
		build_rdt,
		build_device_rules,   build_root,     build_mounts,  build_carrier_grants,	  build_devices,
		build_masks,	      build_process,  build_scheduling,   build_memory_policy,
		build_capabilities,   build_hooks,  build_carrier_regions, build_carrier_capabilities,
		build_carrier_filters,
	};
	struct builder b;
	int r = builder_init(&b, plan_arena, config, request, facts, log, err);

	return r < 0 ? r : take_steps(&b, steps, array_size(steps), ret, err);
}

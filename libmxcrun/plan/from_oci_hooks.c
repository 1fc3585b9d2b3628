/* from_oci_hooks.c - hooks of all six kinds. */
#include <inttypes.h>
#include <limits.h>
#include <string.h>

#include "plan/from_oci.h"

#define OUTPUT_ANNOTATION "run.oci.hooks.stdout"
#define ERRORS_ANNOTATION "run.oci.hooks.stderr"

static int copy_output(struct builder *b, const char *key, const char **ret, struct err **err)
{
	const char *path = oci_annotation(b->config, key);

	return path && *path ? copy_host_path(b, path, ret, err) : 0;
}

/* Those hooks run in the container, where no file of the host is to be open. */
static int check_outputs(struct builder *b, struct err **err)
{
	const struct plan_hooks *inside = &b->plan->hooks[HOOK_START_CONTAINER];

	if (!inside->count || (!inside->items[0].output_path && !inside->items[0].errors_path))
		return 0;
	return err_set(err, E_UNSUPPORTED, 0, "/annotations", "%s does not go with startContainer hooks",
		       inside->items[0].output_path ? OUTPUT_ANNOTATION : ERRORS_ANNOTATION);
}

static int build_hook(struct builder *b, const struct oci_hook *entry, struct plan_hook *hook,
		      struct err **err)
{
	const char *name[] = { entry->path };
	struct string_list args = entry->args;
	int r;

	if (entry->path[0] != '/')
		return err_set(err, E_CONFIG, 0, hook->pointer,
			       "expected an absolute path, found \"%.64s\"", entry->path);
	if (entry->timeout.set &&
	    (entry->timeout.value <= 0 || entry->timeout.value > INT_MAX / 1000))
		return err_set(err, E_CONFIG, 0, hook->pointer,
			       "expected a timeout of 1 to %d seconds, found %" PRId64, INT_MAX / 1000,
			       entry->timeout.value);
	hook->timeout_ms = (int)(entry->timeout.value * 1000);
	/* A program has a name even when the configuration gives it no arguments. */
	if (!args.count) {
		args.items = name;
		args.count = 1;
	}
	r = copy_string(b, entry->path, &hook->path, err);
	if (r == 0)
		r = copy_output(b, OUTPUT_ANNOTATION, &hook->output_path, err);
	if (r == 0)
		r = copy_output(b, ERRORS_ANNOTATION, &hook->errors_path, err);
	if (r == 0)
		r = copy_list(b, &args, NULL, &hook->argv, err);
	if (r == 0)
		r = check_variables(b, &entry->env, arena_printf(b->arena, "%s/env", hook->pointer), err);
	/* absent is not the same as empty: plan.h */
	return r == 0 && entry->env.set ? copy_list(b, &entry->env, NULL, &hook->env, err) : r;
}

static int build_kind(struct builder *b, const struct oci_hook_list *list, const char *name,
		      struct plan_hooks *ret, struct err **err)
{
	size_t i;
	int r;

	if (!list->count)
		return 0;
	ret->items = arena_array(b->arena, list->count, sizeof(*ret->items));
	if (!ret->items)
		return err_nomem(err);
	for (i = 0; i < list->count; i++) {
		struct plan_hook *hook = &ret->items[i];

		hook->pointer = item_pointer(b, name, i);
		if (!hook->pointer)
			return err_nomem(err);
		r = build_hook(b, &list->items[i], hook, err);
		if (r < 0)
			return r;
		ret->count++;
	}
	return 0;
}

int build_hooks(struct builder *b, struct err **err)
{
	const struct oci_hooks *hooks = b->config->hooks;
	struct plan_hooks *plan = b->plan->hooks;
	int r;

	if (!hooks)
		return 0;
	r = build_kind(b, &hooks->prestart, "/hooks/prestart", &plan[HOOK_PRESTART], err);
	if (r == 0)
		r = build_kind(b, &hooks->create_runtime, "/hooks/createRuntime",
			       &plan[HOOK_CREATE_RUNTIME], err);
	if (r == 0)
		r = build_kind(b, &hooks->create_container, "/hooks/createContainer",
			       &plan[HOOK_CREATE_CONTAINER], err);
	if (r == 0)
		r = build_kind(b, &hooks->start_container, "/hooks/startContainer",
			       &plan[HOOK_START_CONTAINER], err);
	if (r == 0)
		r = build_kind(b, &hooks->poststart, "/hooks/poststart", &plan[HOOK_POSTSTART],
			       err);
	if (r == 0)
		r = build_kind(b, &hooks->poststop, "/hooks/poststop", &plan[HOOK_POSTSTOP], err);
	return r < 0 ? r : check_outputs(b, err);
}

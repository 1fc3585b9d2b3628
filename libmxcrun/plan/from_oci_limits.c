/* from_oci_limits.c - resources to writes of cgroup files: where each controller is, pids, unified.
 *
 * The words are those of whichever hierarchy has the controller, so that a backend only writes. A
 * limit whose controller is nowhere is an error that names both (never a container without the
 * limit). Zero asks for nothing in all of these fields, because Go's encoders write it for "unset".
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "plan/limits.h"

#define FIXED_WRITES_MAX 24u /* more than all of memory, cpu, cpuset and pids can make */

/* Is word one of the words of list, which are separated by blanks or commas? */
static bool has_word(const char *list, const char *word)
{
	size_t len = strlen(word);

	while (list && *list) {
		size_t n = strcspn(list, " ,");

		if (n == len && memcmp(list, word, len) == 0)
			return true;
		list += n;
		list += strspn(list, " ,");
	}
	return false;
}

static enum controller_place find_controller(const struct host_facts *facts, const char *controller)
{
	size_t i;

	for (i = 0; i < facts->cgroup_count; i++)
		if (!facts->cgroups[i].is_v2 && has_word(facts->cgroups[i].controllers, controller))
			return CONTROLLER_V1;
	return has_word(facts->v2_controllers, controller) ? CONTROLLER_V2 : CONTROLLER_NOWHERE;
}

bool plan_has_controller(const struct host_facts *facts, const char *controller)
{
	return find_controller(facts, controller) != CONTROLLER_NOWHERE;
}

int limits_place(const struct limits *l, const char *controller, const char *pointer,
		 enum controller_place *ret, struct err **err)
{
	const struct host_facts *facts = l->b->facts;

	if (l->b->plan->cgroup.manager == CGROUP_MANAGER_DISABLED)
		return err_set(err, E_CONFIG, 0, pointer,
			       "asks for a limit, but the cgroup manager is disabled");
	*ret = find_controller(facts, controller);
	if (*ret != CONTROLLER_NOWHERE)
		return 0;
	err_set(err, E_HOST, 0, pointer, "the cgroup controller %.32s is not available %s",
		controller, facts->is_privileged ? "on this host" : "to this user");
	if (!facts->is_privileged)
		err_hint(err,
			 "delegate it to the user, e.g. systemd's Delegate=%.32s for user@.service",
			 controller);
	return -EINVAL;
}

int limits_add(struct limits *l, const char *controller, const char *file, const char *value,
	       const char *pointer, struct err **err)
{
	struct plan_cgroup_write *write;
	int r;

	if (l->count == l->capacity)
		return err_set(err, E_INTERNAL, 0, pointer, "more cgroup writes than planned for");
	write = &l->writes[l->count];
	r = copy_string(l->b, controller, &write->controller, err);
	if (r == 0)
		r = copy_string(l->b, file, &write->file, err);
	if (r == 0)
		r = copy_string(l->b, value, &write->value, err);
	if (r == 0)
		r = copy_string(l->b, pointer, &write->pointer, err);
	if (r == 0)
		l->count++;
	return r;
}

int limits_add_i64(struct limits *l, const char *controller, const char *file, int64_t value,
		   const char *pointer, struct err **err)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRId64, value);
	if (value == -1 && find_controller(l->b->facts, controller) == CONTROLLER_V2)
		return limits_add(l, controller, file, "max", pointer, err);
	return limits_add(l, controller, file, text, pointer, err);
}

static int build_pids_limit(struct limits *l, const struct oci_pids *pids, struct err **err)
{
	static const char pointer[] = "/linux/resources/pids/limit";
	enum controller_place place;
	int64_t limit;
	int r;

	if (!pids || !pids->limit.set || pids->limit.value == 0)
		return 0;
	limit = pids->limit.value;
	r = limits_place(l, "pids", pointer, &place, err);
	if (r < 0)
		return r;
	if (limit < 0)
		return limits_add(l, "pids", "pids.max", "max", pointer, err);
	l->b->plan->cgroup.pids = limit;
	return limits_add_i64(l, "pids", "pids.max", limit, pointer, err);
}

/* ---- unified ---- */

static size_t count_lines(const struct string_map *map)
{
	size_t lines = 0, i;
	const char *c;

	for (i = 0; i < map->count; i++)
		for (c = map->items[i].value, lines++; *c; c++)
			lines += *c == '\n';
	return lines;
}

/* Files of the core that tell rather than limit, or that act on processes, are not a
 * configuration's. */
static bool is_limit_file(const char *file)
{
	return strncmp(file, "cgroup.", 7) != 0 || strcmp(file, "cgroup.max.depth") == 0 ||
	       strcmp(file, "cgroup.max.descendants") == 0 || strcmp(file, "cgroup.pressure") == 0;
}

static int check_unified(struct limits *l, const char *file, const char *controller,
			 const char *pointer, struct err **err)
{
	enum controller_place place;
	int r;

	if (strchr(file, '/') || !strchr(file, '.') || file[0] == '.' || !is_limit_file(file))
		return err_set(err, E_CONFIG, 0, pointer,
			       "not the name of a cgroup file that may be set");
	if (l->b->facts->layout != CGROUP_LAYOUT_V2)
		return err_set(err, E_HOST, 0, pointer,
			       "unified needs pure cgroup v2, which this host has not");
	if (strcmp(controller, "cgroup") == 0)
		return 0;
	r = limits_place(l, controller, pointer, &place, err);
	return r;
}

/* Some files take one line a write ("259:0 rbps=1"), so each line is a write. */
static int add_lines(struct limits *l, const char *controller, const char *file, const char *value,
		     const char *pointer, struct err **err)
{
	char *copy = arena_strdup(l->b->arena, value), *line, *rest;
	int r;

	if (!copy)
		return err_nomem(err);
	for (rest = copy; (line = strsep(&rest, "\n"));) {
		if (!*line && line != copy)
			continue;
		r = limits_add(l, controller, file, line, pointer, err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int build_unified(struct limits *l, const struct string_map *map, struct err **err)
{
	size_t i;
	int r;

	for (i = 0; i < map->count; i++) {
		const char *file = map->items[i].key;
		const char *pointer =
			arena_printf(l->b->arena, "/linux/resources/unified/%s", file);
		const char *controller = arena_strndup(l->b->arena, file, strcspn(file, "."));

		if (!pointer || !controller)
			return err_nomem(err);
		r = check_unified(l, file, controller, pointer, err);
		if (r == 0)
			r = add_lines(l, controller, file, map->items[i].value, pointer, err);
		if (r < 0)
			return r;
	}
	return 0;
}

int build_limits(struct builder *b, struct err **err)
{
	const struct oci_resources *resources = b->linux_->resources;
	struct limits l = { .b = b };
	int r = 0;

	if (resources) {
		l.capacity = FIXED_WRITES_MAX + count_lines(&resources->unified) + io_writes_max(resources);
		l.writes = arena_array(b->arena, l.capacity, sizeof(*l.writes));
		if (!l.writes)
			return err_nomem(err);
		r = build_memory_limits(&l, resources->memory, err);
		if (r == 0)
			r = build_cpu_limits(&l, resources->cpu, err);
		if (r == 0)
			r = build_pids_limit(&l, resources->pids, err);
		if (r == 0)
			r = build_io_limits(&l, resources, err);
		if (r == 0)
			r = build_unified(&l, &resources->unified, err);
	}
	b->plan->cgroup.writes = l.writes;
	b->plan->cgroup.write_count = l.count;
	/* Without a limit an unprivileged user's container may share the caller's group. */
	b->plan->cgroup.required = b->plan->cgroup.manager != CGROUP_MANAGER_DISABLED &&
				   (b->facts->is_privileged || l.count > 0);
	return r;
}

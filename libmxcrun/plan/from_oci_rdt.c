/* from_oci_rdt.c - linux.intelRdt: which class of the resctrl file system the container gets, and the lines of its schemata.
 *
 * A line is "RESOURCE:DOMAIN=VALUE;...". Of two for one resource the kernel takes none, so the one that the
 * specification prefers goes in: schemata before memBwSchema before l3CacheSchema.
 */
#include <errno.h>
#include <string.h>

#include "base/strbuf.h"
#include "plan/from_oci.h"

#define POINTER "/linux/intelRdt"

struct line {
	const char *text, *pointer;
	size_t resource_len;
};

struct lines {
	struct arena *arena; /* not the plan's: the pointers are ours */
	struct line *items;
	size_t count;
};

static const struct line *find_resource(const struct lines *lines, const char *text, size_t len)
{
	for (size_t i = 0; i < lines->count; i++)
		if (lines->items[i].resource_len == len && !strncmp(lines->items[i].text, text, len))
			return &lines->items[i];
	return NULL;
}

static int add_line(struct lines *lines, const char *text, const char *pointer, struct err **err)
{
	size_t len = strcspn(text, ":");
	const struct line *other = find_resource(lines, text, len);

	if (len == 0 || !strchr(text, '=') || text[len] != ':' || has_control_character(text))
		return err_set(err, E_CONFIG, 0, pointer, "expected \"RESOURCE:DOMAIN=VALUE;...\", found \"%.64s\"", text);
	if (other && !strcmp(other->pointer, pointer))
		return err_set(err, E_CONFIG, 0, pointer, "two lines for %.*s", (int)len, text);
	if (other)
		return 0;
	lines->items[lines->count++] = (struct line){ text, pointer, len };
	return 0;
}

static int check_prefix(const char *text, const char *prefix, const char *pointer, struct err **err)
{
	if (!strncmp(text, prefix, strlen(prefix)) && !strchr(text, '\n'))
		return 0;
	return err_set(err, E_CONFIG, 0, pointer, "expected one line that starts with \"%s\", found \"%.64s\"", prefix, text);
}

/* One line or several, with or without the last newline. */
static int add_text(struct lines *lines, const char *text, const char *pointer, struct err **err)
{
	int r = 0;

	while (*text && r == 0) {
		size_t len = strcspn(text, "\n");
		char *line = arena_strndup(lines->arena, text, len);

		r = line ? add_line(lines, line, pointer, err) : err_nomem(err);
		text += len + (text[len] == '\n');
	}
	return r;
}

static size_t count_lines(const char *text)
{
	size_t count = 1;

	for (; *text; text++)
		count += *text == '\n';
	return count;
}

static int collect(const struct oci_intel_rdt *config, struct lines *lines, struct err **err)
{
	const char *l3 = config->l3_cache_schema ? config->l3_cache_schema : "";
	const char *bandwidth = config->memory_bandwidth_schema ? config->memory_bandwidth_schema : "";
	int r = 0;

	lines->items = arena_array(lines->arena, config->schemata.count + count_lines(l3) + 1, sizeof(*lines->items));
	if (!lines->items)
		return err_nomem(err);
	for (size_t i = 0; i < config->schemata.count && r == 0; i++)
		r = add_line(lines, config->schemata.items[i], POINTER "/schemata", err);
	if (r == 0 && *bandwidth)
		r = check_prefix(bandwidth, "MB:", POINTER "/memBwSchema", err);
	if (r == 0 && *bandwidth)
		r = add_line(lines, bandwidth, POINTER "/memBwSchema", err);
	return r < 0 ? r : add_text(lines, l3, POINTER "/l3CacheSchema", err);
}

static int join(struct builder *b, const struct lines *lines, const char **ret, struct err **err)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	if (lines->count == 0)
		return 0;
	for (size_t i = 0; i < lines->count; i++)
		strbuf_printf(&text, "%s\n", lines->items[i].text);
	return text.failed ? err_nomem(err) : copy_string(b, strbuf_str(&text), ret, err);
}

/* The kernel's own directories can't be classes. */
static bool is_class_name(const char *name)
{
	static const char *const taken[] = { "", ".", "..", "info", "mon_groups", "mon_data" };

	for (size_t i = 0; i < array_size(taken); i++)
		if (!strcmp(name, taken[i]))
			return false;
	return !strchr(name, '/') && !has_control_character(name);
}

static int build_class(struct builder *b, const struct oci_intel_rdt *config, struct plan_rdt *ret, struct err **err)
{
	const char *name = config->class_id && *config->class_id ? config->class_id : NULL;

	ret->is_named = name != NULL;
	if (!name)
		name = b->request->id;
	if (!name) /* update: the container has its class already */
		return 0;
	if (ret->is_named && !strcmp(name, "/"))
		return copy_string(b, "", &ret->class_name, err);
	if (!is_class_name(name))
		return err_set(err, E_CONFIG, 0, POINTER "/closID", "\"%.64s\" can't be the name of a class", name);
	return copy_string(b, name, &ret->class_name, err);
}

static bool asks_for_nothing(const struct oci_intel_rdt *config)
{
	return (!config->class_id || !*config->class_id) && !config->schemata.count &&
	       (!config->l3_cache_schema || !*config->l3_cache_schema) &&
	       (!config->memory_bandwidth_schema || !*config->memory_bandwidth_schema) && !config->enable_monitoring &&
	       !config->enable_cmt && !config->enable_mbm;
}

int build_rdt(struct builder *b, struct err **err)
{
	const struct oci_intel_rdt *config = b->linux_->intel_rdt;
	struct plan_rdt *rdt = &b->plan->rdt;
	cleanup_arena struct arena *arena = NULL;
	struct lines lines = { 0 };
	int r;

	if (!config || asks_for_nothing(config))
		return 0;
	lines.arena = arena = arena_new();
	r = arena ? collect(config, &lines, err) : err_nomem(err);
	if (r == 0)
		r = join(b, &lines, &rdt->schemata, err);
	if (r == 0)
		r = build_class(b, config, rdt, err);
	if (r < 0)
		return r;
	if (!b->facts->resctrl) {
		err_set(err, E_HOST, 0, POINTER, "the resctrl file system is not mounted");
		err_hint(err, "mount -t resctrl resctrl /sys/fs/resctrl; it takes a CPU with Intel RDT or its like");
		return -EINVAL;
	}
	rdt->is_set = true;
	rdt->is_monitored = config->enable_monitoring || config->enable_cmt || config->enable_mbm;
	rdt->needs_occupancy = config->enable_cmt;
	rdt->needs_bandwidth = config->enable_mbm;
	return 0;
}

/* items_ask.c - what the table of items.h says: of a plan, to an engine that would carry it out; of all there is, as a page for people. */
#include <errno.h>
#include <string.h>

#include "engine/items.h"

static const char *const target_names[] = {
	[TARGET_OCI] = "oci", [TARGET_BWRAP] = "bwrap", [TARGET_BWRAP_RUN] = "bwrap", [TARGET_LXC] = "lxc",
	[TARGET_LXC_RUN] = "lxc",
};
static const char *const target_titles[] = {
	[TARGET_OCI] = "emit oci", [TARGET_BWRAP] = "emit bwrap", [TARGET_BWRAP_RUN] = "--engine bwrap", [TARGET_LXC] = "emit lxc",
	[TARGET_LXC_RUN] = "--engine lxc",
};
_Static_assert(array_size(target_names) == TARGET_MAX && array_size(target_titles) == TARGET_MAX, "a name for each target");

static bool has_newer(const struct engine_item *item, enum engine_target target)
{
	return target == TARGET_BWRAP && item->by[ITEM_NEWER_BWRAP].since;
}

struct item_support items_support(const struct engine_item *item, enum engine_target target, unsigned int bwrap)
{
	static const struct item_support unknown = { .how = ITEM_UNKNOWN };
	bool is_run = target == TARGET_BWRAP_RUN || target == TARGET_LXC_RUN;
	const struct item_support *own = &item->by[target];
	const struct item_support *text = &item->by[target == TARGET_BWRAP_RUN ? TARGET_BWRAP : TARGET_LXC];

	if (has_newer(item, target) && bwrap >= item->by[ITEM_NEWER_BWRAP].since)
		return item->by[ITEM_NEWER_BWRAP];
	if (!is_run || own->how != ITEM_UNKNOWN)
		return *own;
	return text->how == ITEM_DIFFERS || text->how == ITEM_OUTSIDE ? unknown : *text;
}

static int refuse(const struct engine_item *item, enum engine_target target, const char *what, const char *pointer, struct err **err)
{
	int r = err_set(err, E_UNSUPPORTED, EOPNOTSUPP, *pointer ? pointer : NULL, "%s: %s: %s", target_names[target], image_at(item->name),
			what ? what : "not known to it");

	if (has_newer(item, target))
		err_hint(err, "a command for a bubblewrap that can: --bwrap-version 0.%u", item->by[ITEM_NEWER_BWRAP].since);
	return r;
}

int items_check(const struct plan *plan, enum engine_target target, unsigned int bwrap, struct err **err)
{
	for (const struct engine_item *item = engine_items; item < engine_items + engine_item_count; item++) {
		struct item_support support = items_support(item, target, bwrap);
		const char *pointer;

		if (support.how != ITEM_REFUSED && support.how != ITEM_UNKNOWN)
			continue;
		pointer = image_at(item->asked)(plan);
		if (pointer)
			return refuse(item, target, image_at(support.what), pointer, err);
	}
	return 0;
}

void items_visit_notes(const struct plan *plan, enum engine_target target, unsigned int bwrap,
		       void (*visit)(void *data, const struct engine_item *item, const struct item_support *support), void *data)
{
	for (const struct engine_item *item = engine_items; item < engine_items + engine_item_count; item++) {
		const struct item_support support = items_support(item, target, bwrap);

		if ((support.how == ITEM_DIFFERS || support.how == ITEM_OUTSIDE) && image_at(item->asked)(plan))
			visit(data, item, &support);
	}
}

/* A word of the list that is the member, or a name above it. */
static bool speaks_of(const char *members, const char *member)
{
	while (*members) {
		size_t len = strcspn(members, " ");

		if (!strncmp(members, member, len) && (!member[len] || member[len] == '.'))
			return true;
		members += len + strspn(members + len, " ");
	}
	return false;
}

bool items_cover(const char *member)
{
	for (const struct engine_item *item = engine_items; item < engine_items + engine_item_count; item++)
		if (speaks_of(image_at(item->members), member))
			return true;
	return false;
}

static void put_support(struct item_support support, struct strbuf *out)
{
	static const char *const words[] = {
		[ITEM_UNKNOWN] = "**refused**", [ITEM_REFUSED] = "**refused**: ", [ITEM_CARRIED] = "",
		[ITEM_DIFFERS] = "differs: ", [ITEM_OUTSIDE] = "not in it: ", [ITEM_NOTHING] = "-",
	};

	strbuf_printf(out, "%s%s", words[support.how], support.what.raw ? image_at(support.what) : "");
}

static void print_support(const struct engine_item *item, enum engine_target target, struct strbuf *out)
{
	strbuf_putc(out, ' ');
	put_support(items_support(item, target, 0), out);
	if (has_newer(item, target)) {
		strbuf_printf(out, "; from 0.%u ", item->by[ITEM_NEWER_BWRAP].since);
		put_support(item->by[ITEM_NEWER_BWRAP], out);
	}
	strbuf_puts(out, " |");
}

void items_print_matrix(struct strbuf *out)
{
	strbuf_puts(out, "| item of the plan | members of its JSON | native |");
	for (int target = 0; target < TARGET_MAX; target++)
		strbuf_printf(out, " %s |", target_titles[target]);
	strbuf_puts(out, "\n|---|---|---|");
	for (int target = 0; target < TARGET_MAX; target++)
		strbuf_puts(out, "---|");
	for (const struct engine_item *item = engine_items; item < engine_items + engine_item_count; item++) {
		strbuf_printf(out, "\n| %s | %s | enforced |", image_at(item->name), image_at(item->members));
		for (int target = 0; target < TARGET_MAX; target++)
			print_support(item, target, out);
	}
	strbuf_putc(out, '\n');
}

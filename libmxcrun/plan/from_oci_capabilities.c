/* from_oci_capabilities.c - the five sets (invariant 24): absent means none, nothing is added.
 *
 * Names that nobody knows, and capabilities that the host itself lacks, are a warning and dropped,
 * because engines ask for "all" of a newer kernel or of a fuller host (design/ENGINES.md). What the
 * kernel would refuse as a whole is an error here, where it can be named.
 */
#include <string.h>

#include "plan/caps.h"
#include "plan/from_oci.h"

/* A new or joined user namespace starts with a full bounding set, whatever the caller's is. */
static bool is_available(const struct builder *b, int capability)
{
	if (capability > (int)b->facts->cap_last)
		return false;
	return b->plan->namespaces[NS_USER].mode != NS_HOST ||
	       (b->facts->bounding & caps_bit((unsigned int)capability));
}

static bool has_before(const struct string_list *list, size_t end, const char *name)
{
	for (size_t i = 0; i < end; i++)
		if (!strcmp(list->items[i], name))
			return true;
	return false;
}

/* A name that nobody knows stands in several sets, as an option of exec puts it there, and is told once. */
static void warn_unknown(const struct builder *b, const struct oci_capabilities *config)
{
	const struct string_list *lists[] = {
		&config->bounding, &config->permitted, &config->effective, &config->inheritable, &config->ambient,
	};

	for (size_t i = 0; i < array_size(lists); i++)
		for (size_t k = 0; k < lists[i]->count; k++) {
			const char *name = lists[i]->items[k];
			bool is_told = has_before(lists[i], k, name);

			for (size_t before = 0; before < i; before++)
				is_told |= has_before(lists[before], lists[before]->count, name);
			if (caps_from_name(name) < 0 && !is_told)
				log_warning(b->log, "unknown capability %.64s is ignored", name);
		}
}

static uint64_t parse_set(const struct builder *b, const struct string_list *list, uint64_t *warned)
{
	uint64_t set = 0;
	size_t i;

	for (i = 0; i < list->count; i++) {
		int capability = caps_from_name(list->items[i]);

		if (capability < 0)
			continue;
		if (is_available(b, capability)) {
			set |= caps_bit((unsigned int)capability);
		} else if (!(*warned & caps_bit((unsigned int)capability))) {
			*warned |= caps_bit((unsigned int)capability);
			log_warning(b->log, "%s is not available on this host and is ignored",
				    list->items[i]);
		}
	}
	return set;
}

static unsigned int lowest(uint64_t set)
{
	return (unsigned int)__builtin_ctzll(set);
}

int build_capabilities(struct builder *b, struct err **err)
{
	const struct oci_capabilities *config = b->config->process->capabilities;
	struct plan_capabilities *caps = &b->plan->process.capabilities;
	uint64_t warned = 0, allowed, extra;

	if (!config)
		return 0;
	warn_unknown(b, config);
	caps->bounding = parse_set(b, &config->bounding, &warned);
	caps->permitted = parse_set(b, &config->permitted, &warned);
	caps->effective = parse_set(b, &config->effective, &warned);
	caps->inheritable = parse_set(b, &config->inheritable, &warned);
	caps->ambient = parse_set(b, &config->ambient, &warned);
	extra = caps->effective & ~caps->permitted;
	if (extra)
		return err_set(err, E_CONFIG, 0, "/process/capabilities/effective", "has %s, which is not permitted",
			       caps_name(lowest(extra)));
	extra = caps->inheritable & ~caps->bounding;
	if (extra)
		return err_set(err, E_CONFIG, 0, "/process/capabilities/inheritable",
			       "has %s, which is outside the bounding set", caps_name(lowest(extra)));
	/* The kernel keeps ambient within both; runc's own default asks for ambient without
	 * inheritable, so it can't be an error. */
	allowed = caps->permitted & caps->inheritable;
	if (caps->ambient & ~allowed)
		log_debug(
			b->log,
			"ambient capabilities that are not permitted and inheritable are ignored");
	caps->ambient &= allowed;
	return 0;
}

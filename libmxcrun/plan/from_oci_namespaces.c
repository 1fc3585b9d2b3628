/* from_oci_namespaces.c - which namespaces are new, joined or the host's, and the names that live
 * in one.
 *
 * Without a mount namespace nothing starts (invariant 34), and a setting that would reach the host
 * because its namespace is the host's is refused (invariant 12).
 */
#include <errno.h>
#include <string.h>

#include "plan/caps.h"
#include "plan/from_oci.h"

#define HOST_NAME_MAX_LEN 64u /* __NEW_UTS_LEN */
#define NANOSECONDS 1000000000u

/* enum plan_ns_kind is the index of a word in oci_namespace_words. */
_Static_assert(NS_USER == 0 && NS_CGROUP == 1 && NS_IPC == 2 && NS_UTS == 3 && NS_NET == 4 &&
		       NS_PID == 5 && NS_MOUNT == 6 && NS_TIME == 7 && NS_MAX == 8,
	       "order of the namespace words");

static int build_namespace(struct builder *b, const struct oci_namespace *entry, size_t index,
			   struct err **err)
{
	struct plan_ns *ns = &b->plan->namespaces[entry->type];
	const char *pointer = item_pointer(b, "/linux/namespaces", index);

	if (!pointer)
		return err_nomem(err);
	if (ns->pointer)
		return err_set(err, E_CONFIG, 0, pointer, "the %s namespace is listed twice",
			       oci_namespace_words[entry->type]);
	ns->pointer = pointer;
	if (!entry->path || !*entry->path) {
		ns->mode = NS_NEW;
		return 0;
	}
	if (entry->path[0] != '/')
		return err_set(err, E_CONFIG, 0, pointer,
			       "expected the absolute path of a namespace, found \"%.64s\"",
			       entry->path);
	ns->mode = NS_JOIN;
	return copy_string(b, entry->path, &ns->path, err);
}

static int check_privilege(const struct builder *b, struct err **err)
{
	if (b->plan->namespaces[NS_USER].mode != NS_HOST ||
	    (b->facts->capabilities & caps_bit(CAP_BIT_SYS_ADMIN)))
		return 0;
	err_set(err, E_CONFIG, 0, "/linux/namespaces",
		"an unprivileged user can run a container only in a user namespace");
	err_hint(err, "add one with uidMappings and gidMappings, as `spec --rootless` does");
	return -EINVAL;
}

static enum plan_network_mode network_mode(const struct plan_ns *net)
{
	switch (net->mode) {
	case NS_NEW:
		return NETWORK_NONE;
	case NS_JOIN:
		return NETWORK_JOINED;
	case NS_HOST:
		break;
	}
	return NETWORK_HOST;
}

static int build_host_name(struct builder *b, const char *name, const char *pointer,
			   const char **ret, struct err **err)
{
	if (!name || !*name)
		return 0;
	if (b->plan->namespaces[NS_UTS].mode == NS_HOST)
		return err_set(err, E_CONFIG, 0, pointer,
			       "needs a uts namespace, else it would rename the host");
	if (strlen(name) > HOST_NAME_MAX_LEN)
		return err_set(err, E_CONFIG, 0, pointer, "longer than %u bytes: found %zu",
			       HOST_NAME_MAX_LEN, strlen(name));
	return copy_string(b, name, ret, err);
}

static int build_time_offset(struct builder *b, const struct oci_time_offset *config, struct err **err)
{
	static const char pointer[] = "/linux/timeOffsets";
	struct plan_time_offset *offset;

	if (!strcmp(config->clock, "monotonic"))
		offset = &b->plan->monotonic;
	else if (!strcmp(config->clock, "boottime"))
		offset = &b->plan->boottime;
	else
		return err_set(err, E_CONFIG, 0, pointer, "expected the clock monotonic or boottime, found \"%.64s\"",
			       config->clock);
	if (config->nanoseconds.value >= NANOSECONDS)
		return err_set(err, E_CONFIG, 0, pointer, "%s: expected less than a second of nanoseconds, found %u",
			       config->clock, config->nanoseconds.value);
	if (b->plan->namespaces[NS_TIME].mode != NS_NEW)
		return err_set(err, E_CONFIG, 0, pointer, "needs a new time namespace");
	*offset = (struct plan_time_offset){ true, config->seconds.value, config->nanoseconds.value };
	return 0;
}

static int build_time_offsets(struct builder *b, struct err **err)
{
	int r = 0;

	for (size_t i = 0; i < b->linux_->time_offsets.count && r == 0; i++)
		r = build_time_offset(b, &b->linux_->time_offsets.items[i], err);
	return r;
}

int build_namespaces(struct builder *b, struct err **err)
{
	size_t i;
	int r;

	for (i = 0; i < b->linux_->namespaces.count; i++) {
		r = build_namespace(b, &b->linux_->namespaces.items[i], i, err);
		if (r < 0)
			return r;
	}
	if (b->plan->namespaces[NS_MOUNT].mode == NS_HOST)
		return err_set(err, E_CONFIG, 0, "/linux/namespaces",
			       "a container needs a mount namespace");
	r = check_privilege(b, err);
	if (r < 0)
		return r;
	r = build_time_offsets(b, err);
	if (r < 0)
		return r;
	b->plan->network = network_mode(&b->plan->namespaces[NS_NET]);
	r = build_host_name(b, b->config->hostname, "/hostname", &b->plan->hostname, err);
	if (r == 0)
		r = build_host_name(b, b->config->domainname, "/domainname", &b->plan->domainname,
				    err);
	return r;
}

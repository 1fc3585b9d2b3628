/* from_oci_sysctls.c - kernel parameters: only those that belong to a namespace, and only when the
 * container has that namespace for itself or joins it by path (invariant 11). Anything else would
 * change the host. */
#include <string.h>

#include "plan/from_oci.h"

struct sysctl_rule {
	const char *name; /* whole name, or a prefix when it ends with a dot */
	enum plan_ns_kind ns;
};

static const struct sysctl_rule rules[] = {
	{ "net.", NS_NET },
	{ "fs.mqueue.", NS_IPC },
	{ "kernel.msgmax", NS_IPC },
	{ "kernel.msgmnb", NS_IPC },
	{ "kernel.msgmni", NS_IPC },
	{ "kernel.sem", NS_IPC },
	{ "kernel.shmall", NS_IPC },
	{ "kernel.shmmax", NS_IPC },
	{ "kernel.shmmni", NS_IPC },
	{ "kernel.shm_rmid_forced", NS_IPC },
	{ "kernel.domainname", NS_UTS },
};

static const struct sysctl_rule *find_rule(const char *name)
{
	size_t i;

	for (i = 0; i < array_size(rules); i++) {
		size_t len = strlen(rules[i].name);

		if (rules[i].name[len - 1] == '.' ? strncmp(name, rules[i].name, len) == 0
						  : strcmp(name, rules[i].name) == 0)
			return &rules[i];
	}
	return NULL;
}

/* One dotted name: components of letters, digits, "_" and "-", none of them empty. */
static bool is_dotted_name(const char *name)
{
	static const char allowed[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";

	for (;;) {
		size_t len = strspn(name, allowed);

		if (len == 0)
			return false;
		name += len;
		if (!*name)
			return true;
		if (*name++ != '.')
			return false;
	}
}

static int check_name(const struct builder *b, const char *name, const char *pointer,
		      enum plan_ns_kind *ret_ns, struct err **err)
{
	const struct sysctl_rule *rule;

	if (!is_dotted_name(name))
		return err_set(err, E_CONFIG, 0, "/linux/sysctl",
			       "\"%.64s\" is not the dotted name of a sysctl", name);
	if (strcmp(name, "kernel.hostname") == 0)
		return err_set(err, E_CONFIG, 0, pointer,
			       "the host name is set by the field hostname");
	rule = find_rule(name);
	if (!rule)
		return err_set(err, E_CONFIG, 0, pointer,
			       "belongs to no namespace: setting it would change the host");
	if (b->plan->namespaces[rule->ns].mode == NS_HOST)
		return err_set(
			err, E_CONFIG, 0, pointer,
			"needs the container's own %s namespace, else it would change the host",
			oci_namespace_words[rule->ns]);
	*ret_ns = rule->ns;
	return 0;
}

static int build_sysctl(struct builder *b, const struct string_pair *pair, struct plan_sysctl *ret,
			struct err **err)
{
	char *path, *c;
	int r;

	ret->pointer = arena_printf(b->arena, "/linux/sysctl/%s", pair->key);
	if (!ret->pointer)
		return err_nomem(err);
	r = check_name(b, pair->key, ret->pointer, &ret->ns, err);
	if (r < 0)
		return r;
	path = arena_strdup(b->arena, pair->key);
	if (!path)
		return err_nomem(err);
	for (c = path; *c; c++)
		if (*c == '.')
			*c = '/';
	ret->path = path;
	return copy_string(b, pair->value, &ret->value, err);
}

int build_sysctls(struct builder *b, struct err **err)
{
	const struct string_map *map = &b->linux_->sysctl;
	size_t i;
	int r;

	b->plan->sysctls = arena_array(b->arena, map->count, sizeof(*b->plan->sysctls));
	if (!b->plan->sysctls)
		return err_nomem(err);
	for (i = 0; i < map->count; i++) {
		r = build_sysctl(b, &map->items[i], &b->plan->sysctls[i], err);
		if (r < 0)
			return r;
		b->plan->sysctl_count++;
	}
	return 0;
}

/* from_oci_cgroup.c - where the container's cgroup is: a cleaned path below the roots of the
 * hierarchies, and with the systemd manager the slice and the scope whose place systemd will choose
 * by the same rule.
 *
 * ".." is refused rather than folded: whoever writes it means something else than what he would get
 * (invariant 31).
 */
#include <stdio.h>
#include <string.h>

#include "base/path.h"
#include "base/strbuf.h"
#include "plan/from_oci.h"

#define POINTER "/linux/cgroupsPath"
#define SCOPE_PREFIX "mxcrun"

static bool has_parent_component(const char *path)
{
	while (*path) {
		size_t len = strcspn(path, "/");

		if (len == 2 && path[0] == '.' && path[1] == '.')
			return true;
		path += len;
		path += strspn(path, "/");
	}
	return false;
}

/* ---- cgroupfs ---- */

/* The v2 group that holds the caller, without its last component: inner groups may have no
 * processes, so ours has to be beside the caller's and not below it. "" when the caller is in the
 * root. */
static size_t sibling_prefix(const struct builder *b, const char **ret)
{
	size_t i;

	*ret = "";
	for (i = 0; i < b->facts->cgroup_count; i++) {
		const struct cgroup_mount *mount = &b->facts->cgroups[i];
		const char *slash;

		if (!mount->is_v2 || !mount->own_path)
			continue;
		slash = strrchr(mount->own_path, '/');
		*ret = mount->own_path;
		return slash ? (size_t)(slash - mount->own_path) : 0;
	}
	return 0;
}

static int build_cgroupfs_path(struct builder *b, const char *wanted, struct err **err)
{
	cleanup_free char *path = NULL;
	const char *prefix = "";
	size_t prefix_len = 0;
	int r;

	if (has_parent_component(wanted))
		return err_set(err, E_CONFIG, 0, POINTER, "\"..\" is not allowed in a cgroup path");
	/* An unprivileged user owns only what is beside his own group. */
	if (wanted[0] != '/' && !b->facts->is_privileged)
		prefix_len = sibling_prefix(b, &prefix);
	if (asprintf(&path, "%.*s/%s", (int)prefix_len, prefix, *wanted ? wanted : b->request->id) <
	    0) {
		path = NULL;
		return err_nomem(err);
	}
	r = copy_clean_path(b, path, &b->plan->cgroup.path, err);
	if (r == 0 && !b->plan->cgroup.path[1])
		return err_set(err, E_CONFIG, 0, POINTER, "the root cgroup can't be a container's");
	return r;
}

/* ---- systemd ---- */

/* "a-b.slice" lies in "a.slice": each dash is a level. "-.slice" is the root. */
static int expand_slice(const char *slice, struct strbuf *path, struct err **err)
{
	static const char suffix[] = ".slice";
	size_t len = strlen(slice), name_len, i;

	if (strcmp(slice, "-.slice") == 0)
		return 0;
	if (len <= sizeof(suffix) - 1 || strcmp(slice + len - (sizeof(suffix) - 1), suffix) != 0 ||
	    strchr(slice, '/'))
		return err_set(err, E_CONFIG, 0, POINTER,
			       "expected the name of a slice, found \"%.64s\"", slice);
	name_len = len - (sizeof(suffix) - 1);
	for (i = 0; i <= name_len; i++) {
		if (i < name_len && slice[i] != '-')
			continue;
		if (i == 0 || slice[i - 1] == '-')
			return err_set(err, E_CONFIG, 0, POINTER,
				       "empty part in the slice name \"%.64s\"", slice);
		strbuf_printf(path, "/%.*s%s", (int)i, slice, suffix);
	}
	return 0;
}

/* Where the user's own systemd keeps its slices: the group of user@UID.service above the caller,
 * else its usual place. */
static void put_user_manager(const struct builder *b, struct strbuf *path)
{
	char service[sizeof("/user@4294967295.service")];
	size_t i, len;

	len = (size_t)snprintf(service, sizeof(service), "/user@%u.service",
			       (unsigned int)b->facts->euid);
	for (i = 0; i < b->facts->cgroup_count; i++) {
		const char *own = b->facts->cgroups[i].own_path;
		const char *found = own ? strstr(own, service) : NULL;

		if (found && (found[len] == '/' || !found[len])) {
			strbuf_add(path, own, (size_t)(found - own) + len);
			return;
		}
	}
	strbuf_printf(path, "/user.slice/user-%u.slice%s", (unsigned int)b->facts->euid, service);
}

struct unit_names {
	const char *slice, *prefix, *name;
};

/* "slice:prefix:name"; each part may be empty for its default. */
static int split_units(struct builder *b, const char *wanted, struct unit_names *ret,
		       struct err **err)
{
	char *copy = arena_strdup(b->arena, wanted), *first, *second;

	*ret = (struct unit_names){ b->facts->is_privileged ? "system.slice" : "user.slice",
				    SCOPE_PREFIX, b->request->id };
	if (!copy)
		return err_nomem(err);
	if (!*copy)
		return 0;
	first = strchr(copy, ':');
	second = first ? strchr(first + 1, ':') : NULL;
	if (!second || strchr(second + 1, ':') || strchr(copy, '/'))
		return err_set(
			err, E_CONFIG, 0, POINTER,
			"the systemd cgroup manager expects \"slice:prefix:name\", found \"%.64s\"",
			wanted);
	*first = *second = '\0';
	if (*copy)
		ret->slice = copy;
	ret->prefix = first + 1;
	if (second[1])
		ret->name = second + 1;
	return 0;
}

static int build_systemd_names(struct builder *b, const char *wanted, struct err **err)
{
	cleanup_strbuf struct strbuf path = STRBUF_INIT;
	struct plan_cgroup *cgroup = &b->plan->cgroup;
	struct unit_names names;
	int r;

	r = split_units(b, wanted, &names, err);
	if (r < 0)
		return r;
	if (ends_with(names.name, ".slice"))
		return err_set(err, E_UNSUPPORTED, 0, POINTER,
			       "a slice as the container's own unit is not supported");
	if (!b->facts->is_privileged)
		put_user_manager(b, &path);
	r = expand_slice(names.slice, &path, err);
	if (r < 0)
		return r;
	cgroup->scope = *names.prefix
				? arena_printf(b->arena, "%s-%s.scope", names.prefix, names.name)
				: arena_printf(b->arena, "%s.scope", names.name);
	if (!cgroup->scope)
		return err_nomem(err);
	strbuf_printf(&path, "/%s", cgroup->scope);
	r = copy_string(b, names.slice, &cgroup->slice, err);
	if (r == 0 && !path.failed)
		r = copy_string(b, strbuf_str(&path), &cgroup->path, err);
	return path.failed ? err_nomem(err) : r;
}

int build_cgroup(struct builder *b, struct err **err)
{
	const char *wanted = b->linux_->cgroups_path ? b->linux_->cgroups_path : "";

	b->plan->cgroup.manager = b->request->manager;
	if (has_control_character(wanted))
		return err_set(err, E_CONFIG, 0, POINTER, "control character in a cgroup path");
	switch (b->request->manager) {
	case CGROUP_MANAGER_CGROUPFS:
		return build_cgroupfs_path(b, wanted, err);
	case CGROUP_MANAGER_SYSTEMD:
		return build_systemd_names(b, wanted, err);
	case CGROUP_MANAGER_DISABLED:
		break;
	}
	return 0;
}

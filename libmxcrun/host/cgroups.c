/* cgroups.c - which hierarchies are mounted, where we are in them, and where we may make groups.
 *
 * /proc/self/cgroup lists every hierarchy with our group in it; mountinfo says which are mounted,
 * where, and which part of each. On pure cgroup v2, mounted whole at its usual place, mountinfo
 * isn't read: its cost grows with every container of the host, and a statfs and a look for
 * cgroup.type, which only the true root lacks, tell the same.
 */
#include "host/cgroups.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"
#include "host/mountinfo.h"

#define CGROUP2_MAGIC 0x63677270
#define CGROUPNS_INITIAL_INODE 0xeffffffb /* PROC_CGROUP_INIT_INO of linux/proc_ns.h */
#define USUAL_PLACE "/sys/fs/cgroup"
#define SELF_CGROUP_SIZE_MAX 65536u
#define CONTROLLERS_SIZE_MAX 4096u

/* ---- /proc/self/cgroup: "4:memory:/group", "0::/group" ---- */

static int parse_self_line(struct arena *arena, const char *line, size_t len,
			   struct cgroup_mount *ret)
{
	const char *controllers = memchr(line, ':', len), *path;

	if (!controllers)
		return -EBADMSG;
	controllers++;
	path = memchr(controllers, ':', len - (size_t)(controllers - line));
	if (!path || path + 1 == line + len || path[1] != '/')
		return -EBADMSG;
	ret->controllers = arena_strndup(arena, controllers, (size_t)(path - controllers));
	ret->own_path = arena_strndup(arena, path + 1, (size_t)(line + len - path - 1));
	ret->is_v2 = path == controllers;
	return ret->controllers && ret->own_path ? 0 : -ENOMEM;
}

static int parse_self(struct host_facts *facts, const char *text)
{
	const char *line, *end;
	size_t lines = 0;

	for (line = text; (end = strchr(line, '\n')); line = end + 1)
		lines++;
	facts->cgroups = arena_array(facts->arena, lines + 1, sizeof(*facts->cgroups));
	facts->cgroup_count = 0;
	if (!facts->cgroups)
		return -ENOMEM;
	for (line = text; (end = strchr(line, '\n')); line = end + 1) {
		struct cgroup_mount *cgroup = &facts->cgroups[facts->cgroup_count++];
		int r = parse_self_line(facts->arena, line, (size_t)(end - line), cgroup);

		if (r < 0)
			return r;
	}
	return 0;
}

/* ---- mountinfo ---- */

static bool has_option(const char *options, const char *name, size_t len)
{
	while (*options) {
		size_t n = strcspn(options, ",");

		if (n == len && memcmp(options, name, len) == 0)
			return true;
		options += n;
		options += *options == ',';
	}
	return false;
}

/* The first controller stands for all: those of one hierarchy are always mounted together. */
static bool is_mount_of(const struct mountinfo *mount, const struct cgroup_mount *cgroup)
{
	if (cgroup->is_v2)
		return strcmp(mount->fstype, "cgroup2") == 0;
	return strcmp(mount->fstype, "cgroup") == 0 &&
	       has_option(mount->super_options, cgroup->controllers,
			  strcspn(cgroup->controllers, ","));
}

static int take_mount(const struct mountinfo *mount, void *data)
{
	struct host_facts *facts = data;
	size_t i;

	if (strncmp(mount->fstype, "cgroup", 6) != 0)
		return 0;
	for (i = 0; i < facts->cgroup_count; i++) {
		struct cgroup_mount *cgroup = &facts->cgroups[i];

		if (!is_mount_of(mount, cgroup))
			continue;
		/* Of several mounts the first; but a whole hierarchy is better than a part of it.
		 */
		if (cgroup->mountpoint &&
		    (!strcmp(cgroup->mount_root, "/") || strcmp(mount->root, "/") != 0))
			return 0;
		cgroup->mountpoint = arena_strdup(facts->arena, mount->mountpoint);
		cgroup->mount_root = arena_strdup(facts->arena, mount->root);
		return cgroup->mountpoint && cgroup->mount_root ? 0 : -ENOMEM;
	}
	return 0;
}

/* In a container without a cgroup namespace the mount shows only the container's part of the
 * hierarchy, while /proc/self/cgroup counts from the top; in a cgroup namespace both count from its
 * root, and what lies above reads "/..". */
static const char *make_visible(const char *own, const char *root)
{
	if (strncmp(own, "/..", 3) == 0 && (!own[3] || own[3] == '/'))
		return NULL;
	if (strcmp(root, "/") == 0)
		return own;
	if (!path_is_within(own, root))
		return NULL;
	own += strlen(root);
	return *own ? own : "/";
}

static void drop_unmounted(struct host_facts *facts)
{
	bool has_v1 = false, has_v2 = false;
	size_t i, kept = 0;

	for (i = 0; i < facts->cgroup_count; i++) {
		struct cgroup_mount *cgroup = &facts->cgroups[i];

		if (!cgroup->mountpoint)
			continue;
		cgroup->visible_path = make_visible(cgroup->own_path, cgroup->mount_root);
		has_v1 |= !cgroup->is_v2;
		has_v2 |= cgroup->is_v2;
		facts->cgroups[kept++] = *cgroup;
	}
	facts->cgroup_count = kept;
	if (has_v1)
		facts->layout = has_v2 ? CGROUP_LAYOUT_HYBRID : CGROUP_LAYOUT_V1;
	else
		facts->layout = has_v2 ? CGROUP_LAYOUT_V2 : CGROUP_LAYOUT_NONE;
}

int cgroups_detect(struct host_facts *facts, char *mountinfo, const char *self_cgroup)
{
	int r = parse_self(facts, self_cgroup);

	if (r == 0)
		r = mountinfo_parse(mountinfo, take_mount, facts);
	if (r == 0)
		drop_unmounted(facts);
	return r;
}

const char *cgroups_find_path(struct arena *arena, const char *proc_cgroup,
			      const struct cgroup_mount *mount)
{
	const char *line, *end;

	for (line = proc_cgroup; (end = strchr(line, '\n')); line = end + 1) {
		struct cgroup_mount found;

		if (parse_self_line(arena, line, (size_t)(end - line), &found) < 0)
			return NULL;
		if (strcmp(found.controllers, mount->controllers) == 0)
			return make_visible(found.own_path, mount->mount_root);
	}
	return NULL;
}

/* ---- the host ---- */

/* In a cgroup namespace our paths count from elsewhere than the mount's, which only mountinfo
 * tells. A privileged user's groups don't depend on his own path, so he is spared the question. */
static bool counts_from_top(const struct host_facts *facts)
{
	struct stat st;

	return facts->is_privileged ||
	       (stat("/proc/self/ns/cgroup", &st) == 0 && st.st_ino == CGROUPNS_INITIAL_INODE);
}

static bool is_whole_v2_at_usual_place(void)
{
	struct statfs fs;

	return statfs(USUAL_PLACE, &fs) == 0 && (unsigned long)fs.f_type == CGROUP2_MAGIC &&
	       access(USUAL_PLACE "/cgroup.type", F_OK) < 0 && errno == ENOENT;
}

static int detect_on_host(struct host_facts *facts, const char *self_cgroup)
{
	cleanup_free char *mountinfo = NULL;
	char whole_v2[] = "1 1 0:1 / " USUAL_PLACE " rw - cgroup2 cgroup2 rw\n";
	int r;

	if (is_whole_v2_at_usual_place() && counts_from_top(facts))
		return cgroups_detect(facts, whole_v2, self_cgroup);
	r = fd_read_file(AT_FDCWD, "/proc/self/mountinfo", MOUNTINFO_SIZE_MAX, &mountinfo, NULL);
	return r < 0 ? r : cgroups_detect(facts, mountinfo, self_cgroup);
}

/* ---- what is delegated to us in v2 ---- */

/* A group can be given to somebody who isn't root: its directory and these two files (cgroups(7)).
 */
static bool is_delegated(const char *mountpoint, const char *group)
{
	static const char *const files[] = { "", "/cgroup.procs", "/cgroup.subtree_control" };
	size_t i;

	for (i = 0; i < array_size(files); i++) {
		cleanup_free char *path = NULL;

		if (asprintf(&path, "%s%s%s", mountpoint, group, files[i]) < 0) {
			path = NULL;
			return false;
		}
		if (faccessat(AT_FDCWD, path, W_OK, AT_EACCESS) < 0)
			return false;
	}
	return true;
}

/* An ordinary user's groups go beside the caller's group where that is his too (below his own
 * systemd it is): a group that has processes, as the caller's has, can't hand controllers down.
 * Where only the caller's group was delegated they go into it. */
static int find_base(struct host_facts *facts, const struct cgroup_mount *v2)
{
	const char *slash;
	char *parent;

	facts->v2_base = NULL;
	if (facts->is_privileged)
		facts->v2_base = "/";
	if (facts->v2_base || !v2->visible_path)
		return 0;
	slash = strrchr(v2->visible_path, '/');
	parent = arena_strndup(facts->arena, v2->visible_path, (size_t)(slash - v2->visible_path));
	if (!parent)
		return -ENOMEM;
	if (v2->visible_path[1] && is_delegated(v2->mountpoint, parent))
		facts->v2_base = *parent ? parent : "/";
	else if (is_delegated(v2->mountpoint, v2->visible_path))
		facts->v2_base = v2->visible_path;
	return 0;
}

/* The group of the user's own systemd, which makes groups for him wherever the caller is; NULL when
 * there is none. */
static const char *find_user_manager(const struct host_facts *facts, const struct cgroup_mount *v2)
{
	const char *group = arena_printf(facts->arena, "/user.slice/user-%u.slice/user@%u.service",
					 (unsigned int)facts->euid, (unsigned int)facts->euid);

	return group && is_delegated(v2->mountpoint, group) ? group : NULL;
}

static int read_v2(struct host_facts *facts, const struct cgroup_mount *v2)
{
	cleanup_free char *path = NULL, *text = NULL;
	const char *group;
	int r = find_base(facts, v2);

	if (r < 0)
		return r;
	group = facts->v2_base ? facts->v2_base : find_user_manager(facts, v2);
	if (!group)
		return 0;
	if (asprintf(&path, "%s%s/cgroup.controllers", v2->mountpoint, group[1] ? group : "") < 0) {
		path = NULL;
		return -ENOMEM;
	}
	r = fd_read_file(AT_FDCWD, path, CONTROLLERS_SIZE_MAX, &text, NULL);
	if (r < 0)
		return r;
	facts->v2_controllers = arena_strndup(facts->arena, text, strcspn(text, "\n"));
	return facts->v2_controllers ? 0 : -ENOMEM;
}

int facts_read_cgroups(struct host_facts *facts, struct err **err)
{
	cleanup_free char *self_cgroup = NULL;
	const char *what = "/proc/self/cgroup";
	size_t i;
	int r;

	facts->v2_controllers = "";
	r = fd_read_file(AT_FDCWD, what, SELF_CGROUP_SIZE_MAX, &self_cgroup, NULL);
	if (r == -ENOENT) { /* a kernel without cgroups */
		facts->layout = CGROUP_LAYOUT_NONE;
		return 0;
	}
	if (r == 0) {
		what = "/proc/self/mountinfo";
		r = detect_on_host(facts, self_cgroup);
	}
	for (i = 0; r == 0 && i < facts->cgroup_count; i++) {
		if (!facts->cgroups[i].is_v2)
			continue;
		what = facts->cgroups[i].mountpoint;
		r = read_v2(facts, &facts->cgroups[i]);
	}
	if (r < 0)
		return err_sys(err, E_HOST, -r, "read", what, NULL);
	facts->has_systemd = access("/run/systemd/system", F_OK) == 0;
	return 0;
}

/* ---- resctrl ---- */

static int take_resctrl(const struct mountinfo *mount, void *data)
{
	struct host_facts *facts = data;

	if (facts->resctrl || strcmp(mount->fstype, "resctrl") != 0)
		return 0;
	facts->resctrl = arena_strdup(facts->arena, mount->mountpoint);
	return facts->resctrl ? 0 : -ENOMEM;
}

int facts_read_resctrl(struct host_facts *facts, struct err **err)
{
	cleanup_free char *mountinfo = NULL;
	int r = fd_read_file(AT_FDCWD, "/proc/self/mountinfo", MOUNTINFO_SIZE_MAX, &mountinfo, NULL);

	if (r == 0)
		r = mountinfo_parse(mountinfo, take_resctrl, facts);
	return r < 0 ? err_sys(err, E_HOST, -r, "read", "/proc/self/mountinfo", NULL) : 0;
}

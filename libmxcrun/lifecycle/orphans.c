/* orphans.c - find what is left of a container whose record can't be read, and its journal not or in part.
 *
 * What remains then is its id, which cgroups are usually named after, and the kernel. A cgroup
 * counts only when its own name is the id's and all processes of that name live in another mount
 * namespace than we do: so an id that happens to be the name of a service's or an engine's group
 * finds nothing.
 */

#include "lifecycle/reclaim.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/strbuf.h"

#define PROC_FILE_MAX (1u << 20)
#define MATCHES_MAX 64u

/* A group that is named after the id, in one hierarchy. */
struct match {
	const struct cgroup_mount *mount;
	const char *path; /* as in /proc/PID/cgroup */
	bool is_shared;	  /* with a process that is not contained */
};

struct search {
	const char *id;
	const struct host_facts *facts;
	struct arena *arena;
	ino_t own_mount_namespace;
	struct match matches[MATCHES_MAX];
	size_t count;
};

/* "ID", or a scope "PREFIX-ID.scope" of systemd. */
static bool is_named_after(const char *path, const char *id)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	size_t id_len = strlen(id), len = strlen(name);
	size_t tail = id_len + sizeof("-.scope") - 1;
	const char *end = name + len - tail;

	if (!strcmp(name, id))
		return true;
	return len > tail && end[0] == '-' && !strncmp(end + 1, id, id_len) &&
	       !strcmp(end + 1 + id_len, ".scope");
}

static ino_t mount_namespace(const char *process)
{
	char path[64];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%.20s/ns/mnt", process);
	return stat(path, &st) < 0 ? 0 : st.st_ino;
}

static const struct cgroup_mount *find_mount(const struct host_facts *facts,
					     const char *controllers)
{
	for (size_t i = 0; i < facts->cgroup_count; i++)
		if (!strcmp(facts->cgroups[i].controllers, controllers))
			return &facts->cgroups[i];
	return NULL;
}

static int add_match(struct search *search, const char *controllers, const char *path,
		     bool is_shared)
{
	const struct cgroup_mount *mount = find_mount(search->facts, controllers);
	struct match *match = search->matches;

	while (match < search->matches + search->count &&
	       (match->mount != mount || strcmp(match->path, path) != 0))
		match++;
	if (!mount || match == search->matches + MATCHES_MAX)
		return 0;
	if (match == search->matches + search->count) {
		*match =
			(struct match){ .mount = mount, .path = arena_strdup(search->arena, path) };
		if (!match->path)
			return -ENOMEM;
		search->count++;
	}
	match->is_shared |= is_shared;
	return 0;
}

/* Lines "7:memory:/path" of one process, which may end while we look. */
static int look_at(struct search *search, const char *process)
{
	cleanup_free char *text = NULL;
	char path[64], *position = NULL;
	int r = 0;

	snprintf(path, sizeof(path), "/proc/%.20s/cgroup", process);
	if (fd_read_file(AT_FDCWD, path, PROC_FILE_MAX, &text, NULL) < 0)
		return 0;
	for (char *line = strtok_r(text, "\n", &position); line && r == 0;
	     line = strtok_r(NULL, "\n", &position)) {
		char *controllers = strchr(line, ':');
		char *group = controllers ? strchr(controllers + 1, ':') : NULL;
		ino_t namespace;

		if (!group || !is_named_after(group + 1, search->id))
			continue;
		*group = '\0';
		namespace = mount_namespace(process);
		if (namespace != 0)
			r = add_match(search, controllers + 1, group + 1,
				      namespace == search->own_mount_namespace);
	}
	return r;
}

static int look_at_all(struct search *search)
{
	DIR *proc = opendir("/proc");
	const struct dirent *item;
	int r = 0;

	if (!proc)
		return -errno;
	while (r == 0 && (errno = 0, item = readdir(proc)))
		if (item->d_name[0] >= '1' && item->d_name[0] <= '9')
			r = look_at(search, item->d_name);
	if (r == 0 && errno)
		r = -errno;
	closedir(proc);
	return r;
}

/* Path on the host of a group that /proc names from the root of its hierarchy. NULL: outside the
 * mount. */
static char *host_path(struct arena *arena, const struct cgroup_mount *mount, const char *path)
{
	size_t len = strcmp(mount->mount_root, "/") ? strlen(mount->mount_root) : 0;

	if (strncmp(path, mount->mount_root, len) != 0 || path[len] != '/')
		return NULL;
	return arena_printf(arena, "%s%s", mount->mountpoint, path + len);
}

static bool is_known(const struct cgroup *cgroup, const char *path)
{
	for (size_t i = 0; i < cgroup->count; i++)
		if (!strcmp(cgroup->dirs[i].path, path))
			return true;
	return false;
}

/* Those that the journal does not tell of already. */
static int take_matches(const struct search *search, struct cgroup *ret)
{
	struct cgroup_dir *dirs = arena_array(search->arena, ret->count + search->count + 1, sizeof(*dirs));

	if (!dirs)
		return -ENOMEM;
	if (ret->count)
		memcpy(dirs, ret->dirs, ret->count * sizeof(*dirs));
	ret->dirs = dirs;
	for (size_t i = 0; i < search->count; i++) {
		const struct match *match = &search->matches[i];
		char *path = host_path(search->arena, match->mount, match->path);

		if (!path || match->is_shared || is_known(ret, path))
			continue;
		ret->dirs[ret->count++] = (struct cgroup_dir){
			.controllers = arena_strdup(search->arena, match->mount->controllers),
			.path = path,
			.is_v2 = match->mount->is_v2,
			.is_ours = true,
		};
		if (!ret->dirs[ret->count - 1].controllers)
			return -ENOMEM;
	}
	return 0;
}

/* A group of that name at the top of a hierarchy, where groups are by default, and nobody in it.
 * The kernel refuses to remove one that is in use. */
static void remove_empty_groups(const struct search *search)
{
	for (size_t i = 0; i < search->facts->cgroup_count; i++) {
		const char *path = arena_printf(search->arena, "%s/%s",
						search->facts->cgroups[i].mountpoint, search->id);

		if (path)
			rmdir(path);
	}
}

int orphans_find(const char *id, struct remains *ret, struct err **err)
{
	struct host_facts facts = { 0 };
	struct search search = { .id = id, .facts = &facts, .arena = ret->arena };
	int r = facts_read_user(ret->arena, &facts, err);

	if (r == 0)
		r = facts_read_cgroups(&facts, err);
	if (r < 0)
		return r;
	search.own_mount_namespace = mount_namespace("self");
	r = look_at_all(&search);
	if (r == 0)
		r = take_matches(&search, &ret->cgroup);
	if (r == 0 && ret->cgroup.count == 0)
		remove_empty_groups(&search);
	return r < 0 ? err_sys(err, E_RECORD, -r, "search", "/proc", NULL) : 0;
}

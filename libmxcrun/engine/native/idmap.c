/* idmap.c - write the id maps of a new user namespace, as far as the caller's rights go.
 *
 * Root writes any map. An ordinary user may map his own id alone, once, with setgroups denied
 * (user_namespaces(7)); more ranges go through newuidmap and newgidmap, which check /etc/subuid.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/strbuf.h"
#include "base/sys.h"
#include "engine/native/idmap_text.h"
#include "engine/native/parent.h"

#define MAP_TEXT 1024

static bool is_own_id_alone(const struct plan_idmaps *maps, uint32_t own_id)
{
	return maps->count == 1 && maps->items[0].count == 1 && maps->items[0].outside == own_id;
}

static int write_proc(pid_t pid, const char *file, const char *text, const char *pointer, struct err **err)
{
	char path[64];
	int r;

	(void)snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, file);
	r = fd_write_file(AT_FDCWD, path, text);
	return r < 0 ? err_sys(err, E_IDMAP, -r, "write", path, pointer) : 0;
}

static int write_map(pid_t pid, const char *file, const struct plan_idmaps *maps, const char *pointer,
		     struct err **err)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	idmap_format(maps, &text);
	if (text.failed)
		return err_nomem(err);
	return write_proc(pid, file, strbuf_str(&text), pointer, err);
}

/* newuidmap PID INSIDE OUTSIDE COUNT ... */
static int run_helper(const char *helper, pid_t pid, const struct plan_idmaps *maps, const char *pointer,
		      struct err **err)
{
	cleanup_arena struct arena *arena = arena_new();
	char **argv = arena ? arena_array(arena, maps->count * 3 + 3, sizeof(*argv)) : NULL;
	char *const envp[] = { NULL };
	posix_spawn_file_actions_t actions;
	size_t n = 0;
	pid_t child;
	int status = 0, r;

	if (!argv)
		return err_nomem(err);
	argv[n++] = arena_strdup(arena, helper);
	argv[n++] = arena_printf(arena, "%d", (int)pid);
	for (size_t i = 0; i < maps->count; i++) {
		argv[n++] = arena_printf(arena, "%u", maps->items[i].inside);
		argv[n++] = arena_printf(arena, "%u", maps->items[i].outside);
		argv[n++] = arena_printf(arena, "%u", maps->items[i].count);
	}
	for (size_t i = 0; i < n; i++)
		if (!argv[i])
			return err_nomem(err);
	/* its own words would be a second line beside our error */
	posix_spawn_file_actions_init(&actions);
	r = posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
	if (r == 0)
		r = posix_spawn(&child, helper, &actions, NULL, argv, envp);
	posix_spawn_file_actions_destroy(&actions);
	if (r)
		return err_sys(err, E_IDMAP, r, "posix_spawn", helper, pointer);
	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return err_sys(err, E_IDMAP, errno, "waitpid", helper, pointer);
	if (status == 0)
		return 0;
	r = err_set(err, E_IDMAP, EPERM, pointer, "%s refused the map", helper);
	err_hint(err, "the ranges must be this user's own in /etc/subuid and /etc/subgid");
	return r;
}

static int write_one(const struct host_facts *facts, pid_t pid, bool is_uid, const struct plan_idmaps *maps,
		     const char *pointer, struct err **err)
{
	const char *helper = is_uid ? facts->newuidmap : facts->newgidmap;
	uint32_t own_id = is_uid ? facts->euid : facts->egid;
	int r;

	if (facts->euid == 0 || is_own_id_alone(maps, own_id))
		return write_map(pid, is_uid ? "uid_map" : "gid_map", maps, pointer, err);
	if (helper)
		return run_helper(helper, pid, maps, pointer, err);
	r = err_set(err, E_IDMAP, EPERM, pointer, "an ordinary user may map only his own id %u", own_id);
	err_hint(err, "install newuidmap and newgidmap (package uidmap) and give the user ranges in /etc/subuid and "
		 "/etc/subgid");
	return r;
}

int idmap_write_mount(const struct plan_mount *mount, const struct host_facts *facts, pid_t pid, struct err **err)
{
	int r = write_one(facts, pid, true, &mount->maps->uids, mount->pointer, err);

	return r < 0 ? r : write_one(facts, pid, false, &mount->maps->gids, mount->pointer, err);
}

/* Without privilege the kernel takes a gid map only after setgroups is denied (CVE-2014-8989);
 * newgidmap does without. */
bool idmap_denies_setgroups(const struct plan *plan, const struct host_facts *facts)
{
	return plan->deny_setgroups || (facts->euid != 0 && is_own_id_alone(&plan->gid_maps, facts->egid));
}

/* The ids of the maps' insides, each as itself. */
static int format_same(const struct plan_idmaps *maps, char *text, size_t size)
{
	size_t len = 0;

	for (size_t i = 0; i < maps->count && len < size; i++)
		len += (size_t)snprintf(text + len, size - len, "%u %u %u\n", maps->items[i].inside, maps->items[i].inside,
					maps->items[i].count);
	return len < size ? 0 : -E2BIG;
}

/* In a process of its own: 0, or an errno. */
static int write_as_member(int userns_fd, int dir_fd, const char *uids, const char *gids)
{
	int r = sys_setns(userns_fd, CLONE_NEWUSER) < 0 ? -errno : 0;

	if (r == 0)
		r = fd_write_file(dir_fd, "uid_map", uids);
	if (r == 0)
		r = fd_write_file(dir_fd, "gid_map", gids);
	return -r;
}

int idmap_write_below(const struct plan *plan, pid_t pid, struct err **err)
{
	char uids[MAP_TEXT], gids[MAP_TEXT];
	cleanup_close int dir_fd = -1, own_fd = -1, above_fd = -1;
	char path[64];
	int status = 0;
	pid_t writer;

	if (format_same(&plan->uid_maps, uids, sizeof(uids)) < 0 || format_same(&plan->gid_maps, gids, sizeof(gids)) < 0)
		return err_sys(err, E_IDMAP, E2BIG, "write", "uid_map", NULL);
	(void)snprintf(path, sizeof(path), "/proc/%d", (int)pid);
	dir_fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	own_fd = openat(dir_fd, "ns/user", O_RDONLY | O_CLOEXEC);
	above_fd = own_fd < 0 ? -1 : ioctl(own_fd, NS_GET_PARENT);
	if (above_fd < 0)
		return err_sys(err, E_IDMAP, errno, "open", "user namespace of the image's layers", NULL);
	writer = fork();
	if (writer == 0)
		_exit(write_as_member(above_fd, dir_fd, uids, gids));
	if (writer < 0)
		return err_sys(err, E_IDMAP, errno, "fork", "id maps", NULL);
	while (waitpid(writer, &status, 0) < 0)
		if (errno != EINTR)
			return err_sys(err, E_IDMAP, errno, "waitpid", "id maps", NULL);
	return status ? err_sys(err, E_IDMAP, WEXITSTATUS(status), "write", "uid_map", NULL) : 0;
}

int idmap_write(const struct plan *plan, const struct host_facts *facts, pid_t pid, struct err **err)
{
	int r = write_one(facts, pid, true, &plan->uid_maps, "/linux/uidMappings", err);

	if (r == 0 && idmap_denies_setgroups(plan, facts))
		r = write_proc(pid, "setgroups", "deny", "/linux/gidMappings", err);
	return r < 0 ? r : write_one(facts, pid, false, &plan->gid_maps, "/linux/gidMappings", err);
}

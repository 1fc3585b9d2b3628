/* facts.c - who we are and which security modules watch: the facts that every command needs.
 *
 * facts_read_user() is on the path to exec. Fifty short system calls answer what /proc/self/status would, in half the time that
 * opening and reading it takes; whether we are in the machine's own user namespace costs one stat.
 */
#include "host/facts.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/sys.h"

#define UID_MAP_SIZE_MAX 65536u
#define ROUTES_SIZE_MAX (16u << 20)
#define USERNS_INITIAL_INODE 0xeffffffd /* PROC_USER_INIT_INO of linux/proc_ns.h */

/* ---- ids and capabilities ---- */

static int read_groups(struct host_facts *facts, struct err **err)
{
	int count = getgroups(0, NULL);
	gid_t *groups;

	if (count < 0)
		return err_sys(err, E_HOST, errno, "getgroups", NULL, NULL);
	groups = arena_array(facts->arena, (size_t)count + 1, sizeof(*groups));
	if (!groups)
		return err_nomem(err);
	count = getgroups(count, groups);
	if (count < 0)
		return err_sys(err, E_HOST, errno, "getgroups", NULL, NULL);
	facts->groups = groups;
	facts->group_count = (size_t)count;
	return 0;
}

static int read_capabilities(struct host_facts *facts, struct err **err)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { 0 };
	int bit = 0;

	if (sys_capget(&header, data) < 0)
		return err_sys(err, E_HOST, errno, "capget", NULL, NULL);
	facts->capabilities = (uint64_t)data[1].permitted << 32 | data[0].permitted;
	/* it refuses what the kernel doesn't know */
	for (unsigned int cap = 0; cap < 64 && (bit = prctl(PR_CAPBSET_READ, cap, 0, 0, 0)) >= 0; cap++) {
		facts->bounding |= (uint64_t)bit << cap;
		facts->cap_last = cap;
	}
	return bit < 0 && errno != EINVAL ? err_sys(err, E_HOST, errno, "prctl", "PR_CAPBSET_READ", NULL) : 0;
}

/* ---- user namespace ---- */

bool facts_in_initial_user_namespace(void)
{
	struct stat st;

	return stat("/proc/self/ns/user", &st) == 0 && st.st_ino == USERNS_INITIAL_INODE;
}

/* Does the user namespace, though not the machine's own, map every id to itself? Then nothing that
 * this library decides by ids differs. */
static int read_full_identity(bool *ret)
{
	cleanup_free char *text = NULL;
	unsigned int inside, outside, count;
	int r = fd_read_file(AT_FDCWD, "/proc/self/uid_map", UID_MAP_SIZE_MAX, &text, NULL);

	if (r == -ENOENT && access("/proc/self/status", F_OK) == 0) { /* a kernel without user namespaces */
		*ret = true;
		return 0;
	}
	if (r < 0)
		return r;
	*ret = sscanf(text, "%u %u %u", &inside, &outside, &count) == 3 && inside == 0 &&
	       outside == 0 && count == UINT32_MAX;
	return 0;
}

/* ---- the rest ---- */

/* NULL when the directory is gone or out of reach: only who needs it may complain. */
static const char *read_cwd(struct arena *arena)
{
	char buf[PATH_MAX];

	return getcwd(buf, sizeof(buf)) && buf[0] == '/' ? arena_strdup(arena, buf) : NULL;
}

int facts_read_user(struct arena *arena, struct host_facts *facts, struct err **err)
{
	bool is_identity = true;
	int r;

	facts->arena = arena;
	facts->uid = getuid();
	facts->euid = geteuid();
	facts->gid = getgid();
	facts->egid = getegid();
	r = read_groups(facts, err);
	if (r == 0)
		r = read_capabilities(facts, err);
	if (r < 0)
		return r;
	if (!facts_in_initial_user_namespace())
		r = read_full_identity(&is_identity);
	if (r < 0) {
		err_sys(err, E_HOST, -r, "read", "/proc/self/uid_map", NULL);
		err_hint(err, "a proc file system must be mounted on /proc");
		return r;
	}
	facts->in_user_namespace = !is_identity;
	facts->is_privileged = facts->euid == 0 && is_identity;
	facts->cwd = read_cwd(arena);
	return 0;
}

int facts_read_kernel(struct host_facts *facts, struct err **err)
{
	cleanup_free char *limit = NULL;
	struct utsname name;
	int r;

	if (uname(&name) < 0)
		return err_sys(err, E_HOST, errno, "uname", NULL, NULL);
	if (sscanf(name.release, "%u.%u", &facts->kernel_major, &facts->kernel_minor) != 2)
		return err_set(err, E_HOST, 0, NULL, "the kernel's release \"%.64s\" is no version", name.release);
	r = fd_read_file(AT_FDCWD, "/proc/sys/user/max_user_namespaces", 64, &limit, NULL);
	facts->has_user_namespaces = r == 0 && strtoul(limit, NULL, 10) > 0;
	return 0;
}

/* In version 1 (Linux 5.13 to 5.18) a domain forbids renames and links from one directory to another. */
void facts_read_landlock(struct host_facts *facts)
{
	int abi = sys_landlock_abi();

	facts->landlock_abi = abi > 1 ? (unsigned int)abi : 0;
}

/* pasta copies from the interface of the default route, and won't start where there is none: slirp4netns will. */
static bool has_default_route(void)
{
	cleanup_free char *routes = NULL;
	const char *line;

	if (fd_read_file(AT_FDCWD, "/proc/net/route", ROUTES_SIZE_MAX, &routes, NULL) < 0)
		return false;
	for (line = strchr(routes, '\n'); line; line = strchr(line + 1, '\n')) {
		char destination[16], mask[16];

		if (sscanf(line + 1, "%*s %15s %*s %*s %*s %*s %*s %15s", destination, mask) == 2 &&
		    !strcmp(destination, "00000000") && !strcmp(mask, "00000000"))
			return true;
	}
	return false;
}

/* Never by PATH: it is started with the caller's rights. */
static void find_helper(struct host_facts *facts)
{
	static const struct { const char *path; enum network_helper_kind kind; } places[] = {
		{ "/usr/bin/pasta", HELPER_PASTA },	       { "/usr/local/bin/pasta", HELPER_PASTA },
		{ "/bin/pasta", HELPER_PASTA },		       { "/usr/bin/slirp4netns", HELPER_SLIRP },
		{ "/usr/local/bin/slirp4netns", HELPER_SLIRP }, { "/bin/slirp4netns", HELPER_SLIRP },
	};
	bool can_use_pasta = has_default_route();

	for (size_t i = 0; i < array_size(places) && !facts->network_helper; i++)
		if ((places[i].kind != HELPER_PASTA || can_use_pasta) && access(places[i].path, X_OK) == 0) {
			facts->network_helper = places[i].path;
			facts->network_helper_kind = places[i].kind;
		}
}

int facts_read_network(struct arena *arena, struct host_facts *facts, struct err **err)
{
	char path[PATH_MAX];

	find_helper(facts);
	if (!realpath("/etc/resolv.conf", path))
		return 0;
	facts->resolv_conf = arena_strdup(arena, path);
	return facts->resolv_conf ? 0 : err_nomem(err);
}

/* facts.c - who we are and which security modules watch: the facts that every command needs.
 *
 * facts_read_user() is on the path to exec. /proc/self/status answers with one open what
 * getresuid(2), getresgid(2), getgroups(2), capget(2) and some forty prctl(2)s would; whether we
 * are in the machine's own user namespace costs one stat.
 */
#include "host/facts.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
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

#define STATUS_SIZE_MAX (1u << 20) /* 65536 groups of ten digits */
#define UID_MAP_SIZE_MAX 65536u
#define ROUTES_SIZE_MAX (16u << 20)
#define USERNS_INITIAL_INODE 0xeffffffd /* PROC_USER_INIT_INO of linux/proc_ns.h */

/* ---- /proc/self/status ---- */

/* What follows "name:\t" at the start of a line. */
static const char *find_line(const char *status, const char *name)
{
	size_t len = strlen(name);
	const char *line = status;

	while (line) {
		if (strncmp(line, name, len) == 0 && line[len] == ':' && line[len + 1] == '\t')
			return line + len + 2;
		line = strchr(line, '\n');
		if (line)
			line++;
	}
	return NULL;
}

static bool take_id(const char **p, uint32_t *ret)
{
	unsigned long n;
	char *end;

	*p += strspn(*p, " \t");
	if (**p < '0' || **p > '9')
		return false;
	errno = 0;
	n = strtoul(*p, &end, 10);
	if (errno || n > UINT32_MAX)
		return false;
	*ret = (uint32_t)n;
	*p = end;
	return true;
}

/* "Uid:	real	effective	saved	file system" */
static bool parse_ids(const char *status, const char *name, uint32_t *ret_real,
		      uint32_t *ret_effective)
{
	const char *p = find_line(status, name);

	return p && take_id(&p, ret_real) && take_id(&p, ret_effective);
}

static bool parse_mask(const char *status, const char *name, uint64_t *ret)
{
	const char *p = find_line(status, name);

	return p && sscanf(p, "%16" SCNx64, ret) == 1;
}

static int parse_groups(struct host_facts *facts, const char *status)
{
	const char *start = find_line(status, "Groups"), *p = start;
	uint32_t *groups, id;
	size_t count = 0, i;

	if (!start)
		return -EBADMSG;
	while (take_id(&p, &id))
		count++;
	groups = arena_array(facts->arena, count + 1, sizeof(*groups));
	if (!groups)
		return -ENOMEM;
	for (i = 0, p = start; i < count; i++)
		take_id(&p, &groups[i]);
	facts->groups = groups;
	facts->group_count = count;
	return 0;
}

static int parse_status(struct host_facts *facts, const char *status)
{
	if (!parse_ids(status, "Uid", &facts->uid, &facts->euid) ||
	    !parse_ids(status, "Gid", &facts->gid, &facts->egid) ||
	    !parse_mask(status, "CapPrm", &facts->capabilities) ||
	    !parse_mask(status, "CapBnd", &facts->bounding) ||
	    !parse_mask(status, "SigIgn", &facts->ignored_signals))
		return -EBADMSG;
	return parse_groups(facts, status);
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

	if (r == -ENOENT) { /* a kernel without user namespaces */
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

/* The bounding set begins full, so its highest bit is where to look first: mostly one call is
 * enough. */
static unsigned int find_last_capability(uint64_t bounding)
{
	unsigned int last = bounding ? 63u - (unsigned int)__builtin_clzll(bounding) : 0;

	while (last < 63 && prctl(PR_CAPBSET_READ, last + 1, 0, 0, 0) >= 0)
		last++;
	return last;
}

/* NULL when the directory is gone or out of reach: only who needs it may complain. */
static const char *read_cwd(struct arena *arena)
{
	char buf[PATH_MAX];

	return getcwd(buf, sizeof(buf)) && buf[0] == '/' ? arena_strdup(arena, buf) : NULL;
}

int facts_read_user(struct arena *arena, struct host_facts *facts, struct err **err)
{
	cleanup_free char *status = NULL;
	bool is_identity = true;
	int r;

	facts->arena = arena;
	r = fd_read_file(AT_FDCWD, "/proc/self/status", STATUS_SIZE_MAX, &status, NULL);
	if (r == 0)
		r = parse_status(facts, status);
	if (r == 0 && !facts_in_initial_user_namespace())
		r = read_full_identity(&is_identity);
	if (r < 0) {
		err_sys(err, E_HOST, -r, "read", "/proc/self/status", NULL);
		err_hint(err, "a proc file system must be mounted on /proc");
		return r;
	}
	facts->in_user_namespace = !is_identity;
	facts->is_privileged = facts->euid == 0 && is_identity;
	facts->cap_last = find_last_capability(facts->bounding);
	facts->cwd = read_cwd(arena);
	return 0;
}

static bool allows_user_namespaces(void)
{
	cleanup_free char *limit = NULL;

	return fd_read_file(AT_FDCWD, "/proc/sys/user/max_user_namespaces", 64, &limit, NULL) == 0 && strtoul(limit, NULL, 10) > 0;
}

int facts_read_kernel(struct host_facts *facts, struct err **err)
{
	struct utsname name;

	if (uname(&name) < 0)
		return err_sys(err, E_HOST, errno, "uname", "the kernel's name", NULL);
	if (sscanf(name.release, "%u.%u", &facts->kernel_major, &facts->kernel_minor) != 2)
		return err_set(err, E_HOST, 0, NULL, "the kernel's release \"%.64s\" is no version", name.release);
	facts->has_user_namespaces = allows_user_namespaces();
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

/* subids.c - the subordinate ids of the calling user, subuid(5), and the tools that map them.
 *
 * The files are read directly: name services would pull shared libraries of the host into a static
 * program. A wrong guess does no harm, since newuidmap and newgidmap look for themselves.
 */
#include "host/facts.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"

#define FILE_SIZE_MAX (16u << 20)
#define SYSTEM_PATH "/usr/bin:/usr/local/bin:/bin:/usr/sbin"

/* Cut the next field off at a ':'; NULL when there is none left. */
static char *take_field(char **rest)
{
	char *field = *rest, *colon;

	if (!field)
		return NULL;
	colon = strchr(field, ':');
	if (colon)
		*colon++ = '\0';
	*rest = colon;
	return field;
}

static bool parse_u32(const char *text, uint32_t *ret)
{
	unsigned long long n;
	char *end;

	if (!text || *text < '0' || *text > '9')
		return false;
	errno = 0;
	n = strtoull(text, &end, 10);
	if (errno || *end || n > UINT32_MAX)
		return false;
	*ret = (uint32_t)n;
	return true;
}

/* The user's name from passwd(5), or, for a user of some directory service, from the environment.
 */
static int read_user_name(uid_t uid, char **ret)
{
	cleanup_free char *text = NULL;
	char *line, *rest, *name;
	const char *from_environment;
	int r = fd_read_file(AT_FDCWD, "/etc/passwd", FILE_SIZE_MAX, &text, NULL);

	if (r < 0 && r != -ENOENT)
		return r;
	*ret = NULL;
	for (rest = text; !*ret && (line = strsep(&rest, "\n"));) {
		uint32_t id;

		name = take_field(&line);
		take_field(&line);
		if (parse_u32(take_field(&line), &id) && id == uid && *name) {
			*ret = strdup(name);
			return *ret ? 0 : -ENOMEM;
		}
	}
	from_environment = getenv("LOGNAME");
	if (from_environment && !(*ret = strdup(from_environment)))
		return -ENOMEM;
	return 0;
}

/* The largest range of the user: more than one is rare, and a container needs ids in one piece. */
static int read_range(const char *file, uid_t uid, const char *user, struct id_range *ret)
{
	cleanup_free char *text = NULL;
	char *line, *rest;
	int r = fd_read_file(AT_FDCWD, file, FILE_SIZE_MAX, &text, NULL);

	*ret = (struct id_range){ 0 };
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	for (rest = text; (line = strsep(&rest, "\n"));) {
		const char *owner = take_field(&line);
		struct id_range range;
		uint32_t id;

		if (!parse_u32(take_field(&line), &range.first) ||
		    !parse_u32(take_field(&line), &range.count))
			continue;
		if (range.first > UINT32_MAX - range.count)
			continue;
		if ((user && strcmp(owner, user) == 0) || (parse_u32(owner, &id) && id == uid))
			if (range.count > ret->count)
				*ret = range;
	}
	return 0;
}

static const char *find_in_path(struct arena *arena, const char *path, const char *name)
{
	while (*path) {
		size_t len = strcspn(path, ":");

		if (*path == '/') {
			const char *candidate =
				arena_printf(arena, "%.*s/%s", (int)len, path, name);

			if (candidate && access(candidate, X_OK) == 0)
				return candidate;
		}
		path += len;
		path += *path == ':';
	}
	return NULL;
}

/* The absolute path of a program, NULL when it isn't there. The system's own places come first: a
 * copy elsewhere lacks the file capabilities that make it work. */
static const char *find_program(struct arena *arena, const char *name)
{
	const char *found = find_in_path(arena, SYSTEM_PATH, name), *path = getenv("PATH");

	return found || !path ? found : find_in_path(arena, path, name);
}

int facts_read_subids(struct host_facts *facts, struct err **err)
{
	cleanup_free char *user = NULL;
	const char *what = "/etc/passwd";
	int r = read_user_name(facts->uid, &user);

	if (r == 0) {
		what = "/etc/subuid";
		r = read_range(what, facts->uid, user, &facts->subuid);
	}
	if (r == 0) {
		what = "/etc/subgid";
		r = read_range(what, facts->uid, user, &facts->subgid);
	}
	if (r < 0)
		return err_sys(err, E_HOST, -r, "read", what, NULL);
	facts->newuidmap = find_program(facts->arena, "newuidmap");
	facts->newgidmap = find_program(facts->arena, "newgidmap");
	facts->has_newuidmap = facts->newuidmap && facts->newgidmap;
	return 0;
}

/* proxy_url.c - see proxy_url.h.
 *
 * Credentials are looked for as leniently as any client may read the URL, so that none is missed
 * (MXC.md 7.9.1): blanks, tabs and newlines dropped, backslashes as slashes, slashes behind the
 * scheme optional.
 */
#include "config/proxy_url.h"

#include <errno.h>
#include <string.h>

/* Without what every client drops. */
static char *trim(struct arena *arena, const char *text)
{
	char *copy = arena_strdup(arena, text), *from, *to;
	size_t len;

	if (!copy)
		return NULL;
	from = copy + strspn(copy, " \t\r\n\v\f");
	for (to = copy; *from; from++)
		if (!strchr("\t\r\n", *from))
			*to++ = *from;
	*to = '\0';
	for (len = strlen(copy); len && copy[len - 1] == ' '; len--)
		copy[len - 1] = '\0';
	return copy;
}

/* As a sloppy client reads it. */
static char *normalise(struct arena *arena, const char *text)
{
	char *copy = arena_strdup(arena, text);

	for (char *c = copy; c && *c; c++)
		if (*c == '\\')
			*c = '/';
	return copy;
}

/* What is behind the last "@"; a user part of nothing ("@", ":@") is no credential. */
static char *skip_user(char *authority, struct proxy_url *ret)
{
	char *at = strrchr(authority, '@');

	if (!at)
		return authority;
	*at = '\0';
	ret->has_credentials = authority[strspn(authority, ":")] != '\0';
	return at + 1;
}

int proxy_url_split(struct arena *arena, const char *text, struct proxy_url *ret)
{
	const char *trimmed = trim(arena, text);
	char *copy = trimmed ? normalise(arena, trimmed) : NULL, *authority, *end;

	*ret = (struct proxy_url){ .trimmed = trimmed, .scheme = copy };
	if (!copy)
		return -ENOMEM;
	authority = strchr(copy, ':');
	if (!authority)
		return -EINVAL;
	*authority++ = '\0';
	authority += strspn(authority, "/");
	authority[strcspn(authority, "/?#")] = '\0';
	authority = skip_user(authority, ret);
	ret->host = authority;
	end = authority[0] == '[' ? strchr(authority, ']') : NULL;
	if (authority[0] == '[' && !end)
		return -EINVAL;
	end = end ? end + 1 : authority + strcspn(authority, ":");
	if (*end && *end != ':')
		return -EINVAL;
	if (*end)
		ret->port = end + 1;
	*end = '\0';
	return *ret->host ? 0 : -EINVAL;
}

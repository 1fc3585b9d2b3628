/* schemata.c - is what a class of resctrl has what somebody wants it to have? Text only. */
#include "cgroup/backend.h"

#include <stdlib.h>
#include <string.h>

/* The value of "DOMAIN=" in the line of a resource, up to the line's end; NULL when it isn't there. */
static const char *find_value(const char *line, const char *domain, size_t domain_len)
{
	const char *at = line + strcspn(line, ":\n");

	while (*at && *at != '\n') {
		at++;
		if (!strncmp(at, domain, domain_len) && at[domain_len] == '=')
			return at + domain_len + 1;
		at += strcspn(at, ";\n");
	}
	return NULL;
}

/* The line of a resource; in the file they are indented. */
static const char *find_line(const char *text, const char *resource, size_t len)
{
	while (*text) {
		text += strspn(text, " ");
		if (!strncmp(text, resource, len) && text[len] == ':')
			return text;
		text += strcspn(text, "\n");
		text += *text == '\n';
	}
	return NULL;
}

static bool has_end(const char *end)
{
	return *end == ';' || *end == '\n' || !*end;
}

static bool same_value(const char *a, const char *b)
{
	char *a_end, *b_end;

	return strtoull(a, &a_end, 16) == strtoull(b, &b_end, 16) && a_end != a && b_end != b && has_end(a_end) &&
	       has_end(b_end);
}

static bool line_matches(const char *text, const char *wanted)
{
	size_t len = strcspn(wanted, ":\n");
	const char *line = find_line(text, wanted, len), *at = wanted + len;

	while (line && *at && *at != '\n') {
		const char *domain = ++at, *value;
		size_t domain_len = strcspn(domain, "=;\n");

		value = find_value(line, domain, domain_len);
		if (domain[domain_len] != '=' || !value || !same_value(value, domain + domain_len + 1))
			return false;
		at += strcspn(at, ";\n");
	}
	return line;
}

bool schemata_match(const char *text, const char *wanted, const char **ret)
{
	while (*wanted) {
		if (!line_matches(text, wanted)) {
			*ret = wanted;
			return false;
		}
		wanted += strcspn(wanted, "\n");
		wanted += *wanted == '\n';
	}
	return true;
}

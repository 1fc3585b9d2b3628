/* mountinfo.c - cut lines of mountinfo into fields:
 *
 *     36 35 98:0 /root /mount\040point rw,noatime shared:1 master:2 - ext3 /dev/root
 * rw,errors=continue
 *
 * Between the mount's options and the "-" there are as many optional fields as the kernel likes.
 */
#include "host/mountinfo.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* The next blank-separated field, or NULL at the end of the line. An empty source makes two blanks
 * in a row, so a blank ends exactly one field. */
static char *take_field(char **rest)
{
	char *field = *rest, *blank;

	if (!field)
		return NULL;
	blank = strchr(field, ' ');
	if (blank)
		*blank = '\0';
	*rest = blank ? blank + 1 : NULL;
	return field;
}

static bool take_number(char **p, char end, unsigned int *ret)
{
	const char *start = *p;
	unsigned int n = 0;

	for (; **p >= '0' && **p <= '9'; (*p)++) {
		unsigned int digit = (unsigned int)(**p - '0');

		if (n > (UINT_MAX - digit) / 10)
			return false;
		n = n * 10 + digit;
	}
	if (*p == start || **p != end)
		return false;
	if (end)
		(*p)++;
	*ret = n;
	return true;
}

static bool parse_id(char *field, int *ret)
{
	unsigned int n;

	if (!field || !take_number(&field, '\0', &n) || n > INT_MAX)
		return false;
	*ret = (int)n;
	return true;
}

static bool parse_device(char *field, struct mountinfo *mount)
{
	return field && take_number(&field, ':', &mount->major) &&
	       take_number(&field, '\0', &mount->minor);
}

static bool is_octal(char c)
{
	return c >= '0' && c <= '7';
}

/* The kernel writes blank, tab, newline, "\" and "#" as a backslash and three octal digits. */
static char *unescape(char *field)
{
	char *from = strchr(field ? field : "", '\\'), *to = from;

	if (!field || !from)
		return field;
	while (*from) {
		if (from[0] == '\\' && from[1] >= '0' && from[1] <= '3' && is_octal(from[2]) &&
		    is_octal(from[3])) {
			*to++ = (char)((from[1] - '0') << 6 | (from[2] - '0') << 3 |
				       (from[3] - '0'));
			from += 4;
		} else {
			*to++ = *from++;
		}
	}
	*to = '\0';
	return field;
}

/* The optional fields as one string, and what follows the "-". */
static bool take_optional(char **rest, const char **ret)
{
	char *dash;

	if (!*rest)
		return false;
	if (strncmp(*rest, "- ", 2) == 0) {
		*ret = "";
		*rest += 2;
		return true;
	}
	dash = strstr(*rest, " - ");
	if (!dash)
		return false;
	*dash = '\0';
	*ret = *rest;
	*rest = dash + 3;
	return true;
}

static bool parse_line(char *line, struct mountinfo *ret)
{
	struct mountinfo mount = { 0 };
	char *rest = line;

	if (!parse_id(take_field(&rest), &mount.id) ||
	    !parse_id(take_field(&rest), &mount.parent_id) ||
	    !parse_device(take_field(&rest), &mount))
		return false;
	mount.root = unescape(take_field(&rest));
	mount.mountpoint = unescape(take_field(&rest));
	mount.options = take_field(&rest);
	if (!mount.options || !take_optional(&rest, &mount.optional))
		return false;
	mount.fstype = unescape(take_field(&rest));
	mount.source = unescape(take_field(&rest));
	mount.super_options = unescape(take_field(&rest));
	if (!mount.super_options || mount.mountpoint[0] != '/')
		return false;
	*ret = mount;
	return true;
}

int mountinfo_parse(char *text, mountinfo_fn fn, void *data)
{
	char *line = text, *end;

	for (; *line; line = end) {
		struct mountinfo mount;
		int r;

		end = strchr(line, '\n');
		if (!end)
			return -EBADMSG; /* cut short */
		*end++ = '\0';
		if (!parse_line(line, &mount))
			return -EBADMSG;
		r = fn(&mount, data);
		if (r)
			return r;
	}
	return 0;
}

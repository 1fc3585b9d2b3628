/* devices_v1.c - device rules for v1's controller, which keeps a default and a list of exceptions.
 *
 * It takes an exception back only when asked with exactly its type and numbers. A rule that denies
 * a part of what an earlier one allows would be accepted and do nothing; such sets are told apart
 * here, so that the caller uses the other filter or refuses.
 */
#include "cgroup/devices.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"

#define POINTER "/linux/resources/devices"

static bool is_everything(const struct plan_device_rule *rule)
{
	return rule->type == 'a' && rule->major < 0 && rule->minor < 0 && rule->read &&
	       rule->write && rule->mknod;
}

static bool numbers_meet(int64_t a, int64_t b)
{
	return a < 0 || b < 0 || a == b;
}

/* Is there a device and a kind of access that both rules speak of? */
static bool rules_meet(const struct plan_device_rule *a, const struct plan_device_rule *b)
{
	return (a->type == 'a' || b->type == 'a' || a->type == b->type) &&
	       numbers_meet(a->major, b->major) && numbers_meet(a->minor, b->minor) &&
	       ((a->read && b->read) || (a->write && b->write) || (a->mknod && b->mknod));
}

static bool is_same_set(const struct plan_device_rule *a, const struct plan_device_rule *b)
{
	return a->type == b->type && a->major == b->major && a->minor == b->minor;
}

bool devices_fit_v1(const struct plan_device_rule *rules, size_t count)
{
	bool default_allow = false;
	size_t first = 0, i, j; /* rules before the first are wiped out by a rule for everything */

	for (i = 0; i < count; i++) {
		if (is_everything(&rules[i])) {
			default_allow = rules[i].allow;
			first = i + 1;
			continue;
		}
		if (rules[i].allow != default_allow)
			continue;
		for (j = first; j < i; j++)
			if (rules[j].allow != default_allow && rules_meet(&rules[i], &rules[j]) &&
			    !is_same_set(&rules[i], &rules[j]))
				return false;
	}
	return true;
}

static void format_number(char text[24], int64_t number)
{
	if (number < 0)
		snprintf(text, 24, "*");
	else
		snprintf(text, 24, "%lld", (long long)number);
}

static int write_rule(int fd, const struct plan_device_rule *rule, char type)
{
	char major[24], minor[24], text[64];
	int len;

	format_number(major, rule->major);
	format_number(minor, rule->minor);
	len = snprintf(text, sizeof(text), "%c %s:%s %s%s%s", type, major, minor,
		       rule->read ? "r" : "", rule->write ? "w" : "", rule->mknod ? "m" : "");
	return write(fd, text, (size_t)len) == len ? 0 : -errno;
}

/* The controller takes "a" for everything, whatever follows it, so any other rule of that type
 * becomes two. */
static int put_rule(int fd, const struct plan_device_rule *rule)
{
	int r;

	if (is_everything(rule))
		return write(fd, "a", 1) == 1 ? 0 : -errno;
	if (!rule->read && !rule->write && !rule->mknod)
		return 0;
	if (rule->type != 'a')
		return write_rule(fd, rule, rule->type);
	r = write_rule(fd, rule, 'b');
	return r < 0 ? r : write_rule(fd, rule, 'c');
}

int devices_apply_v1(int dir_fd, const struct plan_cgroup *cgroup, struct err **err)
{
	cleanup_close int allow_fd = openat(dir_fd, "devices.allow", O_WRONLY | O_CLOEXEC);
	cleanup_close int deny_fd = openat(dir_fd, "devices.deny", O_WRONLY | O_CLOEXEC);
	static const struct plan_device_rule nothing = {
		.type = 'a', .major = -1, .minor = -1, .read = true, .write = true, .mknod = true
	};
	size_t i;
	int r;

	if (allow_fd < 0 || deny_fd < 0)
		return err_sys(err, E_CGROUP, errno, "open", "devices.allow and devices.deny",
			       POINTER);
	/* Where the plan begins so itself, as most do, once is enough. */
	if (cgroup->device_rule_count == 0 || !is_everything(&cgroup->device_rules[0])) {
		r = put_rule(deny_fd, &nothing);
		if (r < 0)
			return err_sys(err, E_CGROUP, -r, "write", "devices.deny", POINTER);
	}
	for (i = 0; i < cgroup->device_rule_count; i++) {
		const struct plan_device_rule *rule = &cgroup->device_rules[i];

		r = put_rule(rule->allow ? allow_fd : deny_fd, rule);
		if (r < 0)
			return err_set(err, E_CGROUP, -r, POINTER,
				       "device rule %zu (%s %c %lld:%lld): the kernel refused it",
				       i, rule->allow ? "allow" : "deny", rule->type,
				       (long long)rule->major, (long long)rule->minor);
	}
	return 0;
}

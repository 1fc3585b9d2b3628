/* test_mountinfo.c - lines of mountinfo: fields, escapes, optional fields, and what is no line. */
#include "unit.h"

#include <errno.h>

#include "host/mountinfo.h"

struct seen {
	struct mountinfo mounts[8];
	size_t count, stop_after;
};

static int take(const struct mountinfo *mount, void *data)
{
	struct seen *seen = data;

	assert_true(seen->count < 8);
	seen->mounts[seen->count++] = *mount;
	return seen->stop_after && seen->count == seen->stop_after ? 7 : 0;
}

static int parse(char *text, struct seen *seen)
{
	memset(seen, 0, sizeof(*seen));
	return mountinfo_parse(text, take, seen);
}

static void test_fields(void **state)
{
	char text[] =
		"36 35 98:0 /mnt1 /mnt2 rw,noatime shared:7 master:1 - ext3 /dev/root rw,errors=continue\n"
		"40 30 0:37 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n";
	struct seen seen;

	(void)state;
	assert_int_equal(parse(text, &seen), 0);
	assert_int_equal(seen.count, 2);
	assert_int_equal(seen.mounts[0].id, 36);
	assert_int_equal(seen.mounts[0].parent_id, 35);
	assert_int_equal(seen.mounts[0].major, 98);
	assert_int_equal(seen.mounts[0].minor, 0);
	assert_string_equal(seen.mounts[0].root, "/mnt1");
	assert_string_equal(seen.mounts[0].mountpoint, "/mnt2");
	assert_string_equal(seen.mounts[0].options, "rw,noatime");
	assert_string_equal(seen.mounts[0].optional, "shared:7 master:1");
	assert_string_equal(seen.mounts[0].fstype, "ext3");
	assert_string_equal(seen.mounts[0].source, "/dev/root");
	assert_string_equal(seen.mounts[0].super_options, "rw,errors=continue");
	assert_string_equal(seen.mounts[1].optional, "");
	assert_string_equal(seen.mounts[1].fstype, "cgroup2");
}

static void test_escapes(void **state)
{
	char text[] =
		"1 0 8:1 /a\\040b /tab\\011nl\\012back\\134\\043\\9x rw - fuse.x what\\040ever rw\n";
	struct seen seen;

	(void)state;
	assert_int_equal(parse(text, &seen), 0);
	assert_string_equal(seen.mounts[0].root, "/a b");
	assert_string_equal(seen.mounts[0].mountpoint, "/tab\tnl\nback\\#\\9x");
	assert_string_equal(seen.mounts[0].source, "what ever");
}

static void test_empty_source(void **state)
{
	char text[] = "1 0 0:1 / /x rw - tmpfs  rw,size=1k\n";
	struct seen seen;

	(void)state;
	assert_int_equal(parse(text, &seen), 0);
	assert_string_equal(seen.mounts[0].source, "");
	assert_string_equal(seen.mounts[0].super_options, "rw,size=1k");
}

static void test_stops(void **state)
{
	char text[] = "1 0 0:1 / /a rw - tmpfs x rw\n2 0 0:1 / /b rw - tmpfs x rw\nrubbish\n";
	struct seen seen = { .stop_after = 2 };

	(void)state;
	assert_int_equal(mountinfo_parse(text, take, &seen), 7);
	assert_int_equal(seen.count, 2);
}

static void test_no_lines(void **state)
{
	static const char *const bad[] = {
		"rubbish\n",
		"\n",
		"1 0 0:1 / /a rw - tmpfs x rw", /* cut short */
		"1 0 0:1 / /a rw - tmpfs x\n",
		"1 0 0:1 / /a rw tmpfs x rw\n",
		"1 0 0:1 / /a rw -\n",
		"x 0 0:1 / /a rw - tmpfs x rw\n",
		"1 0 01 / /a rw - tmpfs x rw\n",
		"1 0 0:1x / /a rw - tmpfs x rw\n",
		"99999999999 0 0:1 / /a rw - tmpfs x rw\n",
		"1 0 0:1 / a rw - tmpfs x rw\n",
		"1 0 0:1 /\n",
	};
	struct seen seen;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char *text = strdup(bad[i]);

		assert_non_null(text);
		assert_int_equal(parse(text, &seen), -EBADMSG);
		assert_int_equal(seen.count, 0);
		free(text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fields),	     cmocka_unit_test(test_escapes),
		cmocka_unit_test(test_empty_source), cmocka_unit_test(test_stops),
		cmocka_unit_test(test_no_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_facts_cgroups.c - the cgroup layout out of the texts of mountinfo and /proc/self/cgroup, as
 * hosts and containers of several kinds show them. */
#include "unit.h"

#include <errno.h>

#include "base/mem.h"
#include "host/cgroups.h"

struct fixture {
	struct arena *arena;
	struct host_facts facts;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	if (!f)
		return -1;
	f->arena = arena_new();
	f->facts.arena = f->arena;
	*state = f;
	return f->arena ? 0 : -1;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	arena_free(f->arena);
	free(f);
	return 0;
}

static int detect(struct fixture *f, const char *mountinfo, const char *self_cgroup)
{
	cleanup_free char *text = strdup(mountinfo);

	assert_non_null(text);
	return cgroups_detect(&f->facts, text, self_cgroup);
}

static const struct cgroup_mount *find(const struct fixture *f, const char *controllers)
{
	size_t i;

	for (i = 0; i < f->facts.cgroup_count; i++)
		if (strcmp(f->facts.cgroups[i].controllers, controllers) == 0)
			return &f->facts.cgroups[i];
	return NULL;
}

#define OTHER_MOUNTS                                       \
	"21 26 0:20 / /proc rw,relatime - proc proc rw\n"  \
	"22 26 0:21 / /sys rw,relatime - sysfs sysfs rw\n" \
	"30 22 0:27 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755\n"

static void test_v2(void **state)
{
	struct fixture *f = *state;
	const struct cgroup_mount *v2;

	assert_int_equal(
		detect(f,
		       "35 31 0:29 / /sys/fs/cgroup rw,nosuid shared:12 - cgroup2 cgroup2 rw,nsdelegate\n",
		       "0::/user.slice/user-1000.slice/session-3.scope\n"),
		0);
	assert_int_equal(f->facts.layout, CGROUP_LAYOUT_V2);
	assert_int_equal(f->facts.cgroup_count, 1);
	v2 = &f->facts.cgroups[0];
	assert_true(v2->is_v2);
	assert_string_equal(v2->controllers, "");
	assert_string_equal(v2->mountpoint, "/sys/fs/cgroup");
	assert_string_equal(v2->visible_path, "/user.slice/user-1000.slice/session-3.scope");
}

static void test_hybrid(void **state)
{
	struct fixture *f = *state;
	const struct cgroup_mount *mount;

	assert_int_equal(
		detect(f,
		       OTHER_MOUNTS
		       "31 30 0:28 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n"
		       "34 30 0:31 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
		       "39 30 0:36 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,name=systemd\n"
		       "40 30 0:37 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n",
		       "9:name=systemd:/\n8:pids:/\n4:memory:/api/276c\n2:cpu,cpuacct:/\n0::/x\n"),
		0);
	assert_int_equal(f->facts.layout, CGROUP_LAYOUT_HYBRID);
	/* pids exists, but is mounted nowhere */
	assert_int_equal(f->facts.cgroup_count, 4);
	assert_null(find(f, "pids"));
	mount = find(f, "cpu,cpuacct");
	assert_non_null(mount);
	assert_string_equal(mount->mountpoint, "/sys/fs/cgroup/cpu,cpuacct");
	mount = find(f, "memory");
	assert_non_null(mount);
	assert_string_equal(mount->own_path, "/api/276c");
	assert_false(mount->is_v2);
	assert_non_null(find(f, "name=systemd"));
	mount = find(f, "");
	assert_non_null(mount);
	assert_string_equal(mount->visible_path, "/x");
}

/* A container on a v1 host, without a cgroup namespace: it sees its part of each hierarchy. */
static void test_v1_container(void **state)
{
	struct fixture *f = *state;
	const struct cgroup_mount *mount;

	assert_int_equal(
		detect(f,
		       OTHER_MOUNTS
		       "31 30 0:28 /docker/abc /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n"
		       "32 30 0:29 /docker/abc /sys/fs/cgroup/pids ro - cgroup cgroup rw,pids\n"
		       "33 30 0:30 /docker/xyz /sys/fs/cgroup/cpu ro - cgroup cgroup rw,cpu\n",
		       "3:memory:/docker/abc/inner\n2:pids:/docker/abc\n1:cpu:/docker/abc\n0::/\n"),
		0);
	assert_int_equal(f->facts.layout, CGROUP_LAYOUT_V1);
	mount = find(f, "memory");
	assert_string_equal(mount->mount_root, "/docker/abc");
	assert_string_equal(mount->own_path, "/docker/abc/inner");
	assert_string_equal(mount->visible_path, "/inner");
	assert_string_equal(find(f, "pids")->visible_path, "/");
	assert_null(find(f, "cpu")->visible_path);
}

/* In a cgroup namespace both paths count from its root; the host's mount lies above it. */
static void test_namespaces(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(detect(f, "1 0 0:29 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n", "0::/\n"),
			 0);
	assert_string_equal(f->facts.cgroups[0].visible_path, "/");
	assert_int_equal(
		detect(f, "1 0 0:29 /../../.. /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n", "0::/\n"),
		0);
	assert_null(f->facts.cgroups[0].visible_path);
	assert_int_equal(
		detect(f, "1 0 0:29 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n", "0::/../x\n"), 0);
	assert_null(f->facts.cgroups[0].visible_path);
}

static void test_several_mounts(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(detect(f,
				"1 0 0:29 /part /elsewhere rw - cgroup2 x rw\n"
				"2 0 0:29 / /sys/fs/cgroup rw - cgroup2 x rw\n"
				"3 0 0:29 / /third rw - cgroup2 x rw\n",
				"0::/part/me\n"),
			 0);
	assert_int_equal(f->facts.cgroup_count, 1);
	assert_string_equal(f->facts.cgroups[0].mountpoint, "/sys/fs/cgroup");
}

static void test_nothing(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(detect(f, OTHER_MOUNTS, "1:memory:/\n0::/\n"), 0);
	assert_int_equal(f->facts.layout, CGROUP_LAYOUT_NONE);
	assert_int_equal(f->facts.cgroup_count, 0);
	assert_int_equal(detect(f, "", ""), 0);
	assert_int_equal(f->facts.layout, CGROUP_LAYOUT_NONE);
}

/* "cpu" is no mount of "cpuset", nor of a controller that is an option's value. */
static void test_similar_names(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(detect(f,
				"1 0 0:1 / /a rw - cgroup cgroup rw,cpuset\n"
				"2 0 0:2 / /b rw - cgroup cgroup rw,release_agent=cpu,name=cpu\n"
				"3 0 0:3 / /c rw - cgroup cgroup rw,cpu\n",
				"3:cpu:/\n2:name=cpu:/\n1:cpuset:/\n"),
			 0);
	assert_string_equal(find(f, "cpu")->mountpoint, "/c");
	assert_string_equal(find(f, "cpuset")->mountpoint, "/a");
	assert_string_equal(find(f, "name=cpu")->mountpoint, "/b");
}

static void test_bad_texts(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(detect(f, "", "rubbish\n"), -EBADMSG);
	assert_int_equal(detect(f, "", "0:/x\n"), -EBADMSG);
	assert_int_equal(detect(f, "", "0::x\n"), -EBADMSG);
	assert_int_equal(detect(f, "rubbish\n", "0::/\n"), -EBADMSG);
}

static void test_find_path(void **state)
{
	struct fixture *f = *state;
	const struct cgroup_mount whole = {
		.controllers = "", .mountpoint = "/c", .mount_root = "/", .is_v2 = true
	};
	const struct cgroup_mount part = { .controllers = "memory",
					   .mountpoint = "/m",
					   .mount_root = "/a" };
	static const char text[] = "2:memory:/a/b\n1:name=systemd:/s\n0::/v2/x.scope\n";

	assert_string_equal(cgroups_find_path(f->arena, text, &whole), "/v2/x.scope");
	assert_string_equal(cgroups_find_path(f->arena, text, &part), "/b");
	assert_null(cgroups_find_path(f->arena, "1:name=systemd:/s\n", &whole));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_v2),
		TEST(test_hybrid),
		TEST(test_v1_container),
		TEST(test_namespaces),
		TEST(test_several_mounts),
		TEST(test_nothing),
		TEST(test_similar_names),
		TEST(test_bad_texts),
		TEST(test_find_path),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

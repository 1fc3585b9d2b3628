/* test_explain.c - causes and remedies of refusals, from settings as several distributions have
 * them. */
#include "unit.h"

#include <errno.h>

#include "base/err.h"
#include "base/mem.h"
#include "host/explain.h"

static const struct userns_settings open_host = {
	.max_user_namespaces = 15000,
	.unprivileged_clone = -1,
	.apparmor_restrict = -1,
	.has_user_namespaces = true,
};

static void expect_cause(struct userns_settings settings, int errnum, const char *cause,
			 const char *remedy)
{
	const char *found_remedy = "unset";
	const char *found = explain_userns_settings(&settings, errnum, &found_remedy);

	if (!cause) {
		assert_null(found);
		assert_null(found_remedy);
		return;
	}
	assert_non_null(found);
	assert_non_null(strstr(found, cause));
	assert_non_null(found_remedy);
	assert_non_null(strstr(found_remedy, remedy));
}

static void test_userns(void **state)
{
	struct userns_settings s = open_host;

	(void)state;
	expect_cause(s, EPERM, NULL, NULL);
	s.has_user_namespaces = false;
	expect_cause(s, EINVAL, "no user namespaces", "CONFIG_USER_NS");
	s = open_host;
	s.max_user_namespaces = 0;
	expect_cause(s, ENOSPC, "user.max_user_namespaces=0", "sysctl -w user.max_user_namespaces");
	s.max_user_namespaces = 3;
	expect_cause(s, ENOSPC, "too many", "user.max_user_namespaces");
	s = open_host;
	s.unprivileged_clone = 0;
	expect_cause(s, EPERM, "kernel.unprivileged_userns_clone", "unprivileged_userns_clone=1");
	s.is_privileged = true;
	expect_cause(s, EPERM, "chroot", "pivot_root");
	s = open_host;
	s.apparmor_restrict = 1;
	expect_cause(s, EACCES, "AppArmor", "apparmor_restrict_unprivileged_userns=0");
	s.apparmor_restrict = 0;
	expect_cause(s, EACCES, NULL, NULL);
	s = open_host;
	s.is_chroot = true;
	expect_cause(s, EPERM, "chroot", "pivot_root");
	s = open_host;
	s.seccomp = 2;
	expect_cause(s, EPERM, "seccomp", "profile");
	expect_cause(s, EINVAL, NULL, NULL);
	s.is_privileged = true;
	expect_cause(s, EPERM, "seccomp", "profile");
	s.seccomp = 0;
	expect_cause(s, EINVAL, NULL, NULL);
}

/* The error on this very host keeps what it said, whatever is found. */
static void test_userns_error(void **state)
{
	const struct host_facts facts = { 0 };
	cleanup_err struct err *err = NULL;
	const struct err *last;

	(void)state;
	err_sys(&err, E_NAMESPACE, ENOSPC, "clone3", NULL, NULL);
	explain_userns(&facts, ENOSPC, &err);
	for (last = err; last->cause; last = last->cause)
		;
	assert_string_equal(last->operation, "clone3");
	assert_int_equal(err->code, E_USERNS_BLOCKED);
	assert_non_null(err->hint);
	explain_userns(&facts, ENOSPC, NULL);
}

#define PROC_CGROUPS                                      \
	"#subsys_name\thierarchy\tnum_cgroups\tenabled\n" \
	"cpu\t1\t2\t1\n"                                  \
	"memory\t0\t2\t0\n"                               \
	"blkio\t0\t2\t1\n"

static void expect_hint(enum cgroup_layout layout, bool is_privileged, const char *controller,
			const char *text, const char *expected)
{
	const struct host_facts facts = { .layout = layout, .is_privileged = is_privileged };
	cleanup_err struct err *err = NULL;

	err_set(&err, E_CGROUP, 0, NULL, "refused");
	explain_controller_text(&facts, controller, text, &err);
	assert_non_null(err->hint);
	assert_non_null(strstr(err->hint, expected));
}

static void test_controller(void **state)
{
	(void)state;
	expect_hint(CGROUP_LAYOUT_HYBRID, true, "memory", PROC_CGROUPS, "cgroup_disable=memory");
	expect_hint(CGROUP_LAYOUT_V2, false, "memory", PROC_CGROUPS, "cgroup_disable=memory");
	expect_hint(CGROUP_LAYOUT_V1, true, "cpu", PROC_CGROUPS,
		    "mount -t cgroup -o cpu cgroup /sys/fs/cgroup/cpu");
	expect_hint(CGROUP_LAYOUT_V1, true, "rdma", PROC_CGROUPS, "built without");
	expect_hint(CGROUP_LAYOUT_V2, false, "io", PROC_CGROUPS, "Delegate=");
	expect_hint(CGROUP_LAYOUT_V2, false, "cpu", NULL, "user@.service");
	expect_hint(CGROUP_LAYOUT_V2, true, "cpu", PROC_CGROUPS, "cgroup.subtree_control");
	expect_hint(CGROUP_LAYOUT_V2, true, "misc", PROC_CGROUPS, "cgroup.controllers");
}

static void test_refused(void **state)
{
	static const struct {
		struct host_facts facts;
		const char *expected;
	} rows[] = {
		{ { .is_privileged = true, .layout = CGROUP_LAYOUT_V2 }, "writable" },
		{ { .layout = CGROUP_LAYOUT_V2, .has_systemd = true }, "--systemd-cgroup" },
		{ { .layout = CGROUP_LAYOUT_V2 }, "chown" },
		{ { .layout = CGROUP_LAYOUT_HYBRID }, "unified_cgroup_hierarchy" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < array_size(rows); i++) {
		cleanup_err struct err *err = NULL;

		err_set(&err, E_CGROUP, EACCES, NULL, "refused");
		explain_cgroup_refused(&rows[i].facts, &err);
		assert_non_null(strstr(err->hint, rows[i].expected));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_userns),
		cmocka_unit_test(test_userns_error),
		cmocka_unit_test(test_controller),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

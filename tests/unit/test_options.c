/* test_options.c - the table of mount options, and what sets of options come to. */
#include "arena_unit.h"

#include <errno.h>
#include <sys/mount.h>

#include "base/sys.h"
#include "plan/options.h"

static struct plan_mount mount_step;
static struct mount_option_marks marks;

static int apply(const char *text, struct err **err)
{
	const char *items[16];
	struct string_list list = { .items = items };
	char *copy = arena_strdup(arena, text), *word;

	while ((word = strsep(&copy, " ")))
		items[list.count++] = word;
	memset(&mount_step, 0, sizeof(mount_step));
	memset(&marks, 0, sizeof(marks));
	return mount_options_apply(arena, &list, &mount_step, &marks, "/mounts/0", err);
}

static void test_table(void **state)
{
	/* The specification's own list, in its order, and what other runtimes add to it. */
	static const char *const names[] = {
		"async",
		"atime",
		"bind",
		"defaults",
		"dev",
		"diratime",
		"dirsync",
		"exec",
		"iversion",
		"lazytime",
		"loud",
		"mand",
		"noatime",
		"nodev",
		"nodiratime",
		"noexec",
		"noiversion",
		"nolazytime",
		"nomand",
		"norelatime",
		"nostrictatime",
		"nosuid",
		"nosymfollow",
		"private",
		"ratime",
		"rbind",
		"rdev",
		"rdiratime",
		"relatime",
		"remount",
		"rexec",
		"rnoatime",
		"rnodev",
		"rnodiratime",
		"rnoexec",
		"rnorelatime",
		"rnostrictatime",
		"rnosuid",
		"rnosymfollow",
		"ro",
		"rprivate",
		"rrelatime",
		"rro",
		"rrw",
		"rshared",
		"rslave",
		"rstrictatime",
		"rsuid",
		"rsymfollow",
		"runbindable",
		"rw",
		"shared",
		"silent",
		"slave",
		"strictatime",
		"suid",
		"symfollow",
		"sync",
		"tmpcopyup",
		"unbindable",
		"idmap",
		"ridmap",
		"acl",
		"noacl",
		"copy-symlink",
		"copy",
		"nocopy",
	};
	const struct mount_option *row;
	size_t i;

	(void)state;
	for (row = mount_options; row->name && row[1].name; row++)
		assert_true(strcmp(row->name, row[1].name) < 0);
	assert_int_equal(row - mount_options + 1, array_size(names));
	for (i = 0; i < array_size(names); i++) {
		assert_int_equal(apply(names[i], NULL), 0);
		/* A name that the table did not know would have become the file system's own. */
		if (mount_step.option_count)
			assert_string_equal(mount_step.options[0].key,
					    strcmp(names[i], "acl") == 0 ? "posixacl" : names[i]);
	}
}

static void test_attributes(void **state)
{
	(void)state;
	assert_int_equal(apply("nosuid noexec nodev ro nosymfollow nodiratime", NULL), 0);
	assert_int_equal(mount_step.attr_set, SYS_ATTR_NOSUID | SYS_ATTR_NOEXEC | SYS_ATTR_NODEV |
						      SYS_ATTR_RDONLY | SYS_ATTR_NOSYMFOLLOW |
						      SYS_ATTR_NODIRATIME);
	assert_int_equal(mount_step.attr_clear, 0);
	assert_int_equal(apply("ro rw nodev dev", NULL), 0);
	assert_int_equal(mount_step.attr_set, 0);
	assert_int_equal(mount_step.attr_clear, SYS_ATTR_RDONLY | SYS_ATTR_NODEV);
	assert_int_equal(apply("rro rnosuid rsuid", NULL), 0);
	assert_int_equal(mount_step.attr_set, 0);
	assert_int_equal(mount_step.attr_set_recursive, SYS_ATTR_RDONLY);
	assert_int_equal(mount_step.attr_clear_recursive, SYS_ATTR_NOSUID);
}

static void test_atime(void **state)
{
	(void)state;
	assert_int_equal(apply("noatime strictatime", NULL), 0);
	assert_int_equal(mount_step.attr_set, SYS_ATTR_STRICTATIME);
	assert_int_equal(mount_step.attr_clear, SYS_ATTR_ATIME_MASK);
	assert_int_equal(apply("strictatime atime", NULL), 0);
	assert_int_equal(mount_step.attr_set, SYS_ATTR_STRICTATIME);
	assert_int_equal(apply("noatime atime", NULL), 0);
	assert_int_equal(mount_step.attr_set, 0);
	assert_int_equal(mount_step.attr_clear, SYS_ATTR_ATIME_MASK);
	assert_int_equal(apply("noatime relatime", NULL), 0);
	assert_int_equal(mount_step.attr_set, SYS_ATTR_RELATIME);
	assert_int_equal(mount_step.attr_clear, SYS_ATTR_ATIME_MASK);
	assert_int_equal(apply("rnoatime ratime", NULL), 0);
	assert_int_equal(mount_step.attr_set_recursive, 0);
	assert_int_equal(mount_step.attr_clear_recursive, SYS_ATTR_ATIME_MASK);
	assert_int_equal(apply("norelatime rnorelatime", NULL), 0);
	assert_int_equal(mount_step.attr_clear | mount_step.attr_clear_recursive, 0);
}

static void test_propagation(void **state)
{
	cleanup_err struct err *err = NULL;

	(void)state;
	assert_int_equal(apply("rslave shared rslave", NULL), 0);
	assert_int_equal(mount_step.propagation, MS_SLAVE | MS_REC);
	assert_int_equal(mount_step.propagation2, MS_SHARED);
	assert_true(apply("rslave shared private", &err) < 0);
	assert_int_equal(err->code, E_UNSUPPORTED);
	assert_string_equal(mount_propagation_word(MS_UNBINDABLE | MS_REC), "runbindable");
	assert_null(mount_propagation_word(PLAN_PROPAGATION_UNSET));
	assert_int_equal(mount_propagation_from_word("rprivate"), MS_PRIVATE | MS_REC);
	assert_int_equal(mount_propagation_from_word("ro"), 0);
}

static void test_filesystem_options(void **state)
{
	cleanup_err struct err *err = NULL;

	(void)state;
	assert_int_equal(apply("mode=755 sync newinstance size= async context=a=b dirsync", NULL),
			 0);
	assert_int_equal(mount_step.option_count, 5);
	assert_string_equal(mount_step.options[0].key, "mode");
	assert_string_equal(mount_step.options[0].value, "755");
	assert_string_equal(mount_step.options[1].key, "newinstance");
	assert_null(mount_step.options[1].value);
	assert_string_equal(mount_step.options[2].value, "");
	assert_string_equal(mount_step.options[3].value, "a=b");
	assert_string_equal(mount_step.options[4].key, "dirsync");
	assert_true(marks.has_superblock && marks.superblock_index == 6);
	assert_int_equal(apply("ro =x", &err), -EINVAL);
	assert_string_equal(err->pointer, "/mounts/0/options/1");
	err_free_ptr(&err);
	assert_int_equal(apply("ro ", NULL), 0);
	assert_int_equal(mount_step.option_count, 0);
}

static void test_marks(void **state)
{
	(void)state;
	assert_int_equal(apply("bind", NULL), 0);
	assert_true(marks.is_bind && !mount_step.is_recursive && !marks.has_superblock);
	assert_int_equal(apply("rbind remount tmpcopyup copy-symlink ridmap", NULL), 0);
	assert_true(marks.is_bind && mount_step.is_recursive && marks.is_remount);
	assert_true(mount_step.is_idmapped && mount_step.idmap_is_recursive);
	assert_true(mount_step.copy_up && mount_step.copy_symlink);
	assert_null(marks.idmap);
	assert_int_equal(apply("bind idmap=uids=0-1-2;gids=0-1-2 ridmap", NULL), 0);
	assert_true(mount_step.is_idmapped && mount_step.idmap_is_recursive && !marks.has_superblock);
	assert_string_equal(marks.idmap, "uids=0-1-2;gids=0-1-2");
	assert_int_equal(marks.idmap_index, 1);
	assert_int_equal(apply("idmap= ridmap=", NULL), -EINVAL);
	/* a value makes any other word the file system's own, and so does a word that only begins like one */
	assert_int_equal(apply("ro=1 idmapped idma", NULL), 0);
	assert_true(!mount_step.attr_set && !mount_step.is_idmapped);
	assert_int_equal(mount_step.option_count, 3);
}

static void test_words(void **state)
{
	(void)state;
	assert_string_equal(mount_attribute_word(SYS_ATTR_RDONLY | SYS_ATTR_NOEXEC, 0), "ro");
	assert_string_equal(mount_attribute_word(SYS_ATTR_RDONLY | SYS_ATTR_NOEXEC, 1), "noexec");
	assert_null(mount_attribute_word(SYS_ATTR_RDONLY | SYS_ATTR_NOEXEC, 2));
	assert_string_equal(mount_attribute_word(SYS_ATTR_ATIME_MASK, 0), "atime");
	assert_null(mount_attribute_word(SYS_ATTR_ATIME_MASK, 1));
	assert_null(mount_attribute_word(0, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_attributes),
		cmocka_unit_test(test_atime),
		cmocka_unit_test(test_propagation),
		cmocka_unit_test(test_filesystem_options),
		cmocka_unit_test(test_marks),
		cmocka_unit_test(test_words),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}

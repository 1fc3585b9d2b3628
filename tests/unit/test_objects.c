/* test_objects.c - paths of a real folder looked up: what is there, what is not and where it would
 * be, and what can't be said. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "host/aliases.h"
#include "host/objects.h"

static struct {
	struct arena *arena;
	struct host_facts facts;
	char dir[PATH_MAX];
} t;

static const char *in_dir(const char *name)
{
	return arena_printf(t.arena, "%s/%s", t.dir, name);
}

static int setup(void **state)
{
	char real[64];

	(void)state;
	t.arena = arena_new();
	snprintf(real, sizeof(real), "/tmp/test_objects.XXXXXX");
	if (!t.arena || !mkdtemp(real) || !realpath(real, t.dir))
		return -1;
	t.facts = (struct host_facts){
		.arena = t.arena, .uid = geteuid(), .euid = geteuid(), .cwd = t.dir
	};
	assert_int_equal(mkdir(in_dir("dir"), 0755), 0);
	assert_int_equal(mkdir(in_dir("dir/sub"), 0755), 0);
	close(open(in_dir("file"), O_CREAT | O_WRONLY | O_CLOEXEC, 0400));
	assert_int_equal(symlink("dir/sub", in_dir("link")), 0);
	assert_int_equal(symlink(in_dir("dir"), in_dir("absolute")), 0);
	assert_int_equal(symlink("dir/none/deep", in_dir("dangling")), 0);
	assert_int_equal(symlink("dangling", in_dir("dangling2")), 0);
	assert_int_equal(symlink("loop", in_dir("loop")), 0);
	return 0;
}

static int teardown(void **state)
{
	static const char *const names[] = { "file",	 "link",      "absolute",
					     "dangling", "dangling2", "loop" };
	size_t i;

	(void)state;
	for (i = 0; i < array_size(names); i++)
		unlink(in_dir(names[i]));
	rmdir(in_dir("dir/sub"));
	rmdir(in_dir("dir"));
	rmdir(t.dir);
	arena_free_ptr(&t.arena);
	return 0;
}

static const struct host_object *look_up(const char *path, int access_mode)
{
	const struct object_request request = { .path = path, .access = access_mode };
	struct host_objects *objects = NULL;

	assert_int_equal(objects_look_up(t.arena, &request, 1, &t.facts, NULL, &objects, NULL), 0);
	assert_int_equal(objects->count, 1);
	assert_ptr_equal(objects->items[0].path, path);
	return &objects->items[0];
}

static void check(const char *path, int access_mode, int error, const char *canonical)
{
	const struct host_object *object = look_up(path, access_mode);

	if (object->error != error)
		print_error("%s: %s\n", path, strerror(object->error));
	assert_int_equal(object->error, error);
	if (canonical)
		assert_string_equal(object->canonical, canonical);
	else
		assert_null(object->canonical);
}

static void test_existing(void **state)
{
	const struct host_object *object;
	struct stat st;

	(void)state;
	check(in_dir("dir"), R_OK, 0, in_dir("dir"));
	check(in_dir("link"), R_OK, 0, in_dir("dir/sub"));
	check(in_dir("absolute/sub"), R_OK, 0, in_dir("dir/sub"));
	check(in_dir("link/.."), R_OK, 0, in_dir("dir"));
	check(in_dir("dir//sub///"), R_OK, 0, in_dir("dir/sub"));
	check("dir/./sub", R_OK, 0, in_dir("dir/sub"));
	check("/", R_OK, 0, "/");
	check("///", F_OK, 0, "/");
	/* A slash behind a file doesn't make it another thing. */
	check(in_dir("file/"), F_OK, 0, in_dir("file"));
	object = look_up(in_dir("link"), R_OK);
	assert_int_equal(stat(in_dir("dir/sub"), &st), 0);
	assert_int_equal(object->dev, st.st_dev);
	assert_int_equal(object->ino, st.st_ino);
	assert_true(S_ISDIR(object->mode));
	assert_string_equal(look_up("link", R_OK)->absolute, in_dir("link"));
}

static void test_absent(void **state)
{
	(void)state;
	check(in_dir("none"), F_OK, ENOENT, in_dir("none"));
	check(in_dir("none/a/b"), F_OK, ENOENT, in_dir("none/a/b"));
	check(in_dir("link/none/./x"), F_OK, ENOENT, in_dir("dir/sub/none/x"));
	check(in_dir("file/x"), F_OK, ENOTDIR, in_dir("file/x"));
	check(in_dir("dangling"), F_OK, ENOENT, in_dir("dir/none/deep"));
	check(in_dir("dangling2/more"), F_OK, ENOENT, in_dir("dir/none/deep/more"));
	check("/none-at-all", F_OK, ENOENT, "/none-at-all");
	/* By its letters it is there, for a denial; the kernel wouldn't find it, for a grant. */
	check(in_dir("none/../dir/sub"), F_OK, 0, in_dir("dir/sub"));
	check(in_dir("none/../dir/sub"), R_OK, ENOENT, in_dir("dir/sub"));
	check(in_dir("none/../link"), F_OK, 0, in_dir("dir/sub"));
	check(in_dir("none/../none"), F_OK, ENOENT, in_dir("none"));
}

static void test_unresolvable(void **state)
{
	char *name = arena_alloc(t.arena, 301);

	(void)state;
	check(in_dir("loop"), F_OK, ELOOP, NULL);
	check(in_dir("loop/x"), F_OK, ELOOP, NULL);
	memset(name, 'x', 300);
	check(in_dir(name), F_OK, ENAMETOOLONG, NULL);
	t.facts.cwd = NULL;
	assert_int_equal(objects_look_up(t.arena, &(struct object_request){ .path = "x", .access = F_OK }, 1,
					 &t.facts, NULL, &(struct host_objects *){ NULL }, NULL),
			 -EINVAL);
	t.facts.cwd = t.dir;
}

/* ---- other names ---- */

/* A denied folder with a file in it that has another name in a granted one. */
static struct host_objects *look_up_pair_in(const char *mounts, size_t search_max)
{
	const struct object_request requests[] = { { .path = in_dir("dir"), .access = R_OK | W_OK },
						   { .path = in_dir("closed"), .access = F_OK } };
	struct host_objects *objects = NULL;

	assert_int_equal(objects_look_up(t.arena, requests, 2, &t.facts, NULL, &objects, NULL), 0);
	objects->folder_count = 0;
	assert_int_equal(aliases_find(t.arena, requests, arena_strdup(t.arena, mounts), search_max, objects, NULL), 0);
	return objects;
}

#define ROOT_MOUNT "1 0 8:1 / / rw - ext4 /dev/sda1 rw\n"

static struct host_objects *look_up_pair(size_t search_max)
{
	return look_up_pair_in(ROOT_MOUNT, search_max);
}

static void test_hard_links(void **state)
{
	const struct host_objects *objects;

	(void)state;
	assert_int_equal(mkdir(in_dir("closed"), 0755), 0);
	close(open(in_dir("closed/a"), O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
	close(open(in_dir("closed/b"), O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
	objects = look_up_pair(100);
	assert_int_equal(objects->alias_count, 0);
	/* Both names are denied already. */
	assert_int_equal(link(in_dir("closed/a"), in_dir("closed/c")), 0);
	assert_int_equal(look_up_pair(100)->alias_count, 0);
	assert_int_equal(link(in_dir("closed/b"), in_dir("dir/sub/b")), 0);
	objects = look_up_pair(100);
	assert_int_equal(objects->alias_count, 1);
	assert_string_equal(objects->aliases[0].path, in_dir("dir/sub/b"));
	assert_int_equal(objects->aliases[0].object, 1);
	assert_null(objects->unsearched.place);
}

/* Another file system can't have links of it: that isn't searched, as is seen from the limit. */
static void test_other_file_system(void **state)
{
	const char *two = arena_printf(t.arena, ROOT_MOUNT "2 1 8:2 / %s rw - ext4 /dev/sda2 rw\n", in_dir("closed"));
	const char *three = arena_printf(t.arena, "%s3 1 8:2 /x %s rw - ext4 /dev/sda2 rw\n", two, in_dir("dir/sub"));

	(void)state;
	assert_null(look_up_pair_in(two, 0)->unsearched.place);
	assert_non_null(look_up_pair_in(three, 0)->unsearched.place);
}

/* What can't be searched to its end is not taken for searched. */
static void test_search_limit(void **state)
{
	const struct host_objects *objects = look_up_pair(2);

	(void)state;
	assert_non_null(objects->unsearched.place);
	assert_int_equal(objects->unsearched.object, 1);
	unlink(in_dir("dir/sub/b"));
	unlink(in_dir("closed/a"));
	unlink(in_dir("closed/b"));
	unlink(in_dir("closed/c"));
	rmdir(in_dir("closed"));
}

/* As an ordinary user, in a child: root's rights have no bounds. */
static void test_access(void **state)
{
	const struct host_object *object;

	(void)state;
	object = look_up(in_dir("dir"), R_OK | W_OK);
	assert_int_equal(object->read_error, 0);
	assert_int_equal(object->write_error, 0);
	if (geteuid() != 0)
		skip();
	/* The real user counts, whatever the effective one may do. */
	assert_int_equal(chmod(t.dir, 0711), 0);
	assert_int_equal(setresuid(65534, 0, 0), 0);
	t.facts.uid = 65534;
	object = look_up(in_dir("file"), R_OK);
	assert_int_equal(object->read_error, EACCES);
	object = look_up(in_dir("dir"), R_OK | W_OK);
	assert_int_equal(object->read_error, 0);
	assert_int_equal(object->write_error, EACCES);
	assert_int_equal(chmod(t.dir, 0700), 0);
	assert_int_equal(look_up(in_dir("dir"), R_OK)->read_error, EACCES);
	assert_int_equal(look_up(in_dir("dir"), F_OK)->read_error, 0);
	assert_int_equal(setresuid(0, 0, 0), 0);
	t.facts.uid = 0;
}

static void test_folders(void **state)
{
	struct host_objects *objects = NULL;
	const struct host_folder *folder;
	struct stat st;
	size_t i;

	(void)state;
	assert_int_equal(objects_look_up(t.arena, NULL, 0, &t.facts, NULL, &objects, NULL), 0);
	assert_true(objects->folder_count >= 3);
	for (i = 0; i < objects->folder_count; i++) {
		folder = &objects->folders[i];
		assert_int_equal(lstat(folder->path, &st), 0);
		assert_int_equal(S_ISLNK(st.st_mode), folder->link != NULL);
		assert_int_equal(lstat(folder->canonical, &st), 0);
		assert_int_equal(S_ISDIR(st.st_mode), folder->is_directory);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_existing),     cmocka_unit_test(test_absent),
		cmocka_unit_test(test_unresolvable),
		cmocka_unit_test(test_hard_links),
		cmocka_unit_test(test_other_file_system), cmocka_unit_test(test_search_limit), cmocka_unit_test(test_access),
		cmocka_unit_test(test_folders),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}

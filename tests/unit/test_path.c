/* test_path.c - walks inside a hostile root. Everything runs with openat2 and with the walk that
 * stands in for it; a file outside of the root must never be reached or made. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/path.h"

#define EXCHANGE 2u /* RENAME_EXCHANGE of renameat2(2) */
#define SWAPS 3000

/* <top>/root is the root, <top>/outside what must not be touched. */
static char top[PATH_MAX];
static int top_fd = -1, root_fd = -1;

static void run(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void run(const char *format, ...)
{
	cleanup_free char *command = NULL;
	va_list ap;

	va_start(ap, format);
	assert_true(vasprintf(&command, format, ap) > 0);
	va_end(ap);
	assert_int_equal(system(command), 0);
}

static int setup_with(bool without_openat2)
{
	strcpy(top, "/tmp/mxcrun-test-path-XXXXXX");
	if (!mkdtemp(top))
		return -1;
	run("cd %s && mkdir -p outside root/dir/sub root/other && echo secret >outside/secret &&"
	    " echo in >root/dir/file && echo inside >root/secret",
	    top);
	top_fd = open(top, O_PATH | O_DIRECTORY | O_CLOEXEC);
	root_fd = openat(top_fd, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
	path_test_without_openat2(without_openat2);
	return root_fd < 0 ? -1 : 0;
}

static int setup_openat2(void **state)
{
	(void)state;
	return setup_with(false);
}

static int setup_walk(void **state)
{
	(void)state;
	return setup_with(true);
}

static int teardown(void **state)
{
	(void)state;
	path_test_without_openat2(false);
	fd_close_ptr(&root_fd);
	fd_close_ptr(&top_fd);
	run("rm -rf %s", top);
	return 0;
}

static void link_to(const char *target, const char *name)
{
	assert_int_equal(symlinkat(target, root_fd, name), 0);
}

static int open_result(const char *path, int flags)
{
	cleanup_close int fd = path_open_in_root(root_fd, path, flags);

	return fd < 0 ? fd : 0;
}

static int make_result(const char *path, enum path_make make)
{
	cleanup_close int fd = path_make_in_root(root_fd, path, make);

	return fd < 0 ? fd : 0;
}

/* Two descriptors or names are the same object. */
static bool is_same(int fd, const char *name_below_top)
{
	struct stat a, b;

	assert_int_equal(fstat(fd, &a), 0);
	if (fstatat(top_fd, name_below_top, &b, AT_SYMLINK_NOFOLLOW) < 0)
		return false;
	return a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

static void assert_opens(const char *path, const char *name_below_top)
{
	cleanup_close int fd = path_open_in_root(root_fd, path, O_PATH);

	assert_true(fd >= 0);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	assert_true(is_same(fd, name_below_top));
}

static void assert_mode(const char *name_below_top, mode_t mode)
{
	struct stat st;

	assert_int_equal(fstatat(top_fd, name_below_top, &st, AT_SYMLINK_NOFOLLOW), 0);
	assert_int_equal(st.st_mode, mode);
}

static bool exists(const char *name_below_top)
{
	return faccessat(top_fd, name_below_top, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static void test_plain(void **state)
{
	cleanup_free char *data = NULL;
	cleanup_close int fd = -1;

	(void)state;
	assert_opens("/", "root");
	assert_opens(".", "root");
	assert_opens("///", "root");
	assert_opens("dir", "root/dir");
	assert_opens("/dir/", "root/dir");
	assert_opens("/dir/./sub//", "root/dir/sub");
	assert_opens("dir/../other/.", "root/other");
	assert_opens("/dir/file", "root/dir/file");
	fd = path_open_in_root(root_fd, "dir/file", O_RDONLY);
	assert_int_equal(fd_read_all(fd, 10, &data, NULL), 0);
	assert_string_equal(data, "in\n");
	assert_int_equal(open_result("dir/sub", O_RDONLY | O_DIRECTORY), 0);
	assert_int_equal(open_result("dir/sub/..", O_RDONLY | O_DIRECTORY), 0);
}

static void test_refused(void **state)
{
	char path[PATH_MAX + 10], name[300];

	(void)state;
	assert_int_equal(open_result("", O_PATH), -ENOENT);
	assert_int_equal(open_result("absent", O_PATH), -ENOENT);
	assert_int_equal(open_result("absent/..", O_PATH), -ENOENT);
	assert_int_equal(open_result("dir/file/", O_PATH), -ENOTDIR);
	assert_int_equal(open_result("dir/file/.", O_PATH), -ENOTDIR);
	assert_int_equal(open_result("dir/file/..", O_PATH), -ENOTDIR);
	assert_int_equal(open_result("dir/file", O_PATH | O_DIRECTORY), -ENOTDIR);
	assert_int_equal(open_result("dir/file", O_RDONLY | O_DIRECTORY), -ENOTDIR);
	assert_int_equal(open_result("dir", O_RDWR), -EISDIR);
	assert_int_equal(open_result("new", O_RDWR | O_CREAT), -EINVAL);
	assert_int_equal(open_result("dir", O_RDWR | O_TMPFILE), -EINVAL);
	memset(path, '/', sizeof(path));
	path[sizeof(path) - 1] = '\0';
	assert_int_equal(open_result(path, O_PATH), -ENAMETOOLONG);
	memset(name, 'n', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	assert_int_equal(open_result(name, O_PATH), -ENAMETOOLONG);
	assert_int_equal(make_result(name, PATH_MAKE_DIR), -ENAMETOOLONG);
}

static void test_escapes(void **state)
{
	(void)state;
	assert_opens("..", "root");
	assert_opens("../../../..", "root");
	assert_opens("/../../secret", "root/secret");
	assert_opens("dir/../../../secret", "root/secret");
	assert_int_equal(open_result("../outside/secret", O_PATH), -ENOENT);

	link_to("../../outside", "up");
	link_to("/etc", "abs");
	link_to("/", "slash");
	link_to("../..", "dots");
	link_to("/secret", "to-secret");
	assert_int_equal(open_result("up/secret", O_PATH), -ENOENT);
	assert_int_equal(open_result("abs/passwd", O_PATH), -ENOENT);
	assert_opens("slash", "root");
	assert_opens("slash/dir/file", "root/dir/file");
	assert_opens("dots/secret", "root/secret");
	assert_opens("to-secret", "root/secret");
	assert_opens("dir/../slash/slash/dots/dots/to-secret", "root/secret");
}

static void test_links(void **state)
{
	char name[16], target[16];
	int i;

	(void)state;
	link_to("dir/sub", "rel");
	link_to("rel/../file", "file-by-link");
	link_to("dir/file", "plain");
	assert_opens("rel", "root/dir/sub");
	assert_opens("rel/..", "root/dir");
	assert_opens("file-by-link", "root/dir/file");
	assert_int_equal(open_result("plain/", O_PATH), -ENOTDIR);

	/* O_NOFOLLOW is about the last component only. */
	assert_int_equal(open_result("rel", O_RDONLY | O_NOFOLLOW), -ELOOP);
	assert_int_equal(open_result("rel/../file", O_RDONLY | O_NOFOLLOW), 0);
	{
		cleanup_close int fd = path_open_in_root(root_fd, "plain", O_PATH | O_NOFOLLOW);

		assert_true(fd >= 0);
		assert_true(is_same(fd, "root/plain"));
	}
	assert_int_equal(open_result("rel", O_PATH | O_NOFOLLOW | O_DIRECTORY), -ENOTDIR);

	link_to("loop", "loop");
	link_to("b", "a");
	link_to("/a", "b");
	assert_int_equal(open_result("loop", O_PATH), -ELOOP);
	assert_int_equal(open_result("a/x", O_PATH), -ELOOP);
	assert_int_equal(make_result("a/x", PATH_MAKE_DIR), -ELOOP);
	assert_int_equal(make_result("loop", PATH_MAKE_FILE), -ELOOP);

	/* 40 links are followed, 41 are not. */
	link_to("dir", "l1");
	for (i = 2; i <= 41; i++) {
		snprintf(name, sizeof(name), "l%d", i);
		snprintf(target, sizeof(target), "l%d", i - 1);
		link_to(target, name);
	}
	assert_opens("l40", "root/dir");
	assert_int_equal(open_result("l41", O_PATH), -ELOOP);
}

static void test_magic_links(void **state)
{
	cleanup_close int host_fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	cleanup_close int fd = -1;

	(void)state;
	assert_int_equal(path_open_in_root(host_fd, "proc/self/root/etc", O_PATH), -ELOOP);
	assert_int_equal(path_open_in_root(host_fd, "/proc/self/fd/0", O_PATH), -ELOOP);
	assert_int_equal(path_open_in_root(host_fd, "/proc/self/exe", O_RDONLY), -ELOOP);
	assert_int_equal(path_make_in_root(host_fd, "/proc/self/cwd/x", PATH_MAKE_DIR), -ELOOP);
	/* What is no link can be opened on procfs. */
	fd = path_open_in_root(host_fd, "proc/sys/kernel", O_PATH | O_DIRECTORY);
	assert_true(fd >= 0);
}

static void test_make(void **state)
{
	cleanup_close int fd = -1;
	mode_t mask = umask(077);

	(void)state;
	fd = path_make_in_root(root_fd, "/n1/n2/../n3/dir", PATH_MAKE_DIR);
	assert_true(fd >= 0);
	assert_true(fcntl(fd, F_GETFL) & O_PATH);
	assert_true(is_same(fd, "root/n1/n3/dir"));
	assert_mode("root/n1", S_IFDIR | 0755);
	assert_mode("root/n1/n2", S_IFDIR | 0755);
	fd_close_ptr(&fd);

	fd = path_make_in_root(root_fd, "/f1/f2", PATH_MAKE_FILE);
	assert_true(fd >= 0);
	assert_true(is_same(fd, "root/f1/f2"));
	assert_mode("root/f1", S_IFDIR | 0755);
	assert_mode("root/f1/f2", S_IFREG | 0644);
	assert_int_equal(umask(mask), 077);

	/* What is there is left as it is. */
	assert_int_equal(make_result("/f1/f2", PATH_MAKE_FILE), 0);
	assert_int_equal(make_result("/dir", PATH_MAKE_DIR), 0);
	assert_int_equal(make_result("/", PATH_MAKE_DIR), 0);
	assert_int_equal(make_result("/f1/f2", PATH_MAKE_DIR), -ENOTDIR);
	assert_int_equal(make_result("/f1/f2/x", PATH_MAKE_DIR), -ENOTDIR);
	assert_int_equal(make_result("/dir", PATH_MAKE_FILE), -EISDIR);
	assert_int_equal(make_result("/", PATH_MAKE_FILE), -EISDIR);
	assert_int_equal(make_result("/g/h/", PATH_MAKE_FILE), -EISDIR);
	assert_int_equal(make_result("/g/h/..", PATH_MAKE_FILE), -EISDIR);
	assert_int_equal(make_result("", PATH_MAKE_DIR), -ENOENT);
}

static void test_make_escapes(void **state)
{
	(void)state;
	link_to("../../outside", "up");
	link_to("/outside", "abs");
	link_to("/run/late", "dangling");
	link_to("../../../../escaped", "dangling-up");

	assert_int_equal(make_result("/../../x1/y", PATH_MAKE_DIR), 0);
	assert_true(exists("root/x1/y"));
	assert_int_equal(make_result("up/x2", PATH_MAKE_FILE), 0);
	assert_false(exists("outside/x2"));
	assert_true(exists("root/outside/x2"));
	assert_int_equal(make_result("abs/x3", PATH_MAKE_DIR), 0);
	assert_false(exists("outside/x3"));
	assert_true(exists("root/outside/x3"));

	/* A dangling link: what it points to is made, inside. */
	assert_int_equal(make_result("dangling/x4", PATH_MAKE_FILE), 0);
	assert_true(exists("root/run/late/x4"));
	assert_int_equal(make_result("dangling-up", PATH_MAKE_FILE), 0);
	assert_mode("root/escaped", S_IFREG | 0644);
	assert_false(exists("escaped"));
}

static int parent_result(const char *path)
{
	cleanup_free char *name = NULL;
	cleanup_close int fd = path_make_parent_in_root(root_fd, path, &name);

	return fd < 0 ? fd : 0;
}

static void test_make_parent(void **state)
{
	cleanup_free char *name = NULL, *other = NULL;
	cleanup_close int fd = -1, parent_fd = -1;

	(void)state;
	link_to("/../../outside", "up");
	fd = path_make_parent_in_root(root_fd, "/dev/new/null", &name);
	assert_true(fd >= 0);
	assert_string_equal(name, "null");
	assert_true(is_same(fd, "root/dev/new"));
	assert_false(exists("root/dev/new/null"));
	parent_fd = path_make_parent_in_root(root_fd, "up//console/", &other);
	assert_true(parent_fd >= 0);
	assert_string_equal(other, "console");
	assert_true(is_same(parent_fd, "root/outside"));
	assert_int_equal(parent_result("name"), 0);
	assert_int_equal(parent_result("/name"), 0);
	assert_int_equal(parent_result(""), -EINVAL);
	assert_int_equal(parent_result("/"), -EINVAL);
	assert_int_equal(parent_result("/a/.."), -EINVAL);
	assert_int_equal(parent_result("a/."), -EINVAL);
	assert_int_equal(parent_result(".."), -EINVAL);
	assert_int_equal(parent_result("dir/file/x"), -ENOTDIR);
}

/* Exchange two names below the root, forever. */
static pid_t start_swapping(const char *a, const char *b)
{
	pid_t pid = fork();

	if (pid == 0)
		for (;;)
			syscall(SYS_renameat2, root_fd, a, root_fd, b, EXCHANGE);
	assert_true(pid > 0);
	return pid;
}

static void stop_swapping(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static void test_swapped_component(void **state)
{
	cleanup_free char *absolute = NULL;
	pid_t pid;
	int i;

	(void)state;
	/* "play" is now a directory, now a link that leads out if somebody lets the kernel follow
	 * it. */
	assert_true(asprintf(&absolute, "%s/outside", top) > 0);
	run("cd %s/root && mkdir play && echo in >play/secret && ln -s %s trap", top, absolute);
	pid = start_swapping("play", "trap");
	for (i = 0; i < SWAPS; i++) {
		cleanup_close int fd = path_open_in_root(root_fd, "play/secret", O_PATH);
		int made = make_result("play/made", PATH_MAKE_FILE);
		cleanup_close int up = path_open_in_root(root_fd, "play/../play/../secret", O_PATH);

		/* All that may go wrong is that the other name was there just then. */
		assert_true(made == 0 || made == -EEXIST || made == -ENOENT || made == -EAGAIN);
		if (fd >= 0)
			assert_false(is_same(fd, "outside/secret"));
		if (up >= 0)
			assert_false(is_same(up, "outside/secret"));
	}
	stop_swapping(pid);
	assert_false(exists("outside/made"));
}

static void test_moved_directory(void **state)
{
	pid_t pid;
	int i;

	(void)state;
	/* The directory that we stand in moves up and down while we go "..": still never above the
	 * root. */
	run("cd %s/root && mkdir -p deep/a/b/c flat && touch deep/a/b/c/x", top);
	pid = start_swapping("deep/a/b", "flat");
	for (i = 0; i < SWAPS; i++) {
		cleanup_close int fd = path_open_in_root(
			root_fd, "deep/a/b/c/../../../../../outside/secret", O_PATH);
		cleanup_close int made =
			path_make_in_root(root_fd, "flat/c/../../../../outside/m", PATH_MAKE_DIR);

		assert_true(fd < 0);
		if (made >= 0)
			assert_false(is_same(made, "outside/m"));
	}
	stop_swapping(pid);
	assert_false(exists("outside/m"));
}

static void test_no_descriptor_leaks(void **state)
{
	int before = dup(root_fd), after;

	(void)state;
	close(before);
	link_to("loop", "loop");
	open_result("dir/sub/../../dir/loop/x", O_PATH);
	open_result("dir/sub/../../loop/x", O_PATH);
	make_result("dir/q/r/s/../../loop2", PATH_MAKE_FILE);
	make_result("dir/q/r/../../../loop", PATH_MAKE_FILE);
	parent_result("dir/q/r/t");
	after = dup(root_fd);
	close(after);
	assert_int_equal(before, after);
}

static void test_clean(void **state)
{
	static const char *const pairs[][2] = {
		{ "", "/" },
		{ "/", "/" },
		{ "a", "/a" },
		{ "//a//b/", "/a/b" },
		{ "./a/./b/.", "/a/b" },
		{ "a/../b", "/b" },
		{ "../../a", "/a" },
		{ "/a/b/../../..", "/" },
		{ "a/..b/...", "/a/..b/..." },
		{ "/a/b/c/../../d", "/a/d" },
		{ "..", "/" },
		{ "/.a/b.", "/.a/b." },
	};
	size_t i;

	(void)state;
	for (i = 0; i < array_size(pairs); i++) {
		cleanup_free char *clean = path_clean(pairs[i][0]);

		assert_string_equal(clean, pairs[i][1]);
	}
}

static void test_within(void **state)
{
	(void)state;
	assert_true(path_is_within("/a", "/a"));
	assert_true(path_is_within("/a/b", "/a"));
	assert_true(path_is_within("/a", "/"));
	assert_true(path_is_within("/", "/"));
	assert_false(path_is_within("/ab", "/a"));
	assert_false(path_is_within("/", "/a"));
	assert_false(path_is_within("/a", "/a/b"));
}

#define BOTH(f)                                                      \
	cmocka_unit_test_setup_teardown(f, setup_openat2, teardown), \
	{                                                            \
#f " without openat2", f, setup_walk, teardown, NULL \
	}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH(test_plain),
		BOTH(test_refused),
		BOTH(test_escapes),
		BOTH(test_links),
		BOTH(test_magic_links),
		BOTH(test_make),
		BOTH(test_make_escapes),
		BOTH(test_make_parent),
		BOTH(test_swapped_component),
		BOTH(test_moved_directory),
		BOTH(test_no_descriptor_leaks),
		cmocka_unit_test(test_clean),
		cmocka_unit_test(test_within),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_err.c - error records: chains, the printed line, the flat form. */
#include "unit.h"

#include <errno.h>

#include "base/err.h"
#include "base/mem.h"

static void assert_line(const struct err *err, const char *expected)
{
	cleanup_free char *line = err_format(err);

	assert_non_null(line);
	assert_string_equal(line, expected);
}

static void test_sys(void **state)
{
	cleanup_err struct err *err = NULL;

	(void)state;
	assert_int_equal(err_sys(&err, E_MOUNT, ENOENT, "open_tree", "/data", "/mounts/3"),
			 -ENOENT);
	assert_int_equal(err->code, E_MOUNT);
	assert_int_equal(err->errnum, ENOENT);
	assert_line(err, "/mounts/3: cannot take the mount of /data: No such file or directory");
}

static void test_sys_without_strings(void **state)
{
	cleanup_err struct err *err = NULL;

	(void)state;
	assert_int_equal(err_sys(&err, E_CGROUP, EACCES, NULL, NULL, NULL), -EACCES);
	assert_line(err, "cgroup: Permission denied");
	assert_int_equal(err_sys(&err, E_CGROUP, EACCES, "mkdirat", NULL, NULL), -EACCES);
	assert_line(err, "cannot mkdirat: Permission denied");
}

static void test_set(void **state)
{
	cleanup_err struct err *err = NULL;

	(void)state;
	assert_int_equal(err_set(&err, E_CONFIG, 0, "/process/cwd", "expected %s", "a path"),
			 -EINVAL);
	assert_line(err, "/process/cwd: expected a path");
	assert_int_equal(err_set(&err, E_CONFIG, ERANGE, NULL, "limit %d", 7), -ERANGE);
	assert_line(err, "limit 7: Numerical result out of range");
}

static void test_number_only(void **state)
{
	(void)state;
	assert_int_equal(err_sys(NULL, E_MOUNT, ENOENT, "open", "x", NULL), -ENOENT);
	assert_int_equal(err_set(NULL, E_MOUNT, 0, NULL, "x"), -EINVAL);
	assert_int_equal(err_nomem(NULL), -ENOMEM);
	err_hint(NULL, "x");
	err_replace_pointer(NULL, "/x");
	err_free(NULL);
}

static void test_wrap_and_hint(void **state)
{
	cleanup_err struct err *err = NULL;

	(void)state;
	err_sys(&err, E_USERNS_BLOCKED, EPERM, "clone3", NULL, "/linux/namespaces/0");
	err_hint(&err, "set kernel.unprivileged_userns_clone to %d", 1);
	err_hint(&err, "a second hint is not taken");
	assert_int_equal(err_wrap(&err, "create \"%s\"", "web"), -EPERM);
	assert_int_equal(err->code, E_USERNS_BLOCKED);
	assert_int_equal(err_root_code(err), E_USERNS_BLOCKED);
	err_replace_pointer(err, "/other");
	assert_null(err->pointer);
	assert_line(err, "create \"web\": /other: cannot start: Operation not permitted"
			 " (set kernel.unprivileged_userns_clone to 1)");
}

static void test_replace_pointer(void **state)
{
	cleanup_err struct err *err = NULL;

	(void)state;
	err_set(&err, E_CONFIG, 0, "/a", "not a number");
	err_replace_pointer(err, "/b");
	assert_line(err, "/b: not a number");
	err_free_ptr(&err);
	err_set(&err, E_CONFIG, 0, NULL, "not a number");
	err_replace_pointer(err, "/b");
	assert_line(err, "not a number");
}

static void test_escaped_line(void **state)
{
	cleanup_err struct err *err = NULL;

	(void)state;
	err_sys(&err, E_MOUNT, ENOENT, "open", "a\nb\x1b[31m\xe2\x80\xae\xff", NULL);
	assert_line(err, "cannot open a\\x0ab\\x1b[31m\\u202e\\xff: No such file or directory");
}

static void test_long_object(void **state)
{
	cleanup_err struct err *err = NULL;
	cleanup_free char *line = NULL;
	char object[8192];

	(void)state;
	memset(object, 'x', sizeof(object) - 1);
	object[sizeof(object) - 1] = '\0';
	err_sys(&err, E_MOUNT, ENOENT, "open", object, object);
	line = err_format(err);
	assert_non_null(strstr(line, "xxx...: No such file"));
	assert_true(strlen(line) < 2200);
}

static void test_nomem(void **state)
{
	struct err *err = NULL;

	(void)state;
	assert_int_equal(err_nomem(&err), -ENOMEM);
	assert_line(err, "out of memory");
	err_hint(&err, "x");
	err_replace_pointer(err, "/x");
	assert_null(err->hint);
	assert_null(err->pointer);
	assert_int_equal(err_wrap(&err, "parse"), -ENOMEM);
	assert_line(err, "parse: out of memory");
	err_free_ptr(&err);
	assert_null(err);
	err_free(err);
}

static void test_code_names(void **state)
{
	int i, j;

	(void)state;
	for (i = 0; i < E_MAX; i++) {
		assert_non_null(err_code_name((enum err_code)i));
		for (j = 0; j < i; j++)
			assert_string_not_equal(err_code_name((enum err_code)i),
						err_code_name((enum err_code)j));
	}
	assert_string_equal(err_code_name(E_USERNS_BLOCKED), "userns_blocked");
	assert_string_equal(err_code_name((enum err_code)12345), "internal");
}

static void test_pack(void **state)
{
	cleanup_err struct err *err = NULL, *copy = NULL;
	cleanup_free void *data = NULL;
	cleanup_free char *line = NULL;
	size_t len;

	(void)state;
	err_sys(&err, E_MOUNT, EACCES, "move_mount", "/etc", "/mounts/1");
	err_hint(&err, "a hint");
	err_wrap(&err, "set up");
	data = err_pack(err, &len);
	assert_non_null(data);
	copy = err_unpack(data, len);
	line = err_format(err);
	assert_line(copy, line);
	assert_int_equal(copy->cause->errnum, EACCES);
	assert_int_equal(err_root_code(copy), E_MOUNT);
	assert_null(copy->operation);
	assert_null(copy->cause->cause);
}

static void test_pack_large(void **state)
{
	cleanup_err struct err *err = NULL, *copy = NULL;
	cleanup_free void *data = NULL;
	const struct err *level;
	char text[6000];
	size_t len;
	int i;

	(void)state;
	memset(text, 'y', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	err_sys(&err, E_DEVICE, EEXIST, text, text, text);
	for (i = 0; i < 40; i++)
		err_wrap(&err, "%s", text);
	data = err_pack(err, &len);
	assert_true(len <= ERR_PACK_MAX);
	copy = err_unpack(data, len);
	assert_int_equal(err_root_code(copy), E_DEVICE);
	for (level = copy; level->cause; level = level->cause)
		assert_string_equal(level->text + strlen(level->text) - 4, "y...");
	assert_int_equal(level->errnum, EEXIST);
}

static void test_unpack_garbage(void **state)
{
	cleanup_err struct err *err = NULL;
	cleanup_free unsigned char *data = NULL;
	size_t len, i;

	(void)state;
	err_sys(&err, E_MOUNT, EACCES, "move_mount", "/etc", "/mounts/1");
	data = err_pack(err, &len);

	for (i = 0; i < len; i++) {
		cleanup_err struct err *cut = err_unpack(data, i);

		assert_int_equal(cut->code, E_INTERNAL);
		assert_int_equal(cut->errnum, EPROTO);
	}
	/* Any byte changed: an error object, whatever it says. */
	for (i = 0; i < len * 8; i++) {
		cleanup_err struct err *changed = NULL;
		cleanup_free char *line = NULL;

		data[i / 8] ^= (unsigned char)(1u << i % 8);
		changed = err_unpack(data, len);
		assert_non_null(changed);
		line = err_format(changed);
		assert_non_null(line);
		data[i / 8] ^= (unsigned char)(1u << i % 8);
	}
	err_free_ptr(&err);
	err = err_unpack(NULL, 0);
	assert_int_equal(err->code, E_INTERNAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sys),
		cmocka_unit_test(test_sys_without_strings),
		cmocka_unit_test(test_set),
		cmocka_unit_test(test_number_only),
		cmocka_unit_test(test_wrap_and_hint),
		cmocka_unit_test(test_replace_pointer),
		cmocka_unit_test(test_escaped_line),
		cmocka_unit_test(test_long_object),
		cmocka_unit_test(test_nomem),
		cmocka_unit_test(test_code_names),
		cmocka_unit_test(test_pack),
		cmocka_unit_test(test_pack_large),
		cmocka_unit_test(test_unpack_garbage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* plan_unit.h - for the tests of plans: golden files in data/. With UPDATE_GOLDEN=1 in the environment they are written anew. */
#ifndef MXCRUN_TESTS_PLAN_UNIT_H
#define MXCRUN_TESTS_PLAN_UNIT_H

#include "unit.h"

#include <fcntl.h>

#include "base/fd.h"
#include "engine/bwrap/emit.h"
#include "engine/lxc/emit.h"
#include "engine/oci/emit.h"
#include "engine/words.h"
#include "plan/print.h"

/* In the arena. */
static inline char *data_path(struct arena *arena, const char *name)
{
	const char *srcdir = getenv("srcdir");

	return arena_printf(arena, "%s/tests/unit/data/%s", srcdir ? srcdir : ".", name);
}

static inline void check_golden(const char *path, struct strbuf *text)
{
	cleanup_free char *expected = NULL;

	strbuf_putc(text, '\n');
	if (getenv("UPDATE_GOLDEN"))
		assert_int_equal(fd_replace_file(AT_FDCWD, path, text->data, text->len, 0644), 0);
	assert_int_equal(fd_read_file(AT_FDCWD, path, 1 << 20, &expected, NULL), 0);
	assert_string_equal(strbuf_str(text), expected);
}

static inline void check_golden_plan(struct arena *arena, const struct plan *plan, const char *name)
{
	cleanup_json_writer struct json_writer out = JSON_WRITER_INIT;

	assert_int_equal(plan_print(plan, &out), 0);
	check_golden(data_path(arena, name), &out.out);
}

/* The same plan as an OCI bundle: config.json, and then the files beside it. */
static inline void check_golden_bundle(struct arena *arena, const struct plan *plan, const char *name)
{
	cleanup_json_writer struct json_writer out = JSON_WRITER_INIT;
	struct oci_files files;

	assert_int_equal(oci_emit(arena, plan, &out, &files, NULL), 0);
	for (size_t i = 0; i < files.count; i++)
		strbuf_printf(&out.out, "\n%s %s%s %o", files.items[i].path, files.items[i].is_directory ? "directory" : "",
			      files.items[i].target ? files.items[i].target : "", files.items[i].mode);
	check_golden(data_path(arena, name), &out.out);
}

/* On a kernel whose /proc has all but one of what is masked. */
static inline enum kernel_object look_at_proc(const char *path)
{
	if (!strcmp(path, "/proc/sched_debug"))
		return OBJECT_ABSENT;
	return !strcmp(path, "/proc/acpi") || !strcmp(path, "/proc/scsi") ? OBJECT_DIRECTORY : OBJECT_FILE;
}

/* The same as a bwrap command: an argument a line, and then it as a shell takes it. */
static inline void check_golden_bwrap(struct arena *arena, const struct plan *plan, const char *name)
{
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	const struct bwrap_use use = { .target = TARGET_BWRAP, .version = BWRAP_VERSION, .look = look_at_proc };
	struct bwrap_command command;

	assert_int_equal(bwrap_emit(arena, plan, &use, &command, NULL), 0);
	for (size_t i = 0; i < command.count; i++)
		strbuf_printf(&out, "%s\n", command.argv[i]);
	assert_null(command.argv[command.count]);
	bwrap_print_shell(&command, "/some folder", &out);
	check_golden(data_path(arena, name), &out);
}

/* The same as a container of LXC: its configuration, the files beside it, and the command. */
static inline void check_golden_lxc(struct arena *arena, const struct plan *plan, const char *name)
{
	cleanup_lxc_container struct lxc_container container = LXC_CONTAINER_INIT;
	const struct lxc_use use = { .target = TARGET_LXC, .folder = "/some folder", .look = look_at_proc };
	struct strbuf *out = &container.config;

	assert_int_equal(lxc_emit(arena, plan, &use, &container, NULL), 0);
	for (size_t i = 0; i < container.files.count; i++)
		strbuf_printf(out, "\n%s %s%s %o", container.files.items[i].path,
			      container.files.items[i].is_directory ? "directory" : "",
			      container.files.items[i].target ? container.files.items[i].target : "", container.files.items[i].mode);
	strbuf_puts(out, "\n\n");
	words_put_shell(out, container.argv, container.count);
	assert_null(container.argv[container.count]);
	if (container.seccomp.len)
		strbuf_printf(out, "\n\n%s", strbuf_str(&container.seccomp));
	check_golden(data_path(arena, name), out);
}

#endif

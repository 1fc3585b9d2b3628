/* spec.c - `mxcrun spec`: a config.json to start from. */

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/fd.h"
#include "config/oci_default.h"
#include "program.h"

#define CONFIG_FILE "config.json"

/* Never over a file that somebody may have worked on. */
static int write_config(const char *bundle, const char *name, const char *text, size_t len, struct err **err)
{
	cleanup_close int dir_fd = open(bundle, O_DIRECTORY | O_RDONLY | O_CLOEXEC), fd = -1;
	int r;

	if (dir_fd < 0)
		return err_sys(err, E_USAGE, errno, "open", bundle, NULL);
	fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
		    0666);
	if (fd < 0 && errno == EEXIST)
		return err_set(err, E_EXISTS, 0, NULL,
			       "file %s exists already: remove it first", name);
	if (fd < 0)
		return err_sys(err, E_USAGE, errno, "open", name, NULL);
	r = fd_write_all(fd, text, len);
	if (r < 0) {
		unlinkat(dir_fd, name, 0);
		return err_sys(err, E_USAGE, -r, "write", name, NULL);
	}
	return 0;
}

static int make_spec(struct program *program, const char *bundle, const char *name, bool is_rootless,
		     struct err **err)
{
	cleanup_json_writer struct json_writer w = JSON_WRITER_INIT;
	struct oci_default want = { .is_rootless = is_rootless };
	int r = program_facts(program, err);

	if (r == 0)
		r = facts_read_cgroups(&program->facts, err);
	if (r < 0)
		return r;
	want.uid = program->facts.euid;
	want.gid = program->facts.egid;
	want.has_cgroup_namespace = program->facts.layout == CGROUP_LAYOUT_V2;
	if (oci_default_write(&want, &w) < 0)
		return err_nomem(err);
	strbuf_putc(&w.out, '\n');
	if (w.out.failed)
		return err_nomem(err);
	return write_config(bundle, name, w.out.data, w.out.len, err);
}

int command_spec(struct program *program, int argc, char **argv)
{
	cleanup_err struct err *err = NULL;
	struct arguments arguments;
	const char *bundle = ".", *name = CONFIG_FILE;
	bool is_rootless = false;
	int exit_code;
	const struct option_row rows[] = {
		{ "bundle", 'b', OPT_STRING, &bundle, NULL, "DIR",
		  "where to write it (default: here)" },
		{ "file", 'f', OPT_STRING, &name, NULL, "FILE",
		  "another name than " CONFIG_FILE ", relative to there" },
		{ "rootless", '\0', OPT_FLAG, &is_rootless, NULL, NULL,
		  "for a user without privilege" },
		{ 0 },
	};
	const struct command_usage usage = {
		.name = "spec",
		.options = rows,
		.summary = "Write a " CONFIG_FILE " to start from",
	};

	if (!program_arguments(program, &usage, argc, argv, &arguments, &exit_code))
		return exit_code;
	if (make_spec(program, bundle, name, is_rootless, &err) < 0)
		return program_fail(program, err);
	return 0;
}

/* checkpoint.c - `mxcrun checkpoint` and `mxcrun restore`, by the criu program. */

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/path.h"
#include "bundle.h"

#define IMAGE_PATH_DEFAULT "checkpoint"

struct criu_options {
	struct checkpoint_options all;
	const char *empty_ns;
};

/* runc's, of both commands. */
#define CRIU_OPTION_ROWS(o)                                                                                          \
	{ "image-path", '\0', OPT_STRING, &(o).all.image_path, NULL, "DIR", "the image (default: checkpoint)" },      \
		{ "work-path", '\0', OPT_STRING, &(o).all.work_path, NULL, "DIR", "where criu's log goes" },         \
		{ "tcp-established", '\0', OPT_FLAG, &(o).all.tcp_established, NULL, NULL, "with open TCP connections" }, \
		{ "ext-unix-sk", '\0', OPT_FLAG, &(o).all.ext_unix_sk, NULL, NULL, "with external Unix sockets" },   \
		{ "shell-job", '\0', OPT_FLAG, &(o).all.shell_job, NULL, NULL, "with a session of the caller's" },   \
		{ "file-locks", '\0', OPT_FLAG, &(o).all.file_locks, NULL, NULL, "with file locks" },                \
		{ "lazy-pages", '\0', OPT_FLAG, &(o).all.lazy_pages, NULL, NULL, "memory comes when it is touched" }, \
		{ "manage-cgroups-mode", '\0', OPT_STRING, &(o).all.manage_cgroups, NULL, "MODE", "criu's mode (default: ignore)" }, \
		{ "empty-ns", '\0', OPT_STRING, &(o).empty_ns, NULL, "network", "without what is in the namespace" }, \
	{                                                                                                            \
		"auto-dedup", '\0', OPT_FLAG, &(o).all.auto_dedup, NULL, NULL, "drop what a later image repeats"     \
	}

/* Relative to where we are, as criu is run from there, too. */
static int make_absolute(struct program *program, const char **path, struct err **err)
{
	if (!*path || **path == '/')
		return 0;
	if (!program->facts.cwd)
		return err_set(err, E_HOST, 0, NULL, "the path \"%.256s\" is relative to a directory out of reach", *path);
	*path = arena_printf(program->arena, "%s/%s", program->facts.cwd, *path);
	return *path ? 0 : err_nomem(err);
}

static int complete(struct program *program, struct criu_options *options, struct err **err)
{
	int r = program_facts(program, err);

	if (options->empty_ns && strcmp(options->empty_ns, "network") != 0)
		return err_set(err, E_USAGE, 0, NULL, "--empty-ns: expected network, found \"%.32s\"", options->empty_ns);
	options->all.empty_network = options->empty_ns != NULL;
	options->all.criu_program = program->criu;
	if (r == 0)
		r = make_absolute(program, &options->all.image_path, err);
	if (r == 0)
		r = make_absolute(program, &options->all.work_path, err);
	if (r == 0 && program->criu && strchr(program->criu, '/'))
		r = make_absolute(program, &options->all.criu_program, err);
	return r;
}

/* criu itself would only say that it could not connect. */
static int check_page_server(const char *server, struct err **err)
{
	const char *colon = server ? strrchr(server, ':') : NULL;
	unsigned int port = 0;
	char excess;

	if (!server || (colon && colon > server && sscanf(colon + 1, "%5u%c", &port, &excess) == 1 && port > 0 && port < 65536))
		return 0;
	return err_set(err, E_USAGE, 0, NULL, "--page-server: expected ADDRESS:PORT, found \"%.64s\"", server);
}

static int check_status_fd(const char *text, struct err **err)
{
	unsigned int fd;
	char excess;

	if (!text || (sscanf(text, "%9u%c", &fd, &excess) == 1 && fcntl((int)fd, F_GETFD) >= 0))
		return 0;
	return err_set(err, E_USAGE, 0, NULL, "--status-fd: expected the number of an open descriptor, found \"%.32s\"", text);
}

static int checkpoint(struct program *program, struct criu_options *options, const char *id, struct err **err)
{
	struct lifecycle lc;
	int r = complete(program, options, err);

	if (r == 0)
		r = check_page_server(options->all.page_server, err);
	if (r == 0)
		r = check_status_fd(options->all.status_fd, err);
	if (r == 0)
		r = program_lifecycle(program, STORE_READ, &lc, err);
	return r < 0 ? r : lifecycle_checkpoint(&lc, id, &options->all, err);
}

int command_checkpoint(struct program *program, int argc, char **argv)
{
	cleanup_err struct err *err = NULL;
	struct criu_options options = { .all = { .image_path = IMAGE_PATH_DEFAULT } };
	struct arguments arguments;
	int exit_code;
	const struct option_row rows[] = {
		CRIU_OPTION_ROWS(options),
		{ "parent-path", '\0', OPT_STRING, &options.all.parent_path, NULL, "DIR", "an earlier image, relative to this one" },
		{ "page-server", '\0', OPT_STRING, &options.all.page_server, NULL, "ADDRESS:PORT", "the pages go to a criu page-server there" },
		{ "status-fd", '\0', OPT_STRING, &options.all.status_fd, NULL, "FD", "criu writes a zero byte to it when lazy pages are ready" },
		{ "leave-running", '\0', OPT_FLAG, &options.all.leave_running, NULL, NULL, "let it go on" },
		{ "pre-dump", '\0', OPT_FLAG, &options.all.pre_dump, NULL, NULL, "its memory only, and let it go on" },
		{ "tcp-skip-in-flight", '\0', OPT_FLAG, &options.all.tcp_skip_in_flight, NULL, NULL,
		  "without connections that are being made" },
		{ "link-remap", '\0', OPT_FLAG, &options.all.link_remap, NULL, NULL, "with files that have no name any more" },
		{ 0 },
	};
	const struct command_usage usage = {
		.name = "checkpoint", .arguments = "ID", .options = rows, .least = 1, .most = 1,
		.summary = "Save a running container as an image on disk",
	};

	if (!program_arguments(program, &usage, argc, argv, &arguments, &exit_code))
		return exit_code;
	return checkpoint(program, &options, arguments.items[0], &err) < 0 ? program_fail(program, err) : 0;
}

static int restore(struct program *program, const struct bundle_options *bundle, struct criu_options *options, bool detach,
		   const char *id, int *ret_exit_code, struct err **err)
{
	struct bundle_request request;
	struct lifecycle lc;
	int r = store_check_id(id, err);

	if (r == 0)
		r = complete(program, options, err);
	if (r == 0)
		r = bundle_request_fill(program, bundle, id, &request, err);
	if (r == 0)
		r = program_lifecycle(program, STORE_MAKE, &lc, err);
	return r < 0 ? r : lifecycle_restore(&lc, &request.request, &options->all, detach, ret_exit_code, err);
}

int command_restore(struct program *program, int argc, char **argv)
{
	cleanup_err struct err *err = NULL;
	struct bundle_options bundle = BUNDLE_OPTIONS_INIT;
	struct criu_options options = { .all = { .image_path = IMAGE_PATH_DEFAULT } };
	struct arguments arguments;
	bool detach = false;
	int exit_code;
	const struct option_row rows[] = {
		BUNDLE_OPTION_ROWS(bundle),
		CRIU_OPTION_ROWS(options),
		{ "detach", 'd', OPT_FLAG, &detach, NULL, NULL, "leave it running and return" },
		{ "lsm-profile", '\0', OPT_STRING, &options.all.lsm_profile, NULL, "TYPE:NAME", "another security profile" },
		{ "lsm-mount-context", '\0', OPT_STRING, &options.all.lsm_mount_context, NULL, "CONTEXT", "another mount label" },
		{ 0 },
	};
	const struct command_usage usage = {
		.name = "restore", .arguments = "ID", .options = rows, .least = 1, .most = 1,
		.summary = "Make a container from a bundle and a saved image",
	};

	if (!program_arguments(program, &usage, argc, argv, &arguments, &exit_code))
		return exit_code;
	if (restore(program, &bundle, &options, detach, arguments.items[0], &exit_code, &err) < 0)
		return program_fail(program, err);
	return exit_code;
}

/* main.c - global options, a table of commands, and a loop. */

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/strbuf.h"
#include "program.h"
#include "version.h"

struct command {
	const char *name;
	int (*run)(struct program *program, int argc, char **argv);
	const char *summary;
};

static const struct command commands[] = {
	{ "create", command_create, "create a container from a bundle" },
	{ "start", command_start, "execute the program of a created container" },
	{ "run", command_run, "create and start a container" },
	{ "exec", command_exec, "run one more program in a container" },
	{ "state", command_state, "print the state of a container" },
	{ "list", command_list, "list the containers of the state directory" },
	{ "checkpoint", command_checkpoint, "save a running container as an image on disk" },
	{ "restore", command_restore, "make a container from a bundle and a saved image" },
	{ "events", command_events, "report what a container uses, and its out-of-memory kills" },
	{ "ps", command_ps, "list the processes of a container" },
	{ "update", command_update, "change the limits of a container" },
	{ "kill", command_kill, "send a signal to a container" },
	{ "pause", command_pause, "freeze all processes of a container" },
	{ "resume", command_resume, "thaw all processes of a container" },
	{ "delete", command_delete, "remove a container" },
	{ "spec", command_spec, "write a config.json to start from" },
	{ "features", command_features, "print what the runtime supports" },
	{ "plan", command_plan, "print what would be done for a bundle or a policy" },
	{ "emit", command_emit, "print a bundle or a policy in the form of another runtime" },
	{ "doctor", command_doctor, "print what this host can enforce, and what of a policy it can't" },
	{ "mxc", command_mxc, "run an MXC sandbox policy" },
	{ "image", command_image, "keep root file systems for policies that ask for a distribution" },
	{ "gc", command_gc, "reclaim what crashes have left behind" },
};

static const char *const manager_words[] = {
	[CGROUP_MANAGER_CGROUPFS] = "cgroupfs",
	[CGROUP_MANAGER_SYSTEMD] = "systemd",
	[CGROUP_MANAGER_DISABLED] = "disabled",
	NULL,
};
static const char *const rootless_words[] = { "auto", "true", "false", NULL };

static int print_help(const struct program *program, const struct option_row *rows)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	strbuf_puts(&text, "Usage: mxcrun [options] COMMAND [arguments]\n\n"
			   "Runs OCI bundles and MXC sandbox policies.\n\nCommands:\n");
	for (size_t i = 0; i < array_size(commands); i++)
		strbuf_printf(&text, "  %-10s %s\n", commands[i].name, commands[i].summary);
	strbuf_puts(&text, "\nOptions, before the command:\n");
	options_describe(rows, &text);
	strbuf_puts(
		&text,
		"  --help, -h                         show this text; after a command: its own\n");
	return program_print(program, strbuf_str(&text));
}

static int dispatch(struct program *program, const struct arguments *arguments)
{
	cleanup_err struct err *err = NULL;
	cleanup_strbuf struct strbuf shown = STRBUF_INIT;
	const char *name = arguments->items[0];

	for (size_t i = 0; i < array_size(commands); i++)
		if (!strcmp(commands[i].name, name))
			return commands[i].run(program, arguments->count - 1, arguments->items + 1);
	strbuf_put_escaped(&shown, name, strlen(name), 64);
	err_set(&err, E_USAGE, 0, NULL, "unknown command \"%s\"", strbuf_str(&shown));
	err_hint(&err, "see `mxcrun --help`");
	return program_fail(program, err);
}

static int read_and_dispatch(struct program *program, int argc, char **argv)
{
	cleanup_err struct err *err = NULL;
	struct arguments arguments;
	const char *log_path = NULL;
	bool wants_version = false;
	int engine = -1;
	const struct option_row rows[] = {
		{ "root", '\0', OPT_STRING, &program->root, NULL, "DIR", "state directory" },
		{ "admin-config", '\0', OPT_STRING, &program->admin_config, NULL, "FILE",
		  "instead of /etc/mxcrun/mxcrun.json" },
		ENGINE_OPTION(&engine),
		{ "log", '\0', OPT_STRING, &log_path, NULL, "FILE",
		  "append errors and warnings to FILE" },
		{ "log-format", '\0', OPT_WORD, &program->output.format, log_format_words,
		  "text|json", "form of the log" },
		{ "debug", '\0', OPT_FLAG, &program->is_debug, NULL, NULL, "log what is done" },
		{ "systemd-cgroup", '\0', OPT_FLAG, &program->wants_systemd_cgroup, NULL, NULL,
		  "let systemd make the cgroups" },
		{ "cgroup-manager", '\0', OPT_WORD, &program->cgroup_manager, manager_words, "WORD",
		  "cgroupfs, systemd or disabled" },
		{ "criu", '\0', OPT_STRING, &program->criu, NULL, "PROGRAM", "of checkpoint and restore: another criu" },
		{ "rootless", '\0', OPT_WORD, &program->rootless, rootless_words, "auto|true|false",
		  "accepted for runc's callers: what is possible is found out" },
		{ "version", 'v', OPT_FLAG, &wants_version, NULL, NULL, "print the version" },
		{ 0 },
	};

	if (options_read(rows, OPTIONS_FIRST, argc, argv, &arguments, &err) < 0) {
		err_hint(&err, "see `mxcrun --help`");
		return program_fail(program, err);
	}
	if (log_path && log_path[0] && output_open_log(&program->output, log_path, &err) < 0)
		return program_fail(program, err);
	if (wants_version)
		return program_print(program, VERSION_TEXT);
	if (arguments.wants_help || arguments.count == 0 || !strcmp(arguments.items[0], "help"))
		return print_help(program, rows);
	program_choose_engine(program, engine);
	if (program->wants_systemd_cgroup)
		program->cgroup_manager = CGROUP_MANAGER_SYSTEMD;
	program->log.level = program->is_debug ? LOG_LEVEL_DEBUG : LOG_LEVEL_WARNING;
	return dispatch(program, &arguments);
}

static bool is_called_as(const char *path, const char *name)
{
	const char *slash = path ? strrchr(path, '/') : NULL;

	return path && !strcmp(slash ? slash + 1 : path, name);
}

/* Installed set-uid, or started by a daemon that took on another real user: whoever asks is the real
 * user, and what he may not do himself is not done for him. For good, and before anything is read. */
static int become_caller(void)
{
	uid_t uid = getuid();
	gid_t gid = getgid();

	if (geteuid() == uid && getegid() == gid)
		return 0;
	/* The last call: without it /proc/self would be root's. */
	return setresgid(gid, gid, gid) < 0 || setresuid(uid, uid, uid) < 0 ||
			       prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) < 0
		       ? -errno
		       : 0;
}

/* Standard error may be what is missing: then nobody hears it. */
static int fail_to_begin(const struct program *program)
{
	cleanup_err struct err *err = NULL;

	err_sys(&err, E_HOST, errno, "take over", "standard input, output, error and the caller's ids", NULL);
	err_hint(&err, "what of those is closed becomes /dev/null, which has to be there, and descriptors to be had");
	return program_fail(program, err);
}

int main(int argc, char **argv)
{
	struct program program = { .output = OUTPUT_INIT, .store = STORE_INIT };
	int exit_code;

	/* A caller that closes our standard I/O must not get our own files in its place; one that
	 * does not read on must not end us in the middle. */
	if (fd_guard_stdio() < 0 || become_caller() < 0)
		return fail_to_begin(&program);
	signal(SIGPIPE, SIG_IGN);
	/* a file beyond the caller's limit is an error like a full disk, EFBIG, and not our end */
	signal(SIGXFSZ, SIG_IGN);
	/* One that ignores the end of its children would keep us from learning of ours. */
	signal(SIGCHLD, SIG_DFL);
	program.log = (struct log){
		.level = LOG_LEVEL_WARNING,
		.write = output_log_line,
		.data = &program.output,
	};
	if (is_called_as(argv[0], "lxc-exec"))
		exit_code = command_mxc_run(&program, argc - 1, argv + 1);
	else
		exit_code = read_and_dispatch(&program, argc > 0 ? argc - 1 : 0, argv + 1);
	store_close(&program.store);
	arena_free_ptr(&program.arena);
	output_close(&program.output);
	return exit_code;
}

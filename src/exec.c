/* exec.c - `mxcrun exec`. */

#include <stdlib.h>
#include <string.h>

#include "bundle.h"

#define EXIT_CODE_EXEC_FAILED 255 /* as runc's */

struct exec_options {
	struct bundle_options bundle; /* of it the terminal, the pid file and the descriptors */
	struct option_list env, capabilities, groups, cgroups;
	const char *cwd, *user, *process_file, *label, *apparmor;
	bool detach, tty, no_new_privileges, ignore_paused;
};

/* The arrays that options_read() fills: no list is longer than the command line. */
static int make_lists(struct exec_options *options, int argc, struct err **err)
{
	struct option_list *lists[] = { &options->env, &options->capabilities, &options->groups, &options->cgroups };

	for (size_t i = 0; i < array_size(lists); i++) {
		lists[i]->items = calloc((size_t)argc + 1, sizeof(*lists[i]->items));
		if (!lists[i]->items)
			return err_nomem(err);
	}
	return 0;
}

static void exec_options_done(struct exec_options *options)
{
	free(options->env.items);
	free(options->capabilities.items);
	free(options->cgroups.items);
	free(options->groups.items);
}
#define cleanup_exec_options __attribute__((cleanup(exec_options_done)))

/* A number below 2^32-1, up to end; what is behind it goes to *ret_rest. */
static int parse_id(const char *option, const char *text, char end, const char **ret_rest, uint32_t *ret,
		    struct err **err)
{
	char *rest;
	unsigned long long number = strtoull(text, &rest, 10);

	if (text[0] < '0' || text[0] > '9' || number >= UINT32_MAX || (*rest && *rest != end))
		return err_set(err, E_USAGE, 0, NULL, "--%s: expected a numeric id, found \"%.64s\"", option, text);
	*ret = (uint32_t)number;
	*ret_rest = *rest ? rest + 1 : NULL;
	return 0;
}

/* UID or UID:GID */
static int parse_user(const char *text, struct oci_exec_changes *changes, struct err **err)
{
	const char *rest = NULL;
	int r;

	if (!text)
		return 0;
	changes->uid.set = true;
	r = parse_id("user", text, ':', &rest, &changes->uid.value, err);
	if (r < 0 || !rest)
		return r;
	changes->gid.set = true;
	return parse_id("user", rest, '\0', &rest, &changes->gid.value, err);
}

static int parse_groups(const struct option_list *list, struct oci_ids *ret, struct err **err)
{
	const char *rest;
	int r = 0;

	ret->items = calloc(list->count + 1, sizeof(*ret->items));
	if (!ret->items)
		return err_nomem(err);
	for (ret->count = 0; ret->count < list->count && r == 0; ret->count++)
		r = parse_id("additional-gids", list->items[ret->count], '\0', &rest, &ret->items[ret->count],
			     err);
	return r;
}

static int check_env(const struct option_list *list, struct err **err)
{
	for (size_t i = 0; i < list->count; i++)
		if (!strchr(list->items[i], '=') || list->items[i][0] == '=')
			return err_set(err, E_USAGE, 0, NULL, "--env: expected NAME=value, found \"%.64s\"", list->items[i]);
	return 0;
}

static int fill_changes(const struct exec_options *options, const struct arguments *arguments,
			struct oci_exec_changes *ret, struct err **err)
{
	int r;

	*ret = (struct oci_exec_changes){
		.args = { (const char **)arguments->items + 1, (size_t)arguments->count - 1, true },
		.env = { options->env.items, options->env.count, true },
		.capabilities = { options->capabilities.items, options->capabilities.count, true },
		.cwd = options->cwd,
		.apparmor_profile = options->apparmor,
		.selinux_label = options->label,
		.no_new_privileges = { options->no_new_privileges, true },
		.terminal = options->tty,
	};
	r = parse_user(options->user, ret, err);
	if (r == 0)
		r = parse_groups(&options->groups, &ret->additional_gids, err);
	if (r == 0)
		r = check_env(&options->env, err);
	if (r == 0 && !options->process_file && arguments->count < 2)
		r = err_set(err, E_USAGE, 0, NULL, "expected a program to run, or --process FILE");
	return r;
}

static int exec(struct program *program, const struct exec_options *options,
		const struct arguments *arguments, int *ret_exit_code, struct err **err)
{
	cleanup_waiting struct engine_child waiting = ENGINE_CHILD_INIT;
	const char *id = arguments->items[0];
	struct bundle_request bundle;
	struct exec_request request = { 0 };
	struct supervised end = { .cause = ENDED_BY_ITSELF };
	struct lifecycle lc;
	int r = store_check_id(id, err);

	if (r == 0)
		r = bundle_request_fill(program, &options->bundle, id, &bundle, err);
	if (r == 0)
		r = fill_changes(options, arguments, &request.changes, err);
	if (r == 0)
		request.waiting = wait_for_plan(&bundle.request.plan, &waiting);
	if (r == 0)
		r = program_facts(program, err);
	if (r == 0)
		r = program_lifecycle(program, STORE_READ, &lc, err);
	if (r == 0) {
		request.plan = bundle.request.plan;
		request.console_socket = bundle.request.console_socket;
		request.announcement = bundle.request.announcement;
		request.process_file = options->process_file;
		request.cgroups = (struct string_list){ options->cgroups.items, options->cgroups.count, true };
		request.detach = options->detach;
		request.ignore_paused = options->ignore_paused;
		r = lifecycle_exec(&lc, &request, &end, err);
		*ret_exit_code = supervised_exit_code(end.status);
	}
	free(request.changes.additional_gids.items);
	return r;
}

int command_exec(struct program *program, int argc, char **argv)
{
	cleanup_err struct err *err = NULL;
	cleanup_exec_options struct exec_options options = { .bundle = BUNDLE_OPTIONS_INIT };
	struct arguments arguments;
	int exit_code;
	const struct option_row rows[] = {
		{ "process", 'p', OPT_STRING, &options.process_file, NULL, "FILE|-", "the process as process.json" },
		{ "detach", 'd', OPT_FLAG, &options.detach, NULL, NULL, "leave it running and return" },
		{ "tty", 't', OPT_FLAG, &options.tty, NULL, NULL, "give it a terminal" },
		PROCESS_OPTION_ROWS(options.bundle),
		{ "user", 'u', OPT_STRING, &options.user, NULL, "UID[:GID]", "ids to run as" },
		{ "additional-gids", 'g', OPT_LIST, &options.groups, NULL, "GID", "one more group" },
		{ "cwd", '\0', OPT_STRING, &options.cwd, NULL, "DIR", "working directory" },
		{ "env", 'e', OPT_LIST, &options.env, NULL, "NAME=value", "one more variable" },
		{ "cap", 'c', OPT_LIST, &options.capabilities, NULL, "CAP", "one more capability" },
		{ "no-new-privs", '\0', OPT_FLAG, &options.no_new_privileges, NULL, NULL,
		  "no set-uid program has an effect" },
		{ "apparmor", '\0', OPT_STRING, &options.apparmor, NULL, "PROFILE", "AppArmor profile" },
		{ "process-label", '\0', OPT_STRING, &options.label, NULL, "LABEL", "SELinux label" },
		{ "cgroup", '\0', OPT_LIST, &options.cgroups, NULL, "[CONTROLLER,...:]PATH",
		  "a group below the container's" },
		{ "ignore-paused", '\0', OPT_FLAG, &options.ignore_paused, NULL, NULL,
		  "also in a paused container, where it waits" },
		{ 0 },
	};
	const struct command_usage usage = {
		.name = "exec",
		.arguments = "ID [PROGRAM [ARGUMENT...]]",
		.options = rows,
		.least = 1,
		.most = INT32_MAX,
		.order = OPTIONS_FIRST,
		.summary = "Run one more program in a container",
	};

	if (make_lists(&options, argc, &err) < 0)
		return program_fail(program, err);
	if (!program_arguments(program, &usage, argc, argv, &arguments, &exit_code))
		return exit_code;
	if (exec(program, &options, &arguments, &exit_code, &err) < 0) {
		program_fail(program, err);
		return program_failure_code(err, EXIT_CODE_EXEC_FAILED);
	}
	return exit_code;
}

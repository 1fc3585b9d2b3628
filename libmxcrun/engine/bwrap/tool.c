/* tool.c - see tool.h. */
#include "engine/bwrap/tool.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"

#define HELP_MAX 65536u

/* Never by PATH: it is started with the caller's rights. */
const char *bwrap_tool_find(struct err **err)
{
	static const char *const places[] = { "/usr/bin/bwrap", "/usr/local/bin/bwrap", "/bin/bwrap" };

	for (size_t i = 0; i < array_size(places); i++)
		if (access(places[i], X_OK) == 0)
			return places[i];
	err_set(err, E_HOST, 0, NULL, "the engine bwrap needs the program bwrap, and this host has none");
	err_hint(err, "install the package bubblewrap, version 0.5 or later");
	return NULL;
}

/* What it prints when asked for help; malloc'd. */
static int read_help(const char *path, char **ret)
{
	char *const argv[] = { (char[]){ "bwrap" }, (char[]){ "--help" }, NULL }, *const envp[] = { NULL };
	cleanup_close int read_fd = -1, write_fd = -1;
	posix_spawn_file_actions_t actions;
	int pair[2], status, r;
	pid_t pid;

	if (pipe2(pair, O_CLOEXEC) < 0)
		return -errno;
	read_fd = pair[0];
	write_fd = pair[1];
	posix_spawn_file_actions_init(&actions);
	/* before 0.4 it went to standard error */
	r = posix_spawn_file_actions_adddup2(&actions, write_fd, STDOUT_FILENO);
	if (r == 0)
		r = posix_spawn_file_actions_adddup2(&actions, write_fd, STDERR_FILENO);
	if (r == 0)
		r = posix_spawn(&pid, path, &actions, NULL, argv, envp);
	posix_spawn_file_actions_destroy(&actions);
	if (r)
		return -r;
	fd_close_ptr(&write_fd);
	r = fd_read_all(read_fd, HELP_MAX, ret, NULL);
	fd_close_ptr(&read_fd);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return r;
}

/* A line of the help begins with it. */
static bool has_option(const char *help, const char *option)
{
	size_t len = strlen(option);

	for (const char *at = strstr(help, option); at; at = strstr(at + 1, option))
		if (at > help && at[-1] == ' ' && (at[len] == ' ' || at[len] == '\n'))
			return true;
	return false;
}

int bwrap_tool_check(const char *path, struct err **err)
{
	/* the newest of those that engine/bwrap/emit.c uses in a run: of 0.5 and of before */
	static const char *const options[] = { "--perms", "--ro-bind-data", "--userns-block-fd", "--info-fd", "--as-pid-1" };
	cleanup_free char *help = NULL;
	int r = read_help(path, &help);

	if (r < 0)
		return err_sys(err, E_HOST, -r, "posix_spawn", path, NULL);
	for (size_t i = 0; i < array_size(options); i++) {
		if (has_option(help, options[i]))
			continue;
		r = err_set(err, E_HOST, 0, NULL, "the engine bwrap: %s is too old, it has no option %s", path, options[i]);
		err_hint(err, "install the package bubblewrap, version 0.5 or later");
		return r;
	}
	return 0;
}

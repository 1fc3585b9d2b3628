/* tool.c - see tool.h. */
#include "engine/tool.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"

#define ANSWER_MAX 65536u

/* Never by PATH: it is started with the caller's rights. */
const char *engine_tool_find(const struct engine_tool *tool, struct err **err)
{
	for (const char *const *path = tool->paths; *path; path++)
		if (access(*path, X_OK) == 0)
			return *path;
	err_set(err, E_HOST, 0, NULL, "the engine %s needs the program %s, and this host has none", tool->engine,
		strrchr(tool->paths[0], '/') + 1);
	err_hint(err, "%s", tool->remedy);
	return NULL;
}

int engine_tool_ask(const char *path, const char *option, char **ret)
{
	const char *name = strrchr(path, '/') + 1;
	char *const argv[] = { (char *)(uintptr_t)name, (char *)(uintptr_t)option, NULL }, *const envp[] = { NULL };
	cleanup_close int read_fd = -1, write_fd = -1;
	posix_spawn_file_actions_t actions;
	int pair[2], status, r;
	pid_t pid;

	if (pipe2(pair, O_CLOEXEC) < 0)
		return -errno;
	read_fd = pair[0];
	write_fd = pair[1];
	posix_spawn_file_actions_init(&actions);
	/* some, such as bwrap before 0.4, print their help to standard error */
	r = posix_spawn_file_actions_adddup2(&actions, write_fd, STDOUT_FILENO);
	if (r == 0)
		r = posix_spawn_file_actions_adddup2(&actions, write_fd, STDERR_FILENO);
	if (r == 0)
		r = posix_spawn(&pid, path, &actions, NULL, argv, envp);
	posix_spawn_file_actions_destroy(&actions);
	if (r)
		return -r;
	fd_close_ptr(&write_fd);
	r = fd_read_all(read_fd, ANSWER_MAX, ret, NULL);
	fd_close_ptr(&read_fd);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return r;
}

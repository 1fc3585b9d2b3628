/* tool.c - see tool.h. */
#include "engine/tool.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/input.h"

#define ANSWER_MAX 65536u
#define ANSWER_WAIT_MS 10000

/* Never by PATH: it is started with the caller's rights. */
const char *engine_tool_find(const struct engine_tool *tool, struct err **err)
{
	for (const char *const *path = tool->paths; *path; path++)
		if (access(*path, X_OK) == 0)
			return *path;
	err_set(err, E_HOST, 0, NULL, "the engine %s needs the program %s, and this host has none", tool->engine, tool->program);
	err_hint(err, "%s", tool->remedy);
	return NULL;
}

/* In a group of its own, with all that it starts. -errno. */
static int spawn(const char *path, const char *option, int output_fd, pid_t *ret)
{
	const char *name = strrchr(path, '/') + 1;
	char *const argv[] = { (char *)(uintptr_t)name, (char *)(uintptr_t)option, NULL }, *const envp[] = { NULL };
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	int r;

	posix_spawn_file_actions_init(&actions);
	posix_spawnattr_init(&attributes);
	r = posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
	/* some, such as bwrap before 0.4, print their help to standard error */
	if (r == 0)
		r = posix_spawn_file_actions_adddup2(&actions, output_fd, STDOUT_FILENO);
	if (r == 0)
		r = posix_spawn_file_actions_adddup2(&actions, output_fd, STDERR_FILENO);
	if (r == 0)
		r = posix_spawn(ret, path, &actions, &attributes, argv, envp);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	return -r;
}

static int ask(const char *path, const char *option, char **ret)
{
	cleanup_close int read_fd = -1, write_fd = -1;
	int pair[2], status, r;
	pid_t pid = -1;
	size_t len;

	if (pipe2(pair, O_CLOEXEC) < 0)
		return -errno;
	read_fd = pair[0];
	write_fd = pair[1];
	r = spawn(path, option, write_fd, &pid);
	if (r < 0)
		return r;
	fd_close_ptr(&write_fd);
	r = input_read_pipe(read_fd, ANSWER_MAX, ANSWER_WAIT_MS, ret, &len);
	if (r < 0 && pid > 0)
		(void)kill(-pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return r;
}

int engine_tool_ask(const char *path, const char *option, char **ret, struct err **err)
{
	int r = ask(path, option, ret);

	return r < 0 ? err_set(err, E_HOST, -r, NULL, "asking %s for its %s", path, option) : 0;
}

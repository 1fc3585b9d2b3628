/* tool.c - see tool.h. What the program says on standard error goes to a memory file, so that one error has one line. */
#include "lifecycle/tool.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"

#define SAID_SIZE 512

static int spawn(const char *const argv[], int said_fd, pid_t *ret)
{
	posix_spawn_file_actions_t actions;
	char *words[32];
	size_t count = 0;
	int r;

	/* POSIX has it without const, and doesn't write to it */
	for (; argv[count] && count + 1 < array_size(words); count++)
		words[count] = (char *)(uintptr_t)argv[count];
	if (argv[count])
		return E2BIG;
	words[count] = NULL;
	posix_spawn_file_actions_init(&actions);
	r = posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	if (r == 0)
		r = posix_spawn_file_actions_adddup2(&actions, said_fd, STDERR_FILENO);
	if (r == 0)
		r = posix_spawnp(ret, argv[0], &actions, NULL, words, environ);
	posix_spawn_file_actions_destroy(&actions);
	return r;
}

static int fail(const char *name, int said_fd, struct err **err)
{
	char said[SAID_SIZE];
	ssize_t len = pread(said_fd, said, sizeof(said) - 1, 0);

	said[len > 0 ? len : 0] = 0;
	said[strcspn(said, "\n")] = 0;
	return err_set(err, E_HOST, 0, NULL, "%s failed: %s", name, *said ? said : "it did not say why");
}

int tool_run(const char *const argv[], struct err **err)
{
	cleanup_close int said_fd = memfd_create("said", MFD_CLOEXEC);
	int status = 0, r;
	pid_t child;

	if (said_fd < 0)
		return err_sys(err, E_INTERNAL, errno, "memfd_create", argv[0], NULL);
	r = spawn(argv, said_fd, &child);
	if (r) {
		err_sys(err, E_HOST, r, "execute", argv[0], NULL);
		err_hint(err, "install %s", argv[0]);
		return -r;
	}
	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return err_sys(err, E_PROCESS, errno, "waitpid", argv[0], NULL);
	return status ? fail(argv[0], said_fd, err) : 0;
}

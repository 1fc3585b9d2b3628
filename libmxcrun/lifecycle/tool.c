/* tool.c - see tool.h. What the program says on standard error goes to a memory file, so that one error has one line. */
#include "lifecycle/tool.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"

#define SAID_SIZE 4096
#define NOT_FOUND 127	/* as shells say it */

static void end_all(int number)
{
	(void)number;
	(void)kill(0, SIGKILL);
}

/* Between us and the program, as leader of a group that all it starts belong to: when we are gone, they go. */
static void watch(pid_t parent)
{
	int status = 0;
	pid_t child;

	if (setpgid(0, 0) < 0 || signal(SIGTERM, end_all) == SIG_ERR || prctl(PR_SET_PDEATHSIG, SIGTERM) < 0 || getppid() != parent)
		_exit(NOT_FOUND);
	child = fork();
	if (child == 0)
		return;
	while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	_exit(child < 0 ? NOT_FOUND : WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

/* Never returns. No posix_spawn: it can't tie the program's life to ours. */
static void become(const struct tool_use *use, int said_fd)
{
	int null_fd = open("/dev/null", O_RDONLY);

	if (signal(SIGTERM, SIG_DFL) == SIG_ERR || null_fd < 0)
		_exit(NOT_FOUND);
	if (use->held_fd >= 0 && fcntl(use->held_fd, F_SETFD, 0) < 0)
		_exit(NOT_FOUND);
	if (dup2(null_fd, STDIN_FILENO) < 0 || dup2(use->output_fd >= 0 ? use->output_fd : said_fd, STDOUT_FILENO) < 0 ||
	    dup2(said_fd, STDERR_FILENO) < 0)
		_exit(NOT_FOUND);
	/* POSIX has it without const, and doesn't write to it */
	execvpe(use->argv[0], (char *const *)(uintptr_t)use->argv, use->envp ? use->envp : environ);
	_exit(NOT_FOUND);
}

static int fail(const char *name, int said_fd, struct err **err)
{
	char said[SAID_SIZE];
	ssize_t len = pread(said_fd, said, sizeof(said) - 1, 0);
	char *line;

	said[len > 0 ? len : 0] = 0;
	line = strstr(said, "ERROR: ");
	line = line ? line + strlen("ERROR: ") : said;
	line[strcspn(line, "\n")] = 0;
	return err_set(err, E_HOST, 0, NULL, "%s failed: %.512s", name, *line ? line : "it did not say why");
}

int tool_run(const struct tool_use *use, struct err **err)
{
	cleanup_close int said_fd = memfd_create("said", MFD_CLOEXEC);
	pid_t parent = getpid(), child;
	int status = 0;

	if (said_fd < 0)
		return err_sys(err, E_INTERNAL, errno, "memfd_create", use->argv[0], NULL);
	child = fork();
	if (child == 0) {
		watch(parent);
		become(use, said_fd);
	}
	if (child < 0)
		return err_sys(err, E_PROCESS, errno, "fork", use->argv[0], NULL);
	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return err_sys(err, E_PROCESS, errno, "waitpid", use->argv[0], NULL);
	if (WIFEXITED(status) && WEXITSTATUS(status) == NOT_FOUND && lseek(said_fd, 0, SEEK_END) == 0) {
		err_sys(err, E_HOST, ENOENT, "execute", use->argv[0], NULL);
		err_hint(err, "install %s", use->argv[0]);
		return -ENOENT;
	}
	return status ? fail(use->argv[0], said_fd, err) : 0;
}

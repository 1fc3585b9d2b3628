/* background.c - see background.h. */
#include "lifecycle/background.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"

#define RUNNING 'r' /* no packed error is that short */

/* What its caller gave the command is not marked, what it has opened itself is. Somebody may wait for the end of a pipe of his. */
static int close_inherited(void)
{
	DIR *dir = opendir("/proc/self/fd");
	const struct dirent *entry;

	if (!dir)
		return -errno;
	while ((entry = readdir(dir))) {
		int fd = atoi(entry->d_name), flags = fd > STDERR_FILENO ? fcntl(fd, F_GETFD) : FD_CLOEXEC;

		if (flags >= 0 && !(flags & FD_CLOEXEC))
			close(fd);
	}
	closedir(dir);
	return 0;
}

static int detach(void)
{
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (fd < 0 || setsid() < 0 || chdir("/") < 0)
		return -errno;
	for (int stream = STDIN_FILENO; stream <= STDERR_FILENO; stream++)
		if (dup2(fd, stream) < 0)
			return -errno;
	close(fd);
	(void)prctl(PR_SET_NAME, "mxcrun-sandbox");
	return close_inherited();
}

static void tell_running(void *data)
{
	const char word = RUNNING;
	int *fd = data;

	/* the command may be gone: the sandbox runs all the same */
	(void)fd_write_all(*fd, &word, 1);
	fd_close_ptr(fd);
}

static void tell_failure(int fd, const struct err *failure)
{
	size_t len = 0;
	cleanup_free void *packed = err_pack(failure, &len);

	if (fd >= 0 && packed)
		(void)fd_write_all(fd, packed, len);
}

static int hear(int fd, struct err **err)
{
	char buf[ERR_PACK_MAX];
	ssize_t len;

	do
		len = read(fd, buf, sizeof(buf));
	while (len < 0 && errno == EINTR);
	if (len == 1 && buf[0] == RUNNING)
		return 0;
	if (len <= 0)
		return err_set(err, E_PROCESS, len < 0 ? errno : 0, NULL, "the sandbox's supervisor ended before the sandbox ran");
	if (err)
		*err = err_unpack(buf, (size_t)len);
	return -EINVAL;
}

int background_start(const struct lifecycle *lc,
		     int (*function)(const struct lifecycle *lc, void *data, void (*on_running)(void *), void *told, struct err **err),
		     void *data, struct err **err)
{
	cleanup_close int read_fd = -1;
	struct err *failure = NULL;
	int pair[2], r;
	pid_t pid;

	if (pipe2(pair, O_CLOEXEC) < 0)
		return err_sys(err, E_PROCESS, errno, "pipe2", "the sandbox's supervisor", NULL);
	read_fd = pair[0];
	pid = fork();
	if (pid == 0) {
		(void)signal(SIGPIPE, SIG_IGN);
		fd_close_ptr(&read_fd);
		r = detach();
		if (r < 0)
			err_sys(&failure, E_PROCESS, -r, "detaching", "the sandbox's supervisor", NULL);
		else
			r = function(lc, data, tell_running, &pair[1], &failure);
		if (r < 0)
			tell_failure(pair[1], failure);
		_exit(r < 0);
	}
	close(pair[1]);
	if (pid < 0)
		return err_sys(err, E_PROCESS, errno, "fork", "the sandbox's supervisor", NULL);
	r = hear(read_fd, err);
	if (r < 0)
		(void)waitpid(pid, NULL, 0);
	return r;
}

/* carried.c - the program that makes a container in our place: how it ends, and what it said.
 *
 * It stays init's parent until init is ready. Then it is killed, and init, being orphaned, becomes the child of the nearest
 * subreaper, which we are for that moment: from there on init is our child, as one that we made ourselves.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/sys.h"
#include "engine/calls.h"
#include "engine/native/parent.h"

#define END_WAIT_MS 5000
#define WORDS_MAX 1024

#ifndef P_PIDFD
#define P_PIDFD 3
#endif

/* The last line of what it has written, without its own name in front. */
static const char *last_words(const struct carrier *carrier, char *buf, size_t size)
{
	off_t end = lseek(carrier->errors_fd, 0, SEEK_END);
	off_t start = end > (off_t)size - 1 ? end - (off_t)size + 1 : 0;
	ssize_t n = end > 0 ? pread(carrier->errors_fd, buf, size - 1, start) : 0;
	size_t name_len = strlen(carrier->name);
	char *line;

	while (n > 0 && buf[n - 1] == '\n')
		n--;
	buf[n > 0 ? n : 0] = 0;
	line = strrchr(buf, '\n');
	line = line ? line + 1 : buf;
	return !strncmp(line, carrier->name, name_len) && line[name_len] == ':' ? line + name_len + 1 + (line[name_len + 1] == ' ')
									       : line;
}

/* LXC tells the cause first, behind "lxc-start: NAME: FILE: FUNCTION: LINE ". */
static const char *first_words(const struct carrier *carrier, char *buf, size_t size)
{
	ssize_t n = pread(carrier->errors_fd, buf, size - 1, 0);
	const char *line = buf, *next;

	buf[n > 0 ? n : 0] = 0;
	buf[strcspn(buf, "\n")] = 0;
	for (int i = 0; i < 4 && (next = strstr(line, ": ")); i++)
		line = next + 2;
	return line + strspn(line, "0123456789 ");
}

int carrier_failed(const struct carrier *carrier, int pidfd, struct err **err)
{
	struct pollfd ended = { .fd = pidfd, .events = POLLIN };
	siginfo_t info = { 0 };
	char buf[WORDS_MAX];
	const char *words;
	int r;

	/* its error, not ours about a broken pipe */
	if (err)
		err_free_ptr(err);
	if (poll(&ended, 1, END_WAIT_MS) == 0)
		return err_set(err, E_TIMEOUT, 0, NULL, "%s: its container ended before it was ready, and it did not",
			       carrier->name);
	(void)waitid((idtype_t)P_PIDFD, (id_t)pidfd, &info, WEXITED | WNOWAIT);
	r = carrier->place ? calls_explain(carrier->place, err) : 0;
	if (r < 0)
		return r;
	words = (carrier->is_lxc ? first_words : last_words)(carrier, buf, sizeof(buf));
	if (*words)
		return err_set(err, E_PROCESS, 0, NULL, "%s: %s", carrier->name, words);
	return err_set(err, E_PROCESS, 0, NULL, "%s ended by %s %d before the container was ready", carrier->name,
		       info.si_code == CLD_EXITED ? "exit code" : "signal", info.si_status);
}

void carrier_end(int *pidfd)
{
	int was_subreaper = 0;

	if (*pidfd < 0)
		return;
	(void)prctl(PR_GET_CHILD_SUBREAPER, &was_subreaper);
	(void)prctl(PR_SET_CHILD_SUBREAPER, 1);
	(void)sys_pidfd_send_signal(*pidfd, SIGKILL);
	/* orphans have their new parent before it can be reaped (exit_notify() in the kernel) */
	(void)waitid((idtype_t)P_PIDFD, (id_t)*pidfd, &(siginfo_t){ 0 }, WEXITED);
	(void)prctl(PR_SET_CHILD_SUBREAPER, was_subreaper);
	fd_close_ptr(pidfd);
}

bool carrier_is_child(pid_t pid, pid_t parent)
{
	char path[64], buf[512];
	const char *end;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	if (fd_read_kernel(-1, path, buf, sizeof(buf)) < 0)
		return false;
	/* the name in brackets may hold anything: "N (name) S PPID" */
	end = strrchr(buf, ')');
	return end && strlen(end) > 4 && strtol(end + 4, NULL, 10) == parent;
}

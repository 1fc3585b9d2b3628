/* helper.c - see helper.h. */
#include "net/helper.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/pid.h"
#include "base/sys.h"

#define GO 'g'

static void default_signals(void)
{
	sigset_t none;

	for (int number = 1; number < NSIG; number++)
		(void)signal(number, SIG_DFL);
	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

static void detach_streams(void)
{
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	for (int stream = 0; stream <= 2 && fd >= 0; stream++)
		(void)dup2(fd, stream);
	fd_close_ptr(&fd);
}

static void be_helper(int life_fd, enum helper_life life, int (*function)(void *, int), void *data)
{
	char byte = 0;

	if (life == HELPER_ENDS_WITH_STARTER)
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	default_signals();
	(void)setsid();
	detach_streams();
	/* end of file: the starter died before it could write us down */
	if (read(life_fd, &byte, 1) != 1 || byte != GO)
		_exit(1);
	_exit(function(data, life_fd));
}

static int let_go(const struct net_journal *journal, const struct net_helper *helper, struct err **err)
{
	const char go = GO;
	uint64_t start_ticks;
	int r = pid_start_time(helper->pid, &start_ticks, NULL);

	if (r < 0)
		return err_sys(err, E_PROCESS, -r, "read", "start time of a helper", NULL);
	r = journal->add(journal->data, helper->pid, start_ticks, err);
	if (r == 0 && fd_write_all(helper->life_fd, &go, 1) < 0)
		r = err_sys(err, E_PROCESS, EPIPE, "write", "a helper's pipe", NULL);
	return r;
}

int helper_start(const struct net_journal *journal, enum helper_life life, int (*function)(void *data, int life_fd), void *data,
		 struct net_helper *ret, struct err **err)
{
	int pair[2], r;

	if (pipe2(pair, O_CLOEXEC) < 0)
		return err_sys(err, E_PROCESS, errno, "pipe2", "a helper of the network", NULL);
	ret->pid = fork();
	if (ret->pid == 0) {
		close(pair[1]);
		be_helper(pair[0], life, function, data);
	}
	close(pair[0]);
	ret->life_fd = pair[1];
	r = ret->pid < 0 ? err_sys(err, E_PROCESS, errno, "fork", "a helper of the network", NULL) : let_go(journal, ret, err);
	if (r < 0)
		helper_stop(ret);
	return r;
}

void helper_stop(struct net_helper *helper)
{
	fd_close_ptr(&helper->life_fd);
	if (helper->pid <= 0)
		return;
	/* ours and not reaped, so the number is still its own */
	(void)kill(helper->pid, SIGKILL);
	while (waitpid(helper->pid, NULL, 0) < 0 && errno == EINTR)
		;
	helper->pid = -1;
}

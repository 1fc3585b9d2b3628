/* kill.c - send a signal to a container's init, or to all of its processes.
 *
 * No lock is taken: a supervisor holds it for the container's whole life. The process is found by
 * pid and start time and signalled by pidfd (invariant 41).
 */

#include "lifecycle/lifecycle.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lifecycle/process.h"

static const char *const signal_names[] = {
	[SIGHUP] = "HUP",   [SIGINT] = "INT",	    [SIGQUIT] = "QUIT", [SIGILL] = "ILL",
	[SIGTRAP] = "TRAP", [SIGABRT] = "ABRT",	    [SIGBUS] = "BUS",	[SIGFPE] = "FPE",
	[SIGKILL] = "KILL", [SIGUSR1] = "USR1",	    [SIGSEGV] = "SEGV", [SIGUSR2] = "USR2",
	[SIGPIPE] = "PIPE", [SIGALRM] = "ALRM",	    [SIGTERM] = "TERM", [SIGSTKFLT] = "STKFLT",
	[SIGCHLD] = "CHLD", [SIGCONT] = "CONT",	    [SIGSTOP] = "STOP", [SIGTSTP] = "TSTP",
	[SIGTTIN] = "TTIN", [SIGTTOU] = "TTOU",	    [SIGURG] = "URG",	[SIGXCPU] = "XCPU",
	[SIGXFSZ] = "XFSZ", [SIGVTALRM] = "VTALRM", [SIGPROF] = "PROF", [SIGWINCH] = "WINCH",
	[SIGIO] = "IO",	    [SIGPWR] = "PWR",	    [SIGSYS] = "SYS",
};
static const struct {
	const char *name;
	int number;
} signal_aliases[] = {
	{ "IOT", SIGABRT },
	{ "CLD", SIGCHLD },
	{ "POLL", SIGIO },
	{ "UNUSED", SIGSYS },
};

#define SIGNAL_MAX 64
/* The kernel's own, not the C library's, which keeps the first two for itself. */
#define SIGNAL_RTMIN 34

static int parse_number(const char *text, int first, int last)
{
	char *end;
	long number;

	if (text[0] < '0' || text[0] > '9')
		return -EINVAL;
	errno = 0;
	number = strtol(text, &end, 10);
	if (errno || *end != '\0' || number < 0 || number > last - first)
		return -EINVAL;
	return first + (int)number;
}

int signal_parse(const char *text)
{
	if (text[0] >= '0' && text[0] <= '9')
		return parse_number(text, 0, SIGNAL_MAX);
	if (!strncasecmp(text, "SIG", 3))
		text += 3;
	for (size_t i = 1; i < array_size(signal_names); i++)
		if (signal_names[i] && !strcasecmp(text, signal_names[i]))
			return (int)i;
	for (size_t i = 0; i < array_size(signal_aliases); i++)
		if (!strcasecmp(text, signal_aliases[i].name))
			return signal_aliases[i].number;
	if (!strcasecmp(text, "RTMIN"))
		return SIGNAL_RTMIN;
	if (!strncasecmp(text, "RTMIN+", 6))
		return parse_number(text + 6, SIGNAL_RTMIN, SIGNAL_MAX);
	if (!strcasecmp(text, "RTMAX"))
		return SIGNAL_MAX;
	if (!strncasecmp(text, "RTMAX-", 6)) {
		int below = parse_number(text + 6, 0, SIGNAL_MAX - SIGNAL_RTMIN);

		return below < 0 ? below : SIGNAL_MAX - below;
	}
	return -EINVAL;
}

static int not_running(struct err **err)
{
	return err_set(err, E_STATE, 0, NULL, "container not running");
}

/* SIGKILL must end a frozen tree, and one whose init does not take the others along. */
static bool needs_whole_tree(const struct container *container, int signal)
{
	return signal == SIGKILL &&
	       (container->status == CONTAINER_PAUSED || !container->record.has_pid_namespace);
}

int lifecycle_kill(const struct lifecycle *lc, const char *id, int signal, bool all,
		   struct err **err)
{
	cleanup_container struct container container = CONTAINER_INIT;
	int r = container_open(lc, id, STORE_UNLOCKED, &container, err);

	if (r < 0)
		return r;
	if (container.record.cgroup.count > 0 && (all || needs_whole_tree(&container, signal)))
		return cgroup_kill(&container.record.cgroup, signal, err);
	if (container.status == CONTAINER_STOPPED || container.status == CONTAINER_CREATING)
		return not_running(err);
	r = process_signal(container.record.pid, container.record.start_ticks, signal, NULL, err);
	if (r == 0)
		return err_set(err, E_STATE, 0, NULL, "process already finished");
	return r < 0 ? r : 0;
}

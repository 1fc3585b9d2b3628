/* waiting.c - the process that executes init before there is a plan, and waits for one; launch.h tells why.
 *
 * Nothing of it is in the journal: it has no group or file, its namespaces no name, and it ends when our end of its socket closes.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cpus.h"
#include "base/fd.h"
#include "base/image.h"
#include "base/mem.h"
#include "base/sys.h"
#include "engine/native/clone.h"
#include "engine/native/parent.h"

#define STACK_SIZE 2048	/* raw calls from one small frame */

/* What the child reads in our memory until it executes init. */
struct waiting {
	int own_end, other_end;
	unsigned int first_fd;	/* from there on all are close-on-exec but the one end of the socket */
	char argument[sizeof("sync=2147483647,for=sandbox")];
};

/* The copy of the image is made here, beside the parent, which needs it for nothing. Returns only on failure, with the errno as exit
 * code: child_vanished() tells the user. */
static int execute_init(void *data)
{
	const struct waiting *w = data;
	int image_fd = raw_image_open();
	char *const argv[] = { (char[]){ "mxcrun-init" }, (char *)(uintptr_t)w->argument, NULL };
	char *const envp[] = { NULL };

	if (image_fd < 0)
		return -image_fd;
	/* Strangers that an engine leaked end here (CVE-2024-21626); before Linux 5.11 at init's own exec. */
	(void)raw_call(SYS_close_range, w->first_fd, 0xffffffffl, SYS_CLOSE_RANGE_CLOEXEC, 0, 0);
	(void)raw_call(SYS_fcntl, w->other_end, F_SETFD, 0, 0, 0);
	return (int)-raw_call(SYS_execveat, image_fd, (long)"", (long)argv, (long)envp, SYS_AT_EMPTY_PATH);
}

int engine_wait_for_plan(uint32_t preserve_fds, bool is_sandbox, struct engine_child *ret, struct err **err)
{
	/* of the one at a time that has not executed it yet */
	static _Alignas(16) char stack[STACK_SIZE];
	static struct waiting w;
	struct engine_child child = ENGINE_CHILD_INIT;
	struct sys_clone_args args = {
		.flags = CLONE_PIDFD,
		.pidfd = (uint64_t)(uintptr_t)&child.pidfd,
		.exit_signal = SIGCHLD,
	};
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return err_sys(err, E_PROCESS, errno, "socketpair", "sync socket", NULL);
	w = (struct waiting){ .own_end = pair[0], .other_end = pair[1], .first_fd = 3 + preserve_fds };
	snprintf(w.argument, sizeof(w.argument), "sync=%d%s", pair[1], is_sandbox ? ",for=sandbox" : "");
	child.is_apart = is_sandbox;
	child.sync_fd = pair[0];
	(void)arena_reserve_shared();
	start_expect_deep_calls();
	child.pid = clone_run(&args, stack, sizeof(stack), execute_init, &w);
	/* so that the child's end reads as EOF when it dies; if we kept it we would wait for that for ever */
	if (close(pair[1]) < 0) {
		int r = err_sys(err, E_PROCESS, errno, "close", "sync socket", NULL);

		engine_abandon(&child);
		return r;
	}
	if (child.pid < 0) {
		engine_child_done(&child);
		return err_sys(err, E_PROCESS, -child.pid, "clone3", "init", NULL);
	}
	/* A kernel that keeps its idle CPUs idle puts the child on ours, where it runs when we sleep: then nothing overlaps. */
	cpus_move_beside(child.pid);
	*ret = child;
	return 0;
}

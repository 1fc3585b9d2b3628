/* listener.c - load the seccomp filter; hand the descriptor of a notifying one to its supervisor.
 *
 * From the load on, any system call of this thread may wait for the supervisor's answer, and the supervisor hasn't the
 * descriptor yet. So a second thread, begun before the load and thus not bound by the filter, sends it, while this one makes
 * no call at all: it looks at memory until that is done. The second thread uses raw calls only, lives for some
 * microseconds, and is gone before the workload's first instruction, because execve(2) ends it.
 */
#include <errno.h>
#include <limits.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>

#include "base/image.h"
#include "base/sys.h"
#include "base/unix.h"
#include "engine/native/clone.h"
#include "engine/native/init.h"

#define POINTER "/linux/seccomp/listenerPath"
#define NOT_YET (-1)
#define NEVER (-2)
#define STACK_SIZE 8192

struct handover {
	struct unix_message message;
	int socket_fd;
	atomic_int listener_fd;	/* NOT_YET, NEVER or the descriptor */
	atomic_int result;	/* 1: not yet; 0: sent; -errno */
	_Alignas(16) char stack[STACK_SIZE];
};

/* sendmsg(2) takes three arguments; it never waits, the socket is fresh. */
static long send_listener(struct handover *handover, int fd)
{
	memcpy(CMSG_DATA(&handover->message.control.header), &fd, sizeof(fd));
	return raw_call(SYS_sendmsg, handover->socket_fd, (long)&handover->message.header, MSG_NOSIGNAL, 0, 0);
}

static int run_handover(void *data)
{
	const struct timespec pause = { .tv_nsec = 20000 };
	struct handover *handover = data;
	long r = -ECANCELED;
	int fd;

	while ((fd = atomic_load(&handover->listener_fd)) == NOT_YET)
		(void)raw_call(SYS_nanosleep, (long)&pause, 0, 0, 0, 0);
	if (fd != NEVER)
		r = send_listener(handover, fd);
	atomic_store(&handover->result, r < 0 ? (int)r : 0);
	/* of this thread alone, while returning would end the process */
	(void)raw_call(SYS_exit, 0, 0, 0, 0, 0);
	__builtin_unreachable();
}

static int start_handover(struct handover *handover, struct err **err)
{
	struct sys_clone_args args = {
		.flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM,
	};
	int r;

	if (!CLONE_SHARES_MEMORY)
		return err_set(err, E_UNSUPPORTED, 0, POINTER, "SCMP_ACT_NOTIFY is not supported on this architecture");
	r = clone_run(&args, handover->stack, sizeof(handover->stack), run_handover, handover);
	return r < 0 ? err_sys(err, E_SECCOMP, -r, "clone3", "thread", POINTER) : 0;
}

/* Not on a stack that ends while the thread does. */
struct handover listener_handover LARGE_ZEROS;

static int load_notifying(struct init *init, const struct sock_fprog *program, struct err **err)
{
	struct handover *handover = &listener_handover;
	const struct plan_seccomp *seccomp = &init->plan->process.seccomp;
	int fd, number, r;

	if (init->fds.listener < 0 || !init->listener_message)
		return err_set(err, E_INTERNAL, 0, POINTER, "nobody to send the seccomp listener to");
	handover->socket_fd = init->fds.listener;
	atomic_store(&handover->listener_fd, NOT_YET);
	atomic_store(&handover->result, 1);
	unix_message_init(&handover->message, init->listener_message, strlen(init->listener_message), -1);
	r = start_handover(handover, err);
	if (r < 0)
		return r;
	fd = sys_seccomp(SECCOMP_SET_MODE_FILTER, seccomp->flags | SECCOMP_FILTER_FLAG_NEW_LISTENER,
			 (void *)(uintptr_t)program);
	number = errno;
	atomic_store(&handover->listener_fd, fd < 0 ? NEVER : fd);
	while ((r = atomic_load(&handover->result)) > 0)
		;
	if (fd < 0)
		return err_sys(err, E_SECCOMP, number, "seccomp", NULL, "/linux/seccomp");
	return r < 0 ? err_sys(err, E_SECCOMP, -r, "sendmsg", seccomp->listener_path, POINTER) : 0;
}

static int load(struct init *init, const struct plan_seccomp *seccomp, const char *pointer, struct err **err)
{
	const struct sock_fprog program = {
		.len = (unsigned short)seccomp->instruction_count,
		.filter = (struct sock_filter *)(uintptr_t)seccomp->program,
	};

	if (!seccomp->program)
		return 0;
	if (seccomp->instruction_count == 0 || seccomp->instruction_count > USHRT_MAX)
		return err_set(err, E_SECCOMP, E2BIG, pointer, "the filter has %u instructions",
			       seccomp->instruction_count);
	if (seccomp->use_notify)
		return load_notifying(init, &program, err);
	if (sys_seccomp(SECCOMP_SET_MODE_FILTER, seccomp->flags, (void *)(uintptr_t)&program) != 0)
		return err_sys(err, E_SECCOMP, errno, "seccomp", NULL, pointer);
	return 0;
}

/* Those of policies first: the own one may refuse seccomp(2), and may ask a supervisor. Which is first makes no difference to
 * what they come to: the kernel asks all, and the strictest answer counts. */
int seccomp_load(struct init *init, struct err **err)
{
	const struct plan_policy *policy = &init->plan->policy;
	int r = 0;

	for (size_t i = 0; i < policy->filter_count && r == 0; i++)
		r = load(init, &policy->filters[i], policy->process_pointer, err);
	return r == 0 ? load(init, &init->plan->process.seccomp, "/linux/seccomp", err) : r;
}

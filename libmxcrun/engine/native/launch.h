/* launch.h - what the parent (launch.c) and the container's init (init.c) agree on.
 *
 * Theory of operation. Before the configuration is read, the parent clone3()s a child with CLONE_VM on a stack of its own
 * (waiting.c). It runs a few raw system calls in the parent's memory, no errno, no allocation, and executes the init image from a
 * sealed memfd: from that instruction on the host's binary is mapped nowhere in what becomes the container (CVE-2019-5736). Then
 * it waits at the sync socket, its only descriptor, while the parent reads and plans: starting a program takes as long as that. It
 * owns nothing on the host and ends with the socket, so the journal need not know it.
 *
 * The parent builds and seals the plan (a memfd mapped at a fixed address), and sends that and all other descriptors in one
 * message. The process that waited maps it, enters what only a parent can (the pid namespace of an exec; namespaces in which one of a new user namespace is to
 * be born), and clone3()s the container's process, again with CLONE_VM (birth.c): into all new namespaces at once and into the v2 cgroup,
 * as a child of the runtime (CLONE_PARENT). It tells its number and exits. Nothing but the plan is shared with the
 * runtime, and what stays resident is the tiny init. Where init has to be introduced before it goes on it waits for the parent's word.
 * In a new user namespace it waits for its id maps, which the process that made it writes, where it may, or else the parent; then it takes id
 * 0 or raises its capabilities as ambient; a new ipc namespace, whose message queues belong to who makes it, comes then if that is
 * another user.
 *
 * Another engine's program (struct carrier) executes the same image with its descriptors inherited and named in its argument.
 *
 * Of a sandbox it is known beforehand what namespaces it has of its own. The process that waits enters them at once, the user namespace
 * first, whose id maps come when there is a plan; one that has other namespaces is not for it, and it is ended. The pid namespace
 * begins with the container's process, which finds the others made, and waits for no word.
 *
 * The network namespace comes later where it can (netns.h): then the child is born in the parent's, uses none, and enters its
 * own, which the parent makes meanwhile, at the gate, before the mounts of which sysfs shows it. One that belongs to a user
 * namespace the process that waited makes, in that, after it has made the container's process.
 *
 * init, in order: not dumpable; map the plan; be born as above; join namespaces; network and host name; mounts on
 * descriptors; GO gate (cgroup is joined, createRuntime hooks have run); cgroup namespace and mounts;
 * devices, masks, read-only paths; pivot_root; /proc writes, limits, keyring, labels, terminal;
 * look the program up as the container's user; READY; wait for RECORDED; wait for the start (both have come already where nobody is to be asked);
 * ids, capabilities, seccomp; startContainer hooks; execve.
 *
 * The exec stays silent on the sync socket: its close-on-exec end closing is the success. Any failure
 * sends SYNC_ERROR with a packed struct err. If the parent dies before RECORDED the socket reads EOF
 * and init exits by itself (invariant 23).
 */
#ifndef MXCRUN_ENGINE_NATIVE_LAUNCH_H
#define MXCRUN_ENGINE_NATIVE_LAUNCH_H

#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <unistd.h>

#include "engine/native/clone.h"
#include "plan/plan.h"

/* What a sandbox has of its own whatever its policy says, entered before there is one; beside a network namespace, which takes
 * longest and comes later, a pid namespace, and one of cgroups, whose root is the group of whoever makes it. */
#define LAUNCH_APART (CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS)

/* Descriptors that init gets, as one argument "name=N,name=N,..."; -1 or absent: none. All close-on-exec
 * from init's first instructions on (they are inherited through exactly one execve). */
struct launch_fds {
	int plan;		/* sealed arena */
	int sync;		/* SOCK_SEQPACKET, init's end */
	int start;		/* FIFO of `start`, opened O_RDWR; -1 for run, where SYNC_START comes by socket */
	int console;		/* connected console socket, to which the pty's master is sent; or -1 */
	int life;		/* read end of a pipe whose write end only the supervisor has (keep_init); EOF = die */
	int listener;		/* connected socket to which the seccomp listener is sent; or -1 */
	int target;		/* pidfd of a process whose namespaces are joined all at once (exec), instead of ns; or -1 */
	int proc;		/* the host's /proc: another engine has made the mounts (adjust.c); or -1 */
	int input, output;	/* the caller's standard streams, where those are another engine's until init runs; or -1 */
	int errors;
	int ns[NS_MAX];		/* namespaces to join, opened and type-checked by the parent; -1 */
	int *idmapped;		/* "mount=N" each: detached trees of the plan's idmapped mounts, in its order; malloc'd */
	size_t idmapped_count;
	int *sources;		/* see sources.c; -1: init may try for itself; malloc'd, init's only */
	size_t source_count;
	int cgroup;		/* v2: what the container's process is born in; or -1 */
	int *tasks;		/* "task=N" each: v1, to which it writes itself; malloc'd, init's only */
	size_t task_count;
	bool net_is_late;	/* "late=net": SYNC_GO brings the network namespace, or init makes it there */
	bool by_root;		/* "by=root": facts.is_privileged */
	bool by_lxc;		/* "by=lxc": that is the other engine */
	bool is_apart;		/* "for=sandbox": LAUNCH_APART is to be entered */
	uint64_t ignored_signals; /* "signals=MASK": facts.ignored_signals, which came with us */
};
#define LAUNCH_FDS_NONE                                                                                                     \
	((struct launch_fds){ .plan = -1, .sync = -1, .start = -1, .console = -1, .life = -1, .listener = -1, .target = -1, \
			      .proc = -1, .input = -1, .output = -1, .errors = -1, .cgroup = -1,                            \
			      .ns = { [0 ... NS_MAX - 1] = -1 } })
#define LAUNCH_FDS_NAMED 11u	/* those that go by message and are no list */

/* Messages of the sync socket: one datagram each, a header and a payload. */
enum sync_kind {
	SYNC_LAUNCH = 1,	/* parent: what init's argument is otherwise, the descriptors numbered as they come with it; those
				 * that are too many for one message come in SYNC_MORE before it */
	SYNC_APART,		/* init, told so in its argument: payload uint32_t errno of entering the user namespace of LAUNCH_APART, with
				 * the others to follow; not 0: it is where it was */
	SYNC_BORN,		/* init: payload uint32_t pid: the container's process; the sender exits with 0 */
	SYNC_UNBORN,		/* init: payload uint32_t errno: it could not be made */
	SYNC_GO,		/* parent: in the cgroups; hooks of the runtime namespace have run; the network namespace
				 * by descriptor when it is late and could be made */
	SYNC_PID,		/* init: payload uint32_t pid in the parent's pid namespace: a second process made by CLONE_PARENT
				 * takes over (joined pid or user namespace); the sender exits with 0 */
	SYNC_HOOKS,		/* init: namespaces exist, run prestart and createRuntime hooks now (sent only when
				 * the plan has such hooks); the parent answers SYNC_GO */
	SYNC_READY,		/* init: set up to the last step before the start */
	SYNC_LISTENER,		/* parent: what the supervisor of a notifying seccomp filter gets; only with one, after READY */
	SYNC_RECORDED,		/* parent: the record says "created": init may now outlive the parent */
	SYNC_MORE,		/* parent: a part of the text whose end comes with the next other message */
	SYNC_START,		/* parent (run only): go on to execve */
	SYNC_HERE,		/* init: it runs; sent only where another engine executed it that tells nobody its number. The parent reads
				 * that in the message's credentials */
	SYNC_ERROR,		/* init: payload is a packed struct err; the sender exits; last of the list */
};

struct sync_header { uint32_t kind, length; };
#define SYNC_PAYLOAD_MAX 65536u	/* >= ERR_PACK_MAX */
#define SYNC_FDS_MAX 250	/* the kernel takes 253, musl's sendmsg() 252 */
#define SYNC_WORD 'm'		/* one raw byte: the process is known, and its id maps, where the parent writes them, are in force */

/* Does id 0 exist in the new user namespace? */
static inline bool launch_maps_root(const struct plan *plan)
{
	return plan_idmap_inside(&plan->uid_maps, 0) && plan_idmap_inside(&plan->gid_maps, 0);
}

/* Init is the root of the new user namespace. Where there is none it stays who it was, if that id is mapped, and else is the workload's user: an
 * id without a place in the namespace could make no file. */
static inline struct own_ids launch_own_ids(const struct plan *plan)
{
	if (launch_maps_root(plan))
		return (struct own_ids){ 0, 0 };
	if (plan_idmap_outside(&plan->uid_maps, geteuid()) && plan_idmap_outside(&plan->gid_maps, getegid()))
		return OWN_IDS_STAY;
	return (struct own_ids){ plan->process.uid, plan->process.gid };
}

/* Does the container's process make another that takes over, SYNC_PID? */
static inline bool launch_changes_process(const struct plan *plan, bool by_root)
{
	return plan->namespaces[NS_USER].mode == NS_JOIN ||
	       (plan->namespaces[NS_PID].mode == NS_JOIN && !(plan->lifecycle.is_exec && by_root));
}

/* Does the process that waited write the id maps of the one that it makes, and shares memory with? Whoever may write any map can, and
 * then that one need not wait until we have been woken for it. */
static inline bool launch_maps_at_once(const struct plan *plan, bool by_root, bool is_apart)
{
	return CLONE_SHARES_MEMORY && by_root && !is_apart && plan->namespaces[NS_USER].mode == NS_NEW && !plan->deny_setgroups &&
	       plan->namespaces[NS_TIME].mode == NS_HOST && !plan_carries_network(plan) && !plan->hooks[HOOK_PRESTART].count &&
	       !plan->hooks[HOOK_CREATE_RUNTIME].count && !launch_changes_process(plan, by_root);
}

/* Does the container's process wait for that word? Before it could say something that would be taken for the other's, or has an id
 * with which an ordinary user can't look for its network. */
static inline bool launch_needs_word(const struct plan *plan, bool by_root, bool is_apart)
{
	if (launch_maps_at_once(plan, by_root, is_apart))
		return false;
	return (plan->namespaces[NS_USER].mode == NS_NEW && (!is_apart || plan_carries_network(plan))) ||
	       plan->hooks[HOOK_PRESTART].count || plan->hooks[HOOK_CREATE_RUNTIME].count || launch_changes_process(plan, by_root);
}

/* Both ends use these. receive returns the kind (> 0), 0 on EOF, -errno; the payload is copied to buf and
 * its length to *ret_len (may be NULL); what does not fit is an error (invariant 30). timeout_ms -1: none. */
int sync_send(int socket_fd, enum sync_kind kind, const void *payload, uint32_t length);
/* The same by write(2), which a container's filter more often lets through than sendmsg(2). */
int sync_write(int socket_fd, enum sync_kind kind, const void *payload, uint32_t length);
/* A text of any length, NULL for none, in as many messages as it takes: it waits until init has taken them. */
int sync_send_text(int socket_fd, enum sync_kind kind, const char *text);
int sync_send_text_fd(int socket_fd, enum sync_kind kind, const char *text, int fd);

/* The same with a descriptor, -1: none. *ret_fd is set, -1 where none came; sync_receive takes none. */
int sync_send_fd(int socket_fd, enum sync_kind kind, const void *payload, uint32_t length, int fd);
int sync_receive_fd(int socket_fd, void *buf, uint32_t size, uint32_t *ret_len, int timeout_ms, int *ret_fd);

/* With many: at most SYNC_FDS_MAX, for which there must be room in fds. */
int sync_send_fds(int socket_fd, enum sync_kind kind, const void *payload, uint32_t length, const int *fds, size_t count);
int sync_receive_fds(int socket_fd, void *buf, uint32_t size, uint32_t *ret_len, int timeout_ms, int *fds, size_t *ret_count);

int sync_receive(int socket_fd, void *buf, uint32_t size, uint32_t *ret_len, int timeout_ms);

/* Through the start FIFO: `start` opens it O_WRONLY|O_NONBLOCK (ENXIO: nobody waits, so the container
 * has started or died), writes one byte LAUNCH_START_BYTE, and polls until POLLERR says that init closed its
 * end by execve or exit. Then it opens the FIFO for reading: nothing in it is success; a packed err is
 * the failure; the byte itself means that init died first. */
#define LAUNCH_START_BYTE 's'

/* Exit codes of init before the workload runs are never seen by users (the error record is), except
 * when nobody listens any more: 125 set-up, 126 not executable, 127 not found. */
#define LAUNCH_EXIT_SETUP 125
#define LAUNCH_EXIT_EXEC 126
#define LAUNCH_EXIT_NOT_FOUND 127

#endif

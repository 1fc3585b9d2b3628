/* relay_flow.c - see relay_flow.h.
 *
 * By splice(2) through a pipe: the pages that came in go on as they are, so the relay adds no copy to the two that the ends of a
 * connection make. A pipe is held only while something is in it. A large one takes as many pieces as a socket gives at once; one
 * of the usual sixteen slots costs twice the time (docs/benchmarks.md).
 */
#include "net/relay_flow.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "net/link.h"

#define LARGE (1u << 20) /* what an ordinary user may make a pipe of, pipe-max-size */
#define SMALL (16u << 10)
#define LARGE_MAX 8u /* a user's pipes share a budget, pipe-user-pages-soft: the rest get small ones */
#define NARROW (128 << 10) /* the kernel takes it twice, for what it has beside the bytes */
#define TURNS 4	     /* so often one direction may go on before the next has its turn */

struct relay_pipe {
	struct relay_pipe *next; /* while it is spare */
	size_t size;
	int out, in;
};

void relay_flow_tune(int fd, bool is_local)
{
	const int on = 1;

	/* whether a small piece waits for more is the sender's to say, and it has said */
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (is_local)
		(void)setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, LINK_LOCAL_CONGESTION, sizeof(LINK_LOCAL_CONGESTION) - 1);
}

void relay_flow_narrow(int fd)
{
	const int size = NARROW;

	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
}

static void close_pipe(struct relay_pipes *pipes, struct relay_pipe *pipe)
{
	if (!pipe)
		return;
	pipes->large_count -= pipe->size == LARGE;
	fd_close_ptr(&pipe->out);
	fd_close_ptr(&pipe->in);
	free(pipe);
}

static struct relay_pipe *take_pipe(struct relay_pipes *pipes)
{
	struct relay_pipe *pipe = pipes->spare;
	int fds[2];

	if (pipe) {
		pipes->spare = pipe->next;
		return pipe;
	}
	pipe = malloc(sizeof(*pipe));
	if (!pipe || pipe2(fds, O_CLOEXEC | O_NONBLOCK) < 0) {
		free(pipe);
		return NULL;
	}
	*pipe = (struct relay_pipe){ .size = SMALL, .out = fds[0], .in = fds[1] };
	if (pipes->large_count < LARGE_MAX && fcntl(pipe->in, F_SETPIPE_SZ, LARGE) >= 0) {
		pipe->size = LARGE;
		pipes->large_count++;
	}
	return pipe;
}

/* An empty one. One spare for each direction of the only busy connection. */
static void give_back(struct relay_pipes *pipes, struct relay_pipe *pipe)
{
	if (pipe->size != LARGE || (pipes->spare && pipes->spare->next)) {
		close_pipe(pipes, pipe);
		return;
	}
	pipe->next = pipes->spare;
	pipes->spare = pipe;
}

/* Splicing finds nothing before a byte of urgent data, for ever; recv(2) goes past it. */
static ssize_t receive(const struct relay_flow *flow, const struct relay_pipe *pipe)
{
	char bytes[4096]; /* what the smallest pipe takes */
	ssize_t n = recv(flow->from, bytes, sizeof(bytes), 0);

	return n <= 0 ? n : write(pipe->in, bytes, (size_t)n);
}

static bool must_wait(int errnum)
{
	return errnum == EAGAIN || errnum == EINTR;
}

/* Each of both: 1: something moved, 0: nothing can now, -errno. is_first: poll(2) says that there is something. */
static int fill(struct relay_pipes *pipes, struct relay_flow *flow, bool is_first)
{
	struct relay_pipe *pipe;
	ssize_t n;

	if (flow->held)
		return 1;
	if (flow->has_ended)
		return 0;
	pipe = take_pipe(pipes);
	if (!pipe)
		return -ENOMEM;
	n = splice(flow->from, NULL, pipe->in, NULL, pipe->size, SPLICE_F_NONBLOCK);
	if (n == 0 || (n < 0 && errno == EAGAIN && is_first))
		n = receive(flow, pipe);
	if (n > 0) {
		flow->held = pipe;
		flow->len = (size_t)n;
		return 1;
	}
	flow->has_ended = n == 0;
	n = n == 0 || must_wait(errno) ? 0 : -errno;
	give_back(pipes, pipe);
	return (int)n;
}

static int empty(struct relay_pipes *pipes, struct relay_flow *flow)
{
	ssize_t n;

	if (!flow->held)
		return 0;
	n = splice(flow->held->out, NULL, flow->to, NULL, flow->len, SPLICE_F_NONBLOCK);
	if (n < 0)
		return must_wait(errno) ? 0 : -errno;
	flow->len -= (size_t)n;
	if (flow->len)
		return 0;
	give_back(pipes, take_ptr(flow->held));
	return 1;
}

int relay_flow_carry(struct relay_pipes *pipes, struct relay_flow *flow)
{
	int r = 1;

	for (int turn = 0; turn < TURNS && r > 0; turn++) {
		r = fill(pipes, flow, turn == 0);
		if (r > 0)
			r = empty(pipes, flow);
	}
	if (flow->has_ended && !flow->held && !flow->is_done) {
		flow->is_done = true;
		(void)shutdown(flow->to, SHUT_WR);
	}
	return r;
}

void relay_flow_end(struct relay_pipes *pipes, struct relay_flow *flow)
{
	close_pipe(pipes, take_ptr(flow->held));
}

void relay_pipes_rest(struct relay_pipes *pipes)
{
	while (pipes->spare) {
		struct relay_pipe *pipe = pipes->spare;

		pipes->spare = pipe->next;
		close_pipe(pipes, pipe);
	}
}

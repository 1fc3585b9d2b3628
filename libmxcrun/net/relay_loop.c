/* relay_loop.c - see relay_loop.h.
 *
 * One poll loop. Each direction of a connection is a pipe that splice(2) fills from one socket and empties into the
 * other, so that no byte is copied to this process. A peer that takes nothing stops its own connection and no other; when all
 * places are taken the one that has been silent longest makes room, if it was silent for long.
 */
#include "net/relay_loop.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "net/endpoint.h"

#define CONNECTIONS_MAX 128u /* six descriptors each, of the usual 1024 */
#define PIPE_SIZE (512 << 10)
#define SILENT_MS 60000
#define TURNS 4	/* so often one direction may go on before the next has its turn */

/* One direction. */
struct flow {
	int from, to;	 /* sockets, of the connection */
	int in, out;	 /* the pipe's ends */
	size_t buffered;
	bool is_full;	 /* the pipe takes no more, whatever its size in bytes says */
	bool has_ended;	 /* no more will come */
	bool is_done;	 /* and all has gone on */
};

struct connection {
	int client, server; /* -1: a free place */
	const struct relay_route *route;
	size_t target;	    /* that server is connected or connecting to */
	bool is_connecting;
	struct flow up, down;
	int64_t last_ms;
};

struct loop {
	const struct relay_route *routes;
	size_t route_count;
	struct connection connections[CONNECTIONS_MAX];
	struct pollfd fds[1 + RELAY_ROUTES_MAX + 2 * CONNECTIONS_MAX];
};

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* ---- a connection's life ---- */

static void end_flow(struct flow *flow)
{
	fd_close_ptr(&flow->in);
	fd_close_ptr(&flow->out);
}

static void end_connection(struct connection *c)
{
	fd_close_ptr(&c->client);
	fd_close_ptr(&c->server);
	end_flow(&c->up);
	end_flow(&c->down);
}

static int start_flow(struct flow *flow, int from, int to)
{
	int pair[2];

	*flow = (struct flow){ .from = from, .to = to, .in = -1, .out = -1 };
	if (pipe2(pair, O_CLOEXEC | O_NONBLOCK) < 0)
		return -errno;
	flow->out = pair[0];
	flow->in = pair[1];
	(void)fcntl(flow->in, F_SETPIPE_SZ, PIPE_SIZE); /* a small one is only slower */
	return 0;
}

/* The next target that doesn't refuse at once. */
static int connect_next(struct connection *c)
{
	for (; c->target < c->route->target_count; c->target++) {
		const struct net_endpoint *target = &c->route->targets[c->target];
		struct sockaddr_storage address;
		socklen_t len = endpoint_address(target, &address);

		fd_close_ptr(&c->server);
		c->server = socket(target->family == NET_V4 ? AF_INET : AF_INET6,
				   SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		if (c->server < 0)
			continue;
		if (connect(c->server, (const struct sockaddr *)&address, len) == 0 || errno == EINPROGRESS) {
			c->is_connecting = true;
			return 0;
		}
	}
	return -ECONNREFUSED;
}

static struct connection *find_place(struct loop *loop)
{
	struct connection *oldest = NULL;

	for (size_t i = 0; i < CONNECTIONS_MAX; i++) {
		struct connection *c = &loop->connections[i];

		if (c->client < 0)
			return c;
		if (!oldest || c->last_ms < oldest->last_ms)
			oldest = c;
	}
	if (now_ms() - oldest->last_ms < SILENT_MS)
		return NULL;
	end_connection(oldest);
	return oldest;
}

static void accept_one(struct loop *loop, const struct relay_route *route)
{
	struct connection *c = find_place(loop);
	int client = c ? accept4(route->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC) : -1;

	if (client < 0)
		return;
	*c = (struct connection){ .client = client, .server = -1, .route = route, .last_ms = now_ms(),
				  .up = { .in = -1, .out = -1 }, .down = { .in = -1, .out = -1 } };
	if (connect_next(c) < 0)
		end_connection(c);
}

/* The first target that answered has it; with the pipes only now, nobody who isn't answered costs any. */
static void finish_connecting(struct connection *c)
{
	int failure = 0;
	socklen_t len = sizeof(failure);

	if (getsockopt(c->server, SOL_SOCKET, SO_ERROR, &failure, &len) < 0 || failure) {
		c->target++;
		if (connect_next(c) < 0)
			end_connection(c);
		return;
	}
	c->is_connecting = false;
	if (start_flow(&c->up, c->client, c->server) < 0 || start_flow(&c->down, c->server, c->client) < 0)
		end_connection(c);
}

/* ---- carrying ---- */

/* 1: something moved, 0: nothing can now, -errno. */
static int fill(struct flow *flow)
{
	ssize_t n;

	if (flow->has_ended || flow->is_full)
		return 0;
	n = splice(flow->from, NULL, flow->in, NULL, PIPE_SIZE, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
	if (n > 0) {
		flow->buffered += (size_t)n;
		return 1;
	}
	if (n < 0 && errno != EAGAIN)
		return errno == EINTR ? 0 : -errno;
	if (n == 0)
		flow->has_ended = true;
	else
		flow->is_full = flow->buffered > 0;
	return 0;
}

static int empty(struct flow *flow)
{
	ssize_t n;

	if (flow->buffered == 0)
		return 0;
	n = splice(flow->out, NULL, flow->to, NULL, flow->buffered, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	flow->buffered -= (size_t)n;
	flow->is_full = false;
	return n > 0;
}

static int carry(struct flow *flow)
{
	int moved = 1;

	for (int turn = 0; turn < TURNS && moved > 0; turn++) {
		int in = fill(flow), out = in < 0 ? in : empty(flow);

		if (out < 0)
			return out;
		moved = in | out;
	}
	if (flow->has_ended && flow->buffered == 0 && !flow->is_done) {
		flow->is_done = true;
		(void)shutdown(flow->to, SHUT_WR);
	}
	return 0;
}

static void serve(struct connection *c)
{
	c->last_ms = now_ms();
	if (c->is_connecting)
		finish_connecting(c);
	else if (carry(&c->up) < 0 || carry(&c->down) < 0 || (c->up.is_done && c->down.is_done))
		end_connection(c);
}

/* ---- the loop ---- */

/* Of one socket: what comes in by one flow, what goes out by the other. Without a wish it isn't asked about, or its
 * hang-up would wake us for ever. */
static struct pollfd wish(int fd, const struct flow *in, const struct flow *out)
{
	short events = (short)((!in->has_ended && !in->is_full ? POLLIN : 0) | (out->buffered ? POLLOUT : 0));

	return (struct pollfd){ .fd = events ? fd : -1, .events = events };
}

static size_t fill_poll(struct loop *loop, int life_fd)
{
	size_t count = 0;

	loop->fds[count++] = (struct pollfd){ .fd = life_fd, .events = POLLIN };
	for (size_t i = 0; i < loop->route_count; i++)
		loop->fds[count++] = (struct pollfd){ .fd = loop->routes[i].listener, .events = POLLIN };
	for (size_t i = 0; i < CONNECTIONS_MAX; i++) {
		const struct connection *c = &loop->connections[i];

		if (c->client < 0) {
			loop->fds[count++] = (struct pollfd){ .fd = -1 };
			loop->fds[count++] = (struct pollfd){ .fd = -1 };
		} else if (c->is_connecting) {
			loop->fds[count++] = (struct pollfd){ .fd = -1 };
			loop->fds[count++] = (struct pollfd){ .fd = c->server, .events = POLLOUT };
		} else {
			loop->fds[count++] = wish(c->client, &c->up, &c->down);
			loop->fds[count++] = wish(c->server, &c->down, &c->up);
		}
	}
	return count;
}

static bool is_crowded(const struct loop *loop)
{
	for (size_t i = 0; i < CONNECTIONS_MAX; i++)
		if (loop->connections[i].client < 0)
			return false;
	return true;
}

static void turn(struct loop *loop)
{
	const struct pollfd *first = loop->fds + 1 + loop->route_count;

	for (size_t i = 0; i < CONNECTIONS_MAX; i++)
		if (loop->connections[i].client >= 0 && (first[2 * i].revents | first[2 * i + 1].revents))
			serve(&loop->connections[i]);
	for (size_t i = 0; i < loop->route_count; i++)
		if (loop->fds[1 + i].revents)
			accept_one(loop, &loop->routes[i]);
}

int relay_loop(const struct relay_route *routes, size_t count, int life_fd)
{
	static struct loop loop;

	loop = (struct loop){ .routes = routes, .route_count = count };
	for (size_t i = 0; i < CONNECTIONS_MAX; i++)
		loop.connections[i].client = loop.connections[i].server = -1;
	for (;;) {
		size_t fds = fill_poll(&loop, life_fd);
		bool rests = is_crowded(&loop) && !find_place(&loop);

		/* nobody can be let in: those who wait must not wake us */
		for (size_t i = 0; i < count && rests; i++)
			loop.fds[1 + i].fd = -1;
		if (poll(loop.fds, fds, rests ? 1000 : -1) < 0 && errno != EINTR)
			return 1;
		if (loop.fds[0].revents)
			return 0;
		turn(&loop);
	}
}

/* relay_loop.c - see relay_loop.h.
 *
 * One poll loop. What one socket gave is held until the other has taken it all, so a peer that takes nothing stops its own
 * connection and no other; when all places are taken the one that has been silent longest makes room, if it was silent for long.
 *
 * Plain reads into one buffer that stays in the processor's cache, not splice(2): on sockets of one machine the copy costs less
 * than handling the pages one by one does, here and in the reader (docs/benchmarks.md).
 */
#include "net/relay_loop.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "net/endpoint.h"
#include "net/relay_datagrams.h"

#define CONNECTIONS_MAX 256u /* two descriptors each, of the usual 1024 */
#define LARGE (512u << 10)
#define SMALL (16u << 10)
#define LARGE_MAX 32u /* more of them would be much memory for peers that take nothing: the rest get small ones */
#define SILENT_MS 60000
#define TURNS 4 /* so often one direction may go on before the next has its turn */

struct buffer {
	struct buffer *next; /* while it is spare */
	size_t size, at, len;
	char bytes[];
};

/* One direction. */
struct flow {
	int from, to;	     /* sockets, of the connection */
	struct buffer *held; /* what came and has not gone on; NULL: nothing */
	bool has_ended;	     /* no more will come */
	bool is_done;	     /* and all has gone on */
};

struct connection {
	int client, server; /* -1: a free place */
	const struct relay_route *route;
	size_t target;	    /* that server is connected or connecting to */
	bool is_connecting;
	struct flow up, down;
	int64_t last_ms;
	size_t polled;	    /* the first of its two places in fds */
};

struct loop {
	const struct relay_route *routes;
	size_t route_count;
	struct connection connections[CONNECTIONS_MAX];
	struct relay_datagrams datagrams;
	struct pollfd fds[1 + RELAY_ROUTES_MAX + 2 * CONNECTIONS_MAX + RELAY_SESSIONS_MAX];
	struct buffer *spare; /* large ones */
	size_t large_count;   /* those in use, too */
};

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* ---- buffers ---- */

static struct buffer *take_buffer(struct loop *loop)
{
	struct buffer *buffer = loop->spare;
	bool is_large = loop->large_count < LARGE_MAX;
	size_t size = is_large ? LARGE : SMALL;

	if (buffer) {
		loop->spare = buffer->next;
		return buffer;
	}
	buffer = malloc(sizeof(*buffer) + size);
	if (!buffer)
		return NULL;
	buffer->size = size;
	loop->large_count += is_large;
	return buffer;
}

/* One spare for each direction of the only busy connection; what crowds needed goes back to the system. */
static void give_back(struct loop *loop, struct buffer *buffer)
{
	bool is_large = buffer && buffer->size == LARGE;

	if (!is_large || (loop->spare && loop->spare->next)) {
		loop->large_count -= is_large;
		free(buffer);
		return;
	}
	buffer->next = loop->spare;
	loop->spare = buffer;
}

/* ---- a connection's life ---- */

static void end_connection(struct loop *loop, struct connection *c)
{
	fd_close_ptr(&c->client);
	fd_close_ptr(&c->server);
	give_back(loop, take_ptr(c->up.held));
	give_back(loop, take_ptr(c->down.held));
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
	end_connection(loop, oldest);
	return oldest;
}

static void accept_one(struct loop *loop, const struct relay_route *route)
{
	struct connection *c = find_place(loop);
	int client = c ? accept4(route->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC) : -1;

	if (client < 0)
		return;
	*c = (struct connection){ .client = client, .server = -1, .route = route, .last_ms = now_ms() };
	if (connect_next(c) < 0)
		end_connection(loop, c);
}

static void finish_connecting(struct loop *loop, struct connection *c)
{
	int failure = 0;
	socklen_t len = sizeof(failure);

	if (getsockopt(c->server, SOL_SOCKET, SO_ERROR, &failure, &len) < 0 || failure) {
		c->target++;
		if (connect_next(c) < 0)
			end_connection(loop, c);
		return;
	}
	/* the first target that answered has it */
	c->is_connecting = false;
	c->up = (struct flow){ .from = c->client, .to = c->server };
	c->down = (struct flow){ .from = c->server, .to = c->client };
}

/* ---- carrying ---- */

/* Each of both: 1: something moved, 0: nothing can now, -errno. */
static int fill(struct loop *loop, struct flow *flow)
{
	struct buffer *buffer;
	ssize_t n;

	if (flow->held)
		return 1;
	if (flow->has_ended)
		return 0;
	buffer = take_buffer(loop);
	if (!buffer)
		return -ENOMEM;
	n = recv(flow->from, buffer->bytes, buffer->size, 0);
	if (n > 0) {
		buffer->at = 0;
		buffer->len = (size_t)n;
		flow->held = buffer;
		return 1;
	}
	flow->has_ended = n == 0;
	n = n == 0 || errno == EAGAIN || errno == EINTR ? 0 : -errno;
	give_back(loop, buffer);
	return (int)n;
}

static int empty(struct loop *loop, struct flow *flow)
{
	struct buffer *buffer = flow->held;
	ssize_t n = send(flow->to, buffer->bytes + buffer->at, buffer->len, MSG_NOSIGNAL);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	buffer->at += (size_t)n;
	buffer->len -= (size_t)n;
	if (buffer->len)
		return 0;
	give_back(loop, take_ptr(flow->held));
	return 1;
}

static int carry(struct loop *loop, struct flow *flow)
{
	int r = 1;

	for (int turn = 0; turn < TURNS && r > 0; turn++) {
		r = fill(loop, flow);
		if (r > 0)
			r = empty(loop, flow);
	}
	if (flow->has_ended && !flow->held && !flow->is_done) {
		flow->is_done = true;
		(void)shutdown(flow->to, SHUT_WR);
	}
	return r;
}

static void serve(struct loop *loop, struct connection *c)
{
	c->last_ms = now_ms();
	if (c->is_connecting)
		finish_connecting(loop, c);
	else if (carry(loop, &c->up) < 0 || carry(loop, &c->down) < 0 || (c->up.is_done && c->down.is_done))
		end_connection(loop, c);
}

/* ---- the loop ---- */

/* Of one socket: what comes in by one flow, what goes out by the other. Without a wish it isn't asked about, or its
 * hang-up would wake us for ever. */
static struct pollfd wish(int fd, const struct flow *in, const struct flow *out)
{
	short events = (short)((!in->has_ended && !in->held ? POLLIN : 0) | (out->held ? POLLOUT : 0));

	return (struct pollfd){ .fd = events ? fd : -1, .events = events };
}

static size_t fill_poll(struct loop *loop, int life_fd)
{
	size_t count = 0;

	loop->fds[count++] = (struct pollfd){ .fd = life_fd, .events = POLLIN };
	for (size_t i = 0; i < loop->route_count; i++)
		loop->fds[count++] = (struct pollfd){ .fd = loop->routes[i].listener, .events = POLLIN };
	for (size_t i = 0; i < CONNECTIONS_MAX; i++) {
		struct connection *c = &loop->connections[i];

		if (c->client < 0)
			continue;
		c->polled = count;
		if (c->is_connecting) {
			loop->fds[count++] = (struct pollfd){ .fd = -1 };
			loop->fds[count++] = (struct pollfd){ .fd = c->server, .events = POLLOUT };
		} else {
			loop->fds[count++] = wish(c->client, &c->up, &c->down);
			loop->fds[count++] = wish(c->server, &c->down, &c->up);
		}
	}
	return relay_datagrams_wish(&loop->datagrams, loop->fds, count);
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
	int64_t now = now_ms();

	relay_datagrams_answer(&loop->datagrams, loop->fds, now);
	for (size_t i = 0; i < CONNECTIONS_MAX; i++) {
		struct connection *c = &loop->connections[i];
		const struct pollfd *first = &loop->fds[c->polled];

		if (c->client >= 0 && (first[0].revents | first[1].revents))
			serve(loop, c);
	}
	for (size_t i = 0; i < loop->route_count; i++)
		if (loop->fds[1 + i].revents && loop->routes[i].takes_datagrams)
			relay_datagrams_take(&loop->datagrams, &loop->routes[i], now);
		else if (loop->fds[1 + i].revents)
			accept_one(loop, &loop->routes[i]);
}

/* Nobody can be let in: those who wait must not wake us. */
static void rest(struct loop *loop)
{
	for (size_t i = 0; i < loop->route_count; i++)
		if (!loop->routes[i].takes_datagrams)
			loop->fds[1 + i].fd = -1;
}

static int wait_for_work(struct loop *loop, int life_fd)
{
	size_t fds = fill_poll(loop, life_fd);
	bool rests = is_crowded(loop) && !find_place(loop);
	int wait = relay_datagrams_wait(&loop->datagrams, now_ms());

	if (rests)
		rest(loop);
	if (rests && (wait < 0 || wait > 1000))
		wait = 1000;
	return poll(loop->fds, fds, wait) < 0 && errno != EINTR ? -errno : 0;
}

int relay_loop(const struct relay_route *routes, size_t count, int life_fd)
{
	static struct loop loop;

	loop.routes = routes;
	loop.route_count = count;
	for (size_t i = 0; i < CONNECTIONS_MAX; i++)
		loop.connections[i].client = loop.connections[i].server = -1;
	relay_datagrams_start(&loop.datagrams);
	for (;;) {
		if (wait_for_work(&loop, life_fd) < 0)
			return 1;
		if (loop.fds[0].revents)
			return 0;
		turn(&loop);
	}
}

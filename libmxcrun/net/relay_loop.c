/* relay_loop.c - see relay_loop.h.
 *
 * One poll loop. What one socket gave is held until the other has taken it all, so a peer that takes nothing stops its own
 * connection and no other; when all places are taken the one that has been silent longest makes room, if it was silent for long.
 */
#include "net/relay_loop.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/image.h"
#include "base/sys.h"
#include "net/endpoint.h"
#include "net/relay_datagrams.h"
#include "net/relay_flow.h"

#define CONNECTIONS_MAX 256u
#define SILENT_MS 60000
#define REST_MS 1000
#define WIDE_MAX 8u /* of them with buffers as large as the system gives: they are the host's memory, under no limit of the sandbox's */

struct connection {
	int client, server; /* -1: a free place */
	const struct relay_route *route;
	size_t target;	    /* that server is connected or connecting to */
	bool is_connecting, is_wide;
	struct relay_flow up, down;
	int64_t last_ms;
	size_t polled;	    /* the first of its two places in fds */
};

struct loop {
	const struct relay_route *routes;
	size_t route_count;
	struct connection connections[CONNECTIONS_MAX];
	size_t place_count; /* that there are descriptors for */
	size_t wide_count;
	struct relay_datagrams datagrams;
	struct pollfd fds[1 + RELAY_ROUTES_MAX + 2 * CONNECTIONS_MAX + RELAY_SESSIONS_MAX];
	struct relay_pipes pipes;
};

/* The relay's only one; in a program that does much else. */
struct loop relay_loop_state LARGE_ZEROS;

/* ---- a connection's life ---- */

static void end_connection(struct loop *loop, struct connection *c)
{
	fd_close_ptr(&c->client);
	fd_close_ptr(&c->server);
	loop->wide_count -= c->is_wide;
	c->is_wide = false;
	relay_flow_end(&loop->pipes, &c->up);
	relay_flow_end(&loop->pipes, &c->down);
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
		relay_flow_tune(c->server, endpoint_is_loopback(target));
		if (!c->is_wide)
			relay_flow_narrow(c->server);
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

	for (size_t i = 0; i < loop->place_count; i++) {
		struct connection *c = &loop->connections[i];

		if (c->client < 0)
			return c;
		if (!oldest || c->last_ms < oldest->last_ms)
			oldest = c;
	}
	if (!oldest || sys_monotonic_ms() - oldest->last_ms < SILENT_MS)
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
	*c = (struct connection){ .client = client, .server = -1, .route = route, .last_ms = sys_monotonic_ms() };
	c->is_wide = loop->wide_count < WIDE_MAX;
	loop->wide_count += c->is_wide;
	if (!c->is_wide)
		relay_flow_narrow(client);
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
	c->up = (struct relay_flow){ .from = c->client, .to = c->server };
	c->down = (struct relay_flow){ .from = c->server, .to = c->client };
}

static bool has_failed(struct loop *loop, struct connection *c, short client, short server)
{
	/* a hang-up or an error is either's business */
	if (((client & ~POLLOUT) | (server & ~POLLIN)) && relay_flow_carry(&loop->pipes, &c->up) < 0)
		return true;
	return ((server & ~POLLOUT) | (client & ~POLLIN)) && relay_flow_carry(&loop->pipes, &c->down) < 0;
}

static void serve(struct loop *loop, struct connection *c)
{
	const struct pollfd *fds = &loop->fds[c->polled];

	c->last_ms = sys_monotonic_ms();
	if (c->is_connecting)
		finish_connecting(loop, c);
	else if (has_failed(loop, c, fds[0].revents, fds[1].revents) || (c->up.is_done && c->down.is_done))
		end_connection(loop, c);
}

/* ---- the loop ---- */

/* Of one socket: what comes in by one flow, what goes out by the other. Without a wish it isn't asked about, or its
 * hang-up would wake us for ever. */
static struct pollfd wish(int fd, const struct relay_flow *in, const struct relay_flow *out)
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
	for (size_t i = 0; i < loop->place_count; i++) {
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

static bool is_idle(const struct loop *loop)
{
	for (size_t i = 0; i < loop->place_count; i++)
		if (loop->connections[i].client >= 0)
			return false;
	return true;
}

static bool is_crowded(const struct loop *loop)
{
	for (size_t i = 0; i < loop->place_count; i++)
		if (loop->connections[i].client < 0)
			return false;
	return true;
}

static void turn(struct loop *loop)
{
	int64_t now = sys_monotonic_ms();

	relay_datagrams_answer(&loop->datagrams, loop->fds, now);
	for (size_t i = 0; i < loop->place_count; i++) {
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
	bool rests = is_crowded(loop) && !find_place(loop), is_tired = loop->pipes.spare && is_idle(loop);
	int wait = relay_datagrams_wait(&loop->datagrams, sys_monotonic_ms()), r;

	if (rests)
		rest(loop);
	if ((rests || is_tired) && (wait < 0 || wait > REST_MS))
		wait = REST_MS;
	r = poll(loop->fds, fds, wait);
	if (r == 0 && is_tired)
		relay_pipes_rest(&loop->pipes);
	return r < 0 && errno != EINTR ? -errno : 0;
}

/* Two sockets each, and what their flows may hold: who is let in must be carried. */
static size_t count_places(size_t route_count)
{
	const size_t each = 2 + 2 * RELAY_FLOW_FILES, others = 16 + route_count + RELAY_SESSIONS_MAX;
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) < 0 || files.rlim_cur >= others + each * CONNECTIONS_MAX)
		return CONNECTIONS_MAX;
	return files.rlim_cur >= others + each ? (files.rlim_cur - others) / each : 1;
}

int relay_loop(const struct relay_route *routes, size_t count, int life_fd)
{
	struct loop *loop = &relay_loop_state;

	/* splice(2) knows no MSG_NOSIGNAL */
	(void)signal(SIGPIPE, SIG_IGN);
	loop->routes = routes;
	loop->route_count = count;
	loop->place_count = count_places(count);
	for (size_t i = 0; i < loop->place_count; i++)
		loop->connections[i].client = loop->connections[i].server = -1;
	relay_datagrams_start(&loop->datagrams);
	for (;;) {
		if (wait_for_work(loop, life_fd) < 0)
			return 1;
		if (loop->fds[0].revents)
			return 0;
		turn(loop);
	}
}

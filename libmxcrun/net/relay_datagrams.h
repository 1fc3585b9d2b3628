/* relay_datagrams.h - the relay's datagrams (relay_loop.h): what comes to a mapped udp port goes on from a socket of its client's
 * own, so that the answers find their way back. */
#ifndef MXCRUN_NET_RELAY_DATAGRAMS_H
#define MXCRUN_NET_RELAY_DATAGRAMS_H

#include <poll.h>
#include <stdint.h>
#include <sys/socket.h>

#include "net/relay_loop.h"

#define RELAY_SESSIONS_MAX 192u

/* A client, and the address of ours that it wrote to: a port may be open at several. */
struct relay_client {
	struct sockaddr_storage address, own;
	socklen_t len;
};

struct relay_session {
	int fd; /* connected to the target; -1: a free place */
	const struct relay_route *route;
	struct relay_client client;
	size_t target;
	bool is_answered;
	int64_t last_ms;
	size_t polled; /* its place in fds */
};

struct relay_datagrams {
	struct relay_session sessions[RELAY_SESSIONS_MAX];
	char bytes[65536];
};

void relay_datagrams_start(struct relay_datagrams *d);

/* An open socket tells of each datagram which address it came to. 0 or -1 with errno. */
int relay_datagrams_prepare(int listener);

/* Append what to wait for; how many there are then. */
size_t relay_datagrams_wish(struct relay_datagrams *d, struct pollfd *fds, size_t count);

/* Milliseconds until a session is to be looked at again; -1: none is. */
int relay_datagrams_wait(const struct relay_datagrams *d, int64_t now_ms);

/* Carry on what has come from clients of the route. */
void relay_datagrams_take(struct relay_datagrams *d, const struct relay_route *route, int64_t now_ms);

/* Carry the answers back, and end the sessions that have been silent for too long. */
void relay_datagrams_answer(struct relay_datagrams *d, const struct pollfd *fds, int64_t now_ms);

#endif

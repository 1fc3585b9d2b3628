/* relay_datagrams.c - see relay_datagrams.h.
 *
 * A datagram that can't go on at once is dropped, as any network does. The table is bounded: a flood of clients that nobody
 * answers replaces only others that nobody has answered.
 */
#include "net/relay_datagrams.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "net/endpoint.h"

#define ANSWERED_MS 120000 /* both as the kernel's connection tracking has them */
#define UNANSWERED_MS 30000
#define BUSY_MS 10000	/* so long an answered session is safe from new clients */
#define DATAGRAMS 32	/* so many from one socket before the next has its turn */

union control {
	struct cmsghdr head;
	char v4[CMSG_SPACE(sizeof(struct in_pktinfo))];
	char v6[CMSG_SPACE(sizeof(struct in6_pktinfo))];
};

void relay_datagrams_start(struct relay_datagrams *d)
{
	for (size_t i = 0; i < RELAY_SESSIONS_MAX; i++)
		d->sessions[i].fd = -1;
}

int relay_datagrams_prepare(int listener)
{
	int domain, on = 1;
	socklen_t len = sizeof(domain);

	if (getsockopt(listener, SOL_SOCKET, SO_DOMAIN, &domain, &len) < 0)
		return -1;
	return domain == AF_INET ? setsockopt(listener, IPPROTO_IP, IP_PKTINFO, &on, sizeof(on))
				 : setsockopt(listener, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof(on));
}

/* ---- the client's side ---- */

static void read_own_address(struct msghdr *message, struct sockaddr_storage *ret)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };
	struct in_pktinfo info4;
	struct in6_pktinfo info6;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
			memcpy(&info4, CMSG_DATA(c), sizeof(info4));
			v4.sin_addr = info4.ipi_spec_dst;
			memcpy(ret, &v4, sizeof(v4));
		} else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
			memcpy(&info6, CMSG_DATA(c), sizeof(info6));
			v6.sin6_addr = info6.ipi6_addr;
			/* only such an address needs its interface */
			v6.sin6_scope_id = IN6_IS_ADDR_LINKLOCAL(&info6.ipi6_addr) ? info6.ipi6_ifindex : 0;
			memcpy(ret, &v6, sizeof(v6));
		}
	}
}

static ssize_t receive(int listener, struct relay_datagrams *d, struct relay_client *ret)
{
	union control control;
	struct iovec bytes = { .iov_base = d->bytes, .iov_len = sizeof(d->bytes) };
	struct msghdr message = {
		.msg_name = &ret->address, .msg_namelen = sizeof(ret->address), .msg_iov = &bytes, .msg_iovlen = 1,
		.msg_control = &control, .msg_controllen = sizeof(control),
	};
	ssize_t n;

	memset(ret, 0, sizeof(*ret));
	n = recvmsg(listener, &message, 0);
	if (n < 0)
		return n;
	ret->len = message.msg_namelen;
	read_own_address(&message, &ret->own);
	return n;
}

static void put_own_address(struct msghdr *message, const struct sockaddr_storage *own)
{
	bool is_v4 = own->ss_family == AF_INET;
	struct cmsghdr *c = message->msg_control;
	struct in_pktinfo info4 = { 0 };
	struct in6_pktinfo info6 = { 0 };
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;

	memcpy(&v4, own, sizeof(v4));
	memcpy(&v6, own, sizeof(v6));
	info4.ipi_spec_dst = v4.sin_addr;
	info6.ipi6_addr = v6.sin6_addr;
	info6.ipi6_ifindex = v6.sin6_scope_id;
	c->cmsg_level = is_v4 ? IPPROTO_IP : IPPROTO_IPV6;
	c->cmsg_type = is_v4 ? IP_PKTINFO : IPV6_PKTINFO;
	c->cmsg_len = is_v4 ? CMSG_LEN(sizeof(info4)) : CMSG_LEN(sizeof(info6));
	if (is_v4)
		memcpy(CMSG_DATA(c), &info4, sizeof(info4));
	else
		memcpy(CMSG_DATA(c), &info6, sizeof(info6));
	message->msg_controllen = is_v4 ? CMSG_SPACE(sizeof(info4)) : CMSG_SPACE(sizeof(info6));
}

/* From the very address that the client wrote to: it takes no answer from another. */
static void send_back(struct relay_datagrams *d, struct relay_session *session, size_t len)
{
	union control control;
	struct iovec bytes = { .iov_base = d->bytes, .iov_len = len };
	struct msghdr message = {
		.msg_name = &session->client.address, .msg_namelen = session->client.len, .msg_iov = &bytes, .msg_iovlen = 1,
		.msg_control = &control, .msg_controllen = sizeof(control),
	};

	memset(&control, 0, sizeof(control));
	put_own_address(&message, &session->client.own);
	(void)sendmsg(session->route->listener, &message, MSG_NOSIGNAL);
}

/* ---- the sandbox's side ---- */

static int connect_to(struct relay_session *session, size_t target)
{
	const struct net_endpoint *endpoint = &session->route->targets[target];
	struct sockaddr_storage address;
	socklen_t len = endpoint_address(endpoint, &address);

	fd_close_ptr(&session->fd);
	session->target = target;
	session->fd = socket(endpoint->family == NET_V4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (session->fd >= 0 && connect(session->fd, (const struct sockaddr *)&address, len) < 0)
		fd_close_ptr(&session->fd);
	return session->fd;
}

static int connect_to_next(struct relay_session *session)
{
	return connect_to(session, (session->target + 1) % session->route->target_count);
}

/* Nobody listens there, says the other side, mostly before send returns. */
static bool is_refused(struct relay_session *session, ssize_t sent)
{
	int failure = 0;
	socklen_t len = sizeof(failure);

	if (sent < 0)
		return errno == ECONNREFUSED;
	return !session->is_answered && getsockopt(session->fd, SOL_SOCKET, SO_ERROR, &failure, &len) == 0 &&
	       failure == ECONNREFUSED;
}

static void send_on(struct relay_datagrams *d, struct relay_session *session, size_t len)
{
	for (size_t i = 0; i < session->route->target_count && session->fd >= 0; i++) {
		if (!is_refused(session, send(session->fd, d->bytes, len, MSG_NOSIGNAL)))
			return;
		connect_to_next(session);
	}
}

/* ---- sessions ---- */

static bool is_same_address(const struct sockaddr_storage *a, const struct sockaddr_storage *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

static bool is_client(const struct relay_session *session, const struct relay_route *route, const struct relay_client *client)
{
	return session->fd >= 0 && session->route == route && session->client.len == client->len &&
	       is_same_address(&session->client.address, &client->address) && is_same_address(&session->client.own, &client->own);
}

static bool goes_first(const struct relay_session *a, const struct relay_session *b)
{
	return a->is_answered != b->is_answered ? b->is_answered : a->last_ms < b->last_ms;
}

static struct relay_session *find_place(struct relay_datagrams *d, int64_t now_ms)
{
	struct relay_session *first = &d->sessions[0];

	for (size_t i = 0; i < RELAY_SESSIONS_MAX; i++) {
		struct relay_session *session = &d->sessions[i];

		if (session->fd < 0)
			return session;
		if (goes_first(session, first))
			first = session;
	}
	if (first->is_answered && now_ms - first->last_ms < BUSY_MS)
		return NULL;
	fd_close_ptr(&first->fd);
	return first;
}

static struct relay_session *session_of(struct relay_datagrams *d, const struct relay_route *route,
					const struct relay_client *client, int64_t now_ms)
{
	struct relay_session *session;

	for (size_t i = 0; i < RELAY_SESSIONS_MAX; i++)
		if (is_client(&d->sessions[i], route, client))
			return &d->sessions[i];
	session = find_place(d, now_ms);
	if (!session)
		return NULL;
	*session = (struct relay_session){ .fd = -1, .route = route, .client = *client };
	return connect_to(session, 0) < 0 ? NULL : session;
}

void relay_datagrams_take(struct relay_datagrams *d, const struct relay_route *route, int64_t now_ms)
{
	for (int i = 0; i < DATAGRAMS; i++) {
		struct relay_client client;
		struct relay_session *session;
		ssize_t n = receive(route->listener, d, &client);

		if (n < 0)
			return;
		session = session_of(d, route, &client, now_ms);
		if (!session)
			continue;
		session->last_ms = now_ms;
		send_on(d, session, (size_t)n);
	}
}

static void answer(struct relay_datagrams *d, struct relay_session *session, int64_t now_ms)
{
	for (int i = 0; i < DATAGRAMS; i++) {
		ssize_t n = recv(session->fd, d->bytes, sizeof(d->bytes), 0);

		if (n < 0 && errno == ECONNREFUSED)
			connect_to_next(session);
		if (n < 0)
			return;
		session->is_answered = true;
		session->last_ms = now_ms;
		send_back(d, session, (size_t)n);
	}
}

static int64_t end_of(const struct relay_session *session)
{
	return session->last_ms + (session->is_answered ? ANSWERED_MS : UNANSWERED_MS);
}

void relay_datagrams_answer(struct relay_datagrams *d, const struct pollfd *fds, int64_t now_ms)
{
	for (size_t i = 0; i < RELAY_SESSIONS_MAX; i++) {
		struct relay_session *session = &d->sessions[i];

		if (session->fd < 0)
			continue;
		if (fds[session->polled].revents)
			answer(d, session, now_ms);
		if (end_of(session) <= now_ms)
			fd_close_ptr(&session->fd);
	}
}

size_t relay_datagrams_wish(struct relay_datagrams *d, struct pollfd *fds, size_t count)
{
	for (size_t i = 0; i < RELAY_SESSIONS_MAX; i++) {
		struct relay_session *session = &d->sessions[i];

		if (session->fd < 0)
			continue;
		session->polled = count;
		fds[count++] = (struct pollfd){ .fd = session->fd, .events = POLLIN };
	}
	return count;
}

int relay_datagrams_wait(const struct relay_datagrams *d, int64_t now_ms)
{
	int64_t least = -1;

	for (size_t i = 0; i < RELAY_SESSIONS_MAX; i++) {
		const struct relay_session *session = &d->sessions[i];
		int64_t rest = session->fd < 0 ? -1 : end_of(session) - now_ms;

		if (session->fd >= 0 && (least < 0 || rest < least))
			least = rest > 0 ? rest : 0;
	}
	return (int)least;
}

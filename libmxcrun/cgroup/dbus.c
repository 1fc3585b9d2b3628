/* dbus.c - a connection to a D-Bus server on a unix socket, see dbus.h.
 *
 * Authentication is EXTERNAL without a name: the server takes the socket's credentials, which are
 * right also in a user namespace, where our own idea of our uid is not the server's.
 */
#include "cgroup/dbus.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/sys.h"
#include "cgroup/directory.h"

#define INPUT_MAX ((size_t)4 << 20)

void dbus_close(struct dbus *bus)
{
	fd_close_ptr(&bus->fd);
	free(bus->input);
	*bus = (struct dbus)DBUS_INIT;
}

/* ---- bytes, with the deadline ---- */

static int wait_for(const struct dbus *bus, short events)
{
	struct pollfd pfd = { .fd = bus->fd, .events = events };
	long long left_ms;
	int r;

	do {
		left_ms = bus->deadline_ms - sys_monotonic_ms();
		if (left_ms <= 0)
			return -ETIMEDOUT;
		r = poll(&pfd, 1, (int)left_ms);
	} while (r == 0 || (r < 0 && errno == EINTR));
	return r < 0 ? -errno : 0;
}

static int send_all(const struct dbus *bus, const void *data, size_t len)
{
	const char *p = data;

	while (len > 0) {
		ssize_t n = send(bus->fd, p, len, MSG_NOSIGNAL | MSG_DONTWAIT);
		int r;

		if (n >= 0) {
			p += n;
			len -= (size_t)n;
			continue;
		}
		if (errno != EAGAIN && errno != EINTR)
			return -errno;
		r = wait_for(bus, POLLOUT);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Receive at least one byte more. */
static int fill(struct dbus *bus)
{
	ssize_t n;
	int r;

	if (bus->input_len == bus->input_capacity) {
		size_t capacity = bus->input_capacity ? bus->input_capacity * 2 : 4096;
		uint8_t *input = capacity <= INPUT_MAX ? realloc(bus->input, capacity) : NULL;

		if (!input)
			return -ENOMEM;
		bus->input = input;
		bus->input_capacity = capacity;
	}
	do {
		r = wait_for(bus, POLLIN);
		if (r < 0)
			return r;
		n = recv(bus->fd, bus->input + bus->input_len, bus->input_capacity - bus->input_len,
			 MSG_DONTWAIT);
	} while (n < 0 && (errno == EAGAIN || errno == EINTR));
	if (n < 0)
		return -errno;
	if (n == 0)
		return -ECONNRESET;
	bus->input_len += (size_t)n;
	return 0;
}

static void consume(struct dbus *bus, size_t len)
{
	bus->input_len -= len;
	memmove(bus->input, bus->input + len, bus->input_len);
}

/* ---- connecting ---- */

/* One line of the server, without its end. */
static int read_line(struct dbus *bus, char *line, size_t size)
{
	for (;;) {
		const uint8_t *end =
			bus->input_len ? memmem(bus->input, bus->input_len, "\r\n", 2) : NULL;
		size_t len;
		int r;

		if (!end) {
			r = bus->input_len < size ? fill(bus) : -EBADMSG;
			if (r < 0)
				return r;
			continue;
		}
		len = (size_t)(end - bus->input);
		if (len >= size)
			return -EBADMSG;
		memcpy(line, bus->input, len);
		line[len] = '\0';
		consume(bus, len + 2);
		return 0;
	}
}

/* All of our side at once; the server answers "DATA" and "OK guid". */
static int authenticate(struct dbus *bus)
{
	static const char hello[] = "\0AUTH EXTERNAL\r\nDATA\r\nBEGIN\r\n";
	char line[256];
	int r = send_all(bus, hello, sizeof(hello) - 1);

	if (r == 0)
		r = read_line(bus, line, sizeof(line));
	if (r == 0 && strncmp(line, "DATA", 4) != 0)
		r = -EACCES;
	if (r == 0)
		r = read_line(bus, line, sizeof(line));
	if (r == 0 && strncmp(line, "OK ", 3) != 0)
		r = -EACCES;
	return r;
}

int dbus_connect(const char *socket_path, int timeout_ms, struct dbus *ret)
{
	cleanup_dbus struct dbus bus = DBUS_INIT;
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int r;

	if (strlen(socket_path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	memcpy(address.sun_path, socket_path, strlen(socket_path));
	bus.deadline_ms = sys_monotonic_ms() + timeout_ms;
	bus.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bus.fd < 0)
		return -errno;
	if (connect(bus.fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
		return -errno;
	r = authenticate(&bus);
	if (r < 0)
		return r;
	*ret = bus;
	bus = (struct dbus)DBUS_INIT;
	return 0;
}

/* ---- messages ---- */

static void put_field(struct dbus_body *header, enum dbus_field code, const char *signature,
		      const char *value)
{
	if (!value)
		return;
	dbus_put_struct(header);
	strbuf_putc(&header->data, (char)code);
	dbus_put_signature(header, signature);
	if (strcmp(signature, "g") == 0)
		dbus_put_signature(header, value);
	else
		dbus_put_string(header, value);
}

static int send_call(struct dbus *bus, const struct dbus_call *call, const struct dbus_body *body)
{
	cleanup_dbus_body struct dbus_body header = DBUS_BODY_INIT;
	const char fixed[] = { DBUS_OWN_ENDIAN, DBUS_METHOD_CALL, 0, DBUS_PROTOCOL_VERSION };
	size_t mark;
	int r;

	if (body && body->data.failed)
		return -ENOMEM;
	strbuf_add(&header.data, fixed, sizeof(fixed));
	dbus_put_u32(&header, body ? (uint32_t)body->data.len : 0);
	dbus_put_u32(&header, ++bus->serial);
	mark = dbus_open_array(&header, 8);
	put_field(&header, DBUS_FIELD_PATH, "o", call->path);
	put_field(&header, DBUS_FIELD_INTERFACE, "s", call->interface);
	put_field(&header, DBUS_FIELD_MEMBER, "s", call->member);
	put_field(&header, DBUS_FIELD_DESTINATION, "s", call->destination);
	put_field(&header, DBUS_FIELD_SIGNATURE, "g", call->signature);
	dbus_close_array(&header, mark, 8);
	dbus_put_struct(&header); /* the body begins aligned */
	if (header.data.failed)
		return -ENOMEM;
	r = send_all(bus, header.data.data, header.data.len);
	return r < 0 || !body ? r : send_all(bus, body->data.data, body->data.len);
}

int dbus_receive(struct dbus *bus, struct dbus_message *ret)
{
	for (;;) {
		size_t used;
		int r = dbus_parse(bus->input, bus->input_len, ret, &used);

		if (r < 0)
			return r;
		if (r > 0) {
			consume(bus, used);
			return 0;
		}
		r = fill(bus);
		if (r < 0)
			return r;
	}
}

int dbus_call(struct dbus *bus, const struct dbus_call *call, const struct dbus_body *body,
	      struct dbus_message *ret)
{
	int r = send_call(bus, call, body);

	while (r == 0) {
		cleanup_dbus_message struct dbus_message message = DBUS_MESSAGE_INIT;

		r = dbus_receive(bus, &message);
		if (r < 0)
			return r;
		if ((message.type != DBUS_METHOD_RETURN && message.type != DBUS_ERROR) ||
		    message.reply_serial != bus->serial)
			continue;
		*ret = message;
		message = (struct dbus_message)DBUS_MESSAGE_INIT;
		return ret->type == DBUS_ERROR ? -EREMOTEIO : 0;
	}
	return r;
}

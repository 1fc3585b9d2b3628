/* dbus.h - as much of the D-Bus wire protocol as one method call to systemd takes.
 *
 * Spoken directly over the unix socket, because the runtime is linked statically and there is no
 * static libsystemd; messages are built and read here, bounded in size and in time.
 */
#ifndef MXCRUN_CGROUP_DBUS_H
#define MXCRUN_CGROUP_DBUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/strbuf.h"

/* Messages are written in our own byte order; peers on a local socket that differ are refused. */
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define DBUS_OWN_ENDIAN 'l'
#else
#define DBUS_OWN_ENDIAN 'B'
#endif
#define DBUS_PROTOCOL_VERSION 1

enum dbus_type { DBUS_METHOD_CALL = 1, DBUS_METHOD_RETURN, DBUS_ERROR, DBUS_SIGNAL };
enum dbus_field {
	DBUS_FIELD_PATH = 1,
	DBUS_FIELD_INTERFACE,
	DBUS_FIELD_MEMBER,
	DBUS_FIELD_ERROR,
	DBUS_FIELD_REPLY_SERIAL,
	DBUS_FIELD_DESTINATION,
	DBUS_FIELD_SENDER,
	DBUS_FIELD_SIGNATURE,
};

/* ---- values ---- */

/* Arguments under construction: each value is aligned as the protocol wants it, in our byte order.
 */
struct dbus_body {
	struct strbuf data;
};
#define DBUS_BODY_INIT      \
	{                   \
		STRBUF_INIT \
	}
void dbus_body_done(struct dbus_body *body);
#define cleanup_dbus_body __attribute__((cleanup(dbus_body_done)))

void dbus_put_u32(struct dbus_body *body, uint32_t value);
void dbus_put_u64(struct dbus_body *body, uint64_t value);
void dbus_put_bool(struct dbus_body *body, bool value);
void dbus_put_string(struct dbus_body *body, const char *value);
void dbus_put_signature(struct dbus_body *body, const char *value);
void dbus_put_struct(struct dbus_body *body); /* a struct begins here */
/* An array of elements aligned to 1, 4 or 8 bytes: what is put between these two is in it. */
size_t dbus_open_array(struct dbus_body *body, size_t alignment);
void dbus_close_array(struct dbus_body *body, size_t mark, size_t alignment);

/* A message that came in. */
struct dbus_message {
	uint8_t type;
	uint32_t reply_serial;
	const char *path, *interface, *member, *error, *signature; /* in data; NULL when absent */
	const uint8_t *body;					   /* in data */
	size_t body_len, at;					   /* at: how far it is read */
	uint8_t *data;						   /* owned */
};
#define DBUS_MESSAGE_INIT \
	{                 \
		0         \
	}
void dbus_message_done(struct dbus_message *message);
#define cleanup_dbus_message __attribute__((cleanup(dbus_message_done)))

/* Read the next argument; false at the end or when the bytes are none. Object paths are strings. */
bool dbus_get_u32(struct dbus_message *message, uint32_t *ret);
bool dbus_get_string(struct dbus_message *message, const char **ret);
bool dbus_get_variant(struct dbus_message *message, const char *signature); /* then its value */

/* ---- connection ---- */

struct dbus {
	int fd;
	uint32_t serial;
	long long deadline_ms; /* of everything that is done with it */
	uint8_t *input;	       /* received and not yet taken */
	size_t input_len, input_capacity;
};
#define DBUS_INIT        \
	{                \
		.fd = -1 \
	}
void dbus_close(struct dbus *bus);
#define cleanup_dbus __attribute__((cleanup(dbus_close)))

/* Connect to the socket and authenticate as whoever we are. 0 or -errno. */
int dbus_connect(const char *socket_path, int timeout_ms, struct dbus *ret);

struct dbus_call {
	const char *destination, *path, *interface, *member, *signature;
};

/* Call and wait for the answer; signals that come before it are dropped. An error answer is
 * -EREMOTEIO with the message in *ret (its name in error, the text is its first argument). 0 or
 * -errno. */
int dbus_call(struct dbus *bus, const struct dbus_call *call, const struct dbus_body *body,
	      struct dbus_message *ret);

/* Wait for the next message of any kind. 0, -ETIMEDOUT, -errno. */
int dbus_receive(struct dbus *bus, struct dbus_message *ret);

/* Cut one message off the start of the bytes. 1: *ret has it, and owns a copy; 0: incomplete;
 * -EBADMSG; -ENOMEM. Pure. *ret_used: how many bytes it took. */
int dbus_parse(const uint8_t *data, size_t len, struct dbus_message *ret, size_t *ret_used);

#endif

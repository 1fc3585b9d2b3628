/* dbus_message.c - D-Bus messages as bytes, see dbus.h. */
#include "cgroup/dbus.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define HEADER_SIZE 16u /* up to and with the length of the fields */
#define MESSAGE_SIZE_MAX (1u << 20)

/* ---- writing ---- */

void dbus_body_done(struct dbus_body *body)
{
	strbuf_done(&body->data);
}

static void align(struct dbus_body *body, size_t alignment)
{
	while (!body->data.failed && body->data.len % alignment)
		strbuf_putc(&body->data, '\0');
}

void dbus_put_u32(struct dbus_body *body, uint32_t value)
{
	align(body, sizeof(value));
	strbuf_add(&body->data, &value, sizeof(value));
}

void dbus_put_u64(struct dbus_body *body, uint64_t value)
{
	align(body, sizeof(value));
	strbuf_add(&body->data, &value, sizeof(value));
}

void dbus_put_bool(struct dbus_body *body, bool value)
{
	dbus_put_u32(body, value);
}

void dbus_put_string(struct dbus_body *body, const char *value)
{
	size_t len = strlen(value);

	dbus_put_u32(body, (uint32_t)len);
	strbuf_add(&body->data, value, len + 1);
}

void dbus_put_signature(struct dbus_body *body, const char *value)
{
	strbuf_putc(&body->data, (char)strlen(value));
	strbuf_add(&body->data, value, strlen(value) + 1);
}

void dbus_put_struct(struct dbus_body *body)
{
	align(body, 8);
}

size_t dbus_open_array(struct dbus_body *body, size_t alignment)
{
	size_t mark;

	dbus_put_u32(body, 0);
	mark = body->data.len;
	align(body, alignment);
	return mark;
}

/* The length counts from the first element on, without the padding before it. */
void dbus_close_array(struct dbus_body *body, size_t mark, size_t alignment)
{
	size_t first = (mark + alignment - 1) / alignment * alignment;
	uint32_t len;

	if (body->data.failed)
		return;
	len = (uint32_t)(body->data.len - first);
	memcpy(body->data.data + mark - sizeof(len), &len, sizeof(len));
}

/* ---- reading ---- */

void dbus_message_done(struct dbus_message *message)
{
	free(message->data);
	*message = (struct dbus_message){ 0 };
}

/* A part of a message; offsets count from the message's start, which is aligned. */
struct cursor {
	const uint8_t *data;
	size_t at, end;
};

static bool skip_to(struct cursor *c, size_t alignment)
{
	size_t at = (c->at + alignment - 1) / alignment * alignment;

	if (at > c->end)
		return false;
	c->at = at;
	return true;
}

static bool take_u32(struct cursor *c, uint32_t *ret)
{
	if (!skip_to(c, 4) || c->end - c->at < 4)
		return false;
	memcpy(ret, c->data + c->at, 4);
	c->at += 4;
	return true;
}

/* Text of a known length that ends with NUL and has none before. */
static bool take_text(struct cursor *c, size_t len, const char **ret)
{
	const char *text = (const char *)c->data + c->at;

	if (c->end - c->at <= len || text[len] || strlen(text) != len)
		return false;
	*ret = text;
	c->at += len + 1;
	return true;
}

static bool take_string(struct cursor *c, const char **ret)
{
	uint32_t len;

	return take_u32(c, &len) && take_text(c, len, ret);
}

static bool take_signature(struct cursor *c, const char **ret)
{
	if (c->at >= c->end)
		return false;
	return take_text(c, c->data[c->at++], ret);
}

static bool take_field(struct cursor *c, struct dbus_message *message)
{
	const char *signature, *text = NULL;
	uint32_t number = 0;
	uint8_t code;

	if (!skip_to(c, 8) || c->at >= c->end)
		return false;
	code = c->data[c->at++];
	if (!take_signature(c, &signature))
		return false;
	if (strcmp(signature, "s") == 0 || strcmp(signature, "o") == 0) {
		if (!take_string(c, &text))
			return false;
	} else if (strcmp(signature, "g") == 0) {
		if (!take_signature(c, &text))
			return false;
	} else if (strcmp(signature, "u") != 0 || !take_u32(c, &number)) {
		return false;
	}
	switch (code) {
	case DBUS_FIELD_PATH:
		message->path = text;
		break;
	case DBUS_FIELD_INTERFACE:
		message->interface = text;
		break;
	case DBUS_FIELD_MEMBER:
		message->member = text;
		break;
	case DBUS_FIELD_ERROR:
		message->error = text;
		break;
	case DBUS_FIELD_REPLY_SERIAL:
		message->reply_serial = number;
		break;
	case DBUS_FIELD_SIGNATURE:
		message->signature = text;
		break;
	default:
		break;
	}
	return true;
}

static int parse_fields(struct dbus_message *message, size_t end)
{
	struct cursor c = { message->data, HEADER_SIZE, end };

	while (c.at < c.end)
		if (!take_field(&c, message))
			return -EBADMSG;
	return 1;
}

int dbus_parse(const uint8_t *data, size_t len, struct dbus_message *ret, size_t *ret_used)
{
	cleanup_dbus_message struct dbus_message message = DBUS_MESSAGE_INIT;
	uint32_t body_len, fields_len;
	size_t fields_end, body, used;
	int r;

	if (len < HEADER_SIZE)
		return 0;
	memcpy(&body_len, data + 4, sizeof(body_len));
	memcpy(&fields_len, data + 12, sizeof(fields_len));
	if (data[0] != DBUS_OWN_ENDIAN || data[3] != DBUS_PROTOCOL_VERSION ||
	    body_len > MESSAGE_SIZE_MAX || fields_len > MESSAGE_SIZE_MAX)
		return -EBADMSG;
	fields_end = HEADER_SIZE + fields_len;
	body = (fields_end + 7) / 8 * 8;
	used = body + body_len;
	if (len < used)
		return 0;
	message.data = malloc(used);
	if (!message.data)
		return -ENOMEM;
	memcpy(message.data, data, used);
	message.type = data[1];
	message.body = message.data + body;
	message.body_len = body_len;
	r = parse_fields(&message, fields_end);
	if (r < 0)
		return r;
	*ret = message;
	message = (struct dbus_message)DBUS_MESSAGE_INIT;
	*ret_used = used;
	return r;
}

bool dbus_get_u32(struct dbus_message *message, uint32_t *ret)
{
	struct cursor c = { message->body, message->at, message->body_len };
	bool found = take_u32(&c, ret);

	message->at = c.at;
	return found;
}

bool dbus_get_string(struct dbus_message *message, const char **ret)
{
	struct cursor c = { message->body, message->at, message->body_len };
	bool found = take_string(&c, ret);

	message->at = c.at;
	return found;
}

bool dbus_get_variant(struct dbus_message *message, const char *signature)
{
	struct cursor c = { message->body, message->at, message->body_len };
	const char *found;
	bool is_found = take_signature(&c, &found) && strcmp(found, signature) == 0;

	message->at = c.at;
	return is_found;
}

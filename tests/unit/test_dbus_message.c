/* test_dbus_message.c - D-Bus messages: what we write is what the specification says, and nothing
 * that a peer sends makes the reader read beyond it. */
#include "unit.h"

#include <errno.h>

#include "base/mem.h"
#include "cgroup/dbus.h"

static void test_body(void **state)
{
	static const unsigned char expected[] = {
		3, 0,	0,   0, 'a', 'b', 'c', 0, /* string */
		2, 'a', 'y', 0, 0,   0,	  0,   0, /* signature, padding of the struct */
		6, 0,	0,   0, 0,   0,	  0,   0, /* array of structs: length, padding */
		1, 0,	0,   0, 1,   0,		  /* array of bytes within */
	};
	cleanup_dbus_body struct dbus_body body = DBUS_BODY_INIT;
	size_t outer, inner;

	(void)state;
	if (DBUS_OWN_ENDIAN != 'l')
		skip();
	dbus_put_string(&body, "abc");
	dbus_put_signature(&body, "ay");
	dbus_put_struct(&body);
	outer = dbus_open_array(&body, 8);
	dbus_put_struct(&body);
	inner = dbus_open_array(&body, 1);
	strbuf_add(&body.data, "\1", 1);
	dbus_close_array(&body, inner, 1);
	strbuf_add(&body.data, "", 1);
	dbus_close_array(&body, outer, 8);
	assert_int_equal(body.data.len, sizeof(expected));
	assert_memory_equal(body.data.data, expected, sizeof(expected));
}

/* A signal as systemd sends it; the bytes are in *ret, their number is returned. */
static size_t make_signal(struct dbus_body *ret)
{
	const char fixed[] = { DBUS_OWN_ENDIAN, DBUS_SIGNAL, 0, DBUS_PROTOCOL_VERSION };
	cleanup_dbus_body struct dbus_body body = DBUS_BODY_INIT;
	size_t mark;

	dbus_put_u32(&body, 42);
	dbus_put_string(&body, "/job/42");
	strbuf_add(&ret->data, fixed, sizeof(fixed));
	dbus_put_u32(ret, (uint32_t)body.data.len);
	dbus_put_u32(ret, 7);
	mark = dbus_open_array(ret, 8);
	dbus_put_struct(ret);
	strbuf_putc(&ret->data, DBUS_FIELD_MEMBER);
	dbus_put_signature(ret, "s");
	dbus_put_string(ret, "JobRemoved");
	dbus_put_struct(ret);
	strbuf_putc(&ret->data, DBUS_FIELD_REPLY_SERIAL);
	dbus_put_signature(ret, "u");
	dbus_put_u32(ret, 9);
	dbus_put_struct(ret);
	strbuf_putc(&ret->data, DBUS_FIELD_SIGNATURE);
	dbus_put_signature(ret, "g");
	dbus_put_signature(ret, "uo");
	dbus_close_array(ret, mark, 8);
	dbus_put_struct(ret);
	strbuf_add(&ret->data, body.data.data, body.data.len);
	return ret->data.len;
}

static void test_parse(void **state)
{
	cleanup_dbus_body struct dbus_body bytes = DBUS_BODY_INIT;
	cleanup_dbus_message struct dbus_message message = DBUS_MESSAGE_INIT;
	size_t len = make_signal(&bytes), used, cut;
	const char *text;
	uint32_t number;

	(void)state;
	for (cut = 0; cut < len; cut++)
		assert_int_equal(dbus_parse((const uint8_t *)bytes.data.data, cut, &message, &used),
				 0);
	strbuf_puts(&bytes.data, "next");
	assert_int_equal(dbus_parse((const uint8_t *)bytes.data.data, len + 4, &message, &used), 1);
	assert_int_equal(used, len);
	assert_int_equal(message.type, DBUS_SIGNAL);
	assert_string_equal(message.member, "JobRemoved");
	assert_string_equal(message.signature, "uo");
	assert_int_equal(message.reply_serial, 9);
	assert_null(message.path);
	assert_true(dbus_get_u32(&message, &number));
	assert_int_equal(number, 42);
	assert_true(dbus_get_string(&message, &text));
	assert_string_equal(text, "/job/42");
	assert_false(dbus_get_u32(&message, &number));
	assert_false(dbus_get_string(&message, &text));
}

/* Every byte of a message replaced by every value: refused, incomplete or read within its bounds
 * (the sanitizers watch). */
static void test_damage(void **state)
{
	cleanup_dbus_body struct dbus_body bytes = DBUS_BODY_INIT;
	size_t len = make_signal(&bytes), at;
	unsigned int value;

	(void)state;
	for (at = 0; at < len; at++)
		for (value = 0; value < 256; value++) {
			cleanup_free uint8_t *damaged = malloc(len);
			struct dbus_message message = DBUS_MESSAGE_INIT;
			const char *text;
			uint32_t number;
			size_t used;

			assert_non_null(damaged);
			memcpy(damaged, bytes.data.data, len);
			damaged[at] = (uint8_t)value;
			if (dbus_parse(damaged, len, &message, &used) == 1) {
				assert_true(used <= len);
				dbus_get_u32(&message, &number);
				if (dbus_get_string(&message, &text))
					assert_true(strlen(text) < len);
				dbus_get_variant(&message, "s");
			}
			dbus_message_done(&message);
		}
}

static void test_refused(void **state)
{
	cleanup_dbus_body struct dbus_body bytes = DBUS_BODY_INIT;
	struct dbus_message message = DBUS_MESSAGE_INIT;
	size_t len = make_signal(&bytes), used;
	uint32_t huge = 1u << 30;

	(void)state;
	bytes.data.data[3] = 2;
	assert_int_equal(dbus_parse((const uint8_t *)bytes.data.data, len, &message, &used),
			 -EBADMSG);
	bytes.data.data[3] = DBUS_PROTOCOL_VERSION;
	memcpy(bytes.data.data + 4, &huge, sizeof(huge));
	assert_int_equal(dbus_parse((const uint8_t *)bytes.data.data, len, &message, &used),
			 -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_body),
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_damage),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

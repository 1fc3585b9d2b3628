/* fuzz_wire.c - bytes from sockets: messages of D-Bus, errors of init, attributes of netlink, requests to the test proxy. */
#include "fuzz.h"

#include "base/netlink.h"
#include "cgroup/dbus.h"
#include "net/test_proxy.h"

static void read_dbus(const uint8_t *data, size_t len)
{
	cleanup_dbus_message struct dbus_message message = DBUS_MESSAGE_INIT;
	const char *text;
	uint32_t number;
	size_t used = 0;

	if (dbus_parse(data, len, &message, &used) != 1)
		return;
	if (used == 0 || used > len)
		abort();
	while (dbus_get_string(&message, &text) || dbus_get_u32(&message, &number) || dbus_get_variant(&message, "s"))
		;
}

static void read_request(const char *head)
{
	struct test_proxy_request request;

	if (!test_proxy_parse(head, &request))
		return;
	if (!*request.host || request.rest < head || request.rest > head + strlen(head) ||
	    (request.target && request.target + request.target_len >= request.rest))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct err *err;
	size_t found = 0;
	const void *attribute;
	/* aligned, as what the kernel sends is */
	char *copy = text_of(data, len);

	read_dbus(data, len);
	err = err_unpack(copy, len);
	check_refusal(err ? -1 : 0, err);
	err_free(err);
	attribute = netlink_find(copy, len, 1, &found);
	if (attribute && ((const char *)attribute < copy || (const char *)attribute + found > copy + len))
		abort();
	read_request(copy);
	free(copy);
	return 0;
}

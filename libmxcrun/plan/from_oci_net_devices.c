/* from_oci_net_devices.c - linux.netDevices: which interfaces of the host go to the container, and under which name. */
#include <ctype.h>
#include <net/if.h>
#include <string.h>

#include "plan/from_oci.h"

#define POINTER "/linux/netDevices"

/* As the kernel's dev_valid_name() has it; "%" would be a pattern. */
static bool is_device_name(const char *name)
{
	size_t len = strlen(name);

	if (len == 0 || len >= IFNAMSIZ || !strcmp(name, ".") || !strcmp(name, ".."))
		return false;
	for (; *name; name++)
		if (*name == '/' || *name == ':' || *name == '%' || isspace((unsigned char)*name))
			return false;
	return true;
}

static int build_device(struct builder *b, const struct oci_net_device *config, struct plan_net_device *ret,
			struct err **err)
{
	const char *name = config->name && *config->name ? config->name : config->host_name;
	int r;

	ret->pointer = json_pointer(b->arena, config->element);
	if (!ret->pointer)
		return err_nomem(err);
	if (!is_device_name(config->host_name) || !is_device_name(name))
		return err_set(err, E_CONFIG, 0, ret->pointer, "\"%.32s\" is not the name of a network device",
			       is_device_name(config->host_name) ? name : config->host_name);
	for (const struct plan_net_device *other = b->plan->net_devices; other < ret; other++)
		if (!strcmp(other->name, name))
			return err_set(err, E_CONFIG, 0, ret->pointer, "two devices would be called %s", name);
	r = copy_string(b, config->host_name, &ret->host_name, err);
	return r == 0 ? copy_string(b, name, &ret->name, err) : r;
}

int build_net_devices(struct builder *b, struct err **err)
{
	size_t count = b->linux_->net_devices.count;
	int r = 0;

	if (!count)
		return 0;
	if (b->plan->namespaces[NS_NET].mode == NS_HOST)
		return err_set(err, E_CONFIG, 0, POINTER, "needs a network namespace of the container's own");
	b->plan->net_devices = arena_array(b->arena, count, sizeof(*b->plan->net_devices));
	if (!b->plan->net_devices)
		return err_nomem(err);
	for (size_t i = 0; i < count && r == 0; i++)
		r = build_device(b, &b->linux_->net_devices.items[i], &b->plan->net_devices[i], err);
	b->plan->net_device_count = count;
	return r;
}

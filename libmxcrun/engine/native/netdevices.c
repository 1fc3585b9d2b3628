/* netdevices.c - linux.netDevices: host interfaces that go to the container, with their addresses.
 *
 * The kernel takes an interface's addresses away when it changes its namespace, so they are read before and added after
 * (runtime-spec config-linux.md, "Network Devices"). All devices go or none: those that went are brought
 * back when a later one, or the container's set-up, fails.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

#include "base/fd.h"
#include "base/netlink.h"
#include "base/sys.h"
#include "engine/native/parent.h"

#define ADDRESSES_MAX 64u
#define OWN_NAMESPACE "/proc/thread-self/ns/net"

struct address {
	struct ifaddrmsg head;
	unsigned char local[16], peer[16];
	size_t local_len, peer_len; /* 0: none */
};

struct addresses {
	unsigned int interface;
	struct address items[ADDRESSES_MAX];
	size_t count;
};

static size_t copy_address(const struct nlmsghdr *answer, uint16_t type, unsigned char *buf)
{
	const struct ifaddrmsg *head = NLMSG_DATA(answer);
	size_t len = 0;
	const void *data = netlink_find((const char *)head + NLMSG_ALIGN(sizeof(*head)),
					answer->nlmsg_len - NLMSG_LENGTH(sizeof(*head)), type, &len);

	if (!data || len > 16)
		return 0;
	memcpy(buf, data, len);
	return len;
}

/* What the kernel makes by itself (link-local, from router advertisements) it makes again. */
static int note_address(void *data, const struct nlmsghdr *answer)
{
	struct addresses *list = data;
	const struct ifaddrmsg *head = NLMSG_DATA(answer);
	struct address *item = &list->items[list->count];

	if (answer->nlmsg_type != RTM_NEWADDR || answer->nlmsg_len < NLMSG_LENGTH(sizeof(*head)) ||
	    head->ifa_index != list->interface || head->ifa_scope != RT_SCOPE_UNIVERSE ||
	    !(head->ifa_flags & IFA_F_PERMANENT))
		return 0;
	if (list->count == ADDRESSES_MAX)
		return -E2BIG;
	item->head = *head;
	item->local_len = copy_address(answer, IFA_LOCAL, item->local);
	item->peer_len = copy_address(answer, IFA_ADDRESS, item->peer);
	list->count++;
	return 0;
}

static int read_addresses(int fd, unsigned int interface, struct addresses *ret)
{
	const struct ifaddrmsg head = { .ifa_family = AF_UNSPEC };
	struct netlink_message message;

	ret->interface = interface;
	ret->count = 0;
	netlink_begin(&message, RTM_GETADDR, 0, &head, sizeof(head));
	return netlink_dump(fd, &message, note_address, ret);
}

static int add_address(int fd, unsigned int interface, const struct address *address)
{
	struct ifaddrmsg head = {
		.ifa_family = address->head.ifa_family, .ifa_prefixlen = address->head.ifa_prefixlen,
		.ifa_scope = address->head.ifa_scope, .ifa_index = interface,
	};
	struct netlink_message message;

	netlink_begin(&message, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, &head, sizeof(head));
	if (address->local_len)
		netlink_put(&message, IFA_LOCAL, address->local, address->local_len);
	if (address->peer_len)
		netlink_put(&message, IFA_ADDRESS, address->peer, address->peer_len);
	return netlink_request(fd, &message);
}

static int set_up(int fd, unsigned int interface)
{
	const struct ifinfomsg head = { .ifi_index = (int)interface, .ifi_flags = IFF_UP, .ifi_change = IFF_UP };
	struct netlink_message message;

	netlink_begin(&message, RTM_NEWLINK, 0, &head, sizeof(head));
	return netlink_request(fd, &message);
}

static int push(int fd, unsigned int interface, int namespace_fd, const char *name)
{
	const struct ifinfomsg head = { .ifi_index = (int)interface };
	struct netlink_message message;

	netlink_begin(&message, RTM_NEWLINK, 0, &head, sizeof(head));
	netlink_put(&message, IFLA_NET_NS_FD, &namespace_fd, sizeof(namespace_fd));
	netlink_put(&message, IFLA_IFNAME, name, strlen(name) + 1);
	return netlink_request(fd, &message);
}

/* In the namespace that it came to. */
static int furnish(int fd, const char *name, const struct addresses *addresses)
{
	unsigned int interface = if_nametoindex(name);
	int r = interface ? 0 : -errno;

	for (size_t i = 0; i < addresses->count && r == 0; i++)
		r = add_address(fd, interface, &addresses->items[i]);
	return r == 0 ? set_up(fd, interface) : r;
}

/* From the namespace that this process is in to another, which it enters for a moment. */
static int transfer(int from_ns, int to_ns, const char *from_name, const char *to_name)
{
	unsigned int interface = if_nametoindex(from_name);
	cleanup_close int here = -1, there = -1;
	struct addresses addresses;
	int r;

	if (!interface)
		return -errno;
	here = netlink_open(NETLINK_ROUTE);
	r = here < 0 ? here : read_addresses(here, interface, &addresses);
	if (r == 0)
		r = push(here, interface, to_ns, to_name);
	if (r < 0)
		return r;
	if (sys_setns(to_ns, CLONE_NEWNET) < 0)
		return -errno;
	there = netlink_open(NETLINK_ROUTE);
	r = there < 0 ? there : furnish(there, to_name, &addresses);
	return sys_setns(from_ns, CLONE_NEWNET) < 0 ? -errno : r;
}

static int open_namespace(const char *path, struct err **err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	return fd < 0 ? err_sys(err, E_NETWORK, errno, "open", path, "/linux/netDevices") : fd;
}

static void bring_back(const struct plan *plan, size_t count, int host_ns, int container_ns)
{
	if (sys_setns(container_ns, CLONE_NEWNET) < 0)
		return;
	for (size_t i = 0; i < count; i++)
		(void)transfer(container_ns, host_ns, plan->net_devices[i].name, plan->net_devices[i].host_name);
	(void)sys_setns(host_ns, CLONE_NEWNET);
}

void netdevices_return(const struct plan *plan, int container_ns)
{
	cleanup_close int host_ns = -1;

	if (container_ns < 0)
		return;
	host_ns = open_namespace(OWN_NAMESPACE, NULL);
	if (host_ns >= 0)
		bring_back(plan, plan->net_device_count, host_ns, container_ns);
}

int netdevices_move(const struct plan *plan, pid_t pid, int *ret_container_ns, struct err **err)
{
	cleanup_close int host_ns = -1, container_ns = -1;
	char path[64];

	if (!plan->net_device_count)
		return 0;
	host_ns = open_namespace(OWN_NAMESPACE, err);
	if (host_ns < 0)
		return host_ns;
	snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)pid);
	container_ns = open_namespace(path, err);
	if (container_ns < 0)
		return container_ns;
	for (size_t i = 0; i < plan->net_device_count; i++) {
		const struct plan_net_device *device = &plan->net_devices[i];
		int r = transfer(host_ns, container_ns, device->host_name, device->name);

		if (r == 0)
			continue;
		bring_back(plan, i, host_ns, container_ns);
		if (r == -ENODEV)
			return err_set(err, E_NETWORK, ENODEV, device->pointer, "this host has no network device %s",
				       device->host_name);
		return err_set(err, E_NETWORK, -r, device->pointer, "moving the network device %s into the container as %s",
			       device->host_name, device->name);
	}
	*ret_container_ns = take_fd(container_ns);
	return 0;
}

/* link.c - see link.h. */
#include "net/link.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

#include "base/netlink.h"

#define LINK_GSO_IPV4_MAX_SIZE 63 /* IFLA_GSO_IPV4_MAX_SIZE, linux/if_link.h of 6.3 */

static unsigned char family_number(enum net_family family)
{
	return family == NET_V4 ? AF_INET : AF_INET6;
}

static int take_number(void *data, const struct nlmsghdr *answer)
{
	const struct ifinfomsg *head = NLMSG_DATA(answer);

	*(int *)data = head->ifi_index;
	return 0;
}

int link_find(int fd, const char *name)
{
	const struct ifinfomsg head = { .ifi_family = AF_UNSPEC };
	struct netlink_message message;
	int index = -ENODEV, r;

	netlink_begin(&message, RTM_GETLINK, 0, &head, sizeof(head));
	netlink_put(&message, IFLA_IFNAME, name, strlen(name) + 1);
	r = netlink_ask(fd, &message, take_number, &index);
	return r < 0 ? r : index;
}

static int look_at_link(void *data, const struct nlmsghdr *answer)
{
	size_t head = NLMSG_LENGTH(sizeof(struct ifinfomsg)), info_len = 0;
	const void *info;

	if (answer->nlmsg_len < head)
		return -EBADMSG;
	info = netlink_find((const char *)NLMSG_DATA(answer) + NLMSG_ALIGN(sizeof(struct ifinfomsg)),
			    answer->nlmsg_len - head, IFLA_LINKINFO, &info_len);
	if (info && !strcmp(netlink_find_text(info, info_len, IFLA_INFO_KIND), "tun"))
		*(int *)data = 1;
	return 0;
}

int link_has_tap(int fd)
{
	const struct ifinfomsg head = { .ifi_family = AF_UNSPEC };
	struct netlink_message message;
	int has_tap = 0, r;

	netlink_begin(&message, RTM_GETLINK, 0, &head, sizeof(head));
	r = netlink_dump(fd, &message, look_at_link, &has_tap);
	return r < 0 ? r : has_tap;
}

int link_add_address(int fd, unsigned int interface, enum net_family family, struct net_address address,
		     unsigned int prefix)
{
	const struct ifaddrmsg head = {
		.ifa_family = family_number(family),
		.ifa_prefixlen = (unsigned char)prefix,
		.ifa_flags = family == NET_V6 ? IFA_F_NODAD : 0,
		.ifa_index = interface,
	};
	struct netlink_message message;
	uint8_t bytes[16];
	size_t len = net_address_bytes(family, address, bytes);
	int r;

	netlink_begin(&message, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, &head, sizeof(head));
	netlink_put(&message, IFA_LOCAL, bytes, len);
	netlink_put(&message, IFA_ADDRESS, bytes, len);
	r = netlink_request(fd, &message);
	return r == -EEXIST ? 0 : r;
}

int link_add_default_route(int fd, unsigned int interface, enum net_family family, struct net_address gateway)
{
	const struct rtmsg head = {
		.rtm_family = family_number(family),
		.rtm_table = RT_TABLE_MAIN,
		.rtm_protocol = RTPROT_STATIC,
		.rtm_scope = RT_SCOPE_UNIVERSE,
		.rtm_type = RTN_UNICAST,
	};
	struct netlink_message message;
	uint8_t bytes[16];
	size_t len = net_address_bytes(family, gateway, bytes);

	netlink_begin(&message, RTM_NEWROUTE, NLM_F_CREATE, &head, sizeof(head));
	netlink_put(&message, RTA_GATEWAY, bytes, len);
	netlink_put(&message, RTA_OIF, &interface, sizeof(interface));
	return netlink_request(fd, &message);
}

void link_widen(int fd, unsigned int interface)
{
	const struct ifinfomsg head = { .ifi_family = AF_UNSPEC, .ifi_index = (int)interface };
	const uint32_t size = 8 * 65535; /* GSO_MAX_SIZE of the kernel */
	struct netlink_message message;

	netlink_begin(&message, RTM_NEWLINK, 0, &head, sizeof(head));
	netlink_put(&message, IFLA_GSO_MAX_SIZE, &size, sizeof(size));
	netlink_put(&message, LINK_GSO_IPV4_MAX_SIZE, &size, sizeof(size));
	(void)netlink_request(fd, &message);
}

/* conntrack.c - see conntrack.h. */
#include "net/conntrack.h"

#include <errno.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <sys/socket.h>

#include "base/netlink.h"

int conntrack_flush(int fd, const char *pointer, struct err **err)
{
	static const struct nfgenmsg any = { .nfgen_family = AF_UNSPEC, .version = NFNETLINK_V0 };
	struct netlink_message message;
	int r;

	netlink_begin(&message, NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_DELETE, 0, &any, sizeof(any));
	r = netlink_request(fd, &message);
	if (r == 0)
		return 0;
	err_sys(err, E_NETWORK, -r, "ctnetlink", "connections of the namespace", pointer);
	if (r == -EINVAL || r == -EOPNOTSUPP)
		err_hint(err, "the kernel needs CONFIG_NF_CT_NETLINK");
	return r;
}

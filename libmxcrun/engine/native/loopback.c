/* loopback.c - see loopback.h. */
#include "engine/native/loopback.h"

#include <errno.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "engine/native/clone.h"

int raw_loopback_up(void)
{
	static const struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING };
	long fd = raw_call(SYS_socket, AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0, 0, 0);
	long r = fd < 0 ? fd : raw_call(SYS_ioctl, fd, SIOCSIFFLAGS, (long)&request, 0, 0);

	if (fd >= 0)
		(void)raw_call(SYS_close, fd, 0, 0, 0, 0);
	return (int)r;
}

int loopback_up(struct err **err)
{
	int r = raw_loopback_up();

	return r < 0 ? err_sys(err, E_NETWORK, -r, "SIOCSIFFLAGS", "lo", NULL) : 0;
}

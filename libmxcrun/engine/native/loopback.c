/* loopback.c - see loopback.h. */
#include "engine/native/loopback.h"

#include <errno.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "base/fd.h"

int loopback_up(struct err **err)
{
	cleanup_close int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING };

	if (fd < 0)
		return err_sys(err, E_NETWORK, errno, "socket", "AF_INET", NULL);
	if (ioctl(fd, SIOCSIFFLAGS, &request) < 0)
		return err_sys(err, E_NETWORK, errno, "SIOCSIFFLAGS", "lo", NULL);
	return 0;
}

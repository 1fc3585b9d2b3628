/* image.c - the init program out of our own text into a sealed memfd.
 *
 * Sealed, because a process of the container may reach it through /proc/PID/exe, and a changed one would run
 * in the next container (CVE-2019-5736). Small, because it is copied for every start.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/syscall.h>

#include "base/sys.h"
#include "engine/native/clone.h"
#include "engine/native/parent.h"

extern const char init_image_start[], init_image_end[];

static long make_file(void)
{
	static const char name[] = "mxcrun-init";
	long fd = raw_call(SYS_memfd_create, (long)name, SYS_MFD_CLOEXEC | SYS_MFD_ALLOW_SEALING | SYS_MFD_EXEC, 0, 0, 0);

	return fd == -EINVAL ? raw_call(SYS_memfd_create, (long)name, SYS_MFD_CLOEXEC | SYS_MFD_ALLOW_SEALING, 0, 0, 0) : fd;
}

static long write_image(long fd)
{
	const char *at = init_image_start;

	while (at != init_image_end) {
		long n = raw_call(SYS_write, fd, (long)at, (long)((uintptr_t)init_image_end - (uintptr_t)at), 0, 0);

		if (n < 0)
			return n;
		at += n;
	}
	return raw_call(SYS_fcntl, fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE, 0, 0);
}

int raw_image_open(void)
{
	long fd = make_file(), r = fd < 0 ? fd : write_image(fd);

	if (r < 0 && fd >= 0)
		(void)raw_call(SYS_close, fd, 0, 0, 0, 0);
	return (int)(r < 0 ? r : fd);
}

int image_open(struct err **err)
{
	int fd = raw_image_open();

	return fd < 0 ? err_sys(err, E_HOST, -fd, "memfd_create", "init program", NULL) : fd;
}

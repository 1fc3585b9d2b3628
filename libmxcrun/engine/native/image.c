/* image.c - the init program out of our own text into a sealed memfd.
 *
 * Sealed, because a process of the container may reach it through /proc/PID/exe, and a changed one would run
 * in the next container (CVE-2019-5736). Small, because it is copied for every start.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/sys.h"
#include "engine/native/parent.h"

extern const char init_image_start[], init_image_end[];

int image_open(struct err **err)
{
	cleanup_close int fd = sys_memfd_create("mxcrun-init", SYS_MFD_CLOEXEC | SYS_MFD_ALLOW_SEALING | SYS_MFD_EXEC);
	int r;

	if (fd < 0 && errno == EINVAL)
		fd = sys_memfd_create("mxcrun-init", SYS_MFD_CLOEXEC | SYS_MFD_ALLOW_SEALING);
	if (fd < 0)
		return err_sys(err, E_HOST, errno, "memfd_create", "init program", NULL);
	r = fd_write_all(fd, init_image_start, (size_t)((uintptr_t)init_image_end - (uintptr_t)init_image_start));
	if (r < 0)
		return err_sys(err, E_HOST, -r, "write", "init program", NULL);
	if (fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) < 0)
		return err_sys(err, E_HOST, errno, "F_ADD_SEALS", "init program", NULL);
	return take_fd(fd);
}

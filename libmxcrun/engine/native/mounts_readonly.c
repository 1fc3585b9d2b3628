/* mounts_readonly.c - read-only file systems of memory, which are empty when they are made: what comes into them, targets of other
 * mounts, devices and the console, has to be made first. So they are mounted writable, and become read-only when all is there: before
 * the regions of a policy are cut out of the tree, and only a /dev that waits for the console after that.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "base/path.h"
#include "base/sys.h"
#include "engine/native/init.h"

bool readonly_is_late(const struct plan_mount *mount)
{
	return mount->attr_set & SYS_ATTR_RDONLY && !strcmp(mount->fstype, "tmpfs");
}

static bool waits_for_console(const struct init *init, const struct plan_mount *mount)
{
	return init->plan->process.terminal && !init->plan->policy.region_count && !strcmp(mount->destination, "/dev");
}

int readonly_remember(struct init *init, const struct plan_mount *mount, struct err **err)
{
	struct readonly_later *later = &init->readonly_later;
	int fd;

	if (!later->fds)
		later->fds = calloc(init->plan->mount_count, sizeof(*later->fds));
	if (!later->fds)
		return err_nomem(err);
	fd = path_open_in_root(init->root_fd, mount->destination, O_PATH);
	if (fd < 0)
		return err_sys(err, E_MOUNT, -fd, "openat2", mount->destination, mount->pointer);
	if (waits_for_console(init, mount)) {
		fd_close_ptr(&later->dev_fd);
		later->dev_fd = fd;
	} else {
		later->fds[later->count++] = fd;
	}
	return 0;
}

static int make_readonly(struct init *init, int *fd, struct err **err)
{
	struct sys_mount_attr attr = { .attr_set = SYS_ATTR_RDONLY };

	if (mount_set(init, *fd, 0, &attr) < 0)
		return err_sys(err, E_MOUNT, errno, "mount_setattr", "read-only tmpfs", "/mounts");
	fd_close_ptr(fd);
	return 0;
}

int readonly_apply(struct init *init, struct err **err)
{
	int r = 0;

	for (size_t i = 0; i < init->readonly_later.count && r == 0; i++)
		r = make_readonly(init, &init->readonly_later.fds[i], err);
	return r;
}

int readonly_apply_dev(struct init *init, struct err **err)
{
	return init->readonly_later.dev_fd < 0 ? 0 : make_readonly(init, &init->readonly_later.dev_fd, err);
}

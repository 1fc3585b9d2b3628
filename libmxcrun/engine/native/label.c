/* label.c - the AppArmor profile that the workload gets with its execve(2).
 *
 * Written to our own attr files on the host's procfs, which is opened while its name still is the host's and proven to be
 * one (CVE-2019-16884, CVE-2023-28642: an image's /proc takes a profile and forgets it). What can't be
 * applied is an error: a container never runs without the profile that it was to have.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "engine/native/init.h"

#define POINTER "/process/apparmorProfile"
#define TEXT_MAX 4096

int label_open(struct init *init, struct err **err)
{
	if (!init->plan->process.apparmor_profile)
		return 0;
	init->label_proc_fd = procfs_open_host();
	return init->label_proc_fd < 0 ? err_sys(err, E_HOST, -init->label_proc_fd, "open", "/proc", POINTER) : 0;
}

/* attr/apparmor is there since Linux 5.8 and means AppArmor even beside another module. */
static int open_attribute(const struct init *init)
{
	int fd = openat(init->label_proc_fd, "thread-self/attr/apparmor/exec", O_WRONLY | O_CLOEXEC);

	if (fd < 0 && errno == ENOENT)
		fd = openat(init->label_proc_fd, "thread-self/attr/exec", O_WRONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int label_apply(struct init *init, struct err **err)
{
	const char *profile = init->plan->process.apparmor_profile;
	cleanup_close int fd = -1;
	char text[TEXT_MAX];
	int len;

	if (!profile)
		return 0;
	fd = open_attribute(init);
	fd_close_ptr(&init->label_proc_fd);
	if (fd < 0)
		return err_set(err, E_HOST, -fd, POINTER, "AppArmor is not enabled on this host, so %s can't be applied",
			       profile);
	if (procfs_check(fd) < 0)
		return err_set(err, E_HOST, EXDEV, POINTER, "the attribute file is not one of a proc file system");
	len = snprintf(text, sizeof(text), "exec %s", profile);
	if (len < 0 || (size_t)len >= sizeof(text))
		return err_set(err, E_CONFIG, ENAMETOOLONG, POINTER, "the name is too long");
	if (write(fd, text, (size_t)len) == len)
		return 0;
	if (errno == ENOENT)
		return err_set(err, E_HOST, ENOENT, POINTER, "no AppArmor profile %s is loaded", profile);
	if (errno == EINVAL)
		return err_set(err, E_HOST, EINVAL, POINTER, "AppArmor is not enabled on this host, so %s can't be applied",
			       profile);
	return err_sys(err, E_CREDENTIALS, errno, "write", "AppArmor profile", POINTER);
}

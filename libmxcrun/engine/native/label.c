/* label.c - the AppArmor profile and the SELinux label that the workload gets with its execve(2).
 *
 * Written to our own attr files on the host's procfs, which is opened while its name still is the host's and proven to be
 * one (CVE-2019-16884, CVE-2023-28642: an image's /proc takes a profile and forgets it). What can't be
 * applied is an error: a container never runs without the label that it was to have.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "engine/native/init.h"

#define TEXT_MAX 4096

/* Where a security module takes a label, and how its name reads in an error. */
struct module {
	const char *name, *pointer;
	const char *own_file, *file;	/* below thread-self; own_file is this module's even beside another; NULL: none */
	const char *prefix;
	const char *none;		/* the label that confines nothing, which is so where the module isn't; NULL: there is none */
};

static const struct module apparmor = {
	/* attr/apparmor: Linux 5.8 */
	"AppArmor", "/process/apparmorProfile", "attr/apparmor/exec", "attr/exec", "exec ", "unconfined",
};
static const struct module selinux = { "SELinux", "/process/selinuxLabel", NULL, "attr/exec", "", NULL };
/* The session keyring's, which is made before the execve. */
static const struct module selinux_keys = { "SELinux", "/process/selinuxLabel", NULL, "attr/keycreate", "", NULL };

int label_open(struct init *init, struct err **err)
{
	const struct plan_process *process = &init->plan->process;

	if (!process->apparmor_profile && !process->selinux_label)
		return 0;
	init->label_proc_fd = procfs_open_host();
	return init->label_proc_fd < 0
		? err_sys(err, E_HOST, -init->label_proc_fd, "open", "/proc",
			  process->apparmor_profile ? apparmor.pointer : selinux.pointer) : 0;
}

static int open_attribute(const struct init *init, const struct module *module)
{
	const char *names[] = { module->own_file, module->file };
	int fd = -1;

	for (size_t i = 0; i < array_size(names) && fd < 0; i++) {
		char path[64];

		if (!names[i])
			continue;
		snprintf(path, sizeof(path), "thread-self/%s", names[i]);
		fd = openat(init->label_proc_fd, path, O_WRONLY | O_CLOEXEC);
		if (fd < 0 && errno != ENOENT)
			break;
	}
	return fd < 0 ? -errno : fd;
}

static int without_module(const struct module *module, const char *label, int number, struct err **err)
{
	if ((number == ENOENT || number == EINVAL) && module->none && strcmp(label, module->none) == 0)
		return 0;
	return err_set(err, E_HOST, number, module->pointer, "%s is not enabled on this host, so %s can't be applied",
		       module->name, label);
}

static int apply_one(struct init *init, const struct module *module, const char *label, struct err **err)
{
	cleanup_close int fd = -1;
	char text[TEXT_MAX];
	int len;

	if (!label)
		return 0;
	fd = open_attribute(init, module);
	if (fd < 0)
		return without_module(module, label, -fd, err);
	if (procfs_check(fd) < 0)
		return err_set(err, E_HOST, EXDEV, module->pointer, "the attribute file is not one of a proc file system");
	len = snprintf(text, sizeof(text), "%s%s", module->prefix, label);
	if (len < 0 || (size_t)len >= sizeof(text))
		return err_set(err, E_CONFIG, ENAMETOOLONG, module->pointer, "the name is too long");
	if (write(fd, text, (size_t)len) == len)
		return 0;
	if (errno == ENOENT)
		return err_set(err, E_HOST, ENOENT, module->pointer, "no %s profile %s is loaded", module->name, label);
	if (errno == EINVAL)
		return without_module(module, label, EINVAL, err);
	return err_sys(err, E_CREDENTIALS, errno, "write", label, module->pointer);
}

int label_apply(struct init *init, struct err **err)
{
	const struct plan_process *process = &init->plan->process;
	int r = apply_one(init, &apparmor, process->apparmor_profile, err);

	if (r == 0)
		r = apply_one(init, &selinux, process->selinux_label, err);
	if (r == 0 && process->new_keyring)
		r = apply_one(init, &selinux_keys, process->selinux_label, err);
	fd_close_ptr(&init->label_proc_fd);
	return r;
}

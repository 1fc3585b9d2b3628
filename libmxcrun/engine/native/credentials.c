/* credentials.c - from init's rights to the workload's: groups, ids, inner user namespace, capabilities,
 * no_new_privs.
 *
 * The bounding set is dropped while CAP_SETPCAP is still effective. An inner user namespace starts with
 * full sets, the bounding one too, so there the same is done after it was entered. Ids come before it: a
 * process may map no other id than its own into a namespace that it made.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <linux/capability.h>
#include <linux/magic.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/sys.h"
#include "engine/native/init.h"

#define CAPABILITIES_POINTER "/process/capabilities"

/* The calls themselves: a C library makes sure first that other threads follow, which takes four calls more, and there are none. */
static int set_group_list(const struct plan_process *process)
{
	return (int)syscall(SYS_setgroups, process->group_count, process->groups);
}

static int set_gid(gid_t gid)
{
	return (int)syscall(SYS_setresgid, gid, gid, gid);
}

static int set_uid(uid_t uid)
{
	return (int)syscall(SYS_setresuid, uid, uid, uid);
}

static const struct __user_cap_header_struct cap_header = { .version = _LINUX_CAPABILITY_VERSION_3 };

static int get_permitted(uint64_t *ret, struct err **err)
{
	struct __user_cap_header_struct header = cap_header;
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &header, data) < 0)
		return err_sys(err, E_CREDENTIALS, errno, "capget", "this process", NULL);
	*ret = (uint64_t)data[1].permitted << 32 | data[0].permitted;
	return 0;
}

static int set_capabilities(uint64_t effective, uint64_t permitted, uint64_t inheritable)
{
	struct __user_cap_header_struct header = cap_header;
	struct __user_cap_data_struct data[2];

	for (int i = 0; i < 2; i++)
		data[i] = (struct __user_cap_data_struct){
			.effective = (uint32_t)(effective >> 32 * i),
			.permitted = (uint32_t)(permitted >> 32 * i),
			.inheritable = (uint32_t)(inheritable >> 32 * i),
		};
	return sys_capset(&header, data) < 0 ? -errno : 0;
}

/* Up to the kernel's last capability, which answers EINVAL above it. What is gone already needs no right, but the
 * kernel asks for it. */
static int drop_bounding(uint64_t keep, struct err **err)
{
	char object[32];

	for (int cap = 0; cap < 64; cap++) {
		if ((keep >> cap & 1) || prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) == 0)
			continue;
		if (errno == EINVAL)
			return 0;
		if (errno == EPERM && prctl(PR_CAPBSET_READ, cap, 0, 0, 0) == 0)
			continue;
		snprintf(object, sizeof(object), "capability %d", cap);
		return err_sys(err, E_CREDENTIALS, errno, "prctl(PR_CAPBSET_DROP)", object,
			       CAPABILITIES_POINTER "/bounding");
	}
	return 0;
}

/* user_namespaces(7). Not by a file of that name that the image has. */
static bool namespace_denies_groups(void)
{
	cleanup_close int fd = open("/proc/self/setgroups", O_RDONLY | O_CLOEXEC);
	struct statfs fs;
	char text[4];

	return fd >= 0 && fstatfs(fd, &fs) == 0 && fs.f_type == PROC_SUPER_MAGIC &&
	       read(fd, text, sizeof(text)) == (ssize_t)sizeof(text) && !memcmp(text, "deny", sizeof(text));
}

/* The kernel says EPERM without CAP_SETGID, and in a user namespace whose maker denied the call, as `unshare -Ur` does: nobody in
 * there can have other groups than the caller's, so to ask for none is to ask for what there is. A filter around us may say
 * the same, and then the groups stay that were to be taken away. */
static int groups_denied(const struct plan_process *process, struct err **err)
{
	uint64_t permitted = 0;
	int r = get_permitted(&permitted, err);

	if (r < 0)
		return r;
	if (!(permitted >> CAP_SETGID & 1))
		return err_set(err, E_CREDENTIALS, EPERM, "/process/user", "the caller's groups can't be taken away without CAP_SETGID");
	if (!process->group_count && (getgroups(0, NULL) == 0 || namespace_denies_groups()))
		return 0;
	if (!process->group_count)
		return err_set(err, E_CREDENTIALS, EPERM, "/process/user",
			       "the caller's groups can't be taken away: setgroups is refused, and not by the user namespace, by what /proc says");
	return err_set(err, E_CREDENTIALS, EPERM, "/process/user/additionalGids",
		       "the user namespace that mxcrun runs in was made with setgroups denied");
}

/* Invariant 25: always, also to none; but where the user namespace forbids the call, none is all there is. */
static int set_groups(const struct plan *plan, struct err **err)
{
	const struct plan_process *process = &plan->process;

	if (process->keep_groups || (plan->deny_setgroups && process->group_count == 0))
		return 0;
	if (set_group_list(process) == 0)
		return 0;
	return errno == EPERM ? groups_denied(process, err) :
				err_sys(err, E_CREDENTIALS, errno, "setgroups", NULL, "/process/user/additionalGids");
}

static int set_ids(const struct plan *plan, struct err **err)
{
	uid_t uid = plan->process.uid;
	gid_t gid = plan->process.gid;
	char object[16];
	int r = set_groups(plan, err);

	if (r < 0)
		return r;
	snprintf(object, sizeof(object), "%u", gid);
	if (set_gid(gid) < 0)
		return err_sys(err, E_CREDENTIALS, errno, "setresgid", object, "/process/user/gid");
	snprintf(object, sizeof(object), "%u", uid);
	if (set_uid(uid) < 0)
		return err_sys(err, E_CREDENTIALS, errno, "setresuid", object, "/process/user/uid");
	/* invariant 20: a change of ids made us dumpable again */
	if (prctl(PR_SET_DUMPABLE, 0) < 0)
		return err_sys(err, E_CREDENTIALS, errno, "prctl", "PR_SET_DUMPABLE", NULL);
	return 0;
}

/* Invariant 47. Some hosts allow a new user namespace only to CAP_SYS_ADMIN, and the kernel maps id 0
 * only for who had CAP_SETFCAP: so with all that is permitted, as a change of ids made nothing effective. */
static int unshare_user(struct err **err)
{
	uint64_t permitted;
	int r = get_permitted(&permitted, err);

	if (r < 0)
		return r;
	r = set_capabilities(permitted, permitted, 0);
	if (r < 0)
		return err_sys(err, E_CREDENTIALS, -r, "capset", "the workload", NULL);
	if (unshare(CLONE_NEWUSER) < 0)
		return err_sys(err, errno == EPERM || errno == ENOSPC ? E_USERNS_BLOCKED : E_NAMESPACE,
			       errno, "unshare", "the workload's user namespace", NULL);
	return 0;
}

static int write_map(struct init *init, const char *name, uint32_t id, struct err **err)
{
	char text[32];
	int r;

	snprintf(text, sizeof(text), "%u %u 1", id, id);
	r = procfs_write_self(init, name, text);
	return r < 0 ? err_sys(err, E_IDMAP, -r, "write", name, NULL) : 0;
}

static int enter_inner_userns(struct init *init, struct err **err)
{
	const struct plan_process *process = &init->plan->process;
	int r = unshare_user(err);

	if (r < 0)
		return r;
	r = procfs_write_self(init, "setgroups", "deny");
	if (r < 0)
		return err_sys(err, E_IDMAP, -r, "write", "setgroups", NULL);
	r = write_map(init, "uid_map", process->uid, err);
	if (r == 0)
		r = write_map(init, "gid_map", process->gid, err);
	if (r < 0)
		return r;
	if (getuid() != process->uid || getgid() != process->gid)
		return err_set(err, E_IDMAP, 0, NULL, "the workload's user namespace maps other ids");
	return 0;
}

/* Lacking rights are named by number: the plan's printed form has the words. */
static int apply_sets(const struct plan_capabilities *caps, struct err **err)
{
	uint64_t permitted;
	int r = get_permitted(&permitted, err);

	if (r < 0)
		return r;
	if (caps->permitted & ~permitted)
		return err_set(err, E_CREDENTIALS, EPERM, CAPABILITIES_POINTER "/permitted",
			       "capabilities 0x%llx are not ours to give",
			       (unsigned long long)(caps->permitted & ~permitted));
	r = set_capabilities(caps->effective, caps->permitted, caps->inheritable);
	return r < 0 ? err_sys(err, E_CREDENTIALS, -r, "capset", NULL, CAPABILITIES_POINTER) : 0;
}

static int apply_ambient(uint64_t ambient, struct err **err)
{
	char object[32];

	/* a kernel before 4.3 has none to clear */
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0 && (errno != EINVAL || ambient))
		return err_sys(err, E_CREDENTIALS, errno, "prctl", "PR_CAP_AMBIENT_CLEAR_ALL",
			       CAPABILITIES_POINTER "/ambient");
	for (int cap = 0; cap < 64; cap++) {
		if (!(ambient >> cap & 1) || prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0) == 0)
			continue;
		snprintf(object, sizeof(object), "capability %d", cap);
		return err_sys(err, E_CREDENTIALS, errno, "prctl(PR_CAP_AMBIENT_RAISE)", object,
			       CAPABILITIES_POINTER "/ambient");
	}
	return 0;
}

int credentials_apply(struct init *init, struct err **err)
{
	const struct plan_process *process = &init->plan->process;
	int r = 0;

	if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0)
		return err_sys(err, E_CREDENTIALS, errno, "prctl", "PR_SET_KEEPCAPS", NULL);
	if (!process->inner_userns)
		r = drop_bounding(process->capabilities.bounding, err);
	if (r == 0)
		r = set_ids(init->plan, err);
	if (r == 0 && process->inner_userns) {
		r = enter_inner_userns(init, err);
		if (r == 0)
			r = drop_bounding(process->capabilities.bounding, err);
	}
	if (r == 0)
		r = apply_sets(&process->capabilities, err);
	if (r == 0)
		r = apply_ambient(process->capabilities.ambient, err);
	if (r < 0)
		return r;
	if (process->no_new_privileges && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_sys(err, E_CREDENTIALS, errno, "prctl", "PR_SET_NO_NEW_PRIVS", NULL);
	return 0;
}

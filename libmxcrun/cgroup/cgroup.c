/* cgroup.c - making a container's groups with their limits and the device filter.
 *
 * On a v1 host there is a group in every hierarchy, as engines and monitoring tools expect; on a
 * hybrid host one in v2 besides, although no controller may be there: v2 kills a whole tree in one
 * step, freezes what can still be killed, and takes a process at its birth; making and removing it
 * takes a tenth of a millisecond. On pure v2 there is one group.
 */
#include "cgroup/backend.h"
#include "cgroup/bfq.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "cgroup/devices.h"
#include "cgroup/directory.h"
#include "host/explain.h"

/* Its memory stays: the container's record looks at the same array, perhaps with the old count. */
static void give_up_dir(struct cgroup *cgroup, size_t i)
{
	struct cgroup_dir dir = cgroup->dirs[i];

	cgroup->count--;
	memmove(&cgroup->dirs[i], &cgroup->dirs[i + 1], (cgroup->count - i) * sizeof(dir));
	dir.is_ours = false;
	cgroup->dirs[cgroup->count] = dir;
}

static void group_done(struct group *group)
{
	fd_close_ptr(&group->fd);
}
#define cleanup_group __attribute__((cleanup(group_done)))

/* ---- directories ---- */

static int make_parents(const struct group *group)
{
	cleanup_close int fd = directory_open(group->mount->mountpoint, group->dir->is_v2);
	const char *rest = group->path, *last = directory_name(group->path);

	for (;;) {
		cleanup_free char *name = NULL;
		int next;

		if (fd < 0)
			return fd;
		rest += strspn(rest, "/");
		if (rest == last)
			return take_fd(fd);
		name = strndup(rest, strcspn(rest, "/"));
		if (!name)
			return -ENOMEM;
		if (mkdirat(fd, name, 0755) < 0 && errno != EEXIST)
			return -errno;
		next = directory_open_below(fd, name);
		close(fd);
		fd = next;
		rest += strlen(name);
	}
}

/* The group above, which mostly exists. */
static int open_parent(const struct group *group)
{
	const char *path = group->dir->path;
	cleanup_free char *parent = strndup(path, (size_t)(directory_name(path) - path));
	int fd;

	if (!parent)
		return -ENOMEM;
	fd = directory_open(parent, group->dir->is_v2);
	return fd == -ENOENT ? make_parents(group) : fd;
}

int group_make_directory(struct group *group, struct err **err)
{
	cleanup_close int parent_fd = open_parent(group);
	const char *path = group->dir->path;
	int r;

	if (parent_fd < 0)
		return err_sys(err, E_CGROUP, -parent_fd, "open the cgroup above", path,
			       CGROUP_PATH_POINTER);
	if (mkdirat(parent_fd, directory_name(path), 0755) < 0) {
		if (errno != EEXIST)
			return err_sys(err, E_CGROUP, errno, "mkdir", path, CGROUP_PATH_POINTER);
		if (!group->may_exist && (r = cgroup_check_unused(group->dir, err)) < 0) {
			group->dir->is_ours = false;
			return r;
		}
	}
	if (!group->wants_fd)
		return 0;
	group->fd = directory_open_below(parent_fd, directory_name(path));
	if (group->fd < 0)
		return err_sys(err, E_CGROUP, -group->fd, "open", path, CGROUP_PATH_POINTER);
	return 0;
}

/* ---- limits ---- */

const struct cgroup_dir *cgroup_find_for(const struct cgroup *cgroup,
					 const struct plan_cgroup_write *write)
{
	const struct cgroup_dir *dir = cgroup_find_v1(cgroup, write->controller);

	return dir ? dir : cgroup_find_v2(cgroup);
}

static bool takes_any_write(const struct cgroup *cgroup, const struct cgroup_dir *dir,
			    const struct plan_cgroup *plan)
{
	size_t i;

	for (i = 0; i < plan->write_count; i++)
		if (cgroup_find_for(cgroup, &plan->writes[i]) == dir)
			return true;
	return false;
}

static void explain_write(const struct plan_cgroup_write *write, int r, struct err **err)
{
	if (r == -ENOENT && (strstr(write->file, "swap") || strstr(write->file, "memsw")))
		err_hint(err, "the kernel does not account for swap: boot with swapaccount=1");
	else if (r == -ENOENT)
		err_hint(err, "the controller %s of this kernel has no such file",
			 write->controller);
	else if (r == -EBUSY && !strcmp(write->controller, "memory"))
		err_hint(err, "the container uses more than that");
	else if (!strcmp(write->controller, "cpuset"))
		err_hint(err, "the host, or the group above, has others");
	else if (r == -ENODEV)
		err_hint(err, "the host has no such device");
}

static int write_limit(const struct cgroup_dir *dir, int dir_fd,
		       const struct plan_cgroup_write *write, struct err **err)
{
	struct bfq_written by_bfq;
	const char *file = write->file, *value = write->value;
	int r, bfq;

	if (strchr(write->file, '/'))
		return err_set(err, E_CGROUP, 0, write->pointer,
			       "not the name of a cgroup file: %s", write->file);
	r = fd_write_file(dir_fd, write->file, write->value);
	bfq = r == 0 || r == -ENOENT ? bfq_write_weight(dir_fd, write, &by_bfq) : -ENOENT;
	if (bfq != -ENOENT) {
		r = bfq;
		file = by_bfq.file;
		value = by_bfq.value;
	}
	if (r == 0 || (r == -ENOENT && write->is_optional))
		return 0;
	err_set(err, E_CGROUP, -r, write->pointer, "writing \"%s\" to %s/%s", value, dir->path, file);
	explain_write(write, r, err);
	return r;
}

static int write_limits(const struct group *group, const struct plan_cgroup *plan, struct err **err)
{
	size_t i;
	int r = 0;

	for (i = 0; r == 0 && i < plan->write_count; i++)
		if (cgroup_find_for(group->cgroup, &plan->writes[i]) == group->dir)
			r = write_limit(group->dir, group->fd, &plan->writes[i], err);
	return r;
}

/* Which group gets the device filter. v1's controller where there is one, unless it can't express
 * the rules; v2's filter then works on hybrid hosts, too. */
static const struct cgroup_dir *find_device_dir(const struct cgroup *cgroup,
						const struct plan_cgroup *plan)
{
	const struct cgroup_dir *v1 = cgroup_find_v1(cgroup, "devices"),
				*v2 = cgroup_find_v2(cgroup);

	if (v1 && (!v2 || devices_fit_v1(plan->device_rules, plan->device_rule_count)))
		return v1;
	return v2;
}

static bool takes_devices(const struct cgroup *cgroup, const struct cgroup_dir *dir,
			  const struct plan_cgroup *plan)
{
	return plan->wants_devices && dir == find_device_dir(cgroup, plan);
}

static int check_devices(const struct cgroup *cgroup, const struct plan_cgroup *plan,
			 struct err **err)
{
	const struct cgroup_dir *dir = find_device_dir(cgroup, plan);

	if (!plan->wants_devices)
		return 0;
	if (!dir)
		return err_set(
			err, E_CGROUP, EOPNOTSUPP, "/linux/resources/devices",
			"neither the devices controller of cgroup v1 nor cgroup v2 is mounted");
	if (!dir->is_v2 && !devices_fit_v1(plan->device_rules, plan->device_rule_count))
		return err_set(
			err, E_UNSUPPORTED, EOPNOTSUPP, "/linux/resources/devices",
			"a rule takes a part of an earlier, wider rule back, which cgroup v1 can't do");
	return 0;
}

/* ---- making ---- */

static const struct cgroup_mount *find_mount(const struct host_facts *facts,
					     const struct cgroup_dir *dir)
{
	size_t i;

	for (i = 0; i < facts->cgroup_count; i++)
		if (facts->cgroups[i].is_v2 == dir->is_v2 &&
		    !strcmp(facts->cgroups[i].controllers, dir->controllers))
			return &facts->cgroups[i];
	return NULL;
}

static int open_group(struct group *group, const struct plan *plan, const struct host_facts *facts,
		      struct err **err)
{
	group->mount = find_mount(facts, group->dir);
	if (!group->mount)
		return err_set(err, E_INTERNAL, 0, NULL, "no hierarchy for %s", group->dir->path);
	/* Not plan->cgroup.path: systemd may have chosen another place. */
	group->path = group->dir->path + strlen(group->mount->mountpoint);
	return group->dir->is_v2 ? v2_make_group(group, &plan->cgroup, facts, err)
				 : v1_make_group(group, err);
}

static int make_group(const struct cgroup *cgroup, struct cgroup_dir *dir, const struct plan *plan,
		      const struct host_facts *facts, struct err **err)
{
	cleanup_group struct group group = {
		.cgroup = cgroup, .dir = dir, .may_exist = cgroup->unit != NULL, .fd = -1
	};
	const struct plan_cgroup *wanted = &plan->cgroup;
	int r;

	group.wants_fd = dir->is_v2 || directory_has_word(dir->controllers, "cpuset") ||
			 takes_any_write(cgroup, dir, wanted);
	r = open_group(&group, plan, facts, err);
	if (r == 0)
		r = write_limits(&group, wanted, err);
	return r;
}

bool cgroup_guards_at_once(const struct cgroup *cgroup, const struct plan *plan)
{
	const struct cgroup_dir *dir = find_device_dir(cgroup, &plan->cgroup);

	return dir && dir->is_v2;
}

int cgroup_guard_devices(const struct cgroup *cgroup, const struct plan *plan, int v2_fd, struct err **err)
{
	const struct cgroup_dir *dir = find_device_dir(cgroup, &plan->cgroup);
	cleanup_close int fd = -1;

	if (!plan->cgroup.wants_devices || plan->lifecycle.is_exec || !dir)
		return 0;
	if (dir->is_v2 && v2_fd >= 0)
		return devices_apply_v2(v2_fd, &plan->cgroup, err);
	fd = directory_open_group(dir->path, dir->is_v2, NULL);
	if (fd < 0)
		return err_sys(err, E_CGROUP, -fd, "open", dir->path, "/linux/resources/devices");
	return dir->is_v2 ? devices_apply_v2(fd, &plan->cgroup, err) : devices_apply_v1(fd, &plan->cgroup, err);
}

/* Can the container do without a group here? */
static bool is_dispensable(const struct cgroup *cgroup, const struct cgroup_dir *dir,
			   const struct plan_cgroup *plan, int r)
{
	return !plan->required && (r == -EACCES || r == -EPERM || r == -EROFS) &&
	       !takes_any_write(cgroup, dir, plan) && !takes_devices(cgroup, dir, plan);
}

static int make_all(struct cgroup *cgroup, const struct plan *plan, const struct host_facts *facts,
		    const struct log *log, struct err **err)
{
	size_t i = 0;

	while (i < cgroup->count) {
		cleanup_err struct err *failure = NULL;
		int r = make_group(cgroup, &cgroup->dirs[i], plan, facts, &failure);

		if (r == 0) {
			i++;
			continue;
		}
		if (is_dispensable(cgroup, &cgroup->dirs[i], &plan->cgroup, r)) {
			log_debug(log, "no cgroup %s: %s; the container stays in the caller's",
				  cgroup->dirs[i].path, strerror(-r));
			give_up_dir(cgroup, i);
			continue;
		}
		if (r == -EACCES || r == -EPERM || r == -EROFS)
			explain_cgroup_refused(facts, &failure);
		if (err)
			*err = take_ptr(failure);
		return r;
	}
	return 0;
}

/* On a hybrid host v2 has what no v1 hierarchy took, mostly nothing. On pure v2 the group itself
 * will tell. */
static bool has_controller(const struct cgroup *cgroup, const struct plan_cgroup_write *write,
			   const struct host_facts *facts)
{
	const struct cgroup_dir *dir = cgroup_find_for(cgroup, write);

	if (!dir || !dir->is_v2 || facts->layout == CGROUP_LAYOUT_V2)
		return dir;
	return strcmp(write->controller, "cgroup") == 0 ||
	       directory_has_word(facts->v2_controllers, write->controller);
}

static int check_limits(const struct cgroup *cgroup, const struct plan_cgroup *plan,
			const struct host_facts *facts, struct err **err)
{
	size_t i;

	for (i = 0; i < plan->write_count; i++) {
		const struct plan_cgroup_write *write = &plan->writes[i];

		if (has_controller(cgroup, write, facts))
			continue;
		err_set(err, E_CGROUP, ENOENT, write->pointer,
			"this host has no cgroup controller %s", write->controller);
		explain_controller(facts, write->controller, err);
		return -ENOENT;
	}
	return 0;
}

int cgroup_prepare_update(struct cgroup *cgroup, const struct plan *plan,
			  const struct host_facts *facts, struct err **err)
{
	int r = check_limits(cgroup, &plan->cgroup, facts, err);

	for (size_t i = 0; i < cgroup->count && r == 0; i++) {
		cleanup_group struct group group = {
			.cgroup = cgroup, .dir = &cgroup->dirs[i], .may_exist = true, .wants_fd = true, .fd = -1
		};

		if (takes_any_write(cgroup, group.dir, &plan->cgroup))
			r = open_group(&group, plan, facts, err);
	}
	return r;
}

int cgroup_write(const struct cgroup *cgroup, const struct plan_cgroup_write *write,
		 struct err **err)
{
	const struct cgroup_dir *dir = cgroup_find_for(cgroup, write);
	cleanup_close int fd = dir ? directory_open_group(dir->path, dir->is_v2, NULL) : -ENOENT;

	if (fd < 0)
		return err_sys(err, E_CGROUP, -fd, "open", dir ? dir->path : write->controller, write->pointer);
	return write_limit(dir, fd, write, err);
}

static int create_groups(struct cgroup *cgroup, const struct plan *plan, const struct host_facts *facts,
			 const struct log *log, struct err **err)
{
	int r;

	if (plan->cgroup.manager == CGROUP_MANAGER_DISABLED)
		return 0;
	r = check_limits(cgroup, &plan->cgroup, facts, err);
	if (r == 0)
		r = check_devices(cgroup, &plan->cgroup, err);
	if (r < 0)
		return r;
	if (cgroup->unit)
		r = systemd_start_scope(cgroup, plan, facts, err);
	if (r < 0) { /* a scope of this name may be somebody else's */
		holder_release(cgroup->holder);
		return r;
	}
	r = make_all(cgroup, plan, facts, log, err);
	/* The first failure is what counts; the journal knows of what this may leave. */
	if (r < 0)
		cgroup_destroy(cgroup, NULL);
	return r;
}

int cgroup_create(struct cgroup *cgroup, const struct plan *plan, const struct host_facts *facts,
		  const struct log *log, struct err **err)
{
	int r = create_groups(cgroup, plan, facts, log, err);

	if (r < 0 || !cgroup->resctrl.class_path)
		return r;
	r = resctrl_create(&cgroup->resctrl, &plan->rdt, err);
	if (r < 0)
		cgroup_destroy(cgroup, NULL);
	return r;
}

/* update.c - other limits for groups that exist, and who is in them. */
#include "cgroup/backend.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "base/mem.h"
#include "cgroup/bfq.h"
#include "cgroup/directory.h"
#include "cgroup/systemd_limits.h"

#define V1_UNLIMITED (INT64_MAX - 65535) /* less the rest of a page, of whatever size */

/* A limit below what is in use would kill. */
static int check_usage(const struct cgroup *cgroup, const struct plan_cgroup_write *write, struct err **err)
{
	const struct cgroup_dir *dir = cgroup_find_for(cgroup, write);
	cleanup_close int fd = dir ? directory_open_group(dir->path, dir->is_v2, NULL) : -ENOENT;
	cleanup_free char *used = NULL;
	int r = fd < 0 ? fd : directory_read(fd, write->usage_file, &used);

	if (r < 0)
		return err_sys(err, E_CGROUP, -r, "read", write->usage_file, write->pointer);
	if (strtoull(used, NULL, 10) <= strtoull(write->value, NULL, 10))
		return 0;
	err_set(err, E_CGROUP, EBUSY, write->pointer, "%s bytes are less than what is in use, %.*s in %s/%s", write->value,
		(int)strcspn(used, "\n"), used, dir->path, write->usage_file);
	return -EBUSY;
}

static int check_usages(const struct cgroup *cgroup, const struct plan_cgroup *plan, struct err **err)
{
	int r = 0;

	for (size_t i = 0; i < plan->write_count && r == 0; i++)
		if (plan->writes[i].usage_file)
			r = check_usage(cgroup, &plan->writes[i], err);
	return r;
}

/* Write what is not done yet; invalid values are left for another pass. *err is the last refusal. Returns how many
 * were written, or the failure that another pass can't mend. */
static int write_pass(const struct cgroup *cgroup, const struct plan_cgroup *plan, bool *is_done, struct err **err)
{
	int written = 0;

	for (size_t i = 0; i < plan->write_count; i++) {
		int r;

		if (is_done[i])
			continue;
		err_free_ptr(err);
		r = cgroup_write(cgroup, &plan->writes[i], err);
		if (r < 0 && r != -EINVAL)
			return r;
		is_done[i] = r == 0;
		written += r == 0;
	}
	return written;
}

/* Some values only fit once another is written (v1: memory above memory and swap together; a cpu quota
 * above its parent's for the old period). So what was refused as invalid is tried again, as long as others get through. */
static int write_all(const struct cgroup *cgroup, const struct plan_cgroup *plan, struct err **err)
{
	size_t left = plan->write_count;
	cleanup_free bool *is_done = calloc(left + 1, sizeof(*is_done));

	if (!is_done)
		return err_nomem(err);
	while (left > 0) {
		cleanup_err struct err *refused = NULL;
		int written = write_pass(cgroup, plan, is_done, &refused);

		if (written > 0) {
			left -= (size_t)written;
			continue;
		}
		if (err)
			*err = take_ptr(refused);
		return written < 0 ? written : -EINVAL;
	}
	return 0;
}

/* ---- putting back ---- */

/* The writes that give the files of a plan the values that they have now. */
static void old_values_done(struct plan_cgroup *old)
{
	for (size_t i = 0; i < old->write_count; i++)
		free((char *)old->writes[i].value);
	free(old->writes);
}
#define cleanup_old_values __attribute__((cleanup(old_values_done)))

/* NULL where there is nothing to put back: no such file, or one with a line a device, of which a write names one. */
static char *read_old_value(const struct cgroup *cgroup, const struct plan_cgroup_write *write)
{
	const struct cgroup_dir *dir = cgroup_find_for(cgroup, write);
	cleanup_close int fd = dir ? directory_open_group(dir->path, dir->is_v2, NULL) : -1;
	cleanup_free char *text = NULL;

	if (fd < 0 || strchr(write->file, '/') || strchr(write->value, ':') || directory_read(fd, write->file, &text) < 0)
		return NULL;
	return strcspn(text, "\n") + 1 < strlen(text) ? NULL : take_ptr(text);
}

static void add_old_value(const struct cgroup *cgroup, struct plan_cgroup_write write, struct plan_cgroup *ret)
{
	write.value = read_old_value(cgroup, &write);
	if (write.value)
		ret->writes[ret->write_count++] = write;
}

static bool is_share(const char *file)
{
	return !strcmp(file, "cpu.idle") || !strcmp(file, "cpu.weight");
}

/* An idle group has no weight, and the first one again when it ceases to be idle. */
static void add_old_share(const struct cgroup *cgroup, struct plan_cgroup_write write, struct plan_cgroup *ret)
{
	size_t count = ret->write_count;

	write.file = "cpu.idle";
	add_old_value(cgroup, write, ret);
	write.file = "cpu.weight";
	if (ret->write_count == count || ret->writes[count].value[0] == '0')
		add_old_value(cgroup, write, ret);
}

/* A weight may have gone to BFQ's file as well, or there alone. */
static int read_old_values(const struct cgroup *cgroup, const struct plan_cgroup *plan, struct plan_cgroup *ret,
			   struct err **err)
{
	ret->writes = calloc(2 * plan->write_count + 1, sizeof(*ret->writes));
	if (!ret->writes)
		return err_nomem(err);
	for (size_t i = 0; i < plan->write_count; i++) {
		struct plan_cgroup_write write = plan->writes[i];

		if (is_share(write.file)) {
			add_old_share(cgroup, write, ret);
			continue;
		}
		add_old_value(cgroup, write, ret);
		write.file = bfq_file(write.file);
		if (write.file)
			add_old_value(cgroup, write, ret);
	}
	return 0;
}

/* ---- systemd ---- */

static int read_other_values(const struct cgroup *cgroup, const struct plan_cgroup *plan, struct plan_cgroup *ret,
			     struct err **err)
{
	struct plan_cgroup_write write;
	size_t count = 0;

	while (systemd_limit_file(count, &write))
		count++;
	ret->writes = calloc(count, sizeof(*ret->writes));
	if (!ret->writes)
		return err_nomem(err);
	for (size_t i = 0; systemd_limit_file(i, &write); i++) {
		write.value = "";
		if (plan_cgroup_value(plan, write.file))
			continue;
		if (!is_share(write.file))
			add_old_value(cgroup, write, ret);
		else if (!strcmp(write.file, "cpu.idle") && !plan_cgroup_value(plan, "cpu.weight"))
			add_old_share(cgroup, write, ret);
	}
	return 0;
}

/* With a limit systemd writes all those of its controller again, and what it has of them is rounded or, where it has no such property,
 * its own. So what isn't named is looked at afterwards. */
static int tell_systemd(const struct cgroup *cgroup, const struct plan_cgroup *limits, struct err **err)
{
	cleanup_old_values struct plan_cgroup others = { 0 };
	int r = read_other_values(cgroup, limits, &others, err);

	if (r == 0)
		r = systemd_update_scope(cgroup, limits, err);
	for (size_t i = 0; i < others.write_count && r == 0; i++) {
		cleanup_free char *now = read_old_value(cgroup, &others.writes[i]);

		if (now && strcmp(now, others.writes[i].value) != 0)
			cgroup_write(cgroup, &others.writes[i], NULL);
	}
	return r;
}

/* systemd first: it writes its own, rounded values. */
static int put_back(const struct cgroup *cgroup, const struct plan_cgroup *old)
{
	int told = cgroup->unit ? tell_systemd(cgroup, old, NULL) : 0, r = write_all(cgroup, old, NULL);

	return told < 0 ? told : r;
}

/* All of the limits, or none: what was written before a refusal is taken back, as runc does. */
int cgroup_update(struct cgroup *cgroup, const struct plan *plan, const struct host_facts *facts,
		  struct err **err)
{
	cleanup_old_values struct plan_cgroup old = { 0 };
	int r = cgroup_prepare_update(cgroup, plan, facts, err);

	if (r == 0)
		r = check_usages(cgroup, &plan->cgroup, err);
	if (r == 0)
		r = read_old_values(cgroup, &plan->cgroup, &old, err);
	if (r == 0 && cgroup->unit)
		r = tell_systemd(cgroup, &plan->cgroup, err);
	if (r < 0)
		return r;
	r = write_all(cgroup, &plan->cgroup, err);
	if (r == 0 && plan->rdt.is_set)
		r = resctrl_update(&cgroup->resctrl, &plan->rdt, err);
	if (r < 0 && put_back(cgroup, &old) < 0)
		err_hint(err, "limits that were set before this one could not all be put back");
	return r;
}

int cgroup_cpu_max(const struct cgroup *cgroup, int64_t *ret_quota, uint64_t *ret_period)
{
	const struct cgroup_dir *dir = cgroup_find_v1(cgroup, "cpu") ? NULL : cgroup_find_v2(cgroup);
	cleanup_close int fd = dir ? directory_open_group(dir->path, true, NULL) : -ENOENT;
	cleanup_free char *text = NULL;
	char *end;
	int r = fd < 0 ? fd : directory_read(fd, "cpu.max", &text);

	if (r < 0)
		return r;
	*ret_quota = strncmp(text, "max ", 4) == 0 ? -1 : strtoll(text, NULL, 10);
	end = strchr(text, ' ');
	*ret_period = end ? strtoull(end, NULL, 10) : 0;
	return *ret_quota && *ret_period ? 0 : -EBADMSG;
}

int cgroup_memory_limit(const struct cgroup *cgroup, int64_t *ret)
{
	const struct cgroup_dir *v1 = cgroup_find_v1(cgroup, "memory"), *dir = v1 ? v1 : cgroup_find_v2(cgroup);
	cleanup_close int fd = dir ? directory_open_group(dir->path, dir->is_v2, NULL) : -ENOENT;
	cleanup_free char *text = NULL;
	int r = fd < 0 ? fd : directory_read(fd, v1 ? "memory.limit_in_bytes" : "memory.max", &text);
	char *end = NULL;

	if (r < 0)
		return r;
	*ret = strncmp(text, "max", 3) == 0 ? -1 : strtoll(text, &end, 10);
	if (*ret >= V1_UNLIMITED)
		*ret = -1;
	/* 0 is what the kernel makes of less than a page. */
	return end == text ? -EBADMSG : 0;
}

int cgroup_pids(const struct cgroup *cgroup, pid_t **ret, size_t *ret_count, struct err **err)
{
	const struct cgroup_dir *dir = cgroup_find_any(cgroup);
	struct pid_list list = { 0 };
	cleanup_close int fd = -1;
	int r;

	if (!dir)
		return err_set(err, E_UNSUPPORTED, 0, NULL, "the container has no cgroup that tells its processes");
	fd = directory_open_group(dir->path, dir->is_v2, NULL);
	r = fd < 0 ? fd : directory_pids(fd, &list);
	if (r < 0) {
		pid_list_done(&list);
		return err_sys(err, E_CGROUP, -r, "read", dir->path, NULL);
	}
	*ret = list.items;
	*ret_count = list.count;
	return 0;
}

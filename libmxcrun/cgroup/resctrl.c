/* resctrl.c - a container's class in the resctrl file system, with shares of caches and of memory bandwidth, and the group within it
 * that monitors the container.
 *
 * resctrl(5) of the kernel's documentation, "User Interface for Resource Control feature": a class is a directory at the top, its
 * limits are the lines of "schemata"; processes enter by "tasks" and their children are born in it. A class that is removed gives its
 * processes to the root class without a word, so one that holds strangers stays.
 */
#include "cgroup/backend.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "cgroup/directory.h"

#define POINTER "/linux/intelRdt"
#define RESCTRL_MAGIC 0x7655821
#define FILE_MAX (1u << 20)

/* The file system's own descriptor or a negative errno: nothing else can stand in for it. */
static int open_group(const char *path)
{
	cleanup_close int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct statfs fs;

	if (fd < 0 || fstatfs(fd, &fs) < 0)
		return -errno;
	return fs.f_type == RESCTRL_MAGIC ? take_fd(fd) : -EXDEV;
}

/* What the kernel says about the last refusal lies at the top. */
static void add_reason(const char *class_path, struct err **err)
{
	const char *name = directory_name(class_path);
	cleanup_strbuf struct strbuf path = STRBUF_INIT;
	cleanup_free char *text = NULL;

	strbuf_printf(&path, "%.*sinfo/last_cmd_status", (int)(name - class_path), class_path);
	if (!path.failed && fd_read_file(AT_FDCWD, strbuf_str(&path), FILE_MAX, &text, NULL) == 0 && *text && strcmp(text, "ok\n") != 0)
		err_hint(err, "the kernel says: %.*s", (int)strcspn(text, "\n"), text);
}

/* ---- finding ---- */

static int check_existing(const char *path, const struct plan_rdt *plan, int fd, struct err **err)
{
	cleanup_free char *text = NULL;
	const char *line = NULL;
	int r = 0;

	if (!plan->is_named)
		return err_set(err, E_EXISTS, EEXIST, POINTER, "the class %s exists", path);
	if (plan->schemata)
		r = directory_read(fd, "schemata", &text);
	if (r < 0)
		return err_sys(err, E_CGROUP, -r, "read schemata", path, POINTER);
	if (text && !schemata_match(text, plan->schemata, &line))
		return err_set(err, E_CONFIG, EEXIST, POINTER, "the class %s exists and has not \"%.*s\"", path,
			       (int)strcspn(line, "\n"), line);
	return 0;
}

int resctrl_resolve(struct cgroup *cgroup, const struct plan *plan, const struct host_facts *facts, struct err **err)
{
	struct resctrl_groups *groups = &cgroup->resctrl;
	cleanup_close int fd = -1;
	const char *name = plan->rdt.class_name;

	if (!plan->rdt.is_set)
		return 0;
	groups->class_path = arena_printf(cgroup->arena, "%s%s%s", facts->resctrl, *name ? "/" : "", name);
	if (groups->class_path && plan->rdt.is_monitored)
		groups->monitor_path =
			arena_printf(cgroup->arena, "%s/mon_groups/%s", groups->class_path, plan->id);
	if (!groups->class_path || (plan->rdt.is_monitored && !groups->monitor_path))
		return err_nomem(err);
	fd = open_group(groups->class_path);
	groups->class_is_ours = fd == -ENOENT;
	if (fd >= 0)
		return check_existing(groups->class_path, &plan->rdt, fd, err);
	if (fd != -ENOENT)
		return err_sys(err, E_CGROUP, -fd, "open", groups->class_path, POINTER);
	if (plan->rdt.is_named && !plan->rdt.schemata)
		return err_set(err, E_CONFIG, ENOENT, POINTER "/closID",
			       "there is no class %s, and no schemata are given to make it with", groups->class_path);
	return 0;
}

/* ---- making ---- */

static int write_schemata(const char *path, const char *schemata, struct err **err)
{
	cleanup_close int fd = open_group(path);
	int r = fd < 0 ? fd : fd_write_file(fd, "schemata", schemata);

	if (r == 0)
		return 0;
	err_sys(err, E_CGROUP, -r, "write schemata", path, POINTER);
	add_reason(path, err);
	return r;
}

static int make_directory(const char *path, struct err **err)
{
	int r = mkdir(path, 0755) < 0 ? -errno : 0;

	if (r < 0)
		err_sys(err, E_CGROUP, -r, "mkdir", path, POINTER);
	if (r == -ENOSPC)
		err_hint(err, "the CPU has no further class or monitor");
	return r;
}

/* Words of the events that the hardware counts, at the top of the file system. */
static int check_events(const struct resctrl_groups *groups, const struct plan_rdt *plan, struct err **err)
{
	const char *top_end = groups->class_is_ours || plan->class_name[0] ? directory_name(groups->class_path)
									     : strchr(groups->class_path, '\0');
	cleanup_free char *path = NULL, *text = NULL;
	const char *missing = NULL;

	if (asprintf(&path, "%.*s/info/L3_MON/mon_features", (int)(top_end - groups->class_path), groups->class_path) < 0) {
		path = NULL;
		return err_nomem(err);
	}
	if (fd_read_file(AT_FDCWD, path, FILE_MAX, &text, NULL) < 0)
		missing = "L3_MON";
	else if (plan->needs_occupancy && !strstr(text, "llc_occupancy"))
		missing = "llc_occupancy";
	else if (plan->needs_bandwidth && !strstr(text, "mbm_"))
		missing = "mbm_total_bytes";
	return missing ? err_set(err, E_HOST, EOPNOTSUPP, POINTER, "this host does not monitor %s", missing) : 0;
}

int resctrl_create(struct resctrl_groups *groups, const struct plan_rdt *plan, struct err **err)
{
	int r = plan->is_monitored ? check_events(groups, plan, err) : 0;

	if (r == 0 && groups->class_is_ours) {
		r = make_directory(groups->class_path, err);
		groups->class_is_ours = r == 0;
		if (r == 0 && plan->schemata)
			r = write_schemata(groups->class_path, plan->schemata, err);
	}
	if (r == 0 && groups->monitor_path) {
		r = make_directory(groups->monitor_path, err);
		if (r < 0)
			groups->monitor_path = NULL;
	}
	return r;
}

static int open_tasks(const char *path, struct cgroup_tasks *tasks, struct err **err)
{
	cleanup_close int dir_fd = open_group(path);
	int fd = dir_fd < 0 ? dir_fd : openat(dir_fd, "tasks", O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return err_sys(err, E_CGROUP, dir_fd < 0 ? -dir_fd : errno, "open tasks", path, POINTER);
	tasks->fds[tasks->count++] = fd;
	return 0;
}

/* The class first: a monitoring group takes members of its own class only. */
int resctrl_open_tasks(const struct resctrl_groups *groups, struct cgroup_tasks *tasks, struct err **err)
{
	int r = groups->class_path ? open_tasks(groups->class_path, tasks, err) : 0;

	return r == 0 && groups->monitor_path ? open_tasks(groups->monitor_path, tasks, err) : r;
}

int resctrl_update(const struct resctrl_groups *groups, const struct plan_rdt *plan, struct err **err)
{
	if (!groups->class_path)
		return err_set(err, E_UNSUPPORTED, 0, POINTER,
			       "the container has no class of resctrl; its configuration has to ask for one");
	return plan->schemata ? write_schemata(groups->class_path, plan->schemata, err) : 0;
}

/* ---- counting ---- */

/* The lines of one resource, separated by newlines as in runc's. */
static void put_schema(struct json_writer *w, const char *key, const char *text, const char *resource)
{
	cleanup_strbuf struct strbuf lines = STRBUF_INIT;
	size_t len = strlen(resource);

	while (*text) {
		const char *line = text + strspn(text, " ");

		if (!strncmp(line, resource, len))
			strbuf_printf(&lines, "%s%.*s", lines.len ? "\n" : "", (int)strcspn(line, "\n"), line);
		text += strcspn(text, "\n");
		text += *text == '\n';
	}
	if (lines.len && !lines.failed)
		json_put_string(w, key, strbuf_str(&lines));
}

/* One counter of one cache; absent where the hardware does not count it. */
static void put_counter(struct json_writer *w, int domain_fd, const char *file)
{
	cleanup_free char *text = NULL;

	if (directory_read(domain_fd, file, &text) == 0 && *text >= '0' && *text <= '9')
		json_put_u64(w, file, strtoull(text, NULL, 10));
}

/* mon_data has one directory a cache, "mon_L3_00". */
static void put_domains(struct json_writer *w, const char *key, int data_fd, const char *const *files)
{
	cleanup_close int list_fd = openat(data_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *list = list_fd < 0 ? NULL : fdopendir(list_fd);
	const struct dirent *item;

	if (!list)
		return;
	(void)take_fd(list_fd);
	json_open(w, key, '[');
	while ((item = readdir(list))) {
		cleanup_close int fd = strncmp(item->d_name, "mon_L3_", 7) ? -1 :
				       openat(data_fd, item->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		if (fd < 0)
			continue;
		json_open(w, NULL, '{');
		for (size_t i = 0; files[i]; i++)
			put_counter(w, fd, files[i]);
		json_close(w, '}');
	}
	json_close(w, ']');
	closedir(list);
}

void resctrl_put_stats(const struct resctrl_groups *groups, struct json_writer *w)
{
	static const char *const bandwidth[] = { "mbm_total_bytes", "mbm_local_bytes", NULL };
	static const char *const occupancy[] = { "llc_occupancy", NULL };
	cleanup_close int class_fd = groups->class_path ? open_group(groups->class_path) : -1;
	cleanup_close int monitor_fd = groups->monitor_path ? open_group(groups->monitor_path) : -1;
	cleanup_close int data_fd = monitor_fd < 0 ? -1 : openat(monitor_fd, "mon_data", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cleanup_free char *schemata = NULL;

	json_open(w, "intel_rdt", '{');
	if (class_fd >= 0 && directory_read(class_fd, "schemata", &schemata) == 0) {
		put_schema(w, "l3_cache_schema", schemata, "L3");
		put_schema(w, "mem_bw_schema", schemata, "MB");
	}
	if (data_fd >= 0) {
		put_domains(w, "mbm_stats", data_fd, bandwidth);
		put_domains(w, "cmt_stats", data_fd, occupancy);
	}
	json_close(w, '}');
}

/* ---- removing ---- */

static bool holds_processes(const char *path)
{
	cleanup_close int fd = open_group(path);
	cleanup_free char *tasks = NULL;

	return fd >= 0 && (directory_read(fd, "tasks", &tasks) < 0 || *tasks);
}

/* Gone already is fine, and so is another file system: its groups went with the mount. */
static int remove_directory(const char *path, struct err **err)
{
	cleanup_close int fd = open_group(path);

	if (fd == -ENOENT || fd == -EXDEV || (fd >= 0 && rmdir(path) == 0))
		return 0;
	return err_sys(err, E_CGROUP, fd < 0 ? -fd : errno, "rmdir", path, NULL);
}

int resctrl_destroy(const struct resctrl_groups *groups, struct err **err)
{
	int r = groups->monitor_path ? remove_directory(groups->monitor_path, err) : 0;

	if (r < 0 || !groups->class_path || !groups->class_is_ours || holds_processes(groups->class_path))
		return r;
	return remove_directory(groups->class_path, err);
}

/* v2.c - a group in the v2 hierarchy: its directory, and the controllers that it needs.
 *
 * A group has the controllers that every group above hands down through cgroup.subtree_control, and
 * a group other than the root hands down only while it holds no process itself. Mostly all is
 * handed down already, so the directory is made first and cgroup.controllers looked at; only for
 * what is missing we go through the groups above, from the top.
 *
 * When the group above that would have to hand down is our own, the kernel refuses because we are
 * in it. If we are alone there, which is so when mxcrun was started in a scope of its own, we step
 * down into a leaf beside the container. Other processes are never moved: they aren't ours, and
 * whoever put them there would look for them in vain. Nor is the kernel asked first: for some
 * controllers it would agree and make the group threaded, and then no container could be in a group
 * below.
 */
#include "cgroup/backend.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "cgroup/directory.h"
#include "host/explain.h"

#define SUBTREE_CONTROL "cgroup.subtree_control"
#define OWN_LEAF "mxcrun.self"
#define WANTED_MAX 32
#define SYSTEMD_CONTROLLERS "cpu cpuset io memory pids"

/* ---- which controllers ---- */

/* What statistics and later updates need; enabled where that is possible. */
static const char *const usual[] = { "cpu", "memory", "pids", "io", "cpuset" };

struct wanted {
	const char *name;
	const struct plan_cgroup_write *write; /* that can't do without it; NULL for a usual one */
	bool is_systemds;		       /* it hands down those that it knows, and those only */
	int errnum;			       /* why it could not be enabled */
	char *refused_at;		       /* and in which group; owned */
};

struct wanted_list {
	struct wanted items[WANTED_MAX];
	size_t count;
};

static void wanted_done(struct wanted_list *list)
{
	while (list->count > 0)
		free(list->items[--list->count].refused_at);
}

static struct wanted *find_wanted(struct wanted_list *list, const char *name)
{
	size_t i;

	for (i = 0; i < list->count; i++)
		if (strcmp(list->items[i].name, name) == 0)
			return &list->items[i];
	return NULL;
}

static void add_wanted(struct wanted_list *list, const char *name, const struct plan_cgroup_write *write, bool is_systemds)
{
	if (!find_wanted(list, name) && list->count < WANTED_MAX)
		list->items[list->count++] = (struct wanted){ .name = name, .write = write, .is_systemds = is_systemds };
}

static void collect_wanted(struct wanted_list *list, const struct group *group,
			   const struct plan_cgroup *plan, const struct host_facts *facts)
{
	const char *systemds = plan->manager == CGROUP_MANAGER_SYSTEMD ? SYSTEMD_CONTROLLERS : "";
	size_t i;

	for (i = 0; i < plan->write_count; i++) {
		const char *name = plan->writes[i].controller;

		if (strcmp(name, "cgroup") != 0 && cgroup_find_for(group->cgroup, &plan->writes[i]) == group->dir)
			add_wanted(list, name, &plan->writes[i], directory_has_word(systemds, name));
	}
	for (i = 0; i < array_size(usual); i++)
		if (directory_has_word(facts->v2_controllers, usual[i]))
			add_wanted(list, usual[i], NULL, directory_has_word(systemds, usual[i]));
}

/* Take out what the group has. */
static int drop_enabled(struct wanted_list *list, int dir_fd)
{
	cleanup_free char *controllers = NULL;
	size_t i, kept = 0;
	int r;

	if (!list->count)
		return 0;
	r = directory_read(dir_fd, "cgroup.controllers", &controllers);
	if (r < 0)
		return r;
	for (i = 0; i < list->count; i++) {
		if (directory_has_word(controllers, list->items[i].name))
			free(list->items[i].refused_at);
		else
			list->items[kept++] = list->items[i];
	}
	list->count = kept;
	return 0;
}

/* ---- handing down ---- */

/* Are we the only process of this group? Then step into a leaf. */
static bool step_aside(int dir_fd, const char *procs)
{
	cleanup_close int leaf_fd = -1;
	char *end;

	if (strtol(procs, &end, 10) != getpid() || strcmp(end, "\n") != 0)
		return false;
	if (mkdirat(dir_fd, OWN_LEAF, 0755) < 0 && errno != EEXIST)
		return false;
	leaf_fd = directory_open_below(dir_fd, OWN_LEAF);
	return leaf_fd >= 0 && fd_write_file(leaf_fd, "cgroup.procs", "0") == 0;
}

static int hand_down(int dir_fd, const char *controller)
{
	char text[64];

	if (snprintf(text, sizeof(text), "+%s", controller) >= (int)sizeof(text))
		return -EINVAL;
	return fd_write_file(dir_fd, SUBTREE_CONTROL, text);
}

/* May the group hand down at all? The true root, which has no type, may always. */
static int check_room(const struct wanted_list *list, int dir_fd)
{
	cleanup_free char *procs = NULL;
	size_t i;
	int r;

	if (faccessat(dir_fd, "cgroup.type", F_OK, 0) < 0 && errno == ENOENT)
		return 0;
	r = directory_read(dir_fd, "cgroup.procs", &procs);
	if (r < 0 || !*procs)
		return r;
	/* For statistics alone we stay where we were put. */
	for (i = 0; i < list->count; i++)
		if (list->items[i].write)
			return step_aside(dir_fd, procs) ? 0 : -EBUSY;
	return -EBUSY;
}

static int note_refusal(struct wanted *wanted, int r, const char *path)
{
	if (r == 0 || wanted->refused_at)
		return 0;
	wanted->errnum = -r;
	wanted->refused_at = strdup(path);
	return wanted->refused_at ? 0 : -ENOMEM;
}

/* Let one group above hand down all that is wanted, as far as it can. */
static int hand_down_all(struct wanted_list *list, int dir_fd, const char *path)
{
	cleanup_free char *enabled = NULL;
	int r = directory_read(dir_fd, SUBTREE_CONTROL, &enabled);
	int room = 1; /* not looked at yet */
	size_t i;

	for (i = 0; r == 0 && i < list->count; i++) {
		struct wanted *wanted = &list->items[i];

		if (wanted->is_systemds || directory_has_word(enabled, wanted->name))
			continue;
		if (room > 0)
			room = check_room(list, dir_fd);
		r = note_refusal(wanted, room < 0 ? room : hand_down(dir_fd, wanted->name), path);
	}
	return r;
}

/* From the top down to the parent. */
static int hand_down_from_top(struct wanted_list *list, const struct group *group)
{
	cleanup_strbuf struct strbuf path = STRBUF_INIT;
	cleanup_close int fd = directory_open(group->mount->mountpoint, true);
	const char *rest = group->path, *last = directory_name(group->path);
	int r;

	strbuf_puts(&path, group->mount->mountpoint);
	for (;;) {
		cleanup_free char *name = NULL;
		int next;

		if (fd < 0)
			return fd;
		r = hand_down_all(list, fd, strbuf_str(&path));
		rest += strspn(rest, "/");
		if (r < 0 || rest == last)
			return r;
		name = strndup(rest, strcspn(rest, "/"));
		if (!name)
			return -ENOMEM;
		strbuf_printf(&path, "/%s", name);
		next = directory_open_below(fd, name);
		close(fd);
		fd = next;
		rest += strlen(name);
	}
}

static int report_missing(const struct wanted *wanted, const struct host_facts *facts,
			  const char *path, struct err **err)
{
	const char *pointer = wanted->write->pointer;
	int errnum = wanted->errnum ? wanted->errnum : ENOENT;

	if (errnum == EBUSY) {
		err_set(err, E_CGROUP, errnum, pointer,
			"the cgroup controller %s can't be given to %s: the group %s above it holds processes itself",
			wanted->name, path, wanted->refused_at);
		err_hint(
			err,
			"start mxcrun in a group of its own, `systemd-run --user --scope -p Delegate=yes -- mxcrun ...`"
			" (as root without --user), or let systemd make the group: mxcrun --systemd-cgroup");
	} else if (wanted->refused_at) {
		err_set(err, E_CGROUP, errnum, pointer,
			"the cgroup controller %s can't be given to %s: the group %s above it does not hand it down",
			wanted->name, path, wanted->refused_at);
	} else {
		err_set(err, E_CGROUP, errnum, pointer, "the cgroup %s has no controller %s", path,
			wanted->name);
	}
	explain_controller(facts, wanted->name, err);
	return -errnum;
}

static bool are_all_systemds(const struct wanted_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		if (!list->items[i].is_systemds)
			return false;
	return true;
}

static int enable_controllers(const struct group *group, const struct plan_cgroup *plan,
			      const struct host_facts *facts, struct err **err)
{
	__attribute__((cleanup(wanted_done))) struct wanted_list list = { 0 };
	size_t i;
	int r;

	collect_wanted(&list, group, plan, facts);
	r = drop_enabled(&list, group->fd);
	if (r == 0 && !are_all_systemds(&list)) {
		r = hand_down_from_top(&list, group);
		if (r == 0)
			r = drop_enabled(&list, group->fd);
	}
	if (r < 0)
		return err_sys(err, E_CGROUP, -r, "enable controllers", group->dir->path,
			       CGROUP_PATH_POINTER);
	for (i = 0; i < list.count; i++)
		if (list.items[i].write)
			return report_missing(&list.items[i], facts, group->dir->path, err);
	return 0;
}

int v2_make_group(struct group *group, const struct plan_cgroup *plan,
		  const struct host_facts *facts, struct err **err)
{
	int r = group_make_directory(group, err);

	return r < 0 ? r : enable_controllers(group, plan, facts, err);
}

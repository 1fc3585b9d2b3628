/* restore.c - a container out of a saved image: entry, record and groups as for any other, the processes by the criu program.
 *
 * criu wants the root to be a mount, so it is bound over a directory of the entry, in a mount namespace that ends with this
 * command. It is born in the container's groups, and so are the processes that it makes.
 *
 * Of the hooks those run again that prepare the namespaces from outside: criu makes new ones. What createContainer hooks did in
 * them is in the image, and the workload does not start again.
 */

#include "lifecycle/lifecycle.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/pid.h"
#include "base/sys.h"
#include "lifecycle/console.h"
#include "lifecycle/create.h"
#include "lifecycle/criu.h"
#include "lifecycle/supervise.h"

#define LIST_MAX 65536u
#define PID_FILE_MAX 32u

struct restoration {
	const struct lifecycle *lc;
	const struct create_request *request;
	const struct checkpoint_options *options;
	struct arena *arena;
	struct prepared prepared;
	const struct oci_config *config;
	struct instance instance;
	const char *root; /* where the rootfs is bound */
	int network_fd;
	int host_ns_fd, cwd_fd; /* for hooks: the mount namespace and folder that we were started in; -1 without */
	struct criu_service service;
};
#define RESTORATION_INIT                                                                                     \
	.prepared = PREPARED_INIT, .instance = INSTANCE_INIT, .network_fd = -1, .host_ns_fd = -1, .cwd_fd = -1, \
	.service = { .terminal_fd = -1 }

static void restoration_done(struct restoration *r)
{
	fd_close_ptr(&r->network_fd);
	fd_close_ptr(&r->host_ns_fd);
	fd_close_ptr(&r->cwd_fd);
	fd_close_ptr(&r->service.terminal_fd);
	instance_done(&r->instance);
	prepared_done(&r->prepared);
	arena_free_ptr(&r->arena);
}
#define cleanup_restoration __attribute__((cleanup(restoration_done)))

/* The criu program makes the mounts, and knows of no covers. */
static int check_policy(const struct plan *plan, struct err **err)
{
	const char *pointer = plan->policy.region_count	     ? plan->policy.regions[0].pointer
			      : plan->network_policy.egress.count ? plan->network_policy.pointer
							  : plan->policy.process_pointer ? plan->policy.process_pointer
							  : plan->lifecycle.timeout_pointer;

	return pointer ? err_set(err, E_UNSUPPORTED, 0, pointer, "a policy of paths, network, process or time can't be enforced on a restored container") :
			 0;
}

static int prepare(struct restoration *r, struct err **err)
{
	const struct lifecycle *lc = r->lc;
	int result;

	if (!lc->facts->is_privileged)
		return err_set(err, E_UNSUPPORTED, EPERM, NULL, "restore needs the machine's own root");
	result = prepare_bundle(lc->facts, lc->log, &r->request->plan, &r->prepared, err);
	if (result == 0)
		result = check_policy(r->prepared.plan, err);
	if (result == 0)
		result = prepare_bundle_config(r->arena, &r->prepared, lc->log, &r->config, err);
	return result < 0 ? result : criu_check_config(r->config, err);
}

/* The entry's directory, by a name that the criu program can use. */
static const char *entry_path(struct restoration *r, const char *name)
{
	char link[64], *path = arena_alloc(r->arena, 4096);
	ssize_t len;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", r->instance.entry.dir_fd);
	len = path ? readlink(link, path, 4095) : -1;
	return len < 0 ? NULL : arena_printf(r->arena, "%.*s/%s", (int)len, path, name);
}

static bool has_hooks(const struct restoration *r)
{
	return r->prepared.plan->hooks[HOOK_PRESTART].count || r->prepared.plan->hooks[HOOK_CREATE_RUNTIME].count;
}

/* The way back to where hooks are run. */
static int remember_host(struct restoration *r, struct err **err)
{
	r->host_ns_fd = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
	r->cwd_fd = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (r->host_ns_fd < 0 || r->cwd_fd < 0)
		return err_sys(err, E_NAMESPACE, errno, "open", "mount namespace", NULL);
	return 0;
}

/* criu has a namespace with the bound root, and we need it no longer. */
static int run_hooks(void *data, pid_t pid, struct err **err)
{
	struct restoration *r = data;
	cleanup_free char *state = state_for_hook(&r->instance.record, "creating", pid);

	if (!state)
		return err_nomem(err);
	if (setns(r->host_ns_fd, CLONE_NEWNS) < 0 || fchdir(r->cwd_fd) < 0)
		return err_sys(err, E_NAMESPACE, errno, "setns", "mount namespace", NULL);
	return hooks_run_runtime(r->prepared.plan, state, err);
}

static int bind_root(struct restoration *r, struct err **err)
{
	const char *rootfs = r->prepared.plan->root.path;
	int result;

	r->root = entry_path(r, "criu-root");
	if (!r->root)
		return err_nomem(err);
	if (mkdir(r->root, 0700) < 0 && errno != EEXIST)
		return err_sys(err, E_RECORD, errno, "mkdir", r->root, NULL);
	result = has_hooks(r) ? remember_host(r, err) : 0;
	if (result < 0)
		return result;
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_SLAVE | MS_REC, NULL) < 0)
		return err_sys(err, E_NAMESPACE, errno, "unshare", "mount namespace", NULL);
	if (mount(rootfs, r->root, NULL, MS_BIND | MS_REC, NULL) < 0)
		return err_sys(err, E_ROOTFS, errno, "mount", rootfs, "/root/path");
	return 0;
}

static void unbind_root(const struct restoration *r)
{
	(void)umount2(r->root, MNT_DETACH);
	(void)rmdir(r->root);
}

static void add_external(void *data, const char *destination, const char *source)
{
	criu_add(data, "--external=mnt[%s]:%s", destination, source);
}

static int read_list(struct restoration *r, const char *name, const struct json **ret, struct err **err)
{
	const char *path = arena_printf(r->arena, "%s/%s", r->options->image_path, name);
	cleanup_free char *text = NULL;
	size_t len = 0;
	int result = path ? fd_read_file(AT_FDCWD, path, LIST_MAX, &text, &len) : -ENOMEM;

	if (result < 0)
		return err_sys(err, E_RECORD, -result, "open", path, NULL);
	result = json_parse(r->arena, text, len, name, ret, err);
	if (result == 0 && (*ret)->type != JSON_ARRAY)
		result = err_set(err, E_RECORD, 0, NULL, "%s: expected a list", path);
	return result;
}

/* The new container's group in the hierarchy that was mounted there, by the name that it had: "memory", "systemd", "unified". */
static const char *group_for(const struct cgroup *cgroup, const char *mountpoint)
{
	const char *name = strrchr(mountpoint, '/') + 1;

	for (size_t i = 0; i < cgroup->count; i++) {
		const struct cgroup_dir *dir = &cgroup->dirs[i];
		const char *own = strncmp(dir->controllers, "name=", 5) ? dir->controllers : dir->controllers + 5;

		if (dir->is_v2 ? !strcmp(name, "unified") || !strcmp(name, "cgroup") : !strcmp(name, own))
			return dir->path;
	}
	return NULL;
}

static int add_cgroup_mounts(struct restoration *r, struct criu *criu, struct err **err)
{
	const struct json *list = NULL;
	int result = read_list(r, CRIU_CGROUPS_FILE, &list, err);

	for (const struct json *item = result == 0 && list ? list->first : NULL; item; item = item->next) {
		const char *group = item->type == JSON_STRING && item->text[0] == '/' ?
				    group_for(&r->instance.cgroup, item->text) : NULL;

		if (!group)
			return err_set(err, E_UNSUPPORTED, 0, NULL, "this host has no cgroup hierarchy for %.128s",
				       item->type == JSON_STRING ? item->text : "(no text)");
		criu_add(criu, "--external=mnt[%s]:%s", item->text, group);
	}
	return result;
}

/* What was a pipe or a socket of the one who ran it is ours now. */
static int add_descriptors(struct restoration *r, struct criu *criu, struct err **err)
{
	const struct json *document = NULL;
	int result = read_list(r, CRIU_DESCRIPTORS_FILE, &document, err);

	if (result < 0)
		return result;
	for (const struct json *item = document ? document->first : NULL; item; item = item->next)
		if (item->type == JSON_STRING && item->index < 3 && !strncmp(item->text, "pipe:", 5))
			criu_add(criu, "--inherit-fd=fd[%u]:%s", item->index, item->text);
	return 0;
}

static int add_network(struct restoration *r, struct criu *criu, struct err **err)
{
	const char *path = criu_network_path(r->config);

	if (!path)
		return 0;
	r->network_fd = open(path, O_RDONLY); /* NOLINT(android-cloexec-open): criu inherits it */
	if (r->network_fd < 0)
		return err_sys(err, E_NAMESPACE, errno, "open", path, "/linux/namespaces");
	criu_add(criu, "--inherit-fd=fd[%d]:" CRIU_NETWORK_KEY, r->network_fd);
	return 0;
}

static int found_process(struct restoration *r, pid_t pid, struct err **err)
{
	struct engine_child *child = &r->instance.child;
	int result;

	child->pid = pid;
	result = pid > 0 ? pid_start_time(pid, &child->start_ticks, NULL) : -ESRCH;
	if (result == 0)
		child->pidfd = sys_pidfd_open(pid, 0);
	if (result < 0 || child->pidfd < 0)
		return err_set(err, E_PROCESS, ESRCH, NULL, "the restored process has ended already");
	r->instance.record.pid = child->pid;
	r->instance.record.start_ticks = child->start_ticks;
	return 0;
}

static int read_pid(struct restoration *r, const char *path, struct err **err)
{
	cleanup_free char *text = NULL;
	int result = fd_read_file(AT_FDCWD, path, PID_FILE_MAX, &text, NULL);

	if (result < 0)
		return err_sys(err, E_PROCESS, -result, "read", path, NULL);
	(void)unlink(path);
	return found_process(r, (pid_t)strtol(text, NULL, 10), err);
}

static int add_options(struct restoration *r, struct criu *criu, struct err **err)
{
	int result;

	criu_add_value(criu, "--root", r->root);
	criu_add_flag(criu, r->options->lazy_pages, "--lazy-pages");
	criu_add_value(criu, "--lsm-profile", r->options->lsm_profile);
	criu_add_value(criu, "--lsm-mount-context", r->options->lsm_mount_context);
	criu_each_bind(r->config, add_external, criu);
	result = add_network(r, criu, err);
	if (result == 0)
		result = add_cgroup_mounts(r, criu, err);
	return result < 0 ? result : add_descriptors(r, criu, err);
}

static int serve(struct restoration *r, struct criu *criu, struct err **err)
{
	int result;

	r->service.on_namespaces = has_hooks(r) ? run_hooks : NULL;
	r->service.data = r;
	result = criu_serve(criu, &r->instance.cgroup, &r->service, err);
	return result < 0 ? result : found_process(r, r->service.pid, err);
}

static int run_criu(struct restoration *r, struct err **err)
{
	const char *pid_file = entry_path(r, "criu-pid");
	struct checkpoint_options options = *r->options;
	struct criu criu;
	int result;

	if (!pid_file)
		return err_nomem(err);
	options.criu_config = criu_config_file(r->prepared.plan->annotations, r->prepared.plan->annotation_count);
	result = criu_begin(&criu, r->arena, "restore", "restore.log", &options, err);
	if (result == 0)
		result = add_options(r, &criu, err);
	if (result < 0)
		return result;
	if (r->prepared.plan->process.terminal || has_hooks(r))
		return serve(r, &criu, err);
	criu_add(&criu, "--restore-detached");
	criu_add_value(&criu, "--pidfile", pid_file);
	result = criu_run(&criu, &r->instance.cgroup, err);
	return result < 0 ? result : read_pid(r, pid_file, err);
}

static int build(struct restoration *r, struct err **err)
{
	const struct plan *plan = r->prepared.plan;
	struct instance *instance = &r->instance;
	int result = record_write(&instance->entry, &instance->record, err);

	if (result == 0)
		result = journal_add_cgroup(&instance->entry, &instance->cgroup, err);
	if (result == 0)
		result = cgroup_create(&instance->cgroup, plan, r->prepared.facts, r->lc->log, err);
	if (result == 0)
		result = bind_root(r, err);
	if (result == 0) {
		result = run_criu(r, err);
		unbind_root(r);
	}
	if (result == 0)
		result = cgroup_guard_devices(&instance->cgroup, plan, -1, err);
	if (result < 0)
		return result;
	cgroup_joined(&instance->cgroup);
	instance->record.cgroup = cgroup_view(&instance->cgroup);
	instance->record.is_complete = true;
	result = record_write(&instance->entry, &instance->record, err);
	return result < 0 ? result : announce(&r->request->announcement, &instance->child, err);
}

/* criu was told of no terminal by an image of a container that had none. */
static int hand_terminal_on(struct restoration *r, int socket_fd, struct err **err)
{
	if (r->service.terminal_fd < 0)
		return err_set(err, E_TERMINAL, 0, "/process/terminal", "the image has no terminal");
	return console_send(socket_fd, r->service.terminal_fd, err);
}

/* It was criu's child, and is ours since that has ended. */
static int stay(struct restoration *r, const struct supervisor *supervisor, struct console *console, int console_fd,
		int *ret_exit_code, struct err **err)
{
	struct supervise_request request = {
		.child = &r->instance.child, .caller_pidfd = -1, .console = console_fd >= 0 ? console : NULL,
	};
	struct supervised end = { .cause = ENDED_BY_ITSELF };
	int result = request.console ? hand_terminal_on(r, console_fd, err) : 0;

	if (result == 0 && request.console)
		result = console_attach(console, err);
	if (result == 0)
		result = supervise(supervisor, &request, &end, err);
	if (result < 0)
		return result;
	*ret_exit_code = supervised_exit_code(end.status);
	entry_close(&r->instance.entry);
	return lifecycle_delete(r->lc, r->prepared.plan->id, true, err);
}

static int begin(struct restoration *r, struct err **err)
{
	struct instance *instance = &r->instance;
	int result = store_create(r->lc->store, r->prepared.plan->id, &instance->entry, err);

	if (result < 0)
		return result;
	result = cgroup_resolve(r->prepared.plan, r->prepared.facts, &instance->cgroup, err);
	if (result < 0) {
		store_remove(r->lc->store, &instance->entry, NULL);
		return result;
	}
	clock_now_rfc3339(true, instance->created);
	record_from_plan(&instance->record, r->prepared.plan, &instance->cgroup, instance->created);
	return 0;
}

static int restore_detached(struct restoration *r, struct err **err)
{
	const char *path = r->request->console_socket;
	cleanup_close int console_fd = -1;
	int result = check_console(r->prepared.plan, path, err);

	if (result == 0 && path)
		result = console_fd = console_connect(path, err);
	if (result >= 0)
		result = begin(r, err);
	if (result < 0)
		return result;
	result = build(r, err);
	if (result == 0 && console_fd >= 0)
		result = hand_terminal_on(r, console_fd, err);
	if (result < 0)
		instance_abandon(r->lc, &r->instance);
	return result;
}

static int restore_in_foreground(struct restoration *r, int *ret_exit_code, struct err **err)
{
	cleanup_supervisor struct supervisor supervisor = SUPERVISOR_INIT;
	cleanup_console struct console console = CONSOLE_INIT;
	cleanup_close int console_fd = -1;
	int result = check_no_console_socket(r->request->console_socket, err);

	if (result == 0)
		result = supervisor_prepare(&supervisor, SIGNALS_FORWARD, err);
	if (result == 0 && r->prepared.plan->process.terminal)
		result = console_prepare(&console, &console_fd, err);
	if (result == 0 && prctl(PR_SET_CHILD_SUBREAPER, 1) < 0)
		result = err_sys(err, E_PROCESS, errno, "prctl", "PR_SET_CHILD_SUBREAPER", NULL);
	if (result == 0)
		result = begin(r, err);
	if (result < 0)
		return result;
	result = build(r, err);
	if (result == 0)
		result = stay(r, &supervisor, &console, console_fd, ret_exit_code, err);
	if (result < 0)
		instance_abandon(r->lc, &r->instance);
	return result;
}

int lifecycle_restore(const struct lifecycle *lc, const struct create_request *request,
		      const struct checkpoint_options *options, bool detach, int *ret_exit_code, struct err **err)
{
	cleanup_restoration struct restoration r = {
		.lc = lc, .request = request, .options = options, .arena = arena_new(), RESTORATION_INIT,
	};
	int result = r.arena ? prepare(&r, err) : err_nomem(err);

	*ret_exit_code = 0;
	if (result < 0)
		return result;
	return detach ? restore_detached(&r, err) : restore_in_foreground(&r, ret_exit_code, err);
}

/* checkpoint.c - a container's processes to an image on disk, by the criu program. */

#include "lifecycle/lifecycle.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "host/mountinfo.h"
#include "lifecycle/criu.h"

#define MOUNTINFO_MAX (16u << 20)

static void add_external(void *data, const char *destination, const char *source)
{
	(void)source;
	criu_add(data, "--external=mnt[%s]:%s", destination, destination);
}

static int add_network(struct criu *criu, const struct oci_config *config, pid_t pid, struct err **err)
{
	char path[64];
	struct stat st;

	if (!criu_network_path(config))
		return 0;
	snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)pid);
	if (stat(path, &st) < 0)
		return err_sys(err, E_NAMESPACE, errno, "stat", path, NULL);
	criu_add(criu, "--external=net[%llu]:" CRIU_NETWORK_KEY, (unsigned long long)st.st_ino);
	return 0;
}

/* ---- cgroup file systems: no part of the image ---- */

struct cgroup_mounts {
	struct criu *criu;
	struct json_writer w;
};

static int add_cgroup_mount(const struct mountinfo *mount, void *data)
{
	struct cgroup_mounts *mounts = data;

	if (strcmp(mount->fstype, "cgroup") != 0 && strcmp(mount->fstype, "cgroup2") != 0)
		return 0;
	criu_add(mounts->criu, "--external=mnt[%s]:%s", mount->mountpoint, mount->mountpoint);
	json_put_string(&mounts->w, NULL, mount->mountpoint);
	return 0;
}

static int write_file(const char *directory, const char *name, struct json_writer *w, struct err **err)
{
	cleanup_close int dir_fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r = dir_fd < 0 ? -errno : w->out.failed ? -ENOMEM : 0;

	if (r == 0)
		r = fd_replace_file(dir_fd, name, w->out.data, w->out.len, 0600);
	return r < 0 ? err_sys(err, E_RECORD, -r, "write", name, NULL) : 0;
}

static int add_cgroup_mounts(struct criu *criu, const char *directory, pid_t pid, struct err **err)
{
	struct cgroup_mounts mounts = { .criu = criu, .w = JSON_WRITER_INIT };
	cleanup_free char *text = NULL;
	char path[64];
	int r;

	snprintf(path, sizeof(path), "/proc/%d/mountinfo", (int)pid);
	r = fd_read_file(AT_FDCWD, path, MOUNTINFO_MAX, &text, NULL);
	if (r < 0)
		return err_sys(err, E_PROCESS, -r, "read", path, NULL);
	mounts.w.compact = true;
	json_open(&mounts.w, NULL, '[');
	(void)mountinfo_parse(text, add_cgroup_mount, &mounts);
	json_close(&mounts.w, ']');
	r = write_file(directory, CRIU_CGROUPS_FILE, &mounts.w, err);
	json_writer_done(&mounts.w);
	return r;
}

/* ---- descriptors ---- */

/* Pipes and sockets of whoever runs it are not in the image: restore gives it its own in their place. */
static int save_descriptors(const char *directory, pid_t pid, struct err **err)
{
	cleanup_json_writer struct json_writer w = JSON_WRITER_INIT;
	w.compact = true;
	json_open(&w, NULL, '[');
	for (int fd = 0; fd < 3; fd++) {
		char path[64], target[PATH_MAX];
		ssize_t len;

		snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)pid, fd);
		len = readlink(path, target, sizeof(target) - 1);
		target[len > 0 ? len : 0] = '\0';
		json_put_string(&w, NULL, target);
	}
	json_close(&w, ']');
	return write_file(directory, CRIU_DESCRIPTORS_FILE, &w, err);
}

/* An IPv6 address may stand in brackets. */
static void add_page_server(struct criu *criu, const char *server)
{
	const char *colon = server ? strrchr(server, ':') : NULL;
	bool in_brackets = colon && server[0] == '[' && colon > server + 1 && colon[-1] == ']';

	if (!colon)
		return;
	criu_add(criu, "--page-server");
	criu_add(criu, "--address=%.*s", (int)(colon - server) - 2 * in_brackets, server + in_brackets);
	criu_add(criu, "--port=%s", colon + 1);
}

static int check_state(const struct lifecycle *lc, const struct container *container, struct err **err)
{
	if (container->status != CONTAINER_RUNNING && container->status != CONTAINER_PAUSED)
		return err_set(err, E_STATE, 0, NULL, "cannot checkpoint a container that is %s",
			       container_status_name(container->status));
	if (!lc->facts->is_privileged)
		return err_set(err, E_UNSUPPORTED, EPERM, NULL, "checkpoint needs the machine's own root");
	return 0;
}

static int dump(const struct container *container, const struct oci_config *config,
		const struct checkpoint_options *wanted, struct err **err)
{
	cleanup_arena struct arena *arena = arena_new();
	const struct record *record = &container->record;
	struct checkpoint_options copy = *wanted;
	const struct checkpoint_options *options = &copy;
	/* the other end of the terminal is with someone else, which criu takes for an error unless told so */
	bool is_served = config->process && config->process->terminal && !options->pre_dump;
	struct criu_service service = { .tree = record->pid };
	struct criu criu;
	int r;

	copy.criu_config = criu_config_file(record->annotations, record->annotation_count);
	r = arena ? criu_begin(&criu, arena, options->pre_dump ? "pre-dump" : "dump", "dump.log", options, err) :
		    err_nomem(err);

	if (r < 0)
		return r;
	if (!is_served)
		criu_add(&criu, "--tree=%d", (int)record->pid);
	criu_add_flag(&criu, options->leave_running && !options->pre_dump, "--leave-running");
	criu_add_flag(&criu, options->pre_dump, "--track-mem");
	criu_add_value(&criu, "--prev-images-dir", options->parent_path);
	criu_add_flag(&criu, options->lazy_pages, "--lazy-pages");
	criu_add_value(&criu, "--status-fd", options->status_fd);
	add_page_server(&criu, options->page_server);
	criu_add_flag(&criu, options->tcp_skip_in_flight, "--skip-in-flight");
	criu_add_value(&criu, "--root", record->rootfs);
	criu_each_bind(config, add_external, &criu);
	/* criu makes them go on by the group that holds them while they are paused, else it waits for them for ever */
	criu_add_value(&criu, "--freeze-cgroup", cgroup_freezer_path(&record->cgroup));
	r = add_network(&criu, config, record->pid, err);
	if (r == 0)
		r = add_cgroup_mounts(&criu, options->image_path, record->pid, err);
	if (r == 0)
		r = save_descriptors(options->image_path, record->pid, err);
	if (r < 0)
		return r;
	return is_served ? criu_serve(&criu, NULL, &service, err) : criu_run(&criu, NULL, err);
}

int lifecycle_checkpoint(const struct lifecycle *lc, const char *id, const struct checkpoint_options *options,
			 struct err **err)
{
	cleanup_container struct container container = CONTAINER_INIT;
	cleanup_arena struct arena *arena = arena_new();
	const struct oci_config *config = NULL;
	int r = arena ? container_open(lc, id, STORE_UNLOCKED, &container, err) : err_nomem(err);

	if (r == 0)
		r = check_state(lc, &container, err);
	if (r == 0 && container.record.refused_capabilities)
		r = err_set(err, E_UNSUPPORTED, 0, NULL, "a policy restricts the paths of container %s, which could not be restored", id);
	if (r == 0)
		r = prepare_record_config(arena, &container.record, lc->log, &config, err);
	if (r == 0)
		r = criu_check_config(config, err);
	if (r == 0)
		r = dump(&container, config, options, err);
	if (r < 0 || options->leave_running || options->pre_dump)
		return r;
	container_done(&container);
	container = (struct container)CONTAINER_INIT;
	return lifecycle_delete(lc, id, true, err);
}

/* criu.c - see criu.h. */

#include "lifecycle/criu.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"
#include "base/strbuf.h"
#include "engine/native/clone.h"

#define LOG_MAX (16u << 20)
#define STACK_SIZE 8192
#define PATH_DEFAULT "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/* ---- the command line ---- */

void criu_add(struct criu *criu, const char *format, ...)
{
	char *word = NULL;
	va_list ap;

	va_start(ap, format);
	if (vasprintf(&word, format, ap) < 0)
		word = NULL;
	va_end(ap);
	if (!word || criu->count + 1 >= CRIU_WORDS_MAX)
		criu->failed = true;
	else
		criu->words[criu->count++] = arena_strdup(criu->arena, word);
	free(word);
}

void criu_add_flag(struct criu *criu, bool wanted, const char *word)
{
	if (wanted)
		criu_add(criu, "%s", word);
}

void criu_add_value(struct criu *criu, const char *name, const char *value)
{
	if (value)
		criu_add(criu, "%s=%s", name, value);
}

/* ---- the program ---- */

/* A name with a slash is a path. */
static const char *find_program(struct arena *arena, const char *name)
{
	const char *at = getenv("PATH");

	if (strchr(name, '/'))
		return access(name, X_OK) == 0 ? name : NULL;
	for (at = at && *at ? at : PATH_DEFAULT; *at;) {
		size_t len = strcspn(at, ":");
		const char *path = arena_printf(arena, "%.*s/%s", (int)len, at, name);

		if (len > 0 && path && access(path, X_OK) == 0)
			return path;
		at += len + (at[len] == ':');
	}
	return NULL;
}

struct birth {
	const char *const *argv;
	const struct cgroup_tasks *tasks;
	int null_fd;
	_Alignas(16) char stack[STACK_SIZE];
};

/* In the child, in our memory: raw calls only. */
static int be_born(void *data)
{
	static const uint64_t no_signals;
	struct birth *birth = data;
	/* a supervisor's are blocked, and criu waits for some */
	long r = raw_call(SYS_rt_sigprocmask, SIG_SETMASK, (long)&no_signals, 0, sizeof(no_signals), 0);

	for (size_t i = 0; i < birth->tasks->count && r >= 0; i++)
		r = raw_call(SYS_write, birth->tasks->fds[i], (long)"0", 1, 0, 0);
	if (birth->null_fd >= 0)
		for (long fd = 0; fd < 3 && r >= 0; fd++)
			r = raw_call(SYS_dup3, birth->null_fd, fd, 0, 0, 0);
	if (r >= 0)
		r = raw_call(SYS_execve, (long)birth->argv[0], (long)birth->argv, (long)environ, 0, 0);
	return (int)-r;
}

/* null_fd >= 0: in place of its standard I/O, else that is ours, of which it gives the container what was a pipe. */
int criu_start(const char *const *argv, const struct cgroup *cgroup, int null_fd, pid_t *ret_pid, struct err **err)
{
	cleanup_cgroup_tasks struct cgroup_tasks tasks = { 0 };
	cleanup_close int group_fd = -1;
	struct birth birth = { .argv = argv, .tasks = &tasks, .null_fd = null_fd };
	/* we go on when it has executed: until then it is on our stack */
	struct sys_clone_args args = { .flags = CLONE_VFORK, .exit_signal = SIGCHLD };
	int r = cgroup ? cgroup_open_tasks(cgroup, &tasks, err) : 0;
	pid_t pid;

	if (r == 0 && cgroup)
		r = cgroup_clone_fd(cgroup, &group_fd, err);
	if (r < 0)
		return r;
	if (group_fd >= 0) {
		args.flags |= SYS_CLONE_INTO_CGROUP;
		args.cgroup = (uint64_t)group_fd;
	}
	pid = clone_run(&args, birth.stack, sizeof(birth.stack), be_born, &birth);
	if (pid < 0)
		return err_sys(err, E_PROCESS, -pid, "clone3", argv[0], NULL);
	*ret_pid = pid;
	return 0;
}

int criu_wait(pid_t pid, struct err **err)
{
	int status = 0;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return err_sys(err, E_PROCESS, errno, "waitpid", "criu", NULL);
	return status;
}

static int spawn(const char *const *argv, const struct cgroup *cgroup, int null_fd, struct err **err)
{
	pid_t pid;
	int r = criu_start(argv, cgroup, null_fd, &pid, err);

	return r < 0 ? r : criu_wait(pid, err);
}

/* A criu that is older than the kernel can't read itself in /proc, and says so best here. */
static int probe(const char *program, struct err **err)
{
	const char *const argv[] = { program, "check", NULL };
	cleanup_close int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	int status = spawn(argv, NULL, null_fd, err);

	if (status <= 0)
		return status;
	err_set(err, E_UNSUPPORTED, 0, NULL, "the criu program at %s does not work on this kernel", program);
	err_hint(err, "`criu check` says why; a newer release may help");
	return -EOPNOTSUPP;
}

static int make_directory(const char *path, struct err **err)
{
	if (mkdir(path, 0700) == 0 || errno == EEXIST)
		return 0;
	return err_sys(err, E_RECORD, errno, "mkdir", path, NULL);
}

int criu_begin(struct criu *criu, struct arena *arena, const char *action, const char *log_name,
	       const struct checkpoint_options *options, struct err **err)
{
	const char *work = options->work_path ? options->work_path : options->image_path;
	const char *name = options->criu_program ? options->criu_program : "criu";
	const char *program = find_program(arena, name);
	int r;

	*criu = (struct criu){ .arena = arena, .images = options->image_path, .work = work, .log_name = log_name,
			       .config = options->criu_config };
	if (!program) {
		err_set(err, E_UNSUPPORTED, 0, NULL, "checkpoint and restore need the criu program: %s is not %s", name,
			strchr(name, '/') ? "a program" : "in PATH");
		return -EOPNOTSUPP;
	}
	r = probe(program, err);
	if (r == 0)
		r = make_directory(options->image_path, err);
	if (r == 0)
		r = make_directory(work, err);
	if (r < 0)
		return r;
	criu->log = arena_printf(arena, "%s/%s", work, log_name);
	criu_add(criu, "%s", program);
	criu_add(criu, "%s", action);
	criu_add_value(criu, "--images-dir", options->image_path);
	criu_add_value(criu, "--work-dir", work);
	criu_add_value(criu, "--log-file", log_name);
	criu_add(criu, "-v4");
	criu->first_option = criu->count;
	/* the groups are ours to make */
	criu_add_value(criu, "--manage-cgroups", options->manage_cgroups ? options->manage_cgroups : "ignore");
	criu_add_flag(criu, options->tcp_established, "--tcp-established");
	criu_add_flag(criu, options->ext_unix_sk, "--ext-unix-sk");
	criu_add_flag(criu, options->shell_job, "--shell-job");
	criu_add_flag(criu, options->file_locks, "--file-locks");
	criu_add_flag(criu, options->link_remap, "--link-remap");
	criu_add_flag(criu, options->auto_dedup, "--auto-dedup");
	criu_add_flag(criu, options->empty_network, "--empty-ns=net");
	return 0;
}

/* The last line of the log that has "Error" and says more than that it failed, without its time stamp. */
static char *last_error(const char *log)
{
	cleanup_free char *text = NULL;
	char *line, *rest, *found = NULL;

	if (fd_read_file(AT_FDCWD, log, LOG_MAX, &text, NULL) < 0)
		return NULL;
	for (rest = text; (line = strsep(&rest, "\n"));) {
		char *error = strstr(line, "Error (");

		if (error && !strstr(error, "FAILED") && !strstr(error, " failed with "))
			found = error;
	}
	return found ? strdup(found) : NULL;
}

int criu_failed(const struct criu *criu, const char *action, struct err **err)
{
	cleanup_free char *why = last_error(criu->log);

	err_set(err, E_PROCESS, EIO, NULL, "criu %s failed: %s", action, why ? why : "it left no log");
	err_hint(err, "the whole log is %s", criu->log);
	return -EIO;
}

int criu_run(struct criu *criu, const struct cgroup *cgroup, struct err **err)
{
	int status;

	criu_add_value(criu, "--config", criu->config);
	if (criu->failed)
		return err_nomem(err);
	criu->words[criu->count] = NULL;
	status = spawn(criu->words, cgroup, -1, err);
	return status <= 0 ? status : criu_failed(criu, criu->words[1], err);
}

/* ---- configurations ---- */

static bool has_option(const struct oci_mount *mount, const char *word)
{
	for (size_t i = 0; i < mount->options.count; i++)
		if (!strcmp(mount->options.items[i], word))
			return true;
	return false;
}

void criu_each_bind(const struct oci_config *config,
		    void (*add)(void *data, const char *destination, const char *source), void *data)
{
	for (size_t i = 0; i < config->mounts.count; i++) {
		const struct oci_mount *mount = &config->mounts.items[i];

		if (has_option(mount, "bind") || has_option(mount, "rbind") ||
		    (mount->type && !strcmp(mount->type, "bind")))
			add(data, mount->destination, mount->source ? mount->source : "");
	}
}

const char *criu_config_file(const struct plan_option *annotations, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!strcmp(annotations[i].key, "org.criu.config"))
			return annotations[i].value;
	return NULL;
}

const char *criu_network_path(const struct oci_config *config)
{
	for (size_t i = 0; config->linux_ && i < config->linux_->namespaces.count; i++) {
		const struct oci_namespace *ns = &config->linux_->namespaces.items[i];

		if (ns->type == NS_NET && ns->path && *ns->path)
			return ns->path;
	}
	return NULL;
}

int criu_check_config(const struct oci_config *config, struct err **err)
{
	if (!config->linux_ || !config->linux_->seccomp || !config->linux_->seccomp->listener_path)
		return 0;
	/* The filter would come back, and nobody would listen. */
	return err_set(err, E_UNSUPPORTED, EOPNOTSUPP, "/linux/seccomp/listenerPath",
		       "a container with this can't be checkpointed and restored");
}

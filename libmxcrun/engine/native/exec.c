/* exec.c - the working directory, the program's path, and the last step of init.
 *
 * exec_look_up() runs while init still has its rights, so it judges with the ids that the workload will
 * have instead of its own. It changes nothing but the working directory. execve(2) has the last word.
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <limits.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/sys.h"
#include "engine/native/init.h"
#include "plan/caps.h"

#define PATH_DEFAULT "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
#define CWD_POINTER "/process/cwd"
#define ARGS_POINTER "/process/args"
#define DESCRIPTORS_MAX (1 << 20)	/* fs.nr_open as the kernel sets it */

/* A sandbox must find its directory in its view, and be able to enter it without a capability: what is
 * denied has no right for anybody. */
static int open_sandbox_cwd(const struct init *init, const char *path)
{
	cleanup_close int fd = path_open_in_root(init->root_fd, path, O_PATH | O_DIRECTORY);
	struct stat st;

	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0)
		return -errno;
	return st.st_mode & (S_IXUSR | S_IXGRP | S_IXOTH) ? take_fd(fd) : -EACCES;
}

/* Opened below the root without magic links, then entered by descriptor: /proc/self/fd/N is no way to
 * keep a directory of the host (CVE-2024-21626). Returns the descriptor or -errno. */
static int open_cwd(const struct init *init)
{
	const struct plan_process *process = &init->plan->process;
	int fd;

	if (process->cwd[0] != '/')
		return -EINVAL;
	/* a container's is made when it starts, as by runc and crun, who let a later process find none */
	if (!init->plan->lifecycle.is_sandbox && init->plan->lifecycle.is_exec)
		return path_open_in_root(init->root_fd, process->cwd, O_PATH | O_DIRECTORY);
	if (!init->plan->lifecycle.is_sandbox)
		return path_make_in_root(init->root_fd, process->cwd, PATH_MAKE_DIR);
	fd = open_sandbox_cwd(init, process->cwd);
	if ((fd == -ENOENT || fd == -EACCES) && process->cwd_fallback_root)
		return open_sandbox_cwd(init, "/");
	return fd;
}

/* The raw call: C libraries turn "(unreachable)" into an error or walk by themselves. */
static int verify_cwd(char *buf, size_t size, const char *wanted, struct err **err)
{
	if (syscall(SYS_getcwd, buf, size) < 0)
		return err_sys(err, E_EXEC, errno, "getcwd", wanted, CWD_POINTER);
	if (buf[0] != '/')
		return err_set(err, E_EXEC, 0, CWD_POINTER,
			       "the working directory \"%s\" is outside of the container's root", wanted);
	return 0;
}

static int enter_cwd(const struct init *init, char *buf, size_t size, struct err **err)
{
	const char *cwd = init->plan->process.cwd;
	cleanup_close int fd = open_cwd(init);

	if (fd < 0)
		return err_sys(err, E_EXEC, -fd, "open", cwd, CWD_POINTER);
	if (fchdir(fd) < 0)
		return err_sys(err, E_EXEC, errno, "chdir", cwd, CWD_POINTER);
	return verify_cwd(buf, size, cwd, err);
}

/* An access list may allow what the mode bits don't tell: then execve decides. */
static bool has_access_list(int root_fd, const char *path)
{
	cleanup_close int fd = path_open_in_root(root_fd, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);

	return fd >= 0 && fgetxattr(fd, "system.posix_acl_access", NULL, 0) > 0;
}

static bool in_groups(const struct plan_process *process, gid_t gid)
{
	if (process->gid == gid)
		return true;
	for (size_t i = 0; i < process->group_count; i++)
		if (process->groups[i] == gid)
			return true;
	return false;
}

/* With CAP_DAC_OVERRIDE any of the bits will do, capabilities(7). */
static bool may_execute(const struct plan_process *process, const struct stat *st)
{
	if (process->uid == 0 || process->capabilities.effective & caps_bit(CAP_BIT_DAC_OVERRIDE))
		return st->st_mode & (S_IXUSR | S_IXGRP | S_IXOTH);
	if (process->uid == st->st_uid)
		return st->st_mode & S_IXUSR;
	return st->st_mode & (in_groups(process, st->st_gid) ? S_IXGRP : S_IXOTH);
}

/* 0: the user can execute it; -EACCES: it's there but can't be executed; else -errno of the walk. */
static int check_program(const struct init *init, const char *path)
{
	cleanup_close int fd = path_open_in_root(init->root_fd, path, O_PATH);
	struct stat st;

	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EACCES;
	if (may_execute(&init->plan->process, &st) || has_access_list(init->root_fd, path))
		return 0;
	return -EACCES;
}

static const char *path_of_env(const char *const *env)
{
	for (; env && *env; env++)
		if (!strncmp(*env, "PATH=", 5))
			return *env + 5;
	return PATH_DEFAULT;
}

/* dir + "/" + name, with a relative or empty dir taken from the working directory. NULL: no memory. */
static char *join(const char *cwd, const char *dir, size_t dir_len, const char *name)
{
	const char *base = dir_len && dir[0] == '/' ? "" : cwd;
	char *path;

	if (asprintf(&path, "%s%s%.*s/%s", base, *base ? "/" : "", (int)dir_len, dir, name) < 0)
		return NULL;
	return path;
}

static int search_path(const struct init *init, const char *cwd, const char *name, char **ret,
		       struct err **err)
{
	const char *at = path_of_env(init->plan->process.env);

	while (*name) {
		size_t len = strcspn(at, ":");
		cleanup_free char *path = NULL;

		/* a directory that long can't be walked: no program is in it */
		if (len < PATH_MAX) {
			path = join(cwd, at, len, name);
			if (!path)
				return err_nomem(err);
			if (check_program(init, path) == 0) {
				*ret = take_ptr(path);
				return 0;
			}
		}
		if (!at[len])
			break;
		at += len + 1;
	}
	return err_set(err, E_EXEC_NOT_FOUND, 0, ARGS_POINTER,
		       "exec: \"%s\": executable file not found in $PATH", name);
}

/* strerror as it reads in the middle of a sentence. */
static const char *lower_error(int errnum, char *buf, size_t size)
{
	snprintf(buf, size, "%s", strerror(errnum));
	buf[0] = (char)tolower((unsigned char)buf[0]);
	return buf;
}

static int refuse_path(const char *name, int errnum, struct err **err)
{
	char text[128];

	if (errnum == EACCES)
		return err_set(err, E_EXEC, 0, ARGS_POINTER, "exec: \"%s\": permission denied", name);
	return err_set(err, errnum == ENOENT ? E_EXEC_NOT_FOUND : E_EXEC, 0, ARGS_POINTER,
		       "exec: \"%s\": stat %s: %s", name, name,
		       lower_error(errnum, text, sizeof(text)));
}

static int check_path(const struct init *init, const char *cwd, const char *name, char **ret,
		      struct err **err)
{
	cleanup_free char *path = name[0] == '/' ? strdup(name) : join(cwd, "", 0, name);
	int r;

	if (!path)
		return err_nomem(err);
	r = check_program(init, path);
	if (r < 0)
		return refuse_path(name, -r, err);
	*ret = take_ptr(path);
	return 0;
}

int exec_look_up(struct init *init, char **ret_program, struct err **err)
{
	const struct plan_process *process = &init->plan->process;
	const char *name = process->program ? process->program : process->argv[0];
	char cwd[PATH_MAX];
	int r;

	if (!name)
		return err_set(err, E_CONFIG, 0, ARGS_POINTER, "there is no program to execute");
	r = enter_cwd(init, cwd, sizeof(cwd), err);
	if (r < 0)
		return r;
	return strchr(name, '/') ? check_path(init, cwd, name, ret_program, err)
				 : search_path(init, cwd, name, ret_program, err);
}

/* Invariant 17. Before 5.11 one by one: the limit on descriptors may be lower by now than those open. */
static int mark_descriptors(unsigned int first, struct err **err)
{
	if (sys_close_range(first, ~0u, SYS_CLOSE_RANGE_CLOEXEC) == 0)
		return 0;
	if (errno != ENOSYS && errno != EINVAL)
		return err_sys(err, E_EXEC, errno, "close_range", "the container", NULL);
	for (unsigned int fd = first; fd < DESCRIPTORS_MAX; fd++)
		if (fcntl((int)fd, F_SETFD, FD_CLOEXEC) < 0 && errno != EBADF)
			return err_sys(err, E_EXEC, errno, "fcntl", "FD_CLOEXEC", NULL);
	return 0;
}

/* Handlers end at execve(2) by themselves, and launch.c took the caller's ignored signals back; SIGPIPE is our own. */
static int reset_signals(struct err **err)
{
	sigset_t none;

	sigemptyset(&none);
	if (signal(SIGPIPE, SIG_DFL) == SIG_ERR || sigprocmask(SIG_SETMASK, &none, NULL) < 0)
		return err_sys(err, E_EXEC, errno, "sigaction", "the workload", NULL);
	return 0;
}

/* Without no_new_privs the kernel wants CAP_SYS_ADMIN for a filter, so it can't come last. */
static int give_up_rights(struct init *init, struct err **err)
{
	const struct plan_process *process = &init->plan->process;
	int r = 0;

	if (!process->no_new_privileges)
		r = seccomp_load(init, err);
	if (r == 0)
		r = credentials_apply(init, err);
	if (r == 0)
		r = landlock_apply(init, err);
	/* changed credentials would have taken it back */
	if (r == 0 && init->plan->lifecycle.is_sandbox && init->plan->lifecycle.is_exec && prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		r = err_sys(err, E_PROCESS, errno, "prctl", "PR_SET_PDEATHSIG", NULL);
	if (r == 0 && process->no_new_privileges)
		r = seccomp_load(init, err);
	return r;
}

/* The program was there a moment ago. */
static int fail_execve(const char *program, int number, struct err **err)
{
	char text[128];
	int r = err_set(err, number == ENOENT ? E_EXEC_NOT_FOUND : E_EXEC, 0, ARGS_POINTER, "exec: \"%s\": %s", program,
			lower_error(number, text, sizeof(text)));

	if (number == ENOENT)
		err_hint(err, "it is there, but not the interpreter that its first line names, or its dynamic loader");
	else if (number == ENOEXEC)
		err_hint(err, "neither a program for this machine nor a script that begins with #!");
	else if (number == EPERM)
		err_hint(err, "the system call filter or a security module refuses it");
	return r;
}

int exec_workload(struct init *init, const char *program, struct err **err)
{
	const struct plan_process *process = &init->plan->process;
	static const char *const no_env[] = { NULL };
	const char *const *env = init->env ? init->env : process->env ? process->env : no_env;
	int r;

	if (process->preserve_fds > INT_MAX - 3)
		return err_set(err, E_USAGE, ERANGE, NULL, "%u descriptors to preserve", process->preserve_fds);
	r = mark_descriptors(3 + process->preserve_fds, err);
	if (r == 0)
		r = reset_signals(err);
	if (r == 0)
		r = give_up_rights(init, err);
	/* a program of the image: with no more rights than the workload, as under runc and crun */
	if (r == 0)
		r = hooks_run(&init->plan->hooks[HOOK_START_CONTAINER], "startContainer", init->state_json, env, err);
	if (r < 0)
		return r;
	execve(program, (char *const *)(uintptr_t)process->argv, (char *const *)(uintptr_t)env);
	return fail_execve(program, errno, err);
}

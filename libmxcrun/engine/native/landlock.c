/* landlock.c - a second wall around a sandbox's files: the workload becomes a Landlock domain (landlock(7)).
 *
 * The mounts are the first wall: they say what is there, what is read-only and what is denied. The domain says that the workload
 * uses nothing but what lies below this root, whatever way out of it a descriptor or a flaw may open, and the kernel lets
 * nobody in a domain change mounts, with any capability: covers and read-only binds stay.
 *
 * There is one rule, for the root with all rights, because rules only add on the way down: the root of a sandbox is a file
 * system that it may write to, so no rule further down could take anything away. Beside it each file that
 * the caller gave as standard input or output may be opened again by /dev/stdin and the like, as without a domain; a
 * directory may not: from one the rest of the host could be reached.
 *
 * Signals stay in the domain where the kernel can have it so (version 6): on its caller's terminal a workload is in his process group,
 * and kill(0, ...) would reach him and the runtime, whatever the pid namespace.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "engine/native/init.h"

/* linux/landlock.h; what a version knows, all versions after it do. */
#define FS_EXECUTE (1ull << 0)
#define FS_WRITE_FILE (1ull << 1)
#define FS_READ_FILE (1ull << 2)
#define FS_REFER (1ull << 13)	  /* version 2 */
#define FS_TRUNCATE (1ull << 14)  /* version 3 */
#define FS_IOCTL_DEV (1ull << 15) /* version 5 */

static uint64_t rights_of(unsigned int abi)
{
	uint64_t last = abi >= 5 ? FS_IOCTL_DEV : abi >= 3 ? FS_TRUNCATE : FS_REFER;

	return last | (last - 1);
}

/* What joins a sandbox is a domain of its own, and may have to end what joined it before. */
static bool keeps_signals_in(const struct plan *plan)
{
	return plan->process.landlock_abi >= 6 && !(plan->lifecycle.is_exec && plan->process.new_session);
}

static uint64_t scope_of(const struct plan *plan)
{
	uint64_t signals = keeps_signals_in(plan) ? SYS_LANDLOCK_SCOPE_SIGNAL : 0;

	return signals | (plan_keeps_abstract_sockets_out(plan) ? SYS_LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET : 0);
}

static int add_root(int ruleset, uint64_t rights, struct err **err)
{
	cleanup_close int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (root < 0 || sys_landlock_add_path(ruleset, root, rights) < 0)
		return err_sys(err, E_PROCESS, errno, "landlock_add_rule", "/", NULL);
	return 0;
}

/* Pipes, sockets and the like have no path, so nothing forbids them: EBADFD. */
static int add_standard(int ruleset, int fd, uint64_t rights, struct err **err)
{
	struct stat st;

	if (fstat(fd, &st) < 0 || S_ISDIR(st.st_mode) || sys_landlock_add_path(ruleset, fd, rights) == 0 || errno == EBADFD)
		return 0;
	return err_sys(err, E_PROCESS, errno, "landlock_add_rule", "standard input and output", NULL);
}

int landlock_apply(struct init *init, struct err **err)
{
	unsigned int abi = init->plan->process.landlock_abi;
	uint64_t rights = rights_of(abi), of_files = FS_EXECUTE | FS_WRITE_FILE | FS_READ_FILE | FS_TRUNCATE | FS_IOCTL_DEV;
	cleanup_close int ruleset = -1;
	int r;

	if (!abi)
		return 0;
	ruleset = sys_landlock_create(rights, scope_of(init->plan));
	if (ruleset < 0)
		return err_sys(err, E_PROCESS, errno, "landlock_create_ruleset", "the second wall", NULL);
	r = add_root(ruleset, rights, err);
	for (int fd = 0; fd <= STDERR_FILENO && r == 0; fd++)
		r = add_standard(ruleset, fd, rights & of_files, err);
	if (r == 0 && sys_landlock_restrict_self(ruleset) < 0)
		r = err_sys(err, E_PROCESS, errno, "landlock_restrict_self", "the second wall", NULL);
	return r;
}

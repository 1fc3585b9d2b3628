/* old_kernel.c - run a command as on a kernel without the mount API: its system calls, openat2 and those of Landlock don't exist.
 *
 *     old_kernel COMMAND...
 */
#include <errno.h>
#include <seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	static const char *const names[] = { "open_tree", "move_mount", "fsopen", "fsconfig", "fsmount", "fspick",
					     "mount_setattr", "openat2", "landlock_create_ruleset" };
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);

	if (argc < 2 || !filter) return 125;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), seccomp_syscall_resolve_name(names[i]), 0) != 0) {
			fprintf(stderr, "old_kernel: no rule for %s\n", names[i]);
			return 125;
		}
	}
	/* no_new_privs would be seen in the containers */
	seccomp_attr_set(filter, SCMP_FLTATR_CTL_NNP, 0);
	if (seccomp_load(filter) != 0 || syscall(SYS_open_tree, -1, "", 0) != -1 || errno != ENOSYS) {
		fputs("old_kernel: cannot load the filter\n", stderr);
		return 125;
	}
	execvp(argv[1], argv + 1);
	perror(argv[1]);
	return 125;
}

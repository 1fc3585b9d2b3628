/* old_kernel.c - run a command as on a kernel without the mount API: its system calls, openat2 and those of Landlock don't exist.
 *
 *     old_kernel COMMAND...
 *     old_kernel --deny CALL COMMAND...   instead, that call alone is refused, as by somebody else's filter
 */
#include <errno.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static int add_rule(scmp_filter_ctx filter, int errnum, const char *name)
{
	if (seccomp_rule_add(filter, SCMP_ACT_ERRNO(errnum), seccomp_syscall_resolve_name(name), 0) == 0) return 0;
	fprintf(stderr, "old_kernel: no rule for %s\n", name);
	return -1;
}

int main(int argc, char **argv)
{
	static const char *const names[] = { "open_tree", "move_mount", "fsopen", "fsconfig", "fsmount", "fspick",
					     "mount_setattr", "openat2", "landlock_create_ruleset" };
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);

	bool denies = argc > 3 && strcmp(argv[1], "--deny") == 0;

	if (argc < 2 || !filter) return 125;
	if (denies && add_rule(filter, EPERM, argv[2]) < 0) return 125;
	for (size_t i = 0; !denies && i < sizeof(names) / sizeof(names[0]); i++)
		if (add_rule(filter, ENOSYS, names[i]) < 0) return 125;
	argv += denies ? 2 : 0;
	/* no_new_privs would be seen in the containers */
	seccomp_attr_set(filter, SCMP_FLTATR_CTL_NNP, 0);
	if (seccomp_load(filter) != 0 || (!denies && (syscall(SYS_open_tree, -1, "", 0) != -1 || errno != ENOSYS))) {
		fputs("old_kernel: cannot load the filter\n", stderr);
		return 125;
	}
	execvp(argv[1], argv + 1);
	perror(argv[1]);
	return 125;
}

/* limits.c - resource limits, file mode mask, session keyring. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <linux/keyctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "base/path.h"
#include "base/sys.h"
#include "engine/native/init.h"

#define UMASK_DEFAULT 0022
#define KEY_USER_SEARCH 0x00080000ul
#define KEY_DESCRIPTION_MAX 1024

static int set_rlimit(const struct plan_rlimit *limit, struct err **err)
{
	const struct rlimit wanted = { .rlim_cur = limit->soft, .rlim_max = limit->hard };
	struct rlimit now = { 0 };

	if (prlimit(0, limit->resource, &wanted, &now) == 0)
		return 0;
	if (errno != EPERM)
		return err_sys(err, E_RLIMIT, errno, "prlimit", limit->name, limit->pointer);
	if (prlimit(0, limit->resource, NULL, &now) < 0)
		return err_sys(err, E_RLIMIT, errno, "prlimit", limit->name, limit->pointer);
	return err_set(err, E_RLIMIT, EPERM, limit->pointer,
		       "raising %s to %" PRIu64 " (hard limit now: %" PRIu64 ") needs CAP_SYS_RESOURCE",
		       limit->name, limit->hard, (uint64_t)now.rlim_max);
}

/* Let a process of the same user that does not possess the keyring find it by name: exec joins it that way. */
static int allow_search(unsigned long keyring, struct err **err)
{
	char text[KEY_DESCRIPTION_MAX];
	long n = sys_keyctl(KEYCTL_DESCRIBE, keyring, (unsigned long)text, sizeof(text));
	const char *at = text;
	unsigned long permissions;

	if (n < 0)
		return err_sys(err, E_CREDENTIALS, errno, "keyctl", "KEYCTL_DESCRIBE", NULL);
	/* "keyring;uid;gid;permissions;name" */
	text[sizeof(text) - 1] = 0;
	for (int i = 0; i < 3 && at; i++) {
		at = strchr(at, ';');
		if (at)
			at++;
	}
	if (!at)
		return err_set(err, E_CREDENTIALS, EPROTO, NULL, "the kernel describes the session keyring oddly");
	permissions = strtoul(at, NULL, 16);
	if (sys_keyctl(KEYCTL_SETPERM, keyring, permissions | KEY_USER_SEARCH, 0) < 0)
		return err_sys(err, E_CREDENTIALS, errno, "keyctl", "KEYCTL_SETPERM", NULL);
	return 0;
}

/* Invariant 28. A kernel without keyrings has none to hide. */
static int join_keyring(const char *id, struct err **err)
{
	cleanup_free char *name = NULL;
	long keyring;

	if (asprintf(&name, "_ses.%s", id) < 0) {
		name = NULL;
		return err_nomem(err);
	}
	keyring = sys_keyctl(KEYCTL_JOIN_SESSION_KEYRING, (unsigned long)name, 0, 0);
	if (keyring < 0 && errno == ENOSYS)
		return 0;
	if (keyring < 0)
		return err_sys(err, E_CREDENTIALS, errno, "keyctl", name, NULL);
	return allow_search((unsigned long)keyring, err);
}

int limits_apply(struct init *init, struct err **err)
{
	const struct plan_process *process = &init->plan->process;
	int r = 0;

	for (size_t i = 0; i < process->rlimit_count && r == 0; i++)
		r = set_rlimit(&process->rlimits[i], err);
	if (r < 0)
		return r;
	/* init works with 0, which no workload must get by accident */
	path_umask_is_zero(false);
	umask(process->umask == PLAN_UNSET_ID ? UMASK_DEFAULT : (mode_t)process->umask);
	return process->new_keyring ? join_keyring(init->plan->id, err) : 0;
}

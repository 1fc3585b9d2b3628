/* explain.h - why this host refuses something, and how to allow it: hints for errors that happened
 * already.
 *
 * The kernel says EPERM or ENOSPC; which sysctl, security module or missing delegation it meant is
 * looked up here, after the failure, so that success pays nothing. Nothing in here fails: without
 * an explanation the error stays as it was.
 */
#ifndef MXCRUN_HOST_EXPLAIN_H
#define MXCRUN_HOST_EXPLAIN_H

#include "base/err.h"
#include "host/facts.h"

/* What the host says about user namespaces; -1 where the setting doesn't exist. */
struct userns_settings {
	long max_user_namespaces; /* user.max_user_namespaces */
	long unprivileged_clone;  /* kernel.unprivileged_userns_clone (Debian's and Arch's kernels)
				   */
	long apparmor_restrict;	  /* kernel.apparmor_restrict_unprivileged_userns (Ubuntu) */
	long seccomp;		  /* of this process: 2 under a filter, as in a container */
	bool has_user_namespaces; /* compiled in */
	bool is_chroot;		  /* our root isn't the root of the mount namespace */
	bool is_privileged;
};

/* Why creating a user namespace fails with errnum, and the remedy; NULL when nothing is in the way.
 * Pure. */
const char *explain_userns_settings(const struct userns_settings *settings, int errnum,
				    const char **ret_remedy);

/* Put cause and remedy on the error of a refused user namespace, whatever its operation was, and
 * make it E_USERNS_BLOCKED. errnum is positive. */
void explain_userns(const struct host_facts *facts, int errnum, struct err **err);

/* Add a hint why groups can't have a controller here. proc_cgroups is the text of /proc/cgroups,
 * NULL when there is none; pure. */
void explain_controller_text(const struct host_facts *facts, const char *controller,
			     const char *proc_cgroups, struct err **err);
void explain_controller(const struct host_facts *facts, const char *controller, struct err **err);

/* Add a hint why no group can be made here. */
void explain_cgroup_refused(const struct host_facts *facts, struct err **err);

#endif

/* oci_exec.h - the process that `exec` runs. */
#ifndef MXCRUN_CONFIG_OCI_EXEC_H
#define MXCRUN_CONFIG_OCI_EXEC_H

#include "config/oci.h"

/* What the command line of exec says; NULL, empty or not set: as the container's own process. */
struct oci_exec_changes {
	struct string_list args, env, capabilities;
	const char *cwd, *apparmor_profile, *selinux_label;
	struct opt_u32 uid, gid;
	struct oci_ids additional_gids;
	struct opt_bool no_new_privileges;
	bool terminal;
};

/* A copy of own, in the arena, with the changes; strings are shared with both. 0 or -errno. */
int oci_exec_process(struct arena *arena, const struct oci_process *own,
		     const struct oci_exec_changes *changes, const struct oci_process **ret,
		     struct err **err);

/* What a process of a file, *process, leaves out of capabilities, limits, AppArmor profile and SELinux label is the container's own, as by
 * runc and crun: a process without a profile of its own would be confined by none. *process becomes a copy in the arena. 0 or -errno. */
int oci_exec_confine(struct arena *arena, const struct oci_process *own, const struct oci_process **process, struct err **err);

#endif

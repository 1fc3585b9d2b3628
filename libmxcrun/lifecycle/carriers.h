/* carriers.h - where the policies of a bundle come from, read and combined. */
#ifndef MXCRUN_LIFECYCLE_CARRIERS_H
#define MXCRUN_LIFECYCLE_CARRIERS_H

#include "config/admin.h"
#include "config/oci.h"
#include "plan/build.h"
#include "plan/from_policy.h"

/* The member "mxc" of config.json, the annotations mxc.policy and mxc.policy-name, and what the host's owner has
 * for every container; then what the host and the image have at the paths that they grant. admin_config NULL: the
 * host's own. *ret_owners: his configuration. All lies in the arena. 0 or -errno. */
int carriers_read(struct arena *arena, const struct oci_config *config, const char *bundle, const char *admin_config,
		  const struct host_facts *facts, const struct log *log, const struct plan_carriers **ret,
		  const struct admin_config **ret_owners, struct err **err);

/* What the host's owner has for every container, for a sandbox: his paths are those of the host, every link followed. *ret
 * is NULL when there is nothing. */
int carriers_read_owner(struct arena *arena, const char *admin_config, const struct host_facts *facts,
			const struct log *log, struct plan_owner **ret, const struct admin_config **ret_owners, struct err **err);

#endif

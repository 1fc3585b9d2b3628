/* oci_default.h - the config.json that `spec` writes: equal in meaning to runc's, so that every
 * guide that starts with "runc spec" works here too. */
#ifndef MXCRUN_CONFIG_OCI_DEFAULT_H
#define MXCRUN_CONFIG_OCI_DEFAULT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/json.h"

struct oci_default {
	bool is_rootless;	   /* a user namespace with one id, no network namespace */
	uint32_t uid, gid;	   /* rootless: the host ids behind id 0 */
	bool has_cgroup_namespace; /* on pure cgroup v2 */
};

/* Write the document. 0 or -ENOMEM. */
int oci_default_write(const struct oci_default *want, struct json_writer *out);

#endif

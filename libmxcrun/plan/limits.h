/* limits.h - the list of cgroup writes under construction, shared by the files that lower
 * resources. */
#ifndef MXCRUN_PLAN_LIMITS_H
#define MXCRUN_PLAN_LIMITS_H

#include "plan/from_oci.h"

/* Which kind of hierarchy has a controller on this host. */
enum controller_place { CONTROLLER_NOWHERE, CONTROLLER_V1, CONTROLLER_V2 };

struct limits {
	struct builder *b;
	struct plan_cgroup_write *writes;
	size_t count, capacity;
};

/* Where the controller is; E_HOST naming it and the field at pointer when it is nowhere. */
int limits_place(const struct limits *l, const char *controller, const char *pointer,
		 enum controller_place *ret, struct err **err);

/* Append one write; value is copied. limits_add_i64 writes -1 as "max" where the file is of v2. */
int limits_add(struct limits *l, const char *controller, const char *file, const char *value,
	       const char *pointer, struct err **err);
int limits_add_i64(struct limits *l, const char *controller, const char *file, int64_t value,
		   const char *pointer, struct err **err);

int build_memory_limits(struct limits *l, const struct oci_memory *memory, struct err **err);
int build_cpu_limits(struct limits *l, const struct oci_cpu *cpu, struct err **err);
/* Block devices, huge pages and network classes; how many writes that can make at most. */
int build_io_limits(struct limits *l, const struct oci_resources *resources, struct err **err);
size_t io_writes_max(const struct oci_resources *resources);

#endif

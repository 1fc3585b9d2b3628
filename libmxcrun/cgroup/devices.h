/* devices.h - the device filter of a group: an eBPF program on v2, the devices controller on v1. */
#ifndef MXCRUN_CGROUP_DEVICES_H
#define MXCRUN_CGROUP_DEVICES_H

#include <linux/bpf.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "plan/plan.h"

/* The rules as a program: 1 allows, 0 denies. Each kind of access that is asked for is decided by
 * the last rule that covers the device and this kind; without one it is denied. malloc'd. Pure.
 * -ENOMEM, -E2BIG. */
int devices_compile(const struct plan_device_rule *rules, size_t count, struct bpf_insn **ret,
		    size_t *ret_count);

/* Load the program and attach it to the v2 group. */
int devices_apply_v2(int dir_fd, const struct plan_cgroup *cgroup, struct err **err);

/* Do the rules mean the same when the v1 controller has taken them in order? It keeps a list of
 * exceptions and can't cut a hole into one. Pure. */
bool devices_fit_v1(const struct plan_device_rule *rules, size_t count);

int devices_apply_v1(int dir_fd, const struct plan_cgroup *cgroup, struct err **err);

#endif

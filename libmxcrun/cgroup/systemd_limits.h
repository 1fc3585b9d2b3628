/* systemd_limits.h - a plan's limits as properties of a unit. */
#ifndef MXCRUN_CGROUP_SYSTEMD_LIMITS_H
#define MXCRUN_CGROUP_SYSTEMD_LIMITS_H

#include <stdbool.h>
#include <stddef.h>

#include "cgroup/dbus.h"
#include "plan/plan.h"

/* Begin one property: its name and the type of the value, which is put next. */
void systemd_put_property(struct dbus_body *body, const char *name, const char *signature);

/* Properties for all writes that a systemd of this version has one for; at the start of the scope, or later. */
void systemd_put_limits(struct dbus_body *body, const struct plan_cgroup *cgroup, unsigned int version, bool is_start);

/* Else any version will do. */
bool systemd_limits_depend_on_version(const struct plan_cgroup *cgroup);

/* The files that systemd writes, one after the other: controller and name are set in *ret. False: there are no more. */
bool systemd_limit_file(size_t i, struct plan_cgroup_write *ret);

#endif

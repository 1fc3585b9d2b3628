/* systemd_limits.h - a plan's limits as properties of a unit. */
#ifndef MXCRUN_CGROUP_SYSTEMD_LIMITS_H
#define MXCRUN_CGROUP_SYSTEMD_LIMITS_H

#include "cgroup/dbus.h"
#include "plan/plan.h"

/* Begin one property: its name and the type of the value, which is put next. */
void systemd_put_property(struct dbus_body *body, const char *name, const char *signature);

/* Properties for all writes that systemd has one for. */
void systemd_put_limits(struct dbus_body *body, const struct plan_cgroup *cgroup);

#endif

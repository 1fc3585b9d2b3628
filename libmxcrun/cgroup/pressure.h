/* pressure.h - how long processes of a group have waited for want of something (PSI), as runc's events tell it. */
#ifndef MXCRUN_CGROUP_PRESSURE_H
#define MXCRUN_CGROUP_PRESSURE_H

#include "base/json.h"

/* Put the member psi, from the text of a pressure file: "some avg10=0.00 avg60=0.00 avg300=0.00 total=0", and a line of "full". */
void pressure_put(const char *text, struct json_writer *w);

#endif

/* trace.h - what the filter of a namespace has decided so far (MXC.md 12.3), as the kernel counted it: no process of ours
 * has to watch, and a container that nobody supervises has it too. */
#ifndef MXCRUN_NET_TRACE_H
#define MXCRUN_NET_TRACE_H

#include "base/err.h"
#include "base/json.h"
#include "net/enter.h"

/* Of that container or sandbox: put "rules" (name, packets, bytes) and "refused" (address, port, protocol, rule, count, first, last) into the open object.
 * Packets of a connection that was let through are counted once, for its first. At most FILTER_REFUSED_MAX destinations of
 * a family are known. 0; -ENOENT with E_STATE when no filter of ours is there. */
int network_trace(const struct net_namespace *namespaces, const char *id, struct json_writer *w, struct err **err);

#endif

/* reclaim.h - find out what of a container exists on the host, end it, take it away. */
#ifndef MXCRUN_LIFECYCLE_RECLAIM_H
#define MXCRUN_LIFECYCLE_RECLAIM_H

#include "base/log.h"
#include "lifecycle/store.h"

/* By the journal; where that lacks something, by the record; where neither can be read, by what the
 * kernel knows (invariant 40). The record may be empty. */
int remains_find(const struct entry *entry, const struct record *record, const struct log *log,
		 struct remains *ret, struct err **err);

/* SIGKILL for everything; nothing is waited for but the emptying of the cgroup, nothing removed. */
int remains_kill(struct remains *remains, struct err **err);

/* Kill, wait, and remove the cgroups and tables of that id. Every step is idempotent. Returns the first failure after
 * trying all. */
int remains_reclaim(struct remains *remains, const char *id, struct err **err);

/* remains_find() for an entry whose files say nothing: cgroups that are named after the id and in
 * which nothing but contained processes live. */
int orphans_find(const char *id, struct remains *ret, struct err **err);

#endif

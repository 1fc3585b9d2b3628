/* resolve.h - an MXC configuration, seen on this host, to decisions. Pure: what the host has is an
 * argument.
 *
 * In order: where the containment is "lxc", policy_image_name() says which image, and image_look_up() (host/) finds it;
 * policy_requests() lists the paths to look up, objects_look_up() (host/) does, policy_check() refuses what needs no more,
 * objects_find_aliases() (host/) searches, policy_resolve() decides.
 */
#ifndef MXCRUN_POLICY_RESOLVE_H
#define MXCRUN_POLICY_RESOLVE_H

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "config/mxc.h"
#include "host/facts.h"
#include "host/objects.h"
#include "policy/decisions.h"

/* Which image the containment "lxc" wants. E_POLICY. */
int policy_image_name(const struct mxc_config *config, struct image_name *ret, struct err **err);

/* The paths that the policy names, each with the access that its grant would give; behind them those in the image (NULL: the
 * root is none). */
int policy_requests(struct arena *arena, const struct mxc_config *config, const struct host_image *image,
		    struct object_request **ret, size_t *ret_count, struct err **err);

/* On the way from a configuration to its decisions. */
struct policy_work;

/* Steps 13 to 18 of MXC.md 2.5, as far as they go by what is listed. E_UNSUPPORTED: asks for what no engine here enforces;
 * E_POLICY: refused as such; E_DELEGATION: a grant beyond the invoking user's own rights. objects are those of
 * policy_requests(), in its order. The work lies in the arena. 0 or -errno. */
int policy_check(struct arena *arena, const struct mxc_config *config, const struct host_facts *facts,
		 const struct host_objects *objects, const struct log *log, struct policy_work **ret, struct err **err);

/* The rest of them; the objects' other names are known by now. The decisions lie in the arena. 0 or -errno. */
int policy_resolve(struct policy_work *work, const struct policy_decisions **ret, struct err **err);

/* A search for other names of a denied path that did not come to its end. E_POLICY. */
int policy_refuse_unsearched(const struct host_unsearched *unsearched, const char *path, const char *pointer, struct err **err);

/* limits.c: the section of limits alone. E_POLICY; 0 or -errno. */
int policy_limits(struct arena *arena, const struct mxc_config *config, struct policy_resources *ret, struct err **err);

#endif

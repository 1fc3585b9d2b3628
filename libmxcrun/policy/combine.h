/* combine.h - several policies for one container, combined by tightening. Pure.
 *
 * Each carrier's path lists say of every path what that carrier lets happen there: by the most
 * specific of its entries, and everything where it has none. What is in force at a path is the
 * strictest of these words; so a further carrier can only take away. Paths are the container's.
 */
#ifndef MXCRUN_POLICY_COMBINE_H
#define MXCRUN_POLICY_COMBINE_H

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "config/mxc.h"
#include "config/oci.h"
#include "policy/decisions.h"

/* Whether a carrier may bring paths of the host into the container. */
enum carrier_grants {
	GRANTS_NONE,
	GRANTS_LISTED, /* those that the host's owner has listed, and what is below them */
	GRANTS_ALL,
};

struct policy_carrier {
	const char *name;   /* for people: "policy.d/10-base.json" */
	const char *prefix; /* of pointers into its document */
	const struct mxc_config *config;
	enum carrier_grants grants;
	const struct string_list *readonly_grants, *readwrite_grants; /* GRANTS_LISTED */
	const struct oci_seccomp *seccomp_file; /* what its seccompProfile names a file for; NULL: it names none */
};

/* A part of the container's tree whose intent differs from that of what is around it. */
struct combined_region {
	enum policy_intent intent; /* INTENT_READWRITE: as the container has it */
	const char *path;
	bool is_reopened; /* denied, and regions that are not lie below */
	const char *pointer;
	const struct policy_carrier *carrier;
};

/* A path that is to be bound from the host where the container has none. */
struct combined_grant {
	const char *path;
	enum policy_intent intent;
	bool is_hole; /* inside of what the same carrier restricts: an empty place of the image's is meant, too */
	const char *pointer;
	const struct policy_carrier *carrier;
};

/* 0: not limited. */
struct combined_limit {
	uint64_t value;
	const char *pointer;
	const struct policy_carrier *carrier;
};

enum combined_subject { SUBJECT_PATH, SUBJECT_MEMORY, SUBJECT_CPUS, SUBJECT_PIDS, SUBJECT_TIMEOUT, SUBJECT_NETWORK };

/* One thing that one carrier asks for, and who decides it. */
struct combined_item {
	enum combined_subject subject;
	const char *path;	      /* SUBJECT_PATH */
	enum policy_intent requested_intent, intent;
	bool requests_isolation; /* SUBJECT_NETWORK */
	uint64_t requested, value; /* limits */
	const char *pointer;
	const struct policy_carrier *carrier, *decided_by;
};

struct policy_combined {
	/* For what isn't combined but put side by side: seccomp filters and capabilities */
	const struct policy_carrier *carriers;
	size_t carrier_count;
	struct combined_region *regions; /* by path: what contains comes before what is in it */
	size_t region_count;
	/* Listed, and by their names restricted as much by what is around them: they count where a link in the container makes
	 * the name another place's. Strictest word of those that list the path; likewise sorted. */
	struct combined_region *by_link;
	size_t by_link_count;
	struct combined_grant *grants; /* likewise */
	size_t grant_count;
	struct combined_limit memory_bytes, cpus, pids, timeout_ms;
	struct net_policy network; /* egress.count 0: no carrier says anything of it */
	bool is_isolated;	   /* some carrier lets nothing pass */
	const struct policy_carrier *network_carrier; /* the first of these, or else of all that have rules */
	struct combined_item *items; /* in the order of the carriers */
	size_t item_count;
};

/* carriers: in any order; of several that are equally strict the one that asks is named, or else the first. E_POLICY: a
 * grant by a carrier that may only restrict, or a path that means nothing; E_UNSUPPORTED: a network posture
 * that a container can't have. All lies in the arena. 0 or -errno. */
int policy_combine(struct arena *arena, const struct policy_carrier *carriers, size_t count, const struct log *log,
		   const struct policy_combined **ret, struct err **err);

/* combine_paths.c: regions, grants and their items; the other sections are combine.c's. */
int combine_paths(struct arena *arena, const struct policy_carrier *carriers, size_t count,
		  struct policy_combined *ret, struct err **err);

/* What people call an intent: "denied", "readonly", "readwrite". */
extern const char *const policy_intent_words[INTENT_MAX];

#endif

/* build.h - configuration, decisions and host facts to one plan. Pure functions: nothing here opens
 * a file, reads the clock or asks the kernel, so that the same input gives the same plan on every
 * machine. */
#ifndef MXCRUN_PLAN_BUILD_H
#define MXCRUN_PLAN_BUILD_H

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "config/oci.h"
#include "host/facts.h"
#include "host/objects.h"
#include "plan/plan.h"
#include "policy/combine.h"

struct plan_owner;

/* The policies of a bundle, combined, and what the host has at the paths that they grant. */
struct plan_carriers {
	const struct policy_combined *combined;
	const struct host_objects *objects; /* of combined->grants, in their order */
	const bool *is_in_image;	    /* likewise: the root file system has something there */
	const struct plan_owner *on_host;   /* what they restrict of the host by its own paths; NULL: nothing is granted */
};

/* What the command line adds to a bundle. */
struct plan_request {
	const char *id;	    /* checked by the store's rules already */
	const char *bundle; /* absolute */
	const char *config; /* absolute path of the configuration; NULL: the bundle's config.json */
	const char *admin_config; /* for lifecycle/; NULL: the host's own */
	const char *engine;	  /* for lifecycle/; NULL: what the configurations say */
	bool is_text;		  /* for lifecycle/: nobody carries it out, so whom the configurations name does not matter */
	enum plan_cgroup_manager manager;
	bool no_pivot, no_new_keyring;
	bool wants_console; /* a console socket was given */
	bool keeps_rules; /* of the seccomp filter, as text: for who prints the plan, or an engine that compiles them */
	unsigned int preserve_fds;
	const char *notify_socket;    /* NOTIFY_SOCKET of the caller, absolute; NULL: none */
	const struct plan_carriers *carriers; /* NULL: a policy in the bundle is refused */
	/* exec: of the container's policy */
	uint64_t refused_capabilities, withheld_capabilities;
	const struct plan_seccomp *filters;
	size_t filter_count;
	const char *const *extra_env; /* NULL-terminated "NAME=value" added to the workload's
				       * (LISTEN_FDS ...); NULL: none */
};

/* Words of linux.memoryPolicy.flags, for the features command. */
extern const char *const memory_policy_flag_words[];

/* Decide everything about an OCI bundle. The plan is the first allocation of plan_arena and
 * everything it points to is in plan_arena too, so that it may be shared with init. facts needs its
 * user and cgroup parts.
 *
 * E_CONFIG: the configuration contradicts itself; E_UNSUPPORTED: it asks for something that can't
 * be enforced yet; E_HOST: for something that this host lacks. All with the pointer of the field. 0
 * or -errno. */
int plan_from_oci(struct arena *plan_arena, const struct oci_config *config,
		  const struct plan_request *request, const struct host_facts *facts,
		  const struct log *log, const struct plan **ret, struct err **err);

/* Of a plan only the cgroup writes, for `update`. */
int plan_limits_from_oci(struct arena *plan_arena, const struct oci_config *config,
			 const struct plan_request *request, const struct host_facts *facts,
			 const struct log *log, const struct plan **ret, struct err **err);

/* The same for one more process in a container whose init has that number: config->process is what
 * will run, and of the rest only namespaces, id maps and the seccomp profile count. */
int plan_exec_from_oci(struct arena *plan_arena, const struct oci_config *config,
		       const struct plan_request *request, pid_t init,
		       const struct host_facts *facts, const struct log *log,
		       const struct plan **ret, struct err **err);

/* Is the controller in one of this host's hierarchies? For who asks without a limit. */
bool plan_has_controller(const struct host_facts *facts, const char *controller);

#endif

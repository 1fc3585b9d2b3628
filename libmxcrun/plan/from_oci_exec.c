/* from_oci_exec.c - the plan of `exec`: one more process in a container that exists.
 *
 * The configuration is the container's with the process replaced. Only the steps that are about the process run; every
 * namespace that is not the host's, also those that the container got new, is joined by the files of
 * its init. No root, mount, cgroup limit or hook is in such a plan.
 */
#include "plan/build.h"

#include "plan/from_oci.h"

/* After the id maps, which are asked for by the process's ids. */
int build_joined_namespaces(struct builder *b, pid_t init, struct err **err)
{
	for (int kind = 0; kind < NS_MAX; kind++) {
		struct plan_ns *ns = &b->plan->namespaces[kind];

		if (ns->mode == NS_HOST)
			continue;
		ns->mode = NS_JOIN;
		ns->path = arena_printf(b->arena, "/proc/%d/ns/%s", (int)init, plan_ns_file(kind));
		if (!ns->path)
			return err_nomem(err);
	}
	b->plan->hostname = b->plan->domainname = NULL;
	return 0;
}

int plan_exec_from_oci(struct arena *plan_arena, const struct oci_config *config,
		       const struct plan_request *request, pid_t init,
		       const struct host_facts *facts, const struct log *log,
		       const struct plan **ret, struct err **err)
{
	static int (*const steps[])(struct builder *, struct err **) = {
				build_bundle_identity, build_namespaces,    build_idmaps,	build_process,
		build_scheduling,      build_memory_policy, build_cpu_affinity, build_capabilities, build_carrier_capabilities,
		build_exec_filters,
	};
	struct builder b;
	int r = builder_init(&b, plan_arena, config, request, facts, log, err);

	for (size_t i = 0; i < array_size(steps) && r == 0; i++)
		r = steps[i](&b, err);
	if (r == 0)
		r = build_joined_namespaces(&b, init, err);
	if (r < 0)
		return r;
	b.plan->lifecycle.is_exec = true;
	*ret = b.plan;
	return 0;
}

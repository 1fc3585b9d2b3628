/* resolve.c - see resolve.h: the containment, then each section by its own file, in the order of
 * MXC.md 2.5. */
#include "policy/resolve.h"

#include "policy/filesystem.h"
#include "policy/network.h"
#include "policy/process.h"

static int check_containment(const struct mxc_config *config, struct err **err)
{
	const char *word = mxc_containment_words[config->containment];

	switch (config->containment) {
	case MXC_PROCESS:
	case MXC_BUBBLEWRAP:
		return 0;
	case MXC_LXC:
		if (!config->lifecycle.destroy_on_exit.set || config->lifecycle.destroy_on_exit.value)
			return 0;
		return err_set(err, E_UNSUPPORTED, 0, "/lifecycle/destroyOnExit",
			       "what a sandbox writes above an image ends with it; grant a folder for what is to stay");
	case MXC_WINDOWS_SANDBOX:
	case MXC_MICROVM:
	case MXC_HYPERLIGHT:
		return err_set(
			err, E_UNSUPPORTED, 0, "/containment",
			"the '%s' backend is not available on Linux (it is an experimental feature, "
			"not compiled in here)",
			word);
	case MXC_PROCESSCONTAINER:
	case MXC_SEATBELT:
	case MXC_WSLC:
	case MXC_ISOLATION_SESSION:
	case MXC_VM:
	case MXC_CONTAINMENT_MAX:
		break;
	}
	return err_set(err, E_UNSUPPORTED, 0, "/containment",
		       "the '%s' backend is not available on Linux", word);
}

struct policy_work {
	const struct mxc_config *config;
	const struct host_facts *facts;
	struct view view;
	struct policy_decisions *decisions;
};

int policy_check(struct arena *arena, const struct mxc_config *config, const struct host_facts *facts,
		 const struct host_objects *objects, const struct log *log, struct policy_work **ret, struct err **err)
{
	struct policy_decisions *decisions = arena_alloc(arena, sizeof(*decisions));
	struct policy_work *work = arena_alloc(arena, sizeof(*work));
	int r;

	if (!decisions || !work)
		return err_nomem(err);
	*work = (struct policy_work){
		.config = config,
		.facts = facts,
		.view = { .arena = arena, .objects = objects, .log = log, .ret = &decisions->filesystem },
		.decisions = decisions,
	};
	r = check_containment(config, err);
	if (r == 0)
		r = policy_network(arena, config, facts, log, &decisions->network, err);
	if (r == 0)
		r = policy_filesystem_check(&work->view, config, err);
	if (r == 0)
		*ret = work;
	return r;
}

/* What the variables of the process name. */
static const char *proxy_of(const struct policy_work *work)
{
	const char *own = work->config->exec_proxy;

	return own ? own : work->decisions->network.policy.proxy.url;
}

int policy_resolve(struct policy_work *work, const struct policy_decisions **ret, struct err **err)
{
	struct policy_decisions *decisions = work->decisions;
	const struct mxc_config *config = work->config;
	struct view *view = &work->view;
	int r = policy_filesystem(view, err);

	if (r == 0)
		r = policy_process(view->arena, config, work->facts, view->objects, proxy_of(work),
				   &decisions->process, err);
	if (r == 0)
		r = policy_limits(view->arena, config, &decisions->resources, err);
	decisions->backend = config->bubblewrap;
	decisions->ui_is_disabled = config->ui.disable.value;
	if (r == 0)
		*ret = decisions;
	return r;
}

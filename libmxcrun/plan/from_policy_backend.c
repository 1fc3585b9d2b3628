/* from_policy_backend.c - what the section of the back end says of the sandbox itself.
 *
 * It can add to what a sandbox shuts off, and give back what a sandbox can do without: none of it opens the host. What
 * would is refused by name: a namespace that the walls stand on, a capability that takes one down.
 */
#include "plan/from_policy_backend.h"

#include <string.h>

#include "base/sys.h"
#include "plan/caps.h"
#include "plan/from_carriers.h"
#include "plan/seccomp.h"

#define SECTION "/bubblewrap"

static const struct mxc_bubblewrap nothing;

static const struct mxc_bubblewrap *section_of(const struct policy_decisions *decisions)
{
	return decisions->backend ? decisions->backend : &nothing;
}

/* ---- namespaces ---- */

static int choose_namespaces(struct builder *b, const struct mxc_namespaces *wanted, struct err **err)
{
	const struct {
		const char *pointer;
		const struct opt_bool *value;
		enum plan_ns_kind kind;
		const char *needed_for; /* NULL: the host's will do */
	} rows[] = {
		{ SECTION "/namespaces/cgroup", &wanted->cgroup, NS_CGROUP, NULL },
		{ SECTION "/namespaces/ipc", &wanted->ipc, NS_IPC, NULL },
		{ SECTION "/namespaces/mount", &wanted->mount, NS_MOUNT, "its view of the file system" },
		{ SECTION "/namespaces/network", &wanted->network, NS_NET, "its network policy" },
		{ SECTION "/namespaces/pid", &wanted->pid, NS_PID, "its end to be the end of all its processes" },
		{ SECTION "/namespaces/time", &wanted->time, NS_TIME, NULL },
		{ SECTION "/namespaces/user", &wanted->user, NS_USER, "its workload to have no rights over it" },
		{ SECTION "/namespaces/uts", &wanted->uts, NS_UTS, NULL },
	};
	struct plan_ns *ns;

	for (size_t i = 0; i < array_size(rows); i++) {
		ns = &b->plan->namespaces[rows[i].kind];
		if (!rows[i].value->set)
			continue;
		if (!rows[i].value->value && rows[i].needed_for)
			return err_set(err, E_POLICY, 0, rows[i].pointer, "a sandbox needs a namespace of its own here, for %s",
				       rows[i].needed_for);
		ns->mode = rows[i].value->value ? NS_NEW : NS_HOST;
		if (copy_string(b, rows[i].pointer, &ns->pointer, err) < 0)
			return -1;
	}
	return 0;
}

/* ---- capabilities ---- */

/* Those that a workload may keep. In the namespaces of the sandbox they mean what they say; any other one means nothing there, or
 * takes a wall down: CAP_SYS_ADMIN the covers of denied paths, CAP_SYS_PTRACE pid 1. */
enum keepable { KEPT_ALWAYS, KEPT_WITHOUT_DENIALS, KEPT_WITHOUT_NETWORK };
static const struct {
	const char *name;
	enum keepable when;
} keepable[] = {
	{ "CAP_CHOWN", KEPT_ALWAYS },
	{ "CAP_DAC_OVERRIDE", KEPT_WITHOUT_DENIALS },
	{ "CAP_DAC_READ_SEARCH", KEPT_WITHOUT_DENIALS },
	{ "CAP_FOWNER", KEPT_ALWAYS },
	{ "CAP_FSETID", KEPT_ALWAYS },
	{ "CAP_KILL", KEPT_ALWAYS },
	{ "CAP_SETGID", KEPT_ALWAYS },
	{ "CAP_SETUID", KEPT_ALWAYS },
	{ "CAP_NET_BIND_SERVICE", KEPT_ALWAYS },
	{ "CAP_NET_RAW", KEPT_WITHOUT_NETWORK },
	{ "CAP_NET_ADMIN", KEPT_WITHOUT_NETWORK },
	{ "CAP_SYS_CHROOT", KEPT_ALWAYS },
};

static bool has_denials(const struct builder *b, const struct policy_decisions *decisions)
{
	for (size_t i = 0; i < decisions->filesystem.entry_count; i++)
		if (decisions->filesystem.entries[i].intent == INTENT_DENIED)
			return true;
	for (size_t i = 0; i < b->plan->policy.region_count; i++)
		if (b->plan->policy.regions[i].kind == REGION_DENIED)
			return true;
	return false;
}

static int check_kept(const struct builder *b, const struct policy_decisions *decisions, const char *name, const char *pointer,
		      struct err **err)
{
	for (size_t i = 0; i < array_size(keepable); i++) {
		if (strcmp(keepable[i].name, name) != 0)
			continue;
		if (keepable[i].when == KEPT_WITHOUT_DENIALS && has_denials(b, decisions))
			return err_set(err, E_POLICY, 0, pointer, "%s would open what the policy denies", name);
		if (keepable[i].when == KEPT_WITHOUT_NETWORK && b->plan->network != NETWORK_NONE)
			return err_set(err, E_POLICY, 0, pointer,
				       "%s goes only with a network of loopback alone: it could pass the rules by", name);
		return 0;
	}
	return err_set(err, E_POLICY, 0, pointer, "%s can't be kept: in a sandbox it means nothing, or takes its walls down",
		       name);
}

static int capability_of(const char *name, const char *pointer, int *ret, struct err **err)
{
	*ret = caps_from_name(name);
	return *ret >= 0 ? 0 : err_set(err, E_POLICY, 0, pointer, "no capability is named %.64s", name);
}

static const char *pointer_to(struct builder *b, const char *list, size_t i)
{
	return arena_printf(b->arena, SECTION "/%s/%zu", list, i);
}

static int keep(struct builder *b, const struct policy_decisions *decisions, uint64_t *ret, struct err **err)
{
	const struct string_list *list = &section_of(decisions)->keep_caps;

	for (size_t i = 0; i < list->count; i++) {
		const char *pointer = pointer_to(b, "keepCaps", i);
		int capability;

		if (!pointer)
			return err_nomem(err);
		if (capability_of(list->items[i], pointer, &capability, err) < 0 ||
		    check_kept(b, decisions, list->items[i], pointer, err) < 0)
			return -1;
		*ret |= caps_bit((unsigned int)capability);
	}
	return 0;
}

/* "ALL" is what a sandbox does anyhow: all that are not kept. A named one beats the list of kept ones. */
static int drop(struct builder *b, const struct string_list *list, uint64_t *ret, struct err **err)
{
	for (size_t i = 0; i < list->count; i++) {
		const char *pointer = pointer_to(b, "dropCaps", i);
		int capability;

		if (!pointer)
			return err_nomem(err);
		if (strcmp(list->items[i], "ALL") == 0)
			continue;
		if (capability_of(list->items[i], pointer, &capability, err) < 0)
			return -1;
		*ret &= ~caps_bit((unsigned int)capability);
	}
	return 0;
}

int backend_kept_capabilities(struct builder *b, const struct policy_decisions *decisions, uint64_t *ret, struct err **err)
{
	int r = keep(b, decisions, ret, err);

	return r == 0 ? drop(b, &section_of(decisions)->drop_caps, ret, err) : r;
}

/* They count in the namespace that owns the sandbox's network and mounts, so there is no inner one then. */
static int choose_capabilities(struct builder *b, const struct policy_decisions *decisions, const struct plan_owner *owner,
			       struct err **err)
{
	uint64_t kept = 0, taken = 0;

	if (backend_kept_capabilities(b, decisions, &kept, err) < 0 ||
	    (owner && carriers_take_capabilities(b, owner->combined, &taken, err) < 0))
		return -1;
	kept &= ~taken;
	b->plan->process.capabilities = (struct plan_capabilities){ kept, kept, kept, kept, kept };
	b->plan->process.inner_userns = kept == 0;
	return 0;
}

/* ---- session, leash ---- */

static void choose_session(struct builder *b, const struct mxc_bubblewrap *section)
{
	if (section->new_session.set)
		b->plan->process.new_session = section->new_session.value;
	b->plan->lifecycle.dies_with_caller = section->die_with_parent.value;
}

const char *backend_argv0(const struct policy_decisions *decisions)
{
	return section_of(decisions)->argv0;
}

/* ---- the filter ---- */

static enum seccomp_unix unix_sockets_of(const struct plan *plan)
{
	if (plan->network != NETWORK_HOST)
		return SECCOMP_UNIX_ANY;
	return plan_keeps_abstract_sockets_out(plan) ? SECCOMP_UNIX_PAIRS_FOR_OTHERS : SECCOMP_UNIX_PAIRS;
}

/* Its own file systems end with it, and nobody else executes from them. */
static bool writes_to_host(const struct plan *plan)
{
	for (size_t i = 0; i < plan->mount_count; i++)
		if (plan->mounts[i].kind == MOUNT_BIND && !((plan->mounts[i].attr_set | plan->mounts[i].attr_set_recursive) & SYS_ATTR_RDONLY))
			return true;
	return false;
}

static int choose_filter(struct builder *b, const char *profile, const struct oci_seccomp *file, struct err **err)
{
	struct plan_process *process = &b->plan->process;
	const struct seccomp_workload workload = { process->capabilities.effective, unix_sockets_of(b->plan), b->request->keeps_rules,
						   writes_to_host(b->plan) };
	int index;

	if (file && (workload.unix_sockets == SECCOMP_UNIX_PAIRS || (workload.unix_sockets != SECCOMP_UNIX_ANY && workload.keeps_rules)))
		return err_set(err, E_POLICY, 0, SECTION "/seccompProfile",
			       "a profile from a file does not keep the abstract sockets of the host out, whose network "
			       "network.allowLocalNetwork=true with network.defaultPolicy='allow' asks for");
	if (file) {
		if (seccomp_compile_policy_file(b->arena, file, &workload, &process->seccomp, b->log, err) == 0)
			return 0;
		return err_wrap(err, "seccomp profile %.512s", profile);
	}
	index = profile ? seccomp_profile_from_word(profile, SECTION "/seccompProfile", err) : SECCOMP_PROFILE_DEFAULT;
	if (index < 0)
		return index;
	return seccomp_compile_policy(b->arena, (enum seccomp_profile)index, &workload, &process->seccomp, b->log, err);
}

int build_backend(struct builder *b, const struct policy_decisions *decisions, const struct plan_policy_request *request,
		  struct err **err)
{
	const struct mxc_bubblewrap *section = section_of(decisions);
	int r = choose_namespaces(b, &section->namespaces, err);

	if (r == 0)
		r = choose_capabilities(b, decisions, request->owner, err);
	if (r < 0)
		return r;
	choose_session(b, section);
	r = choose_filter(b, section->seccomp_profile, request->seccomp_file, err);
	return r == 0 && request->owner ? carriers_add_filters(b, request->owner->combined, err) : r;
}

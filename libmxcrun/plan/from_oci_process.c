/* from_oci_process.c - the workload: what is executed, as whom, with which limits and filter. */
#include <inttypes.h>
#include <string.h>
#include <sys/resource.h>

#include "plan/from_oci.h"
#include "plan/seccomp.h"

#define UMASK_MAX 0777u
#define OOM_SCORE_MAX 1000

static const struct {
	const char *name;
	int resource;
} rlimit_names[] = {
	{ "RLIMIT_AS", RLIMIT_AS },
	{ "RLIMIT_CORE", RLIMIT_CORE },
	{ "RLIMIT_CPU", RLIMIT_CPU },
	{ "RLIMIT_DATA", RLIMIT_DATA },
	{ "RLIMIT_FSIZE", RLIMIT_FSIZE },
	{ "RLIMIT_LOCKS", RLIMIT_LOCKS },
	{ "RLIMIT_MEMLOCK", RLIMIT_MEMLOCK },
	{ "RLIMIT_MSGQUEUE", RLIMIT_MSGQUEUE },
	{ "RLIMIT_NICE", RLIMIT_NICE },
	{ "RLIMIT_NOFILE", RLIMIT_NOFILE },
	{ "RLIMIT_NPROC", RLIMIT_NPROC },
	{ "RLIMIT_RSS", RLIMIT_RSS },
	{ "RLIMIT_RTPRIO", RLIMIT_RTPRIO },
	{ "RLIMIT_RTTIME", RLIMIT_RTTIME },
	{ "RLIMIT_SIGPENDING", RLIMIT_SIGPENDING },
	{ "RLIMIT_STACK", RLIMIT_STACK },
};

static int build_command(struct builder *b, const struct oci_process *process, struct err **err)
{
	int r;

	if (!process->args.count)
		return err_set(err, E_CONFIG, 0, "/process/args", "expected a program to run, found nothing");
	if (!*process->args.items[0])
		return err_set(err, E_CONFIG, 0, "/process/args", "expected a program to run, found \"\"");
	if (process->cwd[0] != '/')
		return err_set(err, E_CONFIG, 0, "/process/cwd",
			       "expected an absolute path, found \"%.64s\"", process->cwd);
	r = copy_list(b, &process->args, NULL, &b->plan->process.argv, err);
	if (r == 0)
		r = build_environment(b, &process->env, err);
	if (r == 0)
		r = copy_string(b, process->cwd, &b->plan->process.cwd, err);
	return r;
}

static int check_mapped(struct builder *b, const struct plan_idmaps *maps, uint32_t id,
			const char *pointer, struct err **err)
{
	if (is_mapped(b, maps, id))
		return 0;
	return err_set(err, E_CONFIG, 0, pointer,
		       "id %" PRIu32 " is not mapped into the user namespace", id);
}

static int build_groups(struct builder *b, const struct oci_user *user, struct err **err)
{
	struct plan_process *process = &b->plan->process;
	size_t i;
	int r;

	/* crun's word for it, which podman writes for --group-add keep-groups: as an ordinary user these can't be given again. The user's
	 * groups in the image, which podman writes as well for all but root, are then not given. */
	process->keep_groups = oci_annotation(b->config, "run.oci.keep_original_groups") != NULL;
	if (process->keep_groups)
		return 0;
	if (user->additional_gids.count && b->plan->deny_setgroups)
		return err_set(err, E_UNSUPPORTED, 0, "/process/user/additionalGids",
			       "the kernel denies setgroups in this user namespace");
	for (i = 0; i < user->additional_gids.count; i++) {
		r = check_mapped(b, &b->plan->gid_maps, user->additional_gids.items[i],
				 "/process/user/additionalGids", err);
		if (r < 0)
			return r;
	}
	if (!user->additional_gids.count)
		return 0;
	process->groups = arena_memdup(b->arena, user->additional_gids.items,
				       user->additional_gids.count * sizeof(*process->groups));
	if (!process->groups)
		return err_nomem(err);
	process->group_count = user->additional_gids.count;
	return 0;
}

static int build_user(struct builder *b, const struct oci_user *user, struct err **err)
{
	struct plan_process *process = &b->plan->process;
	int r;

	process->uid = user->uid;
	process->gid = user->gid;
	r = check_mapped(b, &b->plan->uid_maps, user->uid, "/process/user/uid", err);
	if (r == 0)
		r = check_mapped(b, &b->plan->gid_maps, user->gid, "/process/user/gid", err);
	if (r < 0)
		return r;
	if (user->umask.value > UMASK_MAX)
		return err_set(err, E_CONFIG, 0, "/process/user/umask", "expected 0 to 511 (0777), found %" PRIu32, user->umask.value);
	process->umask = user->umask.set ? user->umask.value : PLAN_UNSET_ID;
	return build_groups(b, user, err);
}

static int build_rlimit(struct builder *b, const struct oci_rlimit *entry, struct plan_rlimit *ret,
			struct err **err)
{
	size_t i;

	for (i = 0; i < array_size(rlimit_names); i++)
		if (strcmp(rlimit_names[i].name, entry->type) == 0)
			break;
	if (i == array_size(rlimit_names))
		return err_set(err, E_CONFIG, 0, ret->pointer,
			       "unknown resource limit \"%.64s\", expected a name such as RLIMIT_NOFILE", entry->type);
	ret->resource = rlimit_names[i].resource;
	ret->soft = entry->soft.value;
	ret->hard = entry->hard.value;
	if (ret->soft > ret->hard)
		return err_set(err, E_CONFIG, 0, ret->pointer,
			       "the soft limit, %" PRIu64 ", is above the hard limit, %" PRIu64, ret->soft, ret->hard);
	return copy_string(b, entry->type, &ret->name, err);
}

static int build_rlimits(struct builder *b, const struct oci_process *process, struct err **err)
{
	struct plan_process *plan = &b->plan->process;
	unsigned int seen = 0;
	size_t i;
	int r;

	plan->rlimits = arena_array(b->arena, process->rlimits.count, sizeof(*plan->rlimits));
	if (!plan->rlimits)
		return err_nomem(err);
	for (i = 0; i < process->rlimits.count; i++) {
		struct plan_rlimit *rlimit = &plan->rlimits[i];

		rlimit->pointer = item_pointer(b, "/process/rlimits", i);
		if (!rlimit->pointer)
			return err_nomem(err);
		r = build_rlimit(b, &process->rlimits.items[i], rlimit, err);
		if (r < 0)
			return r;
		if (seen & 1u << rlimit->resource)
			return err_set(err, E_CONFIG, 0, rlimit->pointer, "%s is listed twice",
				       rlimit->name);
		seen |= 1u << rlimit->resource;
		plan->rlimit_count++;
	}
	return 0;
}

static int build_terminal(struct builder *b, const struct oci_process *process, struct err **err)
{
	struct plan_process *plan = &b->plan->process;

	plan->terminal = process->terminal;
	if (b->request->wants_console && !process->terminal)
		return err_set(err, E_CONFIG, 0, "/process/terminal",
			       "a console socket was given, but the process has no terminal");
	/* Without a terminal the size has nothing to apply to; the specification says to ignore it.
	 */
	if (!process->terminal || !process->console_size)
		return 0;
	if (process->console_size->height.value > UINT16_MAX ||
	    process->console_size->width.value > UINT16_MAX)
		return err_set(err, E_CONFIG, 0, "/process/consoleSize",
			       "expected at most 65535 rows and columns, found %" PRIu64 " and %" PRIu64,
			       process->console_size->height.value, process->console_size->width.value);
	plan->console_rows = (uint16_t)process->console_size->height.value;
	plan->console_columns = (uint16_t)process->console_size->width.value;
	return 0;
}

static int build_oom_score(struct builder *b, const struct oci_process *process, struct err **err)
{
	const struct opt_i64 *score = &process->oom_score_adj;

	if (score->value < -OOM_SCORE_MAX || score->value > OOM_SCORE_MAX)
		return err_set(err, E_CONFIG, 0, "/process/oomScoreAdj", "expected -%d to %d, found %" PRId64,
			       OOM_SCORE_MAX, OOM_SCORE_MAX, score->value);
	b->plan->process.has_oom_score_adj = score->set;
	b->plan->process.oom_score_adj = (int)score->value;
	return 0;
}

/* crun's annotation names the receiver where the profile does not. */
static int build_seccomp(struct builder *b, struct err **err)
{
	struct oci_seccomp profile;

	if (!b->linux_->seccomp)
		return 0;
	profile = *b->linux_->seccomp;
	if (!profile.listener_path || !*profile.listener_path)
		profile.listener_path = oci_annotation(b->config, "run.oci.seccomp.receiver");
	return seccomp_compile(b->arena, &profile, b->request->keeps_rules ? &profile : NULL, &b->plan->process.seccomp, b->log,
			       err);
}

int build_process(struct builder *b, struct err **err)
{
	const struct oci_process *process = b->config->process;
	struct plan_process *plan = &b->plan->process;
	int r;

	if (!process)
		return err_set(err, E_CONFIG, 0, "/process", "a container needs a process");
	plan->no_new_privileges = process->no_new_privileges.value;
	plan->new_keyring = !b->request->no_new_keyring;
	plan->new_session = plan->all_cpus = true;
	plan->preserve_fds = b->request->preserve_fds;
	r = build_command(b, process, err);
	if (r == 0)
		r = build_user(b, &process->user, err);
	if (r == 0)
		r = build_rlimits(b, process, err);
	if (r == 0)
		r = build_terminal(b, process, err);
	if (r == 0)
		r = build_oom_score(b, process, err);
	if (r == 0 && process->apparmor_profile && *process->apparmor_profile)
		r = copy_string(b, process->apparmor_profile, &plan->apparmor_profile, err);
	if (r == 0 && process->selinux_label && *process->selinux_label)
		r = copy_string(b, process->selinux_label, &plan->selinux_label, err);
	if (r == 0)
		r = copy_string(b, b->request->notify_socket, &plan->notify_socket, err);
	return r == 0 ? build_seccomp(b, err) : r;
}

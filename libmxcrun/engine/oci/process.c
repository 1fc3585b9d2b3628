/* process.c - the workload and the hooks as config.json has them. */
#include "engine/oci/parts.h"
#include "plan/caps.h"
#include "plan/print.h"

static void put_strings(struct oci_emitter *e, const char *key, const char *first, const char *const *rest)
{
	json_open(e->out, key, '[');
	if (first)
		json_put_string(e->out, NULL, first);
	for (; rest && *rest; rest++)
		json_put_string(e->out, NULL, *rest);
	json_close(e->out, ']');
}

static void put_user(struct oci_emitter *e, const struct plan_process *process)
{
	json_open(e->out, "user", '{');
	json_put_u64(e->out, "uid", process->uid);
	json_put_u64(e->out, "gid", process->gid);
	if (process->umask != PLAN_UNSET_ID)
		json_put_u64(e->out, "umask", process->umask);
	if (process->group_count) {
		json_open(e->out, "additionalGids", '[');
		for (size_t i = 0; i < process->group_count; i++)
			json_put_u64(e->out, NULL, process->groups[i]);
		json_close(e->out, ']');
	}
	json_close(e->out, '}');
}

static void put_set(struct oci_emitter *e, const char *key, uint64_t set)
{
	json_open(e->out, key, '[');
	for (unsigned int i = 0; i < CAPS_KNOWN; i++)
		if (set & caps_bit(i))
			json_put_string(e->out, NULL, caps_name(i));
	json_close(e->out, ']');
}

static void put_capabilities(struct oci_emitter *e, const struct plan_capabilities *caps)
{
	json_open(e->out, "capabilities", '{');
	put_set(e, "bounding", caps->bounding);
	put_set(e, "effective", caps->effective);
	put_set(e, "inheritable", caps->inheritable);
	put_set(e, "permitted", caps->permitted);
	put_set(e, "ambient", caps->ambient);
	json_close(e->out, '}');
}

static void put_rlimits(struct oci_emitter *e, const struct plan_process *process)
{
	if (!process->rlimit_count)
		return;
	json_open(e->out, "rlimits", '[');
	for (size_t i = 0; i < process->rlimit_count; i++) {
		json_open(e->out, NULL, '{');
		json_put_string(e->out, "type", process->rlimits[i].name);
		json_put_u64(e->out, "hard", process->rlimits[i].hard);
		json_put_u64(e->out, "soft", process->rlimits[i].soft);
		json_close(e->out, '}');
	}
	json_close(e->out, ']');
}

static void put_console(struct oci_emitter *e, const struct plan_process *process)
{
	json_put_bool(e->out, "terminal", process->terminal);
	if (!process->console_rows && !process->console_columns)
		return;
	json_open(e->out, "consoleSize", '{');
	json_put_u64(e->out, "height", process->console_rows);
	json_put_u64(e->out, "width", process->console_columns);
	json_close(e->out, '}');
}

void oci_put_process(struct oci_emitter *e)
{
	const struct plan_process *process = &e->plan->process;

	json_open(e->out, "process", '{');
	put_console(e, process);
	put_user(e, process);
	put_strings(e, "args", process->program, process->program ? process->argv + 1 : process->argv);
	put_strings(e, "env", NULL, process->env);
	json_put_string(e->out, "cwd", process->cwd);
	put_capabilities(e, &process->capabilities);
	put_rlimits(e, process);
	json_put_bool(e->out, "noNewPrivileges", process->no_new_privileges);
	if (process->has_oom_score_adj)
		json_put_i64(e->out, "oomScoreAdj", process->oom_score_adj);
	if (process->apparmor_profile)
		json_put_string(e->out, "apparmorProfile", process->apparmor_profile);
	if (process->selinux_label)
		json_put_string(e->out, "selinuxLabel", process->selinux_label);
	json_close(e->out, '}');
}

static void put_hook(struct oci_emitter *e, const struct plan_hook *hook)
{
	json_open(e->out, NULL, '{');
	json_put_string(e->out, "path", hook->path);
	if (hook->argv)
		put_strings(e, "args", NULL, hook->argv);
	if (hook->env)
		put_strings(e, "env", NULL, hook->env);
	if (hook->timeout_ms)
		json_put_i64(e->out, "timeout", hook->timeout_ms / 1000);
	json_close(e->out, '}');
}

void oci_put_hooks(struct oci_emitter *e)
{
	bool is_open = false;

	for (int kind = 0; kind < HOOK_MAX; kind++) {
		const struct plan_hooks *hooks = &e->plan->hooks[kind];

		if (!hooks->count)
			continue;
		if (!is_open)
			json_open(e->out, "hooks", '{');
		is_open = true;
		json_open(e->out, plan_hook_words[kind], '[');
		for (size_t i = 0; i < hooks->count; i++)
			put_hook(e, &hooks->items[i]);
		json_close(e->out, ']');
	}
	if (is_open)
		json_close(e->out, '}');
}

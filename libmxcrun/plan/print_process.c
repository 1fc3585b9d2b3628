/* print_process.c - the plan as JSON: the workload, its hooks and its life. */
#include <linux/filter.h>
#include <stdio.h>

#include "plan/caps.h"
#include "plan/print.h"
#include "plan/print_parts.h"

const char *const plan_hook_words[HOOK_MAX] = {
	[HOOK_PRESTART] = "prestart",
	[HOOK_CREATE_RUNTIME] = "createRuntime",
	[HOOK_CREATE_CONTAINER] = "createContainer",
	[HOOK_START_CONTAINER] = "startContainer",
	[HOOK_POSTSTART] = "poststart",
	[HOOK_POSTSTOP] = "poststop",
};
_Static_assert(HOOK_MAX == 6, "a word for each kind of hook");

static void print_strings(const char *const *items, const char *key, struct json_writer *w)
{
	json_open(w, key, '[');
	for (; items && *items; items++)
		json_put_string(w, NULL, *items);
	json_close(w, ']');
}

/* Bits that this program has no name for are printed as numbers, so that none is lost. */
void print_capability_set(uint64_t set, const char *key, struct json_writer *w)
{
	unsigned int i;

	json_open(w, key, '[');
	for (i = 0; i < 64; i++) {
		if (!(set & caps_bit(i)))
			continue;
		if (caps_name(i))
			json_put_string(w, NULL, caps_name(i));
		else
			json_put_u64(w, NULL, i);
	}
	json_close(w, ']');
}

static void print_capabilities(const struct plan_capabilities *caps, struct json_writer *w)
{
	json_open(w, "capabilities", '{');
	print_capability_set(caps->bounding, "bounding", w);
	print_capability_set(caps->effective, "effective", w);
	print_capability_set(caps->inheritable, "inheritable", w);
	print_capability_set(caps->permitted, "permitted", w);
	print_capability_set(caps->ambient, "ambient", w);
	json_close(w, '}');
}

static void print_rlimits(const struct plan_process *process, struct json_writer *w)
{
	size_t i;

	json_open(w, "rlimits", '[');
	for (i = 0; i < process->rlimit_count; i++) {
		const struct plan_rlimit *rlimit = &process->rlimits[i];

		json_open(w, NULL, '{');
		json_put_i64(w, "resource", rlimit->resource);
		json_put_string(w, "name", rlimit->name);
		json_put_u64(w, "soft", rlimit->soft);
		json_put_u64(w, "hard", rlimit->hard);
		json_put_string(w, "pointer", rlimit->pointer);
		json_close(w, '}');
	}
	json_close(w, ']');
}

/* Sixteen hex digits for each instruction: code, jt, jf and k as the kernel's struct has them. */
static void print_instruction(const struct sock_filter *instruction, struct json_writer *w)
{
	char text[17];

	snprintf(text, sizeof(text), "%04x%02x%02x%08x", instruction->code, instruction->jt,
		 instruction->jf, instruction->k);
	json_put_string(w, NULL, text);
}

void print_seccomp(const struct plan_seccomp *seccomp, const char *key, struct json_writer *w)
{
	const struct sock_filter *program = seccomp->program;
	uint32_t i;

	json_open(w, key, '{');
	json_put_u64(w, "instructionCount", seccomp->instruction_count);
	json_put_u64(w, "flags", seccomp->flags);
	json_put_bool(w, "useNotify", seccomp->use_notify);
	json_put_string(w, "listenerPath", seccomp->listener_path);
	json_put_string(w, "listenerMetadata", seccomp->listener_metadata);
	json_put_string(w, "rules", seccomp->rules);
	json_open(w, "program", '[');
	for (i = 0; program && i < seccomp->instruction_count; i++)
		print_instruction(&program[i], w);
	json_close(w, ']');
	json_close(w, '}');
}

static void print_or_null(struct json_writer *w, const char *key, uint32_t value)
{
	if (value == PLAN_UNSET_ID)
		json_put_string(w, key, NULL);
	else
		json_put_u64(w, key, value);
}

static void print_user(const struct plan_process *process, struct json_writer *w)
{
	size_t i;

	json_put_u64(w, "uid", process->uid);
	json_put_u64(w, "gid", process->gid);
	json_open(w, "groups", '[');
	for (i = 0; i < process->group_count; i++)
		json_put_u64(w, NULL, process->groups[i]);
	json_close(w, ']');
	json_put_bool(w, "keepGroups", process->keep_groups);
	print_or_null(w, "umask", process->umask);
}

static void print_mask(const struct plan_mask *mask, const char *key, struct json_writer *w)
{
	const size_t bits = 8 * sizeof(*mask->words);

	json_open(w, key, '[');
	for (size_t bit = 0; bit < mask->count * bits; bit++)
		if (mask->words[bit / bits] & 1ul << bit % bits)
			json_put_u64(w, NULL, bit);
	json_close(w, ']');
}

static void print_scheduling(const struct plan_process *process, struct json_writer *w)
{
	const struct plan_scheduler *scheduler = &process->scheduler;

	json_open(w, "scheduler", '{');
	json_put_bool(w, "set", scheduler->is_set);
	json_put_u64(w, "policy", scheduler->policy);
	json_put_i64(w, "nice", scheduler->nice);
	json_put_u64(w, "priority", scheduler->priority);
	json_put_u64(w, "flags", scheduler->flags);
	json_put_u64(w, "runtime", scheduler->runtime);
	json_put_u64(w, "deadline", scheduler->deadline);
	json_put_u64(w, "period", scheduler->period);
	json_close(w, '}');
	print_or_null(w, "ioPriority", process->io_priority);
	print_or_null(w, "personality", process->personality);
	json_open(w, "memoryPolicy", '{');
	json_put_bool(w, "set", process->memory_policy.is_set);
	json_put_i64(w, "mode", process->memory_policy.mode);
	print_mask(&process->memory_policy.nodes, "nodes", w);
	json_close(w, '}');
	print_mask(&process->initial_cpus, "initialCpus", w);
	print_mask(&process->final_cpus, "finalCpus", w);
	json_put_bool(w, "allCpus", process->all_cpus);
}

void print_process(const struct plan_process *process, struct json_writer *w)
{
	json_open(w, "process", '{');
	json_put_string(w, "program", process->program);
	print_strings(process->argv, "args", w);
	print_strings(process->env, "env", w);
	json_put_string(w, "cwd", process->cwd);
	json_put_bool(w, "homeFromPasswd", process->home_from_passwd);
	json_put_bool(w, "cwdFallbackRoot", process->cwd_fallback_root);
	print_user(process, w);
	print_capabilities(&process->capabilities, w);
	print_rlimits(process, w);
	json_put_bool(w, "noNewPrivileges", process->no_new_privileges);
	if (process->has_oom_score_adj)
		json_put_i64(w, "oomScoreAdj", process->oom_score_adj);
	else
		json_put_string(w, "oomScoreAdj", NULL);
	print_scheduling(process, w);
	print_seccomp(&process->seccomp, "seccomp", w);
	json_put_string(w, "apparmorProfile", process->apparmor_profile);
	json_put_string(w, "selinuxLabel", process->selinux_label);
	json_put_bool(w, "terminal", process->terminal);
	json_put_u64(w, "consoleRows", process->console_rows);
	json_put_u64(w, "consoleColumns", process->console_columns);
	json_put_bool(w, "newKeyring", process->new_keyring);
	json_put_bool(w, "newSession", process->new_session);
	json_put_bool(w, "innerUserNamespace", process->inner_userns);
	json_put_u64(w, "landlockAbi", process->landlock_abi);
	json_put_bool(w, "keepInit", process->keep_init);
	json_put_u64(w, "preserveFds", process->preserve_fds);
	json_put_string(w, "notifySocket", process->notify_socket);
	json_close(w, '}');
}

void print_hooks(const struct plan_hooks hooks[HOOK_MAX], struct json_writer *w)
{
	unsigned int kind;
	size_t i;

	json_open(w, "hooks", '{');
	for (kind = 0; kind < HOOK_MAX; kind++) {
		json_open(w, plan_hook_words[kind], '[');
		for (i = 0; i < hooks[kind].count; i++) {
			const struct plan_hook *hook = &hooks[kind].items[i];

			json_open(w, NULL, '{');
			json_put_string(w, "path", hook->path);
			print_strings(hook->argv, "args", w);
			if (hook->env)
				print_strings(hook->env, "env", w);
			json_put_i64(w, "timeoutMs", hook->timeout_ms);
			json_put_string(w, "pointer", hook->pointer);
			if (hook->output_path)
				json_put_string(w, "stdout", hook->output_path);
			if (hook->errors_path)
				json_put_string(w, "stderr", hook->errors_path);
			json_close(w, '}');
		}
		json_close(w, ']');
	}
	json_close(w, '}');
}

void print_lifecycle(const struct plan_lifecycle *lifecycle, struct json_writer *w)
{
	json_open(w, "lifecycle", '{');
	json_put_bool(w, "sandbox", lifecycle->is_sandbox);
	json_put_bool(w, "stays", lifecycle->stays);
	json_put_bool(w, "exec", lifecycle->is_exec);
	json_put_u64(w, "timeoutMs", lifecycle->timeout_ms);
	json_put_string(w, "timeoutPointer", lifecycle->timeout_pointer);
	json_put_bool(w, "dieWithParent", lifecycle->die_with_parent);
	json_put_bool(w, "diesWithCaller", lifecycle->dies_with_caller);
	json_close(w, '}');
}

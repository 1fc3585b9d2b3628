/* seccomp_rules.c - a seccomp section as text again: what `emit` gives to runtimes that compile it themselves. */
#include "base/json.h"
#include "plan/seccomp.h"

static void put_strings(struct json_writer *w, const char *key, const struct string_list *list)
{
	json_open(w, key, '[');
	for (size_t i = 0; i < list->count; i++)
		json_put_string(w, NULL, list->items[i]);
	json_close(w, ']');
}

static void put_arguments(struct json_writer *w, const struct oci_syscall *syscall)
{
	if (!syscall->args.count)
		return;
	json_open(w, "args", '[');
	for (size_t i = 0; i < syscall->args.count; i++) {
		const struct oci_seccomp_arg *arg = &syscall->args.items[i];

		json_open(w, NULL, '{');
		json_put_u64(w, "index", arg->index.value);
		json_put_u64(w, "value", arg->value.value);
		json_put_u64(w, "valueTwo", arg->value_two.value);
		json_put_string(w, "op", arg->op);
		json_close(w, '}');
	}
	json_close(w, ']');
}

static void put_syscall(struct json_writer *w, const struct oci_syscall *syscall)
{
	json_open(w, NULL, '{');
	put_strings(w, "names", &syscall->names);
	json_put_string(w, "action", syscall->action);
	if (syscall->errno_ret.set)
		json_put_u64(w, "errnoRet", syscall->errno_ret.value);
	put_arguments(w, syscall);
	json_close(w, '}');
}

const char *seccomp_rules_text(struct arena *arena, const struct oci_seccomp *config)
{
	cleanup_json_writer struct json_writer w = { .compact = true };

	json_open(&w, NULL, '{');
	json_put_string(&w, "defaultAction", config->default_action);
	if (config->default_errno_ret.set)
		json_put_u64(&w, "defaultErrnoRet", config->default_errno_ret.value);
	if (config->architectures.count)
		put_strings(&w, "architectures", &config->architectures);
	if (config->flags.count)
		put_strings(&w, "flags", &config->flags);
	if (config->listener_path)
		json_put_string(&w, "listenerPath", config->listener_path);
	if (config->listener_metadata)
		json_put_string(&w, "listenerMetadata", config->listener_metadata);
	json_open(&w, "syscalls", '[');
	for (size_t i = 0; i < config->syscalls.count; i++)
		put_syscall(&w, &config->syscalls.items[i]);
	json_close(&w, ']');
	json_close(&w, '}');
	return w.out.failed ? NULL : arena_strdup(arena, strbuf_str(&w.out));
}

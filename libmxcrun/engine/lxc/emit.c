/* emit.c - the outline of the configuration, in a fixed order. lxc.container.conf(5) describes the keys. */
#include "engine/lxc/emit.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "engine/lxc/parts.h"
#include "plan/caps.h"

#define WORDS_BESIDE 16

/* Its parser ends a value with the line, takes blanks away at both ends, and one pair of quotes around it. */
static bool is_fit(const char *value)
{
	size_t len = strlen(value);

	if (!len)
		return true;
	return !strchr(value, '\n') && !isspace((unsigned char)value[0]) && !isspace((unsigned char)value[len - 1]) &&
	       !(len > 1 && strchr("'\"", value[0]) && value[len - 1] == value[0]);
}

void lxc_put(struct lxc_emitter *e, const char *key, const char *format, ...)
{
	cleanup_free char *value = NULL;
	va_list arguments;

	va_start(arguments, format);
	if (vasprintf(&value, format, arguments) < 0)
		value = NULL;
	va_end(arguments);
	if (!value) {
		e->out->config.failed = true;
		return;
	}
	if (!is_fit(value))
		e->unfit = key;
	strbuf_printf(&e->out->config, "%s = %s\n", key, value);
}

/* ---- namespaces ---- */

static void put_maps(struct lxc_emitter *e, char kind, const struct plan_idmaps *maps)
{
	for (size_t i = 0; i < maps->count; i++)
		lxc_put(e, "lxc.idmap", "%c %u %u %u", kind, maps->items[i].inside, maps->items[i].outside, maps->items[i].count);
}

static void put_offset(struct lxc_emitter *e, const char *key, const struct plan_time_offset *offset)
{
	long long value;

	if (!offset->is_set)
		return;
	/* more than the kernel takes */
	if (__builtin_mul_overflow((long long)offset->seconds, 1000000000ll, &value) || __builtin_add_overflow(value, (long long)offset->nanoseconds, &value))
		e->unfit = key;
	else
		lxc_put(e, key, "%lldns", value);
}

static void put_namespaces(struct lxc_emitter *e)
{
	cleanup_strbuf struct strbuf list = STRBUF_INIT;

	for (int kind = 0; kind < NS_MAX; kind++)
		if (e->plan->namespaces[kind].mode == NS_NEW && !(kind == NS_CGROUP && lxc_is_run(e)) &&
		    !(kind == NS_USER && e->use->userns_is_there))
			strbuf_printf(&list, "%s%s", list.len ? " " : "", plan_ns_file(kind));
	e->out->config.failed |= list.failed;
	lxc_put(e, "lxc.namespace.clone", "%s", strbuf_str(&list));
	if (!e->use->userns_is_there) {
		put_maps(e, 'u', &e->plan->uid_maps);
		put_maps(e, 'g', &e->plan->gid_maps);
	}
	if (lxc_is_run(e))
		return;
	put_offset(e, "lxc.time.offset.monotonic", &e->plan->monotonic);
	put_offset(e, "lxc.time.offset.boot", &e->plan->boottime);
	if (e->plan->hostname)
		lxc_put(e, "lxc.uts.name", "%s", e->plan->hostname);
	if (e->plan->network == NETWORK_NONE)
		lxc_put(e, "lxc.net.0.type", "empty");
}

/* What it would add by itself. */
static void put_absences(struct lxc_emitter *e)
{
	lxc_put(e, "lxc.autodev", "0");
	lxc_put(e, "lxc.tty.max", "0");
	lxc_put(e, "lxc.console.path", "none");
	if (!lxc_is_run(e))
		return;
	lxc_put(e, "lxc.apparmor.profile", "unconfined");
	lxc_put(e, "lxc.keyring.session", "0");
}

/* ---- cgroup ---- */

static void put_number(struct strbuf *out, int64_t number)
{
	if (number < 0)
		strbuf_putc(out, '*');
	else
		strbuf_printf(out, "%lld", (long long)number);
}

static void put_device_rule(struct lxc_emitter *e, const char *prefix, const struct plan_device_rule *rule)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	const char *key = arena_printf(e->arena, "%s.devices.%s", prefix, rule->allow ? "allow" : "deny");

	strbuf_putc(&text, rule->type);
	if (rule->type != 'a') {
		strbuf_putc(&text, ' ');
		put_number(&text, rule->major);
		strbuf_putc(&text, ':');
		put_number(&text, rule->minor);
		strbuf_printf(&text, " %s%s%s", rule->read ? "r" : "", rule->write ? "w" : "", rule->mknod ? "m" : "");
	}
	e->out->config.failed |= !key || text.failed;
	if (key)
		lxc_put(e, key, "%s", strbuf_str(&text));
}

static void put_cgroup(struct lxc_emitter *e)
{
	const struct plan_cgroup *cgroup = &e->plan->cgroup;
	const char *prefix = e->use->is_unified ? "lxc.cgroup2" : "lxc.cgroup";

	if (cgroup->manager == CGROUP_MANAGER_DISABLED)
		return;
	lxc_put(e, "lxc.cgroup.dir", "%s", cgroup->path + 1);
	for (size_t i = 0; i < cgroup->write_count; i++) {
		const char *key = arena_printf(e->arena, "%s.%s", prefix, cgroup->writes[i].file);

		e->out->config.failed |= !key;
		if (key)
			lxc_put(e, key, "%s", cgroup->writes[i].value);
	}
	if (!cgroup->wants_devices || !cgroup->device_rule_count)
		return;
	put_device_rule(e, prefix, &(struct plan_device_rule){ .type = 'a' });
	for (size_t i = 0; i < cgroup->device_rule_count; i++)
		put_device_rule(e, prefix, &cgroup->device_rules[i]);
}

static void put_sysctls(struct lxc_emitter *e)
{
	for (size_t i = 0; i < e->plan->sysctl_count; i++) {
		char *key = arena_printf(e->arena, "lxc.sysctl.%s", e->plan->sysctls[i].path);

		e->out->config.failed |= !key;
		for (char *at = key; at && *at; at++)
			if (*at == '/')
				*at = '.';
		if (key)
			lxc_put(e, key, "%s", e->plan->sysctls[i].value);
	}
}

/* ---- the process ---- */

static void put_limit(struct lxc_emitter *e, const struct plan_rlimit *limit)
{
	const char *word = limit->name + (strncmp(limit->name, "RLIMIT_", 7) ? 0 : 7);
	char *key = arena_printf(e->arena, "lxc.prlimit.%s", word), soft[24] = "unlimited", hard[24] = "unlimited";

	e->out->config.failed |= !key;
	for (char *at = key; at && *at; at++)
		*at = (char)tolower((unsigned char)*at);
	if (limit->soft != UINT64_MAX)
		snprintf(soft, sizeof(soft), "%llu", (unsigned long long)limit->soft);
	if (limit->hard != UINT64_MAX)
		snprintf(hard, sizeof(hard), "%llu", (unsigned long long)limit->hard);
	if (key)
		lxc_put(e, key, "%s:%s", soft, hard);
}

static int put_capabilities(struct lxc_emitter *e, struct err **err)
{
	uint64_t kept = e->plan->process.capabilities.bounding;
	cleanup_strbuf struct strbuf list = STRBUF_INIT;

	if (e->plan->process.uid && e->plan->process.capabilities.effective)
		return err_set(err, E_UNSUPPORTED, EOPNOTSUPP, "/process/capabilities",
			       "lxc: of a user other than root it keeps no capability");
	for (unsigned int i = 0; i < CAPS_KNOWN; i++) {
		if (!(kept & caps_bit(i)))
			continue;
		if (list.len)
			strbuf_putc(&list, ' ');
		for (const char *at = caps_name(i) + strlen("CAP_"); *at; at++)
			strbuf_putc(&list, (char)tolower((unsigned char)*at));
	}
	e->out->config.failed |= list.failed;
	lxc_put(e, "lxc.cap.keep", "%s", list.len ? strbuf_str(&list) : "none");
	return 0;
}

static int put_environment(struct lxc_emitter *e, struct err **err)
{
	for (const char *const *env = e->plan->process.env; env && *env; env++) {
		if (!strchr(*env, '=') || **env == '=')
			return err_set(err, E_UNSUPPORTED, EOPNOTSUPP, "/process/env", "lxc: a variable without a name or a value");
		lxc_put(e, "lxc.environment", "%s", *env);
	}
	return 0;
}

static void put_groups(struct lxc_emitter *e)
{
	cleanup_strbuf struct strbuf list = STRBUF_INIT;

	for (size_t i = 0; i < e->plan->process.group_count; i++)
		strbuf_printf(&list, "%s%u", i ? "," : "", e->plan->process.groups[i]);
	e->out->config.failed |= list.failed;
	if (list.len)
		lxc_put(e, "lxc.init.groups", "%s", strbuf_str(&list));
}

static int put_process(struct lxc_emitter *e, struct err **err)
{
	const struct plan_process *process = &e->plan->process;
	int r;

	lxc_put(e, "lxc.init.uid", "%u", process->uid);
	lxc_put(e, "lxc.init.gid", "%u", process->gid);
	put_groups(e);
	lxc_put(e, "lxc.init.cwd", "%s", process->cwd);
	for (size_t i = 0; i < process->rlimit_count; i++)
		put_limit(e, &process->rlimits[i]);
	if (process->has_oom_score_adj)
		lxc_put(e, "lxc.proc.oom_score_adj", "%d", process->oom_score_adj);
	r = put_capabilities(e, err);
	lxc_put(e, "lxc.no_new_privs", "%d", process->no_new_privileges);
	lxc_put(e, "lxc.keyring.session", "%d", process->new_keyring);
	/* without one it would choose its own */
	lxc_put(e, "lxc.apparmor.profile", "%s", process->apparmor_profile ? process->apparmor_profile : "unconfined");
	if (process->selinux_label)
		lxc_put(e, "lxc.selinux.context", "%s", process->selinux_label);
	if (r == 0)
		r = lxc_put_seccomp(e, err);
	return r < 0 ? r : put_environment(e, err);
}

/* ---- the command ---- */

static void add(struct lxc_emitter *e, const char *word)
{
	e->out->config.failed |= !word;
	e->out->argv[e->out->count++] = word;
}

static int put_command(struct lxc_emitter *e, struct err **err)
{
	const struct plan_process *process = &e->plan->process;
	size_t count = WORDS_BESIDE;

	for (const char *const *arg = process->argv; *arg; arg++)
		count++;
	e->out->argv = arena_array(e->arena, count, sizeof(*e->out->argv));
	if (!e->out->argv)
		return err_nomem(err);
	/* pid 1 of ours reaps, as lxc-init does */
	add(e, process->keep_init ? "lxc-execute" : "lxc-start");
	if (!process->keep_init)
		add(e, "-F");
	add(e, "-n");
	add(e, e->plan->id);
	add(e, "-P");
	add(e, e->use->folder);
	add(e, "-f");
	add(e, arena_printf(e->arena, "%s/" LXC_CONFIG_FILE, e->use->folder));
	add(e, "--");
	add(e, process->program ? process->program : process->argv[0]);
	for (const char *const *arg = process->argv + 1; *arg; arg++)
		add(e, *arg);
	return 0;
}

void lxc_container_done(struct lxc_container *container)
{
	strbuf_done(&container->config);
	strbuf_done(&container->seccomp);
}

int lxc_emit(struct arena *arena, const struct plan *plan, const struct lxc_use *use, struct lxc_container *ret, struct err **err)
{
	struct lxc_emitter e = { .arena = arena, .plan = plan, .use = use, .out = ret };
	int r = items_check(plan, use->target, 0, err);

	if (r < 0)
		return r;
	put_namespaces(&e);
	put_absences(&e);
	r = lxc_put_mounts(&e, err);
	if (r == 0 && !lxc_is_run(&e)) {
		put_cgroup(&e);
		put_sysctls(&e);
		r = put_process(&e, err);
	}
	if (r == 0 && !lxc_is_run(&e))
		r = put_command(&e, err);
	if (r < 0)
		return r;
	if (e.unfit)
		return err_set(err, E_UNSUPPORTED, EOPNOTSUPP, NULL,
			       "lxc: its configuration can't hold the value for %s: a line break, blanks or quotes at its ends, or too large a number",
			       e.unfit);
	return ret->config.failed || ret->seccomp.failed ? err_nomem(err) : 0;
}

void lxc_print_json(struct lxc_container *container, struct strbuf *out)
{
	cleanup_json_writer struct json_writer w = JSON_WRITER_INIT;

	json_open(&w, NULL, '{');
	json_put_string(&w, "config", strbuf_str(&container->config));
	if (container->seccomp.len)
		json_put_string(&w, "seccomp", strbuf_str(&container->seccomp));
	json_open(&w, "argv", '[');
	for (size_t i = 0; i < container->count; i++)
		json_put_string(&w, NULL, container->argv[i]);
	json_close(&w, ']');
	json_close(&w, '}');
	out->failed |= w.out.failed;
	strbuf_puts(out, strbuf_str(&w.out));
	strbuf_putc(out, '\n');
}

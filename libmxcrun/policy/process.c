/* process.c - the workload's directory and environment (MXC.md 8.2 and 8.3, MXC-1.0.md 2.2).
 *
 * Nothing of the caller's environment passes. The exact contracts have a default environment for
 * those that give none, or that ask for it.
 */
#include "policy/process.h"

#include <stdlib.h>
#include <string.h>

#include "policy/network_proxy.h"

#define DEFAULT_PATH "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
#define DEFAULT_TERM "TERM=xterm-256color"
#define DEFAULTS_MAX 3u
#define PROXY_MAX 8u

/* A variable under construction: of several with one name the last is kept, at the place of the
 * first. */
struct variable {
	const char *text;
	size_t name_len, position;
};

struct variables {
	struct variable *items;
	size_t count;
};

static void add_variable(struct variables *v, const char *text)
{
	v->items[v->count] = (struct variable){ text, strcspn(text, "="), v->count };
	v->count++;
}

static int compare_names(const void *a, const void *b)
{
	const struct variable *x = a, *y = b;
	size_t len = x->name_len < y->name_len ? x->name_len : y->name_len;
	int order = memcmp(x->text, y->text, len);

	if (order)
		return order;
	if (x->name_len != y->name_len)
		return x->name_len < y->name_len ? -1 : 1;
	return (x->position > y->position) - (x->position < y->position);
}

/* Sorting instead of a search for each, because a hostile list may be long. */
static int list_variables(struct arena *arena, struct variables *v, const char *const **ret,
			  struct err **err)
{
	const char **by_position = arena_array(arena, v->count + 1, sizeof(*by_position));
	size_t i, count = 0, last = 0;

	if (!by_position)
		return err_nomem(err);
	qsort(v->items, v->count, sizeof(*v->items), compare_names);
	for (i = 0; i < v->count; i = last + 1) {
		for (last = i; last + 1 < v->count; last++)
			if (v->items[last + 1].name_len != v->items[i].name_len ||
			    memcmp(v->items[last + 1].text, v->items[i].text,
				   v->items[i].name_len) != 0)
				break;
		by_position[v->items[i].position] = v->items[last].text;
	}
	for (i = 0; i < v->count; i++)
		if (by_position[i])
			by_position[count++] = by_position[i];
	by_position[count] = NULL;
	*ret = by_position;
	return 0;
}

static int add_defaults(struct arena *arena, const struct policy_process *process,
			struct variables *v, struct err **err)
{
	char *home;

	add_variable(v, DEFAULT_PATH);
	add_variable(v, DEFAULT_TERM);
	if (process->cwd_is_default)
		return 0;
	home = arena_printf(arena, "HOME=%s", process->cwd);
	if (!home)
		return err_nomem(err);
	add_variable(v, home);
	return 0;
}

/* The caller's own would lead elsewhere, or past it (MXC.md 7.9.4). */
static int add_proxy(struct arena *arena, const char *url, struct variables *v, struct err **err)
{
	for (size_t i = 0; network_proxy_variables[i]; i++) {
		const char *text = arena_printf(arena, "%s=%s", network_proxy_variables[i], url);

		if (!text)
			return err_nomem(err);
		add_variable(v, text);
	}
	return 0;
}

static const char *const desktop_variables[] = {
	"DISPLAY", "WAYLAND_DISPLAY", "WAYLAND_SOCKET", "XAUTHORITY", "ICEAUTHORITY", "SESSION_MANAGER",
	"DBUS_SESSION_BUS_ADDRESS", "XDG_RUNTIME_DIR", "AT_SPI_BUS_ADDRESS",
};

/* Those of a proxy are set anew; those of the desktop lead to what is shut off. */
static bool is_withheld(const struct mxc_config *config, const char *variable, const char *proxy)
{
	size_t len = strcspn(variable, "=");

	if (proxy && network_is_proxy_variable(variable, len))
		return true;
	for (size_t i = 0; config->ui.disable.value && i < array_size(desktop_variables); i++)
		if (strlen(desktop_variables[i]) == len && strncmp(desktop_variables[i], variable, len) == 0)
			return true;
	return false;
}

/* proxy: the URL of the only way out; NULL: the network isn't so. */
static int resolve_env(struct arena *arena, const struct mxc_config *config, const char *proxy,
		       struct policy_process *process, struct err **err)
{
	const struct string_list *env = &config->process->env;
	struct variables v = { .items = arena_array(arena, env->count + DEFAULTS_MAX + PROXY_MAX,
						    sizeof(*v.items)) };
	bool wants_defaults = config->reader != MXC_READER_ROLLING &&
			      (!env->set || config->process->inherit_default_env.value);
	size_t i;
	int r = 0;

	if (!v.items)
		return err_nomem(err);
	if (wants_defaults)
		r = add_defaults(arena, process, &v, err);
	for (i = 0; i < env->count && r == 0; i++) {
		/* The text may be a secret and is not shown. */
		if (env->items[i][0] == '=')
			r = err_set(err, E_POLICY, 0, arena_printf(arena, "/process/env/%zu", i),
				    "a variable needs a name before the \"=\"");
		else if (strchr(env->items[i], '=') && !is_withheld(config, env->items[i], proxy))
			add_variable(&v, env->items[i]);
	}
	if (proxy && r == 0)
		r = add_proxy(arena, proxy, &v, err);
	return r == 0 ? list_variables(arena, &v, &process->env, err) : r;
}

static int resolve_cwd(const struct mxc_config *config, const struct host_facts *facts,
		       struct policy_process *process, struct err **err)
{
	const char *cwd = config->process->cwd;

	process->cwd_is_default = !cwd || !*cwd;
	if (process->cwd_is_default) {
		process->cwd = facts->cwd ? facts->cwd : "/";
		return 0;
	}
	if (cwd[0] != '/')
		return err_set(err, E_POLICY, 0, "/process/cwd",
			       "the working directory '%.512s' has to be an absolute path", cwd);
	process->cwd = cwd;
	return 0;
}

int policy_process(struct arena *arena, const struct mxc_config *config,
		   const struct host_facts *facts, const struct host_objects *objects,
		   const char *proxy, struct policy_process *ret, struct err **err)
{
	int r;

	ret->command_line = config->process->command_line;
	ret->timeout_ms = config->process->timeout.value;
	ret->has_terminal = objects->has_terminal;
	ret->terminal = objects->terminal;
	r = resolve_cwd(config, facts, ret, err);
	return r == 0 ? resolve_env(arena, config, proxy, ret, err) : r;
}

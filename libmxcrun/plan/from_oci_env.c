/* from_oci_env.c - the environment of a bundle's workload.
 *
 * Each name once: the last value holds, as in runc. execve(2) would hand over all of them, and programs differ in which one
 * they take. An empty HOME counts as none, as in runc and crun: init looks it up (engine/native/home.c).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "plan/from_oci.h"

struct variable {
	const char *text;
	size_t name_len;
	bool is_overridden;
};

static int compare_names(const struct variable *a, const struct variable *b)
{
	size_t shorter = a->name_len < b->name_len ? a->name_len : b->name_len;
	int order = memcmp(a->text, b->text, shorter);

	return order ? order : (a->name_len > b->name_len) - (a->name_len < b->name_len);
}

/* By name, and those of one name in the order in which they were given. */
static int compare_variables(const void *a, const void *b)
{
	const struct variable *x = *(struct variable *const *)a, *y = *(struct variable *const *)b;
	int order = compare_names(x, y);

	return order ? order : (x > y) - (x < y);
}

static int mark_overridden(struct variable *variables, size_t count)
{
	cleanup_free struct variable **sorted = calloc(count + 1, sizeof(struct variable *));

	if (!sorted)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++)
		sorted[i] = &variables[i];
	qsort(sorted, count, sizeof(struct variable *), compare_variables);
	for (size_t i = 0; i + 1 < count; i++)
		sorted[i]->is_overridden = compare_names(sorted[i], sorted[i + 1]) == 0;
	return 0;
}

/* Those of the configuration, then those that the command line's options bring along. malloc'd: the plan's arena may
 * hold nothing that points out of it. */
static struct variable *collect(const struct string_list *list, const char *const *extra, size_t *ret_count)
{
	struct variable *variables;
	size_t count = list->count;

	for (size_t i = 0; extra && extra[i]; i++)
		count++;
	variables = calloc(count + 1, sizeof(*variables));
	for (size_t i = 0; variables && i < count; i++) {
		variables[i].text = i < list->count ? list->items[i] : extra[i - list->count];
		variables[i].name_len = strcspn(variables[i].text, "=");
	}
	*ret_count = count;
	return variables;
}

int build_environment(struct builder *b, const struct string_list *list, struct err **err)
{
	struct plan_process *process = &b->plan->process;
	cleanup_free struct variable *variables = NULL;
	size_t count, left = 0;
	const char **env;
	int r = check_variables(b, list, "/process/env", err);

	if (r < 0)
		return r;
	variables = collect(list, b->request->extra_env, &count);
	env = arena_array(b->arena, count + 1, sizeof(*env));
	if (!variables || !env || mark_overridden(variables, count) < 0)
		return err_nomem(err);
	process->home_from_passwd = true;
	for (size_t i = 0; i < count && r == 0; i++) {
		const char *text = variables[i].text;

		if (variables[i].is_overridden || !strcmp(text, "HOME="))
			continue;
		if (!strncmp(text, "HOME=", strlen("HOME=")))
			process->home_from_passwd = false;
		r = copy_string(b, text, &env[left++], err);
	}
	process->env = env;
	return r;
}

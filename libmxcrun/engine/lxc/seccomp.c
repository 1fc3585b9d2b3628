/* seccomp.c - the rules that a filter was made of, as LXC's policy of version 2: a list of exceptions from one action. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "engine/lxc/parts.h"

#define POINTER "/linux/seccomp"

static int refuse(const char *what, struct err **err)
{
	return err_set(err, E_UNSUPPORTED, EOPNOTSUPP, POINTER, "lxc: its seccomp policies have no word for %s", what);
}

static const char *text_of(const struct json *value, const char *key)
{
	const struct json *member = json_get(value, key);

	return member ? member->text : NULL;
}

/* An action in its words; NULL: it has none. */
static const char *action_of(struct lxc_emitter *e, const char *action, const char *number)
{
	static const char *const words[][2] = {
		{ "SCMP_ACT_ALLOW", "allow" }, { "SCMP_ACT_KILL", "kill" }, { "SCMP_ACT_KILL_THREAD", "kill" },
		{ "SCMP_ACT_TRAP", "trap" },
	};

	if (!action)
		return NULL;
	if (!strcmp(action, "SCMP_ACT_ERRNO"))
		return arena_printf(e->arena, "errno %s", number ? number : "1");
	for (size_t i = 0; i < array_size(words); i++)
		if (!strcmp(action, words[i][0]))
			return words[i][1];
	return NULL;
}

/* "[index,value,operator]", and the mask last. */
static int put_argument(struct strbuf *out, const struct json *arg, struct err **err)
{
	const char *operator = text_of(arg, "op"), *index = text_of(arg, "index"), *value = text_of(arg, "value");
	const char *second = text_of(arg, "valueTwo");

	if (!operator || !index || !value)
		return refuse("an argument without value", err);
	if (!strcmp(operator, "SCMP_CMP_MASKED_EQ"))
		strbuf_printf(out, " [%s,%s,%s,%s]", index, second ? second : "0", operator, value);
	else
		strbuf_printf(out, " [%s,%s,%s]", index, value, operator);
	return 0;
}

static int put_rule(struct lxc_emitter *e, const struct json *rule, const char *usual, struct err **err)
{
	const char *action = action_of(e, text_of(rule, "action"), text_of(rule, "errnoRet"));
	const struct json *names = json_get(rule, "names"), *args = json_get(rule, "args");
	int r = action ? 0 : refuse(text_of(rule, "action"), err);

	if (r < 0 || !action || !strcmp(action, usual))
		return r;
	for (const struct json *name = names ? names->first : NULL; name && r == 0; name = name->next) {
		strbuf_printf(&e->out->seccomp, "%s %s", name->text, action);
		for (const struct json *arg = args ? args->first : NULL; arg && r == 0; arg = arg->next)
			r = put_argument(&e->out->seccomp, arg, err);
		strbuf_putc(&e->out->seccomp, '\n');
	}
	return r;
}

int lxc_put_seccomp(struct lxc_emitter *e, struct err **err)
{
	const struct plan_seccomp *filter = &e->plan->process.seccomp;
	const struct json *section = NULL, *rules;
	const char *usual;
	int r;

	if (!filter->program)
		return 0;
	if (!filter->rules)
		return refuse("a filter that is given as a program", err);
	r = json_parse(e->arena, filter->rules, strlen(filter->rules), "seccomp rules", &section, err);
	if (r < 0)
		return r;
	usual = action_of(e, text_of(section, "defaultAction"), text_of(section, "defaultErrnoRet"));
	if (!usual)
		return refuse(text_of(section, "defaultAction"), err);
	lxc_put(e, "lxc.seccomp.profile", "%s/" LXC_SECCOMP_FILE, e->use->folder);
	strbuf_puts(&e->out->seccomp, "2\n");
	if (!strcmp(usual, "allow"))
		strbuf_puts(&e->out->seccomp, "denylist\n");
	else
		strbuf_printf(&e->out->seccomp, "allowlist %s\n", usual);
	strbuf_puts(&e->out->seccomp, "[all]\n");
	rules = json_get(section, "syscalls");
	for (const struct json *rule = rules ? rules->first : NULL; rule && r == 0; rule = rule->next)
		r = put_rule(e, rule, usual, err);
	return r;
}

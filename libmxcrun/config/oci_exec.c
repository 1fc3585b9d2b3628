/* oci_exec.c - the process of `exec`: the container's own, changed by what the command line says.
 *
 * As runc does it: arguments and terminal are always the caller's; the working directory, user, groups,
 * labels only when given; variables and capabilities are added. A process of a file stands for itself, but for what confines it.
 */
#include "config/oci_exec.h"

#include <errno.h>
#include <string.h>

/* base, then added. Of a variable that is in both the later one holds: plan/from_oci_env.c. */
static int append(struct arena *arena, const struct string_list *base,
		  const struct string_list *added, struct string_list *ret)
{
	ret->items = arena_array(arena, base->count + added->count + 1, sizeof(*ret->items));
	if (!ret->items)
		return -ENOMEM;
	for (size_t i = 0; i < base->count; i++)
		ret->items[i] = base->items[i];
	for (size_t i = 0; i < added->count; i++)
		ret->items[base->count + i] = added->items[i];
	ret->count = base->count + added->count;
	return 0;
}

static int add_capabilities(struct arena *arena, const struct string_list *added,
			    struct oci_process *process)
{
	static const struct oci_capabilities none;
	const struct oci_capabilities *own = process->capabilities ? process->capabilities : &none;
	struct oci_capabilities *caps;
	int r;

	if (added->count == 0)
		return 0;
	caps = arena_memdup(arena, own, sizeof(*own));
	if (!caps)
		return -ENOMEM;
	r = append(arena, &own->bounding, added, &caps->bounding);
	if (r == 0)
		r = append(arena, &own->effective, added, &caps->effective);
	if (r == 0)
		r = append(arena, &own->permitted, added, &caps->permitted);
	/* as runc: ambient where the container has inheritable ones at all, of which the plan takes those that may be */
	if (r == 0 && own->inheritable.count)
		r = append(arena, &own->ambient, added, &caps->ambient);
	process->capabilities = caps;
	return r;
}

int oci_exec_process(struct arena *arena, const struct oci_process *own,
		     const struct oci_exec_changes *changes, const struct oci_process **ret,
		     struct err **err)
{
	struct oci_process *process = arena_memdup(arena, own, sizeof(*own));
	int r;

	if (!process)
		return err_nomem(err);
	process->args = changes->args;
	process->terminal = changes->terminal;
	process->console_size = NULL;
	if (changes->cwd)
		process->cwd = changes->cwd;
	if (changes->uid.set)
		process->user.uid = changes->uid.value;
	if (changes->gid.set)
		process->user.gid = changes->gid.value;
	if (changes->additional_gids.count)
		process->user.additional_gids = changes->additional_gids;
	if (changes->no_new_privileges.set)
		process->no_new_privileges = changes->no_new_privileges;
	if (changes->apparmor_profile)
		process->apparmor_profile = changes->apparmor_profile;
	if (changes->selinux_label)
		process->selinux_label = changes->selinux_label;
	r = append(arena, &own->env, &changes->env, &process->env);
	if (r == 0)
		r = add_capabilities(arena, &changes->capabilities, process);
	*ret = process;
	return r < 0 ? err_nomem(err) : 0;
}

int oci_exec_confine(struct arena *arena, const struct oci_process *own, const struct oci_process **process, struct err **err)
{
	struct oci_process *confined = arena_memdup(arena, *process, sizeof(**process));

	if (!confined)
		return err_nomem(err);
	if (!confined->capabilities)
		confined->capabilities = own->capabilities;
	if (!confined->rlimits.count)
		confined->rlimits = own->rlimits;
	if (!confined->apparmor_profile || !*confined->apparmor_profile)
		confined->apparmor_profile = own->apparmor_profile;
	if (!confined->selinux_label || !*confined->selinux_label)
		confined->selinux_label = own->selinux_label;
	*process = confined;
	return 0;
}

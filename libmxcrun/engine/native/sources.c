/* sources.c - the root and the sources of binds, opened as the one who asked for them.
 *
 * In a new user namespace init is its root, which outside is an id without any right: a folder that only the caller may
 * enter, as rootless engines keep theirs, is closed to it. So it opens what the plan binds while it still has
 * the caller's id, in its own mount namespace, where what is mounted is locked as it should be, and later clones
 * by descriptor. In a user namespace that is joined it does so, too.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include "base/fd.h"
#include "engine/native/init.h"

static bool is_source(const struct plan_mount *mount)
{
	return mount->kind == MOUNT_BIND && !mount->is_idmapped;
}

/* First the root (mount NULL), then each bind that is not idmapped, in the plan's order: *mount goes on to the next one. Its path
 * and the flags of its open; NULL after the last. */
static const char *source_next(const struct plan *plan, const struct plan_mount **mount, int *ret_flags)
{
	const struct plan_mount *end = plan->mounts + plan->mount_count;
	const struct plan_mount *next = *mount ? *mount + 1 : plan->mounts;

	while (next < end && !is_source(next))
		next++;
	*mount = next;
	if (next == end)
		return NULL;
	*ret_flags = next->copy_symlink ? O_PATH | O_NOFOLLOW : O_PATH;
	return next->source;
}

int sources_open(struct init *init, struct err **err)
{
	const struct plan *plan = init->plan;
	const struct plan_mount *mount = NULL;
	const char *path = plan->root.path;
	int flags = O_PATH | O_DIRECTORY;

	init->fds.sources = calloc(plan->mount_count + 1, sizeof(*init->fds.sources));
	if (!init->fds.sources)
		return err_nomem(err);
	for (; path; path = source_next(plan, &mount, &flags))
		init->fds.sources[init->fds.source_count++] = openat(AT_FDCWD, path, flags | O_CLOEXEC);
	return 0;
}

int source_take(struct init *init, const struct plan_mount *mount)
{
	const struct plan_mount *other = init->plan->mounts;
	size_t index = mount != NULL;

	if (!init->fds.source_count)
		return -1;
	for (; mount && other < mount; other++)
		index += is_source(other);
	return take_fd(init->fds.sources[index]);
}

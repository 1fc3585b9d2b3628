/* path.h - every walk inside a root that somebody else controls.
 *
 * Resolution is by openat2(RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS), EAGAIN tried again a bounded
 * number of times; on kernels before 5.6 a walk by components with O_PATH | O_NOFOLLOW that restarts absolute
 * links at the root (invariants 1 and 2). No other file may hand a string with an image's component in
 * it to a path-taking call. Shared by the runtime and init.
 */
#ifndef MXCRUN_BASE_PATH_H
#define MXCRUN_BASE_PATH_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/mem.h"

/* Open path below root_fd as if root_fd were "/". flags as open(2); O_CLOEXEC is added;
 * O_CREAT and O_TMPFILE are -EINVAL. Magic links are -ELOOP, an empty path is -ENOENT. Returns the
 * descriptor or -errno (no struct err: callers know the field). */
int path_open_in_root(int root_fd, const char *path, int flags);

/* What is made when the last component is missing. */
enum path_make { PATH_MAKE_DIR, PATH_MAKE_FILE };

/* As above with O_PATH, but missing components are made, one at a time, each reopened O_NOFOLLOW and
 * checked; new directories have mode 0755, new files 0644, whatever the umask. Symlinks on the way are
 * followed inside the root; what a dangling one points to is made there. Something of the other kind
 * in the last place is -ENOTDIR or -EISDIR (any non-directory passes for PATH_MAKE_FILE). Returns
 * O_PATH descriptor or -errno. */
int path_make_in_root(int root_fd, const char *path, enum path_make make);

/* Open the parent directory of path inside the root (made when missing) as O_PATH|O_DIRECTORY and
 * give the last component, for calls that create a name: mknodat, symlinkat. *ret_name is
 * malloc'd. -errno on failure; a last component of "." or "..", "/" and an empty path are -EINVAL. */
int path_make_parent_in_root(int root_fd, const char *path, char **ret_name);

/* Pure string work, no file system access: one leading "/", no empty, "." component; ".." folded
 * (never above "/"). malloc'd; NULL when out of memory. */
char *path_clean(const char *path);

/* is path == ancestor or below it? Both cleaned. */
bool path_is_within(const char *path, const char *ancestor);

/* Told by who keeps the process' umask at zero for a while: what is made meanwhile need not put it out of the way. */
void path_umask_is_zero(bool is_zero);

/* Only for tests of the fall-back: pretend that openat2 is absent. */
void path_test_without_openat2(bool without);

#endif

/* directory.h - directories of cgroup file systems: opened safely, made, read, walked, removed.
 *
 * A path is only used when its directory proves to be in a cgroup file system, and no symlink is
 * followed on the way (invariant 31). Everything below is done on descriptors. Used by the backends
 * of this floor only; results are descriptors or negative errnos, the callers know which field to
 * blame.
 */
#ifndef MXCRUN_CGROUP_DIRECTORY_H
#define MXCRUN_CGROUP_DIRECTORY_H

#include <stdbool.h>
#include <sys/types.h>

/* Open an absolute path for reading. -EXDEV when it isn't in a cgroup file system of the version.
 */
int directory_open(const char *path, bool is_v2);

/* Open a name of one component or more below a directory, which stays in the same mount. */
int directory_open_below(int dir_fd, const char *path);

/* Open a group and, unless NULL, its parent. A group is never the top of a mounted hierarchy, so
 * that no mistake can kill or remove everything on the host. -EXDEV for one. */
int directory_open_group(const char *path, bool is_v2, int *ret_parent_fd);

/* The last component of a path; it has one. */
const char *directory_name(const char *path);

/* Contents of a file of the group, malloc'd. 0 or -errno. */
int directory_read(int dir_fd, const char *file, char **ret);

/* Is "word" one of the blank- or comma-separated words? */
bool directory_has_word(const char *words, const char *word);

/* Value of a "key value" line such as those of cgroup.events, -ENODATA when it isn't there; in a
 * text, or in a file of the group (then also another negative errno). */
int directory_find_flag(const char *text, const char *key);
int directory_read_flag(int dir_fd, const char *file, const char *key);

/* Call fn for the group and every group below it, deepest first. A group that vanishes meanwhile is
 * passed over. fn's first non-zero result ends the walk and is returned. */
typedef int (*directory_fn)(int dir_fd, void *data);
int directory_walk(int dir_fd, directory_fn fn, void *data);

/* Remove all groups below; stops at the first that can't go (-EBUSY: processes). */
int directory_remove_below(int dir_fd);

/* A growing list of process ids. */
struct pid_list {
	pid_t *items;
	size_t count, capacity;
};
void pid_list_done(struct pid_list *list);
#define cleanup_pid_list __attribute__((cleanup(pid_list_done)))
bool pid_list_has(const struct pid_list *list, pid_t pid);

/* Append the processes of the group and of every group below it. Processes outside of our pid
 * namespace, which read as 0, can't be named and are left out. */
int directory_pids(int dir_fd, struct pid_list *list);

/* ---- waiting ---- */

/* Sleep between polls of a cgroup file: 1 ms, 2 ms, ... 32 ms. False once the deadline has passed.
 */
struct backoff {
	long long deadline_ms;
	unsigned int step_ms;
};
struct backoff backoff_start(int timeout_ms);
bool backoff_sleep(struct backoff *backoff);

#endif

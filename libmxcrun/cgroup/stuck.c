/* stuck.c - processes that SIGKILL doesn't end, because somebody has moved them into another group of v1's freezer, and that is
 * frozen. v1's freezer holds a process even against SIGKILL; but one that is moved goes on as the group that it comes to does
 * (freezer_attach() in kernel/cgroup/legacy_freezer.c). So it is brought back to where the container's processes belong,
 * and the foreign group is left as it is.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "base/mem.h"
#include "cgroup/backend.h"
#include "cgroup/directory.h"

#define PROC_CGROUP_MAX 65536u

void stuck_bring_back(const struct cgroup *cgroup, int dir_fd)
{
	const struct cgroup_dir *own = cgroup_find_v1(cgroup, "freezer");
	cleanup_close int fd = own && own->is_ours ? directory_open_group(own->path, false, NULL) : -ENOENT;
	cleanup_pid_list struct pid_list pids = { 0 };

	if (fd < 0 || directory_pids(dir_fd, &pids) < 0)
		return;
	for (size_t i = 0; i < pids.count; i++) {
		char text[16];

		snprintf(text, sizeof(text), "%d", (int)pids.items[i]);
		(void)fd_write_file(fd, "cgroup.procs", text);	/* one that has ended by now is what is wanted */
	}
}

/* Of v1's freezer, as /proc/PID/cgroup names it; in text, or NULL. */
static const char *freezer_group(char *text)
{
	char *line;

	while ((line = strsep(&text, "\n"))) {
		char *controllers = strchr(line, ':'), *path = controllers ? strchr(controllers + 1, ':') : NULL;

		if (!path)
			continue;
		*path = '\0';
		if (directory_has_word(controllers + 1, "freezer"))
			return path + 1;
	}
	return NULL;
}

int stuck_fail(int dir_fd, const char *path, int waited_ms, struct err **err)
{
	cleanup_pid_list struct pid_list pids = { 0 };
	cleanup_free char *text = NULL;
	const char *group = NULL;
	char file[64];

	err_set(err, E_TIMEOUT, ETIMEDOUT, NULL, "processes in %s did not end within %d s of SIGKILL", path, waited_ms / 1000);
	if (directory_pids(dir_fd, &pids) < 0 || !pids.count)
		return -ETIMEDOUT;
	snprintf(file, sizeof(file), "/proc/%d/cgroup", (int)pids.items[0]);
	if (fd_read_file(AT_FDCWD, file, PROC_CGROUP_MAX, &text, NULL) == 0)
		group = freezer_group(text);
	if (group)
		err_hint(err, "process %d is in the group %.256s of cgroup v1's freezer: if that is frozen, thaw it", (int)pids.items[0], group);
	return -ETIMEDOUT;
}

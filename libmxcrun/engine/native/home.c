/* home.c - HOME for a workload whose environment has none, from the container's own /etc/passwd.
 *
 * As runc and crun do it: the home directory of the first entry with the user's id, "/" where there is none. The file
 * is the image's, so it is opened below the root and believed only as far as a variable goes. The C library's
 * getpwuid(3) would ask name services of the image.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"
#include "engine/native/init.h"

#define PASSWD_MAX (4u << 20)

/* The file's text, or NULL when there is no usable one. */
static char *read_passwd(const struct init *init)
{
	cleanup_close int fd = path_open_in_root(init->root_fd, "/etc/passwd", O_RDONLY | O_NONBLOCK | O_NOCTTY);
	struct stat st;
	char *text = NULL;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || fd_read_all(fd, PASSWD_MAX, &text, NULL) < 0)
		return NULL;
	return text;
}

/* name:password:uid:gid:gecos:home:shell, passwd(5). The home of the line if it is the user's, cut off in place. */
static char *home_of(char *line, uint32_t uid)
{
	char *fields[6], *end;
	unsigned long long number;

	for (size_t i = 0; i < array_size(fields); i++) {
		fields[i] = line ? strsep(&line, ":") : NULL;
		if (!fields[i])
			return NULL;
	}
	if (fields[2][0] < '0' || fields[2][0] > '9')
		return NULL;
	number = strtoull(fields[2], &end, 10);
	return !*end && number == uid ? fields[5] : NULL;
}

static const char *find_home(char *text, uint32_t uid)
{
	char *line;

	while ((line = strsep(&text, "\n"))) {
		const char *home = home_of(line, uid);

		if (home)
			return *home ? home : "/";
	}
	return "/";
}

static size_t count(const char *const *env)
{
	size_t n = 0;

	while (env && env[n])
		n++;
	return n;
}

int home_add(struct init *init, struct err **err)
{
	const struct plan_process *process = &init->plan->process;
	size_t n = count(process->env);
	cleanup_free char *text = NULL;
	char *entry;

	if (!process->home_from_passwd)
		return 0;
	text = read_passwd(init);
	init->env = calloc(n + 2, sizeof(*init->env));
	if (!init->env || asprintf(&entry, "HOME=%s", text ? find_home(text, process->uid) : "/") < 0)
		return err_nomem(err);
	if (n)
		memcpy(init->env, process->env, n * sizeof(*init->env));
	init->env[n] = entry;
	return 0;
}

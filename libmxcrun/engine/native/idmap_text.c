/* idmap_text.c - see idmap_text.h. */
#include "engine/native/idmap_text.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>

#include "engine/native/clone.h"

void idmap_format(const struct plan_idmaps *maps, struct strbuf *text)
{
	for (size_t i = 0; i < maps->count; i++)
		strbuf_printf(text, "%u %u %u\n", maps->items[i].inside, maps->items[i].outside, maps->items[i].count);
}

/* "/proc/PID/FILE", without the C library, whose state may be another process's. */
static void name_file(char *path, pid_t pid, const char *file)
{
	char digits[10];
	size_t count = 0;

	path = (char *)mempcpy(path, "/proc/", sizeof("/proc/") - 1);
	do
		digits[count++] = (char)('0' + pid % 10);
	while (pid /= 10);
	while (count)
		*path++ = digits[--count];
	*path++ = '/';
	memcpy(path, file, strlen(file) + 1);
}

int raw_idmap_write(pid_t pid, const char *file, const struct strbuf *text)
{
	char path[sizeof("/proc/2147483647/uid_map")];
	long fd, n;

	name_file(path, pid, file);
	fd = raw_call(SYS_openat, AT_FDCWD, (long)path, O_WRONLY | O_CLOEXEC, 0, 0);
	if (fd < 0)
		return (int)fd;
	/* all of a map in one write, user_namespaces(7) */
	n = raw_call(SYS_write, fd, (long)text->data, (long)text->len, 0, 0);
	(void)raw_call(SYS_close, fd, 0, 0, 0, 0);
	return n < 0 ? (int)n : (size_t)n == text->len ? 0 : -EIO;
}

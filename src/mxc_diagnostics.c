/* mxc_diagnostics.c - see mxc_diagnostics.h. */

#include "mxc_diagnostics.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "output.h"

void mxc_diagnostics_done(struct mxc_diagnostics *diagnostics)
{
	fd_close_ptr(&diagnostics->log_fd);
	strbuf_done(&diagnostics->kept);
}

static void write_log_file(int fd, const char *line)
{
	cleanup_strbuf struct strbuf stamped = STRBUF_INIT;

	strbuf_printf(&stamped, "[%lld] %s\n", (long long)time(NULL), line);
	if (!stamped.failed)
		fd_write_all(fd, stamped.data, stamped.len);
}

static void add_line(struct mxc_diagnostics *diagnostics, const char *line)
{
	cleanup_strbuf struct strbuf live = STRBUF_INIT;

	if (diagnostics->log_fd >= 0)
		write_log_file(diagnostics->log_fd, line);
	if (diagnostics->is_live) {
		strbuf_printf(&live, "%s\n", line);
		output_text(strbuf_str(&live), NULL);
	} else {
		strbuf_printf(&diagnostics->kept, "%s\n", line);
	}
}

static void add_log_line(void *data, enum log_level level, const char *line)
{
	struct mxc_diagnostics *diagnostics = data;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	strbuf_printf(&text, "%s%s", level == LOG_LEVEL_WARNING ? "WARNING: " : "", line);
	add_line(diagnostics, strbuf_str(&text));
}

/* What a sandbox has left in a granted folder: a link to somewhere else, or a FIFO that nobody reads. The names of standard
 * streams are links, and no sandbox's. */
static int open_log(const char *path)
{
	bool is_stream = !strncmp(path, "/dev/", strlen("/dev/")) || !strncmp(path, "/proc/", strlen("/proc/"));

	return open(path, O_WRONLY | O_CREAT | O_APPEND | O_NONBLOCK | O_NOCTTY | O_CLOEXEC | (is_stream ? 0 : O_NOFOLLOW), 0644);
}

static int fail_log(int error, const char *path, struct err **err)
{
	if (error == ELOOP)
		return err_set(err, E_USAGE, 0, NULL, "the log file %s is a symbolic link: name the file that it leads to", path);
	if (error == ENXIO)
		return err_set(err, E_USAGE, 0, NULL, "the log file %s is a FIFO that nobody reads, or a socket", path);
	return err_sys(err, E_USAGE, error, "open", path, NULL);
}

int mxc_diagnostics_open(struct mxc_diagnostics *diagnostics, bool is_live, const char *log_path,
			 struct err **err)
{
	diagnostics->is_live = is_live;
	diagnostics->log = (struct log){
		.level = is_live ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO,
		.write = add_log_line,
		.data = diagnostics,
	};
	if (!log_path)
		return 0;
	diagnostics->log_fd = open_log(log_path);
	return diagnostics->log_fd < 0 ? fail_log(errno, log_path, err) : 0;
}

void mxc_diagnostics_line(struct mxc_diagnostics *diagnostics, const char *format, ...)
{
	cleanup_free char *text = NULL;
	cleanup_strbuf struct strbuf escaped = STRBUF_INIT;
	va_list ap;
	int len;

	va_start(ap, format);
	len = vasprintf(&text, format, ap);
	va_end(ap);
	if (len < 0) {
		text = NULL;
		return;
	}
	strbuf_put_escaped(&escaped, text, (size_t)len, (size_t)len);
	add_line(diagnostics, strbuf_str(&escaped));
}

/* output.c - see output.h. */

#include "output.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/strbuf.h"

const char *const log_format_words[] = {
	[LOG_FORMAT_TEXT] = "text", [LOG_FORMAT_JSON] = "json", NULL
};

static const char *const level_words[LOG_LEVEL_MAX] = {
	[LOG_LEVEL_ERROR] = "error",
	[LOG_LEVEL_WARNING] = "warning",
	[LOG_LEVEL_INFO] = "info",
	[LOG_LEVEL_DEBUG] = "debug",
};

int output_open_log(struct output *output, const char *path, struct err **err)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_NOCTTY | O_CLOEXEC, 0644);

	if (fd < 0)
		return err_sys(err, E_USAGE, errno, "open", path, NULL);
	output->log_fd = fd;
	return 0;
}

void output_close(struct output *output)
{
	fd_close_ptr(&output->log_fd);
}

/* ---- lines ---- */

/* The nearest level that has the string. */
#define CHAIN_STRING(failure, member)                 \
	({                                            \
		const struct err *level_ = (failure); \
		while (level_ && !level_->member)     \
			level_ = level_->cause;       \
		level_ ? level_->member : NULL;       \
	})

static void put_detail(struct json_writer *w, const char *key, const char *value)
{
	if (value)
		json_put_string(w, key, value);
}

/* One line of JSON as logrus writes it for runc; failure NULL for what is not an error. */
static void write_json_line(int fd, enum log_level level, const char *text,
			    const struct err *failure)
{
	cleanup_json_writer struct json_writer w = JSON_WRITER_INIT;
	char now[CLOCK_TEXT_SIZE];

	clock_now_rfc3339(false, now);
	w.compact = true;
	json_open(&w, NULL, '{');
	json_put_string(&w, "level", level_words[level]);
	json_put_string(&w, "msg", text);
	json_put_string(&w, "time", now);
	if (failure) {
		json_put_string(&w, "code", err_code_name(err_root_code(failure)));
		put_detail(&w, "pointer", CHAIN_STRING(failure, pointer));
		put_detail(&w, "operation", CHAIN_STRING(failure, operation));
		put_detail(&w, "object", CHAIN_STRING(failure, object));
		put_detail(&w, "hint", CHAIN_STRING(failure, hint));
	}
	json_close(&w, '}');
	strbuf_putc(&w.out, '\n');
	if (!w.out.failed)
		fd_write_all(fd, w.out.data, w.out.len);
}

static void write_text_line(int fd, enum log_level level, const char *text)
{
	cleanup_strbuf struct strbuf line = STRBUF_INIT;
	char now[CLOCK_TEXT_SIZE];

	clock_now_rfc3339(false, now);
	strbuf_printf(&line, "time=\"%s\" level=%s msg=\"", now, level_words[level]);
	for (const char *c = text; *c; c++) {
		if (*c == '"' || *c == '\\')
			strbuf_putc(&line, '\\');
		strbuf_putc(&line, *c);
	}
	strbuf_puts(&line, "\"\n");
	if (!line.failed)
		fd_write_all(fd, line.data, line.len);
}

static void write_log(const struct output *output, enum log_level level, const char *text,
		      const struct err *failure)
{
	if (output->format == LOG_FORMAT_JSON)
		write_json_line(output->log_fd, level, text, failure);
	else
		write_text_line(output->log_fd, level, text);
}

static void write_stderr(enum log_level level, const char *text)
{
	cleanup_strbuf struct strbuf line = STRBUF_INIT;

	strbuf_puts(&line, "mxcrun: ");
	if (level != LOG_LEVEL_ERROR)
		strbuf_printf(&line, "%s: ", level_words[level]);
	strbuf_printf(&line, "%s\n", text);
	if (!line.failed)
		fd_write_all(STDERR_FILENO, line.data, line.len);
}

/* What is said about failures of saying something: nothing; there is nowhere left. */
void output_error(const struct output *output, const struct err *failure)
{
	cleanup_free char *formatted = err_format(failure);
	const char *text = formatted ? formatted : "out of memory";

	if (output->log_fd >= 0)
		write_log(output, LOG_LEVEL_ERROR, text, failure);
	if (output->log_fd < 0 && output->format == LOG_FORMAT_JSON)
		write_json_line(STDERR_FILENO, LOG_LEVEL_ERROR, text, failure);
	else
		write_stderr(LOG_LEVEL_ERROR, text);
}

void output_log_line(void *data, enum log_level level, const char *line)
{
	const struct output *output = data;

	if (output->log_fd >= 0)
		write_log(output, level, line, NULL);
	else if (output->format == LOG_FORMAT_JSON)
		write_json_line(STDERR_FILENO, level, line, NULL);
	else
		write_stderr(level, line);
}

/* ---- results ---- */

int output_text(const char *text, struct err **err)
{
	int r = fd_write_all(STDOUT_FILENO, text, strlen(text));

	return r < 0 ? err_sys(err, E_INTERNAL, -r, "write", "standard output", NULL) : 0;
}

int output_json(struct json_writer *w, struct err **err)
{
	strbuf_putc(&w->out, '\n');
	if (w->out.failed)
		return err_nomem(err);
	return output_text(strbuf_str(&w->out), err);
}

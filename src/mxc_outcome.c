/* mxc_outcome.c - see mxc_outcome.h. */
#include "mxc_outcome.h"

#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"

#define EXIT_CODE_BACKEND 255

int mxc_outcome(const struct supervised *end, uint32_t timeout_ms, int *ret_exit_code, struct err **err)
{
	*ret_exit_code = 0;
	switch (end->cause) {
	case ENDED_BY_TIMEOUT:
		return err_set(err, E_TIMEOUT, 0, NULL, "script timed out after %ums", timeout_ms);
	case ENDED_BY_SIGNAL:
		*ret_exit_code = 128 + end->signal;
		return 0;
	case ENDED_BY_ITSELF:
		break;
	}
	/* Its init passes the workload's end on as an exit code; a signal hit init itself, from
	 * outside. */
	if (WIFSIGNALED(end->status))
		return err_set(err, E_PROCESS, 0, NULL,
			       "the sandbox was ended from outside by signal %d",
			       WTERMSIG(end->status));
	*ret_exit_code = supervised_exit_code(end->status);
	return 0;
}

void mxc_put_error(struct json_writer *w, const char *code, const struct err *failure)
{
	cleanup_free char *text = err_format(failure);

	w->compact = true;
	json_open(w, NULL, '{');
	json_open(w, "error", '{');
	json_put_string(w, "code", code);
	json_put_string(w, "message", text ? text : "out of memory");
	json_close(w, '}');
	json_close(w, '}');
	strbuf_putc(&w->out, '\n');
}

int mxc_fail_backend(const struct program *program, const struct err *failure)
{
	cleanup_json_writer struct json_writer w = JSON_WRITER_INIT;

	output_error(&program->output, failure);
	mxc_put_error(&w, "backend_error", failure);
	fd_write_all(STDERR_FILENO, strbuf_str(&w.out), strlen(strbuf_str(&w.out)));
	return EXIT_CODE_BACKEND;
}

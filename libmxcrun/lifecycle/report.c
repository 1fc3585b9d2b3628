/* report.c - see report.h. Everything in the plan has been carried out by the time that this is called: an engine fails
 * otherwise. */
#include "lifecycle/report.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/json.h"
#include "net/trace.h"
#include "plan/print.h"

#define REPORT_FORMAT 1

/* namespaces NULL: it still runs. */
static int put_report(struct json_writer *w, const struct prepared *prepared, const char *status, pid_t pid,
		      const struct net_namespace *namespaces, struct err **err)
{
	const struct plan *plan = prepared->plan;
	struct utsname name;
	int r = 0;

	json_open(w, NULL, '{');
	json_put_i64(w, "format", REPORT_FORMAT);
	json_put_string(w, "id", plan->id);
	json_put_string(w, "status", status);
	json_put_i64(w, "pid", pid);
	json_put_string(w, "engine", prepared->engine->name);
	json_put_string(w, "kernel", uname(&name) == 0 ? name.release : NULL);
	plan_print_items(plan, w);
	if (namespaces) {
		json_open(w, "network", '{');
		r = network_trace(namespaces, plan->id, w, err);
		json_close(w, '}');
	}
	json_close(w, '}');
	strbuf_putc(&w->out, '\n');
	return r;
}

static int replace(const char *path, const struct prepared *prepared, const char *status, pid_t pid,
		   const struct net_namespace *namespaces, struct err **err)
{
	cleanup_json_writer struct json_writer w = JSON_WRITER_INIT;
	int r = put_report(&w, prepared, status, pid, namespaces, err);

	if (r < 0)
		return r;
	if (w.out.failed)
		return err_nomem(err);
	r = fd_replace_file(AT_FDCWD, path, w.out.data, w.out.len, 0600);
	return r < 0 ? err_sys(err, E_PROCESS, -r, "write the enforcement record", path, NULL) : 0;
}

int report_check(const char *path, struct err **err)
{
	const char *slash = path ? strrchr(path, '/') : NULL;
	cleanup_free char *folder = NULL;
	struct stat st;
	int number = 0;

	if (!path)
		return 0;
	folder = slash ? strndup(path, (size_t)(slash - path) + 1) : strdup(".");
	if (!folder)
		return err_nomem(err);
	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		number = EISDIR;
	else if (faccessat(AT_FDCWD, folder, W_OK | X_OK, AT_EACCESS) < 0)
		number = errno;
	return number ? err_sys(err, E_PROCESS, number, "write the enforcement record", path, NULL) : 0;
}

int report_write(const char *path, const struct prepared *prepared, const char *status, pid_t pid, struct err **err)
{
	return path ? replace(path, prepared, status, pid, NULL, err) : 0;
}

int report_watch(const char *path, const struct plan *plan, const struct engine_child *child, struct net_namespace *ret, struct err **err)
{
	return path && plan->network_policy.egress.count ? net_namespace_open_child(child->pid, child->net_fd, ret, err) : 0;
}

int report_write_end(const char *path, const struct prepared *prepared, pid_t pid, const struct net_namespace *namespaces,
		     struct err **err)
{
	return namespaces->net_fd < 0 ? 0 : replace(path, prepared, "stopped", pid, namespaces, err);
}

/* notify.c - the parent's part of a notifying seccomp filter: the socket of its supervisor, and what the supervisor is told
 * beside the descriptor (ContainerProcessState of runtime-spec config-linux.md, "listenerPath"). listener.c is
 * init's part. */
#include <errno.h>
#include <string.h>

#include "base/json.h"
#include "base/unix.h"
#include "engine/native/parent.h"

#define POINTER "/linux/seccomp/listenerPath"

int notify_open(const struct plan *plan, struct launch_fds *fds, struct err **err)
{
	const struct plan_seccomp *seccomp = &plan->process.seccomp;
	int r;

	if (!seccomp->use_notify)
		return 0;
	fds->listener = unix_connect(seccomp->listener_path);
	if (fds->listener >= 0)
		return 0;
	r = err_sys(err, E_SECCOMP, -fds->listener, "connect", seccomp->listener_path, POINTER);
	err_hint(err, "the program that answers for SCMP_ACT_NOTIFY must listen there already");
	return r;
}

char *notify_message(const struct plan *plan, const char *state, pid_t pid)
{
	cleanup_json_writer struct json_writer w = JSON_WRITER_INIT;
	cleanup_arena struct arena *arena = arena_new();
	const struct json *document;

	if (!arena || !state || json_parse(arena, state, strlen(state), "state", &document, NULL) < 0)
		return NULL;
	w.compact = true;
	json_open(&w, NULL, '{');
	json_put_string(&w, "ociVersion", plan->oci_version);
	json_open(&w, "fds", '[');
	json_put_string(&w, NULL, "seccompFd");
	json_close(&w, ']');
	json_put_i64(&w, "pid", pid);
	if (plan->process.seccomp.listener_metadata)
		json_put_string(&w, "metadata", plan->process.seccomp.listener_metadata);
	json_put_json(&w, "state", document);
	json_close(&w, '}');
	return w.out.failed ? NULL : strdup(strbuf_str(&w.out));
}

/* doctor.c - see doctor.h. */
#include "lifecycle/doctor.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/json.h"
#include "base/sys.h"
#include "host/explain.h"
#include "lifecycle/admin.h"

#define FINDINGS_MAX 32u

static void add(struct doctor_findings *findings, const char *subject, bool is_available, const char *found,
		const char *remedy)
{
	if (findings->count < FINDINGS_MAX)
		findings->items[findings->count++] = (struct doctor_finding){ subject, is_available, found, remedy };
}

/* One that is the text of a refusal. */
static int add_refusal(struct arena *arena, struct doctor_findings *findings, const char *subject,
		       const struct err *failure)
{
	const struct err *with_hint = failure;
	cleanup_free char *line = err_format(failure);
	char *found, *hint;

	while (with_hint && !with_hint->hint)
		with_hint = with_hint->cause;
	found = arena_strdup(arena, line);
	hint = with_hint ? arena_strdup(arena, with_hint->hint) : NULL;
	if (!found || (with_hint && !hint))
		return -ENOMEM;
	add(findings, subject, false, found, hint);
	return 0;
}

/* ---- the host ---- */

int doctor_try_user_namespace(void)
{
	struct sys_clone_args args = { .flags = CLONE_NEWUSER | CLONE_NEWNS, .exit_signal = SIGCHLD };
	pid_t pid = sys_clone3(&args);
	int status;

	if (pid == 0)
		_exit(0);
	if (pid < 0)
		return errno;
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return 0;
}

static int examine_user_namespaces(struct arena *arena, const struct host_facts *facts, struct doctor_findings *ret)
{
	cleanup_err struct err *failure = NULL;
	int error = doctor_try_user_namespace();

	if (!error) {
		add(ret, "user namespaces", true, "sandboxes, and containers of ordinary users", NULL);
		return 0;
	}
	err_sys(&failure, E_NAMESPACE, error, "clone3", "a process in a user namespace", NULL);
	explain_userns(facts, error, &failure);
	return add_refusal(arena, ret, "user namespaces", failure);
}

/* Root's everywhere; an ordinary user's in what is delegated to him. */
static bool has_controller(const struct host_facts *facts, const char *controller)
{
	return (facts->is_privileged || facts->v2_base) && plan_has_controller(facts, controller);
}

static int examine_controllers(struct arena *arena, const struct host_facts *facts, struct doctor_findings *ret)
{
	static const char *const controllers[] = { "memory", "cpu", "pids", "io" };
	static const char *const subjects[] = { "cgroup memory", "cgroup cpu", "cgroup pids", "cgroup io" };

	for (size_t i = 0; i < array_size(controllers); i++) {
		cleanup_err struct err *failure = NULL;

		/* v1 calls it so */
		if (has_controller(facts, controllers[i]) || (i == 3 && has_controller(facts, "blkio"))) {
			add(ret, subjects[i], true, "limits are enforced", NULL);
			continue;
		}
		err_set(&failure, E_HOST, 0, NULL, "this user's groups can't have the controller %s", controllers[i]);
		explain_controller(facts, controllers[i], &failure);
		if (add_refusal(arena, ret, subjects[i], failure) < 0)
			return -ENOMEM;
	}
	return 0;
}

static void examine_seccomp(struct doctor_findings *ret)
{
	uint32_t action = SECCOMP_RET_KILL_PROCESS;

	if (sys_seccomp(SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0)
		add(ret, "seccomp", true, "filters, with an end of the whole process", NULL);
	else
		add(ret, "seccomp", false, "this kernel has no seccomp filters (or is before Linux 4.14)",
		    "use a kernel built with CONFIG_SECCOMP_FILTER");
}

static void examine_landlock(const struct host_facts *facts, struct doctor_findings *ret)
{
	if (facts->landlock_abi)
		add(ret, "Landlock", true, "a second wall around the files of sandboxes", NULL);
	else
		add(ret, "Landlock", false, "sandboxes have mounts alone around their files",
		    "Linux 5.19 or later with CONFIG_SECURITY_LANDLOCK, and landlock in the boot parameter lsm=");
}

static void examine_covers(const struct host_facts *facts, struct doctor_findings *ret)
{
	if (facts_has_idmapped_tmpfs(facts))
		add(ret, "denied paths in containers", true, "root keeps CAP_DAC_OVERRIDE: covers are idmapped", NULL);
	else
		add(ret, "denied paths in containers", true, "by withholding CAP_DAC_OVERRIDE: no idmapped tmpfs here",
		    "Linux 6.3 or later, with user namespaces allowed");
}

/* A proxy, or no network, needs neither program nor device. */
static void examine_network(const struct host_facts *facts, struct doctor_findings *ret)
{
	static const char subject[] = "network rules of sandboxes";

	if (!facts->network_helper)
		add(ret, subject, false, "no program here can carry their packets", "install pasta (of passt) or slirp4netns");
	else if (access("/dev/net/tun", R_OK | W_OK) < 0)
		add(ret, subject, false, "/dev/net/tun can't be opened", "modprobe tun; chmod 666 /dev/net/tun");
	else
		add(ret, subject, true, facts->network_helper, NULL);
}

static void examine_ids(const struct host_facts *facts, struct doctor_findings *ret)
{
	if (facts->is_privileged)
		return;
	if (facts->subuid.count && facts->subgid.count && facts->has_newuidmap)
		add(ret, "subordinate ids", true, "containers with more than one id", NULL);
	else if (facts->has_newuidmap)
		add(ret, "subordinate ids", false, "none are assigned to this user",
		    "as root: usermod --add-subuids 100000-165535 --add-subgids 100000-165535 USER");
	else
		add(ret, "subordinate ids", false, "newuidmap and newgidmap are not installed", "install the package uidmap");
}

static int examine_admin(struct arena *arena, const struct host_facts *facts, const char *admin_config,
			 const struct log *log, struct doctor_findings *ret)
{
	cleanup_admin struct admin admin = ADMIN_INIT;
	cleanup_err struct err *failure = NULL;
	struct admin_policy *policies = NULL;
	size_t count = 0;
	const char *text;
	int r = admin_read(arena, admin_config, facts, log, &admin, &failure);

	if (r == 0)
		r = admin_policies(arena, &admin, facts, &policies, &count, &failure);
	if (r < 0)
		return add_refusal(arena, ret, "the owner's policies", failure);
	text = arena_printf(arena, "%zu for every container", count);
	if (!text)
		return -ENOMEM;
	add(ret, "the owner's policies", true, text, NULL);
	return 0;
}

static int start(struct arena *arena, struct doctor_findings *ret)
{
	*ret = (struct doctor_findings){ .items = arena_array(arena, FINDINGS_MAX, sizeof(*ret->items)) };
	return ret->items ? 0 : -ENOMEM;
}

int doctor_examine_host(struct arena *arena, struct host_facts *facts, const char *admin_config, const struct log *log,
			struct doctor_findings *ret, struct err **err)
{
	int r = facts_read_cgroups(facts, err);

	if (r == 0)
		r = facts_read_subids(facts, err);
	if (r == 0)
		r = facts_read_kernel(facts, err);
	if (r == 0)
		r = facts_read_network(arena, facts, err);
	if (r < 0)
		return r;
	r = start(arena, ret);
	if (r == 0)
		r = examine_user_namespaces(arena, facts, ret);
	if (r == 0)
		r = examine_controllers(arena, facts, ret);
	if (r < 0)
		return err_nomem(err);
	examine_seccomp(ret);
	facts_read_landlock(facts);
	examine_landlock(facts, ret);
	examine_covers(facts, ret);
	examine_network(facts, ret);
	examine_ids(facts, ret);
	r = examine_admin(arena, facts, admin_config, log, ret);
	return r < 0 ? err_nomem(err) : 0;
}

/* ---- a policy ---- */

/* The member of the top level that a pointer leads into; NULL: none that could be left out. */
static const struct json *section_of(const struct json *document, const char *pointer)
{
	for (const struct json *member = document->first; member && pointer; member = member->next) {
		size_t len = strlen(member->key);

		if (pointer[0] == '/' && !strncmp(pointer + 1, member->key, len) &&
		    (!pointer[len + 1] || pointer[len + 1] == '/') && strcmp(member->key, "process") != 0)
			return member;
	}
	return NULL;
}

/* The document without that section. */
static int parse_without(const struct json *document, const struct json *left_out, const struct log *log,
			 struct policy_document *ret, struct err **err)
{
	cleanup_json_writer struct json_writer w = JSON_WRITER_INIT;

	json_open(&w, NULL, '{');
	for (const struct json *member = document->first; member; member = member->next)
		if (member != left_out)
			json_put_json(&w, member->key, member);
	json_close(&w, '}');
	return w.out.failed ? err_nomem(err) : policy_parse(w.out.data, w.out.len, "policy", log, ret, err);
}

static const char *pointer_of(const struct err *failure)
{
	while (failure && !failure->pointer)
		failure = failure->cause;
	return failure ? failure->pointer : NULL;
}

/* Can the document be planned? If not: the finding, and the section to go on without. */
static int examine_document(struct arena *arena, struct host_facts *facts, const struct log *log,
			    const struct policy_document *document, const struct plan_policy_request *request,
			    struct doctor_findings *ret, const struct json **ret_section)
{
	cleanup_prepared struct prepared prepared = PREPARED_INIT;
	cleanup_err struct err *failure = NULL;
	const char *subject;

	*ret_section = NULL;
	if (prepare_policy(facts, log, document, request, &prepared, &failure) == 0)
		return 0;
	subject = pointer_of(failure);
	*ret_section = section_of(document->config->document, subject);
	subject = arena_strdup(arena, subject ? subject : "policy");
	return subject ? add_refusal(arena, ret, subject, failure) : -ENOMEM;
}

int doctor_examine_policy(struct arena *arena, struct host_facts *facts, const struct log *log,
			  const struct policy_document *document, const struct plan_policy_request *request,
			  struct doctor_findings *ret, struct err **err)
{
	cleanup_policy_document struct policy_document rest = { 0 };
	const struct policy_document *current = document;
	const struct json *section = NULL;
	int r = start(arena, ret);

	if (r == 0)
		r = examine_document(arena, facts, log, current, request, ret, &section);
	while (r == 0 && section) {
		struct policy_document next = { 0 };

		/* what can't be read without the section has been said all the same */
		if (parse_without(current->config->document, section, log, &next, NULL) < 0) {
			policy_document_done(&next);
			return 0;
		}
		policy_document_done(&rest);
		rest = next;
		current = &rest;
		r = examine_document(arena, facts, log, current, request, ret, &section);
	}
	return r < 0 ? err_nomem(err) : 0;
}

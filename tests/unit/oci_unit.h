/* oci_unit.h - for the tests of the OCI way: a configuration in single quotes to a plan, on made-up
 * hosts. */
#ifndef MXCRUN_TESTS_OCI_UNIT_H
#define MXCRUN_TESTS_OCI_UNIT_H

#include "unit.h"

#include "base/json.h"
#include "closed_unit.h"
#include "config/oci.h"
#include "plan/build.h"

/* A whole configuration around members of its objects; each piece ends with a comma or is empty. */
#define DOCUMENT(top, process, linux_)                                             \
	"{'ociVersion':'1.2.0'," top "'root':{'path':'rootfs'},"                   \
	"'process':{" process "'user':{'uid':0,'gid':0},'cwd':'/','args':['sh']}," \
	"'linux':{" linux_ "'namespaces':[{'type':'mount'},{'type':'uts'},"        \
	"{'type':'network'},{'type':'ipc'},{'type':'pid'}]}}"

#define CAPS_ALL (((uint64_t)1 << 41) - 1)
#define CAP_SYS_RESOURCE_BIT 24

struct world {
	struct arena *arena;
	struct plan_request request;
	struct host_facts facts;
	struct log log;
	const struct oci_config *config;
	const struct plan *plan;
	struct err *err;
	unsigned int warnings;
};

static inline void count_warning(void *data, enum log_level level, const char *line)
{
	struct world *w = data;

	(void)line;
	w->warnings += level == LOG_LEVEL_WARNING;
}

static struct cgroup_mount hybrid_mounts[] = {
	{ .controllers = "cpu,cpuacct", .mountpoint = "/sys/fs/cgroup/cpu", .own_path = "/" },
	{ .controllers = "memory", .mountpoint = "/sys/fs/cgroup/memory", .own_path = "/" },
	{ .controllers = "cpuset", .mountpoint = "/sys/fs/cgroup/cpuset", .own_path = "/" },
	{ .controllers = "devices", .mountpoint = "/sys/fs/cgroup/devices", .own_path = "/" },
	{ .controllers = "",
	  .mountpoint = "/sys/fs/cgroup/unified",
	  .own_path = "/",
	  .is_v2 = true },
};

static struct cgroup_mount v2_mounts[] = {
	{ .controllers = "",
	  .mountpoint = "/sys/fs/cgroup",
	  .is_v2 = true,
	  .own_path = "/user.slice/user-1000.slice/user@1000.service/app.slice/run.scope" },
};

/* Root on a host with v1 controllers (no pids) beside a nearly empty cgroup2. */
static inline void world_hybrid(struct world *w)
{
	*w = (struct world){
		.arena = arena_new(),
		.request = { .id = "c1", .bundle = "/bundle" },
		.facts = { .is_privileged = true,
			   .capabilities = CAPS_ALL,
			   .cap_last = 40,
			   .bounding = CAPS_ALL & ~((uint64_t)1 << CAP_SYS_RESOURCE_BIT),
			   .layout = CGROUP_LAYOUT_HYBRID,
			   .cgroups = hybrid_mounts,
			   .cgroup_count = array_size(hybrid_mounts) },
	};
	w->log = (struct log){ .level = LOG_LEVEL_WARNING, .write = count_warning, .data = w };
}

static inline void world_v2(struct world *w)
{
	world_hybrid(w);
	w->facts.layout = CGROUP_LAYOUT_V2;
	w->facts.cgroups = v2_mounts;
	w->facts.cgroup_count = array_size(v2_mounts);
	w->facts.v2_controllers = "cpuset cpu io memory pids rdma";
}

/* An ordinary user who has only memory and pids delegated. */
static inline void world_user(struct world *w)
{
	world_v2(w);
	w->facts.is_privileged = false;
	w->facts.uid = w->facts.euid = 1000;
	w->facts.gid = w->facts.egid = 1000;
	w->facts.capabilities = 0;
	w->facts.v2_controllers = "memory pids";
}

static inline void world_done(struct world *w)
{
	err_free_ptr(&w->err);
	arena_free_ptr(&w->arena);
}

static inline void check_closed(const struct world *w)
{
	cleanup_arena struct arena *shared = is_under_valgrind() ? NULL : arena_new_shared();
	const struct plan *plan;

	if (is_under_valgrind())
		return;
	assert_non_null(shared);
	assert_int_equal(plan_from_oci(shared, w->config, &w->request, &w->facts, NULL, &plan, NULL), 0);
	assert_closed(shared, plan);
}

/* JSON with single quotes for double ones; 0 or the error of the first stage that refuses. */
static inline int world_build(struct world *w, const char *quoted)
{
	const struct json *document = NULL;
	char *text = arena_strdup(w->arena, quoted), *c;
	int r;

	err_free_ptr(&w->err);
	w->plan = NULL;
	for (c = text; *c; c++)
		if (*c == '\'')
			*c = '"';
	r = json_parse(w->arena, text, strlen(text), "config.json", &document, &w->err);
	if (r == 0)
		r = oci_parse(w->arena, document, &w->log, &w->config, &w->err);
	if (r == 0)
		r = plan_from_oci(w->arena, w->config, &w->request, &w->facts, &w->log, &w->plan,
				  &w->err);
	if (r == 0)
		check_closed(w);
	return r;
}

static inline const struct plan *world_accept(struct world *w, const char *quoted)
{
	if (world_build(w, quoted) < 0) {
		cleanup_free char *line = err_format(w->err);

		print_error("refused: %s\n", line);
	}
	assert_non_null(w->plan);
	assert_null(w->err);
	return w->plan;
}

/* Refused with this code at this pointer (NULL: any), in words that hold these. */
static inline void world_refuse(struct world *w, const char *quoted, enum err_code code,
				const char *pointer, const char *words)
{
	cleanup_free char *line = NULL;
	int r = world_build(w, quoted);

	if (r == 0)
		print_error("accepted: %s\n", quoted);
	assert_true(r < 0);
	assert_null(w->plan);
	assert_non_null(w->err);
	line = err_format(w->err);
	if (w->err->code != code || !strstr(line, words))
		print_error("\"%s\" (%s) does not say \"%s\" (%s)\n", line,
			    err_code_name(w->err->code), words, err_code_name(code));
	assert_int_equal(w->err->code, code);
	assert_non_null(strstr(line, words));
	if (pointer)
		assert_string_equal(w->err->pointer, pointer);
	assert_null(strchr(line, '\n'));
	assert_true(strlen(line) < 600);
}

#endif

/* mxc_unit.h - for the tests of the MXC way: a configuration in single quotes to decisions and a
 * plan, on a made-up host. Files that the host does not list exist, as folders that the caller may
 * do everything with. */
#ifndef MXCRUN_TESTS_MXC_UNIT_H
#define MXCRUN_TESTS_MXC_UNIT_H

#include "unit.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/json.h"
#include "base/path.h"
#include "closed_unit.h"
#include "config/mxc.h"
#include "plan/from_policy.h"
#include "policy/resolve.h"

/* A document of a version around members of its top level; each piece ends with a comma or is
 * empty. */
#define MXC(version_, top) "{'version':'" version_ "'," top "'process':{'commandLine':'true'}}"
#define MXC_FS(lists) MXC("1.0.0", "'filesystem':{" lists "},")

struct fake_file {
	const char *path, *canonical; /* canonical NULL: the same */
	uint64_t ino;		      /* 0: one of its own */
	mode_t mode;		      /* 0: a folder */
	int error, read_error, write_error;
};

struct world {
	struct arena *arena;
	struct host_facts facts;
	struct log log;
	struct strbuf lines;
	const struct fake_file *files;
	size_t file_count;
	struct host_objects objects;
	const struct mxc_config *config;
	const struct policy_decisions *decisions;
	const struct plan_owner *owner;	/* NULL: restricts nothing */
	const struct plan *plan;
	struct err *err;
};

static inline void keep_line(void *data, enum log_level level, const char *line)
{
	struct world *w = data;

	strbuf_printf(&w->lines, "%s%s\n", level == LOG_LEVEL_WARNING ? "WARNING: " : "", line);
}

/* A merged /usr, as Debian has it. */
static struct host_folder merged_usr[] = {
	{ .path = "/bin", .canonical = "/usr/bin", .link = "usr/bin", .is_directory = true },
	{ .path = "/usr/bin", .canonical = "/usr/bin", .is_directory = true },
	{ .path = "/lib", .canonical = "/usr/lib", .link = "usr/lib", .is_directory = true },
	{ .path = "/usr/lib", .canonical = "/usr/lib", .is_directory = true },
	{ .path = "/etc", .canonical = "/etc", .is_directory = true },
};

static inline void world_init(struct world *w)
{
	*w = (struct world){ .arena = arena_new() };
	assert_non_null(w->arena);
	w->log = (struct log){ .level = LOG_LEVEL_DEBUG, .write = keep_line, .data = w };
	w->facts = (struct host_facts){
		.arena = w->arena,
		.is_privileged = true,
		.cwd = "/work",
		.v2_base = "/",
		.layout = CGROUP_LAYOUT_V2,
	};
	w->objects.folders = merged_usr;
	w->objects.folder_count = array_size(merged_usr);
	w->objects.has_sysfs = true;
}

static inline void world_user(struct world *w)
{
	world_init(w);
	w->facts.is_privileged = false;
	w->facts.uid = w->facts.euid = 1000;
	w->facts.gid = w->facts.egid = 1001;
	w->facts.v2_base = NULL;
}

static inline void world_done(struct world *w)
{
	err_free_ptr(&w->err);
	strbuf_done(&w->lines);
	arena_free_ptr(&w->arena);
}

static inline void world_files(struct world *w, const struct fake_file *files, size_t count)
{
	w->files = files;
	w->file_count = count;
}

static inline const char *unquote(struct world *w, const char *quoted)
{
	char *text = arena_strdup(w->arena, quoted), *c;

	for (c = text; *c; c++)
		if (*c == '\'')
			*c = '"';
	return text;
}

static inline int world_parse(struct world *w, const char *quoted)
{
	const char *text = unquote(w, quoted);

	err_free_ptr(&w->err);
	w->config = NULL;
	return mxc_read(w->arena, text, strlen(text), "policy.json", &w->log, &w->config, &w->err);
}

/* A number for a path that is no other one's in these tests. */
static inline uint64_t path_number(const char *path)
{
	uint64_t number = 14695981039346656037u;

	for (; *path; path++)
		number = (number ^ (unsigned char)*path) * 1099511628211u;
	return number | 1u << 20;
}

static inline void fake_lookup(struct world *w, const char *path, struct host_object *object)
{
	struct fake_file file = { .path = path };
	char *absolute = path[0] == '/'
				 ? path_clean(path)
				 : path_clean(arena_printf(w->arena, "%s/%s", w->facts.cwd, path));
	size_t i;

	for (i = 0; i < w->file_count; i++)
		if (strcmp(w->files[i].path, absolute) == 0)
			file = w->files[i];
	*object = (struct host_object){
		.path = path,
		.absolute = arena_strdup(w->arena, absolute),
		.error = file.error,
		.read_error = file.read_error,
		.write_error = file.write_error,
		.mode = file.mode ? file.mode : S_IFDIR | 0755,
		.canonical = file.canonical ? file.canonical : arena_strdup(w->arena, absolute),
	};
	if (!file.error) {
		object->dev = 5;
		object->ino = file.ino ? file.ino : path_number(object->canonical);
	} else if (file.error != ENOENT && file.error != ENOTDIR) {
		object->canonical = NULL;
	}
	free(absolute);
}

static inline int compare_held(const void *a, const void *b)
{
	return strcmp(((const struct host_object *)a)->path, ((const struct host_object *)b)->path);
}

/* All folders above what is listed. */
static inline void fake_held_folders(struct world *w)
{
	struct host_object *folders;
	size_t count = 0, found = 0;

	for (size_t i = 0; i < w->objects.count; i++)
		for (const char *c = w->objects.items[i].canonical; c && *c; c++)
			count += *c == '/';
	folders = arena_array(w->arena, count, sizeof(*folders));
	for (size_t i = 0; i < w->objects.count; i++) {
		const char *path = w->objects.items[i].canonical;

		for (const char *c = path ? strchr(path + 1, '/') : NULL; c; c = strchr(c + 1, '/'))
			fake_lookup(w, arena_strndup(w->arena, path, (size_t)(c - path)), &folders[found++]);
	}
	qsort(folders, found, sizeof(*folders), compare_held);
	w->objects.held_folders = folders;
	w->objects.held_folder_count = found;
}

static inline int world_resolve(struct world *w, const char *quoted)
{
	struct object_request *requests;
	struct policy_work *work;
	size_t count, i;
	int r = world_parse(w, quoted);

	w->decisions = NULL;
	if (r == 0 && w->config->containment == MXC_LXC)
		r = policy_image_name(w->config, &(struct image_name){ 0 }, &w->err);
	if (r < 0)
		return r;
	assert_int_equal(policy_requests(w->arena, w->config, w->objects.image, &requests, &count, NULL), 0);
	w->objects.items = arena_array(w->arena, count, sizeof(*w->objects.items));
	w->objects.count = count;
	for (i = 0; i < count; i++)
		fake_lookup(w, requests[i].path, &w->objects.items[i]);
	fake_held_folders(w);
	r = policy_check(w->arena, w->config, &w->facts, &w->objects, &w->log, &work, &w->err);
	return r == 0 ? policy_resolve(work, &w->decisions, &w->err) : r;
}

static inline void check_closed(const struct world *w, const struct plan_policy_request *request)
{
	cleanup_arena struct arena *shared = is_under_valgrind() ? NULL : arena_new_shared();
	const struct plan *plan;

	if (is_under_valgrind())
		return;
	assert_non_null(shared);
	assert_int_equal(plan_from_policy(shared, w->decisions, request, &w->facts, NULL, &plan, NULL), 0);
	assert_closed(shared, plan);
}

static inline int world_plan(struct world *w, const char *quoted)
{
	const struct plan_policy_request request = { .id = "sandbox-0123456789abcdef", .keeps_rules = true, .owner = w->owner };
	int r = world_resolve(w, quoted);

	w->plan = NULL;
	if (r == 0)
		r = plan_from_policy(w->arena, w->decisions, &request, &w->facts, &w->log, &w->plan, &w->err);
	if (r == 0)
		check_closed(w, &request);
	return r;
}

static inline void world_explain(const struct world *w, const char *quoted)
{
	cleanup_free char *line = err_format(w->err);

	print_error("%s\n  %s\n", quoted, line);
}

static inline void world_accept(struct world *w, const char *quoted)
{
	if (world_resolve(w, quoted) < 0)
		world_explain(w, quoted);
	assert_non_null(w->decisions);
	assert_null(w->err);
}

static inline void check_refusal(struct world *w, const char *quoted, int r, enum err_code code,
				 const char *words)
{
	cleanup_free char *line = NULL;

	if (r >= 0)
		print_error("accepted: %s\n", quoted);
	assert_true(r < 0);
	assert_non_null(w->err);
	line = err_format(w->err);
	if (err_root_code(w->err) != code || !strstr(line, words))
		print_error("%s\n\"%s\" (%s) does not say \"%s\" (%s)\n", quoted, line,
			    err_code_name(err_root_code(w->err)), words, err_code_name(code));
	assert_int_equal(err_root_code(w->err), code);
	assert_non_null(strstr(line, words));
	assert_null(strchr(line, '\n'));
	assert_true(strlen(line) < 1200);
}

/* Refused by the parser. */
static inline void world_malformed(struct world *w, const char *quoted, const char *words)
{
	check_refusal(w, quoted, world_parse(w, quoted), E_CONFIG, words);
	assert_null(w->config);
}

/* Read, and refused by the policy. */
static inline void world_refuse(struct world *w, const char *quoted, enum err_code code,
				const char *pointer, const char *words)
{
	check_refusal(w, quoted, world_resolve(w, quoted), code, words);
	assert_non_null(w->config);
	if (pointer) {
		assert_non_null(w->err->pointer);
		assert_string_equal(w->err->pointer, pointer);
	}
}

#endif

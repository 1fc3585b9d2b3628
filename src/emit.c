/* emit.c - `mxcrun emit TARGET`: a bundle or an MXC configuration in somebody else's form. What is printed is the plan's; what
 * the form can't say is refused by name, and what it says with a difference is named on stderr. */

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"
#include "bundle.h"
#include "engine/bwrap/emit.h"
#include "engine/items.h"
#include "engine/lxc/emit.h"
#include "engine/oci/emit.h"
#include "engine/words.h"
#include "mxc_source.h"

#define EMIT_DEFAULT_ID "container"
#define FOREIGN_ID 65534

struct emit_options {
	struct bundle_options bundle;
	const char *policy, *output, *bwrap_version;
	int form;	/* index into form_words */
	bool wants_matrix;
};

enum form { FORM_SHELL, FORM_JSON, FORM_NUL };
static const char *const form_words[] = { "shell", "json", "nul", NULL };

/* Of emit and of mxc emit. */
#define EMIT_OPTION_ROWS(o)                                                                             \
	{ "output", 'o', OPT_STRING, &(o).output, NULL, "DIR",                                          \
	  "make this folder and write into it all that is needed" },                                    \
	{ "bwrap-version", '\0', OPT_STRING, &(o).bwrap_version, NULL, "VERSION",                       \
	  "bwrap: the oldest that is to take the command (default: 0.7)" },                             \
	{                                                                                               \
		"form", '\0', OPT_WORD, &(o).form, form_words, "shell|json|nul", "how a command is written" \
	}

static int prepare(struct program *program, const struct emit_options *options, const char *id, struct prepared *ret,
		   struct err **err)
{
	cleanup_policy_document struct policy_document document = { 0 };
	struct mxc_source source = { .positional = options->policy };
	char sandbox_id[SANDBOX_ID_SIZE], state[PATH_MAX];
	struct plan_policy_request request = {
		.id = id ? id : sandbox_id,
		.manager = (enum plan_cgroup_manager)program->cgroup_manager,
		.is_text = true,
		.policy = options->policy ? mxc_source_file(&source) : NULL,
		.admin_config = program->admin_config,
		.keeps_rules = true,
	};
	struct bundle_request bundle;
	int r = id ? store_check_id(id, err) : 0;

	if (r == 0)
		r = program_facts(program, err);
	if (r < 0)
		return r;
	if (!options->policy) {
		r = bundle_request_fill(program, &options->bundle, id ? id : EMIT_DEFAULT_ID, &bundle, err);
		bundle.request.plan.is_text = true;
		bundle.request.plan.keeps_rules = true;
		return r < 0 ? r : prepare_bundle(&program->facts, &program->log, &bundle.request.plan, ret, err);
	}
	r = mxc_source_parse(&source, &program->log, &document, err);
	if (r == 0)
		r = sandbox_new_id(sandbox_id, err);
	if (r == 0)
		r = program_records(program, STORE_READ, &request, state, err);
	return r < 0 ? r : prepare_policy(&program->facts, &program->log, &document, &request, ret, err);
}

static void tell_note(void *data, const struct engine_item *item, const struct item_support *support)
{
	const struct program *program = data;

	log_warning(&program->log, "%s: %s", image_at(item->name), image_at(support->what));
}

/* ---- a bundle on disk ---- */

/* The owner of a cover may not be the workload's own id, where we can give it another. */
static int give_away(int dir_fd, const struct oci_file *file, const struct host_facts *facts)
{
	if (!file->is_foreign || !facts->is_privileged)
		return 0;
	return fchownat(dir_fd, file->path, FOREIGN_ID, FOREIGN_ID, AT_SYMLINK_NOFOLLOW) < 0 ? -errno : 0;
}

static int write_file(int dir_fd, const struct oci_file *file)
{
	cleanup_close int fd = -1;

	if (file->target)
		return symlinkat(file->target, dir_fd, file->path) < 0 ? -errno : 0;
	if (file->is_directory)
		return mkdirat(dir_fd, file->path, file->mode) < 0 ? -errno : 0;
	fd = openat(dir_fd, file->path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, file->mode);
	return fd < 0 ? -errno : 0;
}

/* A link may lie deeper than any folder that was named. */
static int make_parents(int dir_fd, const char *path)
{
	char parent[PATH_MAX];

	for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
		if ((size_t)(slash - path) >= sizeof(parent))
			return -ENAMETOOLONG;
		memcpy(parent, path, (size_t)(slash - path));
		parent[slash - path] = 0;
		if (mkdirat(dir_fd, parent, 0755) < 0 && errno != EEXIST)
			return -errno;
	}
	return 0;
}

static int write_files(int dir_fd, const struct oci_files *files, const struct host_facts *facts, struct err **err)
{
	int r = 0;

	for (size_t i = 0; i < files->count && r == 0; i++) {
		r = make_parents(dir_fd, files->items[i].path);
		if (r == 0)
			r = write_file(dir_fd, &files->items[i]);
		if (r == 0)
			r = give_away(dir_fd, &files->items[i], facts);
		if (r < 0)
			return err_sys(err, E_USAGE, -r, "write", files->items[i].path, NULL);
	}
	return r;
}

static int make_folder(const char *path, int *ret_fd, struct err **err)
{
	if (mkdir(path, 0755) < 0)
		return err_sys(err, E_USAGE, errno, "mkdir", path, NULL);
	*ret_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return *ret_fd < 0 ? err_sys(err, E_USAGE, errno, "open", path, NULL) : 0;
}

static int write_bundle(const char *path, struct json_writer *config, const struct oci_files *files,
			const struct host_facts *facts, struct err **err)
{
	cleanup_close int dir_fd = -1;
	int r = make_folder(path, &dir_fd, err);

	if (r == 0)
		r = write_files(dir_fd, files, facts, err);
	if (r < 0)
		return r;
	strbuf_putc(&config->out, '\n');
	r = fd_replace_file(dir_fd, "config.json", config->out.data, config->out.len, 0644);
	return r < 0 ? err_sys(err, E_USAGE, -r, "write", "config.json", NULL) : 0;
}

static int emit_oci(struct program *program, const struct emit_options *options, const struct plan *plan, struct err **err)
{
	cleanup_json_writer struct json_writer config = JSON_WRITER_INIT;
	cleanup_arena struct arena *arena = arena_new();
	struct oci_files files;
	int r = arena ? oci_emit(arena, plan, &config, &files, err) : err_nomem(err);

	if (r < 0)
		return r;
	items_visit_notes(plan, TARGET_OCI, 0, tell_note, program);
	if (options->output)
		return write_bundle(options->output, &config, &files, &program->facts, err);
	if (files.count)
		log_warning(&program->log, "the bundle needs files beside its config.json: --output writes them");
	return output_json(&config, err);
}

/* ---- a bwrap command ---- */

static enum kernel_object look(const char *path)
{
	struct stat st;

	if (lstat(path, &st) < 0)
		return OBJECT_ABSENT;
	return S_ISDIR(st.st_mode) ? OBJECT_DIRECTORY : OBJECT_FILE;
}

/* The script starts bwrap in the folder of who calls it, which may be the workload's, too. */
static int write_script(int dir_fd, const struct bwrap_command *command, const char *folder, struct err **err)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	int r;

	strbuf_puts(&text, "#!/bin/bash\nexec ");
	bwrap_print_shell(command, folder, &text);
	if (text.failed)
		return err_nomem(err);
	r = fd_replace_file(dir_fd, "run", text.data, text.len, 0755);
	return r < 0 ? err_sys(err, E_USAGE, -r, "write", "run", NULL) : 0;
}

static int write_command(const char *path, const struct bwrap_command *command, struct err **err)
{
	cleanup_close int dir_fd = -1;
	char folder[PATH_MAX];
	int r = make_folder(path, &dir_fd, err);

	if (r < 0)
		return r;
	if (!realpath(path, folder))
		return err_sys(err, E_USAGE, errno, "realpath", path, NULL);
	for (size_t i = 0; i < command->descriptor_count && r == 0; i++) {
		const struct bwrap_descriptor *descriptor = &command->descriptors[i];

		if (descriptor->data)
			r = fd_replace_file(dir_fd, BWRAP_SECCOMP_FILE, descriptor->data, descriptor->length, 0644);
	}
	if (r < 0)
		return err_sys(err, E_USAGE, -r, "write", BWRAP_SECCOMP_FILE, NULL);
	return write_script(dir_fd, command, folder, err);
}

/* It may hold NUL bytes. */
static int write_out(const struct strbuf *text, struct err **err)
{
	int r = text->failed ? -ENOMEM : fd_write_all(STDOUT_FILENO, text->data, text->len);

	return r < 0 ? err_sys(err, E_USAGE, -r, "write", "standard output", NULL) : 0;
}

static int print_command(const struct bwrap_command *command, int form, struct err **err)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	if (form == FORM_JSON)
		bwrap_print_json(command, &text);
	else if (form == FORM_NUL)
		bwrap_print_nul(command, &text);
	else
		bwrap_print_shell(command, NULL, &text);
	return write_out(&text, err);
}

/* "0.11", "0.11.2": 11. A later major version has all that we know of. */
static int read_version(const char *text, unsigned int *ret, struct err **err)
{
	unsigned int major, minor;
	int end = 0;

	if (strspn(text, "0123456789.") != strlen(text) || sscanf(text, "%3u.%3u%n", &major, &minor, &end) != 2 ||
	    (text[end] && text[end] != '.'))
		return err_set(err, E_USAGE, 0, NULL, "--bwrap-version: expected a version like 0.%d, found \"%.32s\"", BWRAP_VERSION, text);
	if (!major && minor < BWRAP_OLDEST)
		return err_set(err, E_USAGE, 0, NULL, "--bwrap-version: nothing is written for a bubblewrap before 0.%d", BWRAP_OLDEST);
	*ret = major ? UINT_MAX : minor;
	return 0;
}

static int emit_bwrap(struct program *program, const struct emit_options *options, const struct plan *plan, struct err **err)
{
	cleanup_arena struct arena *arena = arena_new();
	struct bwrap_use use = { .target = TARGET_BWRAP, .version = BWRAP_VERSION, .look = look };
	struct bwrap_command command;
	int r = options->bwrap_version ? read_version(options->bwrap_version, &use.version, err) : 0;

	if (r == 0)
		r = arena ? bwrap_emit(arena, plan, &use, &command, err) : err_nomem(err);

	if (r < 0)
		return r;
	items_visit_notes(plan, TARGET_BWRAP, use.version, tell_note, program);
	return options->output ? write_command(options->output, &command, err) : print_command(&command, options->form, err);
}

/* ---- a container of LXC ---- */

static int write_text(int dir_fd, const char *name, struct strbuf *text, mode_t mode, struct err **err)
{
	int r = text->failed ? -ENOMEM : fd_replace_file(dir_fd, name, strbuf_str(text), text->len, mode);

	return r < 0 ? err_sys(err, E_USAGE, -r, "write", name, NULL) : 0;
}

static int write_container(const char *path, struct lxc_container *container, const struct host_facts *facts, struct err **err)
{
	cleanup_strbuf struct strbuf script = STRBUF_INIT;
	cleanup_close int dir_fd = -1;
	int r = make_folder(path, &dir_fd, err);

	if (r == 0)
		r = write_files(dir_fd, &container->files, facts, err);
	if (r == 0)
		r = write_text(dir_fd, LXC_CONFIG_FILE, &container->config, 0644, err);
	if (r == 0 && container->seccomp.len)
		r = write_text(dir_fd, LXC_SECCOMP_FILE, &container->seccomp, 0644, err);
	strbuf_puts(&script, "#!/bin/sh\nexec ");
	words_put_shell(&script, container->argv, container->count);
	strbuf_putc(&script, '\n');
	return r < 0 ? r : write_text(dir_fd, "run", &script, 0755, err);
}

/* The configuration, with its command in front. */
static int print_container(struct lxc_container *container, int form, struct err **err)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	if (form == FORM_JSON) {
		lxc_print_json(container, &text);
	} else if (form == FORM_NUL) {
		words_put_nul(&text, container->argv, container->count);
	} else {
		cleanup_strbuf struct strbuf command = STRBUF_INIT;

		words_put_shell(&command, container->argv, container->count);
		text.failed |= command.failed;
		/* a comment ends with its line, and a word may have several */
		strbuf_puts(&text, "# ");
		for (const char *at = strbuf_str(&command); *at; at++)
			strbuf_puts(&text, *at == '\n' ? "\n# " : (char[]){ *at, 0 });
		strbuf_putc(&text, '\n');
		strbuf_puts(&text, strbuf_str(&container->config));
	}
	return write_out(&text, err);
}

/* Where the folder will be; it does not exist yet. */
static int find_folder(const char *output, char folder[static PATH_MAX], struct err **err)
{
	const char *last = strrchr(output, '/');
	cleanup_free char *parent = !last ? strdup(".") : last == output ? strdup("/") : strndup(output, (size_t)(last - output));
	size_t len;

	if (!parent)
		return err_nomem(err);
	if (!realpath(parent, folder))
		return err_sys(err, E_USAGE, errno, "realpath", parent, NULL);
	len = strlen(folder);
	if ((size_t)snprintf(folder + len, PATH_MAX - len, "%s%s", len > 1 ? "/" : "", last ? last + 1 : output) >= PATH_MAX - len)
		return err_sys(err, E_USAGE, ENAMETOOLONG, "realpath", output, NULL);
	return 0;
}

/* The root is built in the folder: a bind of all that lies around would bind what is built already. */
static int check_folder(const struct plan *plan, const char *folder, struct err **err)
{
	for (size_t i = 0; i < plan->mount_count; i++)
		if (plan->mounts[i].kind == MOUNT_BIND && plan->mounts[i].is_recursive &&
		    path_is_within(folder, plan->mounts[i].source))
			return err_set(err, E_USAGE, EINVAL, plan->mounts[i].pointer,
				       "the folder %s lies in %s, which the container gets: write it elsewhere", folder,
				       plan->mounts[i].source);
	return 0;
}

static int emit_lxc(struct program *program, const struct emit_options *options, const struct plan *plan, struct err **err)
{
	cleanup_lxc_container struct lxc_container container = LXC_CONTAINER_INIT;
	cleanup_arena struct arena *arena = arena_new();
	char folder[PATH_MAX];
	const struct lxc_use use = {
		.target = TARGET_LXC, .folder = folder, .look = look, .is_unified = program->facts.layout == CGROUP_LAYOUT_V2,
	};
	int r = arena ? find_folder(options->output ? options->output : plan->id, folder, err) : err_nomem(err);

	if (r == 0)
		r = check_folder(plan, folder, err);
	if (r == 0)
		r = lxc_emit(arena, plan, &use, &container, err);
	if (r < 0)
		return r;
	items_visit_notes(plan, TARGET_LXC, 0, tell_note, program);
	if (options->output)
		return write_container(options->output, &container, &program->facts, err);
	log_warning(&program->log, "the container needs files in %s: --output writes them", folder);
	return print_container(&container, options->form, err);
}

/* ---- the command ---- */

static const struct {
	const char *name;
	int (*emit)(struct program *program, const struct emit_options *options, const struct plan *plan, struct err **err);
} targets[] = { { "oci", emit_oci }, { "bwrap", emit_bwrap }, { "lxc", emit_lxc } };

static int print_matrix(struct err **err)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	items_print_matrix(&text);
	return text.failed ? err_nomem(err) : output_text(strbuf_str(&text), err);
}

static int emit(struct program *program, const struct emit_options *options, const struct arguments *arguments, struct err **err)
{
	cleanup_prepared struct prepared prepared = PREPARED_INIT;
	const char *target = arguments->count ? arguments->items[0] : "";
	size_t i = 0;
	int r;

	if (options->wants_matrix)
		return print_matrix(err);
	while (i < array_size(targets) && strcmp(target, targets[i].name) != 0)
		i++;
	if (i == array_size(targets))
		return err_set(err, E_USAGE, 0, NULL, "\"emit\" needs a target: oci, bwrap or lxc");
	if (options->bwrap_version && strcmp(target, "bwrap") != 0)
		return err_set(err, E_USAGE, 0, NULL, "--bwrap-version goes only with \"emit bwrap\"");
	r = prepare(program, options, arguments->count > 1 ? arguments->items[1] : NULL, &prepared, err);
	return r < 0 ? r : targets[i].emit(program, options, prepared.plan, err);
}

int command_emit(struct program *program, int argc, char **argv)
{
	cleanup_err struct err *err = NULL;
	struct emit_options options = { .bundle = BUNDLE_OPTIONS_INIT };
	struct arguments arguments;
	int exit_code;
	const struct option_row rows[] = {
		{ "bundle", 'b', OPT_STRING, &options.bundle.bundle, NULL, "DIR", "the bundle (default: here)" },
		{ "config", 'f', OPT_STRING, &options.bundle.config, NULL, "FILE",
		  "the configuration (default: the bundle's config.json)" },
		{ "mxc", '\0', OPT_STRING, &options.policy, NULL, "FILE",
		  "an MXC configuration instead of a bundle; \"-\": stdin" },
		EMIT_OPTION_ROWS(options),
		{ "matrix", '\0', OPT_FLAG, &options.wants_matrix, NULL, NULL,
		  "print what each target does about each item of a plan" },
		{ 0 },
	};
	const struct command_usage usage = {
		.name = "emit",
		.arguments = "oci|bwrap|lxc [ID]",
		.options = rows,
		.most = 2,
		.summary = "Print a bundle or an MXC configuration in the form of another runtime",
	};

	if (!program_arguments(program, &usage, argc, argv, &arguments, &exit_code))
		return exit_code;
	return emit(program, &options, &arguments, &err) < 0 ? program_fail(program, err) : 0;
}

int command_mxc_emit(struct program *program, int argc, char **argv)
{
	cleanup_err struct err *err = NULL;
	struct emit_options options = { .bundle = BUNDLE_OPTIONS_INIT };
	struct arguments arguments;
	int exit_code;
	const struct option_row rows[] = {
		EMIT_OPTION_ROWS(options),
		{ 0 },
	};
	const struct command_usage usage = {
		.name = "mxc emit",
		.arguments = "oci|bwrap|lxc CONFIG",
		.options = rows,
		.least = 2,
		.most = 2,
		.summary = "Print an MXC configuration in the form of another runtime",
	};

	if (!program_arguments(program, &usage, argc, argv, &arguments, &exit_code))
		return exit_code;
	options.policy = arguments.items[1];
	arguments.count = 1;
	return emit(program, &options, &arguments, &err) < 0 ? program_fail(program, err) : 0;
}

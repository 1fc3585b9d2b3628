/* features.c - `mxcrun features`: the specification's features document, out of the tables that the
 * parser and the planner work by. What they refuse is not in it. */

#include <string.h>

#include "config/oci_tables.h"
#include "plan/caps.h"
#include "plan/options.h"
#include "plan/seccomp.h"
#include "program.h"
#include "version.h"

static void put_words(struct json_writer *w, const char *key, const char *const *words)
{
	json_open(w, key, '[');
	for (; *words; words++)
		json_put_string(w, NULL, *words);
	json_close(w, ']');
}

static const struct field *find_field(const struct field *fields, const char *key)
{
	while (fields->key.raw && strcmp(image_at(fields->key), key) != 0)
		fields++;
	return fields;
}

static void put_hooks(struct json_writer *w)
{
	const struct field *row = find_field(oci_config_fields, "hooks");

	json_open(w, "hooks", '[');
	for (const struct field *hook = image_at(row->table); hook && hook->key.raw; hook++)
		json_put_string(w, NULL, image_at(hook->key));
	json_close(w, ']');
}

static void put_mount_options(struct json_writer *w)
{
	json_open(w, "mountOptions", '[');
	for (const struct mount_option *option = mount_options; option->name; option++)
		json_put_string(w, NULL, option->name);
	json_close(w, ']');
}

static void put_capabilities(struct json_writer *w)
{
	json_open(w, "capabilities", '[');
	for (unsigned int i = 0; i < CAPS_KNOWN; i++)
		json_put_string(w, NULL, caps_name(i));
	json_close(w, ']');
}

static void put_cgroup(struct json_writer *w)
{
	json_open(w, "cgroup", '{');
	json_put_bool(w, "v1", true);
	json_put_bool(w, "v2", true);
	json_put_bool(w, "systemd", true);
	json_put_bool(w, "systemdUser", true);
	json_put_bool(w, "rdma", true);
	json_close(w, '}');
}

static void put_seccomp(struct json_writer *w)
{
	json_open(w, "seccomp", '{');
	json_put_bool(w, "enabled", true);
	put_words(w, "actions", seccomp_action_words);
	put_words(w, "operators", seccomp_operator_words);
	put_words(w, "archs", seccomp_arch_words());
	put_words(w, "knownFlags", seccomp_flag_words);
	put_words(w, "supportedFlags", seccomp_flag_words);
	json_close(w, '}');
}

static void put_enabled(struct json_writer *w, const char *key, bool enabled)
{
	json_open(w, key, '{');
	json_put_bool(w, "enabled", enabled);
	json_close(w, '}');
}

static void put_linux(struct json_writer *w)
{
	json_open(w, "linux", '{');
	put_words(w, "namespaces", oci_namespace_words);
	put_capabilities(w);
	put_cgroup(w);
	put_seccomp(w);
	put_enabled(w, "apparmor", true);
	put_enabled(w, "selinux", true);
	json_open(w, "intelRdt", '{');
	json_put_bool(w, "enabled", true);
	json_put_bool(w, "schemata", true);
	json_put_bool(w, "monitoring", true);
	json_close(w, '}');
	json_open(w, "mountExtensions", '{');
	put_enabled(w, "idmap", true);
	json_close(w, '}');
	put_enabled(w, "netDevices", true);
	json_open(w, "memoryPolicy", '{');
	put_words(w, "modes", oci_memory_mode_words);
	put_words(w, "flags", memory_policy_flag_words);
	json_close(w, '}');
	json_close(w, '}');
}

/* What an engine must not let a less trusted author of annotations say; a dot at the end: all that begin so. Those of run.oci. that
 * change nothing here are refused, or another runtime's. */
static const char *const unsafe_annotations[] = {
	"mxc.",
	"org.criu.config",
	"org.systemd.property.",
	"run.oci.hooks.stderr",
	"run.oci.hooks.stdout",
	"run.oci.keep_original_groups",
	"run.oci.seccomp.receiver",
	NULL,
};

static int print_features(struct err **err)
{
	cleanup_json_writer struct json_writer w = JSON_WRITER_INIT;

	json_open(&w, NULL, '{');
	json_put_string(&w, "ociVersionMin", OCI_VERSION_MIN);
	json_put_string(&w, "ociVersionMax", OCI_VERSION_MAX);
	put_hooks(&w);
	put_mount_options(&w);
	put_linux(&w);
	json_open(&w, "annotations", '{');
	json_put_string(&w, "io.github.mxcrun.version", PACKAGE_VERSION);
	json_put_string(&w, "io.github.seccomp.libseccomp.version", seccomp_library_version());
	json_close(&w, '}');
	put_words(&w, "potentiallyUnsafeConfigAnnotations", unsafe_annotations);
	json_close(&w, '}');
	return output_json(&w, err);
}

int command_features(struct program *program, int argc, char **argv)
{
	cleanup_err struct err *err = NULL;
	struct arguments arguments;
	int exit_code;
	const struct option_row rows[] = { { 0 } };
	const struct command_usage usage = {
		.name = "features",
		.options = rows,
		.summary = "Print what the runtime supports, whatever this host does",
	};

	if (!program_arguments(program, &usage, argc, argv, &arguments, &exit_code))
		return exit_code;
	return print_features(&err) < 0 ? program_fail(program, err) : 0;
}

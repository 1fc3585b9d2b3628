/* image.c - `mxcrun image`: the root file systems that policies with the containment "lxc" run on. */

#include <string.h>

#include "lifecycle/images.h"
#include "program.h"

enum image_format { IMAGE_TABLE, IMAGE_JSON };
static const char *const image_format_words[] = { [IMAGE_TABLE] = "table", [IMAGE_JSON] = "json", NULL };

static const struct option_row no_options[] = { { 0 } };

static int remove_image(struct program *program, int argc, char **argv)
{
	static const struct command_usage usage = {
		.name = "image remove",
		.arguments = "DISTRIBUTION RELEASE",
		.options = no_options,
		.least = 2,
		.most = 2,
		.summary = "Remove an image that no sandbox uses from the store",
	};
	cleanup_err struct err *err = NULL;
	struct arguments arguments;
	struct image_name name;
	int exit_code;

	if (!program_arguments(program, &usage, argc, argv, &arguments, &exit_code))
		return exit_code;
	name = (struct image_name){ arguments.items[0], arguments.items[1] };
	if (image_check_name(&name, NULL, &err) < 0 || program_facts(program, &err) < 0 ||
	    images_remove(program->arena, &program->facts, &name, &err) < 0)
		return program_fail(program, err);
	return 0;
}

/* ---- import ---- */

/* Nothing is fetched without the word for it, and nothing that belongs to it is ignored without. */
static int check_source(const struct image_download *from, const char *source, struct err **err)
{
	if (from->is_asked && source)
		return err_set(err, E_USAGE, 0, NULL, "--download takes the place of a directory or a tarball: one of them is too much");
	if (!from->is_asked && !source)
		return err_set(err, E_USAGE, 0, NULL, "a directory or a tarball is missing, or --download, which fetches the image from a server");
	if (!from->is_asked && (from->server || from->variant || from->sha256))
		return err_set(err, E_USAGE, 0, NULL, "--server, --variant and --sha256 say something of --download, which is missing");
	return 0;
}

static int import_image(struct program *program, const struct image_name *name, const char *source, const struct image_download *from,
			struct err **err)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	struct image_origin origin = { 0 };
	int r = image_check_name(name, NULL, err);

	if (r == 0)
		r = check_source(from, source, err);
	if (r == 0)
		r = program_facts(program, err);
	if (r == 0)
		r = images_import(program->arena, &program->facts, name, source, from, &origin, err);
	if (r < 0 || source)
		return r;
	strbuf_printf(&text, "%s %s: build %s of %s, sha256 %s\n", name->distribution, name->release, origin.build, origin.server, origin.sha256);
	return text.failed ? err_nomem(err) : output_text(strbuf_str(&text), err);
}

static int import(struct program *program, int argc, char **argv)
{
	struct image_download from = { 0 };
	const struct option_row rows[] = {
		{ "download", '\0', OPT_FLAG, &from.is_asked, NULL, NULL, "fetch the image, by LXC's download template" },
		{ "server", '\0', OPT_STRING, &from.server, NULL, "HOST", "from this image server, by https" },
		{ "variant", '\0', OPT_STRING, &from.variant, NULL, "WORD", "another variant of the image than \"default\"" },
		{ "sha256", '\0', OPT_STRING, &from.sha256, NULL, "SUM", "only if its tarball has this sum" },
		{ 0 },
	};
	const struct command_usage usage = {
		.name = "image import",
		.arguments = "DISTRIBUTION RELEASE DIRECTORY|TARBALL|--download",
		.options = rows,
		.least = 2,
		.most = 3,
		.summary = "Take a root file system into the store, as the image of a distribution's release",
	};
	cleanup_err struct err *err = NULL;
	struct arguments arguments;
	int exit_code;

	if (!program_arguments(program, &usage, argc, argv, &arguments, &exit_code))
		return exit_code;
	if (import_image(program, &(struct image_name){ arguments.items[0], arguments.items[1] },
			 arguments.count > 2 ? arguments.items[2] : NULL, &from, &err) < 0)
		return program_fail(program, err);
	return 0;
}

/* ---- list ---- */

static int print_json(const struct image_listed *items, size_t count, struct err **err)
{
	cleanup_json_writer struct json_writer w = JSON_WRITER_INIT;

	json_open(&w, NULL, '[');
	for (size_t i = 0; i < count; i++) {
		json_open(&w, NULL, '{');
		json_put_string(&w, "distribution", items[i].distribution);
		json_put_string(&w, "release", items[i].release);
		json_put_string(&w, "architecture", items[i].architecture);
		json_put_string(&w, "path", items[i].path);
		json_close(&w, '}');
	}
	json_close(&w, ']');
	return output_json(&w, err);
}

static int print_table(const struct image_listed *items, size_t count, struct err **err)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	strbuf_printf(&text, "%-20s %-16s %-8s %s\n", "DISTRIBUTION", "RELEASE", "ARCH", "PATH");
	for (size_t i = 0; i < count; i++)
		strbuf_printf(&text, "%-20s %-16s %-8s %s\n", items[i].distribution, items[i].release, items[i].architecture,
			      items[i].path);
	return text.failed ? err_nomem(err) : output_text(strbuf_str(&text), err);
}

static int list(struct program *program, int argc, char **argv)
{
	int format = IMAGE_TABLE;
	const struct option_row rows[] = {
		{ "format", 'f', OPT_WORD, &format, image_format_words, "table|json", "form of the list" },
		{ 0 },
	};
	const struct command_usage usage = {
		.name = "image list",
		.options = rows,
		.summary = "List the images of the store",
	};
	cleanup_err struct err *err = NULL;
	struct image_listed *items;
	struct arguments arguments;
	int exit_code;
	size_t count;

	if (!program_arguments(program, &usage, argc, argv, &arguments, &exit_code))
		return exit_code;
	if (program_facts(program, &err) == 0 && images_list(program->arena, &program->facts, &items, &count, &err) == 0 &&
	    (format == IMAGE_JSON ? print_json : print_table)(items, count, &err) == 0)
		return 0;
	return program_fail(program, err);
}

int command_image(struct program *program, int argc, char **argv)
{
	cleanup_err struct err *err = NULL;
	const char *name = argc > 0 ? argv[0] : "";

	if (!strcmp(name, "import"))
		return import(program, argc - 1, argv + 1);
	if (!strcmp(name, "list"))
		return list(program, argc - 1, argv + 1);
	if (!strcmp(name, "remove"))
		return remove_image(program, argc - 1, argv + 1);
	if (!strcmp(name, "--help") || !strcmp(name, "-h"))
		return output_text("Usage: mxcrun image import DISTRIBUTION RELEASE DIRECTORY|TARBALL\n"
				   "       mxcrun image import --download [--server HOST] [--variant WORD] [--sha256 SUM] DISTRIBUTION RELEASE\n"
				   "       mxcrun image list [--format table|json]\n"
				   "       mxcrun image remove DISTRIBUTION RELEASE\n",
				   NULL) < 0 ? EXIT_CODE_FAILURE : 0;
	err_set(&err, E_USAGE, 0, NULL, "\"image\" needs one of: import, list, remove");
	return program_fail(program, err);
}

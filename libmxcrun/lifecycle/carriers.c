/* carriers.c - see carriers.h. Who may grant is decided here and nowhere else: the bundle's author may, an annotation
 * only what the host's owner lists, and his own policies, which are for every container, never. */
#include "lifecycle/carriers.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"
#include "lifecycle/admin.h"
#include "lifecycle/host_paths.h"
#include "lifecycle/prepare.h"

#define FIXED_CARRIERS 3u /* mxc, mxc.policy, mxc.policy-name */

struct reader {
	struct arena *arena;
	const struct oci_config *config;
	const struct host_facts *facts;
	const struct log *log;
	struct admin admin;
	struct policy_carrier *carriers;
	size_t count, others; /* all, and those before the owner's */
};

/* Who may name a file by which the host's own are judged, and read: not a pod's author. */
enum profile_files { FILES_OF_THE_BUNDLE, FILES_OF_THE_OWNER, FILES_OF_NOBODY };

static int read_profile(struct reader *r, enum profile_files files, struct policy_carrier *carrier, struct err **err)
{
	const char *path = carrier->config->bubblewrap ? carrier->config->bubblewrap->seccomp_profile : NULL;
	const struct json *document = NULL;
	int result;

	if (!path || path[0] != '/')
		return 0;
	if (files == FILES_OF_NOBODY)
		return err_set(err, E_POLICY, 0, arena_printf(r->arena, "%s/bubblewrap/seccompProfile", carrier->prefix),
			       "an annotation names a seccomp profile by its word, not a file of the host");
	result = files == FILES_OF_THE_OWNER ? admin_profile(r->arena, &r->admin, path, r->facts, &document, err)
					     : read_document(r->arena, path, path, &document, err);
	if (result == 0)
		result = oci_parse_seccomp(r->arena, document, r->log, &carrier->seccomp_file, err);
	return result < 0 ? err_wrap(err, "seccomp profile %.512s", path) : 0;
}

static int add(struct reader *r, const struct policy_carrier *carrier, enum profile_files files, const struct json *document,
	       struct err **err)
{
	struct policy_carrier *ret = &r->carriers[r->count++];

	*ret = *carrier;
	if (!ret->name || !ret->prefix)
		return err_nomem(err);
	if (mxc_parse_fragment(r->arena, document, r->log, &ret->config, err) < 0 || read_profile(r, files, ret, err) < 0)
		return err_wrap(err, "%s", ret->name);
	return 0;
}

static int add_section(struct reader *r, struct err **err)
{
	const struct policy_carrier carrier = { .name = "mxc of config.json", .prefix = "/mxc", .grants = GRANTS_ALL };

	if (!r->config->mxc || r->config->mxc->type == JSON_NULL)
		return 0;
	return add(r, &carrier, FILES_OF_THE_BUNDLE, r->config->mxc, err);
}

static struct policy_carrier annotation_carrier(const struct reader *r, const char *name, const char *prefix)
{
	const struct admin_grants *grants = &r->admin.config->annotation_grants;

	return (struct policy_carrier){
		.name = name,
		.prefix = prefix,
		.grants = grants->readonly_paths.count || grants->readwrite_paths.count ? GRANTS_LISTED : GRANTS_NONE,
		.readonly_grants = &grants->readonly_paths,
		.readwrite_grants = &grants->readwrite_paths,
	};
}

static int add_annotation(struct reader *r, struct err **err)
{
	const char *text = oci_annotation(r->config, MXC_POLICY_ANNOTATION);
	struct policy_carrier carrier = annotation_carrier(r, "annotation " MXC_POLICY_ANNOTATION,
							   "/annotations/" MXC_POLICY_ANNOTATION "#");
	const struct json *document;

	if (!text)
		return 0;
	if (json_parse(r->arena, text, strlen(text), carrier.name, &document, err) < 0)
		return -EINVAL;
	return add(r, &carrier, FILES_OF_NOBODY, document, err);
}

static int add_named(struct reader *r, struct err **err)
{
	const char *name = oci_annotation(r->config, MXC_POLICY_NAME_ANNOTATION);
	struct admin_policy policy = { 0 };
	struct policy_carrier carrier;

	if (!name)
		return 0;
	if (admin_named_policy(r->arena, &r->admin, name, r->facts, &policy, err) < 0)
		return err_wrap(err, "annotation " MXC_POLICY_NAME_ANNOTATION);
	carrier = annotation_carrier(r,
				     arena_printf(r->arena, "annotation " MXC_POLICY_NAME_ANNOTATION " (%s)", policy.path),
				     arena_printf(r->arena, "%s#", policy.path));
	return add(r, &carrier, FILES_OF_THE_OWNER, policy.document, err);
}

static int add_owners(struct reader *r, const struct admin_policy *policies, size_t count, struct err **err)
{
	int result = 0;

	r->others = r->count;
	for (size_t i = 0; i < count && result == 0; i++) {
		const struct policy_carrier carrier = {
			.name = policies[i].path,
			.prefix = arena_printf(r->arena, "%s#", policies[i].path),
			.grants = GRANTS_NONE,
		};

		result = add(r, &carrier, FILES_OF_THE_OWNER, policies[i].document, err);
	}
	return result;
}

/* The owner's; room is made for others, which are read by the same configuration. */
static int open_owners(struct reader *r, const char *admin_config, struct admin_policy **ret, size_t *ret_count,
		       struct err **err)
{
	int result = admin_read(r->arena, admin_config, r->facts, r->log, &r->admin, err);

	if (result == 0)
		result = admin_policies(r->arena, &r->admin, r->facts, ret, ret_count, err);
	if (result < 0)
		return result;
	r->carriers = arena_array(r->arena, *ret_count + FIXED_CARRIERS, sizeof(*r->carriers));
	return r->carriers ? 0 : err_nomem(err);
}

static int add_all(struct reader *r, const char *admin_config, struct err **err)
{
	struct admin_policy *policies = NULL;
	size_t count = 0;
	int result = open_owners(r, admin_config, &policies, &count, err);

	if (result == 0)
		result = add_section(r, err);
	if (result == 0)
		result = add_annotation(r, err);
	if (result == 0)
		result = add_named(r, err);
	return result == 0 ? add_owners(r, policies, count, err) : result;
}

/* ---- what is granted ---- */

static int open_image(struct arena *arena, const struct oci_config *config, const char *bundle, struct err **err)
{
	const char *path = config->root ? config->root->path : "", *full;
	int fd;

	full = path[0] == '/' ? path : arena_printf(arena, "%s/%s", bundle, path);
	if (!full)
		return err_nomem(err);
	fd = open(full, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? err_sys(err, E_ROOTFS, errno, "open", full, "/root/path") : fd;
}

static bool is_empty_folder(int image, const char *path)
{
	int fd = path_open_in_root(image, path, O_RDONLY | O_DIRECTORY);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	size_t count = 0;

	if (!dir) {
		fd_close_ptr(&fd);
		return false;
	}
	while (count <= 2 && (errno = 0, readdir(dir))) /* "." and ".." */
		count++;
	/* what can't be read may have something in it */
	count += errno ? 3 : 0;
	closedir(dir);
	return count <= 2;
}

/* What the image has at a path. An empty file or folder is no more than a place to mount on, perhaps left by an earlier run. */
enum image_part { IMAGE_NOTHING, IMAGE_PLACE, IMAGE_CONTENT };

static enum image_part look_in_image(int image, const char *path)
{
	cleanup_close int fd = path_open_in_root(image, path, O_PATH);
	struct stat st;
	bool is_empty;

	if (fd < 0 || fstat(fd, &st) < 0)
		return IMAGE_NOTHING;
	is_empty = S_ISDIR(st.st_mode) ? is_empty_folder(image, path) : S_ISREG(st.st_mode) && !st.st_size;
	return is_empty ? IMAGE_PLACE : IMAGE_CONTENT;
}

/* An empty place is the image's own where the same policy opens it again in what it restricts, or where the host has nothing to bring. */
static void keep_places(const struct policy_combined *combined, const enum image_part *parts, const struct host_objects *objects,
			bool *is_in_image)
{
	for (size_t i = 0; i < combined->grant_count; i++) {
		int error = objects->items[i].error;

		is_in_image[i] |= parts[i] == IMAGE_PLACE && (error == ENOENT || error == ENOTDIR);
	}
}

/* Fills what is asked of the host with requests. */
static int look_up_grants(struct reader *r, const char *bundle, struct plan_carriers *carriers, struct object_request *requests,
			  struct host_objects **ret, struct err **err)
{
	const struct policy_combined *combined = carriers->combined;
	bool *is_in_image = arena_array(r->arena, combined->grant_count, sizeof(*is_in_image));
	enum image_part *parts = arena_array(r->arena, combined->grant_count, sizeof(*parts));
	cleanup_close int image = -1;
	int result;

	if (!is_in_image || !parts)
		return err_nomem(err);
	image = open_image(r->arena, r->config, bundle, err);
	if (image < 0)
		return image;
	for (size_t i = 0; i < combined->grant_count; i++) {
		const struct combined_grant *grant = &combined->grants[i];

		parts[i] = look_in_image(image, grant->path);
		is_in_image[i] = parts[i] == IMAGE_CONTENT || (parts[i] == IMAGE_PLACE && grant->is_hole);
		requests[i] = (struct object_request){
			.path = grant->path,
			.access = grant->intent == INTENT_READWRITE ? R_OK | W_OK : R_OK,
			.role = is_in_image[i] ? OBJECT_PLACE : OBJECT_BOUND,
		};
	}
	result = objects_look_up(r->arena, requests, combined->grant_count, r->facts, NULL, ret, err);
	if (result == 0)
		keep_places(combined, parts, *ret, is_in_image);
	carriers->objects = *ret;
	carriers->is_in_image = is_in_image;
	return result;
}

/* ---- what the policies say of it, by paths of the host ---- */

static bool is_in_grant(const struct object_request *requests, size_t count, const char *path)
{
	cleanup_free char *clean = path_clean(path);

	for (size_t i = 0; i < count; i++)
		if (requests[i].role == OBJECT_BOUND && (!clean || path_is_within(clean, requests[i].path)))
			return true;
	return false;
}

static int keep_granted(struct reader *r, const struct object_request *requests, size_t count, struct string_list *list, struct err **err)
{
	const char **kept = arena_array(r->arena, list->count, sizeof(*kept));
	size_t kept_count = 0;

	if (!kept)
		return err_nomem(err);
	for (size_t i = 0; i < list->count; i++)
		if (is_in_grant(requests, count, list->items[i]))
			kept[kept_count++] = list->items[i];
	list->items = kept;
	list->count = kept_count;
	return 0;
}

/* A path of the host's owner is one of the host as well, anybody else's where it lies in what is granted. */
static int carrier_on_host(struct reader *r, size_t index, const struct object_request *requests, size_t count,
			   struct policy_carrier *ret, struct err **err)
{
	struct mxc_config *config = arena_memdup(r->arena, r->carriers[index].config, sizeof(*config));
	int result = config ? 0 : err_nomem(err);

	if (result == 0 && index < r->others) {
		result = keep_granted(r, requests, count, &config->filesystem.denied_paths, err);
		if (result == 0)
			result = keep_granted(r, requests, count, &config->filesystem.readonly_paths, err);
		if (result == 0)
			result = keep_granted(r, requests, count, &config->filesystem.readwrite_paths, err);
	}
	*ret = r->carriers[index];
	ret->config = config;
	ret->grants = GRANTS_ALL; /* which of them may, was decided before */
	return result == 0 ? host_paths_follow(r->arena, r->facts, ret, err) : result;
}

static int restrict_grants(struct reader *r, const struct object_request *requests, const struct host_objects *objects,
			   struct plan_carriers *carriers, struct err **err)
{
	struct plan_owner *on_host = arena_alloc(r->arena, sizeof(*on_host));
	struct policy_combined *combined = arena_alloc(r->arena, sizeof(*combined));
	struct policy_carrier *copies = arena_array(r->arena, r->count, sizeof(*copies));
	struct host_objects shown = *objects;
	int result = on_host && combined && copies ? 0 : err_nomem(err);

	shown.folder_count = 0;
	for (size_t i = 0; i < r->count && result == 0; i++)
		result = carrier_on_host(r, i, requests, objects->count, &copies[i], err);
	if (result == 0)
		result = combine_paths(r->arena, copies, r->count, combined, err);
	if (result < 0)
		return result;
	on_host->combined = combined;
	carriers->on_host = on_host;
	result = host_paths_look_up(r->arena, r->facts, on_host, err);
	return result == 0 ? host_paths_find_names(r->arena, requests, &shown, on_host, err) : result;
}

static int add_grants(struct reader *r, const char *bundle, struct plan_carriers *carriers, struct err **err)
{
	size_t count = carriers->combined->grant_count, bound = 0;
	struct object_request *requests = arena_array(r->arena, count, sizeof(*requests));
	struct host_objects *objects = NULL;
	int result;

	if (!count)
		return 0;
	result = requests ? look_up_grants(r, bundle, carriers, requests, &objects, err) : err_nomem(err);
	for (size_t i = 0; i < count && result == 0 && objects; i++)
		bound += requests[i].role == OBJECT_BOUND && !objects->items[i].error;
	return result < 0 || !bound ? result : restrict_grants(r, requests, objects, carriers, err);
}

int carriers_read(struct arena *arena, const struct oci_config *config, const char *bundle, const char *admin_config,
		  const struct host_facts *facts, const struct log *log, const struct plan_carriers **ret,
		  const struct admin_config **ret_owners, struct err **err)
{
	struct reader r = { .arena = arena, .config = config, .facts = facts, .log = log, .admin = ADMIN_INIT };
	struct plan_carriers *carriers = arena_alloc(arena, sizeof(*carriers));
	int result = carriers ? add_all(&r, admin_config, err) : err_nomem(err);

	admin_close(&r.admin);
	if (result == 0)
		result = policy_combine(arena, r.carriers, r.count, log, &carriers->combined, err);
	if (result == 0)
		result = add_grants(&r, bundle, carriers, err);
	if (result < 0)
		return result;
	*ret = carriers;
	*ret_owners = r.admin.config;
	return result;
}

/* ---- for a sandbox ---- */

static int combine_owners(struct reader *r, struct plan_owner **ret, struct err **err)
{
	struct plan_owner *owner = arena_alloc(r->arena, sizeof(*owner));
	int result = owner ? 0 : err_nomem(err);

	for (size_t i = 0; i < r->count && result == 0; i++)
		result = host_paths_follow(r->arena, r->facts, &r->carriers[i], err);
	if (result == 0)
		result = policy_combine(r->arena, r->carriers, r->count, r->log, &owner->combined, err);
	if (result == 0)
		result = host_paths_look_up(r->arena, r->facts, owner, err);
	if (result == 0)
		*ret = owner;
	return result;
}

int carriers_read_owner(struct arena *arena, const char *admin_config, const struct host_facts *facts,
			const struct log *log, struct plan_owner **ret, const struct admin_config **ret_owners, struct err **err)
{
	struct reader r = { .arena = arena, .facts = facts, .log = log, .admin = ADMIN_INIT };
	struct admin_policy *policies = NULL;
	size_t count = 0;
	int result = open_owners(&r, admin_config, &policies, &count, err);

	admin_close(&r.admin);
	*ret = NULL;
	if (result == 0)
		*ret_owners = r.admin.config;
	if (result == 0)
		result = add_owners(&r, policies, count, err);
	return result < 0 || !count ? result : combine_owners(&r, ret, err);
}

/* prepare.c - the stages before the engine, in their order: text, typed configuration, host facts,
 * decisions, plan. */

#include "lifecycle/prepare.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/input.h"
#include "base/json.h"
#include "base/path.h"
#include "base/strbuf.h"
#include "config/oci.h"
#include "engine/engine.h"
#include "lifecycle/carriers.h"
#include "lifecycle/desktop.h"
#include "lifecycle/host_paths.h"
#include "lifecycle/own.h"
#include "lifecycle/store.h"
#include "plan/caps.h"
#include "plan/from_policy.h"
#include "policy/network.h"
#include "policy/resolve.h"

#define CONFIG_FILE "config.json"
#define INPUT_WAIT_MS 30000 /* for the writer of a pipe */

void prepared_done(struct prepared *prepared)
{
	arena_free_ptr(&prepared->plan_arena);
	*prepared = (struct prepared)PREPARED_INIT;
}

static int read_facts(struct host_facts *facts, struct err **err)
{
	int r = facts_read_cgroups(facts, err);

	if (r == 0 && !facts->is_privileged)
		r = facts_read_subids(facts, err);
	return r;
}

static int start_plan(struct prepared *prepared, const struct host_facts *facts, struct err **err)
{
	prepared->facts = facts;
	prepared->plan_arena = arena_new_shared();
	if (!prepared->plan_arena)
		return err_sys(err, E_INTERNAL, errno, "memfd_create", "plan", NULL);
	return 0;
}

/* Sealed before anybody acts on it; refused here, before anything is made, if it can't be enforced.
 */
static int finish_plan(struct prepared *prepared, const struct engine *engine, struct err **err)
{
	int r = arena_seal(prepared->plan_arena);

	if (r < 0)
		return err_sys(err, E_INTERNAL, -r, "seal", "plan", NULL);
	prepared->engine = engine;
	return engine->unsupported(prepared->plan, prepared->facts, err);
}

/* What somebody says of the engine, and where; engine NULL: nothing. */
struct engine_wish {
	const char *engine, *pointer;
};
#define ENGINE_WISHES 3

/* The first wish counts, without one native. Another engine is never taken instead, and none that the host's owner has ruled out. */
static int choose_engine(const struct engine_wish wishes[static ENGINE_WISHES], const struct admin_config *owners,
			 const struct engine **ret, struct err **err)
{
	const struct engine_wish *end = wishes + ENGINE_WISHES, *wish = wishes;
	int r;

	while (wish < end && !wish->engine)
		wish++;
	*ret = wish < end ? engine_find(wish->engine) : &native_engine;
	if (!*ret)
		return err_set(err, E_CONFIG, 0, wish->pointer, "there is no engine \"%.64s\": native, bwrap and lxc are known",
			       wish->engine);
	if (admin_allows_engine(owners, (*ret)->name))
		return 0;
	r = err_set(err, E_POLICY, 0, wish < end ? wish->pointer : NULL, "the host's owner does not allow the engine %s", (*ret)->name);
	err_hint(err, "those that he allows are in the admin configuration, \"allowedEngines\"");
	return r;
}

/* ---- bundles ---- */

static int make_absolute(const char *bundle, const struct host_facts *facts, char **ret,
			 struct err **err)
{
	cleanup_strbuf struct strbuf path = STRBUF_INIT;

	if (bundle[0] != '/' && !facts->cwd)
		return err_set(err, E_HOST, 0, NULL,
			       "the path \"%.256s\" is relative to a directory out of reach",
			       bundle);
	if (bundle[0] != '/')
		strbuf_printf(&path, "%s/", facts->cwd);
	strbuf_puts(&path, bundle);
	*ret = path.failed ? NULL : path_clean(strbuf_str(&path));
	return *ret ? 0 : err_nomem(err);
}

static int fail_to_read(int r, const char *path, struct err **err)
{
	if (r == -EFBIG)
		return err_set(err, E_JSON, 0, NULL, "%s is larger than %u MiB", path, JSON_SIZE_MAX >> 20);
	if (r == -EINVAL)
		return err_set(err, E_CONFIG, 0, NULL, "%s is not a regular file", path);
	if (r == -ETIMEDOUT)
		return err_set(err, E_CONFIG, ETIMEDOUT, NULL, "%s has not come to its end within %d s", path, INPUT_WAIT_MS / 1000);
	return err_sys(err, E_CONFIG, -r, "read", path, NULL);
}

/* text, which was read, is the arena's from here on. */
static int parse_own(struct arena *arena, char *text, size_t len, const char *name, const struct json **ret, struct err **err)
{
	if (arena_adopt(arena, text) < 0)
		return err_nomem(err);
	return json_parse_in_place(arena, text, len, name, ret, err);
}

/* name: what the file is called in messages about its text. */
int read_document(struct arena *arena, const char *path, const char *name, const struct json **ret, struct err **err)
{
	char *text = NULL;
	size_t len = 0;
	int r = fd_read_file(AT_FDCWD, path, JSON_SIZE_MAX, &text, &len);

	return r < 0 ? fail_to_read(r, path, err) : parse_own(arena, text, len, name, ret, err);
}

int read_input(struct arena *arena, const char *path, const struct json **ret, struct err **err)
{
	const char *name = input_is_stdin(path) ? "standard input" : path;
	char *text = NULL;
	size_t len = 0;
	int r = input_read(path, JSON_SIZE_MAX, INPUT_WAIT_MS, &text, &len);

	return r < 0 ? fail_to_read(r, name, err) : parse_own(arena, text, len, name, ret, err);
}

/* file: NULL for the bundle's own. */
static int parse_config(struct arena *arena, const char *bundle, const char *file, const struct log *log,
			const struct oci_config **ret, struct err **err)
{
	cleanup_strbuf struct strbuf path = STRBUF_INIT;
	const struct json *document = NULL;
	int r;

	if (file)
		strbuf_puts(&path, file);
	else
		strbuf_printf(&path, "%s/" CONFIG_FILE, bundle);
	if (path.failed)
		return err_nomem(err);
	r = read_document(arena, strbuf_str(&path), file ? file : CONFIG_FILE, &document, err);
	return r < 0 ? r : oci_parse(arena, document, log, ret, err);
}

/* An annotation may be somebody's who owns neither the host nor the bundle. */
static int choose_for_bundle(const struct plan_request *request, const struct admin_config *owners, const struct oci_config *config,
			     const struct engine **ret, struct err **err)
{
	const struct engine_wish wishes[ENGINE_WISHES] = {
		{ request->engine, NULL }, { owners->engine, "/engine" },
		{ oci_annotation(config, MXC_ENGINE_ANNOTATION), "/annotations/" MXC_ENGINE_ANNOTATION },
	};

	*ret = &native_engine;
	return request->is_text ? 0 : choose_engine(wishes, owners, ret, err);
}

int prepare_bundle(struct host_facts *facts, const struct log *log,
		   const struct plan_request *request, struct prepared *ret, struct err **err)
{
	cleanup_arena struct arena *arena = arena_new();
	cleanup_free char *bundle = NULL, *file = NULL;
	struct plan_request absolute = *request;
	const struct oci_config *config = NULL;
	const struct engine *engine = &native_engine;
	const struct admin_config *owners = NULL;
	int r;

	if (!arena)
		return err_nomem(err);
	r = make_absolute(request->bundle, facts, &bundle, err);
	if (r == 0 && request->config)
		r = make_absolute(request->config, facts, &file, err);
	if (r < 0)
		return r;
	absolute.bundle = bundle;
	absolute.config = file;
	r = parse_config(arena, bundle, file, log, &config, err);
	if (r == 0)
		r = carriers_read(arena, config, bundle, request->admin_config, facts, log, &absolute.carriers, &owners, err);
	if (r == 0)
		r = choose_for_bundle(request, owners, config, &engine, err);
	absolute.keeps_rules |= engine != &native_engine;
	if (r == 0)
		r = read_facts(facts, err);
	if (r == 0 && config->linux_ && config->linux_->intel_rdt)
		r = facts_read_resctrl(facts, err);
	if (r == 0)
		r = facts_read_kernel(facts, err);
	if (r == 0)
		r = start_plan(ret, facts, err);
	if (r == 0)
		r = plan_from_oci(ret->plan_arena, config, &absolute, facts, log, &ret->plan, err);
	return r < 0 ? r : finish_plan(ret, engine, err);
}

int prepare_record_config(struct arena *arena, const struct record *record, const struct log *log,
			  const struct oci_config **ret, struct err **err)
{
	return parse_config(arena, record->bundle, *record->config ? record->config : NULL, log, ret, err);
}

int prepare_bundle_config(struct arena *arena, const struct prepared *prepared, const struct log *log,
			  const struct oci_config **ret, struct err **err)
{
	return parse_config(arena, prepared->plan->bundle, prepared->plan->config, log, ret, err);
}

/* ---- processes for a container that exists ---- */

static int parse_exec_process(struct arena *arena, const struct exec_request *request,
			      const struct oci_process *own, const struct log *log,
			      const struct oci_process **ret, struct err **err)
{
	const struct json *document;
	int r;

	if (!request->process_file) {
		if (!own)
			return err_set(err, E_CONFIG, 0, "/process", "a container needs a process");
		return oci_exec_process(arena, own, &request->changes, ret, err);
	}
	r = read_input(arena, request->process_file, &document, err);
	if (r < 0)
		return r;
	r = oci_parse_process(arena, document, log, ret, err);
	if (r < 0)
		return err_wrap(err, "%s", request->process_file);
	return !own ? 0 : oci_exec_confine(arena, own, ret, err);
}

static int check_asked_capabilities(const struct record *record, const struct string_list *asked, struct err **err)
{
	for (size_t i = 0; i < asked->count; i++) {
		int capability = caps_from_name(asked->items[i]);

		if (capability >= 0 && record->withheld_capabilities & caps_bit((unsigned int)capability))
			return err_set(err, E_POLICY, 0, NULL, "--cap: the container's policy does not leave %s to it", asked->items[i]);
	}
	return 0;
}

int prepare_exec(struct host_facts *facts, const struct log *log, const struct exec_request *request,
		 const struct record *record, struct prepared *ret, struct err **err)
{
	cleanup_arena struct arena *arena = arena_new();
	struct plan_request plan = request->plan;
	const struct oci_config *config = NULL;
	struct oci_config changed;
	int r;

	if (!arena)
		return err_nomem(err);
	if (record->is_sandbox || !record->bundle)
		return err_set(err, E_UNSUPPORTED, 0, NULL, "%s is a sandbox and takes no further process",
			       record->id);
	plan.bundle = record->bundle;
	plan.refused_capabilities = record->refused_capabilities;
	plan.withheld_capabilities = record->withheld_capabilities;
	plan.filters = record->filters;
	plan.filter_count = record->filter_count;
	r = check_asked_capabilities(record, &request->changes.capabilities, err);
	if (r == 0)
		r = prepare_record_config(arena, record, log, &config, err);
	if (r < 0 || !config)
		return r;
	changed = *config;
	r = parse_exec_process(arena, request, config->process, log, &changed.process, err);
	if (r == 0)
		r = start_plan(ret, facts, err);
	if (r == 0)
		r = plan_exec_from_oci(ret->plan_arena, &changed, &plan, record->pid, facts, log, &ret->plan,
				       err);
	return r < 0 ? r : finish_plan(ret, &native_engine, err);
}

/* ---- policies ---- */

void policy_document_done(struct policy_document *document)
{
	arena_free_ptr(&document->arena);
	document->config = NULL;
}

int policy_parse(const char *text, size_t len, const char *name, const struct log *log,
		 struct policy_document *ret, struct err **err)
{
	ret->arena = arena_new();
	if (!ret->arena)
		return err_nomem(err);
	return mxc_read(ret->arena, text, len, name, log, &ret->config, err);
}

static int find_image(const struct policy_document *document, const struct host_facts *facts, const struct host_image **ret,
		      struct err **err)
{
	const struct string_list *denied = &document->config->filesystem.denied_paths;
	struct image_name name;
	int r = policy_image_name(document->config, &name, err);

	return r < 0 ? r : image_look_up(document->arena, facts, &name, denied->items, denied->count, ret, err);
}

/* What the policy names on this host. */
struct named {
	struct object_request *requests;
	struct host_objects *objects;
};

static int look_up_objects(struct arena *arena, const struct mxc_config *config, const struct host_facts *facts,
			   const struct host_image *image, struct named *ret, struct err **err)
{
	size_t count = 0;
	int r = policy_requests(arena, config, image, &ret->requests, &count, err);

	return r < 0 ? r : objects_look_up(arena, ret->requests, count, facts, image, &ret->objects, err);
}

/* What the policy means on this host. */
static int decide(const struct policy_document *document, const struct host_facts *facts, const struct log *log,
		  const struct own_places *places, struct plan_owner *owner, const struct policy_decisions **ret,
		  struct err **err)
{
	struct arena *arena = document->arena;
	const struct host_image *image = NULL;
	struct named named = { 0 };
	const struct mxc_config *config = document->config;
	struct policy_work *work = NULL;
	int r = config->containment == MXC_LXC ? find_image(document, facts, &image, err) : 0;

	if (r == 0)
		r = desktop_deny(arena, document->config, &config, err);
	if (r == 0)
		r = look_up_objects(arena, config, facts, image, &named, err);
	if (r == 0)
		r = own_look_up(arena, config, facts, places, named.requests, named.objects, err);
	if (r == 0)
		r = policy_check(arena, config, facts, named.objects, log, &work, err);
	if (r == 0)
		r = objects_find_aliases(arena, named.requests, named.objects, err);
	if (r == 0)
		r = own_find_names(arena, named.requests, facts, named.objects, err);
	if (r == 0 && owner)
		r = host_paths_find_names(arena, named.requests, named.objects, owner, err);
	return r < 0 ? r : policy_resolve(work, ret, err);
}

/* Once, and before the plan: what is decided then is what runs. */
static int look_up_names(const struct policy_document *document, struct host_facts *facts, struct err **err)
{
	struct string_list names;

	if (policy_network_names(document->arena, document->config, &names) < 0)
		return err_nomem(err);
	return names.count ? host_names_look_up(document->arena, names.items, names.count, &facts->names, err) : 0;
}

/* The file that the policy names for its filter, if it names one: NULL in ret otherwise. */
static int read_profile(const struct policy_document *document, const struct log *log, const struct oci_seccomp **ret,
			struct err **err)
{
	const struct mxc_bubblewrap *section = document->config->bubblewrap;
	const char *path = section ? section->seccomp_profile : NULL;
	const struct json *json = NULL;
	int r;

	if (!path || path[0] != '/')
		return 0;
	r = read_document(document->arena, path, path, &json, err);
	if (r == 0)
		r = oci_parse_seccomp(document->arena, json, log, ret, err);
	return r < 0 ? err_wrap(err, "seccomp profile %.512s", path) : 0;
}

/* A configuration is the caller's own, as the command line is. Whoever has made a sandbox, it is joined by us. */
static int choose_for_policy(const struct plan_policy_request *request, const struct admin_config *owners,
			     const struct mxc_config *config, const struct engine **ret, struct err **err)
{
	const struct engine_wish wishes[ENGINE_WISHES] = {
		{ request->engine, NULL },
		{ config->bubblewrap ? config->bubblewrap->engine : NULL, "/bubblewrap/engine" },
		{ owners->engine, "/engine" },
	};

	*ret = &native_engine;
	return request->is_text || request->target ? 0 : choose_engine(wishes, owners, ret, err);
}

static int check_testing(const struct policy_document *document, bool is_allowed, struct err **err)
{
	const struct mxc_proxy *proxy = document->config->network.proxy;

	if (is_allowed || !proxy || !proxy->builtin_test_server.value)
		return 0;
	return err_set(err, E_POLICY, 0, "/network/proxy/builtinTestServer",
		       "network.proxy.builtinTestServer requires the --allow-testing-features flag");
}

int prepare_policy(struct host_facts *facts, const struct log *log,
		   const struct policy_document *document,
		   const struct plan_policy_request *request, struct prepared *ret,
		   struct err **err)
{
	const struct policy_decisions *decisions = NULL;
	struct plan_policy_request complete = *request;
	const struct engine *engine = &native_engine;
	const struct admin_config *owners = NULL;
	struct plan_owner *owner = NULL;
	struct own_places places = {
		.state = request->state,
		.state_exists = request->state_exists,
		.is_text = request->is_text,
		.makes_folders = request->makes_folders,
		.policy = request->policy,
		.log_file = request->log_file,
		.report = request->report,
		.admin_config = request->admin_config,
	};
	int r = check_testing(document, request->allows_testing, err);

	if (r == 0)
		r = look_up_names(document, facts, err);
	if (r == 0)
		r = carriers_read_owner(document->arena, request->admin_config, facts, log, &owner, &owners, err);
	complete.owner = owner;
	places.owners = owners;
	if (r == 0)
		r = decide(document, facts, log, &places, owner, &decisions, err);
	if (r == 0)
		r = read_profile(document, log, &complete.seccomp_file, err);
	if (r == 0)
		r = choose_for_policy(request, owners, document->config, &engine, err);
	complete.keeps_rules |= engine != &native_engine;
	if (r == 0)
		r = facts_read_cgroups(facts, err);
	facts_read_landlock(facts);
	/* the owner's rules make it of the host's network, too */
	if (r == 0 && decisions && (decisions->network.mode == POLICY_NETWORK_FILTERED || decisions->network.mode == POLICY_NETWORK_HOST))
		r = facts_read_network(document->arena, facts, err);
	if (r == 0)
		r = start_plan(ret, facts, err);
	if (r == 0)
		r = plan_from_policy(ret->plan_arena, decisions, &complete, facts, log, &ret->plan,
				     err);
	return r < 0 ? r : finish_plan(ret, engine, err);
}

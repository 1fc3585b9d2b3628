/* test_oci.c - config.json to structs, and malformed bundles: each one clear line, with the place.
 */
#include "oci_unit.h"

#include <errno.h>

#include "config/oci_default.h"
#include "config/oci_tables.h"

struct bad {
	const char *text;
	enum err_code code;
	const char *pointer, *words;
};

static const struct bad bad_bundles[] = {
	/* not JSON, or not an object */
	{ "", E_JSON, NULL, "config.json" },
	{ "{'ociVersion':'1.0.0'", E_JSON, NULL, "config.json" },
	{ "{'ociVersion':'1.0.0','ociVersion':'1.0.0'}", E_JSON, NULL, "duplicate" },
	{ DOCUMENT("", "", "") " x", E_JSON, NULL, "config.json" },
	{ "{'a':'\xff'}", E_JSON, NULL, "UTF-8" },
	{ "[]", E_CONFIG, "", "expected an object, found an array" },
	{ "null", E_CONFIG, "", "expected an object, found null" },
	/* versions */
	{ "{}", E_CONFIG, "", "missing field `ociVersion`" },
	{ "{'ociVersion':1}", E_CONFIG, "/ociVersion", "expected a string, found number 1" },
	{ "{'ociVersion':'2.0.0'}", E_CONFIG, "/ociVersion", "1.x" },
	{ "{'ociVersion':'1.0'}", E_CONFIG, "/ociVersion", "semantic version" },
	{ "{'ociVersion':'1.00.0'}", E_CONFIG, "/ociVersion", "semantic version" },
	{ "{'ociVersion':'1.0.0-'}", E_CONFIG, "/ociVersion", "semantic version" },
	{ "{'ociVersion':'1.0.0-a b'}", E_CONFIG, "/ociVersion", "semantic version" },
	/* wrong types */
	{ DOCUMENT("'mounts':{},", "", ""), E_CONFIG, "/mounts",
	  "expected an array of objects, found an object" },
	{ DOCUMENT("'mounts':[7],", "", ""), E_CONFIG, "/mounts/0",
	  "expected an object, found number 7" },
	{ DOCUMENT("'mounts':[{'type':'proc'}],", "", ""), E_CONFIG, "/mounts/0",
	  "missing field `destination`" },
	{ DOCUMENT("'hostname':true,", "", ""), E_CONFIG, "/hostname", "found boolean true" },
	{ DOCUMENT("'annotations':{'a':1},", "", ""), E_CONFIG, "/annotations/a",
	  "expected a string" },
	{ DOCUMENT("'annotations':{'a/b~c':1},", "", ""), E_CONFIG, "/annotations/a~1b~0c",
	  "expected a string" },
	{ DOCUMENT("", "'terminal':'yes',", ""), E_CONFIG, "/process/terminal",
	  "found string \"yes\"" },
	{ DOCUMENT("", "'env':['A=1',2],", ""), E_CONFIG, "/process/env/1",
	  "expected a string, found number 2" },
	{ DOCUMENT("", "'oomScoreAdj':1.5,", ""), E_CONFIG, "/process/oomScoreAdj",
	  "found number 1.5" },
	{ DOCUMENT("", "'oomScoreAdj':9223372036854775808,", ""), E_CONFIG, "/process/oomScoreAdj",
	  "64-bit" },
	{ DOCUMENT("", "'rlimits':[{'type':'RLIMIT_CPU','hard':-1,'soft':0}],", ""), E_CONFIG,
	  "/process/rlimits/0/hard", "found number -1" },
	{ DOCUMENT("", "'capabilities':['CAP_KILL'],", ""), E_CONFIG, "/process/capabilities",
	  "expected an object, found an array" },
	{ DOCUMENT("", "", "'namespaces':[{'type':'mnt'}],"), E_JSON, NULL, "duplicate" },
	{ "{'ociVersion':'1.0.0','linux':{'namespaces':[{'type':'mnt'}]}}", E_CONFIG,
	  "/linux/namespaces/0/type", "unknown variant `mnt`" },
	{ "{'ociVersion':'1.0.0','process':{'cwd':'/','user':{'uid':-1,'gid':0}}}", E_CONFIG,
	  "/process/user/uid", "expected an id" },
	{ "{'ociVersion':'1.0.0','process':{'cwd':'/','user':{'uid':0,'gid':4294967295}}}",
	  E_CONFIG, "/process/user/gid", "expected an id" },
	{ "{'ociVersion':'1.0.0','process':{'cwd':'/','user':{'uid':0,'gid':0,'additionalGids':[1,'x']}}}",
	  E_CONFIG, "/process/user/additionalGids/1", "expected an id" },
	{ DOCUMENT("", "", "'resources':{'memory':{'limit':'1G'}},"), E_CONFIG,
	  "/linux/resources/memory/limit", "found string \"1G\"" },
	{ DOCUMENT("", "", "'seccomp':{},"), E_CONFIG, "/linux/seccomp",
	  "missing field `defaultAction`" },
	{ DOCUMENT("'hooks':{'prestart':[{}]},", "", ""), E_CONFIG, "/hooks/prestart/0",
	  "missing field `path`" },
};

static void test_malformed_bundles(void **state)
{
	struct world w;
	size_t i;

	(void)state;
	for (i = 0; i < array_size(bad_bundles); i++) {
		world_hybrid(&w);
		world_refuse(&w, bad_bundles[i].text, bad_bundles[i].code, bad_bundles[i].pointer,
			     bad_bundles[i].words);
		world_done(&w);
	}
}

/* Echoed values are bounded and can't forge a second line. */
static void test_hostile_values(void **state)
{
	cleanup_free char *long_text = malloc(100000);
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	struct world w;

	(void)state;
	world_hybrid(&w);
	memset(long_text, 'A', 99999);
	long_text[99999] = '\0';
	strbuf_printf(&text, "{'ociVersion':'%s'}", long_text);
	world_refuse(&w, strbuf_str(&text), E_CONFIG, "/ociVersion", "...");
	world_refuse(&w, "{'ociVersion':'1\\n2'}", E_CONFIG, "/ociVersion", "semantic version");
	world_done(&w);
}

static void test_unknown_and_null(void **state)
{
	struct world w;

	(void)state;
	world_hybrid(&w);
	world_accept(&w, DOCUMENT("'future':{'x':[1]},'solaris':7,'hooks':null,",
				  "'rlimits':null,'new':1,", ""));
	assert_null(w.config->hooks);
	assert_int_equal(w.config->process->rlimits.count, 0);
	world_done(&w);
}

static void test_values(void **state)
{
	const struct oci_config *c;
	struct world w;

	(void)state;
	world_hybrid(&w);
	world_accept(&w,
		     DOCUMENT("'hostname':'h','mounts':[{'destination':'a','type':'tmpfs'}],",
			      "'noNewPrivileges':true,'oomScoreAdj':-5,", "'cgroupsPath':'/x',"));
	c = w.config;
	assert_string_equal(c->oci_version, "1.2.0");
	assert_string_equal(c->hostname, "h");
	assert_string_equal(c->root->path, "rootfs");
	assert_false(c->root->readonly);
	assert_int_equal(c->mounts.count, 1);
	assert_string_equal(c->mounts.items[0].element->first->text, "a");
	assert_true(c->process->no_new_privileges.set && c->process->no_new_privileges.value);
	assert_int_equal(c->process->oom_score_adj.value, -5);
	assert_string_equal(c->process->args.items[0], "sh");
	assert_null(c->process->args.items[1]);
	assert_int_equal(c->linux_->namespaces.count, 5);
	assert_int_equal(c->linux_->namespaces.items[2].type, NS_NET);
	assert_string_equal(c->linux_->cgroups_path, "/x");
	assert_int_equal(c->document->type, JSON_OBJECT);
	world_done(&w);
}

static void test_process_and_resources(void **state)
{
	static const char process_text[] =
		"{\"cwd\":\"/tmp\",\"args\":[\"true\"],\"terminal\":true}";
	static const char resources_text[] = "{\"pids\":{\"limit\":5},\"unified\":{\"a.b\":\"c\"}}";
	const struct oci_resources *resources = NULL;
	const struct oci_process *process = NULL;
	const struct json *document;
	struct world w;

	(void)state;
	world_hybrid(&w);
	assert_int_equal(
		json_parse(w.arena, process_text, strlen(process_text), "p", &document, NULL), 0);
	assert_int_equal(oci_parse_process(w.arena, document, NULL, &process, NULL), 0);
	assert_true(process->terminal);
	assert_string_equal(process->cwd, "/tmp");
	assert_int_equal(
		json_parse(w.arena, resources_text, strlen(resources_text), "r", &document, NULL),
		0);
	assert_int_equal(oci_parse_resources(w.arena, document, NULL, &resources, NULL), 0);
	assert_int_equal(resources->pids->limit.value, 5);
	assert_string_equal(resources->unified.items[0].value, "c");
	assert_int_equal(oci_parse_process(w.arena, document, NULL, &process, &w.err), -EINVAL);
	assert_int_equal(w.err->code, E_CONFIG);
	world_done(&w);
}

/* Both default configurations are ones that we accept ourselves. */
static void test_default_config(void **state)
{
	const struct oci_default wants[] = {
		{ .is_rootless = false },
		{ .has_cgroup_namespace = true },
		{ .is_rootless = true, .uid = 1000, .gid = 1000, .has_cgroup_namespace = true },
	};
	struct world w;
	size_t i;

	(void)state;
	for (i = 0; i < array_size(wants); i++) {
		cleanup_json_writer struct json_writer out = JSON_WRITER_INIT;

		if (wants[i].is_rootless)
			world_user(&w);
		else
			world_v2(&w);
		assert_int_equal(oci_default_write(&wants[i], &out), 0);
		world_accept(&w, strbuf_str(&out.out));
		assert_int_equal(w.plan->namespaces[NS_CGROUP].mode,
				 wants[i].has_cgroup_namespace ? NS_NEW : NS_HOST);
		assert_int_equal(w.plan->network,
				 wants[i].is_rootless ? NETWORK_HOST : NETWORK_NONE);
		assert_int_equal(w.plan->deny_setgroups, wants[i].is_rootless);
		assert_int_equal(w.plan->cgroup.required, !wants[i].is_rootless);
		assert_int_equal(w.warnings, 0);
		world_done(&w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_malformed_bundles),     cmocka_unit_test(test_hostile_values),
		cmocka_unit_test(test_unknown_and_null),      cmocka_unit_test(test_values),
		cmocka_unit_test(test_process_and_resources), cmocka_unit_test(test_default_config),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

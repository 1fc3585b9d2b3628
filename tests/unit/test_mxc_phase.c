/* test_mxc_phase.c - requests of MXC's state-aware life cycle: what each phase takes in each contract, and what comes of it. */
#include "mxc_unit.h"

#include "config/mxc_phase.h"

static int parse(struct world *w, const char *quoted, struct mxc_phase_request *ret)
{
	const char *text = unquote(w, quoted);
	const struct json *json;

	err_free_ptr(&w->err);
	assert_int_equal(json_parse(w->arena, text, strlen(text), "request.json", &json, NULL), 0);
	assert_true(mxc_is_phase_request(json));
	return mxc_parse_phase(w->arena, json, &w->log, ret, &w->err);
}

static void taken(struct world *w, const char *quoted, struct mxc_phase_request *ret)
{
	if (parse(w, quoted, ret) < 0)
		world_explain(w, quoted);
	assert_null(w->err);
}

static void test_requests(void **state)
{
	static const struct {
		const char *text;
		enum mxc_phase phase;
		enum mxc_containment containment;
	} rows[] = {
		{ "{'phase':'provision','containment':'process'}", MXC_PROVISION, MXC_PROCESS },
		{ "{'phase':'provision','containment':'wslc','containerId':'a/b','correlationVector':'x','ui':{},'experimental':null}",
		  MXC_PROVISION, MXC_WSLC },
		{ "{'version':'1.0.0','phase':'provision','containment':'bubblewrap','telemetry':{},'bubblewrap':{'newSession':true}}",
		  MXC_PROVISION, MXC_BUBBLEWRAP },
		{ "{'phase':'start','sandboxId':'x'}", MXC_START, MXC_PROCESS },
		{ "{'phase':'stop','sandboxId':'x','experimental':{'telemetry':{'enabled':true}}}", MXC_STOP, MXC_PROCESS },
		{ "{'version':'1.1.0-alpha','phase':'deprovision','sandboxId':'x','$schema':'y','_comment':3}", MXC_DEPROVISION, MXC_PROCESS },
		{ "{'version':'0.6.0-alpha','phase':'exec','sandboxId':'x','process':{'commandLine':'true'}}", MXC_EXEC, MXC_PROCESS },
	};

	(void)state;
	for (size_t i = 0; i < array_size(rows); i++) {
		struct mxc_phase_request request = { 0 };
		struct world w;

		world_init(&w);
		taken(&w, rows[i].text, &request);
		assert_int_equal(request.phase, rows[i].phase);
		assert_int_equal(request.containment, rows[i].containment);
		assert_int_equal(!request.sandbox_id, rows[i].phase == MXC_PROVISION);
		assert_int_equal(request.config != NULL, rows[i].phase == MXC_PROVISION || rows[i].phase == MXC_EXEC);
		world_done(&w);
	}
}

static void test_policy(void **state)
{
	static const char quoted[] =
		"{'version':'0.8.0-alpha','phase':'provision','containment':'lxc','experimental':{'lxc':{'provision':{'distribution':'debian','release':'12'}}},"
		"'filesystem':{'readwritePaths':['/a'],'deniedPaths':['/a/b']},'ui':{'disable':true},'bubblewrap':{'argv0':'x'},"
		"'network':{'egress':{'default':'deny','allow':[{'to':[{'cidr':'1.2.3.4/32'}]}]}}}";
	struct mxc_phase_request request = { 0 }, exec = { 0 };
	const struct mxc_config *both;
	struct world w;

	(void)state;
	world_init(&w);
	taken(&w, quoted, &request);
	assert_int_equal(request.config->containment, MXC_LXC);
	assert_string_equal(request.config->lxc->distribution, "debian");
	assert_string_equal(request.config->filesystem.denied_paths.items[0], "/a/b");
	assert_true(request.config->ui.disable.value);
	assert_true(request.config->network.is_directional);
	taken(&w, "{'phase':'exec','sandboxId':'x','process':{'commandLine':'id','cwd':'/a','env':['A=1'],'timeout':5},'network':{'proxy':{'url':'http://127.0.0.1:8081'}}}", &exec);
	both = mxc_with_process(w.arena, request.config, exec.config);
	assert_non_null(both);
	assert_string_equal(both->process->command_line, "id");
	assert_string_equal(both->exec_proxy, "http://127.0.0.1:8081");
	assert_null(both->network.proxy);
	assert_string_equal(both->lxc->release, "12");
	assert_string_not_equal(request.config->process->command_line, "id");
	world_done(&w);
}

/* Lists of hosts are the engine's to hold or to refuse; a proxy is no sandbox's here. */
static void test_host_lists(void **state)
{
	struct mxc_phase_request request = { 0 };
	struct world w;

	(void)state;
	world_init(&w);
	taken(&w, "{'phase':'provision','containment':'process','network':{'defaultPolicy':'block','allowedHosts':['1.2.3.4']}}", &request);
	assert_int_equal(request.config->network.allowed_hosts.count, 1);
	world_done(&w);
}

struct refusal {
	const char *text;
	enum err_code code;
	const char *words;
};

static void test_refusals(void **state)
{
	static const struct refusal rows[] = {
		{ "{'phase':null}", E_CONFIG, "expected a string" },
		{ "{'phase':''}", E_CONFIG, "Unsupported phase" },
		{ "{'phase':'start','version':7,'sandboxId':'x'}", E_CONFIG, "Invalid version declaration" },
		{ "{'phase':'start','sandboxId':'x','filesystem':null}", E_CONFIG, "unknown field `filesystem`" },
		{ "{'phase':'start','sandboxId':7}", E_CONFIG, "sandboxId" },
		{ "{'phase':'stop','sandboxId':'x','network':{'egress':{}}}", E_POLICY, "'network'" },
		{ "{'version':'0.9.0-alpha','phase':'stop','sandboxId':'x','network':{}}", E_CONFIG, "unknown field `network`" },
		{ "{'version':'1.0.0','phase':'stop','sandboxId':'x','experimental':{}}", E_CONFIG, "unknown field `experimental`" },
		{ "{'phase':'start','sandboxId':'x','experimental':{'lxc':{'start':{}}}}", E_CONFIG, "experimental.lxc" },
		{ "{'phase':'start','sandboxId':'x','experimental':{'iso':{}}}", E_CONFIG, "unknown field `iso`" },
		{ "{'phase':'provision','containment':'lxc','experimental':{'lxc':3}}", E_CONFIG, "experimental.lxc" },
		{ "{'phase':'provision','containment':'lxc','experimental':{'lxc':{'provision':3}}}", E_CONFIG, "experimental.lxc.provision" },
		{ "{'phase':'provision','containment':'lxc','experimental':{'lxc':{'provision':{'image':'x'}}}}", E_CONFIG, "unknown field `image`" },
		{ "{'version':'1.0.0','phase':'provision','containment':'lxc','lxc':{'distribution':'x','release':'1'}}", E_CONFIG, "unknown field `distribution`" },
		{ "{'version':'1.0.0','phase':'provision','containment':'wslc','wslc':{'provision':{'portMappings':[]}}}", E_CONFIG, "unknown field `portMappings`" },
		{ "{'version':'1.1.0-alpha','phase':'provision','containment':'wslc','wslc':{'provision':{'portMappings':[]}}}", E_POLICY, "portMappings" },
		{ "{'version':'1.0.0','phase':'provision','containment':'process','wslc':{'provision':{}}}", E_CONFIG, "`wslc`" },
		{ "{'version':'0.7.0-alpha','phase':'provision','containment':'process','network':{'egress':{}}}", E_CONFIG, "require schema version 0.8" },
		{ "{'phase':'provision','containment':'process','filesystem':{'readwritePaths':['']}}", E_CONFIG, "path is empty" },
		{ "{'phase':'exec','sandboxId':'x','process':{'commandLine':''}}", E_CONFIG, "cannot be empty" },
		{ "{'phase':'exec','sandboxId':'x','process':{'commandLine':'x'},'network':{'proxy':{'builtinTestServer':true}}}", E_POLICY, "takes 'url' alone" },
		{ "{'phase':'exec','sandboxId':'x','process':{'commandLine':'x'},'network':{'proxy':{'url':'ftp://a:1'}}}", E_CONFIG, "'http' or 'https'" },
		{ "{'version':'1.0.0','phase':'exec','sandboxId':'x','process':{'commandLine':'x'},'runtimeConfig':{'networkProxy':'http://example.org:3128'}}", E_CONFIG,
		  "must use localhost" },
		{ "{'phase':'exec','sandboxId':'x','process':{'commandLine':'x'},'network':{'defaultPolicy':'allow'}}", E_POLICY, "'network.defaultPolicy'" },
	};

	(void)state;
	for (size_t i = 0; i < array_size(rows); i++) {
		struct mxc_phase_request request = { 0 };
		struct world w;
		int r;

		world_init(&w);
		r = parse(&w, rows[i].text, &request);
		check_refusal(&w, rows[i].text, r, rows[i].code, rows[i].words);
		world_done(&w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_requests),
		cmocka_unit_test(test_policy),
		cmocka_unit_test(test_host_lists),
		cmocka_unit_test(test_refusals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

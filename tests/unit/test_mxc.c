/* test_mxc.c - MXC documents: which reader takes them, what is malformed and in which words, and
 * what a good one comes to. */
#include "mxc_unit.h"

#include "config/cidr.h"
#include "config/proxy_url.h"

struct row {
	const char *text, *words;
};

static void malformed(const struct row *rows, size_t count)
{
	struct world w;
	size_t i;

	for (i = 0; i < count; i++) {
		world_init(&w);
		world_malformed(&w, rows[i].text, rows[i].words);
		world_done(&w);
	}
}

static void well_formed(const char *const *texts, size_t count)
{
	struct world w;
	size_t i;

	for (i = 0; i < count; i++) {
		world_init(&w);
		if (world_parse(&w, texts[i]) < 0)
			world_explain(&w, texts[i]);
		assert_non_null(w.config);
		world_done(&w);
	}
}

#define OLD(top) MXC("0.7.0-alpha", top)
#define STRICT(top) MXC("0.8.0-alpha", top)
#define V090(top) MXC("0.9.0-alpha", top)
#define V100(top) MXC("1.0.0", top)
#define V110(top) MXC("1.1.0-alpha", top)
/* Of the rolling reader, with a process of its own. */
#define PROCESS(process) "{'process':" process "}"
#define PROCESS100(process) "{'version':'1.0.0','process':" process "}"

static void test_versions(void **state)
{
	static const struct {
		const char *text;
		unsigned int reader;
		bool strict;
	} good[] = {
		{ "{'process':{'commandLine':'true'}}", MXC_READER_ROLLING, false },
		{ "{'version':null,'process':{'commandLine':'true'}}", MXC_READER_ROLLING, false },
		{ MXC("0.6.0-alpha", ""), MXC_READER_ROLLING, false },
		{ MXC("0.7.99", ""), MXC_READER_ROLLING, false },
		{ MXC("0.8.0-alpha", ""), MXC_READER_ROLLING, true },
		{ MXC("0.8.99-x.1+b.2", ""), MXC_READER_ROLLING, true },
		{ V090(""), MXC_READER_090, true },
		{ V100(""), MXC_READER_100, true },
		{ V110(""), MXC_READER_110, true },
	};
	static const struct row bad[] = {
		{ MXC("0.8", ""), "must be semver" },
		{ MXC("x", ""), "must be semver" },
		{ MXC("v0.8.0", ""), "must be semver" },
		{ MXC("0.8.0-", ""), "must be semver" },
		{ MXC("0.8.0+", ""), "must be semver" },
		{ MXC("0.8.0-a..b", ""), "must be semver" },
		{ MXC("0.08.0", ""), "must be semver" },
		{ MXC("0.8.0 ", ""), "must be semver" },
		{ MXC(" 1.0.0", ""), "Unsupported contract version" },
		{ MXC("", ""), "Unsupported contract version" },
		{ MXC("0.5.0-alpha", ""), "is older than supported. Update your config" },
		{ MXC("0.0.0", ""), "is older than supported" },
		{ MXC("1.2.0", ""), "is newer than supported. Upgrade" },
		{ MXC("99999999999999999999.0.0", ""), "is newer than supported" },
		{ MXC("1.0", ""),
		  "Unsupported contract version. Registered versions are: 0.9.0-alpha, 1.0.0, 1.1.0-alpha" },
		{ MXC("1.0.1", ""), "Unsupported contract version" },
		{ MXC("0.9.0", ""), "Unsupported contract version" },
		{ MXC("1.1.0", ""), "Unsupported contract version" },
		{ MXC("1.0.0-alpha", ""), "Unsupported contract version" },
		{ MXC("1.0.0+x", ""), "Unsupported contract version" },
		{ "{'version':1,'process':{'commandLine':'true'}}", "Invalid version declaration" },
		{ "{'version':['1.0.0'],'process':{'commandLine':'true'}}",
		  "Invalid version declaration" },
		/* The version wins over a gate, and over what only another reader knows. */
		{ MXC("0.7", "'network':{'egress':null},"), "must be semver" },
		{ MXC("1.0.1", "'telemetry':{},"), "Unsupported contract version" },
	};
	struct world w;
	size_t i;

	(void)state;
	malformed(bad, array_size(bad));
	for (i = 0; i < array_size(good); i++) {
		world_init(&w);
		assert_int_equal(world_parse(&w, good[i].text), 0);
		assert_int_equal(w.config->reader, good[i].reader);
		assert_int_equal(w.config->strict, good[i].strict);
		world_done(&w);
	}
}

/* Not JSON at all: said with the words of the specification, and as a JSON error. */
static void test_json(void **state)
{
	static const struct row bad[] = {
		{ "", "Invalid JSON syntax: " },
		{ "{'process':", "Invalid JSON syntax: policy.json: line 1 column " },
		{ "{'process':{'commandLine':'true'}} x", "Invalid JSON syntax: " },
		{ "{'process':{'commandLine':'true'}}{}", "Invalid JSON syntax: " },
		{ "{'process':{'commandLine':'true'},'process':1}", "duplicate field" },
		{ "{'process':{'commandLine':'a\\u0000b'}}", "must not contain null bytes" },
		{ "{'process':{'commandLine':'a\xff'}}", "not valid UTF-8" },
		{ "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
		  "nested deeper" },
	};
	struct world w;
	size_t i;

	(void)state;
	for (i = 0; i < array_size(bad); i++) {
		world_init(&w);
		check_refusal(&w, bad[i].text, world_parse(&w, bad[i].text), E_JSON, bad[i].words);
		world_done(&w);
	}
}

static void test_shape(void **state)
{
	static const struct row bad[] = {
		{ "[]", "invalid type: sequence, expected a map" },
		{ "5", "invalid type: integer `5`" },
		{ OLD("'sandbox':{},"), "unknown field `sandbox`" },
		{ OLD("'Network':{},"), "unknown field `Network`" },
		{ OLD("'filesystem':{'readWritePaths':[]},"),
		  "at `filesystem.readWritePaths`: unknown field" },
		{ OLD("'filesystem':{'readonlyPaths':'/a'},"),
		  "at `filesystem.readonlyPaths`: invalid type: string" },
		{ OLD("'filesystem':{'deniedPaths':['/a',null]},"),
		  "at `filesystem.deniedPaths[1]`: invalid type: null" },
		{ OLD("'filesystem':[],"), "at `filesystem`: invalid type: sequence" },
		{ OLD("'lifecycle':{'destroyOnExit':1},"),
		  "at `lifecycle.destroyOnExit`: invalid type: integer `1`" },
		{ OLD("'containerId':5,"), "at `containerId`: invalid type" },
		{ OLD("'containment':'Process',"), "at `containment`: unknown variant `Process`" },
		{ OLD("'containment':5,"), "at `containment`: invalid type" },
		{ OLD("'ui':{'clipboard':'some'},"), "at `ui.clipboard`: unknown variant `some`" },
		{ OLD("'fallback':{'allowDaclMutation':'yes'},"),
		  "at `fallback.allowDaclMutation`: invalid type" },
		{ OLD("'experimental':{'telemetry':{'enabled':'on'}},"),
		  "at `experimental.telemetry.enabled`" },
		{ OLD("'experimental':{'seatbelt':{}},"), "has moved to the stable section" },
		{ OLD("'experimental':[],"), "at `experimental`: invalid type" },
		{ OLD("'experimental':{'wslc':{'portMappings':[{'windowsPort':0,'containerPort':1}]}},"),
		  "at `experimental.wslc.portMappings[0].windowsPort`: invalid value" },
		{ OLD("'processContainer':{'leastPrivilege':'x'},"),
		  "at `processContainer.leastPrivilege`" },
		{ OLD("'processContainer':{},'appContainer':{},"),
		  "duplicate field `processContainer`" },
		{ OLD("'telemetry':{},"), "unknown field `telemetry`" },
		{ OLD("'$schema':5,"), "at `$schema`: invalid type" },
		{ OLD("'lxc':{'distribution':['alpine']},"),
		  "at `lxc.distribution`: invalid type" },
		/* A line separator in a key is shown escaped. */
		{ OLD("'a\\u2028b':1,"), "unknown field" },
	};
	static const char *const good[] = {
		OLD("'$schema':'x','_comment':{'a':[1]},'containerId':'../x','ui':{'clipboard':'read'},"
		    "'fallback':{'allowDaclMutation':false},'experimental':{'new':5,'telemetry':{'enabled':true,'x':1}},"),
		OLD("'containment':null,'filesystem':null,'network':null,'lifecycle':null,'ui':null,'phase':null,"
		    "'sandboxId':null,'experimental':null,'lxc':null,"),
	};

	(void)state;
	malformed(bad, array_size(bad));
	well_formed(good, array_size(good));
}

static void test_process(void **state)
{
	static const struct row bad[] = {
		{ "{}", "'process' section is required" },
		{ "{'process':null}", "'process' section is required" },
		{ PROCESS("{}"), "Missing required field: process.commandLine" },
		{ PROCESS("{'commandLine':null}"), "Missing required field: process.commandLine" },
		{ PROCESS("{'commandLine':''}"), "cannot be empty" },
		{ PROCESS("{'commandLine':['sh']}"), "at `process.commandLine`: invalid type" },
		{ PROCESS("{'commandLine':'x','timeout':-1}"),
		  "at `process.timeout`: invalid value: integer `-1`" },
		{ PROCESS("{'commandLine':'x','timeout':100.0}"),
		  "at `process.timeout`: invalid type: floating point" },
		{ PROCESS("{'commandLine':'x','timeout':4294967296}"),
		  "at `process.timeout`: invalid value" },
		{ PROCESS("{'commandLine':'x','timeout':'1'}"),
		  "at `process.timeout`: invalid type" },
		{ PROCESS("{'commandLine':'x','env':{'A':'B'}}"),
		  "at `process.env`: invalid type: map" },
		{ PROCESS("{'commandLine':'x','env':['A=1',2]}"),
		  "at `process.env[1]`: invalid type" },
		{ PROCESS("{'commandLine':'x','inheritDefaultEnv':true}"),
		  "unknown field `inheritDefaultEnv`" },
		{ "{'version':'1.0.0'}", "missing field `process`" },
		{ PROCESS100("{}"), "at `process`: missing field `commandLine`" },
		{ PROCESS100("{'commandLine':''}"), "string must not be empty" },
		{ PROCESS100("{'commandLine':'x','cwd':null}"),
		  "at `process.cwd`: invalid type: null" },
	};
	struct world w;

	(void)state;
	malformed(bad, array_size(bad));
	world_init(&w);
	assert_int_equal(
		world_parse(
			&w,
			PROCESS("{'commandLine':' ','cwd':'x','env':['A=1'],'timeout':4294967295}")),
		0);
	assert_string_equal(w.config->process->command_line, " ");
	assert_string_equal(w.config->process->cwd, "x");
	assert_int_equal(w.config->process->timeout.value, UINT32_MAX);
	assert_int_equal(w.config->containment, MXC_PROCESS);
	world_done(&w);
}

static void test_phases(void **state)
{
	static const struct row bad[] = {
		{ "{'phase':'start','sandboxId':'iso:1'}",
		  "'phase' is only valid on state-aware lifecycle requests" },
		{ OLD("'sandboxId':'x',"), "'sandboxId' is only valid on state-aware" },
		{ OLD("'correlationVector':'x',"), "'correlationVector' is only valid" },
		{ "{'version':'1.0.0','phase':'stop','sandboxId':'wslc:1'}",
		  "got a state-aware lifecycle request" },
		{ "{'version':'1.0.0','phase':'halt'}", "malformed_request: Unsupported phase" },
		{ "{'version':'1.0.0','phase':null}",
		  "malformed_request: Invalid phase declaration" },
		{ V100("'sandboxId':'x',"), "unknown field `sandboxId`" },
	};

	(void)state;
	malformed(bad, array_size(bad));
}

static void test_exact_contracts(void **state)
{
	static const struct row bad[] = {
		{ V100("'network':null,"), "at `network`: invalid type: null" },
		{ V100("'filesystem':{'deniedPaths':null},"),
		  "at `filesystem.deniedPaths`: invalid type: null" },
		{ V100("'$schema':null,"), "at `$schema`: invalid type" },
		{ V100("'experimental':{},"), "unknown field `experimental`" },
		{ V100("'network':{'defaultPolicy':'block'},"),
		  "at `network.defaultPolicy`: unknown field `defaultPolicy`" },
		{ V100("'network':{'proxy':{}},"),
		  "schema 1.0 migration: use runtimeConfig.networkProxy" },
		{ V100("'appContainer':{},"), "unknown field `appContainer`" },
		{ V100("'containment':'appcontainer',"), "unknown variant `appcontainer`" },
		{ V100("'containment':'vm',"), "unknown variant `vm`" },
		{ V090("'containment':'hyperlight',"), "unknown variant `hyperlight`" },
		{ V100("'test':{'message':'x'},"), "unknown field `test`" },
		{ V110("'test':{'message':5},"), "at `test.message`: invalid type" },
		{ V100("'lxc':{'distribution':'alpine'},'containment':'lxc',"),
		  "missing field `release`" },
		{ V100("'network':{'egress':{'allow':[{'to':[]}]}},"),
		  "at `network.egress.allow[0].to`: invalid value: array must not be empty" },
		{ V100("'network':{'egress':{'allow':[{'ports':[{'port':0}]}]}},"),
		  "expected a nonzero u16" },
		{ V100("'telemetry':{'enabled':1},"), "at `telemetry.enabled`: invalid type" },
		{ V110("'processContainer':{'ui':{'systemSettings':'some'}},"),
		  "unknown variant `some`" },
	};
	static const char *const good[] = {
		V100("'_comment':null,'$schema':'x','telemetry':{'enabled':true},'ui':{'disable':true},"
		     "'fallback':{},'lifecycle':{'destroyOnExit':false,'preservePolicy':true},'containerId':'',"),
		V090("'containment':'macos_sandbox','macos_sandbox':{'guiAccess':true},"),
		V110("'test':{'message':'x'},'containment':'hyperlight','hyperlight':{'runtime':'bash'},"),
	};

	(void)state;
	malformed(bad, array_size(bad));
	well_formed(good, array_size(good));
}

static void test_gates_and_sections(void **state)
{
	static const struct row bad[] = {
		{ OLD("'network':{'egress':null},"), "require schema version 0.8 or later" },
		{ OLD("'network':{'ingress':{}},"), "require schema version 0.8 or later" },
		{ OLD("'runtimeConfig':null,"), "require schema version 0.8 or later" },
		{ OLD("'processContainer':{'network':{}},"),
		  "require schema version 0.8 or later" },
		{ OLD("'lxc':{'distribution':'alpine','release':'3.23'},"),
		  "Multiple containment backends configured" },
		{ STRICT("'containment':'bubblewrap','processContainer':{},"),
		  "Multiple containment backends" },
		{ STRICT("'containment':'lxc','seatbelt':{},"),
		  "'containment' is 'lxc', and there is a section 'seatbelt'" },
		{ OLD("'experimental':{'wslc':{}},"), "section 'experimental.wslc'" },
		{ V100("'wslc':{},"), "Multiple containment backends" },
		{ V110("'windowsSandbox':{},"), "section 'windowsSandbox'" },
	};
	static const char *const good[] = {
		STRICT("'containment':'lxc','lxc':{},"),
		STRICT("'lxc':null,'seatbelt':null,"),
		OLD("'containment':'wslc','experimental':{'wslc':{'provision':{'image':'x'}}},"),
		OLD("'experimental':{'test':{'message':'x'},'telemetry':{}},"),
		V100("'containment':'seatbelt','seatbelt':{},"),
	};

	(void)state;
	malformed(bad, array_size(bad));
	well_formed(good, array_size(good));
}

static void test_paths(void **state)
{
	static const struct row bad[] = {
		{ OLD("'filesystem':{'readwritePaths':['']},"), "Filesystem path is empty" },
		{ OLD("'filesystem':{'readonlyPaths':['/a',' \\t']},"),
		  "at `filesystem.readonlyPaths[1]`: Filesystem path is empty" },
		{ V100("'filesystem':{'deniedPaths':['/a\\\"b']},"), "contains invalid character" },
	};
	static const char *const good[] = {
		OLD("'filesystem':{'readwritePaths':['x','~/y','$HOME/z','/a b'],'readonlyPaths':[],'deniedPaths':['/..']},"),
	};

	(void)state;
	malformed(bad, array_size(bad));
	well_formed(good, array_size(good));
}

#define EGRESS(rules) STRICT("'network':{'egress':{'allow':[" rules "]}},")

static void test_directional(void **state)
{
	static const struct row bad[] = {
		{ EGRESS("{'to':[]}"), "must contain at least one destination" },
		{ EGRESS("{'ports':[]}"), "must contain at least one selector" },
		{ EGRESS("{},{'to':[{}]}"),
		  "at `network.egress.allow[1].to[0]`: missing field `cidr`" },
		{ EGRESS("{'to':[{'cidr':'example.org'}]}"),
		  "at `network.egress.allow[0].to[0].cidr`: must be a valid network CIDR" },
		{ EGRESS("{'to':[{'cidr':'10.0.0.1/8'}]}"), "must be a valid network CIDR" },
		{ EGRESS("{'to':[{'cidr':'10.0.0.0/33'}]}"), "must be a valid network CIDR" },
		{ EGRESS("{'to':[{'cidr':'10.0.0.0/08'}]}"), "must be a valid network CIDR" },
		{ EGRESS("{'to':[{'cidr':'10.0.0.0/'}]}"), "must be a valid network CIDR" },
		{ EGRESS("{'to':[{'cidr':'fe80::1%eth0'}]}"), "must be a valid network CIDR" },
		{ EGRESS("{'to':[{'cidr':'10.0.0.0/8','except':['11.0.0.0/8']}]}"),
		  "at `network.egress.allow[0].to[0].except[0]`: must be contained within" },
		{ EGRESS("{'to':[{'cidr':'10.0.0.0/8','except':['::/0']}]}"),
		  "must be contained within" },
		{ EGRESS("{'to':[{'cidr':'10.0.0.0/16','except':['10.0.0.0/8']}]}"),
		  "must be contained within" },
		{ EGRESS("{'to':[{'cidr':'10.0.0.0/8','except':['x']}]}"),
		  "must be a valid network CIDR" },
		{ EGRESS("{'ports':[{'port':0}]}"), "must be between 1 and 65535" },
		{ EGRESS("{'ports':[{'port':65536}]}"),
		  "invalid value: integer `65536`, expected u16" },
		{ EGRESS("{'ports':[{'port':'80'}]}"), "invalid type" },
		{ EGRESS("{'ports':[{'endPort':80}]}"), "endPort requires port" },
		{ EGRESS("{'ports':[{'port':80,'endPort':79}]}"),
		  "at `network.egress.allow[0].ports[0].endPort`: must be greater than or equal to port" },
		{ EGRESS("{'ports':[{'protocol':'icmp','port':1}]}"),
		  "cannot specify port or endPort for protocol='icmp'" },
		{ EGRESS("{'ports':[{'protocol':'sctp'}]}"), "unknown variant `sctp`" },
		{ STRICT("'network':{'egress':{'deny':[{'to':[]}]}},"),
		  "at `network.egress.deny[0].to`" },
		{ STRICT("'network':{'egress':{'default':'block'}},"), "unknown variant `block`" },
		{ STRICT("'network':{'ingress':{'hostLoopback':true}},"),
		  "at `network.ingress.hostLoopback`: invalid type" },
		{ STRICT("'network':{'egress':{},'allowedHosts':[]},"),
		  "network configuration cannot mix" },
		{ STRICT("'network':{'defaultPolicy':'block'},'runtimeConfig':{},"),
		  "network configuration cannot mix" },
	};
	static const char *const good[] = {
		EGRESS("{},{'to':null,'ports':null}"),
		EGRESS("{'to':[{'cidr':'10.1.2.3'},{'cidr':'10.0.0.0/8','except':['10.0.0.0/8','10.3.0.0/16']}],"
		       "'ports':[{'port':1,'endPort':1},{'port':65535},{'protocol':'icmp'},{}]}"),
		EGRESS("{'to':[{'cidr':'::/0'},{'cidr':'2001:db8::/33','except':['2001:db8:1::1']}]}"),
		STRICT("'network':{'egress':null,'defaultPolicy':'block'},"),
	};
	struct world w;

	(void)state;
	malformed(bad, array_size(bad));
	well_formed(good, array_size(good));
	world_init(&w);
	assert_int_equal(world_parse(&w, good[1]), 0);
	assert_true(w.config->network.is_directional);
	assert_int_equal(w.config->network.egress->verdict, -1);
	assert_int_equal(w.config->network.egress->allow.items[0].ports.items[0].end_port.value, 1);
	assert_int_equal(w.config->network.egress->allow.items[0].ports.items[2].protocol,
			 MXC_ICMP);
	assert_int_equal(w.config->network.egress->allow.items[0].to.items[1].except.count, 2);
	assert_int_equal(world_parse(&w, good[3]), 0);
	assert_false(w.config->network.is_directional);
	world_done(&w);
}

#define NET(network) STRICT("'network':{" network "},")
#define PROXY(proxy) NET("'defaultPolicy':'allow','proxy':" proxy)

static void test_legacy(void **state)
{
	static const struct row bad[] = {
		{ NET("'defaultPolicy':'deny'"), "unknown variant `deny`" },
		{ NET("'enforcementMode':'none'"), "unknown variant `none`" },
		{ NET("'allowLocalNetwork':'yes'"), "invalid type" },
		{ NET("'allowedHosts':'a'"), "invalid type" },
		{ PROXY("{}"), "must specify builtinTestServer, localhost, or url" },
		{ PROXY("{'localhost':0}"), "must be a port between 1 and 65535" },
		{ PROXY("{'localhost':65536}"), "invalid value" },
		{ PROXY("{'builtinTestServer':false}"), "must be true when present" },
		{ PROXY("{'builtinTestServer':true,'localhost':1}"),
		  "no other proxy options may be set" },
		{ PROXY("{'url':'ftp://h:21'}"), "must use the 'http' or 'https' scheme" },
		{ PROXY("{'url':'http://h'}"), "must include a port" },
		{ PROXY("{'url':'http://h:80'}"), "must include a port" },
		{ PROXY("{'url':'https://h:443/'}"), "must include a port" },
		{ PROXY("{'url':'http://h:99999'}"), "is invalid" },
		{ PROXY("{'url':'nonsense'}"), "is invalid" },
		{ PROXY("{'url':'http://[::1:8080'}"), "is invalid" },
		{ NET("'proxy':{'localhost':8080}"),
		  "external network.proxy (url/localhost) cannot be combined with" },
		{ NET("'defaultPolicy':'allow','allowedHosts':['a'],'proxy':{'url':'http://h:1'}"),
		  "external network.proxy (url/localhost) cannot be combined with" },
		{ NET("'defaultPolicy':'allow','enforcementMode':'both','proxy':{'localhost':8080}"),
		  "cannot be combined with network.enforcementMode" },
	};
	static const char *const good[] = {
		NET("'defaultPolicy':'block','enforcementMode':'both','allowLocalNetwork':false,'allowedHosts':['a'],"
		    "'blockedHosts':[]"),
		PROXY("{'localhost':8080,'url':'http://h:1'}"),
		PROXY("{'url':'HTTP://h:8080/path?x#y'}"),
		PROXY("{'url':'http://@h:8080'}"),
		PROXY("{'url':'http://:@h:8080'}"),
		NET("'proxy':{'builtinTestServer':true},'allowedHosts':['a']"),
	};

	(void)state;
	malformed(bad, array_size(bad));
	well_formed(good, array_size(good));
}

/* Whatever the form, neither the name nor the password is in the message. */
static void test_credentials(void **state)
{
	static const char *const urls[] = {
		"http://hansl:geheim@h:8080", "https://hansl:geheim@h",
		"http:hansl:geheim@h:8080",   "http:\\\\\\\\hansl:geheim@h:8080",
		" http://hansl:geheim@h:1",   "ht\\ttp://hansl:geheim@h:1",
		"http://hansl:ge@geheim@h:1", "hansl:geheim@h:8080",
		"http://hansl:geheim@",	      "http://hansl@[::1]:8080",
		"gopher://hansl:geheim@h:1",  "http:///hansl:geheim@h:1",
	};
	cleanup_free char *line = NULL;
	struct world w;
	size_t i;

	(void)state;
	for (i = 0; i < array_size(urls); i++) {
		world_init(&w);
		assert_true(world_parse(&w, arena_printf(w.arena, PROXY("{'url':'%s'}"), urls[i])) <
			    0);
		line = err_format(w.err);
		if (strstr(line, "hansl") || strstr(line, "geheim"))
			fail_msg("%s", line);
		free(take_ptr(line));
		assert_int_equal(w.err->code, E_CONFIG);
		world_done(&w);
	}
	world_init(&w);
	world_malformed(&w, PROXY("{'url':'http://hansl:geheim@proxy.example:8080'}"),
			"must not carry credentials: ***@proxy.example:8080");
	world_done(&w);
}

#define RUNTIME(url) V100("'runtimeConfig':{'networkProxy':'" url "'},")

static void test_runtime_proxy(void **state)
{
	static const struct row bad[] = {
		{ RUNTIME("http://127.0.0.2:1"), "must use localhost, 127.0.0.1, or [::1]" },
		{ RUNTIME("http://0.0.0.0:1"), "must use localhost" },
		{ RUNTIME("http://localhost.:1"), "must use localhost" },
		{ RUNTIME("http://localhost"), "must include a port" },
		{ RUNTIME("http://localhost:80"), "must include a port" },
		{ RUNTIME("https://localhost:443"), "must include a port" },
		{ RUNTIME("socks5://localhost:1080"), "must use the 'http' or 'https' scheme" },
		{ RUNTIME(""), "is invalid" },
		{ V100("'runtimeConfig':{'networkProxy':5},"),
		  "at `runtimeConfig.networkProxy`: invalid type" },
		{ V100("'network':{'egress':{'default':'allow'}},'runtimeConfig':{'networkProxy':'http://localhost:1'},"),
		  "requires network.egress.default='deny'" },
		{ V100("'network':{'egress':{'deny':[{}]}},'runtimeConfig':{'networkProxy':'http://localhost:1'},"),
		  "requires network.egress.default='deny'" },
	};
	static const char *const good[] = {
		RUNTIME("http://LOCALHOST:3128"),
		RUNTIME("https://127.0.0.1:80/x"),
		RUNTIME("  http://[::1]:1"),
		V100("'runtimeConfig':{},"),
		V100("'network':{'egress':{'default':'deny'},'ingress':{'default':'allow'}},"
		     "'runtimeConfig':{'networkProxy':'http://localhost:1'},"),
	};

	(void)state;
	malformed(bad, array_size(bad));
	well_formed(good, array_size(good));
}

static void test_cidr(void **state)
{
	struct cidr a, b;

	(void)state;
	assert_true(cidr_parse("10.9.0.0/16", &a) && !a.is_v6 && a.prefix == 16 &&
		    cidr_is_network(&a));
	assert_true(cidr_parse("10.9.8.0/24", &b) && cidr_contains(&a, &b) &&
		    !cidr_contains(&b, &a));
	assert_true(cidr_parse("10.9.128.0/17", &a) && !cidr_contains(&a, &b));
	assert_true(cidr_parse("10.9.0.0/17", &a) && cidr_contains(&a, &b) &&
		    cidr_contains(&a, &a));
	assert_true(cidr_parse("0.0.0.0/0", &a) && cidr_contains(&a, &b));
	assert_true(cidr_parse("::ffff:1.2.3.0/120", &a) && a.is_v6 && cidr_is_network(&a));
	assert_true(cidr_parse("::/0", &b) && cidr_contains(&b, &a));
	assert_true(cidr_parse("::1", &a) && a.prefix == 128);
	assert_false(cidr_parse("::1/129", &a));
	assert_false(cidr_parse("1.2.3", &a));
	assert_false(cidr_parse("1.2.3.4/-1", &a));
	assert_false(cidr_parse("1.2.3.4/0032", &a));
	assert_false(cidr_parse("", &a));
	assert_false(cidr_parse("/8", &a));
	assert_false(cidr_parse(" 1.2.3.4", &a));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_versions),
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_shape),
		cmocka_unit_test(test_process),
		cmocka_unit_test(test_phases),
		cmocka_unit_test(test_exact_contracts),
		cmocka_unit_test(test_gates_and_sections),
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_directional),
		cmocka_unit_test(test_legacy),
		cmocka_unit_test(test_credentials),
		cmocka_unit_test(test_runtime_proxy),
		cmocka_unit_test(test_cidr),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

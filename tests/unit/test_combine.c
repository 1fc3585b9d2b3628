/* test_combine.c - several policies for one container: what they come to together, what is refused, and, with thousands of
 * made-up ones, that a further carrier never loosens. */
#include "carrier_unit.h"

#include <stdio.h>

#include "base/path.h"

#define CARRIERS_MAX 4u

struct scene {
	struct arena *arena;
	struct policy_carrier carriers[CARRIERS_MAX];
	size_t count;
	const struct policy_combined *combined;
	struct err *err;
};

static const char *const names[CARRIERS_MAX] = { "first", "second", "third", "fourth" };

static void scene_done(struct scene *s)
{
	err_free_ptr(&s->err);
	arena_free_ptr(&s->arena);
}

static int add(struct scene *s, const char *quoted, enum carrier_grants grants)
{
	size_t at = s->count++;

	return carrier_parse(s->arena, names[at], quoted, grants, &s->carriers[at], &s->err);
}

static int combine(struct scene *s)
{
	return policy_combine(s->arena, s->carriers, s->count, NULL, &s->combined, &s->err);
}

#define FS(lists) "{'filesystem':{" lists "}}"
#define RW(paths) "'readwritePaths':[" paths "]"
#define RO(paths) "'readonlyPaths':[" paths "]"
#define NO(paths) "'deniedPaths':[" paths "]"

/* "no /d*; rw /d/a" */
static const char *regions_text(const struct scene *s)
{
	static const char *const marks[] = { "no", "ro", "rw" };
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	for (size_t i = 0; i < s->combined->region_count; i++) {
		const struct combined_region *region = &s->combined->regions[i];

		strbuf_printf(&text, "%s%s %s%s", i ? "; " : "", marks[region->intent], region->path,
			      region->is_reopened ? "*" : "");
	}
	return arena_strdup(s->arena, strbuf_str(&text));
}

static void test_regions(void **state)
{
	static const struct { const char *first, *second, *regions; } rows[] = {
		{ "{}", NULL, "" },
		{ FS(NO("'/a'")), NULL, "no /a" },
		{ FS(NO("'/a','/a/b','/a//'")), NULL, "no /a" },
		{ FS(NO("'/d'") "," RW("'/d/a'")), NULL, "no /d*; rw /d/a" },
		{ FS(RO("'/d'") "," RW("'/d/a'") "," NO("'/d/a/b'")), NULL, "ro /d; rw /d/a; no /d/a/b" },
		{ FS(RO("'/d'") "," NO("'/d'")), NULL, "no /d" },
		{ FS(RO("'/'") "," RW("'/tmp'")), NULL, "ro /; rw /dev; rw /proc; rw /tmp" },
		{ FS(RO("'/','/dev'")), NULL, "ro /; rw /proc" },
		{ FS(RO("'/d'") "," RW("'/d/a'")), FS(NO("'/d/a'")), "ro /d; no /d/a" },
		{ FS(RO("'/d'") "," RW("'/d/a'")), FS(RO("'/d/a/b'")), "ro /d; rw /d/a; ro /d/a/b" },
		{ FS(RO("'/d'") "," RW("'/d/a'")), FS(RO("'/'")), "ro /; rw /dev; rw /proc" },
		{ FS(NO("'/d'") "," RW("'/d/a'")), FS(RO("'/d/a'")), "no /d*; ro /d/a" },
		{ FS(NO("'/d'") "," RO("'/d/a'")), FS(NO("'/d/a/b'") "," RO("'/d/a/b/c'")),
		  "no /d*; ro /d/a; no /d/a/b*; ro /d/a/b/c" },
	};

	(void)state;
	for (size_t i = 0; i < array_size(rows); i++) {
		struct scene s = { .arena = arena_new() };

		assert_int_equal(add(&s, rows[i].first, GRANTS_NONE), 0);
		if (rows[i].second)
			assert_int_equal(add(&s, rows[i].second, GRANTS_NONE), 0);
		assert_int_equal(combine(&s), 0);
		assert_string_equal(regions_text(&s), rows[i].regions);
		scene_done(&s);
	}
}

/* What names hide from each other: it counts where a link makes them two places. */
static void test_by_link(void **state)
{
	static const struct { const char *first, *second, *by_link; } rows[] = {
		{ FS(NO("'/a'")), FS(RO("'/b'")), "" },
		{ FS(NO("'/d/a'")), FS(NO("'/d'")), "no /d/a" },
		{ FS(RO("'/d/a'")), FS(NO("'/d'")), "ro /d/a" },
		{ FS(RO("'/d','/d/a'")), NULL, "ro /d/a" },
		{ FS(RO("'/d','/d/a'")), FS(NO("'/d/a'")), "" },
		{ FS(RO("'/d/a'")), FS(NO("'/d'") "," RW("'/d/a'")), "" },
		{ FS(RO("'/d'") "," RW("'/d/a'")), FS(RO("'/d'")), "" },
	};
	static const char *const marks[] = { "no", "ro", "rw" };

	(void)state;
	for (size_t i = 0; i < array_size(rows); i++) {
		struct scene s = { .arena = arena_new() };
		cleanup_strbuf struct strbuf text = STRBUF_INIT;

		assert_int_equal(add(&s, rows[i].first, GRANTS_NONE), 0);
		if (rows[i].second)
			assert_int_equal(add(&s, rows[i].second, GRANTS_NONE), 0);
		assert_int_equal(combine(&s), 0);
		for (size_t j = 0; j < s.combined->by_link_count; j++)
			strbuf_printf(&text, "%s%s %s", j ? "; " : "", marks[s.combined->by_link[j].intent], s.combined->by_link[j].path);
		assert_string_equal(strbuf_str(&text), rows[i].by_link);
		scene_done(&s);
	}
}

static void test_refused(void **state)
{
	static const struct { const char *policy, *words; } rows[] = {
		{ FS(RW("'/a'")), "may only restrict" },
		{ FS(NO("'/b'") "," RW("'/a'")), "may only restrict" },
		{ FS(NO("'a'")), "absolute" },
		{ FS(NO("'/a/../b'")), "\"..\"" },
		{ FS(NO("'/'")), "nothing that could run" },
		{ FS(NO("'/proc/12/root'")), "folder of a process" },
		{ "{'network':{'ingress':{'hostLoopback':'allow'}}}", "hostLoopback" },
		{ "{'network':{'defaultPolicy':'allow','proxy':{'localhost':3128}}}", "a proxy as the only way out" },
		{ "{'network':{'defaultPolicy':'allow','allowedHosts':['10.0.0.1']}}", "enforcement mechanism" },
		{ "{'network':{'enforcementMode':'both','allowedHosts':['example.org']}}", "not an IP address" },
		{ "{'bubblewrap':{'resources':{'pids':0}}}", "expected 1 to" },
	};

	(void)state;
	for (size_t i = 0; i < array_size(rows); i++) {
		struct scene s = { .arena = arena_new() };
		cleanup_free char *line = NULL;

		assert_int_equal(add(&s, rows[i].policy, GRANTS_NONE), 0);
		assert_true(combine(&s) < 0);
		line = err_format(s.err);
		if (!strstr(line, rows[i].words))
			fail_msg("\"%s\" doesn't say \"%s\"", line, rows[i].words);
		scene_done(&s);
	}
}

static void test_malformed(void **state)
{
	static const char *const rows[] = {
		"[]", "{'process':{'commandLine':'id'}}", "{'containment':'lxc'}", "{'version':'0.7.0'}",
		"{'ui':{'disable':true}}", "{'bubblewrap':{'argv0':'x'}}", "{'bubblewrap':{'keepCaps':'CAP_KILL'}}", FS("'deniedPath':[]"),
		FS(NO("''")), "{'version':'3.0.0'}",
	};

	(void)state;
	for (size_t i = 0; i < array_size(rows); i++) {
		struct scene s = { .arena = arena_new() };

		if (add(&s, rows[i], GRANTS_NONE) == 0)
			fail_msg("accepted: %s", rows[i]);
		assert_non_null(s.err);
		scene_done(&s);
	}
}

static void test_grants(void **state)
{
	static const char *listed[] = { "/srv/shared", NULL };
	const struct string_list list = { listed, 1, true };
	struct scene s = { .arena = arena_new() };

	(void)state;
	assert_int_equal(add(&s, FS(RW("'/data','/closed'") "," RO("'/lib'")), GRANTS_ALL), 0);
	assert_int_equal(add(&s, FS(NO("'/closed'")), GRANTS_NONE), 0);
	assert_int_equal(add(&s, FS(RW("'/srv/shared/x'")), GRANTS_LISTED), 0);
	s.carriers[2].readwrite_grants = &list;
	assert_int_equal(combine(&s), 0);
	assert_int_equal(s.combined->grant_count, 3);
	assert_string_equal(s.combined->grants[0].path, "/data");
	assert_string_equal(s.combined->grants[1].path, "/lib");
	assert_string_equal(s.combined->grants[2].path, "/srv/shared/x");
	s.carriers[2].readwrite_grants = NULL;
	s.carriers[2].readonly_grants = &list;
	assert_true(combine(&s) < 0);
	scene_done(&s);
}

static void test_limits(void **state)
{
	struct scene s = { .arena = arena_new() };

	(void)state;
	assert_int_equal(add(&s, "{'bubblewrap':{'resources':{'memoryMb':64,'pids':9}},'process':{'timeout':500}}", GRANTS_NONE), 0);
	assert_int_equal(add(&s, "{'bubblewrap':{'resources':{'memoryMb':32,'cpuCount':2}},'process':{'timeout':0}}", GRANTS_NONE), 0);
	assert_int_equal(add(&s, "{'network':{},'process':{'timeout':700}}", GRANTS_NONE), 0);
	assert_int_equal(combine(&s), 0);
	assert_int_equal(s.combined->memory_bytes.value, 32u << 20);
	assert_string_equal(s.combined->memory_bytes.carrier->name, "second");
	assert_int_equal(s.combined->pids.value, 9);
	assert_int_equal(s.combined->cpus.value, 2);
	assert_int_equal(s.combined->timeout_ms.value, 500);
	assert_true(s.combined->is_isolated);
	assert_string_equal(s.combined->network_carrier->name, "third");
	scene_done(&s);
}

/* ---- network ---- */

static bool passes(const struct scene *s, uint32_t address, enum net_protocol protocol, uint16_t port)
{
	const struct net_packet packet = { NET_V4, { 0, address }, protocol, port };

	return !net_rule_sets_refusal(&s->combined->network.egress, &packet);
}

static void test_network(void **state)
{
	struct scene s = { .arena = arena_new() };

	(void)state;
	assert_int_equal(add(&s, "{'network':{'egress':{'default':'allow'},'ingress':{'default':'allow'}}}", GRANTS_NONE), 0);
	assert_int_equal(add(&s, "{'filesystem':{}}", GRANTS_NONE), 0);
	assert_int_equal(combine(&s), 0);
	assert_int_equal(s.combined->network.egress.count, 1);
	assert_true(s.combined->network.accepts_connections);
	assert_true(passes(&s, 0x0a000001, NET_TCP, 80));
	assert_int_equal(add(&s, "{'network':{'egress':{'allow':[{'to':[{'cidr':'10.0.0.0/8'}],"
				 "'ports':[{'protocol':'tcp','port':80,'endPort':90}]}]}}}", GRANTS_NONE), 0);
	assert_int_equal(add(&s, "{'network':{'enforcementMode':'both','defaultPolicy':'allow','allowLocalNetwork':true,"
				 "'blockedHosts':['10.1.0.0/16']}}", GRANTS_NONE), 0);
	assert_int_equal(combine(&s), 0);
	assert_int_equal(s.combined->network.egress.count, 3);
	assert_string_equal(s.combined->network.egress.items[1].carrier, "third");
	assert_string_equal(s.combined->network.pointer, "first/network/egress/default");
	assert_false(s.combined->network.accepts_connections);
	assert_true(s.combined->network.closes_host_loopback);
	assert_true(s.combined->network.judges_resolver);
	assert_false(s.combined->is_isolated);
	assert_true(passes(&s, 0x0a000001, NET_TCP, 80));
	assert_false(passes(&s, 0x0a000001, NET_TCP, 91));
	assert_false(passes(&s, 0x0a000001, NET_UDP, 80));
	assert_false(passes(&s, 0x0a010001, NET_TCP, 80));
	assert_false(passes(&s, 0x0b000001, NET_TCP, 80));
	scene_done(&s);
}

/* What stands alone in a list and lets everything, or nothing, pass. */
static void test_network_postures(void **state)
{
	static const struct { const char *network; bool allows, accepts, is_isolated; } rows[] = {
		{ "{'network':{}}", false, false, true },
		{ "{'network':{'egress':{},'ingress':{'default':'allow'}}}", false, true, true },
		{ "{'network':{'egress':{'default':'allow'}}}", true, false, false },
		{ "{'network':{'defaultPolicy':'block'}}", false, false, true },
		{ "{'network':{'defaultPolicy':'allow','allowLocalNetwork':true}}", true, true, false },
		{ "{'network':{'defaultPolicy':'allow'}}", true, false, false },
	};

	(void)state;
	for (size_t i = 0; i < array_size(rows); i++) {
		struct scene s = { .arena = arena_new() };

		assert_int_equal(add(&s, rows[i].network, GRANTS_NONE), 0);
		assert_int_equal(combine(&s), 0);
		assert_int_equal(passes(&s, 0x0a000001, NET_TCP, 80), rows[i].allows);
		assert_int_equal(passes(&s, 0x0a000001, NET_OTHER, 0), rows[i].allows);
		assert_int_equal(s.combined->network.accepts_connections, rows[i].accepts);
		assert_int_equal(s.combined->is_isolated, rows[i].is_isolated);
		scene_done(&s);
	}
}

/* ---- a further carrier never loosens ---- */

static uint32_t next_random(uint32_t *seed)
{
	*seed = *seed * 1664525u + 1013904223u;
	return *seed >> 8;
}

/* All paths of up to four components out of two names. */
static const char *random_path(struct arena *arena, uint32_t *seed)
{
	unsigned int depth = 1 + next_random(seed) % 4;
	const char *path = "";

	for (unsigned int i = 0; i < depth; i++)
		path = arena_printf(arena, "%s/%c", path, 'a' + (int)(next_random(seed) % 2));
	return path;
}

static void add_random(struct scene *s, uint32_t *seed)
{
	const char *lists[3] = { "", "", "" };
	unsigned int count = 1 + next_random(seed) % 6;

	for (unsigned int i = 0; i < count; i++) {
		const char **list = &lists[next_random(seed) % 3];

		*list = arena_printf(s->arena, "%s%s'%s'", *list, **list ? "," : "", random_path(s->arena, seed));
	}
	assert_int_equal(add(s, arena_printf(s->arena, "{'filesystem':{'deniedPaths':[%s],'readonlyPaths':[%s],'readwritePaths':[%s]},"
				  "'bubblewrap':{'resources':{'pids':%u}}}",
				  lists[0], lists[1], lists[2], 1 + next_random(seed) % 100),
			     GRANTS_ALL), 0);
}

/* What the regions make of a path: the nearest one above decides. */
static enum policy_intent intent_at(const struct policy_combined *combined, const char *path)
{
	enum policy_intent intent = INTENT_READWRITE;
	size_t best = 0;

	for (size_t i = 0; i < combined->region_count; i++) {
		const struct combined_region *region = &combined->regions[i];

		if (path_is_within(path, region->path) && strlen(region->path) >= best) {
			best = strlen(region->path);
			intent = region->intent;
		}
	}
	return intent;
}

/* The same by the definition: each carrier's nearest entry, then the strictest of them. */
static enum policy_intent intent_by_definition(const struct scene *s, const char *path)
{
	enum policy_intent all = INTENT_READWRITE;

	for (size_t i = 0; i < s->count; i++) {
		const struct mxc_filesystem *fs = &s->carriers[i].config->filesystem;
		const struct string_list *lists[] = { &fs->denied_paths, &fs->readonly_paths, &fs->readwrite_paths };
		enum policy_intent own = INTENT_READWRITE;
		size_t best = 0;

		for (int intent = 0; intent < INTENT_MAX; intent++)
			for (size_t j = 0; j < lists[intent]->count; j++)
				if (path_is_within(path, lists[intent]->items[j]) && strlen(lists[intent]->items[j]) > best) {
					best = strlen(lists[intent]->items[j]);
					own = (enum policy_intent)intent;
				}
		all = own < all ? own : all;
	}
	return all;
}

static void check_all_paths(const struct scene *s, const struct policy_combined *before)
{
	for (unsigned int number = 0; number < 62; number++) {
		char path[16] = "";
		size_t len = 0;

		/* 2 to 63 in binary, without the leading one: every path of one to five names */
		for (unsigned int bit = 31u - (unsigned int)__builtin_clz(number + 2); bit--;)
			len += (size_t)sprintf(path + len, "/%c", 'a' + (int)((number + 2) >> bit & 1));
		assert_int_equal(intent_at(s->combined, path), intent_by_definition(s, path));
		if (before)
			assert_true(intent_at(s->combined, path) <= intent_at(before, path));
	}
}

static void test_never_looser(void **state)
{
	uint32_t seed = 20261124;

	(void)state;
	for (int round = 0; round < 2000; round++) {
		struct scene s = { .arena = arena_new() };
		const struct policy_combined *before = NULL;

		for (size_t i = 0; i < CARRIERS_MAX; i++) {
			add_random(&s, &seed);
			assert_int_equal(combine(&s), 0);
			check_all_paths(&s, before);
			if (before) {
				assert_true(s.combined->pids.value <= before->pids.value);
				assert_true(s.combined->item_count > before->item_count);
			}
			before = s.combined;
		}
		scene_done(&s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_regions),	 cmocka_unit_test(test_by_link), cmocka_unit_test(test_refused),
		cmocka_unit_test(test_malformed), cmocka_unit_test(test_grants),
		cmocka_unit_test(test_limits), cmocka_unit_test(test_network),
		cmocka_unit_test(test_network_postures),	 cmocka_unit_test(test_never_looser),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

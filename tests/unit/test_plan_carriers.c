/* test_plan_carriers.c - the plan of a bundle under several policies, and of a process that comes to it later. That it points nowhere
 * but into itself is looked at with each (closed.h). */
#include "carrier_unit.h"
#include "oci_unit.h"

#define CARRIERS_MAX 4u

struct scene {
	struct world w;
	struct policy_carrier carriers[CARRIERS_MAX];
	size_t count;
	struct plan_carriers all;
};

static void scene_init(struct scene *s)
{
	*s = (struct scene){ .count = 0 };
	world_v2(&s->w);
}

static void scene_done(struct scene *s)
{
	world_done(&s->w);
}

static void add(struct scene *s, const char *name, const char *quoted)
{
	assert_int_equal(carrier_parse(s->w.arena, name, quoted, GRANTS_ALL, &s->carriers[s->count], &s->w.err), 0);
	s->count++;
}

/* Every path that is granted is a folder of the host, and not in the image. */
static void find_grants(struct scene *s)
{
	struct host_objects *objects = arena_alloc(s->w.arena, sizeof(*objects));
	size_t count = s->all.combined->grant_count;

	objects->items = arena_array(s->w.arena, count, sizeof(*objects->items));
	objects->count = count;
	for (size_t i = 0; i < count; i++)
		objects->items[i] = (struct host_object){
			.path = s->all.combined->grants[i].path, .absolute = s->all.combined->grants[i].path,
			.canonical = s->all.combined->grants[i].path, .mode = 0040755, .dev = 5, .ino = i + 1,
		};
	s->all.objects = objects;
	s->all.is_in_image = arena_array(s->w.arena, count, sizeof(*s->all.is_in_image));
}

static const struct plan *accept(struct scene *s, const char *quoted)
{
	assert_int_equal(policy_combine(s->w.arena, s->carriers, s->count, NULL, &s->all.combined, NULL), 0);
	find_grants(s);
	s->w.request.carriers = &s->all;
	return world_accept(&s->w, quoted);
}

static const struct oci_seccomp *file_filter(struct scene *s)
{
	static const char text[] = "{\"defaultAction\": \"SCMP_ACT_ALLOW\", \"syscalls\": [{\"names\": [\"mkdir\"], \"action\": \"SCMP_ACT_ERRNO\"}]}";
	const struct oci_seccomp *ret = NULL;
	const struct json *document;

	assert_int_equal(json_parse(s->w.arena, text, strlen(text), "profile", &document, NULL), 0);
	assert_int_equal(oci_parse_seccomp(s->w.arena, document, NULL, &ret, NULL), 0);
	return ret;
}

static void test_paths_and_limits(void **state)
{
	const struct plan *plan;
	struct scene s;

	(void)state;
	scene_init(&s);
	add(&s, "first", "{'filesystem':{'deniedPaths':['/etc/secret','/home'],'readonlyPaths':['/srv'],'readwritePaths':['/srv/work','/home/a']},"
			 "'process':{'timeout':5000},'bubblewrap':{'resources':{'memoryMb':64,'cpuCount':2,'pids':20}}}");
	add(&s, "second", "{'filesystem':{'readonlyPaths':['/opt']},'bubblewrap':{'resources':{'pids':10}}}");
	plan = accept(&s, DOCUMENT("", "", ""));
	assert_true(plan->policy.region_count > 3);
	assert_int_equal(plan->policy.pids, 10);
	assert_int_equal(plan->policy.memory_bytes, 64 << 20);
	assert_int_equal(plan->lifecycle.timeout_ms, 5000);
	assert_true(plan->policy.item_count > 8);
	assert_int_equal(s.all.combined->grant_count, 4);
	assert_int_equal(plan->mounts[plan->mount_count - 1].source_dev, 5);
	scene_done(&s);
}

static void test_network(void **state)
{
	static const char *const rows[] = {
		("{'network':{'egress':{'allow':[{'to':[{'cidr':'10.0.0.0/8','except':['10.1.0.0/16']},{'cidr':'fd00::/8'}],"
		"'ports':[{'protocol':'tcp','port':80,'endPort':90},{'protocol':'udp','port':53}]}]},'ingress':{'default':'allow'}}}"),
		"{'network':{'egress':{'default':'deny'}}}",
		"{'network':{'egress':{'default':'allow','deny':[{'to':[{'cidr':'192.0.2.1'}]}]}}}",
		"{'network':{'enforcementMode':'firewall','defaultPolicy':'block','allowedHosts':['192.0.2.1','2001:db8::/32'],'blockedHosts':['192.0.2.0/24']}}",
	};

	(void)state;
	for (size_t i = 0; i < array_size(rows); i++) {
		struct scene s;

		scene_init(&s);
		add(&s, "first", rows[i]);
		add(&s, "second", rows[0]);
		assert_int_equal(accept(&s, DOCUMENT("", "", ""))->network_policy.egress.count, 2);
		scene_done(&s);
	}
}

#define CAPABILITIES "'capabilities':{'bounding':['CAP_KILL','CAP_CHOWN'],'permitted':['CAP_KILL','CAP_CHOWN'],'effective':['CAP_KILL']},"

static void test_process(void **state)
{
	const struct plan *plan;
	struct scene s;

	(void)state;
	scene_init(&s);
	add(&s, "first", "{'bubblewrap':{'seccompProfile':'denylist','dropCaps':['CAP_CHOWN']}}");
	add(&s, "second", "{'bubblewrap':{'seccompProfile':'/profile.json','keepCaps':['CAP_KILL']}}");
	add(&s, "third", "{'bubblewrap':{'seccompProfile':'default'}}");
	s.carriers[1].seccomp_file = file_filter(&s);
	plan = accept(&s, DOCUMENT("", CAPABILITIES, "'seccomp':{'defaultAction':'SCMP_ACT_ALLOW'},"));
	assert_int_equal(plan->policy.filter_count, 3);
	assert_int_equal(plan->process.capabilities.bounding, UINT64_C(1) << 5);
	assert_non_null(plan->policy.process_pointer);
	scene_done(&s);
}

/* What the record of a container keeps of its policies goes into the plan of a later process. */
static void test_later_process(void **state)
{
	static struct plan_seccomp filters[2];
	cleanup_arena struct arena *shared = NULL;
	const struct plan *plan;
	struct scene s;

	(void)state;
	skip_under_valgrind();
	scene_init(&s);
	add(&s, "first", "{'bubblewrap':{'seccompProfile':'denylist'}}");
	add(&s, "second", "{'bubblewrap':{'seccompProfile':'default'}}");
	plan = accept(&s, DOCUMENT("", CAPABILITIES "'noNewPrivileges':true,'apparmorProfile':'',", "'seccomp':{'defaultAction':'SCMP_ACT_ALLOW'},"));
	assert_int_equal(plan->policy.filter_count, array_size(filters));
	memcpy(filters, plan->policy.filters, sizeof(filters));
	s.w.request.filters = filters;
	s.w.request.filter_count = array_size(filters);
	s.w.request.carriers = NULL;
	s.w.request.withheld_capabilities = UINT64_C(1);
	shared = arena_new_shared();
	assert_int_equal(plan_exec_from_oci(shared, s.w.config, &s.w.request, 77, &s.w.facts, NULL, &plan, NULL), 0);
	assert_int_equal(plan->policy.filter_count, array_size(filters));
	assert_closed(shared, plan);
	scene_done(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_paths_and_limits),
		cmocka_unit_test(test_network),
		cmocka_unit_test(test_process),
		cmocka_unit_test(test_later_process),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_plan_print.c - no member of the plan is missing in its JSON: each is changed in turn, and
 * the text has to change. The sizes at the end make whoever adds a member to plan.h look here. */
#include "unit.h"

#include <linux/filter.h>
#include <sys/mount.h>

#include "base/json.h"
#include "engine/items.h"
#include "plan_unit.h"

static struct sock_filter program[] = { { 6, 0, 0, 1 } };
static struct plan_idmap uid_map = { 1, 2, 3 }, gid_map = { 4, 5, 6 };
static struct plan_idmap mount_uid_map = { 1, 2, 3 }, mount_gid_map = { 4, 5, 6 };
static struct plan_cgroup_write cgroup_write = { "memory", "memory.max", "1", false, "memory.current", "/p" };
static struct plan_device_rule device_rule = { .type = 'c', .major = 1, .minor = 2 };
static struct plan_option mount_option = { "mode", "755" }, annotation = { "a", "b" };
static const struct plan_mount_maps mount_maps = { { &mount_uid_map, 1 }, { &mount_gid_map, 1 } };
static struct plan_mount mount_step = { .destination = "/d",
					.option_count = 1,
					.options = &mount_option,
					.maps = &mount_maps };
static struct plan_device device = { .path = "/dev/x", .type = 'c' };
static struct plan_symlink symlink_step = { "/dev/fd", "/proc/self/fd" };
static struct plan_path masked = { "/m", "/p" }, readonly = { "/r", "/p" };
static struct plan_net_device net_device = { "eth1", "eth0", "/p" };
static struct net_port_range tcp_ports = { 1, 2 }, udp_ports = { 3, 4 };
static struct net_interval to4 = { { 0, 1 }, { 0, 2 } }, to6 = { { 1, 0 }, { 1, 1 } };
static struct net_group net_group = { .name = "r",
				      .ports = { { &tcp_ports, 1 }, { &udp_ports, 1 } },
				      .to = { { &to4, 1 }, { &to6, 1 } } };
static struct net_port_mapping net_mapping = { .pointer = "p" };
static struct net_rules net_rules = { .carrier = "c", .groups = &net_group, .count = 1 };
static struct plan_sysctl sysctl_step = { "net/x", "1", "/p", NS_NET };
static struct plan_rlimit rlimit = { 7, 1, 2, "RLIMIT_NOFILE", "/p" };
static struct plan_hook hook = { .path = "/h" };
static unsigned long mask_word = 5;
static const char *words[] = { "a", "b", NULL };
static uint32_t groups[] = { 5 };
static struct plan_unit_property unit_property = { "A", "as", words };
static struct plan_region region = { .path = "/r", .pointer = "/p" }, linked = { .path = "/l", .pointer = "/q" };
static struct plan_seccomp filter = { .program = program, .instruction_count = 1 };
static struct plan_item item = { .subject = "path" };
static struct plan plan;

static void make_plan(void)
{
	unsigned int i;

	plan = (struct plan){
		.rdt = { .is_set = true, .class_name = "c" },
		.annotations = &annotation,
		.annotation_count = 1,
		.uid_maps = { &uid_map, 1 },
		.gid_maps = { &gid_map, 1 },
		.cgroup = { .unit_properties = &unit_property,
			    .unit_property_count = 1,
			    .writes = &cgroup_write,
			    .write_count = 1,
			    .device_rules = &device_rule,
			    .device_rule_count = 1 },
		.mounts = &mount_step,
		.mount_count = 1,
		.devices = &device,
		.device_count = 1,
		.dev_symlinks = &symlink_step,
		.dev_symlink_count = 1,
		.masked = { &masked, 1 },
		.readonly = { &readonly, 1 },
		.sysctls = &sysctl_step,
		.sysctl_count = 1,
		.net_devices = &net_device,
		.net_device_count = 1,
		.network_policy = { .egress = { .items = &net_rules, .count = 1 },
				    .mappings = &net_mapping, .mapping_count = 1,
				    .proxy = { .listen_count = 1, .target_count = 1, .test = { true, false, words, words } } },
		.monotonic = { true, 1, 2 },
		.boottime = { true, 3, 4 },
		.policy = { .regions = &region, .region_count = 1, .by_link = &linked, .by_link_count = 1, .filters = &filter, .filter_count = 1, .items = &item, .item_count = 1 },
		.process = { .argv = words,
			     .env = words,
			     .groups = groups,
			     .group_count = 1,
			     .rlimits = &rlimit,
			     .rlimit_count = 1,
			     .has_oom_score_adj = true,
			     .seccomp = { .program = program, .instruction_count = 1 } },
	};
	for (i = 0; i < HOOK_MAX; i++)
		plan.hooks[i] = (struct plan_hooks){ &hook, 1 };
}

static char *print(void)
{
	cleanup_json_writer struct json_writer out = JSON_WRITER_INIT;

	assert_int_equal(plan_print(&plan, &out), 0);
	return strbuf_take(&out.out);
}

static void differs(const char *before, const char *name)
{
	cleanup_free char *after = print();

	if (strcmp(before, after) == 0)
		fail_msg("%s can change without a change in the printed plan", name);
}

/* Set a member to a value that it does not have, print, and put it back. */
#define CHANGE(member, value)                         \
	do {                                          \
		__typeof__(member) saved_ = (member); \
		(member) = (value);                   \
		differs(before, #member);             \
		(member) = saved_;                    \
	} while (0)
#define CHANGE_STRING(member) CHANGE(member, "changed")
#define CHANGE_NUMBER(member) CHANGE(member, (member) + 1)
#define CHANGE_BOOL(member) CHANGE(member, !(member))

static void change_top(const char *before)
{
	unsigned int i;

	CHANGE_STRING(plan.id);
	CHANGE_STRING(plan.bundle);
	CHANGE_STRING(plan.config);
	CHANGE_STRING(plan.oci_version);
	CHANGE_STRING(plan.hostname);
	CHANGE_STRING(plan.domainname);
	CHANGE_STRING(annotation.key);
	CHANGE_STRING(annotation.value);
	CHANGE(plan.annotation_count, 0);
	for (i = 0; i < NS_MAX; i++) {
		CHANGE(plan.namespaces[i].mode, NS_NEW);
		CHANGE_STRING(plan.namespaces[i].path);
		CHANGE_STRING(plan.namespaces[i].pointer);
	}
	CHANGE_NUMBER(uid_map.inside);
	CHANGE_NUMBER(uid_map.outside);
	CHANGE_NUMBER(gid_map.count);
	CHANGE(plan.uid_maps.count, 0);
	CHANGE(plan.gid_maps.count, 0);
	CHANGE_BOOL(plan.deny_setgroups);
	CHANGE_BOOL(plan.monotonic.is_set);
	CHANGE_NUMBER(plan.monotonic.seconds);
	CHANGE_NUMBER(plan.boottime.nanoseconds);
	CHANGE(plan.network, NETWORK_NONE);
	CHANGE_STRING(plan.network_helper);
	CHANGE(plan.network_helper_kind, HELPER_PASTA);
	CHANGE_STRING(net_device.host_name);
	CHANGE_STRING(net_device.name);
	CHANGE_STRING(net_device.pointer);
	CHANGE(plan.net_device_count, 0);
	CHANGE_STRING(masked.path);
	CHANGE_STRING(masked.pointer);
	CHANGE_STRING(readonly.path);
	CHANGE(plan.masked.count, 0);
	CHANGE(plan.readonly.count, 0);
	CHANGE_STRING(sysctl_step.path);
	CHANGE_STRING(sysctl_step.value);
	CHANGE_STRING(sysctl_step.pointer);
	CHANGE(plan.sysctl_count, 0);
	CHANGE_BOOL(plan.lifecycle.is_sandbox);
	CHANGE_BOOL(plan.lifecycle.is_exec);
	CHANGE_NUMBER(plan.lifecycle.timeout_ms);
	CHANGE_BOOL(plan.lifecycle.die_with_parent);
	CHANGE_BOOL(plan.lifecycle.dies_with_caller);
}

static void change_network(const char *before)
{
	CHANGE(plan.network_policy.egress.count, 0);
	CHANGE_STRING(net_rules.carrier);
	CHANGE_BOOL(net_rules.allows_by_default);
	CHANGE(net_rules.count, 0);
	CHANGE_BOOL(plan.network_policy.accepts_connections);
	CHANGE_BOOL(plan.network_policy.judges_resolver);
	CHANGE_NUMBER(net_mapping.host.port);
	CHANGE(net_mapping.protocol, NET_UDP);
	CHANGE_NUMBER(net_mapping.port);
	CHANGE_STRING(net_mapping.pointer);
	CHANGE(plan.network_policy.mapping_count, 0);
	CHANGE_BOOL(plan.network_policy.closes_host_loopback);
	CHANGE_STRING(plan.network_policy.pointer);
	CHANGE_STRING(net_group.name);
	CHANGE_BOOL(net_group.allows);
	CHANGE_BOOL(net_group.every_protocol);
	CHANGE_BOOL(net_group.icmp);
	CHANGE_NUMBER(tcp_ports.first);
	CHANGE_NUMBER(udp_ports.last);
	CHANGE_NUMBER(to4.first.low);
	CHANGE_NUMBER(to4.last.low);
	CHANGE_NUMBER(to6.last.high);
	CHANGE_STRING(plan.network_policy.proxy.url);
	CHANGE_STRING(plan.network_policy.proxy.pointer);
	CHANGE_NUMBER(plan.network_policy.proxy.listen[0].port);
	CHANGE(plan.network_policy.proxy.listen[0].family, NET_V6);
	CHANGE_NUMBER(plan.network_policy.proxy.targets[0].address.low);
	CHANGE(plan.network_policy.proxy.listen_count, 0);
	CHANGE(plan.network_policy.proxy.target_count, 0);
	CHANGE(plan.network_policy.proxy.test.is_used, false);
	CHANGE_BOOL(plan.network_policy.proxy.test.allows_by_default);
	CHANGE(plan.network_policy.proxy.test.allowed, NULL);
	CHANGE(plan.network_policy.proxy.test.blocked, NULL);
}

static void change_cgroup(const char *before)
{
	CHANGE(plan.cgroup.manager, CGROUP_MANAGER_SYSTEMD);
	CHANGE_STRING(plan.cgroup.path);
	CHANGE_STRING(plan.cgroup.slice);
	CHANGE_STRING(plan.cgroup.scope);
	CHANGE_STRING(unit_property.name);
	CHANGE(unit_property.signature[0], 'b');
	CHANGE(unit_property.values, words + 1);
	CHANGE(plan.cgroup.unit_property_count, 0);
	CHANGE_STRING(cgroup_write.controller);
	CHANGE_STRING(cgroup_write.file);
	CHANGE_STRING(cgroup_write.value);
	CHANGE_BOOL(cgroup_write.is_optional);
	CHANGE_STRING(cgroup_write.usage_file);
	CHANGE_STRING(cgroup_write.pointer);
	CHANGE(plan.cgroup.write_count, 0);
	CHANGE_BOOL(device_rule.allow);
	CHANGE(device_rule.type, 'b');
	CHANGE_NUMBER(device_rule.major);
	CHANGE_NUMBER(device_rule.minor);
	CHANGE_BOOL(device_rule.read);
	CHANGE_BOOL(device_rule.write);
	CHANGE_BOOL(device_rule.mknod);
	CHANGE(plan.cgroup.device_rule_count, 0);
	CHANGE_BOOL(plan.cgroup.wants_devices);
	CHANGE_BOOL(plan.cgroup.required);
	CHANGE_NUMBER(plan.cgroup.memory_bytes);
	CHANGE_NUMBER(plan.cgroup.cpu_quota_us);
	CHANGE_NUMBER(plan.cgroup.cpu_period_us);
	CHANGE_NUMBER(plan.cgroup.pids);
	CHANGE_BOOL(plan.rdt.is_set);
	CHANGE_STRING(plan.rdt.class_name);
	CHANGE_BOOL(plan.rdt.is_named);
	CHANGE_STRING(plan.rdt.schemata);
	CHANGE_BOOL(plan.rdt.is_monitored);
	CHANGE_BOOL(plan.rdt.needs_occupancy);
	CHANGE_BOOL(plan.rdt.needs_bandwidth);
}

static void change_mounts(const char *before)
{
	unsigned int flag;

	CHANGE(plan.root.kind, ROOT_VIEW);
	CHANGE_STRING(plan.root.path);
	CHANGE_BOOL(plan.root.is_readonly);
	CHANGE(plan.root.propagation, MS_SLAVE);
	CHANGE_BOOL(plan.root.use_chroot);
	CHANGE(mount_step.kind, MOUNT_DENY);
	CHANGE_STRING(mount_step.destination);
	CHANGE_STRING(mount_step.source);
	CHANGE_STRING(mount_step.content);
	CHANGE_STRING(mount_step.fstype);
	CHANGE_BOOL(mount_step.is_recursive);
	CHANGE_BOOL(mount_step.is_directory);
	CHANGE_BOOL(mount_step.is_reopened);
	CHANGE_BOOL(mount_step.is_exact);
	for (flag = 1; flag <= 0x80; flag <<= 1) {
		if (flag == 0x40) /* half of the atime mask: no mode of its own */
			continue;
		CHANGE(mount_step.attr_set, flag);
		CHANGE(mount_step.attr_clear, flag);
		CHANGE(mount_step.attr_set_recursive, flag);
		CHANGE(mount_step.attr_clear_recursive, flag);
	}
	CHANGE(mount_step.propagation, MS_PRIVATE | MS_REC);
	CHANGE(mount_step.propagation2, MS_UNBINDABLE);
	CHANGE_STRING(mount_option.key);
	CHANGE(mount_option.value, NULL);
	CHANGE(mount_step.option_count, 0);
	CHANGE_BOOL(mount_step.copy_up);
	CHANGE_BOOL(mount_step.copy_symlink);
	CHANGE_BOOL(mount_step.is_idmapped);
	CHANGE_BOOL(mount_step.idmap_is_recursive);
	CHANGE_NUMBER(mount_uid_map.inside);
	CHANGE_NUMBER(mount_gid_map.outside);
	CHANGE_NUMBER(mount_step.source_dev);
	CHANGE_NUMBER(mount_step.source_ino);
	CHANGE_STRING(mount_step.pointer);
	CHANGE(plan.mount_count, 0);
}

static void change_devices(const char *before)
{
	CHANGE_STRING(device.path);
	CHANGE(device.type, 'b');
	CHANGE_NUMBER(device.major);
	CHANGE_NUMBER(device.minor);
	CHANGE_NUMBER(device.mode);
	CHANGE_NUMBER(device.uid);
	CHANGE_NUMBER(device.gid);
	CHANGE_BOOL(device.is_default);
	CHANGE_STRING(device.pointer);
	CHANGE(plan.device_count, 0);
	CHANGE_STRING(symlink_step.path);
	CHANGE_STRING(symlink_step.target);
	CHANGE(plan.dev_symlink_count, 0);
	CHANGE_BOOL(plan.dev_is_prepared);
}

static void change_capabilities(const char *before)
{
	struct plan_capabilities *caps = &plan.process.capabilities;
	unsigned int bit;

	for (bit = 0; bit < 64; bit++) {
		CHANGE(caps->bounding, (uint64_t)1 << bit);
		CHANGE(caps->effective, (uint64_t)1 << bit);
		CHANGE(caps->inheritable, (uint64_t)1 << bit);
		CHANGE(caps->permitted, (uint64_t)1 << bit);
		CHANGE(caps->ambient, (uint64_t)1 << bit);
	}
}

static void change_process(const char *before)
{
	struct plan_process *p = &plan.process;

	CHANGE_STRING(p->program);
	CHANGE(p->argv, words + 1);
	CHANGE(p->env, words + 1);
	CHANGE_STRING(p->cwd);
	CHANGE_BOOL(p->cwd_fallback_root);
	CHANGE_BOOL(p->home_from_passwd);
	CHANGE_NUMBER(p->uid);
	CHANGE_NUMBER(p->gid);
	CHANGE_NUMBER(groups[0]);
	CHANGE(p->group_count, 0);
	CHANGE_BOOL(p->keep_groups);
	CHANGE_NUMBER(p->umask);
	CHANGE(p->umask, PLAN_UNSET_ID);
	CHANGE_NUMBER(rlimit.resource);
	CHANGE_NUMBER(rlimit.soft);
	CHANGE_NUMBER(rlimit.hard);
	CHANGE_STRING(rlimit.name);
	CHANGE_STRING(rlimit.pointer);
	CHANGE(p->rlimit_count, 0);
	CHANGE_BOOL(p->no_new_privileges);
	CHANGE_BOOL(p->has_oom_score_adj);
	CHANGE_NUMBER(p->oom_score_adj);
	CHANGE_NUMBER(program[0].code);
	CHANGE_NUMBER(program[0].jt);
	CHANGE_NUMBER(program[0].jf);
	CHANGE_NUMBER(program[0].k);
	CHANGE(p->seccomp.program, NULL);
	CHANGE(p->seccomp.instruction_count, 0);
	CHANGE_NUMBER(p->seccomp.flags);
	CHANGE_BOOL(p->seccomp.use_notify);
	CHANGE_STRING(p->seccomp.listener_path);
	CHANGE_STRING(p->seccomp.listener_metadata);
	CHANGE_STRING(p->seccomp.rules);
	CHANGE_BOOL(p->scheduler.is_set);
	CHANGE_NUMBER(p->scheduler.policy);
	CHANGE_NUMBER(p->scheduler.priority);
	CHANGE_NUMBER(p->scheduler.nice);
	CHANGE_NUMBER(p->scheduler.flags);
	CHANGE_NUMBER(p->scheduler.runtime);
	CHANGE_NUMBER(p->scheduler.deadline);
	CHANGE_NUMBER(p->scheduler.period);
	CHANGE_NUMBER(p->io_priority);
	CHANGE_NUMBER(p->personality);
	CHANGE_BOOL(p->memory_policy.is_set);
	CHANGE_NUMBER(p->memory_policy.mode);
	CHANGE(p->memory_policy.nodes, ((struct plan_mask){ &mask_word, 1 }));
	CHANGE(p->initial_cpus, ((struct plan_mask){ &mask_word, 1 }));
	CHANGE(p->final_cpus, ((struct plan_mask){ &mask_word, 1 }));
	CHANGE_STRING(p->apparmor_profile);
	CHANGE_STRING(p->selinux_label);
	CHANGE_BOOL(p->terminal);
	CHANGE_NUMBER(p->console_rows);
	CHANGE_NUMBER(p->console_columns);
	CHANGE_BOOL(p->new_keyring);
	CHANGE_BOOL(p->all_cpus);
	CHANGE_BOOL(p->new_session);
	CHANGE_BOOL(p->inner_userns);
	CHANGE_NUMBER(p->landlock_abi);
	CHANGE_BOOL(p->keep_init);
	CHANGE_NUMBER(p->preserve_fds);
	CHANGE_STRING(p->notify_socket);
}

static void change_hooks(const char *before)
{
	unsigned int i;

	CHANGE_STRING(hook.path);
	CHANGE(hook.argv, words);
	CHANGE(hook.env, words);
	CHANGE_NUMBER(hook.timeout_ms);
	CHANGE_STRING(hook.pointer);
	CHANGE_STRING(hook.output_path);
	CHANGE_STRING(hook.errors_path);
	for (i = 0; i < HOOK_MAX; i++)
		CHANGE(plan.hooks[i].count, 0);
}

static void change_policy(const char *before)
{
	CHANGE(region.kind, REGION_DENIED);
	CHANGE_STRING(region.path);
	CHANGE_BOOL(region.is_reopened);
	CHANGE_STRING(region.pointer);
	CHANGE(plan.policy.region_count, 0);
	CHANGE_STRING(linked.path);
	CHANGE(plan.policy.by_link_count, 0);
	CHANGE_BOOL(plan.policy.covers_are_idmapped);
	CHANGE_NUMBER(plan.policy.refused_capabilities);
	CHANGE_NUMBER(plan.policy.withheld_capabilities);
	CHANGE_NUMBER(plan.policy.memory_bytes);
	CHANGE_NUMBER(plan.policy.cpus);
	CHANGE_NUMBER(plan.policy.pids);
	CHANGE(filter.program, NULL);
	CHANGE_NUMBER(filter.flags);
	CHANGE(plan.policy.filter_count, 0);
	CHANGE_STRING(plan.policy.process_pointer);
	CHANGE_STRING(item.carrier);
	CHANGE_STRING(item.pointer);
	CHANGE_STRING(item.subject);
	CHANGE_STRING(item.object);
	CHANGE_STRING(item.requested);
	CHANGE_STRING(item.enforced);
	CHANGE_STRING(item.decided_by);
	CHANGE_STRING(item.mechanism);
	CHANGE(plan.policy.item_count, 0);
	CHANGE_STRING(plan.lifecycle.timeout_pointer);
}

static void test_every_member(void **state)
{
	static void (*const changes[])(const char *) = {
		change_top,	     change_network, change_cgroup, change_mounts, change_devices,
		change_capabilities, change_process, change_hooks,  change_policy,
	};
	cleanup_free char *before = NULL;
	size_t i;

	(void)state;
	make_plan();
	before = print();
	for (i = 0; i < array_size(changes); i++)
		changes[i](before);
}

/* What is printed is JSON by our own strict reader, also with hostile text in it. */
/* Paths of members, without the numbers and the words of lists. */
static void check_covered(const struct json *value, const char *path)
{
	const struct json *child;
	char below[256];

	/* names of maps are not members */
	if (!strcmp(path, "annotations") || !strcmp(path, "hooks") || !strcmp(path, "namespaces")) {
		assert_true(items_cover(path));
		return;
	}
	if (*path && value->type != JSON_OBJECT && value->type != JSON_ARRAY && !items_cover(path))
		fail_msg("the member %s of the plan belongs to no item of engine/items.c", path);
	for (child = value->first; child; child = child->next) {
		snprintf(below, sizeof(below), "%s%s%s", path, *path && child->key ? "." : "", child->key ? child->key : "");
		check_covered(child, below);
	}
	if (!value->first && *path && !items_cover(path))
		fail_msg("the member %s of the plan belongs to no item of engine/items.c", path);
}

static void test_every_member_is_of_an_item(void **state)
{
	cleanup_arena struct arena *arena = arena_new();
	cleanup_free char *text = NULL;
	const struct json *value;

	(void)state;
	make_plan();
	text = print();
	assert_int_equal(json_parse(arena, text, strlen(text), "plan", &value, NULL), 0);
	check_covered(value, "");
	assert_false(items_cover("process.no_such_member"));
}

/* Each item has an entry for each target: none is refused for want of one. */
static void test_every_item_is_judged(void **state)
{
	(void)state;
	for (size_t i = 0; i < engine_item_count; i++)
		for (int target = 0; target < TARGET_MAX; target++) {
			struct item_support support = items_support(&engine_items[i], target, 0);

			if (support.how == ITEM_UNKNOWN || !support.what.raw)
				fail_msg("\"%s\" has no entry for target %d", image_at(engine_items[i].name), target);
			assert_non_null(engine_items[i].asked.raw);
		}
}

static void test_matrix(void **state)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_arena struct arena *arena = arena_new();
	cleanup_free char *page = NULL;

	(void)state;
	items_print_matrix(&text);
	assert_int_equal(fd_read_file(AT_FDCWD, data_path(arena, "../../../docs/engines-matrix.md"), 1 << 20, &page, NULL), 0);
	assert_non_null(strstr(page, strbuf_str(&text)));
}

static void test_is_json(void **state)
{
	cleanup_arena struct arena *arena = arena_new();
	const struct json *document = NULL;
	cleanup_free char *text = NULL;

	(void)state;
	make_plan();
	plan.hostname = "a\"b\\c\n\x01\xff";
	text = print();
	assert_int_equal(json_parse(arena, text, strlen(text), "plan", &document, NULL), 0);
	assert_string_equal(json_get(document, "hostname")->text, "a\"b\\c\n\x01\xef\xbf\xbd");
}

#ifdef __x86_64__
_Static_assert(sizeof(struct plan_ns) == 24, "new member: print it and add it to change_top()");
_Static_assert(sizeof(struct plan_cgroup_write) == 48,
	       "new member: print it and add it to change_cgroup()");
_Static_assert(sizeof(struct plan_device_rule) == 32,
	       "new member: print it and add it to change_cgroup()");
_Static_assert(sizeof(struct plan_device) == 48,
	       "new member: print it and add it to change_devices()");
_Static_assert(sizeof(struct plan_hook) == 56, "new member: print it and add it to change_hooks()");
_Static_assert(sizeof(struct plan_rlimit) == 40,
	       "new member: print it and add it to change_process()");
_Static_assert(sizeof(struct plan_cgroup) == 120,
	       "new member: print it and add it to change_cgroup()");
_Static_assert(sizeof(struct plan_root) == 40,
	       "new member: print it and add it to change_mounts()");
_Static_assert(sizeof(struct plan_mount) == 112,
	       "new member: print it and add it to change_mounts()");
_Static_assert(sizeof(struct plan_seccomp) == 48,
	       "new member: print it and add it to change_process()");
_Static_assert(sizeof(struct plan_scheduler) == 48,
	       "new member: print it and add it to change_process()");
_Static_assert(sizeof(struct plan_process) == 352,
	       "new member: print it and add it to change_process()");
_Static_assert(sizeof(struct plan_region) == 32, "new member: print it and add it to change_policy()");
_Static_assert(sizeof(struct plan_item) == 64, "new member: print it and add it to change_policy()");
_Static_assert(sizeof(struct plan_policy) == 120, "new member: print it and add it to change_policy()");
_Static_assert(sizeof(struct plan_rdt) == 24, "new member: print it and add it to change_cgroup()");
_Static_assert(sizeof(struct net_rules) == 32, "new member: print it and add it to change_network()");
_Static_assert(sizeof(struct net_policy) == 264, "new member: print it and add it to change_network()");
_Static_assert(sizeof(struct plan) == 1528, "new member: print it and add it to change_top()");
#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_member),
		cmocka_unit_test(test_every_member_is_of_an_item),
		cmocka_unit_test(test_every_item_is_judged),
		cmocka_unit_test(test_matrix),
		cmocka_unit_test(test_is_json),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

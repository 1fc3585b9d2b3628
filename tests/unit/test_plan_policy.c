/* test_plan_policy.c - the plan of an MXC sandbox: golden files, and what holds whatever the policy
 * is. */
#include "carrier_unit.h"
#include "mxc_unit.h"

#include <limits.h>

#include "base/sys.h"
#include "plan_unit.h"

static const struct fake_file full_files[] = {
	{ .path = "/project/vendor/cache" },
	{ .path = "/home/ann/.config/tool.conf", .mode = S_IFREG | 0644 },
	{ .path = "/home/ann/link", .canonical = "/data" },
	{ .path = "/usr/bin/env", .mode = S_IFREG | 0755 },
	{ .path = "/absent/place", .error = ENOENT },
};

static void read_full(struct world *w)
{
	cleanup_free char *text = NULL;

	world_files(w, full_files, array_size(full_files));
	assert_int_equal(
		fd_read_file(AT_FDCWD, data_path(w->arena, "mxc-full.json"), 1 << 20, &text, NULL),
		0);
	if (world_plan(w, text) < 0)
		world_explain(w, "mxc-full.json");
	assert_non_null(w->plan);
}

/* Without the filter, which is not this test's subject and differs between architectures. */
static void check_without_filter(struct world *w, const char *name, const char *bundle_name, const char *bwrap_name,
				 const char *lxc_name)
{
	struct plan copy = *w->plan;

	copy.process.seccomp = (struct plan_seccomp){ 0 };
	check_golden_plan(w->arena, &copy, name);
	if (bundle_name)
		check_golden_bundle(w->arena, &copy, bundle_name);
	check_golden_bwrap(w->arena, &copy, bwrap_name);
	if (lxc_name)
		check_golden_lxc(w->arena, &copy, lxc_name);
}

static void test_golden(void **state)
{
	struct world w;

	(void)state;
	world_init(&w);
	read_full(&w);
	check_without_filter(&w, "mxc-full-root.plan.json", "mxc-full-root.bundle.txt", "mxc-full-root.bwrap.txt", "mxc-full-root.lxc.txt");
	world_done(&w);
	world_user(&w);
	read_full(&w);
	check_without_filter(&w, "mxc-full-user.plan.json", "mxc-full-user.bundle.txt", "mxc-full-user.bwrap.txt", NULL);
	world_done(&w);
	world_init(&w);
	assert_int_equal(
		world_plan(&w, MXC_FS("'readwritePaths':['/','/home'],'deniedPaths':['/home/x']")),
		0);
	check_without_filter(&w, "mxc-whole-root.plan.json", NULL, "mxc-whole-root.bwrap.txt", NULL);
	world_done(&w);
}

/* NULL where it is refused. */
static const char *command_for(struct world *w, const struct plan *plan, unsigned int version, struct err **err)
{
	const struct bwrap_use use = { .target = TARGET_BWRAP, .version = version, .look = look_at_proc };
	cleanup_strbuf struct strbuf line = STRBUF_INIT;
	struct bwrap_command command;

	if (bwrap_emit(w->arena, plan, &use, &command, err) < 0)
		return NULL;
	bwrap_print_shell(&command, NULL, &line);
	return arena_strdup(w->arena, strbuf_str(&line));
}

/* What only a newer bubblewrap has is written for such a one, and refused for an older one with what helps. */
static void check_since(struct world *w, const struct plan *plan, unsigned int since, const char *options)
{
	cleanup_err struct err *err = NULL;
	cleanup_free char *text = NULL;
	char hint[32];

	snprintf(hint, sizeof(hint), "--bwrap-version 0.%u", since);
	assert_null(command_for(w, plan, since - 1, &err));
	text = err_format(err);
	assert_non_null(strstr(text, hint));
	assert_non_null(strstr(command_for(w, plan, since, NULL), options));
	assert_non_null(strstr(command_for(w, plan, UINT_MAX, NULL), options));
}

static void test_bwrap_versions(void **state)
{
	static const char *const argv[] = { "agent", "x", NULL };
	struct plan_option size = { "size", "64m" };
	struct plan_mount mount = { .kind = MOUNT_FILESYSTEM, .fstype = "tmpfs", .destination = "/x", .attr_set = SYS_ATTR_NOSUID | SYS_ATTR_NODEV };
	struct plan plain;
	struct world w;

	(void)state;
	world_init(&w);
	assert_int_equal(world_plan(&w, MXC_FS("")), 0);
	plain = *w.plan;
	plain.process.seccomp = (struct plan_seccomp){ 0 };
	plain.mounts = &mount;
	plain.mount_count = 1;
	assert_non_null(strstr(command_for(&w, &plain, BWRAP_OLDEST, NULL), " --tmpfs /x "));
	mount.options = &size;
	mount.option_count = 1;
	check_since(&w, &plain, BWRAP_SIZE, " --size 67108864 --tmpfs /x ");
	mount.option_count = 0;
	plain.process.argv = argv;
	plain.process.program = "/bin/sh";
	check_since(&w, &plain, BWRAP_ARGV0, " --argv0 agent -- /bin/sh x");
	plain.process.argv = w.plan->process.argv;
	plain.process.program = w.plan->process.program;
	plain.root = (struct plan_root){ .kind = ROOT_IMAGE, .path = "/images/a b" };
	check_since(&w, &plain, BWRAP_OVERLAY, " --overlay-src '/images/a b' --tmp-overlay / --tmpfs /x ");
	world_done(&w);
}

static int emit_offset(struct world *w, int64_t seconds, const char *line, struct err **err)
{
	cleanup_lxc_container struct lxc_container container = LXC_CONTAINER_INIT;
	const struct lxc_use use = { .target = TARGET_LXC, .folder = "/folder", .look = look_at_proc };
	struct plan plan = *w->plan;
	int r;

	plan.process.seccomp = (struct plan_seccomp){ 0 };
	plan.monotonic = (struct plan_time_offset){ .is_set = true, .seconds = seconds, .nanoseconds = 5 };
	r = lxc_emit(w->arena, &plan, &use, &container, err);
	if (r == 0)
		assert_non_null(strstr(strbuf_str(&container.config), line));
	return r;
}

/* LXC takes one number of nanoseconds. */
static void test_lxc_offsets(void **state)
{
	cleanup_err struct err *err = NULL;
	cleanup_free char *text = NULL;
	struct world w;

	(void)state;
	world_init(&w);
	assert_int_equal(world_plan(&w, MXC_FS("")), 0);
	assert_int_equal(emit_offset(&w, 86400, "lxc.time.offset.monotonic = 86400000000005ns\n", NULL), 0);
	assert_int_equal(emit_offset(&w, -1, "lxc.time.offset.monotonic = -999999995ns\n", NULL), 0);
	assert_true(emit_offset(&w, INT64_MAX / 1000, "", &err) < 0);
	text = err_format(err);
	assert_non_null(strstr(text, "lxc.time.offset.monotonic"));
	world_done(&w);
}

static const struct plan_mount *find_mount(const struct plan *plan, const char *destination)
{
	const struct plan_mount *found = NULL;
	size_t i;

	for (i = 0; i < plan->mount_count; i++)
		if (strcmp(plan->mounts[i].destination, destination) == 0)
			found = &plan->mounts[i];
	assert_non_null(found);
	return found;
}

static size_t mount_position(const struct plan *plan, const char *destination)
{
	return (size_t)(find_mount(plan, destination) - plan->mounts);
}

static void check_isolation(const struct plan *plan)
{
	const struct plan_process *p = &plan->process;
	unsigned int i;

	for (i = 0; i < NS_MAX; i++)
		assert_int_equal(plan->namespaces[i].mode, i == NS_TIME ? NS_HOST : NS_NEW);
	assert_int_equal(plan->network, NETWORK_NONE);
	assert_int_equal(p->capabilities.bounding | p->capabilities.effective |
				 p->capabilities.inheritable | p->capabilities.permitted |
				 p->capabilities.ambient,
			 0);
	assert_true(p->no_new_privileges && p->new_keyring && p->inner_userns && p->keep_init &&
		    p->new_session);
	assert_true(p->seccomp.program && p->seccomp.instruction_count > 10);
	assert_int_equal(p->group_count, 0);
	assert_int_equal(p->preserve_fds, 0);
	assert_false(p->terminal);
	assert_string_equal(p->program, "/bin/sh");
	assert_string_equal(p->argv[0], "sh");
	assert_string_equal(p->argv[1], "-c");
	assert_null(p->argv[3]);
	assert_true(plan->lifecycle.is_sandbox && plan->lifecycle.die_with_parent);
	assert_false(plan->cgroup.required || plan->cgroup.wants_devices);
	assert_null(plan->bundle);
	assert_null(plan->hostname);
	for (i = 0; i < HOOK_MAX; i++)
		assert_int_equal(plan->hooks[i].count, 0);
}

/* Everything but the sandbox's own devices is nosuid and nodev; the system's folders are read-only.
 */
static void check_mounts(const struct plan *plan)
{
	size_t i;

	for (i = 0; i < plan->mount_count; i++) {
		const struct plan_mount *m = &plan->mounts[i];
		uint64_t attributes = m->attr_set | m->attr_set_recursive;

		if (m->kind == MOUNT_SYMLINK || m->kind == MOUNT_DENY)
			continue;
		assert_true(attributes & SYS_ATTR_NOSUID);
		assert_int_equal((attributes & SYS_ATTR_NODEV) != 0,
				 !path_is_within(m->destination, "/dev") ||
					 strcmp(m->destination, "/dev/shm") == 0);
		assert_int_equal(m->attr_clear | m->attr_clear_recursive, 0);
		if (m->kind == MOUNT_BIND && m->is_directory)
			assert_true(m->is_recursive);
	}
	assert_true(find_mount(plan, "/usr/bin")->attr_set_recursive & SYS_ATTR_RDONLY);
	assert_int_equal(find_mount(plan, "/bin")->kind, MOUNT_SYMLINK);
	assert_string_equal(find_mount(plan, "/var/run")->source, "/run");
}

static void test_every_sandbox(void **state)
{
	static const char *const texts[] = {
		"{'process':{'commandLine':'true'}}",
		MXC("0.8.0-alpha",
		    "'filesystem':{'readwritePaths':['/a'],'deniedPaths':['/a/b','/etc/x']},"),
		MXC("1.1.0-alpha", "'filesystem':{'readonlyPaths':['/tmp','/dev/shm/x']},"),
	};
	struct world w;
	size_t i;

	(void)state;
	for (i = 0; i < array_size(texts); i++) {
		world_init(&w);
		assert_int_equal(world_plan(&w, texts[i]), 0);
		check_isolation(w.plan);
		if (i < 2)
			check_mounts(w.plan);
		assert_int_equal(w.plan->root.kind, ROOT_VIEW);
		assert_string_equal(w.plan->id, "sandbox-0123456789abcdef");
		world_done(&w);
	}
}

static void test_ids(void **state)
{
	struct world w;

	(void)state;
	world_init(&w);
	assert_int_equal(world_plan(&w, MXC("1.0.0", "")), 0);
	assert_int_equal(w.plan->uid_maps.count, 2);
	assert_int_equal(w.plan->uid_maps.items[0].outside, 0);
	assert_int_equal(w.plan->uid_maps.items[1].inside, 65534);
	assert_false(w.plan->deny_setgroups);
	assert_int_equal(w.plan->process.uid, 0);
	assert_string_equal(w.plan->cgroup.path, "/sandbox-0123456789abcdef");
	assert_true(w.plan->masked.count && w.plan->readonly.count);
	world_done(&w);
	world_user(&w);
	assert_int_equal(world_plan(&w, MXC("1.0.0", "")), 0);
	assert_int_equal(w.plan->uid_maps.count, 1);
	assert_true(w.plan->uid_maps.items[0].inside == 1000 &&
		    w.plan->uid_maps.items[0].outside == 1000 &&
		    w.plan->uid_maps.items[0].count == 1);
	assert_int_equal(w.plan->gid_maps.items[0].inside, 1001);
	assert_true(w.plan->deny_setgroups);
	assert_int_equal(w.plan->process.gid, 1001);
	assert_int_equal(w.plan->cgroup.manager, CGROUP_MANAGER_DISABLED);
	w.facts.v2_base = "/user.slice/x";
	assert_int_equal(world_plan(&w, MXC("1.0.0", "")), 0);
	assert_string_equal(w.plan->cgroup.path, "/user.slice/x/sandbox-0123456789abcdef");
	world_done(&w);
}

static void test_terminal(void **state)
{
	struct world w;

	(void)state;
	world_init(&w);
	w.objects.has_terminal = true;
	assert_int_equal(world_plan(&w, MXC("1.0.0", "")), 0);
	assert_false(w.plan->process.new_session);
	w.objects.terminal = "/dev/pts/9";
	assert_int_equal(world_plan(&w, MXC("1.0.0", "")), 0);
	assert_string_equal(find_mount(w.plan, "/dev/console")->source, "/dev/pts/9");
	world_done(&w);
}

/* The sandbox's own places lie above a granted root and below what is granted in them. */
static void test_places(void **state)
{
	struct world w;

	(void)state;
	world_init(&w);
	assert_int_equal(
		world_plan(&w,
			   MXC_FS("'readonlyPaths':['/','/dev/shm/x'],'deniedPaths':['/tmp/y']")),
		0);
	assert_int_equal(w.plan->root.kind, ROOT_BUNDLE);
	assert_string_equal(w.plan->root.path, "/");
	assert_true(w.plan->root.is_readonly);
	assert_int_equal(w.plan->mounts[0].kind, MOUNT_REMOUNT);
	assert_true(w.plan->mounts[0].attr_set_recursive & SYS_ATTR_RDONLY);
	assert_true(mount_position(w.plan, "/dev") < mount_position(w.plan, "/dev/shm"));
	assert_true(mount_position(w.plan, "/dev/shm") < mount_position(w.plan, "/dev/shm/x"));
	assert_true(mount_position(w.plan, "/tmp") < mount_position(w.plan, "/tmp/y"));
	assert_int_equal(find_mount(w.plan, "/proc")->kind, MOUNT_FILESYSTEM);
	world_done(&w);
	/* Nothing is covered in a /proc that is out of reach as a whole. */
	world_init(&w);
	assert_int_equal(world_plan(&w, MXC_FS("'deniedPaths':['/proc']")), 0);
	assert_int_equal(find_mount(w.plan, "/proc")->kind, MOUNT_DENY);
	assert_int_equal(w.plan->masked.count + w.plan->readonly.count, 0);
	world_done(&w);
}

static void test_identity(void **state)
{
	const struct plan_mount *mount;
	struct world w;

	(void)state;
	world_init(&w);
	read_full(&w);
	mount = find_mount(w.plan, "/home/ann/link");
	assert_string_equal(mount->source, "/data");
	assert_int_equal(mount->source_dev, 5);
	assert_int_equal(mount->source_ino, path_number("/data"));
	assert_string_equal(mount->pointer, "/filesystem/readonlyPaths/2");
	assert_int_equal(find_mount(w.plan, "/home/ann/link/keys")->kind, MOUNT_DENY);
	assert_false(find_mount(w.plan, "/home/ann/.config/tool.conf")->is_directory);
	assert_int_equal(find_mount(w.plan, "/project/.git")->source_ino, 0);
	world_done(&w);
}

/* What the host's owner restricts, beside what the policy asks for. */
static void test_owner(void **state)
{
	static const char document[] = MXC("1.0.0", "'filesystem':{'readwritePaths':['/project'],'deniedPaths':['/project/own']},"
						    "'bubblewrap':{'seccompProfile':'default'},");
	static char controllers[] = "cpu memory pids";
	struct policy_carrier carriers[2];
	struct host_object folders[8];
	struct host_objects objects = { .items = folders };
	struct plan_owner owner = { .objects = &objects };
	struct world w;

	(void)state;
	world_init(&w);
	w.facts.v2_controllers = controllers;
	assert_int_equal(carrier_parse(w.arena, "10.json",
				       "{'filesystem':{'deniedPaths':['/project/secret'],'readonlyPaths':['/project/doc']},'process':{'timeout':900},"
				       "'bubblewrap':{'seccompProfile':'denylist','dropCaps':['CAP_KILL'],'resources':{'memoryMb':64,'pids':5,'cpuCount':1}}}",
				       GRANTS_NONE, &carriers[0], NULL), 0);
	assert_int_equal(carrier_parse(w.arena, "20.json",
				       "{'network':{'egress':{'allow':[{'to':[{'cidr':'10.0.0.0/8'}],'ports':[{'protocol':'tcp','port':80}]}]}}}",
				       GRANTS_NONE, &carriers[1], NULL), 0);
	assert_int_equal(policy_combine(w.arena, carriers, array_size(carriers), NULL, &owner.combined, NULL), 0);
	for (size_t i = 0; i < owner.combined->region_count; i++)
		fake_lookup(&w, owner.combined->regions[i].path, &folders[objects.count++]);
	w.owner = &owner;
	if (world_plan(&w, document) < 0)
		world_explain(&w, document);
	assert_non_null(w.plan);
	assert_true(w.plan->policy.region_count > 0);
	assert_int_equal(w.plan->lifecycle.timeout_ms, 900);
	assert_int_equal(w.plan->cgroup.pids, 5);
	assert_true(w.plan->policy.item_count > 6);
	world_done(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_golden),
		cmocka_unit_test(test_bwrap_versions),
		cmocka_unit_test(test_lxc_offsets),
		cmocka_unit_test(test_every_sandbox),
		cmocka_unit_test(test_ids),
		cmocka_unit_test(test_terminal),
		cmocka_unit_test(test_places),
		cmocka_unit_test(test_identity),
		cmocka_unit_test(test_owner),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

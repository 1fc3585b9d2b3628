/* test_policy_placed.c - what the section of the back end puts into the view: custom binds, file systems and links of the
 * sandbox's own, and limits of block devices. */
#include "mxc_unit.h"

#define PLACED(lists, section) MXC("1.0.0", "'filesystem':{" lists "},'bubblewrap':{" section "},")
#define BIND(source, destination) "{'source':'" source "','destination':'" destination "'}"
#define BINDS(items) "'customBinds':[" items "]"

static const struct fake_file files[] = {
	{ .path = "/data/file", .mode = S_IFREG | 0644 },
	{ .path = "/data/hard", .mode = S_IFREG | 0644, .ino = 7 },
	{ .path = "/secret/hard", .mode = S_IFREG | 0644, .ino = 7 },
	{ .path = "/closed", .write_error = EACCES },
	{ .path = "/opt", .error = ENOENT },
	{ .path = "/opt/tool", .error = ENOENT },
	{ .path = "/rw/absent", .error = ENOENT },
	{ .path = "/rw/link", .canonical = "/secret" },
	{ .path = "/rw/file", .mode = S_IFREG | 0644 },
	{ .path = "/absent", .error = ENOENT },
	{ .path = "/bin", .canonical = "/usr/bin" },
	{ .path = "/opt/tool/absent", .error = ENOENT },
	{ .path = "/dev/null", .mode = S_IFCHR | 0666 },
};

static void start(struct world *w)
{
	world_init(w);
	world_files(w, files, array_size(files));
}

static const struct policy_entry *entry_at(const struct world *w, const char *destination)
{
	const struct policy_filesystem *fs = &w->decisions->filesystem;

	for (size_t i = 0; i < fs->entry_count; i++)
		if (!strcmp(fs->entries[i].destination, destination))
			return &fs->entries[i];
	fail_msg("no entry at %s", destination);
	return NULL;
}

static void check_entry(struct world *w, const char *quoted, const char *destination, enum policy_intent intent)
{
	world_accept(w, quoted);
	assert_int_equal(entry_at(w, destination)->intent, intent);
}

static void test_binds(void **state)
{
	struct world w;

	(void)state;
	start(&w);
	check_entry(&w, PLACED("", BINDS(BIND("/data", "/opt/tool"))), "/opt/tool", INTENT_READONLY);
	assert_string_equal(entry_at(&w, "/opt/tool")->source, "/data");
	check_entry(&w, PLACED("", BINDS("{'source':'/data','destination':'/opt//./tool/','readOnly':false}")), "/opt/tool",
		    INTENT_READWRITE);
	check_entry(&w, PLACED("", BINDS("{'source':'/data'}")), "/data", INTENT_READONLY);
	/* on what the host has there */
	check_entry(&w, PLACED("'readwritePaths':['/rw']", BINDS(BIND("/data/file", "/rw/file"))), "/rw/file", INTENT_READONLY);
	check_entry(&w, PLACED("", BINDS(BIND("/data/file", "/tmp/x"))), "/tmp/x", INTENT_READONLY);
	assert_true(w.decisions->filesystem.wants_tmp);
	check_entry(&w, PLACED("", BINDS(BIND("/data", "/tmp"))), "/tmp", INTENT_READONLY);
	assert_false(w.decisions->filesystem.wants_tmp);
	world_done(&w);
}

static void test_binds_obey_the_lists(void **state)
{
	struct world w;

	(void)state;
	start(&w);
	/* the source, what it lies in, what lies in it */
	world_refuse(&w, PLACED("'deniedPaths':['/data']", BINDS(BIND("/data", "/opt/tool"))), E_POLICY,
		     "/bubblewrap/customBinds/0", "is denied");
	world_refuse(&w, PLACED("'deniedPaths':['/data']", BINDS(BIND("/data/file", "/opt/tool"))), E_POLICY,
		     "/bubblewrap/customBinds/0", "is denied");
	world_refuse(&w, PLACED("'deniedPaths':['/secret/hard']", BINDS(BIND("/data/hard", "/opt/tool"))), E_POLICY, NULL, "is denied");
	check_entry(&w, PLACED("'deniedPaths':['/data/file']", BINDS(BIND("/data", "/opt/tool"))), "/opt/tool/file", INTENT_DENIED);
	check_entry(&w, PLACED("'readonlyPaths':['/data']", BINDS("{'source':'/data/file','destination':'/opt/tool','readOnly':false}")),
		    "/opt/tool", INTENT_READONLY);
	check_entry(&w, PLACED("'readonlyPaths':['/data/file']", BINDS("{'source':'/data','destination':'/opt/tool','readOnly':false}")),
		    "/opt/tool/file", INTENT_READONLY);
	/* what a list opens again inside of what is denied may be bound */
	check_entry(&w, PLACED("'deniedPaths':['/data'],'readwritePaths':['/data/file']",
			       BINDS("{'source':'/data/file','destination':'/opt/tool','readOnly':false}")),
		    "/opt/tool", INTENT_READWRITE);
	/* and a bind restricts nothing else */
	check_entry(&w, PLACED("'readwritePaths':['/data']", BINDS(BIND("/data", "/opt/tool"))), "/data", INTENT_READWRITE);
	assert_int_equal(entry_at(&w, "/opt/tool")->intent, INTENT_READONLY);
	/* delegation, absence, what is never granted */
	world_refuse(&w, PLACED("", BINDS("{'source':'/closed','destination':'/opt/tool','readOnly':false}")), E_DELEGATION,
		     "/bubblewrap/customBinds/0", "no write access");
	check_entry(&w, PLACED("", BINDS(BIND("/closed", "/opt/tool"))), "/opt/tool", INTENT_READONLY);
	world_refuse(&w, PLACED("", BINDS(BIND("/absent", "/opt/tool"))), E_POLICY, "/bubblewrap/customBinds/0", "does not exist");
	world_refuse(&w, PLACED("", BINDS(BIND("/dev/null", "/opt/tool"))), E_UNSUPPORTED, NULL, "device nodes");
	world_refuse(&w, PLACED("", BINDS(BIND("/proc/sys", "/opt/tool"))), E_UNSUPPORTED, NULL, "/proc");
	world_refuse(&w, PLACED("", BINDS(BIND("/", "/opt/tool"))), E_UNSUPPORTED, NULL, "as / only");
	world_done(&w);
}

static void test_places(void **state)
{
	static const struct { const char *document, *words; } rows[] = {
		{ PLACED("", BINDS(BIND("/data", "/"))), "in place of the sandbox's root" },
		{ PLACED("", BINDS(BIND("/data", "/proc/x"))), "/proc" },
		{ PLACED("", BINDS(BIND("/data", "/dev/shm"))), "/dev" },
		{ PLACED("", BINDS(BIND("/data", "/sys/fs"))), "/sys" },
		{ PLACED("", BINDS(BIND("/data", "/run/../var/run"))), "/var/run" },
		{ PLACED("", "'tmpfsMounts':[{'path':'/dev'}]"), "/dev" },
		{ PLACED("", "'symlinks':[{'path':'/proc/x','target':'/tmp'}]"), "/proc" },
		/* in what is denied; on and around what is listed or put there */
		{ PLACED("'deniedPaths':['/rw']", BINDS(BIND("/data", "/rw/x"))), "lies in what is denied" },
		{ PLACED("'deniedPaths':['/rw']", "'tmpfsMounts':[{'path':'/rw'}]"), "lies in what is denied" },
		{ PLACED("'deniedPaths':['/absent']", "'symlinks':[{'path':'/absent/x','target':'/tmp'}]"), "lies in what is denied" },
		{ PLACED("'readwritePaths':['/rw']", BINDS(BIND("/data", "/rw"))), "two things" },
		{ PLACED("", BINDS(BIND("/data", "/opt/tool") "," BIND("/rw", "/opt/tool"))), "two things" },
		{ PLACED("", BINDS(BIND("/data", "/opt/tool")) ",'tmpfsMounts':[{'path':'/opt/tool'}]"), "two things" },
		{ PLACED("", BINDS(BIND("/data", "/opt/tool")) ",'symlinks':[{'path':'/opt/tool','target':'/'}]"), "two things" },
		{ PLACED("", "'tmpfsMounts':[{'path':'/s'},{'path':'/s/.'}]"), "two things" },
		{ PLACED("'readwritePaths':['/rw/file']", BINDS(BIND("/data", "/rw"))), "put into it" },
		{ PLACED("'deniedPaths':['/opt/tool/absent']", BINDS(BIND("/data", "/opt/tool"))), "put into it" },
		{ PLACED("", BINDS(BIND("/data", "/opt/tool")) ",'tmpfsMounts':[{'path':'/opt/tool/t'}]"), "put into it" },
		{ PLACED("'readwritePaths':['/rw']", "'symlinks':[{'path':'/rw','target':'/tmp'}]"), "two things" },
		{ PLACED("'readwritePaths':['/rw/file']", "'symlinks':[{'path':'/rw','target':'/tmp'}]"), "put into it" },
		{ PLACED("", "'symlinks':[{'path':'/usr','target':'/tmp'}]"), "put into it" },
		/* without a trace on the host */
		{ PLACED("'readwritePaths':['/rw']", BINDS(BIND("/data", "/rw/absent"))), "without leaving a trace" },
		{ PLACED("'readwritePaths':['/rw']", BINDS(BIND("/data", "/rw/link"))), "without leaving a trace" },
		{ PLACED("'readwritePaths':['/']", BINDS(BIND("/data", "/opt/tool"))), "without leaving a trace" },
		{ PLACED("'readwritePaths':['/rw']", "'tmpfsMounts':[{'path':'/rw/absent'}]"), "without leaving a trace" },
		{ PLACED("'readwritePaths':['/rw']", "'symlinks':[{'path':'/rw/new','target':'/tmp'}]"), "without leaving a trace" },
		{ PLACED("", "'symlinks':[{'path':'/etc/new','target':'/tmp'}]"), "without leaving a trace" },
		{ PLACED("", BINDS(BIND("/data", "/bin"))), "without leaving a trace" },
		{ PLACED("'readwritePaths':['/rw']", BINDS(BIND("/data", "/rw/file"))), "no directory" },
		{ PLACED("'readwritePaths':['/rw']", BINDS(BIND("/data/file", "/rw/x"))), "a directory" },
		{ PLACED("", "'tmpfsMounts':[{'path':'/s','sizeMb':0}]"), "1 or more" },
	};
	struct world w;

	(void)state;
	start(&w);
	for (size_t i = 0; i < array_size(rows); i++)
		world_refuse(&w, rows[i].document, E_POLICY, NULL, rows[i].words);
	world_done(&w);
}

static const struct plan_mount *mount_at(const struct plan *plan, const char *destination)
{
	const struct plan_mount *found = NULL;

	for (size_t i = 0; i < plan->mount_count; i++)
		if (!strcmp(plan->mounts[i].destination, destination))
			found = &plan->mounts[i];
	assert_non_null(found);
	return found;
}

static void test_order(void **state)
{
	struct world w;
	const struct plan_mount *small;

	(void)state;
	start(&w);
	assert_int_equal(world_plan(&w, PLACED("'readwritePaths':['/s/deep/rw'],'deniedPaths':['/s/deep/no']",
					       "'tmpfsMounts':[{'path':'/s/deep','sizeMb':3},{'path':'/s'},{'path':'/tmp'}],"
					       "'symlinks':[{'path':'/s/link','target':'../x'}]")), 0);
	small = mount_at(w.plan, "/s/deep");
	assert_string_equal(small->fstype, "tmpfs");
	assert_string_equal(small->options[1].value, "3m");
	assert_true(mount_at(w.plan, "/s") < small);
	assert_true(small < mount_at(w.plan, "/s/deep/rw"));
	assert_true(small < mount_at(w.plan, "/s/deep/no"));
	assert_ptr_equal(mount_at(w.plan, "/s/link"), &w.plan->mounts[w.plan->mount_count - 1]);
	assert_string_equal(mount_at(w.plan, "/s/link")->source, "../x");
	/* one /tmp, of the size that was asked for */
	assert_string_equal(mount_at(w.plan, "/tmp")->pointer, "/bubblewrap/tmpfsMounts/2");
	assert_false(w.decisions->filesystem.wants_tmp);
	world_done(&w);
}

static void test_malformed(void **state)
{
	struct world w;

	(void)state;
	start(&w);
	world_malformed(&w, PLACED("", BINDS("{'destination':'/x'}")), "missing field `source`");
	world_malformed(&w, PLACED("", BINDS("{'source':'x'}")), "bubblewrap.customBinds[0].source");
	world_malformed(&w, PLACED("", BINDS("{'source':'/x','destination':'x'}")), "absolute");
	world_malformed(&w, PLACED("", BINDS("{'source':'/x','readonly':true}")), "unknown field `readonly`");
	world_malformed(&w, PLACED("", "'tmpfsMounts':[{'path':' '}]"), "is empty");
	world_malformed(&w, PLACED("", "'tmpfsMounts':[{'path':'/x','sizeMb':-1}]"), "sizeMb");
	world_malformed(&w, PLACED("", "'symlinks':[{'path':'/x'}]"), "missing field `target`");
	world_malformed(&w, PLACED("", "'symlinks':[{'path':'/x','target':''}]"), "is empty");
	world_malformed(&w, PLACED("", "'resources':{'io':{'devices':[{'readBps':1}]}}"), "missing field `device`");
	world_done(&w);
}

static const char *write_to(const struct plan *plan, const char *file, size_t nth)
{
	for (size_t i = 0; i < plan->cgroup.write_count; i++)
		if (!strcmp(plan->cgroup.writes[i].file, file) && nth-- == 0)
			return plan->cgroup.writes[i].value;
	return NULL;
}

#define IO(members) PLACED("", "'resources':{'io':{" members "}}")

static void test_io(void **state)
{
	struct world w;

	(void)state;
	start(&w);
	w.facts.v2_controllers = "cpu io memory pids";
	assert_int_equal(world_plan(&w, IO("'weight':1000,'devices':[{'device':'8:16','readBps':1048576,'writeIops':9},"
					   "{'device':'259:0','writeBps':2}]")), 0);
	assert_string_equal(write_to(w.plan, "io.weight", 0), "10000");
	assert_string_equal(write_to(w.plan, "io.max", 0), "8:16 rbps=1048576");
	assert_string_equal(write_to(w.plan, "io.max", 1), "259:0 wbps=2");
	assert_string_equal(write_to(w.plan, "io.max", 2), "8:16 wiops=9");
	assert_string_equal(w.plan->cgroup.writes[0].pointer, "/bubblewrap/resources/io");
	assert_true(w.plan->cgroup.required);
	world_refuse(&w, IO("'weight':9"), E_POLICY, "/bubblewrap/resources/io/weight", "10 to 1000");
	world_refuse(&w, IO("'devices':[{'device':'8:16'}]"), E_POLICY, "/bubblewrap/resources/io/devices/0", "expected a rate");
	world_refuse(&w, IO("'devices':[{'device':'8:16','readBps':0}]"), E_POLICY, NULL, "lets nothing pass");
	for (const char *const *bad = (const char *const[]){ "8", "8:", ":8", "8:1:2", "+8:1", " 8:1", "8:1 ", "4294967296:0", "/dev/sda", NULL };
	     *bad; bad++)
		world_refuse(&w, arena_printf(w.arena, IO("'devices':[{'device':'%s','readBps':1}]"), *bad), E_POLICY,
			     "/bubblewrap/resources/io/devices/0", "numbers of a block device");
	/* no such controller, nobody's delegation */
	w.facts.v2_controllers = "cpu memory pids";
	assert_true(world_plan(&w, IO("'weight':100")) < 0);
	assert_string_equal(w.err->pointer, "/bubblewrap/resources/io");
	world_done(&w);
	world_user(&w);
	assert_true(world_plan(&w, IO("'weight':100")) < 0);
	assert_string_equal(w.err->pointer, "/bubblewrap/resources");
	world_done(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_binds),	  cmocka_unit_test(test_binds_obey_the_lists),
		cmocka_unit_test(test_places),	  cmocka_unit_test(test_order),
		cmocka_unit_test(test_malformed), cmocka_unit_test(test_io),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

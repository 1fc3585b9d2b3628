/* test_store.c - ids, exclusive entries and their locks, records there and back, records and
 * journals that are broken, replay of a journal on a process of our own.
 */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/pid.h"
#include "lifecycle/lifecycle.h"
#include "lifecycle/reclaim.h"

static char root_path[] = "/tmp/mxcrun-test-store-XXXXXX";
static struct store store = STORE_INIT;

static int setup(void **state)
{
	(void)state;
	if (!mkdtemp(root_path))
		return -1;
	return store_open(root_path, true, STORE_READ, &store, NULL);
}

static int teardown(void **state)
{
	(void)state;
	store_close(&store);
	return rmdir(root_path);
}

static void put_file(const struct entry *entry, const char *name, const void *data, size_t len)
{
	cleanup_close int fd =
		openat(entry->dir_fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(fd_write_all(fd, data, len), 0);
}

/* ---- ids ---- */

static void test_ids(void **state)
{
	static const char *const good[] = { "a", "A9", "with-dash", "-x", "+", "_", "a.b", "a..b" };
	static const char *const bad[] = { "",	   ".",	  "..",	 ".a",	     "a/b",
					   "../x", "a b", "a\n", "\xc3\xa4", "a:b" };
	char text[512];

	(void)state;
	for (size_t i = 0; i < array_size(good); i++)
		assert_int_equal(store_check_id(good[i], NULL), 0);
	for (size_t i = 0; i < array_size(bad); i++) {
		cleanup_err struct err *err = NULL;

		assert_true(store_check_id(bad[i], &err) < 0);
		assert_int_equal(err->code, E_ID);
	}
	memset(text, 'x', sizeof(text));
	text[255] = '\0';
	assert_int_equal(store_check_id(text, NULL), 0);
	text[255] = 'x';
	text[256] = '\0';
	assert_true(store_check_id(text, NULL) < 0);
}

/* ---- entries ---- */

static void test_entry_is_exclusive_and_locked(void **state)
{
	cleanup_entry struct entry first = ENTRY_INIT, second = ENTRY_INIT, third = ENTRY_INIT;
	cleanup_err struct err *err = NULL;
	struct stat st;
	mode_t saved = umask(0277);

	(void)state;
	assert_int_equal(store_create(&store, "one", &first, NULL), 0);
	umask(saved);
	assert_int_equal(fstat(first.dir_fd, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	assert_true(store_create(&store, "one", &second, &err) < 0);
	assert_int_equal(err->code, E_EXISTS);
	assert_int_equal(store_get(&store, "one", STORE_LOCK_TRY, &second, NULL), -EWOULDBLOCK);
	assert_int_equal(store_get(&store, "one", STORE_UNLOCKED, &second, NULL), 0);
	assert_true(entry_is_locked(&second));
	entry_close(&first);
	assert_false(entry_is_locked(&second));
	assert_int_equal(store_get(&store, "one", STORE_LOCK_TRY, &third, NULL), 0);
	assert_int_equal(store_remove(&store, &third, NULL), 0);
	/* It was removed under the one that has it open without a lock. */
	entry_close(&third);
	assert_int_equal(entry_lock(&store, &second, STORE_LOCK_TRY, NULL), -ENOENT);
}

static void test_absent_entry(void **state)
{
	cleanup_entry struct entry entry = ENTRY_INIT;
	cleanup_err struct err *err = NULL;

	(void)state;
	assert_int_equal(store_get(&store, "absent", STORE_UNLOCKED, &entry, &err), -ENOENT);
	assert_int_equal(err->code, E_NOT_FOUND);
	assert_non_null(strstr(err->text, "container does not exist"));
	err_free_ptr(&err);
	assert_true(store_get(&store, "../etc", STORE_UNLOCKED, &entry, &err) < 0);
	assert_int_equal(err->code, E_ID);
}

static void test_symlink_is_no_entry(void **state)
{
	cleanup_entry struct entry entry = ENTRY_INIT;

	(void)state;
	assert_int_equal(symlinkat("/tmp", store.root_fd, "link"), 0);
	assert_true(store_get(&store, "link", STORE_UNLOCKED, &entry, NULL) < 0);
	assert_int_equal(unlinkat(store.root_fd, "link", 0), 0);
}

static void test_listing(void **state)
{
	cleanup_entry struct entry b = ENTRY_INIT, a = ENTRY_INIT;
	cleanup_store_ids struct store_ids ids = { 0 };

	(void)state;
	assert_int_equal(store_create(&store, "b", &b, NULL), 0);
	assert_int_equal(store_create(&store, "a", &a, NULL), 0);
	assert_int_equal(mkdirat(store.root_fd, ".hidden", 0700), 0);
	assert_int_equal(store_ids(&store, &ids, NULL), 0);
	assert_int_equal(ids.count, 2);
	assert_string_equal(ids.items[0], "a");
	assert_string_equal(ids.items[1], "b");
	assert_int_equal(unlinkat(store.root_fd, ".hidden", AT_REMOVEDIR), 0);
	assert_int_equal(store_remove(&store, &a, NULL), 0);
	assert_int_equal(store_remove(&store, &b, NULL), 0);
}

static void test_remove_takes_foreign_files_along(void **state)
{
	cleanup_entry struct entry entry = ENTRY_INIT;

	(void)state;
	assert_int_equal(store_create(&store, "full", &entry, NULL), 0);
	put_file(&entry, "record", "x", 1);
	put_file(&entry, "record.0123456789abcdef.tmp", "x", 1);
	put_file(&entry, "what is this", "x", 1);
	assert_int_equal(mkfifoat(entry.dir_fd, "start", 0600), 0);
	assert_int_equal(store_remove(&store, &entry, NULL), 0);
	assert_int_equal(store_remove(&store, &entry, NULL), 0);
}

static void test_absent_root(void **state)
{
	cleanup_store struct store none = STORE_INIT;
	cleanup_store_ids struct store_ids ids = { 0 };
	cleanup_entry struct entry entry = ENTRY_INIT;

	(void)state;
	assert_int_equal(
		store_open("/tmp/mxcrun-test-no-such-directory", true, STORE_READ, &none, NULL), 0);
	assert_int_equal(store_ids(&none, &ids, NULL), 0);
	assert_int_equal(ids.count, 0);
	assert_int_equal(store_get(&none, "a", STORE_UNLOCKED, &entry, NULL), -ENOENT);
	assert_int_equal(access("/tmp/mxcrun-test-no-such-directory", F_OK), -1);
}

/* ---- records ---- */

static const char *const hook_argv[] = { "hook", "with \"quotes\"", "\xc3\xa4", NULL };
static const char *const hook_env[] = { NULL };
static struct plan_hook hook = {
	.path = "/bin/hook",
	.argv = hook_argv,
	.env = hook_env,
	.timeout_ms = 1500,
	.pointer = "/hooks/poststop/0",
};
static struct plan_option annotations[] = { { "org.example.key", "value" }, { "", "" } };
static struct cgroup_dir dirs[] = {
	{ .controllers = (char[]){ "memory" },
	  .path = (char[]){ "/sys/fs/cgroup/memory/a b" },
	  .is_ours = true },
	{ .controllers = (char[]){ "" },
	  .path = (char[]){ "/sys/fs/cgroup/unified/x" },
	  .is_v2 = true },
};

static char class_path[] = "/sys/fs/resctrl/c", monitor_path[] = "/sys/fs/resctrl/c/mon_groups/rec";

static struct sock_filter program[] = { { 0x20, 1, 255, 0xffffffff }, { 6, 0, 0, 0x7fff0000 } };
static struct plan_seccomp filter = { .program = program, .instruction_count = array_size(program), .flags = 2 };

static struct record sample_record(const char *id)
{
	return (struct record){
		.id = id,
		.bundle = "/b",
		.config = "/c/config.json",
		.rootfs = "/b/rootfs",
		.oci_version = "1.3.0",
		.created = "2024-02-29T00:00:00Z",
		.owner = 4294967294u,
		.has_pid_namespace = true,
		.pid = 1234,
		.start_ticks = UINT64_MAX,
		.start_timeout_ms = -1,
		.timeout_ms = 4294967295u,
		.filters = &filter,
		.filter_count = 1,
		.cgroup = { .dirs = dirs,
			    .count = array_size(dirs),
			    .resctrl = { .class_path = class_path,
					 .class_is_ours = true,
					 .monitor_path = monitor_path } },
		.annotations = annotations,
		.annotation_count = array_size(annotations),
		.poststop = { .items = &hook, .count = 1 },
	};
}

static void check_record(const struct record *record)
{
	assert_string_equal(record->id, "rec");
	assert_string_equal(record->rootfs, "/b/rootfs");
	assert_string_equal(record->config, "/c/config.json");
	assert_string_equal(record->created, "2024-02-29T00:00:00Z");
	assert_int_equal(record->owner, 4294967294u);
	assert_true(record->has_pid_namespace);
	assert_false(record->is_sandbox);
	assert_int_equal(record->pid, 1234);
	assert_true(record->start_ticks == UINT64_MAX);
	assert_int_equal(record->start_timeout_ms, -1);
	assert_int_equal(record->timeout_ms, 4294967295u);
	assert_int_equal(record->filter_count, 1);
	assert_int_equal(record->filters[0].instruction_count, array_size(program));
	assert_int_equal(record->filters[0].flags, 2);
	assert_memory_equal(record->filters[0].program, program, sizeof(program));
	assert_int_equal(record->cgroup.count, 2);
	assert_string_equal(record->cgroup.dirs[0].controllers, "memory");
	assert_string_equal(record->cgroup.dirs[0].path, "/sys/fs/cgroup/memory/a b");
	assert_true(record->cgroup.dirs[0].is_ours && !record->cgroup.dirs[0].is_v2);
	assert_true(!record->cgroup.dirs[1].is_ours && record->cgroup.dirs[1].is_v2);
	assert_null(record->cgroup.unit);
	assert_string_equal(record->cgroup.resctrl.class_path, class_path);
	assert_true(record->cgroup.resctrl.class_is_ours);
	assert_string_equal(record->cgroup.resctrl.monitor_path, monitor_path);
	assert_int_equal(record->annotation_count, 2);
	assert_string_equal(record->annotations[0].value, "value");
	assert_int_equal(record->poststart.count, 0);
	assert_int_equal(record->poststop.count, 1);
	assert_string_equal(record->poststop.items[0].argv[1], "with \"quotes\"");
	assert_null(record->poststop.items[0].argv[3]);
	assert_null(record->poststop.items[0].env[0]);
	assert_int_equal(record->poststop.items[0].timeout_ms, 1500);
}

static void test_record_there_and_back(void **state)
{
	cleanup_entry struct entry entry = ENTRY_INIT;
	cleanup_record struct record back = RECORD_INIT;
	struct record record = sample_record("rec");
	struct stat st;

	(void)state;
	assert_int_equal(store_create(&store, "rec", &entry, NULL), 0);
	assert_int_equal(record_write(&entry, &record, NULL), 0);
	assert_int_equal(record_read(&entry, &back, NULL), 0);
	assert_false(back.is_complete);
	record_done(&back);
	/* Only one creator writes the first form. */
	assert_true(record_write(&entry, &record, NULL) < 0);
	record.is_complete = true;
	assert_int_equal(record_write(&entry, &record, NULL), 0);
	assert_int_equal(fstatat(entry.dir_fd, "record", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(record_read(&entry, &back, NULL), 0);
	assert_true(back.is_complete);
	check_record(&back);
	assert_int_equal(store_remove(&store, &entry, NULL), 0);
}

/* Whatever lies there is an error with words, never more; every truncation of a good record too. */
static void test_broken_records(void **state)
{
	static const char *const texts[] = {
		"",
		"{",
		"{}",
		"[]",
		"null",
		"\x00\xff\xfe",
		"{\"format\":1}",
		"{\"format\":1,\"format\":1}",
	};
	cleanup_entry struct entry entry = ENTRY_INIT;
	cleanup_record struct record back = RECORD_INIT;
	cleanup_free char *text = NULL;
	struct record record = sample_record("broken");
	size_t len;

	(void)state;
	assert_int_equal(store_create(&store, "broken", &entry, NULL), 0);
	assert_int_equal(record_read(&entry, &back, NULL), -ENOENT);
	assert_int_equal(record_write(&entry, &record, NULL), 0);
	assert_int_equal(fd_read_file(entry.dir_fd, "record", 65536, &text, &len), 0);
	for (size_t i = 0; i < array_size(texts); i++) {
		cleanup_err struct err *err = NULL;

		put_file(&entry, "record", texts[i], i == 5 ? 3 : strlen(texts[i]));
		assert_int_equal(record_read(&entry, &back, &err), -EBADMSG);
		assert_int_equal(err->code, E_RECORD);
		assert_int_equal(back.pid, -1);
		assert_int_equal(back.poststop.count, 0);
	}
	for (size_t i = 0; i < len; i++) {
		put_file(&entry, "record", text, i);
		assert_int_equal(record_read(&entry, &back, NULL), -EBADMSG);
	}
	put_file(&entry, "record", text, len);
	assert_int_equal(record_read(&entry, &back, NULL), 0);
	assert_int_equal(store_remove(&store, &entry, NULL), 0);
}

/* A filter that is cut short would let more pass. */
static void test_broken_filters(void **state)
{
	static const char *const texts[] = {
		"", "0", "0:", ":0006000000000000", "0:000600000000000", "0:00060000000000000", "x:0006000000000000",
		"0:000600000000000g", "0:0006000000000000 ", "0:-006000000000000", "0x0006000000000000",
	};
	cleanup_arena struct arena *arena = arena_new();
	struct plan_seccomp back;

	(void)state;
	for (size_t i = 0; i < array_size(texts); i++)
		assert_int_equal(filter_parse(arena, texts[i], &back), -EBADMSG);
	assert_int_equal(filter_parse(arena, "4294967295:0006000000000001", &back), 0);
	assert_int_equal(back.instruction_count, 1);
}

static void test_record_of_another_id(void **state)
{
	cleanup_entry struct entry entry = ENTRY_INIT;
	cleanup_record struct record back = RECORD_INIT;
	struct record record = sample_record("other");

	(void)state;
	assert_int_equal(store_create(&store, "mine", &entry, NULL), 0);
	assert_int_equal(record_write(&entry, &record, NULL), 0);
	assert_int_equal(record_read(&entry, &back, NULL), -EBADMSG);
	assert_int_equal(store_remove(&store, &entry, NULL), 0);
}

/* ---- journals ---- */

static pid_t start_sleeper(uint64_t *ret_ticks)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		pause();
		_exit(0);
	}
	assert_int_equal(pid_start_time(pid, ret_ticks, NULL), 0);
	return pid;
}

static void test_replay_kills_the_process(void **state)
{
	cleanup_entry struct entry entry = ENTRY_INIT;
	cleanup_remains struct remains remains = { 0 };
	uint64_t ticks;
	pid_t pid = start_sleeper(&ticks);
	int status;

	(void)state;
	assert_int_equal(store_create(&store, "j", &entry, NULL), 0);
	assert_int_equal(journal_read(&entry, &remains), -ENOENT);
	assert_int_equal(journal_add_process(&entry, pid, ticks, NULL), 0);
	assert_int_equal(journal_read(&entry, &remains), 0);
	assert_int_equal(remains.process_count, 1);
	assert_int_equal(remains.processes[0].pid, pid);
	assert_true(remains.processes[0].start_ticks == ticks);
	assert_int_equal(remains_reclaim(&remains, "id", NULL), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	assert_int_equal(remains_reclaim(&remains, "id", NULL), 0);
	assert_int_equal(store_remove(&store, &entry, NULL), 0);
}

/* A process that has the number and not the start time is somebody else. */
static void test_replay_spares_strangers(void **state)
{
	cleanup_entry struct entry entry = ENTRY_INIT;
	cleanup_remains struct remains remains = { 0 };
	uint64_t ticks;
	pid_t pid = start_sleeper(&ticks);

	(void)state;
	assert_int_equal(store_create(&store, "s", &entry, NULL), 0);
	assert_int_equal(journal_add_process(&entry, pid, ticks + 1, NULL), 0);
	assert_int_equal(journal_read(&entry, &remains), 0);
	assert_int_equal(remains_reclaim(&remains, "id", NULL), 0);
	assert_int_equal(waitpid(pid, NULL, WNOHANG), 0);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	assert_int_equal(store_remove(&store, &entry, NULL), 0);
}

static void test_garbage_in_a_journal(void **state)
{
	static const char text[] =
		"process\nprocess 0 0\nprocess -1 5\nprocess 1 x\ncgroup /etc\n"
		"cgroup v3:own::/x\ncgroup v2:own:x\n\n\xff\xfe\nprocess 1 2 3\nprocess 17 4";
	cleanup_entry struct entry entry = ENTRY_INIT;
	cleanup_remains struct remains remains = { 0 };

	(void)state;
	assert_int_equal(store_create(&store, "g", &entry, NULL), 0);
	put_file(&entry, "journal", text, sizeof(text) - 1);
	assert_int_equal(journal_read(&entry, &remains), 0);
	assert_int_equal(remains.process_count, 0);
	assert_int_equal(remains.cgroup.count, 0);
	assert_int_equal(store_remove(&store, &entry, NULL), 0);
}

/* Where the journal is lost the record has to do, and the other way round. */
static void test_record_stands_in_for_the_journal(void **state)
{
	cleanup_entry struct entry entry = ENTRY_INIT;
	cleanup_remains struct remains remains = { 0 };
	struct record record = sample_record("r");

	(void)state;
	assert_int_equal(store_create(&store, "r", &entry, NULL), 0);
	assert_int_equal(remains_find(&entry, &record, NULL, &remains, NULL), 0);
	assert_int_equal(remains.process_count, 1);
	assert_int_equal(remains.processes[0].pid, 1234);
	assert_int_equal(remains.cgroup.count, 2);
	remains_done(&remains);
	assert_int_equal(mkdirat(entry.dir_fd, "journal", 0700), 0);
	assert_int_equal(remains_find(&entry, &record, NULL, &remains, NULL), 0);
	assert_int_equal(remains.cgroup.count, 2);
	assert_int_equal(store_remove(&store, &entry, NULL), 0);
}

/* Groups of resctrl there and back; a path that lies elsewhere is left alone at the end. */
static void test_resctrl_in_a_journal(void **state)
{
	cleanup_entry struct entry entry = ENTRY_INIT;
	cleanup_remains struct remains remains = { 0 };
	char elsewhere[] = "/tmp/mxcrun-class.XXXXXX";
	struct cgroup cgroup = { .resctrl = { .class_path = elsewhere, .class_is_ours = true, .monitor_path = elsewhere } };

	(void)state;
	assert_non_null(mkdtemp(elsewhere));
	assert_int_equal(store_create(&store, "m", &entry, NULL), 0);
	assert_int_equal(journal_add_cgroup(&entry, &cgroup, NULL), 0);
	assert_int_equal(journal_read(&entry, &remains), 0);
	assert_string_equal(remains.cgroup.resctrl.class_path, elsewhere);
	assert_true(remains.cgroup.resctrl.class_is_ours);
	assert_string_equal(remains.cgroup.resctrl.monitor_path, elsewhere);
	assert_int_equal(remains_reclaim(&remains, "id", NULL), 0);
	assert_int_equal(rmdir(elsewhere), 0);
	assert_int_equal(store_remove(&store, &entry, NULL), 0);
}

static void test_journal_refuses_control_characters(void **state)
{
	cleanup_entry struct entry entry = ENTRY_INIT;
	struct cgroup_dir dir = { .controllers = (char[]){ "" },
				  .path = (char[]){ "/x\nprocess 1 1" } };
	struct cgroup cgroup = { .dirs = &dir, .count = 1 };

	(void)state;
	assert_int_equal(store_create(&store, "c", &entry, NULL), 0);
	assert_true(journal_add_cgroup(&entry, &cgroup, NULL) < 0);
	assert_int_equal(store_remove(&store, &entry, NULL), 0);
}

/* ---- signals by name ---- */

static void test_signal_names(void **state)
{
	(void)state;
	assert_int_equal(signal_parse("TERM"), SIGTERM);
	assert_int_equal(signal_parse("SIGKILL"), SIGKILL);
	assert_int_equal(signal_parse("sigusr1"), SIGUSR1);
	assert_int_equal(signal_parse("15"), 15);
	assert_int_equal(signal_parse("0"), 0);
	assert_int_equal(signal_parse("RTMIN+3"), 37);
	assert_int_equal(signal_parse("SIGRTMAX-1"), 63);
	assert_int_equal(signal_parse("RTMIN"), 34);
	assert_true(signal_parse("") < 0);
	assert_true(signal_parse("65") < 0);
	assert_true(signal_parse("-1") < 0);
	assert_true(signal_parse("9x") < 0);
	assert_true(signal_parse("RTMIN+31") < 0);
	assert_true(signal_parse("NOSUCH") < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ids),
		cmocka_unit_test(test_entry_is_exclusive_and_locked),
		cmocka_unit_test(test_absent_entry),
		cmocka_unit_test(test_symlink_is_no_entry),
		cmocka_unit_test(test_listing),
		cmocka_unit_test(test_remove_takes_foreign_files_along),
		cmocka_unit_test(test_absent_root),
		cmocka_unit_test(test_record_there_and_back),
		cmocka_unit_test(test_broken_records),
		cmocka_unit_test(test_broken_filters),
		cmocka_unit_test(test_record_of_another_id),
		cmocka_unit_test(test_replay_kills_the_process),
		cmocka_unit_test(test_replay_spares_strangers),
		cmocka_unit_test(test_garbage_in_a_journal),
		cmocka_unit_test(test_record_stands_in_for_the_journal),
		cmocka_unit_test(test_resctrl_in_a_journal),
		cmocka_unit_test(test_journal_refuses_control_characters),
		cmocka_unit_test(test_signal_names),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}

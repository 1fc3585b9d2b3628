/* test_systemd_limits.c - what systemd is told of the values that stand in the cgroup files. */
#include "unit.h"

#include "base/mem.h"
#include "cgroup/systemd_limits.h"

#define NEWEST 999

struct expected {
	const char *property, *signature;
	uint64_t number;
	const char *bytes;
};

static void put_expected(struct dbus_body *body, const struct expected *expected)
{
	size_t mark;

	systemd_put_property(body, expected->property, expected->signature);
	switch (expected->signature[0]) {
	case 't':
		dbus_put_u64(body, expected->number);
		break;
	case 'b':
		dbus_put_bool(body, expected->number);
		break;
	case 's':
		dbus_put_string(body, expected->bytes);
		break;
	default:
		mark = dbus_open_array(body, 1);
		strbuf_puts(&body->data, expected->bytes);
		dbus_close_array(body, mark, 1);
	}
}

/* Up to two files with their values, and the properties that become of them. */
struct row {
	struct plan_cgroup_write writes[2];
	struct expected expected[2];
	unsigned int version;
	bool is_update;
};

static void check(const struct row *row)
{
	struct plan_cgroup cgroup = { .writes = (struct plan_cgroup_write *)row->writes };
	cleanup_dbus_body struct dbus_body have = DBUS_BODY_INIT, want = DBUS_BODY_INIT;

	while (cgroup.write_count < array_size(row->writes) && row->writes[cgroup.write_count].file)
		cgroup.write_count++;
	for (size_t i = 0; i < array_size(row->expected) && row->expected[i].property; i++)
		put_expected(&want, &row->expected[i]);
	systemd_put_limits(&have, &cgroup, row->version, !row->is_update);
	assert_int_equal(have.data.len, want.data.len);
	if (want.data.len)
		assert_memory_equal(have.data.data, want.data.data, want.data.len);
}

#define W(file_, value_) { .file = file_, .value = value_ }
#define T(property_, number_) { property_, "t", number_, NULL }

static void test_values(void **state)
{
	static const struct row rows[] = {
		{ { W("memory.max", "104857600") }, { T("MemoryMax", 104857600) }, 0, false },
		{ { W("memory.max", "max") }, { T("MemoryMax", UINT64_MAX) }, 0, false },
		{ { W("memory.limit_in_bytes", "-1") }, { T("MemoryLimit", UINT64_MAX) }, 0, false },
		{ { W("memory.max", "1x") }, { { 0 } }, 0, false },
		{ { W("cpu.max", "20000 50000") }, { T("CPUQuotaPerSecUSec", 400000), T("CPUQuotaPeriodUSec", 50000) }, 0, false },
		{ { W("cpu.max", "33333 100000") }, { T("CPUQuotaPerSecUSec", 340000), T("CPUQuotaPeriodUSec", 100000) }, 0, false },
		{ { W("cpuset.cpus", "0-1,9") }, { { "AllowedCPUs", "ay", 0, "\3\2" } }, 0, false },
		{ { W("cpuset.cpus", "99999") }, { { 0 } }, 0, false },
		{ { W("io.max", "8:0 rbps=1") }, { { 0 } }, NEWEST, false },
	};

	(void)state;
	for (size_t i = 0; i < array_size(rows); i++)
		check(&rows[i]);
}

/* As an update that is refused gives them back. */
static void test_read_values(void **state)
{
	static const struct row rows[] = {
		{ { W("memory.max", "104857600\n") }, { T("MemoryMax", 104857600) }, 0, true },
		{ { W("pids.max", "max\n") }, { T("TasksMax", UINT64_MAX) }, 0, true },
		{ { W("cpu.max", "max 100000\n") }, { T("CPUQuotaPerSecUSec", UINT64_MAX), T("CPUQuotaPeriodUSec", 100000) }, 0, true },
		{ { W("cpuset.cpus", "0-1\n") }, { { "AllowedCPUs", "ay", 0, "\3" } }, 0, true },
		{ { W("cpuset.mems", "\n") }, { { "AllowedMemoryNodes", "ay", 0, "" } }, 0, true },
		{ { W("io.weight", "default 4950\n") }, { T("IOWeight", 4950) }, 0, true },
	};

	(void)state;
	for (size_t i = 0; i < array_size(rows); i++)
		check(&rows[i]);
}

static void test_versions(void **state)
{
	static const struct row rows[] = {
		{ { W("cpu.idle", "1") }, { T("CPUWeight", 0) }, 252, false },
		{ { W("cpu.idle", "1") }, { { 0 } }, 251, false },
		{ { W("cpu.idle", "0\n") }, { T("CPUWeight", UINT64_MAX) }, 252, true },
		{ { W("cpu.weight", "79"), W("cpu.idle", "1") }, { T("CPUWeight", 0) }, 252, true },
		{ { W("cpu.idle", "0"), W("cpu.weight", "79") }, { T("CPUWeight", 79) }, 252, true },
		{ { W("memory.oom.group", "1") }, { { "OOMPolicy", "s", 0, "kill" } }, 253, false },
		{ { W("memory.oom.group", "0") }, { { 0 } }, 253, false },
		{ { W("memory.oom.group", "1") }, { { 0 } }, 252, false },
		{ { W("memory.oom.group", "1") }, { { 0 } }, 253, true },
		{ { W("memory.zswap.writeback", "0") }, { { "MemoryZSwapWriteback", "b", 0, NULL } }, 256, false },
		{ { W("memory.zswap.max", "4096"), W("memory.max", "8192") }, { T("MemoryMax", 8192) }, 0, true },
	};

	(void)state;
	for (size_t i = 0; i < array_size(rows); i++) {
		struct plan_cgroup cgroup = { .writes = (struct plan_cgroup_write *)rows[i].writes, .write_count = 1 };

		check(&rows[i]);
		if (strcmp(rows[i].writes[0].file, "cpu.weight") != 0)
			assert_true(systemd_limits_depend_on_version(&cgroup));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_read_values),
		cmocka_unit_test(test_versions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

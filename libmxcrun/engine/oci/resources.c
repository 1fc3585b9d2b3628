/* resources.c - limits as the kernel's files take them, back to the members that runtimes lower again.
 *
 * A file of cgroup v1 has its own member; files of v2 go to "unified" as they are, but for those whose name is the same in
 * v1, which must not depend on where the bundle runs. Rates of block devices have members of their own in both, because
 * "unified" has a file only once and io.max takes a line a device.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/oci/parts.h"

enum value_kind { VALUE_NUMBER, VALUE_STRING, VALUE_FLAG };

static const struct {
	const char *file, *section, *member;
	enum value_kind kind;
} rows[] = {
	{ "memory.limit_in_bytes", "memory", "limit", VALUE_NUMBER },
	{ "memory.memsw.limit_in_bytes", "memory", "swap", VALUE_NUMBER },
	{ "memory.soft_limit_in_bytes", "memory", "reservation", VALUE_NUMBER },
	{ "memory.swappiness", "memory", "swappiness", VALUE_NUMBER },
	{ "memory.oom_control", "memory", "disableOOMKiller", VALUE_FLAG },
	{ "cpu.shares", "cpu", "shares", VALUE_NUMBER },
	{ "cpu.cfs_quota_us", "cpu", "quota", VALUE_NUMBER },
	{ "cpu.cfs_period_us", "cpu", "period", VALUE_NUMBER },
	{ "cpu.cfs_burst_us", "cpu", "burst", VALUE_NUMBER },
	{ "cpu.rt_runtime_us", "cpu", "realtimeRuntime", VALUE_NUMBER },
	{ "cpu.rt_period_us", "cpu", "realtimePeriod", VALUE_NUMBER },
	{ "cpu.idle", "cpu", "idle", VALUE_NUMBER },
	{ "cpuset.cpus", "cpu", "cpus", VALUE_STRING },
	{ "cpuset.mems", "cpu", "mems", VALUE_STRING },
	{ "pids.max", "pids", "limit", VALUE_NUMBER },
};
static const char *const sections[] = { "memory", "cpu", "pids" };

/* Of v2 only: no v1 controller has a file of that name. */
static bool is_unified(const char *file)
{
	static const char *const files[] = {
		"memory.max", "memory.low", "memory.high", "memory.min", "memory.swap.max", "memory.oom.group", "cpu.max",
		"cpu.max.burst", "cpu.weight", "io.weight", "io.bfq.weight",
	};

	for (size_t i = 0; i < array_size(files); i++)
		if (!strcmp(file, files[i]))
			return true;
	return false;
}

static int row_of(const char *file)
{
	for (size_t i = 0; i < array_size(rows); i++)
		if (!strcmp(file, rows[i].file))
			return (int)i;
	return -1;
}

/* ---- rates of block devices ---- */

static const struct throttle { const char *v1_file, *v2_key, *member; } throttles[] = {
	{ "blkio.throttle.read_bps_device", "rbps", "throttleReadBpsDevice" },
	{ "blkio.throttle.write_bps_device", "wbps", "throttleWriteBpsDevice" },
	{ "blkio.throttle.read_iops_device", "riops", "throttleReadIOPSDevice" },
	{ "blkio.throttle.write_iops_device", "wiops", "throttleWriteIOPSDevice" },
};

static bool is_throttle(const char *file)
{
	for (size_t i = 0; i < array_size(throttles); i++)
		if (!strcmp(file, throttles[i].v1_file))
			return true;
	return !strcmp(file, "io.max");
}

/* "8:0 1024" in v1, "8:0 rbps=1024 wbps=max" in v2: the rate's text, or NULL when there is none, or no limit. */
static const char *rate_of(const struct plan_cgroup_write *write, const struct throttle *throttle)
{
	const char *rate = strchr(write->value, ' ');

	if (!strcmp(write->file, throttle->v1_file))
		return rate;
	if (strcmp(write->file, "io.max") != 0)
		return NULL;
	for (; rate; rate = strchr(rate, ' ')) {
		size_t len = strlen(throttle->v2_key);

		rate += strspn(rate, " ");
		if (!strncmp(rate, throttle->v2_key, len) && rate[len] == '=')
			return rate[len + 1] >= '0' && rate[len + 1] <= '9' ? rate + len + 1 : NULL;
	}
	return NULL;
}

static void put_throttle(struct oci_emitter *e, const struct throttle *throttle)
{
	const struct plan_cgroup *cgroup = &e->plan->cgroup;
	bool is_open = false;

	for (size_t i = 0; i < cgroup->write_count; i++) {
		const char *rate = rate_of(&cgroup->writes[i], throttle);
		char *minor;

		if (!rate)
			continue;
		if (!is_open)
			json_open(e->out, throttle->member, '[');
		is_open = true;
		json_open(e->out, NULL, '{');
		json_put_i64(e->out, "major", strtoll(cgroup->writes[i].value, &minor, 10));
		json_put_i64(e->out, "minor", *minor ? strtoll(minor + 1, NULL, 10) : 0);
		json_put_i64(e->out, "rate", strtoll(rate, NULL, 10));
		json_close(e->out, '}');
	}
	if (is_open)
		json_close(e->out, ']');
}

static void put_block_io(struct oci_emitter *e)
{
	const struct plan_cgroup *cgroup = &e->plan->cgroup;
	bool is_asked = false;

	for (size_t i = 0; i < cgroup->write_count; i++)
		is_asked |= is_throttle(cgroup->writes[i].file) || !strcmp(cgroup->writes[i].file, "blkio.weight");
	if (!is_asked)
		return;
	json_open(e->out, "blockIO", '{');
	for (size_t i = 0; i < cgroup->write_count; i++)
		if (!strcmp(cgroup->writes[i].file, "blkio.weight"))
			json_put_i64(e->out, "weight", strtoll(cgroup->writes[i].value, NULL, 10));
	for (size_t i = 0; i < array_size(throttles); i++)
		put_throttle(e, &throttles[i]);
	json_close(e->out, '}');
}

/* ---- all of it ---- */

static bool is_carried(const struct plan_cgroup *cgroup, size_t index)
{
	const char *file = cgroup->writes[index].file;

	for (size_t i = 0; i < index; i++)
		if (is_unified(file) && !strcmp(cgroup->writes[i].file, file))
			return false;
	return row_of(file) >= 0 || is_unified(file) || is_throttle(file) || !strcmp(file, "blkio.weight");
}

static int check_writes(const struct plan_cgroup *cgroup, struct err **err)
{
	for (size_t i = 0; i < cgroup->write_count; i++)
		if (!is_carried(cgroup, i))
			return err_set(err, E_UNSUPPORTED, 0, cgroup->writes[i].pointer,
				       "oci: cgroup limits: %s has no lowering to config.json", cgroup->writes[i].file);
	return 0;
}

static void put_value(struct json_writer *w, int row, const char *value)
{
	switch (rows[row].kind) {
	case VALUE_NUMBER:
		json_put_i64(w, rows[row].member, !strcmp(value, "max") ? -1 : strtoll(value, NULL, 10));
		break;
	case VALUE_STRING:
		json_put_string(w, rows[row].member, value);
		break;
	case VALUE_FLAG:
		json_put_bool(w, rows[row].member, value[0] == '1');
		break;
	}
}

static void put_section(struct oci_emitter *e, const char *section)
{
	const struct plan_cgroup *cgroup = &e->plan->cgroup;
	bool is_open = false;

	for (size_t i = 0; i < cgroup->write_count; i++) {
		int row = row_of(cgroup->writes[i].file);

		if (row < 0 || strcmp(rows[row].section, section) != 0)
			continue;
		if (!is_open)
			json_open(e->out, section, '{');
		is_open = true;
		put_value(e->out, row, cgroup->writes[i].value);
	}
	if (is_open)
		json_close(e->out, '}');
}

static void put_unified(struct oci_emitter *e)
{
	const struct plan_cgroup *cgroup = &e->plan->cgroup;
	bool is_open = false;

	for (size_t i = 0; i < cgroup->write_count; i++) {
		if (!is_unified(cgroup->writes[i].file))
			continue;
		if (!is_open)
			json_open(e->out, "unified", '{');
		is_open = true;
		json_put_string(e->out, cgroup->writes[i].file, cgroup->writes[i].value);
	}
	if (is_open)
		json_close(e->out, '}');
}

static void put_rule(struct json_writer *w, const struct plan_device_rule *rule)
{
	const char type[] = { rule->type, 0 };
	char access[4];

	snprintf(access, sizeof(access), "%s%s%s", rule->read ? "r" : "", rule->write ? "w" : "", rule->mknod ? "m" : "");
	json_open(w, NULL, '{');
	json_put_bool(w, "allow", rule->allow);
	json_put_string(w, "type", type);
	if (rule->major >= 0)
		json_put_i64(w, "major", rule->major);
	if (rule->minor >= 0)
		json_put_i64(w, "minor", rule->minor);
	json_put_string(w, "access", access);
	json_close(w, '}');
}

/* The plan's default is "no", which is said first. */
static void put_device_rules(struct oci_emitter *e)
{
	static const struct plan_device_rule none = { .type = 'a', .major = -1, .minor = -1, .read = true, .write = true,
						      .mknod = true };
	const struct plan_cgroup *cgroup = &e->plan->cgroup;

	if (!cgroup->wants_devices || !cgroup->device_rule_count)
		return;
	json_open(e->out, "devices", '[');
	put_rule(e->out, &none);
	for (size_t i = 0; i < cgroup->device_rule_count; i++)
		put_rule(e->out, &cgroup->device_rules[i]);
	json_close(e->out, ']');
}

int oci_put_resources(struct oci_emitter *e, struct err **err)
{
	const struct plan_cgroup *cgroup = &e->plan->cgroup;
	int r = check_writes(cgroup, err);

	if (r < 0)
		return r;
	json_open(e->out, "resources", '{');
	put_device_rules(e);
	for (size_t i = 0; i < array_size(sections); i++)
		put_section(e, sections[i]);
	put_block_io(e);
	put_unified(e);
	json_close(e->out, '}');
	return 0;
}

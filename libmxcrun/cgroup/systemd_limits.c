/* systemd_limits.c - the values that we write into cgroup files, as properties of the scope.
 *
 * The files are what counts, and we write them ourselves. systemd gets the same values because it
 * writes its own idea of a unit's limits again on daemon-reload and whenever a neighbour changes.
 * What it has no property for it mostly leaves alone.
 */
#include "cgroup/systemd_limits.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define CPU_SET_MAX 8192u
#define USEC_PER_SEC 1000000ull
#define QUOTA_STEP 10000ull /* systemd counts in whole percents of a second */

void systemd_put_property(struct dbus_body *body, const char *name, const char *signature)
{
	dbus_put_struct(body);
	dbus_put_string(body, name);
	dbus_put_signature(body, signature);
}

/* What was read from a file has the end of its line. */
static bool at_end(const char *text)
{
	return !text[strspn(text, "\n")];
}

static bool parse_u64(const char *text, const char **ret_end, uint64_t *ret)
{
	char *end;

	if (strncmp(text, "max", 3) == 0 || strncmp(text, "-1", 2) == 0) {
		*ret_end = text + (text[0] == 'm' ? 3 : 2);
		*ret = UINT64_MAX;
		return true;
	}
	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	*ret = strtoull(text, &end, 10);
	*ret_end = end;
	return errno == 0;
}

static void put_number(struct dbus_body *body, const char *property, const char *value)
{
	const char *end;
	uint64_t number;

	if (!parse_u64(value, &end, &number) || !at_end(end))
		return;
	systemd_put_property(body, property, "t");
	dbus_put_u64(body, number);
}

/* "default WEIGHT" as the file has it, which takes the number alone, too. */
static void put_weight(struct dbus_body *body, const char *property, const char *value)
{
	static const char word[] = "default ";

	put_number(body, property, strncmp(value, word, sizeof(word) - 1) ? value : value + sizeof(word) - 1);
}

/* "quota period" in microseconds */
static void put_quota(struct dbus_body *body, const char *property, const char *value)
{
	uint64_t quota, period;
	const char *end;

	if (!parse_u64(value, &end, &quota) || *end != ' ' || !parse_u64(end + 1, &end, &period) ||
	    !at_end(end) || period == 0 || period == UINT64_MAX)
		return;
	if (quota != UINT64_MAX) {
		if (quota > UINT64_MAX / USEC_PER_SEC)
			return;
		quota = quota * USEC_PER_SEC / period;
		quota = (quota + QUOTA_STEP - 1) / QUOTA_STEP * QUOTA_STEP;
	}
	systemd_put_property(body, property, "t");
	dbus_put_u64(body, quota);
	systemd_put_property(body, "CPUQuotaPeriodUSec", "t");
	dbus_put_u64(body, period);
}

/* "0-3,6" to a bit mask; of an empty list, which leaves the choice to the groups above, an empty one. False when it is no list,
 * or too large. */
static bool parse_set(const char *list, uint8_t mask[CPU_SET_MAX / 8], size_t *ret_len)
{
	memset(mask, 0, CPU_SET_MAX / 8);
	*ret_len = 0;
	while (!at_end(list)) {
		uint64_t first, last;

		if (!parse_u64(list, &list, &first))
			return false;
		last = first;
		if (*list == '-' && !parse_u64(list + 1, &list, &last))
			return false;
		if (first > last || last >= CPU_SET_MAX || (!at_end(list) && *list != ','))
			return false;
		list += *list == ',';
		for (; first <= last; first++)
			mask[first / 8] |= (uint8_t)(1u << (first % 8));
		if (last / 8 + 1 > *ret_len)
			*ret_len = last / 8 + 1;
	}
	return true;
}

static void put_set(struct dbus_body *body, const char *property, const char *value)
{
	uint8_t mask[CPU_SET_MAX / 8];
	size_t len, mark;

	if (!parse_set(value, mask, &len))
		return;
	systemd_put_property(body, property, "ay");
	mark = dbus_open_array(body, 1);
	strbuf_add(&body->data, mask, len);
	dbus_close_array(body, mark, 1);
}

static void put_bool(struct dbus_body *body, const char *property, const char *value)
{
	systemd_put_property(body, property, "b");
	dbus_put_bool(body, value[0] == '1');
}

/* The weight 0 stands for idle, the highest number for none of its own. */
static void put_idle(struct dbus_body *body, const char *property, const char *value)
{
	systemd_put_property(body, property, "t");
	dbus_put_u64(body, value[0] == '1' ? 0 : UINT64_MAX);
}

/* Otherwise the default of a scope whose groups are ours, continue, is right. */
static void put_oom_policy(struct dbus_body *body, const char *property, const char *value)
{
	if (value[0] != '1')
		return;
	systemd_put_property(body, property, "s");
	dbus_put_string(body, "kill");
}

static const struct limit {
	const char *controller, *file;
	const char *property;
	void (*put)(struct dbus_body *body, const char *property, const char *value);
	unsigned int since; /* the first systemd that has the property, or knows the value */
	bool is_fixed;	    /* once the scope is there */
} limits[] = {
	{ "memory", "memory.max", "MemoryMax", put_number, 0, false },
	{ "memory", "memory.high", "MemoryHigh", put_number, 0, false },
	{ "memory", "memory.low", "MemoryLow", put_number, 0, false },
	{ "memory", "memory.min", "MemoryMin", put_number, 0, false },
	{ "memory", "memory.swap.max", "MemorySwapMax", put_number, 0, false },
	{ "memory", "memory.zswap.max", "MemoryZSwapMax", put_number, 253, false },
	{ "memory", "memory.zswap.writeback", "MemoryZSwapWriteback", put_bool, 256, false },
	{ "memory", "memory.oom.group", "OOMPolicy", put_oom_policy, 253, true },
	{ "pids", "pids.max", "TasksMax", put_number, 0, false },
	{ "cpu", "cpu.idle", "CPUWeight", put_idle, 252, false },
	{ "cpu", "cpu.weight", "CPUWeight", put_number, 0, false },
	{ "cpu", "cpu.max", "CPUQuotaPerSecUSec", put_quota, 0, false },
	{ "cpuset", "cpuset.cpus", "AllowedCPUs", put_set, 0, false },
	{ "cpuset", "cpuset.mems", "AllowedMemoryNodes", put_set, 0, false },
	{ "io", "io.weight", "IOWeight", put_weight, 0, false },
	/* v1 */
	{ "memory", "memory.limit_in_bytes", "MemoryLimit", put_number, 0, false },
	{ "cpu", "cpu.shares", "CPUShares", put_number, 0, false },
	{ "blkio", "blkio.weight", "BlockIOWeight", put_number, 0, false },
};

bool systemd_limit_file(size_t i, struct plan_cgroup_write *ret)
{
	if (i >= array_size(limits))
		return false;
	*ret = (struct plan_cgroup_write){ .controller = limits[i].controller, .file = limits[i].file };
	return true;
}

static const struct limit *find_limit(const char *file)
{
	for (size_t i = 0; i < array_size(limits); i++)
		if (strcmp(limits[i].file, file) == 0)
			return &limits[i];
	return NULL;
}

bool systemd_limits_depend_on_version(const struct plan_cgroup *cgroup)
{
	for (size_t i = 0; i < cgroup->write_count; i++) {
		const struct limit *limit = find_limit(cgroup->writes[i].file);

		if (limit && limit->since)
			return true;
	}
	return false;
}

/* One property is both: what is idle has no weight, and a weight says that it isn't. */
static bool is_overruled(const struct plan_cgroup *cgroup, const char *file)
{
	const char *idle = plan_cgroup_value(cgroup, "cpu.idle");
	bool is_idle = idle && idle[0] == '1';

	if (strcmp(file, "cpu.weight") == 0)
		return is_idle;
	return strcmp(file, "cpu.idle") == 0 && !is_idle && plan_cgroup_value(cgroup, "cpu.weight");
}

void systemd_put_limits(struct dbus_body *body, const struct plan_cgroup *cgroup, unsigned int version, bool is_start)
{
	for (size_t i = 0; i < cgroup->write_count; i++) {
		const struct plan_cgroup_write *write = &cgroup->writes[i];
		const struct limit *limit = find_limit(write->file);

		if (limit && limit->since <= version && (is_start || !limit->is_fixed) && !is_overruled(cgroup, write->file))
			limit->put(body, limit->property, write->value);
	}
}

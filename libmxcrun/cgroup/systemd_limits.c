/* systemd_limits.c - the values that we write into cgroup files, as properties of the scope.
 *
 * The files are what counts, and we write them ourselves. systemd gets the same values because it
 * writes its own idea of a unit's limits again on daemon-reload and whenever a neighbour changes.
 * What it has no property for it leaves alone.
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

	if (!parse_u64(value, &end, &number) || *end)
		return;
	systemd_put_property(body, property, "t");
	dbus_put_u64(body, number);
}

/* "quota period" in microseconds */
static void put_quota(struct dbus_body *body, const char *property, const char *value)
{
	uint64_t quota, period;
	const char *end;

	if (!parse_u64(value, &end, &quota) || *end != ' ' || !parse_u64(end + 1, &end, &period) ||
	    *end || period == 0 || period == UINT64_MAX)
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

/* "0-3,6" to a bit mask. False when the list is none or too large. */
static bool parse_set(const char *list, uint8_t mask[CPU_SET_MAX / 8], size_t *ret_len)
{
	size_t len = 0;

	memset(mask, 0, CPU_SET_MAX / 8);
	while (*list) {
		uint64_t first, last;

		if (!parse_u64(list, &list, &first))
			return false;
		last = first;
		if (*list == '-' && !parse_u64(list + 1, &list, &last))
			return false;
		if (first > last || last >= CPU_SET_MAX || (*list && *list != ','))
			return false;
		list += *list == ',';
		for (; first <= last; first++)
			mask[first / 8] |= (uint8_t)(1u << (first % 8));
		if (last / 8 + 1 > len)
			len = last / 8 + 1;
	}
	*ret_len = len;
	return len > 0;
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

static const struct limit {
	const char *file;
	const char *property;
	void (*put)(struct dbus_body *body, const char *property, const char *value);
} limits[] = {
	{ "memory.max", "MemoryMax", put_number },
	{ "memory.high", "MemoryHigh", put_number },
	{ "memory.low", "MemoryLow", put_number },
	{ "memory.min", "MemoryMin", put_number },
	{ "memory.swap.max", "MemorySwapMax", put_number },
	{ "pids.max", "TasksMax", put_number },
	{ "cpu.weight", "CPUWeight", put_number },
	{ "cpu.max", "CPUQuotaPerSecUSec", put_quota },
	{ "cpuset.cpus", "AllowedCPUs", put_set },
	{ "cpuset.mems", "AllowedMemoryNodes", put_set },
	{ "io.weight", "IOWeight", put_number },
	/* v1 */
	{ "memory.limit_in_bytes", "MemoryLimit", put_number },
	{ "cpu.shares", "CPUShares", put_number },
	{ "blkio.weight", "BlockIOWeight", put_number },
};

void systemd_put_limits(struct dbus_body *body, const struct plan_cgroup *cgroup)
{
	size_t i, j;

	for (i = 0; i < cgroup->write_count; i++)
		for (j = 0; j < array_size(limits); j++)
			if (strcmp(cgroup->writes[i].file, limits[j].file) == 0)
				limits[j].put(body, limits[j].property, cgroup->writes[i].value);
}

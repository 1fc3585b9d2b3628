/* stats.c - see stats.h. One column a layout: the words of v1 and of v2 for the same thing stand beside each other. */
#include "cgroup/stats.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "cgroup/backend.h"
#include "cgroup/directory.h"
#include "cgroup/pressure.h"

#define NANOSECONDS_PER_MICROSECOND 1000u
#define NANOSECONDS_PER_SECOND UINT64_C(1000000000)

/* The group that counts for a controller. */
struct counting_group {
	int fd; /* -1: there is none */
	bool is_v2;
};

static void group_done(struct counting_group *group)
{
	fd_close_ptr(&group->fd);
}
#define cleanup_group __attribute__((cleanup(group_done)))

static struct counting_group open_group(const struct cgroup *cgroup, const char *controller)
{
	const struct cgroup_dir *dir = cgroup_find_v1(cgroup, controller);

	if (!dir)
		dir = cgroup_find_v2(cgroup);
	if (!dir)
		return (struct counting_group){ .fd = -1 };
	return (struct counting_group){ .fd = directory_open_group(dir->path, dir->is_v2, NULL), .is_v2 = dir->is_v2 };
}

/* ---- files ---- */

static char *read_text(const struct counting_group *group, const char *file)
{
	char *text = NULL;

	if (group->fd < 0 || !file || directory_read(group->fd, file, &text) < 0)
		return NULL;
	return text;
}

/* "max" is no limit; what is absent is 0. */
static uint64_t read_number(const struct counting_group *group, const char *v1_file, const char *v2_file)
{
	cleanup_free char *text = read_text(group, group->is_v2 ? v2_file : v1_file);

	if (!text)
		return 0;
	return strncmp(text, "max", 3) == 0 ? UINT64_MAX : strtoull(text, NULL, 10);
}

/* Calls visit with each "key value" line. */
static void each_pair(char *text, void (*visit)(void *data, const char *key, uint64_t value), void *data)
{
	char *line, *rest = text;

	while (rest && (line = strsep(&rest, "\n"))) {
		char *blank = strchr(line, ' ');

		if (!blank)
			continue;
		*blank = 0;
		visit(data, line, strtoull(blank + 1, NULL, 10));
	}
}

struct wanted {
	const char *key;
	uint64_t value;
};

static void take_wanted(void *data, const char *key, uint64_t value)
{
	struct wanted *wanted = data;

	if (!strcmp(wanted->key, key))
		wanted->value = value;
}

static uint64_t find_pair(const char *text, const char *key)
{
	cleanup_free char *copy = text ? strdup(text) : NULL;
	struct wanted wanted = { .key = key };

	if (copy)
		each_pair(copy, take_wanted, &wanted);
	return wanted.value;
}

/* v2 only, and only where the kernel counts it. */
static void put_pressure(const struct counting_group *group, const char *file, struct json_writer *w)
{
	cleanup_free char *text = group->is_v2 ? read_text(group, file) : NULL;

	if (text)
		pressure_put(text, w);
}

/* ---- cpu ---- */

static void put_words(const char *key, char *text, struct json_writer *w)
{
	char *word, *rest = text;

	json_open(w, key, '[');
	while ((word = strsep(&rest, " \n")))
		if (*word)
			json_put_u64(w, NULL, strtoull(word, NULL, 10));
	json_close(w, ']');
}

/* Each CPU's user or system time: behind a heading a line a CPU, "0 USER SYSTEM". */
static void put_usage_of_all(const char *key, const char *text, bool of_system, struct json_writer *w)
{
	json_open(w, key, '[');
	while ((text = strchr(text, '\n')) && *++text) {
		uint64_t user, system;

		if (sscanf(text, "%*u %" SCNu64 " %" SCNu64, &user, &system) == 2)
			json_put_u64(w, NULL, of_system ? system : user);
	}
	json_close(w, ']');
}

static void put_per_cpu(const struct counting_group *group, struct json_writer *w)
{
	cleanup_free char *usage = read_text(group, "cpuacct.usage_percpu"), *all = read_text(group, "cpuacct.usage_all");

	if (usage)
		put_words("percpu", usage, w);
	if (!all)
		return;
	put_usage_of_all("percpu_kernel", all, true, w);
	put_usage_of_all("percpu_user", all, false, w);
}

/* The two parts as the scheduler's exact total divides them: the files that count each by the tick can come to more. */
static void put_parts_v1(const struct counting_group *group, struct json_writer *w)
{
	cleanup_free char *stat = read_text(group, "cpuacct.stat");
	uint64_t tick = NANOSECONDS_PER_SECOND / (uint64_t)sysconf(_SC_CLK_TCK);

	json_put_u64(w, "kernel", find_pair(stat, "system") * tick);
	json_put_u64(w, "user", find_pair(stat, "user") * tick);
}

static void put_cpu(const struct cgroup *cgroup, struct json_writer *w)
{
	cleanup_group struct counting_group usage = open_group(cgroup, "cpuacct"), cpu = open_group(cgroup, "cpu");
	cleanup_free char *stat = read_text(&cpu, "cpu.stat");

	json_open(w, "cpu", '{');
	json_open(w, "usage", '{');
	if (usage.is_v2) {
		json_put_u64(w, "total", find_pair(stat, "usage_usec") * NANOSECONDS_PER_MICROSECOND);
		json_put_u64(w, "kernel", find_pair(stat, "system_usec") * NANOSECONDS_PER_MICROSECOND);
		json_put_u64(w, "user", find_pair(stat, "user_usec") * NANOSECONDS_PER_MICROSECOND);
	} else {
		json_put_u64(w, "total", read_number(&usage, "cpuacct.usage", NULL));
		put_per_cpu(&usage, w);
		put_parts_v1(&usage, w);
	}
	json_close(w, '}');
	json_open(w, "throttling", '{');
	json_put_u64(w, "periods", find_pair(stat, "nr_periods"));
	json_put_u64(w, "throttledPeriods", find_pair(stat, "nr_throttled"));
	json_put_u64(w, "throttledTime", cpu.is_v2 ? find_pair(stat, "throttled_usec") * NANOSECONDS_PER_MICROSECOND :
						     find_pair(stat, "throttled_time"));
	json_close(w, '}');
	put_pressure(&cpu, "cpu.pressure", w);
	json_close(w, '}');
}

/* "0-3,6" as numbers; nothing where the file is absent or empty. */
static void put_list(const struct counting_group *group, const char *key, const char *v1_file, const char *v2_file,
		     struct json_writer *w)
{
	cleanup_free char *text = read_text(group, group->is_v2 ? v2_file : v1_file);
	char *range, *rest = text;

	json_open(w, key, '[');
	while ((range = strsep(&rest, ",\n"))) {
		unsigned int first, last;
		int count = sscanf(range, "%u-%u", &first, &last);

		if (count < 1)
			continue;
		for (last = count == 1 ? first : last; first <= last; first++)
			json_put_u64(w, NULL, first);
	}
	json_close(w, ']');
}

/* v2 has the lists alone. */
static void put_cpuset(const struct cgroup *cgroup, struct json_writer *w)
{
	static const char *const flags[] = {
		"cpu_exclusive", "mem_hardwall", "mem_exclusive", "memory_migrate",
		"memory_spread_page", "memory_spread_slab", "memory_pressure", "sched_load_balance",
	};
	cleanup_group struct counting_group cpuset = open_group(cgroup, "cpuset");
	cleanup_free char *level = cpuset.is_v2 ? NULL : read_text(&cpuset, "cpuset.sched_relax_domain_level");

	json_open(w, "cpuset", '{');
	put_list(&cpuset, "cpus", "cpuset.cpus", "cpuset.cpus.effective", w);
	put_list(&cpuset, "mems", "cpuset.mems", "cpuset.mems.effective", w);
	for (size_t i = 0; i < array_size(flags); i++) {
		char file[64];

		snprintf(file, sizeof(file), "cpuset.%s", flags[i]);
		json_put_u64(w, flags[i], read_number(&cpuset, file, NULL));
	}
	json_put_i64(w, "sched_relax_domain_level", level ? strtoll(level, NULL, 10) : 0);
	json_close(w, '}');
}

/* ---- memory ---- */

static void put_raw(void *data, const char *key, uint64_t value)
{
	json_put_u64(data, key, value);
}

/* v2's swap files count swap alone, v1's memory and swap together, which is what runc's object means. A prefix of NULL: v2 does not
 * count it. */
static void put_usage(const struct counting_group *group, const char *key, const char *v1_prefix, const char *v2_prefix,
		      const struct counting_group *added, struct json_writer *w)
{
	static const struct { const char *key, *v1, *v2; } rows[] = {
		{ "usage", "usage_in_bytes", "current" }, { "limit", "limit_in_bytes", "max" },
		{ "max", "max_usage_in_bytes", "peak" }, { "failcnt", "failcnt", NULL },
	};

	json_open(w, key, '{');
	for (size_t i = 0; i < array_size(rows); i++) {
		char v1[64], v2[64];
		uint64_t value;

		snprintf(v1, sizeof(v1), "%s.%s", v1_prefix, rows[i].v1);
		snprintf(v2, sizeof(v2), "%s.%s", v2_prefix ? v2_prefix : "", rows[i].v2 ? rows[i].v2 : "");
		value = read_number(group, v1, v2_prefix && rows[i].v2 ? v2 : NULL);
		if (added && value != UINT64_MAX && rows[i].v2) {
			char memory[64];

			snprintf(memory, sizeof(memory), "memory.%s", rows[i].v2);
			value += read_number(added, NULL, memory);
		}
		json_put_u64(w, rows[i].key, value);
	}
	json_close(w, '}');
}

static void put_memory(const struct cgroup *cgroup, struct json_writer *w)
{
	cleanup_group struct counting_group memory = open_group(cgroup, "memory");
	cleanup_free char *stat = read_text(&memory, "memory.stat");

	json_open(w, "memory", '{');
	json_put_u64(w, "cache", find_pair(stat, memory.is_v2 ? "file" : "cache"));
	put_usage(&memory, "usage", "memory", "memory", NULL, w);
	put_usage(&memory, "swap", "memory.memsw", "memory.swap", memory.is_v2 ? &memory : NULL, w);
	put_usage(&memory, "kernel", "memory.kmem", NULL, NULL, w);
	put_usage(&memory, "kernelTCP", "memory.kmem.tcp", NULL, NULL, w);
	json_open(w, "raw", '{');
	if (stat)
		each_pair(stat, put_raw, w);
	json_close(w, '}');
	put_pressure(&memory, "memory.pressure", w);
	json_close(w, '}');
}

/* ---- pids, block devices, huge pages ---- */

static void put_pids(const struct cgroup *cgroup, struct json_writer *w)
{
	cleanup_group struct counting_group pids = open_group(cgroup, "pids");
	uint64_t limit = read_number(&pids, "pids.max", "pids.max");

	json_open(w, "pids", '{');
	json_put_u64(w, "current", read_number(&pids, "pids.current", "pids.current"));
	json_put_u64(w, "limit", limit == UINT64_MAX ? 0 : limit);
	json_close(w, '}');
}

static void put_io_entry(struct json_writer *w, unsigned int major, unsigned int minor, const char *operation,
			 uint64_t value)
{
	json_open(w, NULL, '{');
	json_put_u64(w, "major", major);
	json_put_u64(w, "minor", minor);
	json_put_string(w, "op", operation);
	json_put_u64(w, "value", value);
	json_close(w, '}');
}

/* What is counted; the end of v1's file name, and v2's keys for it in io.stat. */
static const struct io_count {
	const char *key, *v1_suffix, *v2_keys[2];
} io_counts[] = {
	{ "ioServicedRecursive", "io_serviced_recursive", { " rios=", " wios=" } },
	{ "ioServiceBytesRecursive", "io_service_bytes_recursive", { " rbytes=", " wbytes=" } },
	{ "ioQueueRecursive", "io_queued_recursive", { NULL } },
	{ "ioServiceTimeRecursive", "io_service_time_recursive", { NULL } },
	{ "ioWaitTimeRecursive", "io_wait_time_recursive", { NULL } },
	{ "ioMergedRecursive", "io_merged_recursive", { NULL } },
	{ "ioTimeRecursive", "time_recursive", { NULL } },
	{ "sectorsRecursive", "sectors_recursive", { NULL } },
};

/* "8:0 Read 4096", or "8:0 4096" where operations aren't told apart. */
static void put_io_line_v1(const char *line, struct json_writer *w)
{
	unsigned int major, minor;
	char operation[16] = "";
	uint64_t value;

	if (sscanf(line, "%u:%u %15[A-Za-z] %" SCNu64, &major, &minor, operation, &value) == 4 ||
	    sscanf(line, "%u:%u %" SCNu64, &major, &minor, &value) == 3)
		put_io_entry(w, major, minor, operation, value);
}

/* A line a device: "8:0 rbytes=4096 wbytes=0 ...". */
static void put_io_line_v2(const char *line, const char *const keys[2], struct json_writer *w)
{
	static const char *const operations[] = { "Read", "Write" };
	unsigned int major, minor;

	if (sscanf(line, "%u:%u", &major, &minor) != 2)
		return;
	for (size_t i = 0; i < array_size(operations); i++) {
		const char *at = strstr(line, keys[i]);

		if (at)
			put_io_entry(w, major, minor, operations[i], strtoull(at + strlen(keys[i]), NULL, 10));
	}
}

static char *read_io_count(const struct counting_group *io, const char *v1_family, const struct io_count *count)
{
	char file[64];

	if (io->is_v2)
		return count->v2_keys[0] ? read_text(io, "io.stat") : NULL;
	snprintf(file, sizeof(file), "blkio.%s%s", v1_family, count->v1_suffix);
	return read_text(io, file);
}

/* v1: what has to do with a device is counted by its scheduler, BFQ or CFQ, and where that counts nothing by the throttling layer. */
static const char *find_family(const struct counting_group *io)
{
	static const char *const families[] = { "bfq.", "" };

	for (size_t i = 0; i < array_size(families) && !io->is_v2; i++) {
		cleanup_free char *text = read_io_count(io, families[i], io_counts);

		if (text && strchr(text, ':'))
			return families[i];
	}
	return "throttle.";
}

static void put_io_count(const struct counting_group *io, const char *family, const struct io_count *count,
			 struct json_writer *w)
{
	cleanup_free char *text = read_io_count(io, family, count);
	char *line, *rest = text;

	if (!text)
		return;
	json_open(w, count->key, '[');
	while ((line = strsep(&rest, "\n")))
		if (io->is_v2)
			put_io_line_v2(line, count->v2_keys, w);
		else
			put_io_line_v1(line, w);
	json_close(w, ']');
}

static void put_block_io(const struct cgroup *cgroup, struct json_writer *w)
{
	cleanup_group struct counting_group io = open_group(cgroup, "blkio");
	const char *family = find_family(&io);

	json_open(w, "blkio", '{');
	for (size_t i = 0; i < array_size(io_counts); i++)
		put_io_count(&io, family, &io_counts[i], w);
	put_pressure(&io, "io.pressure", w);
	json_close(w, '}');
}

/* v2 counts what was refused among a group's events. */
static void put_pages_of_size(const struct counting_group *pages, const char *size, struct json_writer *w)
{
	cleanup_free char *events = NULL;
	char file[64];

	json_open(w, size, '{');
	snprintf(file, sizeof(file), "hugetlb.%s.%s", size, pages->is_v2 ? "current" : "usage_in_bytes");
	json_put_u64(w, "usage", read_number(pages, file, file));
	snprintf(file, sizeof(file), "hugetlb.%s.max_usage_in_bytes", size);
	json_put_u64(w, "max", read_number(pages, file, NULL));
	snprintf(file, sizeof(file), "hugetlb.%s.%s", size, pages->is_v2 ? "events" : "failcnt");
	events = pages->is_v2 ? read_text(pages, file) : NULL;
	json_put_u64(w, "failcnt", events ? find_pair(events, "max") : read_number(pages, file, NULL));
	json_close(w, '}');
}

static void put_huge_pages(const struct cgroup *cgroup, struct json_writer *w)
{
	static const char *const sizes[] = { "64KB", "2MB", "32MB", "512MB", "1GB", "16GB" };
	cleanup_group struct counting_group pages = open_group(cgroup, "hugetlb");

	json_open(w, "hugetlb", '{');
	for (size_t i = 0; i < array_size(sizes) && pages.fd >= 0; i++) {
		char file[64];

		snprintf(file, sizeof(file), "hugetlb.%s.%s", sizes[i], pages.is_v2 ? "current" : "usage_in_bytes");
		if (faccessat(pages.fd, file, F_OK, 0) == 0)
			put_pages_of_size(&pages, sizes[i], w);
	}
	json_close(w, '}');
}

void cgroup_put_stats(const struct cgroup *cgroup, struct json_writer *w)
{
	put_cpu(cgroup, w);
	put_cpuset(cgroup, w);
	put_memory(cgroup, w);
	put_pids(cgroup, w);
	put_block_io(cgroup, w);
	put_huge_pages(cgroup, w);
	resctrl_put_stats(&cgroup->resctrl, w);
	json_put_string(w, "network_interfaces", NULL);
}

/* ---- out of memory ---- */

/* v1: the kernel wants the eventfd and the file that it is about as numbers in one line. */
static int watch_v1(const struct counting_group *memory)
{
	cleanup_close int event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	cleanup_close int control = openat(memory->fd, "memory.oom_control", O_RDONLY | O_CLOEXEC);
	char line[32];

	if (event < 0 || control < 0)
		return -1;
	snprintf(line, sizeof(line), "%d %d", event, control);
	return fd_write_file(memory->fd, "cgroup.event_control", line) < 0 ? -1 : take_fd(event);
}

static int watch_v2(const struct counting_group *memory)
{
	cleanup_close int watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d/memory.events", memory->fd);
	if (watch < 0 || inotify_add_watch(watch, path, IN_MODIFY) < 0)
		return -1;
	return take_fd(watch);
}

int cgroup_oom_watch(const struct cgroup *cgroup)
{
	cleanup_group struct counting_group memory = open_group(cgroup, "memory");

	if (memory.fd < 0)
		return -1;
	return memory.is_v2 ? watch_v2(&memory) : watch_v1(&memory);
}

void cgroup_oom_drain(int fd)
{
	char buffer[4096];

	while (read(fd, buffer, sizeof(buffer)) == (ssize_t)sizeof(buffer))
		;
}

uint64_t cgroup_oom_kills(const struct cgroup *cgroup)
{
	cleanup_group struct counting_group memory = open_group(cgroup, "memory");
	cleanup_free char *text = read_text(&memory, memory.is_v2 ? "memory.events" : "memory.oom_control");

	return find_pair(text, "oom_kill");
}

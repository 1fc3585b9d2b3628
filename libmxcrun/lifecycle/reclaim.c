/* reclaim.c - see reclaim.h. */

#include "lifecycle/reclaim.h"

#include <errno.h>
#include <signal.h>
#include <sys/stat.h>

#include "base/pid.h"
#include "lifecycle/process.h"
#include "net/network.h"

#define KILL_WAIT_MS 10000

/* ---- finding ---- */

static int add_recorded_process(const struct record *record, struct remains *remains)
{
	if (record->pid <= 0 || remains->process_count > 0)
		return 0;
	remains->processes = arena_array(remains->arena, 1, sizeof(*remains->processes));
	if (!remains->processes)
		return -ENOMEM;
	remains->processes[remains->process_count++] = (struct remains_process){
		.pid = record->pid,
		.start_ticks = record->start_ticks,
		.pidfd = -1,
	};
	return 0;
}

int remains_find(const struct entry *entry, const struct record *record, const struct log *log,
		 struct remains *ret, struct err **err)
{
	int r = journal_read(entry, ret);

	if (r < 0 && r != -ENOENT)
		log_warning(log, "the journal of %s can't be read: error %d", entry->id, -r);
	if (!ret->arena)
		ret->arena = arena_new();
	if (!ret->arena || add_recorded_process(record, ret) < 0)
		return err_nomem(err);
	if (ret->cgroup.count < record->cgroup.count)
		ret->cgroup = record->cgroup;
	if (!ret->cgroup.resctrl.class_path)
		ret->cgroup.resctrl = record->cgroup.resctrl;
	/* a journal that was damaged with the record may have lost some of its lines */
	return record->id ? 0 : orphans_find(entry->id, ret, err);
}

/* ---- ending ---- */

/* Keeps the first failure of a series that goes on all the same. */
struct first_failure {
	int result;
	struct err *err;
};

static void note(struct first_failure *first, int result, struct err **failure)
{
	if (result >= 0)
		return;
	if (first->result == 0) {
		first->result = result;
		first->err = take_ptr(*failure);
	}
	err_free_ptr(failure);
}

static int give_first(struct first_failure *first, struct err **err)
{
	if (first->result < 0 && err)
		*err = take_ptr(first->err);
	err_free_ptr(&first->err);
	return first->result;
}

static void kill_processes(struct remains *remains, struct first_failure *first)
{
	for (size_t i = remains->process_count; i > 0; i--) {
		struct remains_process *process = &remains->processes[i - 1];
		struct err *failure = NULL;
		int r = process_signal(process->pid, process->start_ticks, SIGKILL, &process->pidfd,
				       &failure);

		note(first, r, &failure);
	}
}

static void wait_for_processes(const struct remains *remains, struct first_failure *first)
{
	for (size_t i = remains->process_count; i > 0; i--) {
		const struct remains_process *process = &remains->processes[i - 1];
		struct err *failure = NULL;
		int r = process->pidfd < 0 ? 0 : pid_wait_end(process->pidfd, KILL_WAIT_MS);

		if (r < 0)
			err_set(&failure, E_PROCESS, 0, NULL,
				"process %d did not end within %d s of SIGKILL", (int)process->pid,
				KILL_WAIT_MS / 1000);
		note(first, r, &failure);
	}
}

static bool has_cgroup(const struct remains *remains)
{
	return remains->cgroup.count > 0 || remains->cgroup.unit || remains->cgroup.resctrl.class_path;
}

int remains_kill(struct remains *remains, struct err **err)
{
	struct first_failure first = { 0 };
	struct err *failure = NULL;

	kill_processes(remains, &first);
	if (has_cgroup(remains))
		note(&first, cgroup_kill(&remains->cgroup, SIGKILL, &failure), &failure);
	return give_first(&first, err);
}

/* ---- tables in namespaces that outlive the container ---- */

static bool is_meant(const struct remains_table *table, const struct net_namespace *namespaces)
{
	struct stat st;

	return fstat(namespaces->net_fd, &st) == 0 && st.st_dev == table->device && st.st_ino == table->inode;
}

static void open_table(struct remains_table *table, const struct remains *remains)
{
	cleanup_err struct err *ignored = NULL;

	if (net_namespace_open_path(table->path, &table->namespaces, &ignored) == 0 && is_meant(table, &table->namespaces))
		return;
	net_namespace_close(&table->namespaces);
	/* its file is gone, which takes nothing from the namespace of a process that still lives */
	for (size_t i = 0; i < remains->process_count; i++) {
		cleanup_err struct err *other = NULL;

		if (net_namespace_open(remains->processes[i].pid, &table->namespaces, &other) == 0 &&
		    is_meant(table, &table->namespaces))
			return;
		net_namespace_close(&table->namespaces);
	}
}

/* Whichever can't be found any more has gone with its namespace. */
static void remove_tables(struct remains *remains, const char *id, struct first_failure *first)
{
	for (size_t i = 0; i < remains->table_count; i++) {
		struct err *failure = NULL;

		if (remains->tables[i].namespaces.net_fd >= 0)
			note(first, network_remove_table(&remains->tables[i].namespaces, id, &failure), &failure);
	}
}

/* A process in a frozen v1 cgroup dies only when it is thawed, which cgroup_destroy() does: so the
 * waiting comes after it; and a policy holds until nobody is left. */
int remains_reclaim(struct remains *remains, const char *id, struct err **err)
{
	struct first_failure first = { 0 };
	struct err *failure = NULL;

	for (size_t i = 0; i < remains->table_count; i++)
		open_table(&remains->tables[i], remains);
	kill_processes(remains, &first);
	if (has_cgroup(remains))
		note(&first, cgroup_destroy(&remains->cgroup, &failure), &failure);
	wait_for_processes(remains, &first);
	remove_tables(remains, id, &first);
	return give_first(&first, err);
}

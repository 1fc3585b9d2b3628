/* journal.c - what of a container exists on the host, one line an object, so that anybody can take
 * it away again.
 *
 * Lines are appended in one write(2) each and never synced: they matter after a crash of the
 * runtime, which the page cache survives; a crash of the machine takes the objects themselves
 * along. A last line without its newline was cut short before its object was made, and is passed
 * over like any other line that makes no sense.
 */

#include "lifecycle/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/strbuf.h"

#define JOURNAL_FILE "journal"
#define JOURNAL_SIZE_MAX (1u << 20)

/* ---- directories of cgroups as words ---- */

char *cgroup_dir_format(const struct cgroup_dir *dir)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	strbuf_printf(&text, "%s:%s:%s:%s", dir->is_v2 ? "v2" : "v1", dir->is_ours ? "own" : "used",
		      dir->controllers ? dir->controllers : "", dir->path);
	return strbuf_take(&text);
}

int cgroup_dir_parse(struct arena *arena, const char *text, struct cgroup_dir *ret)
{
	bool is_v2 = !strncmp(text, "v2:", 3), is_ours;
	const char *controllers, *colon;

	if (!is_v2 && strncmp(text, "v1:", 3) != 0)
		return -EBADMSG;
	text += 3;
	is_ours = !strncmp(text, "own:", 4);
	if (!is_ours && strncmp(text, "used:", 5) != 0)
		return -EBADMSG;
	controllers = text + (is_ours ? 4 : 5);
	colon = strchr(controllers, ':');
	if (!colon || colon[1] != '/')
		return -EBADMSG;
	*ret = (struct cgroup_dir){
		.controllers = arena_strndup(arena, controllers, (size_t)(colon - controllers)),
		.path = arena_strdup(arena, colon + 1),
		.is_v2 = is_v2,
		.is_ours = is_ours,
	};
	return ret->controllers && ret->path ? 0 : -ENOMEM;
}

/* ---- adding ---- */

/* One object's line. A control character would let one name pass for two lines. */
static int put_line(struct strbuf *lines, const char *kind, const char *object, struct err **err)
{
	for (const char *c = object; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			return err_set(err, E_RECORD, 0, NULL,
				       "a control character in the name of a %s", kind);
	strbuf_printf(lines, "%s %s\n", kind, object);
	return 0;
}

static int append(struct entry *entry, struct strbuf *lines, struct err **err)
{
	int r;

	if (lines->failed)
		return err_nomem(err);
	if (lines->len == 0)
		return 0;
	if (entry->journal_fd < 0)
		entry->journal_fd =
			openat(entry->dir_fd, JOURNAL_FILE,
			       O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600);
	r = entry->journal_fd < 0 ? -errno
				  : fd_write_all(entry->journal_fd, lines->data, lines->len);
	if (r < 0)
		return store_fail(err, -r, "write", entry->dir_fd, JOURNAL_FILE);
	return 0;
}

static int put_resctrl(struct strbuf *lines, const struct resctrl_groups *groups, struct err **err)
{
	int r = 0;

	if (groups->class_path)
		r = put_line(lines, groups->class_is_ours ? "class own" : "class used", groups->class_path, err);
	return r == 0 && groups->monitor_path ? put_line(lines, "monitor", groups->monitor_path, err) : r;
}

int journal_add_cgroup(struct entry *entry, const struct cgroup *cgroup, struct err **err)
{
	cleanup_strbuf struct strbuf lines = STRBUF_INIT;
	int r;

	for (size_t i = 0; i < cgroup->count; i++) {
		cleanup_free char *text = cgroup_dir_format(&cgroup->dirs[i]);

		if (!text)
			return err_nomem(err);
		r = put_line(&lines, "cgroup", text, err);
		if (r < 0)
			return r;
	}
	if (cgroup->unit) {
		r = put_line(&lines, "unit", cgroup->unit, err);
		if (r < 0)
			return r;
	}
	r = put_resctrl(&lines, &cgroup->resctrl, err);
	return r < 0 ? r : append(entry, &lines, err);
}

static int add_process(struct entry *entry, const char *kind, pid_t pid, uint64_t start_ticks, struct err **err)
{
	cleanup_strbuf struct strbuf lines = STRBUF_INIT;

	strbuf_printf(&lines, "%s %d %llu\n", kind, (int)pid, (unsigned long long)start_ticks);
	return append(entry, &lines, err);
}

int journal_add_process(struct entry *entry, pid_t pid, uint64_t start_ticks, struct err **err)
{
	return add_process(entry, "process", pid, start_ticks, err);
}

int journal_add_watcher(struct entry *entry, pid_t pid, uint64_t start_ticks, struct err **err)
{
	return add_process(entry, "watcher", pid, start_ticks, err);
}

int journal_add_table(struct entry *entry, const char *path, dev_t device, ino_t inode, struct err **err)
{
	cleanup_strbuf struct strbuf lines = STRBUF_INIT, object = STRBUF_INIT;
	int r;

	strbuf_printf(&object, "%llu %llu %s", (unsigned long long)device, (unsigned long long)inode, path);
	r = object.failed ? err_nomem(err) : put_line(&lines, "table", strbuf_str(&object), err);
	return r < 0 ? r : append(entry, &lines, err);
}

/* ---- reading ---- */

void remains_done(struct remains *remains)
{
	for (size_t i = 0; i < remains->process_count; i++)
		fd_close_ptr(&remains->processes[i].pidfd);
	for (size_t i = 0; i < remains->table_count; i++)
		net_namespace_close(&remains->tables[i].namespaces);
	arena_free_ptr(&remains->arena);
	*remains = (struct remains){ 0 };
}

static bool parse_process(const char *text, bool is_watcher, struct remains_process *ret)
{
	unsigned long long ticks;
	char excess;
	int pid;

	if (sscanf(text, "%d %llu%c", &pid, &ticks, &excess) != 2 || pid <= 0)
		return false;
	*ret = (struct remains_process){ .pid = pid, .start_ticks = ticks, .pidfd = -1, .is_watcher = is_watcher };
	return true;
}

static bool parse_table(struct arena *arena, const char *text, struct remains_table *ret)
{
	unsigned long long device, inode;
	int path = 0;

	if (sscanf(text, "%llu %llu %n", &device, &inode, &path) != 2 || !path || text[path] != '/')
		return false;
	*ret = (struct remains_table){
		.path = arena_strdup(arena, text + path),
		.device = device,
		.inode = inode,
		.namespaces = NET_NAMESPACE_INIT,
	};
	return ret->path;
}

static void take_line(struct remains *remains, const char *line)
{
	if (!strncmp(line, "cgroup ", 7)) {
		if (cgroup_dir_parse(remains->arena, line + 7,
				     &remains->cgroup.dirs[remains->cgroup.count]) == 0)
			remains->cgroup.count++;
	} else if (!strncmp(line, "unit ", 5)) {
		remains->cgroup.unit = arena_strdup(remains->arena, line + 5);
	} else if (!strncmp(line, "class own ", 10)) {
		remains->cgroup.resctrl.class_path = arena_strdup(remains->arena, line + 10);
		remains->cgroup.resctrl.class_is_ours = true;
	} else if (!strncmp(line, "class used ", 11)) {
		remains->cgroup.resctrl.class_path = arena_strdup(remains->arena, line + 11);
	} else if (!strncmp(line, "monitor ", 8)) {
		remains->cgroup.resctrl.monitor_path = arena_strdup(remains->arena, line + 8);
	} else if (!strncmp(line, "process ", 8) || !strncmp(line, "watcher ", 8)) {
		if (parse_process(line + 8, line[0] == 'w', &remains->processes[remains->process_count]))
			remains->process_count++;
	} else if (!strncmp(line, "table ", 6)) {
		if (parse_table(remains->arena, line + 6, &remains->tables[remains->table_count]))
			remains->table_count++;
	}
}

int journal_read(const struct entry *entry, struct remains *ret)
{
	cleanup_free char *text = NULL;
	size_t len, lines = 0;
	char *end;
	int r = fd_read_file(entry->dir_fd, JOURNAL_FILE, JOURNAL_SIZE_MAX, &text, &len);

	if (r < 0)
		return r;
	for (size_t i = 0; i < len; i++)
		lines += text[i] == '\n';
	ret->arena = arena_new();
	if (!ret->arena)
		return -ENOMEM;
	ret->cgroup.dirs = arena_array(ret->arena, lines + 1, sizeof(*ret->cgroup.dirs));
	ret->processes = arena_array(ret->arena, lines + 1, sizeof(*ret->processes));
	ret->tables = arena_array(ret->arena, lines + 1, sizeof(*ret->tables));
	if (!ret->cgroup.dirs || !ret->processes || !ret->tables)
		return -ENOMEM;
	for (char *line = text; (end = strchr(line, '\n')); line = end + 1) {
		*end = '\0';
		take_line(ret, line);
	}
	return 0;
}

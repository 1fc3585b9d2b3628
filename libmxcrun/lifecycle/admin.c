/* admin.c - see admin.h. */
#include "lifecycle/admin.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/json.h"

#define FILES_MAX 256u
#define OVERFLOW_ID 65534u /* how a user namespace shows ids that it doesn't map */
#define NAME_CHARACTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-"

void admin_close(struct admin *admin)
{
	fd_close_ptr(&admin->folder_fd);
}

/* ---- trust ---- */

static bool is_trusted_owner(uid_t owner, bool is_named, const struct host_facts *facts)
{
	return owner == 0 || (is_named && owner == facts->euid) ||
	       (facts->in_user_namespace && owner == OVERFLOW_ID);
}

static int check_trust(int fd, const char *path, bool is_named, const struct host_facts *facts, struct err **err)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_sys(err, E_CONFIG, errno, "fstat", path, NULL);
	if (!is_trusted_owner(st.st_uid, is_named, facts))
		return err_set(err, E_CONFIG, 0, NULL, "%s belongs to user %u: it has to belong to root", path, st.st_uid);
	if (st.st_mode & (S_IWGRP | S_IWOTH))
		return err_set(err, E_CONFIG, 0, NULL, "%s is writable by others than its owner", path);
	return 0;
}

/* A folder; *ret_fd is -1 when it doesn't exist. */
static int open_folder(int dir_fd, const char *path, const char *shown, bool is_named, const struct host_facts *facts,
		       int *ret_fd, struct err **err)
{
	cleanup_close int fd = openat(dir_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r;

	*ret_fd = -1;
	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0)
		return err_sys(err, E_CONFIG, errno, "open", shown, NULL);
	r = check_trust(fd, shown, is_named, facts, err);
	if (r == 0)
		*ret_fd = take_fd(fd);
	return r;
}

/* -ENOENT without an error when the file doesn't exist. */
static int read_trusted(struct arena *arena, int dir_fd, const char *name, const char *shown, bool is_named,
			const struct host_facts *facts, const struct json **ret, struct err **err)
{
	cleanup_close int fd = openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	cleanup_free char *text = NULL;
	struct stat st;
	size_t len;
	int r;

	if (fd < 0 && errno == ENOENT)
		return -ENOENT;
	if (fd < 0)
		return err_sys(err, E_CONFIG, errno, "open", shown, NULL);
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return err_set(err, E_CONFIG, 0, NULL, "%s is not a regular file", shown);
	r = check_trust(fd, shown, is_named, facts, err);
	if (r < 0)
		return r;
	r = fd_read_all(fd, JSON_SIZE_MAX, &text, &len);
	if (r < 0)
		return err_sys(err, E_CONFIG, -r, "read", shown, NULL);
	return json_parse(arena, text, len, shown, ret, err);
}

/* ---- the configuration ---- */

/* Folder and name of the file. */
static int split(struct arena *arena, const char *path, const char **ret_folder, const char **ret_name,
		 struct err **err)
{
	const char *slash = path ? strrchr(path, '/') : NULL;

	*ret_name = slash ? slash + 1 : path ? path : ADMIN_FILE;
	if (!path)
		*ret_folder = ADMIN_FOLDER;
	else if (slash)
		*ret_folder = slash > path ? arena_printf(arena, "%.*s", (int)(slash - path), path) : "/";
	else
		*ret_folder = ".";
	return *ret_folder ? 0 : err_nomem(err);
}

int admin_read(struct arena *arena, const char *path, const struct host_facts *facts, const struct log *log,
	       struct admin *ret, struct err **err)
{
	const struct json *document = NULL;
	const char *name, *shown;
	int r = split(arena, path, &ret->folder, &name, err);

	if (r < 0)
		return r;
	ret->is_named = path != NULL;
	shown = path ? path : ADMIN_FOLDER "/" ADMIN_FILE;
	r = open_folder(AT_FDCWD, ret->folder, ret->folder, ret->is_named, facts, &ret->folder_fd, err);
	if (r < 0)
		return r;
	if (ret->folder_fd >= 0)
		r = read_trusted(arena, ret->folder_fd, name, shown, ret->is_named, facts, &document, err);
	else
		r = -ENOENT;
	if (r == -ENOENT && path)
		return err_sys(err, E_CONFIG, ENOENT, "open", path, NULL);
	if (r < 0 && r != -ENOENT)
		return r;
	r = admin_parse(arena, document, log, &ret->config, err);
	return r < 0 ? err_wrap(err, "%s", shown) : 0;
}

/* ---- policies ---- */

static const char *shown_folder(struct arena *arena, const struct admin *admin, const char *folder)
{
	return folder[0] == '/' ? folder : arena_printf(arena, "%s/%s", admin->folder, folder);
}

static int open_policy_folder(const struct admin *admin, const char *folder, const char *shown,
			      const struct host_facts *facts, int *ret_fd, struct err **err)
{
	*ret_fd = -1;
	if (admin->folder_fd < 0 && folder[0] != '/')
		return 0;
	return open_folder(admin->folder_fd < 0 ? AT_FDCWD : admin->folder_fd, folder, shown, admin->is_named, facts,
			   ret_fd, err);
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool is_policy_name(const char *name)
{
	size_t len = strlen(name);

	return name[0] != '.' && len > 5 && !strcmp(name + len - 5, ".json");
}

static int list_folder(struct arena *arena, DIR *dir, const char *shown, const char **names, size_t *ret_count,
		       struct err **err)
{
	size_t count = 0;

	for (;;) {
		struct dirent *entry;

		errno = 0;
		entry = readdir(dir);
		if (!entry && errno)
			return err_sys(err, E_CONFIG, errno, "readdir", shown, NULL);
		if (!entry)
			break;
		if (!is_policy_name(entry->d_name))
			continue;
		if (count == FILES_MAX)
			return err_set(err, E_CONFIG, 0, NULL, "%s has more than %u policies", shown, FILES_MAX);
		names[count] = arena_strdup(arena, entry->d_name);
		if (!names[count++])
			return err_nomem(err);
	}
	qsort(names, count, sizeof(*names), compare_names);
	*ret_count = count;
	return 0;
}

static int read_policy(struct arena *arena, int folder_fd, const char *shown, const char *name, bool is_named,
		       const struct host_facts *facts, struct admin_policy *ret, struct err **err)
{
	int r;

	ret->path = arena_printf(arena, "%s/%s", shown, name);
	if (!ret->path)
		return err_nomem(err);
	r = read_trusted(arena, folder_fd, name, ret->path, is_named, facts, &ret->document, err);
	return r == -ENOENT && err && !*err ? err_sys(err, E_CONFIG, ENOENT, "open", ret->path, NULL) : r;
}

int admin_policies(struct arena *arena, const struct admin *admin, const struct host_facts *facts,
		   struct admin_policy **ret, size_t *ret_count, struct err **err)
{
	const char *shown = shown_folder(arena, admin, admin->config->policy_folder), *names[FILES_MAX];
	struct admin_policy *policies;
	size_t count = 0;
	DIR *dir;
	int fd, r;

	*ret_count = 0;
	if (!shown)
		return err_nomem(err);
	r = open_policy_folder(admin, admin->config->policy_folder, shown, facts, &fd, err);
	if (r < 0 || fd < 0)
		return r;
	dir = fdopendir(fd);
	if (!dir) {
		r = err_sys(err, E_CONFIG, errno, "fdopendir", shown, NULL);
		close(fd);
		return r;
	}
	r = list_folder(arena, dir, shown, names, &count, err);
	policies = arena_array(arena, count, sizeof(*policies));
	if (r == 0 && !policies)
		r = err_nomem(err);
	for (size_t i = 0; i < count && r == 0; i++)
		r = read_policy(arena, fd, shown, names[i], admin->is_named, facts, &policies[i], err);
	closedir(dir);
	*ret = policies;
	*ret_count = count;
	return r;
}

int admin_named_policy(struct arena *arena, const struct admin *admin, const char *name,
		       const struct host_facts *facts, struct admin_policy *ret, struct err **err)
{
	const char *shown = shown_folder(arena, admin, admin->config->named_folder);
	const char *file = arena_printf(arena, "%s.json", name);
	cleanup_close int fd = -1;
	int r;

	if (!shown || !file)
		return err_nomem(err);
	if (!*name || name[0] == '.' || name[strspn(name, NAME_CHARACTERS)])
		return err_set(err, E_CONFIG, 0, NULL, "\"%.64s\" is no name of a policy", name);
	r = open_policy_folder(admin, admin->config->named_folder, shown, facts, &fd, err);
	if (r < 0)
		return r;
	if (fd < 0)
		return err_set(err, E_CONFIG, 0, NULL, "there is no policy \"%.64s\": %s doesn't exist", name, shown);
	return read_policy(arena, fd, shown, file, admin->is_named, facts, ret, err);
}

int admin_profile(struct arena *arena, const struct admin *admin, const char *path, const struct host_facts *facts,
		  const struct json **ret, struct err **err)
{
	int r = read_trusted(arena, AT_FDCWD, path, path, admin->is_named, facts, ret, err);

	return r == -ENOENT && err && !*err ? err_sys(err, E_CONFIG, ENOENT, "open", path, NULL) : r;
}

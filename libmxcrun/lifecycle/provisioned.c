/* provisioned.c - see provisioned.h. */
#include "lifecycle/provisioned.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/json.h"

#define FOLDER ".sandboxes"
#define STARTED ".started"
#define MAKE_TRIES 10
#define LOCK_ROUNDS 3000
#define LOCK_ROUND_MS 10

static const struct { enum mxc_containment containment; const char *prefix; } prefixes[] = {
	{ MXC_PROCESS, "native" }, { MXC_BUBBLEWRAP, "bwrap" }, { MXC_LXC, "lxc" }, { MXC_WSLC, "wslc" },
};

static const char *prefix_of(enum mxc_containment containment)
{
	for (size_t i = 0; i < array_size(prefixes); i++)
		if (prefixes[i].containment == containment)
			return prefixes[i].prefix;
	return NULL;
}

bool provisioned_takes(enum mxc_containment containment)
{
	return prefix_of(containment) != NULL;
}

void provisioned_close(struct provisioned *sandbox)
{
	fd_close_ptr(&sandbox->fd);
	fd_close_ptr(&sandbox->dir_fd);
}

static void set_names(struct provisioned *sandbox, const char *prefix, const char *token)
{
	snprintf(sandbox->id, sizeof(sandbox->id), "%.7s:%.32s", prefix, token);
	snprintf(sandbox->name, sizeof(sandbox->name), "%.7s-%.32s", prefix, token);
}

static int open_folder(const struct store *store)
{
	int fd = openat(store->root_fd, FOLDER, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

/* ---- a new one ---- */

static int make_token(char token[PROVISIONED_TOKEN_LEN + 1], struct err **err)
{
	unsigned long long number[2];

	if (getrandom(number, sizeof(number), 0) != (ssize_t)sizeof(number))
		return err_sys(err, E_INTERNAL, errno, "getrandom", NULL, NULL);
	snprintf(token, PROVISIONED_TOKEN_LEN + 1, "%016llx%016llx", number[0], number[1]);
	return 0;
}

/* The folder goes with the last sandbox in it. -errno. */
static int keep_text(const struct store *store, const char *text, size_t len, struct provisioned *ret)
{
	if (mkdirat(store->root_fd, FOLDER, 0700) < 0 && errno != EEXIST)
		return -errno;
	fd_close_ptr(&ret->dir_fd);
	ret->dir_fd = open_folder(store);
	return ret->dir_fd < 0 ? ret->dir_fd : fd_replace_file(ret->dir_fd, ret->name, text, len, 0600);
}

int provisioned_make(const struct store *store, enum mxc_containment containment, const char *text, size_t len,
		     struct provisioned *ret, struct err **err)
{
	char token[PROVISIONED_TOKEN_LEN + 1];
	int r = make_token(token, err);

	if (r < 0)
		return r;
	set_names(ret, prefix_of(containment), token);
	r = -ENOENT;
	for (int try = 0; try < MAKE_TRIES && r == -ENOENT; try++)
		r = keep_text(store, text, len, ret);
	return r < 0 ? store_fail(err, -r, "write", store->root_fd, FOLDER) : 0;
}

/* ---- one that is there ---- */

static bool is_token(const char *text, size_t len)
{
	return len == PROVISIONED_TOKEN_LEN && strspn(text, "0123456789abcdef") >= PROVISIONED_TOKEN_LEN;
}

/* Clients keep ids, and may hand us what never was one. */
static int parse_id(const char *id, struct provisioned *ret, const char **ret_code, struct err **err)
{
	const char *colon = strchr(id, ':'), *token = colon ? colon + 1 : NULL;

	*ret_code = "malformed_id";
	if (!colon || colon == id)
		return err_set(err, E_ID, 0, NULL, "sandboxId: expected PREFIX:TOKEN, found \"%.64s\"", id);
	for (size_t i = 0; i < array_size(prefixes); i++) {
		size_t len = strlen(prefixes[i].prefix);

		if ((size_t)(colon - id) != len || strncmp(prefixes[i].prefix, id, len) != 0)
			continue;
		if (!is_token(token, strlen(token)))
			return err_set(err, E_ID, 0, NULL, "sandboxId: expected %u hexadecimal digits behind \"%s:\", found \"%.64s\"",
				       PROVISIONED_TOKEN_LEN, prefixes[i].prefix, token);
		set_names(ret, prefixes[i].prefix, token);
		*ret_code = NULL;
		return 0;
	}
	*ret_code = "unsupported_containment";
	return err_set(err, E_ID, 0, NULL, "sandboxId: no backend is registered for the prefix \"%.*s\"",
		       colon - id > 64 ? 64 : (int)(colon - id), id);
}

static int fail_absent(const struct provisioned *sandbox, const char **ret_code, struct err **err)
{
	*ret_code = "not_provisioned";
	return err_set(err, E_NOT_FOUND, 0, NULL, "there is no sandbox %s", sandbox->id);
}

static int take_lock(const struct provisioned *sandbox, int operation, struct err **err)
{
	for (int round = 0; round < LOCK_ROUNDS; round++) {
		if (flock(sandbox->fd, operation | LOCK_NB) == 0)
			return 0;
		if (errno != EWOULDBLOCK)
			return store_fail(err, errno, "flock", sandbox->dir_fd, sandbox->name);
		(void)poll(NULL, 0, LOCK_ROUND_MS);
	}
	return err_set(err, E_STATE, EBUSY, NULL, "another command is at work on %s for more than %d s", sandbox->id,
		       LOCK_ROUNDS * LOCK_ROUND_MS / 1000);
}

int provisioned_open(const struct store *store, const char *id, int operation, struct provisioned *ret, const char **ret_code,
		     struct err **err)
{
	struct stat st;
	int r = parse_id(id, ret, ret_code, err);

	if (r < 0)
		return r;
	r = store->root_fd < 0 ? -ENOENT : open_folder(store);
	if (r >= 0) {
		ret->dir_fd = r;
		ret->fd = openat(ret->dir_fd, ret->name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
		r = ret->fd < 0 ? -errno : 0;
	}
	if (r < 0)
		return r == -ENOENT ? fail_absent(ret, ret_code, err) : store_fail(err, -r, "open", store->root_fd, FOLDER);
	r = take_lock(ret, operation, err);
	/* removed while we waited */
	return r == 0 && fstat(ret->fd, &st) == 0 && st.st_nlink == 0 ? fail_absent(ret, ret_code, err) : r;
}

int provisioned_read(const struct provisioned *sandbox, char **ret, size_t *ret_len, struct err **err)
{
	int r = fd_read_file(sandbox->dir_fd, sandbox->name, JSON_SIZE_MAX, ret, ret_len);

	return r < 0 ? store_fail(err, -r, "read", sandbox->dir_fd, sandbox->name) : 0;
}

static void started_name(const struct provisioned *sandbox, char name[PROVISIONED_ID_SIZE + sizeof(STARTED)])
{
	snprintf(name, PROVISIONED_ID_SIZE + sizeof(STARTED), "%s" STARTED, sandbox->name);
}

bool provisioned_was_started(const struct provisioned *sandbox)
{
	char name[PROVISIONED_ID_SIZE + sizeof(STARTED)];

	started_name(sandbox, name);
	return faccessat(sandbox->dir_fd, name, F_OK, 0) == 0;
}

int provisioned_mark_started(const struct provisioned *sandbox, struct err **err)
{
	char name[PROVISIONED_ID_SIZE + sizeof(STARTED)];
	cleanup_close int fd = -1;

	started_name(sandbox, name);
	fd = openat(sandbox->dir_fd, name, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	return fd < 0 ? store_fail(err, errno, "open", sandbox->dir_fd, name) : 0;
}

/* The request last: what is left of a removal that was killed is removed by the next one. */
int provisioned_remove(const struct store *store, const struct provisioned *sandbox, struct err **err)
{
	char name[PROVISIONED_ID_SIZE + sizeof(STARTED)];

	started_name(sandbox, name);
	if (unlinkat(sandbox->dir_fd, name, 0) < 0 && errno != ENOENT)
		return store_fail(err, errno, "unlink", sandbox->dir_fd, name);
	if (unlinkat(sandbox->dir_fd, sandbox->name, 0) < 0 && errno != ENOENT)
		return store_fail(err, errno, "unlink", sandbox->dir_fd, sandbox->name);
	(void)unlinkat(store->root_fd, FOLDER, AT_REMOVEDIR); /* not while there are others */
	return 0;
}

/* ---- what was left ---- */

static bool is_request(const char *name)
{
	const char *dash = strchr(name, '-');

	return dash && is_token(dash + 1, strlen(dash + 1));
}

/* Of a request that is there. */
static bool is_mark(int dir_fd, const char *name)
{
	const char *dot = strrchr(name, '.');
	char request[PROVISIONED_ID_SIZE];

	if (!dot || strcmp(dot, STARTED) != 0 || dot - name >= (ptrdiff_t)sizeof(request))
		return false;
	memcpy(request, name, (size_t)(dot - name));
	request[dot - name] = '\0';
	return is_request(request) && faccessat(dir_fd, request, F_OK, 0) == 0;
}

void provisioned_sweep(const struct store *store)
{
	int fd = store->root_fd < 0 ? -ENOENT : open_folder(store);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;

	if (!dir)
		return;
	while ((entry = readdir(dir)))
		if (!is_request(entry->d_name) && !is_mark(fd, entry->d_name))
			(void)unlinkat(fd, entry->d_name, 0);
	closedir(dir);
	(void)unlinkat(store->root_fd, FOLDER, AT_REMOVEDIR);
}

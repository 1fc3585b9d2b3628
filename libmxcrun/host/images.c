/* images.c - see images.h.
 *
 * A path in an image is walked by openat2 from the image's root, so that no symlink of it leads out (CVE-2019-14271 is what
 * comes of the other way).
 */
#include "host/images.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"

#define MACHINE_STORE "/var/lib/mxcrun/images"
#define NAME_MAX_LEN 64u

/* ---- names ---- */

static bool is_alphanumeric(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static int check_word(const char *word, const char *member, const char *pointer, struct err **err)
{
	size_t len = 0;
	cleanup_free char *field = NULL;

	while (is_alphanumeric(word[len]) || (len && word[len] && strchr("._-", word[len])))
		len++;
	if (len && len <= NAME_MAX_LEN && !word[len])
		return 0;
	if (pointer && asprintf(&field, "%s/%s", pointer, member) < 0)
		return err_nomem(err);
	return err_set(err, E_POLICY, 0, field,
		       "expected a %s of letters, digits, '.', '_' and '-', a letter or digit first, at most %u; found \"%.64s\"",
		       member, NAME_MAX_LEN, word);
}

int image_check_name(const struct image_name *name, const char *pointer, struct err **err)
{
	int r = check_word(name->distribution, "distribution", pointer, err);

	return r < 0 ? r : check_word(name->release, "release", pointer, err);
}

const char *image_architecture(void)
{
	static struct utsname names;

	if (uname(&names) < 0)
		return "unknown";
	if (!strcmp(names.machine, "x86_64"))
		return "amd64";
	return !strcmp(names.machine, "aarch64") ? "arm64" : names.machine;
}

/* ---- where they are ---- */

static const char *absolute_variable(const char *name)
{
	const char *value = getenv(name);

	return value && value[0] == '/' ? value : NULL;
}

int image_store(struct arena *arena, const struct host_facts *facts, const char **ret, struct err **err)
{
	const char *own = absolute_variable("MXCRUN_IMAGES"), *data = absolute_variable("XDG_DATA_HOME");
	const char *home = absolute_variable("HOME");

	if (own)
		*ret = arena_strdup(arena, own);
	else if (facts->is_privileged)
		*ret = arena_strdup(arena, MACHINE_STORE);
	else if (data)
		*ret = arena_printf(arena, "%s/mxcrun/images", data);
	else if (home)
		*ret = arena_printf(arena, "%s/.local/share/mxcrun/images", home);
	else
		return err_set(err, E_HOST, 0, NULL, "there is no place for images: neither HOME nor XDG_DATA_HOME is set");
	return *ret ? 0 : err_nomem(err);
}

static int open_directory(const char *path)
{
	int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

static int open_in_store(struct arena *arena, const char *store, const struct image_name *name)
{
	char *path = arena_printf(arena, "%s/%s/%s/%s/" IMAGE_ROOT, store, name->distribution, name->release,
				  image_architecture());

	return path ? open_directory(path) : -ENOMEM;
}

static int fail_absent(const char *store, const struct image_name *name, int error, struct err **err)
{
	err_set(err, E_HOST, error, "/lxc", "%.512s has no image of %s %s for %s", store, name->distribution, name->release,
		image_architecture());
	err_hint(err, "mxcrun image import %s %s DIRECTORY|TARBALL", name->distribution, name->release);
	return -error;
}

/* An O_PATH descriptor of the root directory. */
static int open_image(struct arena *arena, const struct host_facts *facts, const struct image_name *name, struct err **err)
{
	const char *given = getenv("MXCRUN_ROOTFS"), *store;
	int fd, r;

	if (given && *given) {
		fd = open_directory(given);
		return fd < 0 ? err_sys(err, E_HOST, -fd, "open", given, "/lxc") : fd;
	}
	r = image_store(arena, facts, &store, err);
	if (r < 0)
		return r;
	fd = open_in_store(arena, store, name);
	if (fd == -ENOENT && strcmp(store, MACHINE_STORE) != 0)
		fd = open_in_store(arena, MACHINE_STORE, name);
	return fd < 0 ? fail_absent(store, name, -fd, err) : fd;
}

static int name_of(struct arena *arena, int fd, const char **ret)
{
	char name[PATH_MAX];
	int r = fd_name(fd, name, sizeof(name));

	*ret = r == 0 ? arena_strdup(arena, name) : NULL;
	return r < 0 || *ret ? r : -ENOMEM;
}

/* ---- denied paths in it ---- */

/* Where an open object is, seen from the image's root. */
static int inside_of(struct arena *arena, const struct host_image *image, int fd, const char **ret)
{
	const char *path = NULL;
	int r = name_of(arena, fd, &path);

	if (r < 0)
		return r;
	/* moved out of the image while we looked */
	if (!path_is_within(path, image->path))
		return -ESTALE;
	*ret = path[strlen(image->path)] ? path + strlen(image->path) : "/";
	return 0;
}

/* A name that a dangling symlink bears can't be held: what it leads to is not there to be covered. */
static int check_dangling(int dir_fd, const char *rest)
{
	char first[NAME_MAX + 1], target[1];
	size_t len = strcspn(rest, "/");

	if (len > NAME_MAX)
		return -ENAMETOOLONG;
	memcpy(first, rest, len);
	first[len] = 0;
	return readlinkat(dir_fd, first, target, sizeof(target)) >= 0 ? -ENOLINK : 0;
}

/* rest is not there in the folder. */
static int name_absent(struct arena *arena, const struct host_image *image, int folder_fd, const char *rest, const char **ret)
{
	const char *folder;
	int r = check_dangling(folder_fd, rest);

	if (r == 0)
		r = inside_of(arena, image, folder_fd, &folder);
	if (r < 0)
		return r;
	*ret = arena_printf(arena, "%s/%s", folder[1] ? folder : "", rest);
	return *ret ? 0 : -ENOMEM;
}

static bool is_absence(int fd)
{
	return fd == -ENOENT || fd == -ENOTDIR;
}

static int resolve(struct arena *arena, const struct host_image *image, int root_fd, const char *path, const char **ret)
{
	char *existing = arena_strdup(arena, path), *slash = NULL;
	cleanup_close int fd = path_open_in_root(root_fd, path, O_PATH);

	if (!existing)
		return -ENOMEM;
	/* a component shorter each time, down to the root */
	while (is_absence(fd) && (slash = strrchr(existing, '/'))) {
		*slash = 0;
		fd = path_open_in_root(root_fd, *existing ? existing : "/", O_PATH);
	}
	if (fd < 0)
		return fd;
	return slash ? name_absent(arena, image, fd, path + (slash - existing) + 1, ret) : inside_of(arena, image, fd, ret);
}

/* What is absent behind ".." is what is left when the names are folded (MXC.md 6.5, step 2). */
static int look_up_path(struct arena *arena, const struct host_facts *facts, const struct host_image *image, int root_fd,
			const char *path, const char **ret)
{
	cleanup_free char *clean = NULL;
	char *absolute;
	int r;

	if (path[0] != '/' && !facts->cwd)
		return -ENOENT;
	absolute = path[0] == '/' ? arena_strdup(arena, path) : arena_printf(arena, "%s/%s", facts->cwd, path);
	if (!absolute)
		return -ENOMEM;
	r = resolve(arena, image, root_fd, absolute, ret);
	clean = r == 0 ? path_clean(*ret) : NULL;
	if (r < 0 || !clean)
		return r < 0 ? r : -ENOMEM;
	return strcmp(clean, *ret) ? resolve(arena, image, root_fd, arena_strdup(arena, clean), ret) : 0;
}

int image_look_up(struct arena *arena, const struct host_facts *facts, const struct image_name *name, const char *const *denied,
		  size_t denied_count, const struct host_image **ret, struct err **err)
{
	struct host_image *image = arena_alloc(arena, sizeof(*image));
	cleanup_close int fd = open_image(arena, facts, name, err);
	int r;

	if (fd < 0)
		return fd;
	if (image)
		image->denied = arena_array(arena, denied_count, sizeof(*image->denied));
	if (!image || !image->denied)
		return err_nomem(err);
	r = name_of(arena, fd, &image->path);
	if (r < 0)
		return err_sys(err, E_HOST, -r, "readlink", "image", "/lxc");
	if (!image->path[1])
		return err_set(err, E_POLICY, 0, "/lxc", "the machine's own root can't be the image");
	image->denied_count = denied_count;
	for (size_t i = 0; i < denied_count; i++) {
		r = look_up_path(arena, facts, image, fd, denied[i], &image->denied[i].inside);
		if (r == -ENOMEM)
			return err_nomem(err);
		image->denied[i].error = r < 0 ? -r : 0;
	}
	*ret = image;
	return 0;
}

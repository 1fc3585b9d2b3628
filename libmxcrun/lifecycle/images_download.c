/* images_download.c - see images_download.h.
 *
 * The template finds the image in the server's index and fetches it; that is all that it is here for. Its cache is a folder of the
 * caller, and its root file system a folder that is not there: so it ends where it would unpack what nobody has looked at yet,
 * with the rights of its caller. The tarball's sum is compared before anything is taken out of it, by images.c as from any
 * other tarball. No file is left elsewhere: its temporary ones lie in the folder, too.
 */
#include "lifecycle/images_download.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "lifecycle/tool.h"

#define SUM_LENGTH 64u	/* of SHA-256, in hexadecimal digits */
#define SMALL_FILE 4096u
#define DEFAULT_SERVER "images.linuxcontainers.org"
#define DEFAULT_VARIANT "default"

/* Where distributions put it. Never by PATH: it may run as root. */
static const char *find_template(struct err **err)
{
	static const char *const paths[] = { "/usr/share/lxc/templates/lxc-download", "/usr/local/share/lxc/templates/lxc-download" };

	for (size_t i = 0; i < array_size(paths); i++)
		if (access(paths[i], X_OK) == 0)
			return paths[i];
	err_set(err, E_HOST, ENOENT, NULL, "--download needs LXC's download template, and this host has none");
	err_hint(err, "install the package lxc (on some distributions lxc-templates), which has %s", paths[0]);
	return NULL;
}

/* ---- what the caller asks for ---- */

static bool consists_of(const char *text, const char *others)
{
	size_t len = 0;

	while (isalnum((unsigned char)text[len]) || (len && text[len] && strchr(others, text[len])))
		len++;
	return len && !text[len];
}

static int check(const struct image_download *from, struct err **err)
{
	if (from->server && !consists_of(from->server, ".-_:/"))
		return err_set(err, E_USAGE, 0, NULL, "--server takes a host, with a port or a path behind it if need be; found \"%.64s\"", from->server);
	if (from->variant && !consists_of(from->variant, ".-_"))
		return err_set(err, E_USAGE, 0, NULL, "--variant takes letters, digits, '.', '_' and '-'; found \"%.64s\"", from->variant);
	if (from->sha256 && (strlen(from->sha256) != SUM_LENGTH || strspn(from->sha256, "0123456789abcdef") != SUM_LENGTH))
		return err_set(err, E_USAGE, 0, NULL, "--sha256 takes %u digits of 0-9 and a-f; found \"%.80s\"", SUM_LENGTH, from->sha256);
	return 0;
}

/* ---- fetching ---- */

/* Ours, with two variables of the template's in front, of which the first ones count. */
static char **environment(struct arena *arena, const char *folder)
{
	size_t count = 0, n = 0;
	char **envp;

	while (environ[count])
		count++;
	envp = arena_array(arena, count + 3, sizeof(*envp));
	if (!envp)
		return NULL;
	envp[n++] = arena_printf(arena, "LXC_CACHE_PATH=%s/cache", folder);
	envp[n++] = arena_printf(arena, "TMPDIR=%s", folder);
	for (size_t i = 0; i < count; i++)
		if (strncmp(environ[i], "LXC_CACHE_PATH=", 15) != 0 && strncmp(environ[i], "TMPDIR=", 7) != 0)
			envp[n++] = environ[i];
	return envp[0] && envp[1] ? envp : NULL;
}

static int run_template(struct arena *arena, const struct image_name *name, const struct image_download *from, const char *folder,
			int held_fd, struct err **err)
{
	char **envp = environment(arena, folder);
	const char *const argv[] = {
		find_template(err), "--name", "image", "--path", folder, "--rootfs", arena_printf(arena, "%s/absent", folder),
		"--dist", name->distribution, "--release", name->release, "--arch", image_architecture(),
		"--variant", from->variant ? from->variant : DEFAULT_VARIANT, "--server", from->server ? from->server : DEFAULT_SERVER,
		NULL,
	};
	const struct tool_use use = { .argv = argv, .envp = envp, .held_fd = held_fd, .output_fd = -1 };

	if (!argv[0])
		return -ENOENT;
	return envp && argv[6] ? tool_run(&use, err) : err_nomem(err);
}

/* The template's own mark of a complete download, as one line. */
static char *read_build(struct arena *arena, const char *cache)
{
	cleanup_free char *text = NULL;
	char *path = arena_printf(arena, "%s/build_id", cache);

	if (!path || fd_read_file(AT_FDCWD, path, SMALL_FILE, &text, NULL) < 0)
		return NULL;
	for (char *at = text; *at; at++)
		if (!isprint((unsigned char)*at))
			*at = 0;
	return arena_strdup(arena, text);
}

/* sha256sum has it as the first word. */
static int sum_up(struct arena *arena, const char *path, const char **ret, struct err **err)
{
	cleanup_close int output_fd = memfd_create("sum", MFD_CLOEXEC);
	const char *const argv[] = { "sha256sum", "--", path, NULL };
	const struct tool_use use = { .argv = argv, .held_fd = -1, .output_fd = output_fd };
	char sum[SUM_LENGTH + 1] = { 0 };
	int r;

	if (output_fd < 0)
		return err_sys(err, E_INTERNAL, errno, "memfd_create", "sum of the image", NULL);
	r = tool_run(&use, err);
	if (r < 0)
		return r;
	if (pread(output_fd, sum, SUM_LENGTH, 0) != SUM_LENGTH || strspn(sum, "0123456789abcdef") != SUM_LENGTH)
		return err_set(err, E_HOST, 0, NULL, "sha256sum tells no sum of %.512s", path);
	*ret = arena_strdup(arena, sum);
	return *ret ? 0 : err_nomem(err);
}

static int compare(const struct image_download *from, const struct image_origin *origin, struct err **err)
{
	if (!from->sha256 || !strcmp(from->sha256, origin->sha256))
		return 0;
	return err_set(err, E_POLICY, 0, NULL, "the server's image has the SHA-256 sum %s, and not the one that --sha256 asks for", origin->sha256);
}

int images_download(struct arena *arena, const struct image_name *name, const struct image_download *from, const char *folder,
		    int held_fd, const char **ret, struct image_origin *origin, struct err **err)
{
	cleanup_err struct err *theirs = NULL;
	const char *cache = arena_printf(arena, "%s/cache/download/%s/%s/%s/%s", folder, name->distribution, name->release,
					 image_architecture(), from->variant ? from->variant : DEFAULT_VARIANT);
	const char *tarball = cache ? arena_printf(arena, "%s/rootfs.tar.xz", cache) : NULL;
	int r = check(from, err);

	if (r < 0)
		return r;
	if (!tarball)
		return err_nomem(err);
	if (mkdir(folder, 0700) < 0)
		return err_sys(err, E_HOST, errno, "mkdir", folder, NULL);
	r = run_template(arena, name, from, folder, held_fd, &theirs);
	origin->build = read_build(arena, cache);
	if (!origin->build) {
		*err = take_ptr(theirs);
		return r < 0 ? r : err_set(err, E_HOST, 0, NULL, "LXC's download template has left no image");
	}
	origin->server = from->server ? from->server : DEFAULT_SERVER;
	r = sum_up(arena, tarball, &origin->sha256, err);
	if (r == 0)
		r = compare(from, origin, err);
	*ret = tarball;
	return r;
}

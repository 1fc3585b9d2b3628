/* run.c - the engine bwrap: bubblewrap makes the namespaces and the mounts, and executes our init as the command.
 *
 * Its arguments are those of `emit bwrap` (emit.c), but for the command, and for what is left to init because bwrap has no
 * option for it (engine/items.c tells which). It gets all capabilities of its own user namespace for init (--cap-add ALL),
 * tells init's number on a pipe (--info-fd) and waits until the id maps are written (--userns-block-fd). It is born in the
 * container's cgroup, by launch.c, which also talks to init. Its standard error is kept, and quoted when it fails.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/sys.h"
#include "engine/bwrap/emit.h"
#include "engine/bwrap/tool.h"
#include "engine/calls.h"
#include "engine/engine.h"
#include "engine/native/parent.h"

#define INFO_MAX 4096u
#define INFO_WAIT_MS 30000
#define PLACE_CALLS 20
#define OWN_FDS 4	/* beside those for covers */

struct run {
	const struct plan *plan;
	struct arena *arena;
	struct carrier carrier;
	int info_read, block_write;	/* our ends */
	/* Our copies of what it inherits. The numbers in carrier.fds are read by the child while it is in our memory. */
	int *copies;
};

static int keep(struct run *run, int fd)
{
	if (fd >= 0)
		run->copies[run->carrier.fd_count] = run->carrier.fds[run->carrier.fd_count] = fd;
	run->carrier.fd_count += fd >= 0;
	return fd;
}

static void close_copies(struct run *run)
{
	for (size_t i = 0; i < run->carrier.fd_count; i++)
		fd_close_ptr(&run->copies[i]);
}

/* What bwrap reads into a file, or into the cover of a denied one: each has a descriptor of its own, which it closes. */
static int make_file(void *data, const void *content, size_t length)
{
	cleanup_close int fd = content ? sys_memfd_create("mxcrun-file", SYS_MFD_CLOEXEC)
				       : open("/dev/null", O_RDONLY | O_CLOEXEC);

	if (fd < 0 || (content && (fd_write_all(fd, content, length) < 0 || lseek(fd, 0, SEEK_SET) < 0)))
		return -EIO;
	return keep(data, take_fd(fd));
}

/* A pipe of which bwrap gets one end. Its number as a word; NULL with errno. */
static const char *make_pipe(struct run *run, bool is_read, int *ret_own)
{
	int pair[2];

	if (pipe2(pair, O_CLOEXEC) < 0)
		return NULL;
	*ret_own = pair[is_read];
	return arena_printf(run->arena, "%d", keep(run, pair[!is_read]));
}

static int open_errors(struct run *run, struct err **err)
{
	run->carrier.errors_fd = sys_memfd_create("mxcrun-bwrap", SYS_MFD_CLOEXEC);
	return run->carrier.errors_fd < 0 ? err_sys(err, E_PROCESS, errno, "memfd_create", "errors of bwrap", NULL) : 0;
}

/* Before 0.11 it has no overlay, and then it resolves the path of the image itself. So the layers are made here, on top of the
 * image, where they cover nothing that another step may bind. */
static struct calls *place_image(struct arena *arena, const char *path)
{
	struct calls *calls = calls_new(arena, "bwrap", PLACE_CALLS, 1);

	if (!calls)
		return NULL;
	calls_begin(calls);
	calls_lay_over_image(calls, calls_add_clone(calls, path, "/lxc", true), path);
	return calls->failed ? NULL : calls;
}

static int prepare(struct carrier *carrier, int image_fd, const char *argument, struct err **err)
{
	struct run *run = carrier->data;
	const char *command[] = { arena_printf(run->arena, "/proc/self/fd/%d", image_fd), arena_strdup(run->arena, argument), NULL };
	const char *options[5] = { NULL };
	const struct bwrap_use use = {
		.target = TARGET_BWRAP_RUN, .make_file = make_file, .data = run, .options = options, .command = command,
		.image_root = arena_printf(run->arena, "%s" CALLS_ROOT, run->plan->root.path),
	};
	struct bwrap_command words;
	size_t n = 0;
	int r;

	if (run->plan->root.kind == ROOT_IMAGE && !(carrier->place = place_image(run->arena, run->plan->root.path)))
		return err_nomem(err);
	carrier->fds = arena_array(run->arena, run->plan->mount_count + OWN_FDS, sizeof(*carrier->fds));
	run->copies = arena_array(run->arena, run->plan->mount_count + OWN_FDS, sizeof(*run->copies));
	if (!carrier->fds || !run->copies || !use.image_root || !command[0] || !command[1])
		return err_nomem(err);
	r = open_errors(run, err);
	if (r < 0)
		return r;
	options[n++] = "--info-fd";
	options[n++] = make_pipe(run, false, &run->info_read);
	/* It has the reading end, too: if we are killed it must not be by SIGPIPE that it ends, because its child would wait for
	 * it for ever. As it is, the end of the other pipe lets both go on, to an init that finds us gone. */
	if (options[1] && keep(run, fcntl(run->info_read, F_DUPFD_CLOEXEC, 3)) < 0)
		options[1] = NULL;
	if (run->plan->namespaces[NS_USER].mode == NS_NEW) {
		options[n++] = "--userns-block-fd";
		options[n++] = make_pipe(run, true, &run->block_write);
	}
	for (size_t i = 0; i < n; i++)
		if (!options[i])
			return err_sys(err, E_PROCESS, errno, "pipe2", "bwrap", NULL);
	r = bwrap_emit(run->arena, run->plan, &use, &words, err);
	carrier->argv = (char *const *)(uintptr_t)words.argv;
	return r;
}

/* {"child-pid": N, ...} and, from 0.3.2 on, the numbers of namespaces: until the closing brace. -errno. */
static int read_info(int fd, char *buf, size_t size)
{
	struct pollfd wait = { .fd = fd, .events = POLLIN };
	size_t len = 0;

	for (;;) {
		ssize_t n;
		int r = poll(&wait, 1, INFO_WAIT_MS);

		if (r == 0)
			return -ETIMEDOUT;
		if (r < 0 && errno != EINTR)
			return -errno;
		n = r < 0 ? 0 : read(fd, buf + len, size - 1 - len);
		if (n < 0 && errno != EINTR)
			return -errno;
		if (r > 0 && n == 0)
			return -EPIPE;
		len += n > 0 ? (size_t)n : 0;
		buf[len] = 0;
		if (strchr(buf, '}'))
			return 0;
		if (len == size - 1)
			return -EFBIG;
	}
}

static int find_init(struct carrier *carrier, int sync_fd, pid_t *ret, struct err **err)
{
	static const char key[] = "\"child-pid\":";
	struct run *run = carrier->data;
	char buf[INFO_MAX];
	const char *at;
	int r;

	(void)sync_fd;
	/* so that its death reads as the end */
	close_copies(run);
	r = read_info(run->info_read, buf, sizeof(buf));
	if (r < 0)
		return err_sys(err, E_PROCESS, -r, "read", "information of bwrap", NULL);
	at = strstr(buf, key);
	*ret = at ? (pid_t)strtol(at + strlen(key), NULL, 10) : -1;
	return *ret > 0 ? 0 : err_set(err, E_PROCESS, 0, NULL, "bwrap tells no number of its child");
}

/* An ordinary user has rights to mount the layers only in a user namespace, in which bwrap then makes its own. */
static enum carrier_userns userns_of(const struct plan *plan, const struct host_facts *facts)
{
	return plan->root.kind == ROOT_IMAGE && !facts->is_privileged ? CARRIER_HAS_NO_RIGHTS : CARRIER_MAKES_ITS_OWN;
}

static int go_on(struct carrier *carrier, struct err **err)
{
	struct run *run = carrier->data;
	int r = fd_write_all(run->block_write, "1", 1);

	fd_close_ptr(&run->block_write);
	return r < 0 ? err_sys(err, E_PROCESS, -r, "write", "bwrap", NULL) : 0;
}

static int bwrap_start(const struct engine_request *request, struct engine_child *ret, struct err **err)
{
	cleanup_arena struct arena *arena = arena_new();
	struct run run = {
		.plan = request->plan,
		.arena = arena,
		.carrier = { .name = "bwrap", .program = bwrap_tool_find(err), .errors_fd = -1, .streams_fd = -1, .data = &run, .prepare = prepare,
			     .find_init = find_init, .go_on = go_on, .userns = userns_of(request->plan, request->facts) },
		.info_read = -1,
		.block_write = -1,
	};
	int r;

	if (!run.carrier.program)
		return -EINVAL;
	r = arena ? launch_start(request, &run.carrier, ret, err) : err_nomem(err);
	close_copies(&run);
	fd_close_ptr(&run.carrier.errors_fd);
	fd_close_ptr(&run.info_read);
	fd_close_ptr(&run.block_write);
	return r;
}

/* ---- what it can't do on this host ---- */

/* bwrap finds its command by a name in the new root. */
static int check_proc(const struct plan *plan, struct err **err)
{
	const struct plan_mount *last = mount_last_at(plan, "/proc");

	if (last && last->kind == MOUNT_FILESYSTEM && !strcmp(last->fstype, "proc"))
		return 0;
	return err_set(err, E_UNSUPPORTED, EOPNOTSUPP, last ? last->pointer : NULL,
		       "bwrap: it starts a program only where /proc is the container's own, and not denied");
}

/* What it makes in the sandbox belongs to the caller's own ids, which the kernel takes only where they are mapped. */
static int check_maps(const struct plan *plan, const struct host_facts *facts, struct err **err)
{
	if (plan->namespaces[NS_USER].mode != NS_NEW ||
	    (plan_idmap_outside(&plan->uid_maps, facts->euid) && plan_idmap_outside(&plan->gid_maps, facts->egid)))
		return 0;
	return err_set(err, E_UNSUPPORTED, EOPNOTSUPP, "/linux/uidMappings",
		       "bwrap: it works with the caller's own ids, and the maps leave them out");
}

/* The answer of a tool is asked for last: it costs a process. */
static int bwrap_unsupported(const struct plan *plan, const struct host_facts *facts, struct err **err)
{
	int r = native_engine.unsupported(plan, facts, err);
	const char *path;

	if (r == 0)
		r = items_check(plan, TARGET_BWRAP_RUN, 0, err);
	if (r == 0)
		r = check_proc(plan, err);
	if (r == 0)
		r = check_maps(plan, facts, err);
	if (r < 0)
		return r;
	path = bwrap_tool_find(err);
	return path ? bwrap_tool_check(path, err) : -EINVAL;
}

const struct engine bwrap_engine = { .name = "bwrap", .unsupported = bwrap_unsupported, .start = bwrap_start };

/* run.c - the engine lxc: lxc-start makes the namespaces and the mounts, and executes our init as the container's.
 *
 * It runs in a mount namespace that place.c makes, with the configuration that `emit lxc` prints for what is mounted there.
 * Limits, rights, the cgroup namespace and what LXC has no key for are init's (engine/items.c tells which). Nobody tells init's
 * number but init itself, in its first message. lxc-start is born in the container's cgroup, by launch.c, and ended
 * when init is ready. It gets no streams of ours: it would change the mode of files.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/sys.h"
#include "engine/engine.h"
#include "engine/lxc/emit.h"
#include "engine/lxc/place.h"
#include "engine/native/parent.h"
#include "engine/tool.h"

#define INIT_WAIT_MS 30000
#define OLDEST 5		/* LXC 5.0 */

static const struct engine_tool tool = {
	"lxc", "lxc-start", { "/usr/bin/lxc-start", "/usr/local/bin/lxc-start", "/bin/lxc-start" }, "install the package lxc, version 5.0 or later",
};

struct run {
	const struct plan *plan;
	struct arena *arena;
	struct carrier carrier;
	int config_fd, null_fd, inherited[2];
};

static int open_files(struct run *run, const struct strbuf *config, struct err **err)
{
	run->config_fd = sys_memfd_create("mxcrun-lxc-config", SYS_MFD_CLOEXEC);
	run->carrier.errors_fd = sys_memfd_create("mxcrun-lxc", SYS_MFD_CLOEXEC);
	run->null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (run->config_fd < 0 || run->carrier.errors_fd < 0 || run->null_fd < 0)
		return err_sys(err, E_PROCESS, errno, "memfd_create", "configuration of LXC", NULL);
	run->carrier.streams_fd = run->null_fd;
	run->inherited[0] = run->config_fd;
	run->carrier.fds = run->inherited;
	run->carrier.fd_count = 1;
	return fd_write_all(run->config_fd, config->data, config->len) < 0
		       ? err_sys(err, E_PROCESS, errno, "write", "configuration of LXC", NULL) : 0;
}

static int make_argv(struct run *run, int image_fd, const char *argument, struct err **err)
{
	static const char state[] = LXC_PLACE_STATE;
	const char *const words[] = {
		"lxc-start", "-F", "-n", arena_printf(run->arena, "%s-%d", run->plan->id, (int)getpid()), "-P", state, "-f",
		arena_printf(run->arena, "/proc/self/fd/%d", run->config_fd), "--",
		arena_printf(run->arena, "/proc/self/fd/%d", image_fd), arena_strdup(run->arena, argument), NULL,
	};

	for (size_t i = 0; i < array_size(words) - 1; i++)
		if (!words[i])
			return err_nomem(err);
	run->carrier.argv = arena_memdup(run->arena, words, sizeof(words));
	return run->carrier.argv ? 0 : err_nomem(err);
}

static int prepare(struct carrier *carrier, int image_fd, const char *argument, struct err **err)
{
	struct run *run = carrier->data;
	bool userns_is_ours = carrier->userns == CARRIER_HAS_RIGHTS;
	const char *const *ready = lxc_place_ready(run->arena, run->plan);
	const struct lxc_use use = {
		.target = TARGET_LXC_RUN, .folder = LXC_PLACE, .trees = LXC_PLACE_TREE,
		.root = run->plan->root.kind == ROOT_IMAGE ? LXC_PLACE_ROOT CALLS_ROOT : LXC_PLACE_ROOT, .userns_is_there = userns_is_ours, .ready = ready,
	};
	cleanup_lxc_container struct lxc_container container = LXC_CONTAINER_INIT;
	int r = ready ? lxc_emit(run->arena, run->plan, &use, &container, err) : err_nomem(err);

	if (r == 0)
		r = open_files(run, &container.config, err);
	if (r == 0)
		r = make_argv(run, image_fd, argument, err);
	if (r < 0)
		return r;
	carrier->place = lxc_place_prepare(run->arena, run->plan, ready, userns_is_ours);
	return carrier->place ? 0 : err_nomem(err);
}

/* The credentials that the kernel adds to init's first message have its number as we see it. */
static int receive_number(int socket_fd, pid_t *ret)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(struct ucred))] = { 0 };
	struct sync_header header;
	struct iovec part = { &header, sizeof(header) };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control) };
	struct pollfd wait = { .fd = socket_fd, .events = POLLIN };
	const struct cmsghdr *found;
	ssize_t n;
	int r;

	while ((r = poll(&wait, 1, INIT_WAIT_MS)) < 0 && errno == EINTR)
		;
	if (r == 0)
		return -ETIMEDOUT;
	n = recvmsg(socket_fd, &message, MSG_CMSG_CLOEXEC);
	if (n <= 0)
		return n < 0 ? -errno : -EPIPE;
	found = CMSG_FIRSTHDR(&message);
	if ((size_t)n < sizeof(header) || header.kind != SYNC_HERE || !found || found->cmsg_type != SCM_CREDENTIALS)
		return -EPROTO;
	*ret = ((const struct ucred *)(const void *)CMSG_DATA(found))->pid;
	return 0;
}

static int find_init(struct carrier *carrier, int socket_fd, pid_t *ret, struct err **err)
{
	const int is_on = 1, is_off = 0;
	int r;

	(void)carrier;
	if (setsockopt(socket_fd, SOL_SOCKET, SO_PASSCRED, &is_on, sizeof(is_on)) < 0)
		return err_sys(err, E_PROCESS, errno, "setsockopt", "sync socket", NULL);
	r = receive_number(socket_fd, ret);
	(void)setsockopt(socket_fd, SOL_SOCKET, SO_PASSCRED, &is_off, sizeof(is_off));
	return r < 0 ? err_sys(err, E_PROCESS, -r, "recvmsg", "number of init", NULL) : 0;
}

/* Only root's LXC may write maps of its own. Another's does without a namespace of its own, where it has all rights already: it
 * asks for no capability by its user's number, but keeps its files where this says. */
static bool userns_is_ours(const struct plan *plan, const struct host_facts *facts)
{
	return plan->namespaces[NS_USER].mode == NS_NEW && (!facts->is_privileged || plan->deny_setgroups);
}

static int lxc_start(const struct engine_request *request, struct engine_child *ret, struct err **err)
{
	static char home[] = "HOME=" LXC_PLACE, runtime[] = "XDG_RUNTIME_DIR=" LXC_PLACE;
	static char *const environment[] = { home, runtime, NULL };
	cleanup_arena struct arena *arena = arena_new();
	struct run run = {
		.plan = request->plan,
		.arena = arena,
		.carrier = { .name = "lxc", .program = engine_tool_find(&tool, err), .errors_fd = -1, .streams_fd = -1,
			     .is_lxc = true, .data = &run, .prepare = prepare, .find_init = find_init, .envp = environment,
			     .userns = userns_is_ours(request->plan, request->facts) ? CARRIER_HAS_RIGHTS : CARRIER_MAKES_ITS_OWN },
		.config_fd = -1,
		.null_fd = -1,
	};
	int r;

	if (!run.carrier.program)
		return -EINVAL;
	r = arena ? launch_start(request, &run.carrier, ret, err) : err_nomem(err);
	fd_close_ptr(&run.carrier.errors_fd);
	fd_close_ptr(&run.config_fd);
	fd_close_ptr(&run.null_fd);
	return r;
}

/* ---- what it can't do on this host ---- */

static int check_version(const char *path, struct err **err)
{
	cleanup_free char *text = NULL;
	int r = engine_tool_ask(path, "--version", &text, err);

	if (r < 0)
		return r;
	if (strtol(text, NULL, 10) >= OLDEST)
		return 0;
	r = err_set(err, E_HOST, 0, NULL, "the engine lxc: %s is too old, or none: it says \"%.*s\"", path, (int)strcspn(text, "\n"), text);
	err_hint(err, "%s", tool.remedy);
	return r;
}

/* The answer of a tool is asked for last: it costs a process. */
static int lxc_unsupported(const struct plan *plan, const struct host_facts *facts, struct err **err)
{
	int r = native_engine.unsupported(plan, facts, err);
	const char *path;

	if (r == 0)
		r = items_check(plan, TARGET_LXC_RUN, 0, err);
	if (r < 0)
		return r;
	path = engine_tool_find(&tool, err);
	return path ? check_version(path, err) : -EINVAL;
}

const struct engine lxc_engine = { .name = "lxc", .unsupported = lxc_unsupported, .start = lxc_start };

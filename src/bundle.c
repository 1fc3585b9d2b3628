/* bundle.c - see bundle.h. */

#include "bundle.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define PRESERVE_FDS_MAX 65536u

/* Socket activation: how many descriptors from 3 on are meant for this very process. */
static uint32_t listen_fds(void)
{
	const char *pid = getenv("LISTEN_PID"), *count = getenv("LISTEN_FDS");
	long number;

	if (!pid || !count || strtol(pid, NULL, 10) != (long)getpid())
		return 0;
	number = strtol(count, NULL, 10);
	return number > 0 && number <= (long)PRESERVE_FDS_MAX ? (uint32_t)number : 0;
}

/* What we inherited survived an exec, so it is not close-on-exec; everything of our own is. Without
 * this check a number that the caller left free could be one of our files by now. */
static int check_preserved(uint32_t count, struct err **err)
{
	for (uint32_t i = 0; i < count; i++) {
		int flags = fcntl(3 + (int)i, F_GETFD);

		if (flags < 0 || (flags & FD_CLOEXEC))
			return err_set(err, E_USAGE, 0, NULL,
				       "--preserve-fds: descriptor %u is not open", 3 + i);
	}
	return 0;
}

int bundle_request_fill(const struct program *program, const struct bundle_options *options,
			const char *id, struct bundle_request *ret, struct err **err)
{
	uint32_t listening = listen_fds();

	if (options->preserve_fds > PRESERVE_FDS_MAX)
		return err_set(err, E_USAGE, 0, NULL, "--preserve-fds: expected at most %u, found %u",
			       PRESERVE_FDS_MAX, options->preserve_fds);
	*ret = (struct bundle_request){
		.request = {
			.plan = {
				.id = id,
				.bundle = options->bundle,
				.config = options->config,
				.admin_config = program->admin_config,
				.engine = program->engine,
				.manager = (enum plan_cgroup_manager)program->cgroup_manager,
				.no_pivot = options->no_pivot,
				.no_new_keyring = options->no_new_keyring,
				.wants_console = options->console_socket != NULL,
				.preserve_fds = options->preserve_fds + listening,
				.notify_socket = getenv("NOTIFY_SOCKET"),
			},
			.console_socket = options->console_socket,
			.report = options->report,
			.announcement = options->announcement,
		},
	};
	if (listening > 0) {
		snprintf(ret->listen_fds, sizeof(ret->listen_fds), "LISTEN_FDS=%u", listening);
		ret->extra_env[0] = ret->listen_fds;
		ret->extra_env[1] = "LISTEN_PID=1";
		ret->request.plan.extra_env = ret->extra_env;
	}
	return check_preserved(ret->request.plan.preserve_fds, err);
}

int bundle_begin(struct program *program, const struct bundle_options *options, const char *id, struct engine_child *waiting,
		 struct bundle_request *ret, struct lifecycle *ret_lc, struct err **err)
{
	int r = store_check_id(id, err);

	if (r == 0)
		r = bundle_request_fill(program, options, id, ret, err);
	if (r < 0)
		return r;
	ret->request.waiting = wait_for_plan(&ret->request.plan, waiting);
	return program_lifecycle(program, STORE_MAKE, ret_lc, err);
}

/* bundle.h - the options that create, run and plan share, and what the caller's environment adds.
 */
#ifndef MXCRUN_BUNDLE_H
#define MXCRUN_BUNDLE_H

#include "program.h"

struct bundle_options {
	const char *bundle, *config;
	const char *console_socket;
	const char *report;
	struct announcement announcement;
	bool no_pivot, no_new_keyring;
	bool no_subreaper; /* what we always do */
	uint32_t preserve_fds;
};
#define BUNDLE_OPTIONS_INIT   \
	{                     \
		.bundle = "." \
	}

/* Of create, run and exec. */
#define PROCESS_OPTION_ROWS(o)                                                                                       \
	{ "pid-file", '\0', OPT_STRING, &(o).announcement.pid_file, NULL, "FILE",                                    \
	  "write the process's number to FILE" },                                                                    \
		{ "pidfd-socket", '\0', OPT_STRING, &(o).announcement.pidfd_socket, NULL, "PATH",                    \
		  "socket that gets a pidfd of the process" },                                                       \
		{ "console-socket", '\0', OPT_STRING, &(o).console_socket, NULL, "PATH",                             \
		  "socket that gets the terminal's master" },                                                        \
		{ "no-subreaper", '\0', OPT_FLAG, &(o).no_subreaper, NULL, NULL, "accepted: mxcrun never is one" },  \
	{                                                                                                            \
		"preserve-fds", '\0', OPT_NUMBER, &(o).preserve_fds, NULL, "N", "pass descriptors 3 to 2+N on"       \
	}

#define BUNDLE_OPTION_ROWS(o)                                                                                        \
	{ "bundle", 'b', OPT_STRING, &(o).bundle, NULL, "DIR", "the bundle (default: here)" },                       \
		{ "config", 'f', OPT_STRING, &(o).config, NULL, "FILE",                                              \
		  "the configuration (default: the bundle's config.json)" },                                        \
		{ "no-pivot", '\0', OPT_FLAG, &(o).no_pivot, NULL, NULL, "change the root without pivot_root" },     \
		{ "no-new-keyring", '\0', OPT_FLAG, &(o).no_new_keyring, NULL, NULL,                                 \
		  "stay in the caller's session keyring" },                                                          \
		PROCESS_OPTION_ROWS(o)

/* Of create and run. */
#define REPORT_OPTION_ROW(o)                                                       \
	{                                                                          \
		"report", '\0', OPT_STRING, &(o).report, NULL, "FILE",             \
		"write what each policy asks for, and how it is enforced, to FILE" \
	}

/* Room for what the request points to. */
struct bundle_request {
	struct create_request request;
	const char *extra_env[3];
	char listen_fds[32];
};

/* Fill in the library's request. Descriptors that are to be passed on are checked to be the
 * caller's. */
int bundle_request_fill(const struct program *program, const struct bundle_options *options,
			const char *id, struct bundle_request *ret, struct err **err);

/* What create and run begin with: the request, init, which waits for its plan while that is made, and the store. waiting is
 * ENGINE_CHILD_INIT, cleanup_waiting, and lives as long as ret is used. */
int bundle_begin(struct program *program, const struct bundle_options *options, const char *id, struct engine_child *waiting,
		 struct bundle_request *ret, struct lifecycle *ret_lc, struct err **err);

#endif

/* criu.h - the criu program: its command line under construction, and running it. */
#ifndef MXCRUN_LIFECYCLE_CRIU_H
#define MXCRUN_LIFECYCLE_CRIU_H

#include "base/err.h"
#include "base/mem.h"
#include "cgroup/cgroup.h"
#include "config/oci.h"
#include "lifecycle/lifecycle.h"

#define CRIU_WORDS_MAX 4096u

struct criu {
	struct arena *arena;
	const char *words[CRIU_WORDS_MAX]; /* the command line so far */
	size_t count;
	size_t first_option; /* of them: from here on a configuration file may say it as well */
	const char *images, *work, *log_name;
	const char *config; /* a file of the user's with options, which come last; NULL: none */
	const char *log;    /* absolute path */
	bool failed;	    /* out of memory, or too many words */
};

/* The program, its action ("dump", "restore") and what both take: directories (made when absent), log, verbosity, cgroups.
 * E_UNSUPPORTED when there is no criu, or one that does not work on this kernel. */
int criu_begin(struct criu *criu, struct arena *arena, const char *action, const char *log_name,
	       const struct checkpoint_options *options, struct err **err);

/* One word, or one "--name=value"; value NULL: nothing is added. */
void criu_add(struct criu *criu, const char *format, ...) __attribute__((format(printf, 2, 3)));
void criu_add_flag(struct criu *criu, bool wanted, const char *word);
void criu_add_value(struct criu *criu, const char *name, const char *value);

/* Run it to its end, born in the groups unless NULL. On failure the last error of its log is in the message. */
int criu_run(struct criu *criu, const struct cgroup *cgroup, struct err **err);

/* What the command line can't ask for: a terminal whose other end is held outside, and a word when the namespaces are made. */
struct criu_service {
	pid_t tree; /* dump: whom; 0: restore */
	/* restore: the namespaces of the process are there, and nothing runs in them yet; NULL: nobody wants to know */
	int (*on_namespaces)(void *data, pid_t pid, struct err **err);
	void *data;
	int terminal_fd; /* restore: the other end of the terminal, for the caller to close; -1: there was none */
	pid_t pid;	 /* restore: the process */
};

/* The same as criu_run(), by criu's service protocol. */
int criu_serve(struct criu *criu, const struct cgroup *cgroup, struct criu_service *service, struct err **err);

/* For criu_serve(): start the program, await its end (the status as wait(2) has it, or -errno), say what its log does. */
int criu_start(const char *const *argv, const struct cgroup *cgroup, int null_fd, pid_t *ret_pid, struct err **err);
int criu_wait(pid_t pid, struct err **err);
int criu_failed(const struct criu *criu, const char *action, struct err **err);

/* The bind mounts of a configuration, which are no part of the image: calls add with destination and source. */
void criu_each_bind(const struct oci_config *config,
		    void (*add)(void *data, const char *destination, const char *source), void *data);

/* What neither side can do for this configuration: 0 or E_UNSUPPORTED with the field. */
int criu_check_config(const struct oci_config *config, struct err **err);

/* The annotation org.criu.config; NULL without it. */
const char *criu_config_file(const struct plan_option *annotations, size_t count);

/* Name of a network namespace that is not the container's own. */
#define CRIU_NETWORK_KEY "extRootNetNS"
/* Path of the network namespace that the configuration names; NULL: new, or the host's. */
const char *criu_network_path(const struct oci_config *config);

/* Likewise: where the container had cgroup file systems, which restore binds its new groups to. */
#define CRIU_CGROUPS_FILE "cgroups.json"

/* In the image's directory: what the container's 0, 1 and 2 were. */
#define CRIU_DESCRIPTORS_FILE "descriptors.json"

#endif

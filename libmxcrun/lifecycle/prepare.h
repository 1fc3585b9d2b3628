/* prepare.h - from a document to a sealed plan: reads files and the host, makes nothing.
 *
 * `plan` and --dry-run end here; create, run and mxc run carry out the same object, so that what
 * runs is what is printed. */
#ifndef MXCRUN_LIFECYCLE_PREPARE_H
#define MXCRUN_LIFECYCLE_PREPARE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "config/mxc.h"
#include "config/oci_exec.h"
#include "engine/engine.h"
#include "host/facts.h"
#include "plan/build.h"
#include "plan/from_policy.h"
#include "plan/plan.h"

/* The JSON of a regular file; name: what it is called in messages. */
int read_document(struct arena *arena, const char *path, const char *name, const struct json **ret, struct err **err);

/* The JSON of a file, a pipe or, as "-", standard input: what is looked at once and not again. */
int read_input(struct arena *arena, const char *path, const struct json **ret, struct err **err);

struct prepared {
	struct arena *plan_arena; /* shared and sealed */
	const struct plan *plan;
	const struct host_facts *facts; /* the caller's */
	const struct engine *engine;	/* who carries it out */
};
#define PREPARED_INIT \
	{             \
		0     \
	}
void prepared_done(struct prepared *prepared);
#define cleanup_prepared __attribute__((cleanup(prepared_done)))

/* Plan the bundle at request->bundle (here any path; the plan gets it absolute) by its config.json,
 * choose the engine, and make sure that it can carry the plan out. */
int prepare_bundle(struct host_facts *facts, const struct log *log,
		   const struct plan_request *request, struct prepared *ret, struct err **err);

/* Who is told that the process exists, before it goes on: NULL for nobody. */
struct announcement {
	const char *pid_file;	  /* gets its number */
	const char *pidfd_socket; /* a Unix socket that gets its pidfd, with the text "pidfd" */
};

struct record;
struct exec_request {
	struct plan_request plan;	/* without a bundle */
	const char *process_file;	/* a process.json; NULL: the bundle's own process with the changes */
	struct oci_exec_changes changes;
	const char *console_socket; /* NULL: none */
	struct announcement announcement;
	struct string_list cgroups;	/* groups below the container's, "[CONTROLLER[,CONTROLLER]:]PATH"; none: the container's own */
	struct engine_child *waiting;	/* of wait_for_plan(); NULL: none */
	bool detach, ignore_paused;
	/* For a sandbox, which has no bundle: who plans it, and is told when it has started. NULL: prepare_exec(), nobody */
	int (*prepare)(void *data, const struct record *record, struct prepared *ret, struct err **err);
	void (*on_started)(void *data);
	void *data;
};
/* Plan one more process for the container of that record. */
/* The configuration that a container was made from. */
int prepare_record_config(struct arena *arena, const struct record *record, const struct log *log,
			  const struct oci_config **ret, struct err **err);

/* That of a bundle, as written, beside its plan; in arena. */
int prepare_bundle_config(struct arena *arena, const struct prepared *prepared, const struct log *log,
			  const struct oci_config **ret, struct err **err);

int prepare_exec(struct host_facts *facts, const struct log *log, const struct exec_request *request,
		 const struct record *record, struct prepared *ret, struct err **err);

/* An MXC document, parsed. Its errors are the author's; those of prepare_policy() are this host's.
 */
struct policy_document {
	struct arena *arena;
	const struct mxc_config *config;
};
void policy_document_done(struct policy_document *document);
#define cleanup_policy_document __attribute__((cleanup(policy_document_done)))

/* name: what the text is called in messages. */
int policy_parse(const char *text, size_t len, const char *name, const struct log *log,
		 struct policy_document *ret, struct err **err);

/* Decide what the policy means on this host, plan it, and make sure that it can be enforced. */
int prepare_policy(struct host_facts *facts, const struct log *log,
		   const struct policy_document *document,
		   const struct plan_policy_request *request, struct prepared *ret,
		   struct err **err);

#endif

/* emit.h - a plan as the arguments of bwrap(1), bubblewrap 0.5 and later. A pure function of the plan, and of which files
 * there are in the kernel's /proc. What bwrap has no option for is refused or named (engine/items.h). */
#ifndef MXCRUN_ENGINE_BWRAP_EMIT_H
#define MXCRUN_ENGINE_BWRAP_EMIT_H

#include "base/err.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "engine/items.h"
#include "plan/plan.h"

/* What the command reads from a descriptor of that number. */
struct bwrap_descriptor {
	int number;
	const void *data;	/* the seccomp program; NULL: nothing, which an empty file gives, too */
	size_t length;
};

struct bwrap_command {
	const char **argv;	/* NULL-terminated; [0] is "bwrap" */
	size_t count;
	struct bwrap_descriptor *descriptors;
	size_t descriptor_count;
};

#define BWRAP_FIRST_DESCRIPTOR 3	/* all shells redirect numbers of one digit */
#define BWRAP_SECCOMP_FILE "seccomp.bpf"

/* What makes the difference between a text and a run of ours. */
struct bwrap_use {
	enum engine_target target;	/* TARGET_BWRAP or TARGET_BWRAP_RUN */
	unsigned int version;	/* a text: the N of the bubblewrap 0.N that it is for; what depends on that is in engine/items.c */
	/* What is at a path below /proc; not used in a run, where init covers paths. */
	enum kernel_object (*look)(const char *path);
	/* A run: the number of a new descriptor that holds this, or -errno; NULL: they are counted. */
	int (*make_file)(void *data, const void *content, size_t length);
	void *data;
	/* A run: options before all others, and init's command line in place of the workload's; NULL-terminated. */
	const char *const *options, *const *command;
	const char *image_root;	/* a run: where an image is ready, with its layers */
};

/* E_UNSUPPORTED names what can't be said. */
int bwrap_emit(struct arena *arena, const struct plan *plan, const struct bwrap_use *use, struct bwrap_command *ret,
	       struct err **err);

/* One line for a shell, each word quoted, with the redirections. folder: where the seccomp program lies; NULL: here. */
void bwrap_print_shell(const struct bwrap_command *command, const char *folder, struct strbuf *out);

/* {"argv": [...], "descriptors": [{"number", "content", "program"}]} */
void bwrap_print_json(const struct bwrap_command *command, struct strbuf *out);

/* The arguments behind "bwrap", each ended by a NUL byte, as xargs -0 and `bwrap --args` take them. */
void bwrap_print_nul(const struct bwrap_command *command, struct strbuf *out);

#endif

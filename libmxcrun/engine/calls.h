/* calls.h - a list of system calls, made by the parent and carried out by a child that shares its memory.
 *
 * Before such a child executes a program it may neither allocate nor format. So whoever prepares a mount namespace for another
 * engine's program (engine/lxc/place.c, engine/bwrap/run.c) writes down what is to be done; calls_make() does it.
 */
#ifndef MXCRUN_ENGINE_CALLS_H
#define MXCRUN_ENGINE_CALLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base/err.h"
#include "base/mem.h"

#define CALLS_NO_SLOT 0

struct call {
	const char *operation, *object, *pointer;
	long number, arguments[5];
	int tolerated;		/* an errno that is none */
	int gives, takes;	/* slots of descriptors, or CALLS_NO_SLOT: of the result; of the first argument */
};

struct calls {
	struct arena *arena;
	struct call *items;
	size_t count;
	long *slots;
	int slot_count;
	bool failed;		/* out of memory */
	const char *engine;	/* for people */
	const struct call *failed_call;		/* by the child */
	int failed_errno;
};

#define CALL(name, ...) .operation = #name, .number = SYS_##name, .arguments = { __VA_ARGS__ }
#define TEXT(text) ((long)(uintptr_t)(text))

/* Room for so many calls and slots; NULL: no memory. */
struct calls *calls_new(struct arena *arena, const char *engine, size_t most_calls, size_t most_slots);

void calls_add(struct calls *calls, struct call call);
void calls_add_folder(struct calls *calls, const char *path, mode_t mode);
void calls_add_file(struct calls *calls, const char *path);
void calls_add_tmpfs(struct calls *calls, const char *path, unsigned long flags, const char *options);

/* A mount namespace of its own, from which nothing travels to the host. Files get the modes that are asked for. */
void calls_begin(struct calls *calls);

/* A clone of a tree of the host: its slot. */
int calls_add_clone(struct calls *calls, const char *path, const char *pointer, bool is_recursive);
void calls_add_flags(struct calls *calls, int slot, const char *object, const char *pointer, uint64_t set, uint64_t clear,
		     unsigned int how);
void calls_add_attach(struct calls *calls, int slot, const char *path);

/* An image in a slot, with layers above it, becomes the directory CALLS_ROOT of a file system that covers that folder: the image stays
 * as it is, what is written lies in a tmpfs and ends with the mount namespace. */
#define CALLS_ROOT "/rootfs"
void calls_lay_over_image(struct calls *calls, int slot, const char *folder);

/* In the child, in its parent's memory: raw calls only. 0, or the errno of what calls_explain() tells afterwards. */
int calls_make(void *calls);

/* The failed call as an error; 0 where none has failed. */
int calls_explain(const struct calls *calls, struct err **err);

#endif

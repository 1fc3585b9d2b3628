/* helper.h - a process of ours beside a container. One that ends with its starter does so however that one ends.
 *
 * The child waits until its journal line is written. From then on the read end of a pipe tells it that its
 * starter is gone; the kernel's parent-death signal is the second of two ways to the same end. */
#ifndef MXCRUN_NET_HELPER_H
#define MXCRUN_NET_HELPER_H

#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

struct net_helper {
	pid_t pid;	/* -1: none */
	int life_fd;	/* write end */
};
#define NET_HELPER_INIT { .pid = -1, .life_fd = -1 }

/* Write the journal's line of a process, and of a table in a namespace that outlives the container: its file, and which
 * one that means now. */
struct net_journal {
	int (*add)(void *data, pid_t pid, uint64_t start_ticks, struct err **err);
	int (*add_table)(void *data, const char *path, dev_t device, ino_t inode, struct err **err);
	void *data;
};

enum helper_life { HELPER_ENDS_WITH_STARTER, HELPER_OUTLIVES_STARTER };

/* Run function(data, read end) in a new process: in a session of its own, standard streams on /dev/null, with default
 * signals; its result is the exit code. 0 or -errno. */
int helper_start(const struct net_journal *journal, enum helper_life life, int (*function)(void *data, int life_fd), void *data,
		 struct net_helper *ret, struct err **err);

/* Let it end, and reap it. Nothing for one that never was. */
void helper_stop(struct net_helper *helper);

#endif

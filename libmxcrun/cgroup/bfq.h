/* bfq.h - the weights of block devices under the BFQ scheduler.
 *
 * BFQ has files of its own, with v1's numbers in both hierarchies (Documentation/block/bfq-iosched.rst): in v1 instead of the
 * ones of CFQ, in v2 beside io.weight, which is of the cost model and does nothing for BFQ.
 */
#ifndef MXCRUN_CGROUP_BFQ_H
#define MXCRUN_CGROUP_BFQ_H

#include "plan/plan.h"

/* What was written where, for errors. */
struct bfq_written {
	const char *file;
	char value[64];
};

/* BFQ's file for a weight that a plan writes to @file; NULL where that is of something else. */
const char *bfq_file(const char *file);

/* The weight that @write asks for, in BFQ's file of the group @dir_fd. 0, or -errno; -ENOENT: it is no weight, or BFQ is not there. */
int bfq_write_weight(int dir_fd, const struct plan_cgroup_write *write, struct bfq_written *ret);

#endif

/* bfq.c - see bfq.h. */
#include "cgroup/bfq.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "base/mem.h"

/* plan/from_oci_io.c made 1 to 10000 of 10 to 1000, and rounded down. */
static unsigned long v1_weight(unsigned long v2)
{
	return 10 + ((v2 - 1) * 990 + 9998) / 9999;
}

/* "WEIGHT" or "MAJOR:MINOR WEIGHT" */
static int write_v2(int dir_fd, const char *value, struct bfq_written *ret)
{
	const char *space = strrchr(value, ' '), *number = space ? space + 1 : value;

	ret->file = "io.bfq.weight";
	snprintf(ret->value, sizeof(ret->value), "%.*s%lu", (int)(number - value), value, v1_weight(strtoul(number, NULL, 10)));
	return fd_write_file(dir_fd, ret->file, ret->value);
}

int bfq_write_weight(int dir_fd, const struct plan_cgroup_write *write, struct bfq_written *ret)
{
	static const char *const names[][2] = {
		{ "blkio.weight", "blkio.bfq.weight" },
		{ "blkio.weight_device", "blkio.bfq.weight_device" },
	};

	if (!strcmp(write->file, "io.weight"))
		return write_v2(dir_fd, write->value, ret);
	for (size_t i = 0; i < array_size(names); i++) {
		if (strcmp(write->file, names[i][0]) != 0)
			continue;
		ret->file = names[i][1];
		snprintf(ret->value, sizeof(ret->value), "%s", write->value);
		return fd_write_file(dir_fd, ret->file, write->value);
	}
	return -ENOENT;
}

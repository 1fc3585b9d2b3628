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

const char *bfq_file(const char *file)
{
	static const char *const names[][2] = {
		{ "blkio.weight", "blkio.bfq.weight" },
		{ "blkio.weight_device", "blkio.bfq.weight_device" },
		{ "io.weight", "io.bfq.weight" },
	};

	for (size_t i = 0; i < array_size(names); i++)
		if (!strcmp(file, names[i][0]))
			return names[i][1];
	return NULL;
}

/* "WEIGHT" or "MAJOR:MINOR WEIGHT" */
static void convert_v2(const char *value, struct bfq_written *ret)
{
	const char *space = strrchr(value, ' '), *number = space ? space + 1 : value;

	snprintf(ret->value, sizeof(ret->value), "%.*s%lu", (int)(number - value), value, v1_weight(strtoul(number, NULL, 10)));
}

int bfq_write_weight(int dir_fd, const struct plan_cgroup_write *write, struct bfq_written *ret)
{
	ret->file = bfq_file(write->file);
	if (!ret->file)
		return -ENOENT;
	if (!strcmp(write->file, "io.weight"))
		convert_v2(write->value, ret);
	else
		snprintf(ret->value, sizeof(ret->value), "%s", write->value);
	return fd_write_file(dir_fd, ret->file, ret->value);
}

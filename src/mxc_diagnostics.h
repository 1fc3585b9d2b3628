/* mxc_diagnostics.h - what `mxc run` tells about itself, as MXC's clients know it.
 *
 * Lines are kept in memory and forgotten unless the configuration turns out to be wrong; with
 * --debug they go to stdout as they occur, with --log-file to a file as well. */
#ifndef MXCRUN_MXC_DIAGNOSTICS_H
#define MXCRUN_MXC_DIAGNOSTICS_H

#include <stdbool.h>

#include "base/err.h"
#include "base/log.h"
#include "base/strbuf.h"

struct mxc_diagnostics {
	bool is_live; /* --debug */
	int log_fd;   /* --log-file; -1: none */
	struct strbuf kept;
	struct log log; /* for the library: ends up here */
};
#define MXC_DIAGNOSTICS_INIT \
	{                    \
		.log_fd = -1 \
	}
void mxc_diagnostics_done(struct mxc_diagnostics *diagnostics);
#define cleanup_mxc_diagnostics __attribute__((cleanup(mxc_diagnostics_done)))

/* log_path NULL: no file. */
int mxc_diagnostics_open(struct mxc_diagnostics *diagnostics, bool is_live, const char *log_path,
			 struct err **err);

void mxc_diagnostics_line(struct mxc_diagnostics *diagnostics, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif

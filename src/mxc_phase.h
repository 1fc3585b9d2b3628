/* mxc_phase.h - `mxc run` given a request of the state-aware life cycle. */
#ifndef MXCRUN_MXC_PHASE_H
#define MXCRUN_MXC_PHASE_H

#include "mxc_diagnostics.h"
#include "mxc_source.h"
#include "program.h"

struct mxc_phase_options {
	const char *file, *log_file, *report;
	bool is_dry_run, allows_testing;
};

/* Might the text be one? Without a look at its structure: most are not. */
bool mxc_may_be_phase(const struct mxc_text *text);

/* Carry it out and answer; *ret_exit_code is the command's. False: it is a document that runs at once, or no JSON at all. */
bool mxc_phase_run(struct program *program, struct mxc_diagnostics *diagnostics, const struct mxc_text *text,
		   const struct mxc_phase_options *options, int *ret_exit_code);

#endif

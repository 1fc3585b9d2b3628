/* mxc_source.h - where the text of an MXC configuration comes from. */
#ifndef MXCRUN_MXC_SOURCE_H
#define MXCRUN_MXC_SOURCE_H

#include "base/err.h"
#include "base/log.h"
#include "lifecycle/prepare.h"

/* At most one is used: the first that is set. The others are not opened. */
struct mxc_source {
	const char *base64, *config, *positional;
};

struct mxc_text {
	char *data; /* malloc'd */
	size_t len;
	const char *name; /* for messages */
};
void mxc_text_done(struct mxc_text *text);
#define cleanup_mxc_text __attribute__((cleanup(mxc_text_done)))

/* The file that it is read from; NULL: from none that has a name. */
const char *mxc_source_file(const struct mxc_source *source);

/* "-" and /dev/stdin are standard input. */
int mxc_source_read(const struct mxc_source *source, struct mxc_text *ret, struct err **err);

/* Read it and parse it. */
int mxc_source_parse(const struct mxc_source *source, const struct log *log,
		     struct policy_document *ret, struct err **err);

#endif

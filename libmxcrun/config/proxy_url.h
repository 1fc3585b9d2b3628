/* proxy_url.h - the parts of a proxy's URL, as a sloppy client would find them. */
#ifndef MXCRUN_CONFIG_PROXY_URL_H
#define MXCRUN_CONFIG_PROXY_URL_H

#include <stdbool.h>

#include "base/mem.h"

struct proxy_url {
	const char *trimmed; /* all of it, without blanks around it, tabs and newlines */
	const char *scheme, *host; /* host with the brackets of an IPv6 address */
	const char *port;	   /* text; NULL when there is none */
	bool has_credentials;	   /* a user part that isn't empty */
};

/* 0; -EINVAL when no scheme and host can be found; -ENOMEM. What was found by then is filled in. */
int proxy_url_split(struct arena *arena, const char *text, struct proxy_url *ret);

#endif

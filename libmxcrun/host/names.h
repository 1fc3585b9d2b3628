/* names.h - the addresses of a host's name, asked for once. */
#ifndef MXCRUN_HOST_NAMES_H
#define MXCRUN_HOST_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/mem.h"

#define HOST_NAME_ADDRESSES_MAX 8u

struct host_name {
	const char *name;
	struct host_address {
		bool is_v6;
		uint8_t bytes[16]; /* network order; the first 4 for IPv4 */
	} addresses[HOST_NAME_ADDRESSES_MAX];
	size_t count; /* 0: it has none, or nobody answered in time */
	/* /etc/hosts: where it leads and what is in it; NULL when there is none */
	const char *hosts_path, *hosts_text;
};

/* By /etc/hosts and DNS, for at most 15 s (MXC.md 7.9.3). 0 or -errno; a name without addresses is no error. */
int host_name_look_up(struct arena *arena, const char *name, struct host_name *ret, struct err **err);

#endif

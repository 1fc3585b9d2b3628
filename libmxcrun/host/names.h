/* names.h - the addresses of hosts' names, asked for once. */
#ifndef MXCRUN_HOST_NAMES_H
#define MXCRUN_HOST_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/mem.h"

#define HOST_NAME_ADDRESSES_MAX 32u
#define HOST_NAMES_MAX 64u

struct host_address {
	bool is_v6;
	uint8_t bytes[16]; /* network order; the first 4 for IPv4 */
};

struct host_name {
	const char *name;
	struct host_address addresses[HOST_NAME_ADDRESSES_MAX];
	size_t count;	/* 0: it has none, or nobody answered in time */
	bool has_more;	/* than there is room for */
};

struct host_names {
	struct host_name *items;
	size_t count;
	/* /etc/hosts: where it leads and what is in it; NULL when there is none */
	const char *hosts_path, *hosts_text;
};

/* By /etc/hosts and DNS, all at the same time, for at most 15 s (MXC.md 7.9.3). 0 or -errno; a name without addresses is no error. */
int host_names_look_up(struct arena *arena, const char *const *names, size_t count, struct host_names *ret, struct err **err);

/* NULL: it has not been looked up. */
const struct host_name *host_names_find(const struct host_names *names, const char *name);

/* The first IPv4 address that was found, or else the first; NULL: there is none. */
const struct host_address *host_name_best(const struct host_name *name);

#endif

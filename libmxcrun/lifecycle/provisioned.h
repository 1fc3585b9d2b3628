/* provisioned.h - sandboxes that live across calls: what was asked for when they were provisioned.
 *
 * ROOT/.sandboxes/PREFIX-TOKEN is the request, as it was read, and carries the lock of the sandbox; PREFIX-TOKEN.started is there
 * once it was started. While it runs the sandbox is an entry of the store, named PREFIX-TOKEN, as any other.
 */
#ifndef MXCRUN_LIFECYCLE_PROVISIONED_H
#define MXCRUN_LIFECYCLE_PROVISIONED_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "config/mxc_phase.h"
#include "lifecycle/store.h"

#define PROVISIONED_TOKEN_LEN 32u /* hexadecimal digits: 128 random bits */
#define PROVISIONED_ID_SIZE (8u + PROVISIONED_TOKEN_LEN + 1u)

struct provisioned {
	char id[PROVISIONED_ID_SIZE];	/* "PREFIX:TOKEN", what clients know */
	char name[PROVISIONED_ID_SIZE]; /* "PREFIX-TOKEN" */
	int dir_fd, fd;			/* fd carries the lock */
};
#define PROVISIONED_INIT { .dir_fd = -1, .fd = -1 }
void provisioned_close(struct provisioned *sandbox);
#define cleanup_provisioned __attribute__((cleanup(provisioned_close)))

/* Has this containment a form that lives across calls? */
bool provisioned_takes(enum mxc_containment containment);

/* A new one, with an id that never was. 0 or -errno with E_RECORD. */
int provisioned_make(const struct store *store, enum mxc_containment containment, const char *text, size_t len,
		     struct provisioned *ret, struct err **err);

/* operation: LOCK_SH or LOCK_EX, waited for. *ret_code: MXC's word for the failure, NULL where it has none of its own. */
int provisioned_open(const struct store *store, const char *id, int operation, struct provisioned *ret, const char **ret_code,
		     struct err **err);

/* The request; malloc'd. */
int provisioned_read(const struct provisioned *sandbox, char **ret, size_t *ret_len, struct err **err);

bool provisioned_was_started(const struct provisioned *sandbox);
int provisioned_mark_started(const struct provisioned *sandbox, struct err **err);

int provisioned_remove(const struct store *store, const struct provisioned *sandbox, struct err **err);

/* Remove what a killed command has left of a request that was not kept, or is gone. */
void provisioned_sweep(const struct store *store);

#endif
